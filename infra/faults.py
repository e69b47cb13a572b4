"""What is wrong with a settings file: all of it at once, each fault with its place and the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from components.secret import Secret

Place = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong. `line` is 0 where there is no file to point at."""

    file: str
    line: int
    path: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.expected}" if self.path else f"{where}: {self.expected}"


class SettingsError(Exception):
    """Every fault of one environment's settings. Holds no secret's value."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """`; did you mean NAME?`, or the valid names where none is near."""
    names = sorted(valid)
    if near := difflib.get_close_matches(wrong, names, n=1, cutoff=0.5):
        return f"; did you mean {near[0]!r}?"
    return f"; valid are: {', '.join(names)}" if names else ""


def dotted(place: Sequence[str | int]) -> str:
    """`receivers[0].slack.key`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def expectation(error: ErrorDetails, model: type[BaseModel], environment: str) -> str:
    """What was expected instead, in words, without the value where that may be a secret."""
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"unknown key{nearest(str(place[-1]), fields_at(model, place[:-1]))}"
    secret = is_secret_place(model, place)
    if error["type"] == "missing":
        return f"a secret is required; run `turnout init {environment}`" if secret else "required, but missing"
    words = (
        error["msg"].removeprefix("Value error, ").replace("Input should", "should").replace("String should", "should")
    )
    return words if secret else f"{words}{_given(error['input'])}"


def fields_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The names that are valid at a place of the model."""
    return [name for found in _models_at(model, place) for name in _fields(found)]


def is_secret_place(model: type[BaseModel], place: Sequence[str | int]) -> bool:
    """Whether the leaf at `place` is a secret, or lies in what stands in a secret's place."""
    return any(_is_secret_leaf(model, place[: end + 1]) for end in range(len(place)))


def secret_leaves(model: type[BaseModel]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Each secret leaf's path (`*` for any key or index) and whether what it lies in needs it."""
    for name, field in _fields(model).items():
        for path, required in _secrets_in(field.annotation, field.is_required()):
            yield (name, *path), required


def _secrets_in(annotation: Any, required: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
    if annotation is Secret:
        yield (), required
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from secret_leaves(annotation)
    else:
        many = ("*",) if _is_many(annotation) else ()
        for inner in get_args(annotation):
            yield from (((*many, *path), needed) for path, needed in _secrets_in(inner, required))


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The model's fields by the names that a file uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _is_many(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) in (list, tuple, dict, Mapping)


def _is_secret_leaf(model: type[BaseModel], place: Sequence[str | int]) -> bool:
    if not place:
        return False
    for found in _models_at(model, place[:-1]):
        field = _fields(found).get(str(place[-1]))
        if field is not None and Secret in _flat(field.annotation):
            return True
    return False


def _models_at(model: type[BaseModel], place: Sequence[str | int]) -> list[type[BaseModel]]:
    annotations: list[Any] = [model]
    for part in place:
        annotations = [inner for annotation in annotations for inner in _step(annotation, part)]
    return [item for item in annotations if isinstance(item, type) and issubclass(item, BaseModel)]


def _step(annotation: Any, part: str | int) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = _fields(annotation).get(str(part))
        return _flat(field.annotation) if field else []
    return [inner for argument in get_args(annotation) for inner in _flat(argument)]


def _flat(annotation: Any) -> list[Any]:
    """The members of a union (or the annotation itself); containers stay whole."""
    if _is_many(annotation) or not get_args(annotation):
        return [annotation]
    return [inner for argument in get_args(annotation) for inner in _flat(argument)]


def _given(value: Any) -> str:
    return f", not {value!r}" if isinstance(value, str | int | float | bool) else ""
