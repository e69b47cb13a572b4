"""Makes the virtual environment of a fresh checkout from the hash-locked requirements; needs only the standard library.

`python3 cli/bootstrap.py [FOLDER]`, called by the Makefile. On Debian, root gets a missing `python3-venv` installed.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(folder: Path) -> None:
    """Create `folder` as a virtual environment with everything locked and turnout itself, editable."""
    _check_python()
    _ensure_venv_module()
    _say(f"making {folder} (about a minute the first time)")
    venv.create(folder, with_pip=True, symlinks=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")])
    _run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    _compile()


def _check_python() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (an older Python gets this far)
        sys.exit(f"turnout needs Python 3.11 or later, this is {sys.version.split()[0]}; next: make PYTHON=python3.12")


def _ensure_venv_module() -> None:
    if importlib.util.find_spec("ensurepip"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _say("installing python3-venv")
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "install", "-y", "-qq", "python3-venv"])
        return
    sys.exit("Python's venv module is missing; next: install it (Debian: apt-get install python3-venv)")


def _compile() -> None:
    """Halves the start of every command where PYTHONDONTWRITEBYTECODE is set; pip compiles the libraries itself."""
    for package in ("cli", "infra", "components"):
        compileall.compile_dir(ROOT / package, quiet=1)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(f"failed (exit {done.returncode}): {' '.join(command)}")


def _say(text: str) -> None:
    sys.stderr.write(f"turnout: {text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".venv"))
