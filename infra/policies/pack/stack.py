"""One stack as the engine tells of it, and what the rules say about its resources. Knows no gRPC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from pulumi.runtime import rpc

from infra import policed
from infra.faults import SettingsError
from infra.model import Settings, tier_of
from infra.policies import RULES, Broken, Judgement, Level, judge, levels
from infra.policies.world import World
from infra.reading import HIDDEN
from infra.settings import load

PROJECT: Final = "turnout"
ROOT: Final = Path(__file__).resolve().parents[3]
_KUBERNETES: Final = "kubernetes:"
_SECRET, _UNKNOWN = HIDDEN


@dataclass(frozen=True)
class Resource:
    """One registration. `inputs`: as the engine sends them, secrets and unknowns in their envelopes."""

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Told:
    """A broken rule, and the resource that breaks it."""

    broken: Broken
    urn: str


@dataclass(frozen=True)
class Stack:
    """Which stack of which project is looked at. `set_levels`: what the pack's own configuration asks for.

    A stack of another project has no settings of ours: it is held to the tier of its name, else to prod's.
    """

    project: str = ""
    name: str = ""
    set_levels: Mapping[str, Level] = field(default_factory=dict)

    def levels(self) -> dict[str, Level]:
        settings = self._settings()
        weights = policed.weights(settings) if settings else levels(self._tier, {})
        return weights | dict(self.set_levels)

    def told(self, resources: Iterable[Resource], today: date) -> list[Told]:
        """What is broken and not excepted. Raises SettingsError where the stack's settings cannot be read."""
        made = {each.urn: shown(each.inputs) for each in resources if _is_object(each.type)}
        urns = {place: urn for urn, inputs in made.items() for place in _places(inputs)}
        found = self._judged(made.values(), today).broken
        return [Told(each, urns.get(each.where, "")) for each in found if not each.excepted]

    def _judged(self, objects: Iterable[dict[str, Any]], today: date) -> Judgement:
        settings = self._settings()
        return judge(objects, self.levels(), policed.exceptions(settings) if settings else (), today)

    def _settings(self) -> Settings | None:
        if self.project != PROJECT:
            return None
        try:
            return load(ROOT / f"Pulumi.{self.name}.yaml", self.name, placeholders=True)
        except SettingsError:
            if (ROOT / f"Pulumi.{self.name}.yaml").exists():
                raise
            return None

    @property
    def _tier(self) -> str:
        known = self.project == PROJECT or self.name in ("dev", "staging")
        return tier_of({}, self.name) if known else "prod"


def described() -> Iterator[dict[str, Any]]:
    """Every rule as the engine lists it."""
    for rule in RULES:
        yield {
            "name": rule.id,
            "displayName": rule.id.replace("-", " ").capitalize(),
            "description": f"{rule.why[:1].upper()}{rule.why[1:]}.",
            "remediation_steps": rule.remedy,
            "tags": [str(each) for each in rule.supports],
        }


def shown(value: Any) -> Any:
    """An input with what is secret or unknown as placeholders, at any depth."""
    if isinstance(value, Mapping):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return _SECRET
        return {key: shown(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shown(entry) for entry in value]
    return _UNKNOWN if value == rpc.UNKNOWN else value


def _is_object(token: str) -> bool:
    """A Patch speaks of fields of an object that somebody else declares."""
    return token.startswith(_KUBERNETES) and not token.endswith("Patch")


def _places(inputs: dict[str, Any]) -> Iterator[str]:
    return (each.place for each in World([inputs]).everything())
