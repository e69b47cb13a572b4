"""The resource graph of an environment, as the program asks for it: for policies, diffs of commits, tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cli.engine import values

JSON = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """The resource options that the program set; what it did not set is empty, false or None."""

    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str | tuple[tuple[str, str], ...], ...] = ()
    protect: bool | None = None
    retain_on_delete: bool | None = None
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    import_id: str = ""
    version: str = ""
    timeouts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Resource:
    """One registration. `inputs` have secrets as placeholders; `reveal()` gives them with the program's values."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: JSON
    dependencies: tuple[str, ...]
    property_dependencies: dict[str, tuple[str, ...]]
    provider: str
    options: Options
    read_id: str = ""
    secret_paths: tuple[str, ...] = ()
    _plain: JSON = field(default_factory=dict, repr=False, compare=False)

    def reveal(self) -> JSON:
        """The inputs with secrets in plain text. In a render the settings' secrets are placeholders."""
        return self._plain

    @property
    def kind(self) -> str:
        return self.type.rsplit(":", 1)[-1]

    @property
    def is_kubernetes(self) -> bool:
        return self.custom and self.type.startswith("kubernetes:")

    def to_json(self) -> JSON:
        return {
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "parent": self.parent,
            "custom": self.custom,
            "inputs": self.inputs,
            "dependencies": list(self.dependencies),
            "provider": self.provider,
            "options": {name: value for name, value in vars(self.options).items() if value},
        }


@dataclass(frozen=True)
class ResourceGraph:
    """Every registration of one render, in the program's order, and the stack's outputs (secrets as placeholders)."""

    environment: str
    resources: tuple[Resource, ...]
    outputs: JSON

    @cached_property
    def by_urn(self) -> dict[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)

    def named(self, name: str, kind: str = "") -> Resource:
        """The one resource of that Pulumi name (and kind). Raises KeyError for none, or more than one."""
        found = [entry for entry in self.resources if entry.name == name and kind in ("", entry.kind)]
        if len(found) != 1:
            raise KeyError(f"{len(found)} resources named {name} {kind}".strip())
        return found[0]

    def provider_of(self, resource: Resource) -> Resource | None:
        """The explicit provider resource; None when it is a default one."""
        return self.by_urn.get(resource.provider.rsplit("::", 1)[0])

    def to_json(self) -> JSON:
        return {
            "environment": self.environment,
            "resources": [resource.to_json() for resource in self.resources],
            "outputs": self.outputs,
        }


def reveal(value: Any) -> Any:
    """A wire value with its secrets unwrapped, at any depth."""
    if values.is_secret(value):
        return reveal(value.get("value"))
    if isinstance(value, dict):
        return {key: reveal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [reveal(entry) for entry in value]
    return value


def secret_paths(value: Any, path: values.Path = ()) -> list[str]:
    """Where the secrets are in a wire value, as property paths."""
    if values.is_secret(value):
        return [values.format_path(path)]
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, entry in entries for found in secret_paths(entry, (*path, key))]
