"""The corpus: edits of settings and of components as people make them, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.yamlfile import YamlFile, put

GONE: Final = object()
"""Takes a key out of the settings."""


@dataclass(frozen=True)
class Edit:
    """One edit of a project's files. `nothing`: it changes nothing that is deployed.

    `tracks`: the service that keeps two tracks from then on, as after a rollout.
    """

    name: str
    make: Callable[[Path, str], None]
    nothing: bool = False
    tracks: str = ""


def setting(name: str, section: str, path: str, value: Any, *, nothing: bool = False, tracks: str = "") -> Edit:
    """A key of the environment's settings file, set or taken out."""
    keys = (f"turnout:{section}", *path.split("/"))

    def make(project: Path, environment: str) -> None:
        file = YamlFile(project / f"Pulumi.{environment}.yaml")
        if value is GONE:
            _take_out(file.document["config"], keys)
        else:
            put(file.document["config"], keys, value)
        file.save()

    return Edit(name, make, nothing, tracks)


def text(name: str, file: str, old: str, new: str, *, nothing: bool = False) -> Edit:
    """A component's source. `{env}` in `file` is the environment's name."""

    def make(project: Path, environment: str) -> None:
        place = project / file.format(env=environment)
        content = place.read_text()
        if old not in content:
            raise AssertionError(f"{name}: {file} does not hold {old!r} any more")
        place.write_text(content.replace(old, new))

    return Edit(name, make, nothing)


def _take_out(document: Any, keys: Sequence[str]) -> None:
    for key in keys[:-1]:
        document = document[key]
    del document[keys[-1]]


_FILES: Final = {"limits.yaml": "requests: 10\nburst: 20\n", "greeting.txt": "hello\nworld\n"}

_APP: Final = (
    setting("a new version of the app", "app", "version", "1.1.0"),
    setting("a variable for every part", "app", "env", {"LOG_LEVEL": "debug"}),
    setting("a variable's value", "app", "env/LOG_LEVEL", "info"),
    setting("a variable for one service", "app", "services/tools/env", {"CACHE": "on"}),
    setting("more copies of a worker", "app", "workers/runner/replicas", 5),
    setting("configuration files", "app", "services/tools/config", {"path": "/etc/tools", "files": dict(_FILES)}),
    setting("a configuration file's content", "app", "services/tools/config/files/greeting.txt", "hello\nmoon\n"),
    setting("a configuration file less", "app", "services/tools/config/files/limits.yaml", GONE),
    setting("a variable less", "app", "services/tools/env", GONE),
)
_SIZES: Final = (
    setting("more memory for a service", "app", "services/api/resources", {"memory": "1Gi", "memory_limit": "2Gi"}),
    setting("the same memory, written otherwise", "app", "services/api/resources/memory", "1024Mi", nothing=True),
    setting("other arguments", "app", "services/tools/args", ["tools", "--verbose"]),
    setting("another port for metrics", "app", "services/tools/metrics_port", 9191),
    setting("another port", "app", "services/tools/port", 8181),
    setting("a longer drain", "app", "services/tools/drain", {"pause": 4, "longest_request": 25}),
    setting("another readiness path", "app", "services/tools/ready", "/healthz"),
)
_PARTS: Final = (
    setting("a new service", "app", "services/search", {"calls": ["postgres"], "settle": 1}),
    setting("a call more", "app", "services/search/calls", ["postgres", "redis"]),
    setting("a service that is public", "app", "services/search/public", True),
    setting("a service that scales by itself", "app", "services/search/autoscale", {"minimum": 3, "maximum": 6}),
    setting("its upper bound", "app", "services/search/autoscale/maximum", 9),
    setting("a service less", "app", "services/search", GONE),
    setting("a job's schedule", "app", "jobs/sweep/schedule", "*/20 * * * *"),
    setting("a new job", "app", "jobs/report", {"schedule": "0 6 * * *", "calls": ["postgres"]}),
    setting("a job less", "app", "jobs/report", GONE),
)
_MONITORING: Final = (
    setting("a longer memory of metrics", "prometheus", "retention", "40d"),
    setting("a slower scrape", "prometheus", "scrape_interval", "20s"),
    setting("an alert less", "prometheus", "disabled_alerts", ["CostSpike"]),
    setting("where runbooks are published", "prometheus", "runbooks", "https://runbooks.example.com/"),
    setting("a receiver", "alertmanager", "receivers", [{"name": "team", "webhook": {"url": "https://example.com/a"}}]),
    setting("who is paged", "alertmanager", "page", "team"),
    setting("longer logs", "loki", "retention", "240h"),
    setting("more log streams", "loki", "limits", {"streams": 6000}),
    setting("a longer queue", "collector", "queue", 2000),
    setting("the nodes' figures switched off", "node-exporter", "enabled", False),
    setting("the nodes' figures switched on", "node-exporter", "enabled", True),
)
_DATA: Final = (
    setting("more connections", "postgres", "connections", 120),
    setting("more memory for the queue", "redis", "resources", {"memory": "96Mi", "memory_limit": "256Mi"}),
    setting("a larger volume", "redis", "storage", "6Gi"),
    setting("who may look", "rollout", "access", {"viewer": ["Group:readers"]}),
    setting("who may look, and one more", "rollout", "access/viewer", ["Group:readers", "User:anna"]),
    setting("a gate that no object holds", "rollout", "interval", 12, nothing=True),
)
_IMPORTS: Final = "from __future__ import annotations\n"
_CODE: Final = (
    text("a comment in the settings", "Pulumi.{env}.yaml", "\nconfig:\n", "\n# words\nconfig:\n", nothing=True),
    text("a comment in a component", "components/redis/component.py", _IMPORTS, f"# words\n{_IMPORTS}", nothing=True),
)
_TRACKS: Final = (
    setting("more copies of a service with two tracks", "app", "services/tools/replicas", 4, tracks="tools"),
    setting("fewer copies of it", "app", "services/tools/replicas", 2),
)

CORPUS: Final[dict[str, tuple[Edit, ...]]] = {
    "dev": (*_APP, *_PARTS[:6], *_MONITORING[:6], *_CODE, *_TRACKS),
    "staging": (*_APP[:4], *_SIZES, *_MONITORING[4:], *_DATA),
    "prod": (*_APP[:2], *_APP[4:7], *_PARTS, *_SIZES[:2], *_DATA),
}
