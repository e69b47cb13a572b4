"""The demo's own copy of the settings, so that the checkout stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.yamlfile import YamlFile

ENVIRONMENT = "dev"
SETTINGS = f"Pulumi.{ENVIRONMENT}.yaml"
SANDBOX = "demo"
"""A sandbox of its own: one that is in use for anything else is never touched."""

OLD, NEW = "1.0.0", "1.1.0"

Document = dict[str, Any]

PROGRAM = ("infra", ".venv")
"""What Pulumi.yaml names, shared with the checkout."""

UNPROTECTED = {"env": {"DRAIN": "off"}, "drain": {"pause": 0, "longest_request": 0}}
"""Takes out what keeps a rollout from losing requests: the preStop sleep, and the app's drain."""


class Project:
    """A folder with Pulumi.yaml and the settings files. Its secrets outlive a fresh copy, as its state does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def state(self) -> Path:
        """What the engine remembers."""
        return self.folder / ".turnout"

    def copy_from(self, checkout: Path) -> None:
        """Take the checkout's settings, and keep the secrets that were generated for this copy before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        known = self._read() if (self.folder / SETTINGS).exists() else {}
        for file in checkout.glob("Pulumi*.yaml"):
            shutil.copy(file, self.folder / file.name)
        for program in PROGRAM:
            link(self.folder / program, checkout / program)
        self.edit(lambda fresh: keep_secrets(fresh, known))
        self.edit(lambda fresh: fresh["config"].update({"turnout:cluster": {"sandbox": SANDBOX}}))

    def forget(self) -> None:
        """Drop the state and the secrets: the cluster that they belong to is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def release(self, version: str, *, protected: bool = True) -> None:
        """Describe this version of the app."""
        self.edit(lambda document: describe(document, version, protected=protected))

    def edit(self, change: Callable[[Document], None]) -> None:
        """Change the settings file, comments kept."""
        settings = YamlFile(self.folder / SETTINGS)
        change(settings.document)
        settings.save()

    def _read(self) -> Document:
        document: Document = YamlFile(self.folder / SETTINGS).document
        return document


def link(place: Path, to: Path) -> None:
    """Have a symbolic link at `place`."""
    if not place.is_symlink():
        place.symlink_to(to)


def describe(document: Document, version: str, *, protected: bool) -> None:
    """Set the app's version, and whether its service `api` is protected in a rollout."""
    app = document["config"]["turnout:app"]
    app["version"] = version
    for key, value in UNPROTECTED.items():
        if protected:
            app["services"]["api"].pop(key, None)
        else:
            app["services"]["api"][key] = value


def keep_secrets(fresh: Document, known: Document) -> None:
    """Carry over how secrets are encrypted, and every secret that the fresh document does not hold itself."""
    for key in ("encryptionsalt", "secretsprovider", "encryptedkey"):
        if key in known:
            fresh.setdefault(key, known[key])
    _carry(fresh.setdefault("config", {}), known.get("config", {}))


def _carry(fresh: Document, known: Document) -> None:
    for key, value in known.items():
        if not isinstance(value, dict):
            continue
        if set(value) == {"secure"}:
            fresh.setdefault(key, value)
        elif _holds_secrets(value):
            _carry(fresh.setdefault(key, {}), value)


def _holds_secrets(value: Any) -> bool:
    return isinstance(value, dict) and ("secure" in value or any(map(_holds_secrets, value.values())))
