"""What a plan lets pods do on their node, and what of their secrets it shows. Pure.

A pod's powers are Pod Security's own controls (kubernetes.io, "Pod Security Standards"). Each is a sentence about a
template; what is true after a plan and was not before is what the plan brings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from cli.engine import values
from cli.engine.model import SECRET, UNKNOWN
from cli.review.facts import Fact
from cli.review.objects import RUNS, Manifest, at, containers, mapping, rows, template, text
from cli.review.objects import values as entries
from cli.review.world import Touched, World

Power = tuple[str, str]
"""(code, what is true)."""

_HIDDEN: Final = (SECRET, UNKNOWN)
_CONFINED: Final = ("RuntimeDefault", "Localhost")


def facts(there: World) -> Iterator[Fact]:
    for one in there.of(*RUNS):
        if one.after:
            yield from (one.fact(*power) for power in _brought(one))
            yield from _images(one)
    for one in there.touched:
        yield from _uncovered(one)


def _brought(one: Touched) -> Iterator[Power]:
    """The powers that were not there before. A lone container stays the same one under another name."""
    alone = all(_is_alone(side) for side in (one.before, one.after))
    before = set(powers(one.before, by_name=not alone)) if one.before else set()
    now = powers(one.after, by_name=not alone)
    said = powers(one.after, by_name=not _is_alone(one.after))
    brought = [words for power, words in zip(now, said, strict=True) if power not in before]
    yield from dict.fromkeys(brought)


def _is_alone(made: Manifest) -> bool:
    return len(containers(made)) == 1


def powers(made: Manifest, *, by_name: bool) -> Iterator[Power]:
    """Everything that its pods may do beyond what a closed pod may. Without names: each is `its container`."""
    pod = mapping(template(made), "spec")
    yield from _host(pod)
    for row in containers(made):
        called = row if by_name else {**row, "name": "its container"}
        for rule in _OF_A_CONTAINER:
            yield from rule(pod, called)
    if pod.get("automountServiceAccountToken") is not False:
        yield "mounts-token", "mounts a token for the API server"


def _host(pod: Manifest) -> Iterator[Power]:
    for name, what in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "shared memory")):
        if pod.get(name) is True:
            yield "host-access", f"shares its node's {what}"
    writable = {
        text(mount, "name")
        for row in (*rows(pod, "initContainers"), *rows(pod, "containers"))
        for mount in rows(row, "volumeMounts")
        if mount.get("readOnly") is not True
    }
    for volume in rows(pod, "volumes"):
        if path := text(volume, "hostPath", "path"):
            verb = "writes" if text(volume, "name") in writable else "reads"
            yield "host-access", f"{verb} {path} of its node"


def _privileged(_: Manifest, row: Manifest) -> Iterator[Power]:
    if at(row, "securityContext", "privileged") is True:
        yield "privileged", f"runs {_name(row)} privileged"


def _ports(_: Manifest, row: Manifest) -> Iterator[Power]:
    for port in rows(row, "ports"):
        if port.get("hostPort"):
            yield "host-access", f"takes port {int(port['hostPort'])} of its node"


def _capabilities(_: Manifest, row: Manifest) -> Iterator[Power]:
    added = entries(row, "securityContext", "capabilities", "add")
    for name in sorted(map(str, added)):
        yield "adds-capability", f"gives {_name(row)} the capability {name}"
    if "ALL" not in map(str, entries(row, "securityContext", "capabilities", "drop")):
        yield "loosens-pod", f"leaves {_name(row)} the capabilities that its runtime gives"


def _root(pod: Manifest, row: Manifest) -> Iterator[Power]:
    user = _context(pod, row, "runAsUser")
    if user == 0 and not isinstance(user, bool):
        yield "runs-as-root", f"runs {_name(row)} as root"
    elif _context(pod, row, "runAsNonRoot") is not True:
        yield "runs-as-root", f"lets {_name(row)} run as root"


def _escalation(_: Manifest, row: Manifest) -> Iterator[Power]:
    if at(row, "securityContext", "allowPrivilegeEscalation") is not False:
        yield "escalates", f"lets {_name(row)} gain privileges"


def _confinement(pod: Manifest, row: Manifest) -> Iterator[Power]:
    if at(row, "securityContext", "readOnlyRootFilesystem") is not True:
        yield "loosens-pod", f"lets {_name(row)} write to its own image"
    profile = _context(pod, row, "seccompProfile")
    if text(profile, "type") not in _CONFINED:
        yield "loosens-pod", f"runs {_name(row)} without a seccomp profile"


def _secrets(_: Manifest, row: Manifest) -> Iterator[Power]:
    for variable in rows(row, "env"):
        if mapping(variable, "valueFrom", "secretKeyRef") or variable.get("value") == SECRET:
            yield "secret-in-env", f"puts a secret into the variable {text(variable, 'name')} of {_name(row)}"
    for source in rows(row, "envFrom"):
        if secret := text(source, "secretRef", "name"):
            yield "secret-in-env", f"puts Secret {secret} into the variables of {_name(row)}"


_OF_A_CONTAINER: Final[tuple[Callable[[Manifest, Manifest], Iterator[Power]], ...]] = (
    _privileged,
    _ports,
    _capabilities,
    _root,
    _escalation,
    _confinement,
    _secrets,
)


def _context(pod: Manifest, row: Manifest, name: str) -> Any:
    """A container's own word counts before its pod's."""
    own = mapping(row, "securityContext").get(name)
    return mapping(pod, "securityContext").get(name) if own is None else own


def _name(row: Manifest) -> str:
    return text(row, "name") or "a container"


def _images(one: Touched) -> Iterator[Fact]:
    before = {_name(row): text(row, "image") for row in containers(one.before)} if one.before else {}
    for row in containers(one.after):
        image = text(row, "image")
        if "@sha256:" in before.get(_name(row), "") and "@sha256:" not in image and image not in _HIDDEN:
            yield one.fact("unpinned-image", f"names the image of {_name(row)} by a tag: {image}")


def _uncovered(one: Touched) -> Iterator[Fact]:
    if not (one.before and one.after):
        return
    for path, before, after in values.differences(one.before, one.after):
        if before == SECRET and isinstance(after, str) and after not in _HIDDEN:
            yield one.fact("uncovers-secret", f"shows {values.format_path(path)}, which was secret")
