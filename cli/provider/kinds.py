"""Which kinds the provider serves, and which it refuses by name with the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cli.errors import TurnoutError
from cli.kube.kinds import BUILT_IN, scope

PREFIX = "kubernetes:"
WAY_OUT = "install the official plugin (pulumi plugin install resource kubernetes) and set TURNOUT_PROVIDER=official"


@dataclass(frozen=True)
class Type:
    """What a Pulumi type token says: `kubernetes:apps/v1:Deployment`.

    A `patch` (`kubernetes:apps/v1:DeploymentPatch`) owns some fields of an object that others made.
    """

    api_version: str
    kind: str
    patch: bool = False


def of_urn(urn: str, asked: object = None) -> Type:
    """The type in a URN; `asked` is the `kind` among the resource's own properties, where it has one.

    A custom kind's Patch is told by that alone. Raises TurnoutError for what this provider refuses.
    """
    type_ = of_token(urn.split("::")[2].rpartition("$")[2])
    if isinstance(asked, str) and f"{asked}Patch" == type_.kind:
        return Type(type_.api_version, asked, True)
    return type_


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def of_token(token: str) -> Type:
    _, module, kind = [*token.split(":"), "", ""][:3]
    if _refusal(token, module, kind):
        raise refused(token)
    version = module.removeprefix("core/")
    base = kind.removesuffix("Patch")
    return Type(version, base, True) if base != kind and (version, base) in BUILT_IN else Type(version, kind)


def token(api_version: str, kind: str) -> str:
    """The type token of a kind."""
    return f"{PREFIX}{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def refused(token: str) -> TurnoutError:
    """The error for a component or a function that this provider does not have."""
    _, module, kind = [*token.split(":"), "", ""][:3]
    why = _refusal(token, module, kind)
    return TurnoutError(f"turnout's kubernetes provider does not serve {token}", why=why, next=WAY_OUT)


def _refusal(token: str, module: str, kind: str) -> str:
    if module.startswith("helm.sh/") or module == "helm":
        return "it has no Helm: render the chart to manifests (helm template) and bring them in as YAML"
    if module.startswith("kustomize"):
        return "it has no Kustomize: render to manifests (kubectl kustomize) and bring them in as YAML"
    if not token.startswith(PREFIX) or "/" not in module or module.startswith("yaml/"):
        return "it is not a Kubernetes kind"
    version = module.removeprefix("core/")
    if kind.endswith("List") and (version, kind[: -len("List")]) in BUILT_IN:
        return "a List is no object of its own: declare its items one by one"
    return ""


def is_namespaced(api_version: str, kind: str) -> bool:
    """As far as is known without asking the server: an unknown kind counts as namespaced."""
    return scope(api_version, kind) is not False


def object_id(obj: dict[str, Any]) -> str:
    """`[namespace/]name`, the id of a resource in Pulumi's state."""
    namespace, name = obj["metadata"].get("namespace"), obj["metadata"]["name"]
    return f"{namespace}/{name}" if namespace else str(name)


def parse_id(text: str) -> tuple[str | None, str]:
    namespace, _, name = text.rpartition("/")
    return namespace or None, name
