"""A synthetic environment's own small project, in a folder with its own state and passphrase."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from cli.engine import environ
from tests.bench.drive import STACK
from tests.bench.program import Shape, objects

_PROJECT = """\
name: bench
runtime:
  name: python
  options:
    virtualenv: .venv
main: infra
"""
_SETTINGS = """\
config:
  bench:namespace: {namespace}
  bench:triples: "{triples}"
  bench:plain: "{plain}"
"""
_FIND = "import sys\n\nsys.path.insert(0, {root!r})\nfrom tests.bench.program import program\n"


def write(folder: Path, shape: Shape, checkout: Path) -> None:
    """Everything that `turnout`, plain `pulumi` and kubectl need to do the same."""
    program = folder / "infra"
    program.mkdir(parents=True, exist_ok=True)
    (program / "__init__.py").write_text("")
    (program / "program.py").write_text(_FIND.format(root=str(checkout)))
    (program / "__main__.py").write_text(_FIND.format(root=str(checkout)) + "\nprogram()\n")
    if not (folder / ".venv").is_symlink():
        (folder / ".venv").symlink_to(checkout / ".venv")
    (folder / "Pulumi.yaml").write_text(_PROJECT)
    (folder / f"Pulumi.{STACK}.yaml").write_text(_SETTINGS.format(**asdict(shape)))
    (folder / "objects.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects(shape)}))
    secret = environ.passphrase_file(folder)
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("bench\n")
