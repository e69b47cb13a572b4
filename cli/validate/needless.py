"""Settings that say nothing: what the tier's default says already, and what every environment says alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from cli.validate.model import Finding, Level
from cli.validate.project import Environment, Project
from infra import sealed
from infra.document import encrypted
from infra.faults import Place, fields_at
from infra.model import Settings, completed, tier_of

_EACH_HAS_ITS_OWN: Final = frozenset({("app", "image"), ("app", "version"), ("app", "digest"), ("cluster",)})
"""What belongs to one environment even where another has the same: which release it runs, and where."""


def check(project: Project) -> Iterator[Finding]:
    needless = {each.name: frozenset(_needless(each)) for each in project.valid}
    for environment in project.valid:
        for place in sorted(needless[environment.name], key=environment.read.line):
            yield _default(environment, place)
    yield from _alike(project, needless)


def leaves(value: Any, place: Place, *, whole_lists: bool = True) -> Iterator[tuple[Place, Any]]:
    """Every setting under a place. A list is one setting (or one for each entry), an empty mapping is one too."""
    if isinstance(value, Mapping) and value and not encrypted(value):
        for key, entry in value.items():
            yield from leaves(entry, (*place, key), whole_lists=whole_lists)
    elif isinstance(value, list) and not whole_lists:
        for at, entry in enumerate(value):
            yield from leaves(entry, (*place, at), whole_lists=False)
    elif len(place) > 1:
        yield place, value


def _needless(environment: Environment) -> Iterator[Place]:
    for section in environment.sections:
        whole = _section(environment, environment.opened, section)
        for place, value in leaves(environment.sections[section], (section,)):
            if not encrypted(value) and _section(environment, _without(environment.opened, place), section) == whole:
                yield place


def _section(environment: Environment, given: Mapping[str, Any], section: str) -> dict[str, Any] | None:
    """What one section comes to, with all defaults; None where it would be refused."""
    content = sealed.spared(completed(given, environment.name))[section]
    try:
        tier = tier_of(given, environment.name)
        return _model(section).model_validate(content, context={"tier": tier}).model_dump()
    except ValidationError:
        return None


def _model(section: str) -> type[BaseModel]:
    found = next(field.annotation for name, field in Settings.model_fields.items() if (field.alias or name) == section)
    assert isinstance(found, type) and issubclass(found, BaseModel)
    return found


def _without(sections: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The same without what lies at a place; what it lay in stays, be it empty."""
    step, rest = place[0], place[1:]
    if not rest:
        return {str(key): value for key, value in sections.items() if key != step}
    return {str(key): _without(value, rest) if key == step else value for key, value in sections.items()}


def _default(environment: Environment, place: Place) -> Finding:
    where = environment.at(*place)
    tier = tier_of(environment.sections, environment.name)
    message = f"{_text(environment.value(*place))} is the default of tier {tier} already"
    return environment.finding("needless", Level.WARNING, where, message, "take the line out")


def _alike(project: Project, needless: Mapping[str, frozenset[Place]]) -> Iterator[Finding]:
    """Only where a default has a home: what people name themselves (services, receivers) has none."""
    environments = project.valid
    if len(environments) < 2:
        return
    first = environments[0]
    for section in first.sections:
        for place, value in leaves(first.sections[section], (section,)):
            if _has_a_default(place) and all(_says_too(each, needless, place, value) for each in environments):
                yield _everywhere(environments, place, value)


def _says_too(environment: Environment, needless: Mapping[str, frozenset[Place]], place: Place, value: Any) -> bool:
    same = environment.says(*place) and environment.value(*place) == value
    return same and not encrypted(value) and place not in needless[environment.name]


def _has_a_default(place: Place) -> bool:
    if any(place[: len(own)] == own for own in _EACH_HAS_ITS_OWN):
        return False
    return all(str(step) in fields_at(Settings, place[:at]) for at, step in enumerate(place))


def _everywhere(environments: list[Environment], place: Place, value: Any) -> Finding:
    places = tuple(each.at(*place) for each in environments)
    home = _model(str(place[0])).__module__.replace(".", "/") + ".py"
    remedy = f"make it the default (`defaults` in {home}), and take the lines out"
    return Finding("same-everywhere", Level.WARNING, places, f"every environment says {_text(value)}", remedy)


def _text(value: Any) -> str:
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{said}`" if len(said) <= 40 else f"`{said[:39]}…`"
