"""The JSON Schema (2020-12) of `turnout preview --json`. `python -m cli.reference` writes it into `docs/schema`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from cli.engine.model import Effect, Mode, Operation
from cli.report.document import SCHEMA
from cli.review.model import Level

PATH = "docs/schema/preview.schema.json"

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}


def schema() -> dict[str, Any]:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:turnout:preview:{SCHEMA}",
        "title": "turnout preview --json",
        "description": "What an apply would change, for one environment or many, as a reviewer judges it.",
        **_document(),
        "$defs": {
            "environment": _environment(),
            "change": _change(),
            "field": _field(),
            "reason": _reason(),
            "blast": _blast(),
            "finding": _finding(),
            "diagnostic": _diagnostic(),
        },
    }


def _document() -> dict[str, Any]:
    return _object(
        schema=_said("Grows when a reader of the document before would misread it.", {"const": SCHEMA}),
        kind={"const": "preview"},
        risk=_said("The worst of all environments.", _one_of(Level)),
        refused=_said("Whether any environment's apply would be refused.", _FLAG),
        needs_approval=_said("Whether any environment's apply needs an approval.", _FLAG),
        environments=_list("environment"),
    )


def _environment() -> dict[str, Any]:
    return _object(
        environment=_TEXT,
        mode=_said("hermetic: two commits; state: the last state; live: the API server.", _one_of(Mode)),
        base=_said("What was compared with; empty where the mode says it.", _TEXT),
        head=_said("What was compared; empty where the mode says it.", _TEXT),
        changes=_list("change"),
        counts=_said("Resources by operation.", {**_map(_COUNT), "propertyNames": _one_of(Operation)}),
        resources=_said("How many resources the environment will have.", _COUNT),
        diagnostics=_list("diagnostic"),
        seconds=_said("How long the preview took.", _NUMBER),
        engine=_TEXT,
        provider=_TEXT,
        risk=_one_of(Level),
        refused=_FLAG,
        needs_approval=_FLAG,
        reasons=_said("Why it has its risk.", _list("reason")),
        blast={"$ref": "#/$defs/blast"},
        findings=_said("Rules of the policies that an object breaks.", _list("finding")),
        edges=_said("A resource's URN, and the URNs that it depends on.", _map(_TEXTS)),
        failed=_said("Why there is no plan; empty where there is one.", _TEXT),
    )


def _change() -> dict[str, Any]:
    return _object(
        urn=_TEXT,
        type=_said("Pulumi's type token.", _TEXT),
        name=_said("Pulumi's name of the resource.", _TEXT),
        component=_said("Its components, outermost first, joined by a slash; empty for none.", _TEXT),
        operation=_one_of(Operation),
        certain=_said("Whether it will happen; false: only the apply can tell.", _FLAG),
        renamed_from=_said("Its Pulumi name until now; empty for the same.", _TEXT),
        again=_said("Whether it was not ready when last looked at, or its run was cut off.", _FLAG),
        fields=_list("field"),
        effects={"type": "array", "items": _one_of(Effect)},
    )


def _field() -> dict[str, Any]:
    return _object(
        path=_said("Pulumi's property path.", _TEXT),
        before=_said("Not there: the field was not. A secret is `[secret]`.", {}),
        after=_said("Not there: the field will not be. A secret is `[secret]`.", {}),
        secret=_said("Whether its value is hidden.", _FLAG),
        certain=_FLAG,
        replaces=_said("Whether it makes the resource be replaced.", _FLAG),
        optional=("before", "after"),
    )


def _reason() -> dict[str, Any]:
    return _object(
        level=_one_of(Level),
        code=_said("Stable, for programs.", _TEXT),
        text=_said("For people.", _TEXT),
        urns=_said("The changes that it speaks of.", _TEXTS),
        approval=_said("Whether an approval is needed because of it.", _FLAG),
        refused=_said("Whether an apply is refused because of it.", _FLAG),
    )


def _blast() -> dict[str, Any]:
    amount = _object(before=_NUMBER, after=_NUMBER)
    return _object(
        pods_restarted=_COUNT,
        every_node=_said("Agents that restart on each node.", _TEXTS),
        services=_said("Services whose pods change.", _TEXTS),
        replaced=_TEXTS,
        deleted=_TEXTS,
        data_at_risk=_TEXTS,
        downtime=_said("What will be down, and why.", _TEXTS),
        security=_said("What differs in rights and reach.", _TEXTS),
        rollback=_said("Why a rollback will not be possible; empty when it will.", _TEXTS),
        capacity=_said("By name, in base units: cores, bytes, numbers.", _map(amount)),
    )


def _finding() -> dict[str, Any]:
    return _object(
        rule=_TEXT,
        level=_said("advisory or mandatory, at this environment's tier.", _TEXT),
        where=_TEXT,
        message=_TEXT,
        remedy=_TEXT,
        path=_TEXT,
        urn=_TEXT,
        excepted=_said("By whom, why and until when; empty for no exception.", _TEXT),
        new=_said("Whether the change under review brought it.", _FLAG),
        refuses=_FLAG,
    )


def _diagnostic() -> dict[str, Any]:
    return _object(severity={"enum": ["debug", "info", "warning", "error"]}, message=_TEXT, urn=_TEXT)


def _object(*, optional: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _map(entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": entry}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _one_of(names: type[StrEnum]) -> dict[str, Any]:
    return {"enum": [name.value for name in names]}


def _said(text: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "description": text}
