"""docs/settings.md from the settings model: every key, its type, its default in each tier, its meaning."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components.environment import TIERS
from components.secret import Secret
from infra.cluster import defaults as cluster_defaults
from infra.model import SECTIONS, Settings

HEAD = """\
# Settings

Written from the settings model by `python -m cli.reference`; do not edit.

`Pulumi.<env>.yaml` is the only place where an environment is described. Each section below is one key under `config:`.
A file says only what differs from the defaults of its tier (dev, staging or prod: by default the environment's name).
An unknown key is an error that names the file, the line and the nearest valid key.

Sizes are written as in Kubernetes (`512Mi`, `2Gi`), durations as in Prometheus (`30s`, `15d`), `cpu` in thousandths of
a core. *required* inside a part that may be left out means: once that part is given. `NAME` stands for a name that you
choose, `[]` for every entry of a list. A *secret* is never written in plain: `turnout init ENV` generates the required
ones, `pulumi config set --secret --path 'turnout:SECTION.key'` sets any.
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for name in SECTIONS:
        lines += [f"## turnout:{name}\n", *_section(name), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(name: str) -> Iterator[str]:
    model = next(field.annotation for key, field in Settings.model_fields.items() if (field.alias or key) == name)
    assert isinstance(model, type) and issubclass(model, BaseModel)
    if said := _own_doc(model):
        yield said + "\n"
    yield "| Key | Type | dev | staging | prod | Meaning |"
    yield "|---|---|---|---|---|---|"
    tiers = [cluster_defaults(tier) if name == "cluster" else SECTIONS[name](tier) for tier in TIERS]
    for path, field, meaning in _leaves(model, ()):
        kind = _kind(field)
        defaults = [_shown(_default(tier, path, field), kind) for tier in tiers]
        row = [f"`{_path(path)}`", kind, *defaults, meaning]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _leaves(model: type[BaseModel], under: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FieldInfo, str]]:
    meanings = _meanings(model)
    for key, field in model.model_fields.items():
        path = (*under, field.alias or key)
        inner, step = _inner(field.annotation)
        if inner is None:
            yield path, field, field.description or meanings.get(key, "")
        else:
            yield from _leaves(inner, (*path, *step))


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, tuple[str, ...]]:
    """The model that a field holds, and what stands between its key and the model's keys."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ()
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _inner(inner[0])
    if origin in (Union, types.UnionType):
        return next((found for one in inner if (found := _inner(one))[0]), (None, ()))
    if origin is dict:
        return _inner(inner[1])[0], ("NAME",)
    if origin in (tuple, list):
        return _inner(inner[0])[0], ("[]",)
    return None, ()


def _kind(field: FieldInfo) -> str:
    return _validated(field.metadata) or type_text(field.annotation)


def _validated(metadata: Any) -> str:
    """What a validator makes of a plain number or text."""
    said = repr(metadata)
    return "size" if "mebibytes" in said else "duration" if "_duration" in said else ""


def type_text(annotation: Any) -> str:
    """A type in words that a person who writes YAML knows."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _validated(inner) or type_text(inner[0])
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(one) for one in inner if one is not type(None))
    if origin is dict:
        return "mapping"
    if origin in (tuple, list):
        return f"list of {type_text(inner[0])}"
    return {bool: "true or false", int: "number", float: "number", str: "text", Secret: "*secret*"}.get(
        annotation, "text"
    )


def _default(tier: Mapping[str, Any], path: tuple[str, ...], field: FieldInfo) -> Any:
    found: Any = tier
    for key in path:
        if not isinstance(found, Mapping):
            break
        found = found.get("*" if key == "NAME" else key, _NOTHING)
    if found is not _NOTHING and (not isinstance(found, Mapping) or type_text(field.annotation) == "mapping"):
        return found
    if field.is_required():
        return _NOTHING
    return field.get_default(call_default_factory=True)


_NOTHING: Any = object()


def _shown(value: Any, kind: str) -> str:
    if value is _NOTHING:
        return "required"
    if value is None or value in ((), [], {}, ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | list):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, Mapping):
        return ", ".join(f"`{key}: {said}`" for key, said in value.items())
    return f"`{value}Mi`" if kind == "size" and isinstance(value, int) else f"`{value}`"


def _path(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(".[]", "[]")


@cache
def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """What stands as a text below each field, base classes' fields included."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _documented(one)
    return found


def _documented(model: type) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            said = ast.literal_eval(below.value) if isinstance(below.value, ast.Constant) else ""
            found[field.target.id] = " ".join(str(said).split())
    return found


def _own_doc(model: type[BaseModel]) -> str:
    module = inspect.getmodule(model)
    texts = [model.__doc__ or "", (module and module.__doc__) or ""]
    said = next((text for text in texts if text.startswith("`turnout:")), texts[0]).split("\n\n")[0]
    said = said.partition(": ")[2] if said.startswith("`turnout:") else said
    return " ".join((said[:1].upper() + said[1:]).split())
