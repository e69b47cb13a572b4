"""Grafana's configuration: data sources and dashboards come from files, so that nothing made by hand is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from components.monitoring.text import to_yaml
from components.names import AUDIT_STREAM
from components.secret import Secret

PORT: Final = 3000
DATA_PATH: Final = "/var/lib/grafana"
DATASOURCES_PATH: Final = "/etc/grafana/provisioning/datasources"
PROVIDERS_PATH: Final = "/etc/grafana/provisioning/dashboards"
DASHBOARDS_PATH: Final = "/etc/grafana/dashboards"
SECRETS_PATH: Final = "/etc/grafana/secrets"
PASSWORD_FILE: Final = "admin-password"
PROMETHEUS: Final = "prometheus"
LOKI: Final = "loki"
ALERTMANAGER: Final = "alertmanager"
"""The data sources' uids, which dashboards name: Grafana 13 no longer takes numbers."""

_CHANGES: Final[Mapping[str, Any]] = {
    "name": "changes",
    "datasource": {"type": LOKI, "uid": LOKI},
    "enable": True,
    "hide": False,
    "iconColor": "purple",
    "expr": f'{{job="{AUDIT_STREAM}"}} | json',
    "titleFormat": "{{what}}: {{outcome}}",
    "textFormat": "{{who}} {{why}}",
    "tagKeys": "environment,release",
}
"""The audit trail as `turnout` sends it to Loki: each entry is one line of JSON."""


def datasources(*, prometheus: str, loki: str | None, alertmanager: str | None) -> dict[str, str]:
    """The data sources' directory, from the servers' base URLs."""
    made = [_source(PROMETHEUS, prometheus, {"httpMethod": "POST", "prometheusType": "Prometheus"}, default=True)]
    if loki:
        made.append(_source(LOKI, loki, {"maxLines": 1_000}))
    if alertmanager:
        made.append(_source(ALERTMANAGER, alertmanager, {"implementation": "prometheus"}))
    return {"datasources.yaml": to_yaml({"apiVersion": 1, "prune": True, "datasources": made})}


def providers() -> dict[str, str]:
    """The directory that says where dashboards are."""
    provider = {
        "name": "turnout",
        "type": "file",
        "folder": "turnout",
        "allowUiUpdates": False,
        "disableDeletion": True,
        "options": {"path": DASHBOARDS_PATH},
    }
    return {"dashboards.yaml": to_yaml({"apiVersion": 1, "providers": [provider]})}


@cache
def dashboards(*, loki: bool = True) -> Mapping[str, str]:
    """The dashboards' directory: file name to JSON text. With Loki each shows what turnout did, where it did it."""
    folder = resources.files("components.grafana") / "dashboards"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name: _shown(json.loads(file.read_text()), loki=loki) for file in files}


def secret_files(password: Secret) -> dict[str, Secret]:
    return {PASSWORD_FILE: password}


def variables() -> dict[str, str]:
    """Settings that are not files. Nothing is sent to Grafana Labs, and nothing is fetched from there."""
    return {
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_LOG_CONSOLE_FORMAT": "json",
        "GF_LOG_MODE": "console",
        "GF_METRICS_ENABLED": "true",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_PATHS_DATA": DATA_PATH,
        "GF_PATHS_LOGS": "/tmp",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{SECRETS_PATH}/{PASSWORD_FILE}",
        "GF_SECURITY_COOKIE_SAMESITE": "strict",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_SERVER_HTTP_PORT": str(PORT),
        "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
        "GF_USERS_ALLOW_SIGN_UP": "false",
    }


def _shown(dashboard: dict[str, Any], *, loki: bool) -> str:
    """Written anew, so that how the file is indented is no change."""
    annotated = {**dashboard, "annotations": {"list": [_CHANGES]}} if loki else dashboard
    return json.dumps(annotated, indent=2, ensure_ascii=False) + "\n"


def _source(kind: str, url: str, options: dict[str, Any], *, default: bool = False) -> dict[str, Any]:
    return {
        "name": kind.capitalize(),
        "uid": kind,
        "type": kind,
        "access": "proxy",
        "url": url,
        "isDefault": default,
        "editable": False,
        "jsonData": options,
    }
