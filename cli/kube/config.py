"""From a kubeconfig to what a connection needs: address, trust, credentials, default namespace."""

from __future__ import annotations

import os
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import UsageError

if TYPE_CHECKING:
    import httpx2


_ONE_AT_A_TIME = threading.Lock()
"""lightkube converts with msgspec 0.22, which crashes when two threads convert into a class for the first time."""


@dataclass(frozen=True)
class Endpoint:
    """Where an API server is and how to be let in. Never printed whole: `auth` and `tls` hold credentials."""

    server: str
    namespace: str
    context: str
    tls: ssl.SSLContext | None
    auth: httpx2.Auth | None

    @property
    def named(self) -> str:
        """Which cluster this is, for people."""
        return f"context {self.context}, {address(self.server)}"

    def __repr__(self) -> str:
        return f"Endpoint({self.server}, context={self.context})"


def address(url: str) -> str:
    """A server's URL less what somebody may have put before the host."""
    scheme, _, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme or 'https'}://{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


def endpoint(kubeconfig: str | Path | None = None, context: str | None = None, cluster: str | None = None) -> Endpoint:
    """Read a kubeconfig given as a path or as its text; `cluster` overrides the context's own.

    Without one: `KUBECONFIG`, the pod's own account, or `~/.kube/config`.
    Raises UsageError, which names the file and the contexts that it has.
    """
    from lightkube.config.client_adapter import verify_cluster
    from lightkube.core.exceptions import ConfigError

    with _ONE_AT_A_TIME:
        config = _read(kubeconfig)
    try:
        chosen = config.get(context or None)
        if cluster:
            chosen = chosen._replace(cluster=config.clusters[cluster])
        server = chosen.cluster.server.rstrip("/")
        tls = None
        if server.startswith("https"):
            tls = verify_cluster(chosen.cluster, chosen.user or _nobody(), chosen.abs_file)
        return Endpoint(server, chosen.namespace, chosen.context_name, tls, _auth(_known_exec(chosen.user)))
    except (ConfigError, KeyError, OSError) as error:
        raise UsageError(
            f"the kubeconfig {_called(kubeconfig)} cannot be used",
            why=f"{error}; it has the contexts: {', '.join(sorted(config.contexts)) or 'none'}",
            next="choose one: kubectl config get-contexts",
        ) from error


def _read(kubeconfig: str | Path | None) -> Any:
    from lightkube import KubeConfig
    from lightkube.core.exceptions import ConfigError

    try:
        if kubeconfig is None:
            return KubeConfig.from_env() if "KUBECONFIG" not in os.environ else _merged(os.environ["KUBECONFIG"])
        if isinstance(kubeconfig, str) and _is_text(kubeconfig):
            return KubeConfig.from_dict(_yaml(kubeconfig))
        return _merged(str(kubeconfig))
    except (ConfigError, OSError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"no usable kubeconfig: {_called(kubeconfig)}",
            why=str(error),
            next="name one in KUBECONFIG or in the settings (turnout:cluster), or start a sandbox: turnout sandbox up",
        ) from error


def read_mapping(kubeconfig: Any) -> dict[str, Any]:
    """A kubeconfig (path, text, or already a mapping) as a mapping; empty where it cannot be read."""
    if isinstance(kubeconfig, dict):
        return kubeconfig
    if not isinstance(kubeconfig, str) or not kubeconfig:
        return {}
    try:
        text = kubeconfig if _is_text(kubeconfig) else Path(kubeconfig).expanduser().read_text()
        whole = _yaml(text)
    except (OSError, ValueError):
        return {}
    return whole if isinstance(whole, dict) else {}


def _merged(paths: str) -> Any:
    """Several files (`a:b`) as one; the first one that names a thing wins, as in kubectl."""
    from lightkube import KubeConfig

    files = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    files = [file for file in files if len(files) == 1 or file.is_file()]
    if len(files) == 1:
        return KubeConfig.from_dict(_yaml(files[0].read_text()), fname=files[0])
    parts = [KubeConfig.from_dict(_yaml(file.read_text()), fname=file) for file in files]
    whole = parts[0]
    for part in parts[1:]:
        for name in ("clusters", "contexts", "users"):
            setattr(whole, name, {**getattr(part, name), **getattr(whole, name)})
        whole.current_context = whole.current_context or part.current_context
    return whole


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {type(error).__name__}") from error


def _is_text(kubeconfig: str) -> bool:
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")


def _called(kubeconfig: str | Path | None) -> str:
    if kubeconfig is None:
        return os.environ.get("KUBECONFIG") or "~/.kube/config"
    return "given as text" if _is_text(str(kubeconfig)) else str(kubeconfig)


def _auth(user: Any) -> Any:
    from lightkube.config.client_adapter import ExecAuth, user_auth

    from cli.kube.login import Plugin

    known = user_auth(user)
    return Plugin(user.exec) if isinstance(known, ExecAuth) else known


def _known_exec(user: Any) -> Any:
    """lightkube knows credential plugins up to v1beta1; what v1 changed concerns only what it does not use."""
    if user and user.exec and user.exec.apiVersion == "client.authentication.k8s.io/v1":
        user.exec.apiVersion = "client.authentication.k8s.io/v1beta1"
    return user


def _nobody() -> Any:
    from lightkube.config.models import User

    return User()
