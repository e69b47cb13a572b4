"""What a container owes those beside it: known content, bounded use, an answer when it is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from infra.policies.rule import ALWAYS, SHARED, Fault, Levels, cis, nsa, rule
from infra.policies.world import Pod, World
from infra.reading import entries, grace, mapping, pause

_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG: Final = re.compile(r":(?P<tag>[\w][\w.-]*)$")
_NEEDED: Final = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
_OUTSIDE_DEV: Final = Levels("disabled", "mandatory", "mandatory")


@rule(
    "read-only-root",
    World.pods,
    why="who breaks into a container leaves programs in its file system; read-only there is nowhere to put them",
    remedy="readOnlyRootFilesystem: true, with an emptyDir where the program writes",
    levels=ALWAYS,
    supports=(nsa("Kubernetes Pod security: Immutable container file systems"), cis("5.7.3")),
)
def read_only_root(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        if one.security.get("readOnlyRootFilesystem") is not True:
            yield Fault(one.at("securityContext.readOnlyRootFilesystem"), f"{one.name} can write its own file system")


@rule(
    "resources",
    World.pods,
    why="without requests the scheduler packs blindly; without a memory limit one leak takes its neighbours along",
    remedy="resources: {requests: {cpu: …, memory: …}, limits: {memory: …}}",
    levels=ALWAYS,
    supports=(nsa("Network separation and hardening: Resource policies"),),
)
def resources(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        stated = mapping(one.made.get("resources"))
        missing = [f"{key}.{what}" for key, what in _NEEDED if what not in mapping(stated.get(key))]
        if missing:
            yield Fault(one.at("resources"), f"{one.name} has no {', '.join(missing)}")


@rule(
    "scratch-limit",
    World.pods,
    why="an emptyDir without a limit fills the node's disk, and the kubelet then evicts whoever is there",
    remedy="emptyDir: {sizeLimit: 64Mi}",
    levels=SHARED,
    supports=(nsa("Network separation and hardening: Resource policies"),),
)
def scratch_limit(pod: Pod) -> Iterator[Fault]:
    for at, volume in enumerate(entries(pod.pod.get("volumes"))):
        if "emptyDir" in volume and not mapping(volume["emptyDir"]).get("sizeLimit"):
            yield Fault(f"{pod.path}.volumes[{at}].emptyDir", f"the volume {volume.get('name')} may grow without end")


@rule(
    "readiness",
    World.lasting,
    why="a pod without a readiness probe gets requests as soon as its process runs, and keeps them when it hangs",
    remedy="a readinessProbe on a container of every workload that a Service leads to",
    levels=ALWAYS,
)
def readiness(pod: Pod) -> Iterator[Fault]:
    if any(pod.services) and not any(one.made.get("readinessProbe") for one in pod.serving):
        yield Fault(f"{pod.path}.containers", "a Service leads to it, and nobody asks whether it is ready")


@rule(
    "liveness",
    World.lasting,
    why="a process that hangs stays as it is until somebody sees it; a liveness probe has it started anew",
    remedy="a livenessProbe that asks the process alone, never what it depends on",
    levels=SHARED,
)
def liveness(pod: Pod) -> Iterator[Fault]:
    for one in pod.serving:
        if not one.made.get("livenessProbe"):
            yield Fault(one.at("livenessProbe"), f"{one.name} may hang for ever")


@rule(
    "image-digest",
    World.pods,
    why="a tag can be moved: two pods of one release may run different programs, and a rollback may bring another back",
    remedy="image: NAME:TAG@sha256:…; for the app `turnout:app.digest`",
    levels=_OUTSIDE_DEV,
    supports=(nsa("Kubernetes Pod security: Building secure container images"), cis("5.5.1")),
)
def image_digest(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        image = str(one.made.get("image", ""))
        if not _DIGEST.search(image):
            yield Fault(one.at("image"), f"{one.name} runs {image or 'no image'}, which names no digest")


@rule(
    "image-latest",
    World.pods,
    why="nobody can tell from `latest` what runs, and the next pod may run something else",
    remedy="the tag of a version",
    levels=ALWAYS,
    supports=(nsa("Kubernetes Pod security: Building secure container images"),),
)
def image_latest(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        image = str(one.made.get("image", ""))
        named, _, digest = image.partition("@")
        tag = _TAG.search(named)
        if image and (tag["tag"] == "latest" if tag else not digest):
            yield Fault(one.at("image"), f"{one.name} runs {image}: {'the tag latest' if tag else 'no tag'}")


@rule(
    "grace-period",
    World.lasting,
    why="when the grace period is over the pod is killed, whatever it is at: also a preStop that is not done",
    remedy="terminationGracePeriodSeconds longer than preStop, and than the longest request after it",
    levels=ALWAYS,
)
def grace_period(pod: Pod) -> Iterator[Fault]:
    given = grace(pod.pod)
    for one in pod.serving:
        slept = pause(one.made)
        if slept >= given:
            path = f"{pod.path}.terminationGracePeriodSeconds"
            yield Fault(path, f"{one.name} sleeps {slept} s before it ends, and is killed after {given} s")


@rule(
    "job-ends",
    World.pods,
    why="a job that hangs, or fails for ever, holds its place and its locks until somebody looks",
    remedy="activeDeadlineSeconds and backoffLimit; for a CronJob also concurrencyPolicy: Forbid or Replace",
    levels=SHARED,
)
def job_ends(pod: Pod) -> Iterator[Fault]:
    if pod.kind not in ("Job", "CronJob"):
        return
    prefix = "spec.jobTemplate.spec" if pod.kind == "CronJob" else "spec"
    job = mapping(mapping(pod.spec.get("jobTemplate")).get("spec")) if pod.kind == "CronJob" else pod.spec
    for key in ("activeDeadlineSeconds", "backoffLimit"):
        if job.get(key) is None:
            yield Fault(f"{prefix}.{key}", f"has no {key}")
    if pod.kind == "CronJob" and pod.spec.get("concurrencyPolicy", "Allow") == "Allow":
        yield Fault("spec.concurrencyPolicy", "a run that takes long has the next one beside it")


RULES: Final = (
    read_only_root,
    resources,
    scratch_limit,
    readiness,
    liveness,
    image_digest,
    image_latest,
    grace_period,
    job_ends,
)
