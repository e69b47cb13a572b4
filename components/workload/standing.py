"""What of a workload is declared, given where its tracks stand: the described track from the settings, the rest frozen.

Pure. What a rollout moves (counts, the Services' selectors, the route's rules) is declared once and then left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.manifest import Manifest
from components.names import EPOCH
from components.tracks import COUNTED, Declared, Heads, Tracks, leading, lettered, other
from components.workload.scaling import least_copies
from components.workload.spec import WorkloadSpec


def described(release: Sequence[Manifest], spec: WorkloadSpec, tracks: Tracks, declared: Declared) -> list[Manifest]:
    """What the settings describe now: the objects of the described track and those that all tracks share.

    `release`: the workload as a release record holds it. A second track starts with no pods.
    """
    if not spec.tracked:
        return list(release)
    copies = _copies(spec, tracks, declared)
    return [each for manifest in release for each in _stood(manifest, tracks, copies)]


def frozen(tracks: Tracks, declared: Declared) -> Heads:
    """The objects of the track that the settings do not describe: they stay as they are."""
    return declared.tracks.get(other(tracks.described), ())


def left_alone(manifest: Manifest, tracks: Tracks, spec: WorkloadSpec, *, stopped: bool = False) -> list[str]:
    """Property paths whose changes are a rollout's or an autoscaler's, besides those that always are.

    A count that the settings name no more stays what it was until the autoscaler changes it: unset, it would be one.
    Of what was stopped it is said once, for an autoscaler starts nothing.
    """
    kind = manifest["kind"]
    if tracks.two:
        return list(COUNTED.get(kind, ()))
    return list(COUNTED[kind]) if spec.autoscale and kind == "Deployment" and not stopped else []


def _copies(spec: WorkloadSpec, tracks: Tracks, declared: Declared) -> int | None:
    """How many the described track is to have, where that is not what the release says."""
    if tracks.two:
        return 0 if declared.tracks.get(other(tracks.described)) else None
    return least_copies(spec) if declared.stopped else None


def _stood(manifest: Manifest, tracks: Tracks, copies: int | None) -> Iterator[Manifest]:
    if manifest["kind"] == "Service":
        yield from leading(manifest, tracks.described, two=tracks.two)
    elif manifest["kind"] == "Deployment":
        yield _deployment(lettered(manifest, tracks.described), tracks, copies)
    else:
        yield lettered(manifest, tracks.described)


def _deployment(manifest: Manifest, tracks: Tracks, copies: int | None) -> Manifest:
    count = {} if copies is None else {"replicas": copies}
    stamped = {EPOCH: str(tracks.epoch)} if tracks.two or tracks.epoch else {}
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), **stamped}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}, "spec": {**manifest["spec"], **count}}
