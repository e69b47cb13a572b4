"""A resource graph as JSON between two processes of turnout, with the placeholders that stand for secrets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cli.engine import values
from cli.engine.graph import Options, Resource, ResourceGraph
from cli.engine.model import SECRET
from cli.provider import paths

JSON = dict[str, Any]


def pack(graph: ResourceGraph) -> JSON:
    """The graph as JSON data."""
    return {
        "environment": graph.environment,
        "resources": [_packed(resource) for resource in graph],
        "outputs": graph.outputs,
    }


def unpack(data: JSON) -> ResourceGraph:
    """What `pack` gave."""
    return ResourceGraph(data["environment"], tuple(map(_unpacked, data["resources"])), data["outputs"])


def _packed(resource: Resource) -> JSON:
    left_out = ("inputs", "options", "_plain")
    kept = {name: value for name, value in vars(resource).items() if name not in left_out}
    return {**kept, "plain": resource.reveal(), "options": asdict(resource.options)}


def _unpacked(data: JSON) -> Resource:
    plain, options = data.pop("plain"), data.pop("options")
    secret = tuple(data.pop("secret_paths"))
    return Resource(
        **{
            **data,
            "dependencies": tuple(data["dependencies"]),
            "property_dependencies": {key: tuple(urns) for key, urns in data["property_dependencies"].items()},
        },
        inputs=sealed(plain, secret),
        options=Options(**{name: _frozen(value) for name, value in options.items()}),
        secret_paths=secret,
        _plain=plain,
    )


def sealed(plain: JSON, secret_paths: tuple[str, ...]) -> JSON:
    """The values as they are shown: secrets and unknowns as placeholders."""
    for path in secret_paths:
        plain = paths.put(plain, values.parse_path(path), SECRET)
    shown: JSON = values.shown(plain)
    return shown


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
