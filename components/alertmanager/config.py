"""Alertmanager's configuration, rendered from the settings. Secrets are named by file and never part of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from components.alertmanager.settings import HEARTBEAT, VISIBLE_ONLY, AlertmanagerSettings, Receiver
from components.monitoring.settings import seconds
from components.monitoring.text import to_yaml
from components.secret import Secret

CONFIG_PATH: Final = "/etc/alertmanager/config"
SECRETS_PATH: Final = "/etc/alertmanager/secrets"
CONFIG_FILE: Final = "alertmanager.yml"
DATA_PATH: Final = "/var/alertmanager"
PORT: Final = 9093
CLUSTER_PORT: Final = 9094

_GROUP_LABELS: Final = ["alertname", "namespace", "service"]


def files(settings: AlertmanagerSettings) -> dict[str, str]:
    """The configuration directory."""
    return {CONFIG_FILE: to_yaml(config(settings))}


def secret_files(settings: AlertmanagerSettings) -> dict[str, Secret]:
    """The secrets directory: one file for each secret that the configuration names."""
    return dict(_secrets(settings))


def config(settings: AlertmanagerSettings) -> dict[str, Any]:
    """The whole configuration, as data."""
    return {
        "global": {"resolve_timeout": "5m"},
        "route": _route(settings),
        "receivers": _receivers(settings),
        "inhibit_rules": _inhibitions(),
    }


def _route(settings: AlertmanagerSettings) -> dict[str, Any]:
    return {
        "receiver": settings.ticket or VISIBLE_ONLY,
        "group_by": _GROUP_LABELS,
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [
            _watchdog_route(settings),
            {"receiver": VISIBLE_ONLY, "matchers": ['alertname="InfoInhibitor"']},
            {"receiver": VISIBLE_ONLY, "matchers": ['severity="info"']},
            {
                "receiver": settings.page or VISIBLE_ONLY,
                "matchers": ['severity="page"'],
                "group_wait": "10s",
                "repeat_interval": "4h",
            },
        ],
    }


def _watchdog_route(settings: AlertmanagerSettings) -> dict[str, Any]:
    route: dict[str, Any] = {"receiver": VISIBLE_ONLY, "matchers": ['alertname="Watchdog"']}
    if settings.heartbeat:
        route |= {
            "receiver": HEARTBEAT,
            "group_wait": "0s",
            "group_interval": settings.heartbeat.every,
            "repeat_interval": _a_little_less(settings.heartbeat.every),
        }
    return route


def _a_little_less(interval: str) -> str:
    """A repetition is due when the last one is older than this, and is looked at once in each group interval."""
    return f"{int(seconds(interval) * 900)}ms"


def _receivers(settings: AlertmanagerSettings) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"name": VISIBLE_ONLY}]
    if settings.heartbeat:
        made.append({"name": HEARTBEAT, "webhook_configs": [_webhook(HEARTBEAT, resolved=False)]})
    return made + [_receiver(receiver) for receiver in settings.receivers]


def _receiver(receiver: Receiver) -> dict[str, Any]:
    made: dict[str, Any] = {"name": receiver.name}
    if receiver.slack:
        made["slack_configs"] = [_slack(receiver.name, receiver.slack.channel)]
    if receiver.webhook:
        made["webhook_configs"] = [_webhook(receiver.name, resolved=True)]
    if receiver.email:
        made["email_configs"] = [_email(receiver)]
    return made


def _slack(name: str, channel: str) -> dict[str, Any]:
    return {
        "api_url_file": _file(name, "slack"),
        "channel": channel,
        "send_resolved": True,
        "title": "[{{ .Status | toUpper }}] {{ .CommonLabels.environment }} {{ .CommonLabels.alertname }} "
        "{{ .CommonLabels.service }}",
        "text": "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n"
        "Runbook: {{ or .Annotations.runbook_url .Annotations.runbook }}\n{{ end }}",
    }


def _webhook(name: str, *, resolved: bool) -> dict[str, Any]:
    return {"url_file": _file(name, "webhook"), "send_resolved": resolved, "max_alerts": 100}


def _email(receiver: Receiver) -> dict[str, Any]:
    assert receiver.email
    return {
        "to": receiver.email.to,
        "from": receiver.email.sender,
        "smarthost": receiver.email.smarthost,
        "auth_username": receiver.email.username,
        "auth_password_file": _file(receiver.name, "email"),
        "require_tls": True,
        "send_resolved": True,
    }


def _inhibitions() -> list[dict[str, Any]]:
    return [
        {
            "source_matchers": ['severity="page"'],
            "target_matchers": ['severity="ticket"'],
            "equal": ["alertname", "namespace", "service"],
        },
        {
            "source_matchers": ['alertname="InfoInhibitor"'],
            "target_matchers": ['severity="info"'],
            "equal": ["namespace"],
        },
    ]


def _secrets(settings: AlertmanagerSettings) -> Iterator[tuple[str, Secret]]:
    if settings.heartbeat:
        yield _key(HEARTBEAT, "webhook"), settings.heartbeat.whole()
    for receiver in settings.receivers:
        if receiver.slack:
            yield _key(receiver.name, "slack"), receiver.slack.whole()
        if receiver.webhook:
            yield _key(receiver.name, "webhook"), receiver.webhook.whole()
        if receiver.email:
            yield _key(receiver.name, "email"), receiver.email.password


def _key(receiver: str, way: str) -> str:
    return f"{receiver}.{way}"


def _file(receiver: str, way: str) -> str:
    return f"{SECRETS_PATH}/{_key(receiver, way)}"
