"""The environment variables that an engine process gets, and where its state is."""

from __future__ import annotations

import re
from pathlib import Path

from cli import paths

PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"
PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"
BACKEND = "PULUMI_BACKEND_URL"

# An engine process lives for seconds: collecting garbage less often is a tenth of its time. The caller's value wins.
_QUICK = {"GOGC": "400"}

# Nothing of the engine calls home, asks questions or looks for what it is given.
_QUIET = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_AUTOMATION_API": "true",
    "PULUMI_DEBUG_COMMANDS": "true",
    "PULUMI_SUPPRESS_NEO_LINK": "true",
    "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    "NO_COLOR": "1",
}


def variables(root: Path, environment: dict[str, str]) -> dict[str, str]:
    """The caller's own variables, with the backend and the passphrase of this project where the caller set none."""
    own = {BACKEND: _without_sidecars(backend(root, environment))}
    if PASSPHRASE not in environment and PASSPHRASE_FILE not in environment and passphrase_file(root).is_file():
        own[PASSPHRASE_FILE] = str(passphrase_file(root))
    if _needs_no_users_home(own[BACKEND], environment):
        own["PULUMI_HOME"] = str(home(root))
    return {**_QUICK, **environment, **_QUIET, **own}


def _without_sidecars(url: str) -> str:
    """A folder is written without a `.attrs` file beside each file: an engine that is ended while it writes one leaves
    it empty, and then no engine reads the state any more. Those that are there already do no harm."""
    if not url.startswith("file://") or "metadata=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}metadata=skip"


def home(root: Path) -> Path:
    """The engine's own home in the project, for runs that need neither the user's plugins nor their credentials.

    A file stands where its debug log would go: writing that log takes 40 % of the engine's time.
    """
    folder = paths.work_dir(root) / "pulumi"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "logs").exists():
        (folder / "logs").write_text("")
    return folder


def backend(root: Path, environment: dict[str, str]) -> str:
    """Where state is kept: the caller's choice, the project's, else a folder of the project."""
    return environment.get(BACKEND) or _of_project(root) or f"file://{state_folder(root)}"


def state_folder(root: Path) -> Path:
    return paths.work_dir(root) / "state"


def passphrase_file(root: Path) -> Path:
    """The project's own passphrase, written by `turnout init` when the caller has none (mode 0600)."""
    return paths.work_dir(root) / "passphrase"


def stack_file(root: Path, environment: dict[str, str], project: str, stack: str) -> Path | None:
    """Where a file backend keeps this stack; None for any other backend."""
    url = backend(root, environment)
    if not url.startswith("file://"):
        return None
    folder = Path(url.removeprefix("file://").partition("?")[0]).expanduser()
    return folder / ".pulumi" / "stacks" / project / f"{stack}.json"


def project_name(root: Path) -> str:
    """The name in Pulumi.yaml."""
    found = re.search(r"^name:\s*[\"']?([\w.-]+)", (root / "Pulumi.yaml").read_text(), re.MULTILINE)
    return found[1] if found else root.name


def _of_project(root: Path) -> str:
    text = (root / "Pulumi.yaml").read_text()
    found = re.search(r"^backend:.*\n(?:\s*#.*\n|\s*\n)*\s+url:\s*[\"']?([^\s\"']+)", text, re.MULTILINE)
    return found[1] if found else ""


def _needs_no_users_home(backend_url: str, environment: dict[str, str]) -> bool:
    from cli.engine import attach

    given = "PULUMI_HOME" in environment or backend_url.startswith(("https://", "http://"))
    return not given and attach.choose(environment) == "own"
