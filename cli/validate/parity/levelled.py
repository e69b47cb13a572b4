"""Environments as they would be at another one's tier, on its cluster, with its release.

What then still differs from it is what their own files say; what no longer differs, the tiers had brought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from cli.validate.project import Environment
from infra.document import PROJECT

_RELEASE: Final = ("image", "version", "digest")
_PROGRAM: Final = ("infra", "components")


@contextmanager
def folder(root: Path, first: Environment, others: Sequence[Environment]) -> Iterator[Path]:
    """A project of the same program with the files of the others, changed so. It is gone afterwards."""
    with TemporaryDirectory(prefix="turnout-parity-") as made:
        place = Path(made)
        for name in _PROGRAM:
            (place / name).symlink_to(root / name)
        (place / "Pulumi.yaml").write_text((root / "Pulumi.yaml").read_text(encoding="utf-8"))
        for other in others:
            _write(place / other.file, levelled(other.sections, first))
        yield place


def levelled(sections: Mapping[str, Any], first: Environment) -> dict[str, Any]:
    """Sections with the first one's tier, cluster and release."""
    assert first.settings is not None
    own = first.sections.get("app") or {}
    app = {key: value for key, value in (sections.get("app") or {}).items() if key not in _RELEASE}
    release = {key: own[key] for key in _RELEASE if key in own}
    cluster = {**(first.sections.get("cluster") or {}), "tier": first.settings.tier}
    return {**sections, "cluster": cluster, "app": {**release, **app}}


def _write(file: Path, sections: Mapping[str, Any]) -> None:
    from ruamel.yaml import YAML

    config = {f"{PROJECT}:{name}": content for name, content in sections.items()}
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump({"config": config}, stream)
