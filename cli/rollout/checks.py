"""What `turnout doctor` looks at: each check says what it found, and how to mend what is amiss. Nothing is changed."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cli import paths
from cli.errors import TurnoutError
from cli.rollout import identity, where
from cli.rollout.rights import possible

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.rights import Right

Verdict = Literal["ok", "warning", "wrong"]
_SOON = timedelta(days=30)
_GIB = 1 << 30
_DISK = 5 * _GIB


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `fix`: the command or the edit that mends it."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        return vars(self)


def machine() -> list[Check]:
    """This machine, whatever the environment."""
    return [guarded(name, look) for name, look in (("python", _python), ("sandbox", _sandbox), ("disk", _disk))]


def project(root: Path, environment: str) -> list[Check]:
    """The checkout: what the engine, its provider, its state and the settings need."""
    settings = guarded("settings", lambda: _settings(root, environment))
    readable = settings.verdict != "wrong" or _lacks_only_secrets(settings)
    return [
        settings,
        *(_of_the_program(root, environment) if readable else []),
        guarded("engine", _engine),
        guarded("provider", _provider),
        guarded("state", lambda: _state(root)),
        guarded("passphrase", lambda: _passphrase(root)),
    ]


def _of_the_program(root: Path, environment: str) -> list[Check]:
    return [
        guarded("traps", lambda: _traps(root, environment)),
        guarded("policies", lambda: _policies(root, environment)),
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
        yield guarded("rights", lambda: rights(possible(kube, environment), environment))
        yield guarded("notify", lambda: _notify(kube, environment))


def rights(found: Mapping[str, Sequence[Right]], environment: str) -> Check:
    """What the rights that we lack for each command come to. No right to look at all is a fault; less is a role."""
    from cli.rollout.rights import advice

    able = [command for command, lacking in found.items() if not lacking]
    if len(able) == len(found):
        return Check("rights", "ok", f"enough for all {len(able)} commands")
    command, lacking = next((command, lacking) for command, lacking in found.items() if lacking)
    unable = ", ".join(command for command, lacking in found.items() if lacking)
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    said = f"enough for {', '.join(able) or 'no command'}; not for {unable}: {command} needs {lacking[0]}{more}"
    return Check("rights", "warning" if able else "wrong", said, advice(lacking[0], environment))


def _notify(kube: Kube, environment: str) -> Check:
    """Whom notifications reach; an address is never shown."""
    from cli.kube.errors import Forbidden
    from cli.rollout import notify

    try:
        strange, known = notify.understood(kube, environment)
    except Forbidden:
        return Check("notify", "ok", "whom it tells is not for us to see")
    if strange:
        fix = f"write its address again: pulumi config set --secret --path 'turnout:rollout.notify.{strange[0]}.url'"
        return Check("notify", "warning", f"Apprise does not understand the address of {', '.join(strange)}", fix)
    return Check("notify", "ok", f"it tells {', '.join(known) or 'nobody'}")


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
    return Check("settings", "ok", f"{file.name} is valid; whether it is consistent: turnout validate {environment}")


def _lacks_only_secrets(settings: Check) -> bool:
    return settings.fix.startswith("turnout init")


def _traps(root: Path, environment: str) -> Check:
    from cli.rollout import traps

    found = traps.rendered(root, environment)
    if found:
        return Check("traps", "warning", "\n".join(traps.told(found)), f"edit Pulumi.{environment}.yaml")
    return Check("traps", "ok", "a rollout of these settings loses nothing that is known to get lost")


def _policies(root: Path, environment: str) -> Check:
    from cli.review import policy_report

    kept = policy_report.of(root, environment)
    report = f"turnout policy report {environment}"
    if kept.failed:
        return Check("policies", "wrong", kept.failed, report)
    if refusing := sum(finding.refuses for finding in kept.findings):
        return Check("policies", "wrong", f"{refusing} findings refuse an apply", report)
    if told := [finding for finding in kept.findings if not finding.excepted]:
        return Check("policies", "warning", f"{told[0].rule}: {told[0].where}: {told[0].message}", report)
    if ending := kept.ending(_SOON):
        said = f"the exception {ending.name} ends on {ending.expires:%Y-%m-%d}, and {ending.rule} holds again"
        return Check("policies", "warning", said, f"mend {ending.where}, or agree on a later date")
    return Check("policies", "ok", f"all {len(kept.tallies)} are kept")


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


def _get(path: str) -> Any:
    from cli.kube.requests import Request

    return Request("GET", path, f"ask for {path}")
