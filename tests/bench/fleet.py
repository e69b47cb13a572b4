"""A prod of many services, for the rehearsal at scale: its project, in a folder with its own state and passphrase."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.demo.project import link
from cli.engine import environ
from cli.yamlfile import YamlFile
from tests.bench.answers import PORT

COPIES: Final = 10
OLD, NEW = "1.0.0", "1.1.0"
_OFF: Final = ("postgres", "redis", "prometheus", "alertmanager", "grafana", "loki", "collector", "node-exporter")
_LEVELS: Final = 3
"""Every service but those of the lowest level calls one below it: gateways, services, stores."""


@dataclass(frozen=True)
class Fleet:
    """So many services, each with `COPIES` pods, that move by one strategy."""

    services: int
    strategy: str

    @property
    def environment(self) -> str:
        return f"fleet-{self.services}"

    @property
    def pods(self) -> int:
        return self.services * COPIES


def write(folder: Path, fleet: Fleet, sandbox: str, checkout: Path) -> None:
    """A fresh project that describes the fleet's first release."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("infra", ".venv"):
        link(folder / name, checkout / name)
    shutil.copy(checkout / "Pulumi.yaml", folder / "Pulumi.yaml")
    secret = environ.passphrase_file(folder)
    secret.parent.mkdir()
    secret.write_text("fleet\n")
    environ.state_folder(folder).mkdir()
    settings_file(folder, fleet).write_text("config: {}\n")
    _save(folder, fleet, settings(fleet, sandbox))


def release(folder: Path, fleet: Fleet, version: str) -> None:
    """Have the project describe that version."""
    file = YamlFile(settings_file(folder, fleet))
    file.document["config"]["turnout:app"]["version"] = version
    file.save()


def settings(fleet: Fleet, sandbox: str) -> dict[str, Any]:
    """Everything that is not asked about is left out: what is measured is the app's own rollout."""
    services = {name(number): _service(number, fleet) for number in range(fleet.services)}
    app = {"image": "agents", "version": OLD, "services": services}
    off: dict[str, Any] = {f"turnout:{section}": {"enabled": False} for section in _OFF}
    off["turnout:alertmanager"]["heartbeat"] = {"url": "https://heartbeat.invalid/"}
    rollout = {"approval": False, "no_data": "go-on", "interval": 1}
    return {
        "turnout:cluster": {"tier": "prod", "sandbox": sandbox},
        "turnout:app": app,
        "turnout:rollout": rollout,
        **off,
    }


def name(number: int) -> str:
    return f"s{number:03}"


def settings_file(folder: Path, fleet: Fleet) -> Path:
    return folder / f"Pulumi.{fleet.environment}.yaml"


def _service(number: int, fleet: Fleet) -> dict[str, Any]:
    calls = [name(number - 1)] if number % _LEVELS else []
    return {
        "replicas": COPIES,
        "port": PORT,
        "settle": 1,
        "calls": calls,
        "resources": {"cpu": 10, "memory": "16Mi"},
        "rollout": {"strategy": fleet.strategy, "soak": 0, "warm": 3600},
    }


def _save(folder: Path, fleet: Fleet, config: dict[str, Any]) -> None:
    file = YamlFile(settings_file(folder, fleet))
    file.document["config"] = config
    file.save()
