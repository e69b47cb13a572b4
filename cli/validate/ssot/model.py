"""SSOT_LOCK.yml: the one agreed source of every kind of setting, and what a second definition of it looks like."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

FILE: Final = "SSOT_LOCK.yml"
Kind = Literal["deployment", "configuration", "secrets", "monitoring", "logging", "operations"]


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]
Spot = Annotated[str, Field(pattern=r"^[^#\s][^#]*(#.+)?$")]
"""`FILE` or `FILE#WHERE`: in Python a name (`Class.field`), in YAML a key (`config.turnout:app`), else a text."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Look(Strict):
    """Something that would be a second definition. `files` and `but` are globs from the project's root."""

    files: tuple[str, ...] = Field(alias="in", min_length=1)
    but: tuple[str, ...] = ()


class YamlKey(Look):
    """A key of a YAML or JSON file, by its dotted path; entries of lists are numbers."""

    look: Literal["yaml-key"]
    key: Pattern
    value: Pattern = ""
    beside: tuple[str, ...] = ()
    """Other keys that the same mapping must have."""


class PythonName(Look):
    """An assignment in a module or class."""

    look: Literal["python-name"]
    name: Pattern = ""
    value: Pattern = ""


class PythonText(Look):
    """A text in code, docstrings aside; `{}` stands for every value that an f-string puts in."""

    look: Literal["python-text"]
    text: Pattern


class PythonArgument(Look):
    """A named argument of a call, or a key of a dict, with a literal value."""

    look: Literal["python-argument"]
    name: Pattern
    value: Pattern = ""


class PythonCall(Look):
    """A call with a literal as its first argument."""

    look: Literal["python-call"]
    function: Pattern
    value: Pattern = ""


class PythonKeys(Look):
    """A dict that has all of these keys."""

    look: Literal["python-keys"]
    keys: tuple[str, ...] = Field(min_length=1)


class PythonEnvironment(Look):
    """A variable of the process's environment that is read."""

    look: Literal["python-environment"]
    name: Pattern = ""


class Text(Look):
    """A line of any text file."""

    look: Literal["text"]
    pattern: Pattern


class AFile(Look):
    """That such a file exists at all."""

    look: Literal["file"]


class CopyOf(Look):
    """A value of the source, written out again in any text file."""

    look: Literal["copy-of"]
    value: Pattern
    """What is looked for in the source; its first group, or the whole."""


class Generated(Look):
    """A page that is written from the source, and differs from what would be written now."""

    look: Literal["generated"]
    by: str = Field(pattern=r"^[\w.]+:\w+$")
    """`module:function`, which answers file name to text."""


AnyLook = Annotated[
    YamlKey
    | PythonName
    | PythonText
    | PythonArgument
    | PythonCall
    | PythonKeys
    | PythonEnvironment
    | Text
    | AFile
    | CopyOf
    | Generated,
    Field(discriminator="look"),
]


class Copy(Strict):
    """A second definition that was agreed to."""

    at: Spot
    reason: str = Field(min_length=10)
    owner: str = Field(min_length=1)
    since: date
    held_by: str | None = None
    """The test that fails when the two differ."""


class Moved(Strict):
    """That the source was once elsewhere."""

    from_: Spot = Field(alias="from")
    reason: str = Field(min_length=10)
    owner: str = Field(min_length=1)
    on: date


class Fact(Strict):
    """One kind of setting, its source, and what would define it a second time."""

    what: str = Field(min_length=1)
    source: tuple[Spot, ...] = ()
    once: bool = False
    """Whether each value found may stand in one place, wherever that is, instead of in the source alone."""
    second: tuple[AnyLook, ...] = Field(min_length=1)
    remedy: str = ""
    copies: tuple[Copy, ...] = ()
    moved: tuple[Moved, ...] = ()

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if not self.source and not self.once:
            raise ValueError("source: required unless `once`")
        return self


class Lock(Strict):
    """The whole file."""

    schema_: Literal[1] = Field(alias="schema")
    skip: tuple[str, ...] = ()
    """Globs of files that define nothing: tests, pages written from the code."""
    facts: dict[
        Literal["deployment", "configuration", "secrets", "monitoring", "logging", "operations"], dict[str, Fact]
    ]

    def all(self) -> dict[str, Fact]:
        """Every fact by its name."""
        return {name: fact for facts in self.facts.values() for name, fact in facts.items()}

    @model_validator(mode="before")
    @classmethod
    def _names_once(cls, data: Any) -> Any:
        names = [name for facts in (data.get("facts") or {}).values() for name in facts or {}]
        if len(set(names)) < len(names):
            raise ValueError("two facts have one name")
        return data
