"""`turnout drift --adopt`: the settings file that says what is there now, tried in a render before it is offered."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.drift import adopting, choosing, differing, settings
from cli.drift.adopting import Edit, Unsaid
from cli.engine.model import ABSENT
from cli.errors import TurnoutError
from cli.provider.diff import same
from cli.report import plain

if TYPE_CHECKING:
    from cli.drift.looking import Looked
    from cli.drift.model import Report
    from cli.yamlfile import YamlFile

JSON = dict[str, Any]


@dataclass(frozen=True)
class Adoption:
    """The settings file with the edits, not yet saved."""

    file: YamlFile
    edits: tuple[Edit, ...]
    unsaid: tuple[Unsaid, ...]

    def lines(self) -> list[str]:
        """What is adopted by which setting, and what no setting says."""
        said = [
            f"{one.drifted.place} {one.field.path} → {one.key}{f'  ({one.note})' if one.note else ''}"
            for one in self.edits
        ]
        left = [f"not {one.drifted.place}{f' {one.field.path}' if one.field else ''}: {one.why}" for one in self.unsaid]
        return [plain.visible(line) for line in (*said, *left)]

    def to_json(self) -> JSON:
        rows = [
            {"setting": one.key, "address": one.drifted.place.address, "path": one.field.path} for one in self.edits
        ]
        return {"edits": rows, "unmapped": [one.to_json() for one in self.unsaid]}


def adoption(root: Path, report: Report, looked: Looked, addresses: Sequence[str]) -> Adoption:
    """What the settings have to say for the chosen drift to be what is declared.

    Each edit is tried: what the program makes of the edited settings has to be what is live.
    """
    found = [(one, looked.as_applied(one)) for one in choosing.chosen(report, addresses)]
    file = _file(root, report.environment)
    edits, unsaid = adopting.edits(found, file.document.get("config") or {})
    if not edits:
        return Adoption(file, (), tuple(unsaid))
    made = _rendered(root, report.environment, _written(root, report.environment, edits).text)
    kept = [one for one in edits if _comes_about(one, made)]
    lost = [Unsaid(one.drifted, one.field, f"{one.key} does not bring it about") for one in edits if one not in kept]
    return Adoption(_written(root, report.environment, kept), tuple(kept), (*unsaid, *lost))


def _file(root: Path, environment: str) -> YamlFile:
    from cli.yamlfile import YamlFile

    return YamlFile(settings.file_of(root, environment))


def _written(root: Path, environment: str, edits: Iterable[Edit]) -> YamlFile:
    from cli.yamlfile import put

    file = _file(root, environment)
    for one in edits:
        if one.value is ABSENT:
            _take_out(file.document["config"], one.path)
        else:
            put(file.document, ("config", *one.path), one.value)
    return file


def _take_out(place: Any, path: Sequence[str]) -> None:
    for step in path[:-1]:
        place = place.get(step) if isinstance(place, Mapping) else None
    if isinstance(place, dict):
        place.pop(path[-1], None)


def _rendered(root: Path, environment: str, text: str) -> list[JSON]:
    """The objects that the program makes of these settings. Raises TurnoutError for settings that are wrong."""
    from cli.engine.programs import load_program
    from cli.engine.render import render

    with tempfile.TemporaryDirectory(prefix="turnout-") as folder:
        place = Path(folder)
        (place / "Pulumi.yaml").write_text((root / "Pulumi.yaml").read_text())
        (place / f"Pulumi.{environment}.yaml").write_text(text)
        (place / "infra").symlink_to(root / "infra")
        try:
            graph = render(place, environment, program=load_program(root))
        except TurnoutError as error:
            error.what = f"the settings cannot say what is live: {error.what}"
            raise
    return [entry.inputs for entry in graph.resources if isinstance(entry.inputs.get("kind"), str)]


def _comes_about(one: Edit, made: Iterable[JSON]) -> bool:
    """Whether some object is as the live one in that field; tracks are rendered by their first letter."""
    place = one.drifted.place
    names = {place.name, f"{place.name[:-2]}-a"}
    for manifest in made:
        metadata = manifest.get("metadata") or {}
        fits = manifest["kind"] == place.kind and metadata.get("namespace", "") == place.namespace
        if fits and metadata.get("name") in names:
            return same(differing.look_up(manifest, one.field.steps), one.field.live)
    return False
