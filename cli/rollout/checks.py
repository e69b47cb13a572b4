"""What `turnout doctor` looks at: each check says what it found, and how to mend what is amiss. Nothing is changed."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cli import paths
from cli.errors import TurnoutError
from cli.rollout import control, identity, where
from cli.rollout.live import at_once

if TYPE_CHECKING:
    from cli.kube.client import Kube

Verdict = Literal["ok", "warning", "wrong"]
_GIB = 1 << 30
_DISK = 5 * _GIB
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `fix`: the command or the edit that mends it."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        return vars(self)


@dataclass(frozen=True)
class Right:
    """One right in a namespace, and which commands need it."""

    verb: str
    group: str
    resource: str
    namespace: str
    needed_by: str

    @property
    def name(self) -> str:
        return f"{self.verb} {self.resource}{'.' + self.group if self.group else ''} in {self.namespace}"


def machine() -> list[Check]:
    """This machine, whatever the environment."""
    return [guarded(name, look) for name, look in (("python", _python), ("sandbox", _sandbox), ("disk", _disk))]


def project(root: Path, environment: str) -> list[Check]:
    """The checkout: what the engine, its provider, its state and the settings need."""
    return [
        guarded("settings", lambda: _settings(root, environment)),
        guarded("engine", _engine),
        guarded("provider", _provider),
        guarded("state", lambda: _state(root)),
        guarded("passphrase", lambda: _passphrase(root)),
    ]


def cluster(environment: str, kubeconfig: Path | None, context: str | None) -> Iterator[Check]:
    """The environment's cluster: reached, known to it, and with which rights."""
    try:
        kube = where.connect(environment, kubeconfig, context)
        version = kube.request(_get("/version")).json()["gitVersion"]
        yield Check("cluster", "ok", f"{kube.endpoint.server} answers, Kubernetes {version}")
        yield Check("identity", "ok", f"the cluster knows us as {identity.username(kube)}")
    except TurnoutError as error:
        yield Check("cluster", "wrong", f"{error.what}: {error.why}", error.next or "turnout sandbox up")
        return
    with kube:
        yield guarded("rights", lambda: _rights(kube, environment))


def rights(environment: str) -> list[Right]:
    """What rollback, rollout and status need: objects of the environment's namespaces and of the control namespace."""
    own, kept = environment, control.namespace(environment)
    reads = [("apps", "deployments"), ("", "pods"), ("", "events"), ("", "pods/log")]
    writes = [
        ("apps", "deployments"),
        ("batch", "cronjobs"),
        ("", "configmaps"),
        ("", "serviceaccounts"),
        ("networking.k8s.io", "networkpolicies"),
        ("policy", "poddisruptionbudgets"),
        ("autoscaling", "horizontalpodautoscalers"),
    ]
    return [
        *(Right("list" if "/" not in name else "get", group, name, own, "status, logs") for group, name in reads),
        Right("watch", "apps", "deployments", own, "rollback"),
        *(Right("patch", group, name, own, "rollback") for group, name in writes),
        *(Right(verb, "coordination.k8s.io", "leases", kept, "the lock") for verb in ("get", "create", "update")),
        *(Right(verb, "", "configmaps", kept, "releases, audit") for verb in ("list", "create", "update")),
    ]


def guarded(name: str, look: Callable[[], Check]) -> Check:
    """A check that breaks is a finding, not the end of the others."""
    try:
        return look()
    except TurnoutError as error:
        return Check(name, "wrong", ": ".join(filter(None, (error.what, error.why))), error.next)
    except Exception as error:
        return Check(name, "wrong", f"{type(error).__name__}: {error}", "python -m pip install -e . in the checkout")


def _python() -> Check:
    version = platform.python_version()
    if sys.prefix == sys.base_prefix:
        return Check("python", "warning", f"Python {version}, outside a virtual environment", "make unit")
    return Check("python", "ok", f"Python {version} in {sys.prefix}")


def _sandbox() -> Check:
    from cli.sandbox import prerequisites

    if not prerequisites.can_run_real_pods():
        return Check(
            "sandbox", "warning", "simulated pods only: real ones need root on Linux", "sudo turnout sandbox up"
        )
    if missing := prerequisites.missing():
        fix = f"apt-get install --yes --no-install-recommends {' '.join(missing)}"
        return Check("sandbox", "warning", f"real pods need {', '.join(missing)}", f"turnout sandbox up, or: {fix}")
    return Check("sandbox", "ok", "all that real pods need is installed")


def _disk() -> Check:
    folder = next(path for path in (paths.cache_dir(), *paths.cache_dir().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.0f} GiB free for builds at {paths.cache_dir()}"
    if free < _DISK:
        return Check("disk", "warning", found, "free some, or put it elsewhere: TURNOUT_CACHE=DIR")
    return Check("disk", "ok", found)


def _settings(root: Path, environment: str) -> Check:
    from infra import settings

    file = root / f"Pulumi.{environment}.yaml"
    if not file.is_file():
        return Check("settings", "wrong", f"{file} does not exist", f"write {file.name}: see Pulumi.dev.yaml")
    try:
        settings.load(file, environment, placeholders=True)
    except Exception as error:
        return Check("settings", "wrong", str(error), f"edit {file.name}")
    if missing := settings.missing_secrets(file, environment):
        return Check("settings", "wrong", f"{file.name} lacks {len(missing)} secrets", f"turnout init {environment}")
    return Check("settings", "ok", f"{file.name} is valid")


def _engine() -> Check:
    from cli.engine import binary
    from cli.progress import Silent

    installed = binary.installed()
    if installed is not None:
        return Check("engine", "ok", f"pulumi {binary.must_fit(installed).version} at {installed.path}")
    if (paths.cache_dir() / "bin").is_dir() and any((paths.cache_dir() / "bin").glob("*/pulumi")):
        return Check("engine", "ok", f"pulumi {binary.built(Silent()).version}, built from its module")
    return Check(
        "engine", "warning", "no fitting pulumi yet; the first command builds it (minutes)", "turnout preview dev"
    )


def _provider() -> Check:
    from cli.engine import attach
    from cli.provider import VERSION

    if attach.choose(dict(os.environ)) == "own":
        return Check("provider", "ok", f"turnout's own kubernetes provider, which keeps the contract of {VERSION}")
    version = attach.official_version(dict(os.environ)) or "to be downloaded"
    found = f"official kubernetes plugin {version}"
    if attach.is_older(version, VERSION):
        fix = f"pulumi plugin install resource kubernetes v{VERSION}, or: export TURNOUT_PROVIDER=own"
        return Check("provider", "warning", f"{found} is older than {VERSION}, which turnout is tested with", fix)
    return Check("provider", "ok", found)


def _state(root: Path) -> Check:
    from cli.engine import environ

    url = environ.backend(root, dict(os.environ))
    if not url.startswith("file://"):
        return Check("state", "ok", f"kept at {url.partition('://')[0]}://…")
    folder = Path(url.removeprefix("file://").partition("?")[0]).expanduser()
    present = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(present, os.W_OK):
        return Check(
            "state",
            "wrong",
            f"{present} is not writable",
            "chown it, or choose another: PULUMI_BACKEND_URL=file://DIR",
        )
    return Check("state", "ok", f"kept in {folder}")


def _passphrase(root: Path) -> Check:
    from cli.engine import secrets

    secrets.passphrase(root, os.environ)
    return Check("passphrase", "ok", "there is one for the secrets")


def _rights(kube: Kube, environment: str) -> Check:
    wanted = rights(environment)
    allowed = at_once(lambda right: _allowed(kube, right), wanted)
    missing = [right for right, has in zip(wanted, allowed, strict=True) if not has]
    if missing:
        names = "; ".join(f"{right.name} (for {right.needed_by})" for right in missing)
        return Check("rights", "wrong", f"missing: {names}", "ask the cluster's administrator for them")
    return Check("rights", "ok", f"all {len(wanted)} that status, rollout and rollback need")


def _allowed(kube: Kube, right: Right) -> bool:
    import json

    from cli.kube.requests import Request

    resource, _, sub = right.resource.partition("/")
    attributes: dict[str, Any] = {"namespace": right.namespace, "verb": right.verb, "group": right.group}
    attributes |= {"resource": resource, "subresource": sub}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    body = json.dumps(review | {"spec": {"resourceAttributes": attributes}}).encode()
    answer = kube.request(Request("POST", _REVIEW, "ask for our rights", body=body)).json()
    return bool(answer["status"]["allowed"])


def _get(path: str) -> Any:
    from cli.kube.requests import Request

    return Request("GET", path, f"ask for {path}")
