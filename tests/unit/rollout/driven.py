"""A rollout driven against an API server in memory: its world, its gates, and what happens to it on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.engine.model import Change, FieldChange, Operation, Outcome, Plan
from cli.gates.answers import Answer
from cli.gates.judge import Judgement
from cli.progress import Silent
from cli.rollout import asking, attention, cursor, drive, moves, opened, starting
from cli.rollout.lock import environment_lock
from cli.rollout.site import Site
from cli.rollout.targets import Wish
from components.tracks import TRACK_LABEL
from infra.settings import load

SETTINGS = """
config:
  turnout:cluster: {{sandbox: none, tier: dev}}
  turnout:app:
    image: agents
    version: "{version}"
    services:
      api: {{replicas: 4, calls: [tools], rollout: {{strategy: {strategy}, steps: [25, 50], soak: {soak}, warm: 60}}}}
      tools: {{replicas: 2, rollout: {{soak: 0}}}}
    workers:
      runner: {{}}
    jobs: {jobs}
  turnout:rollout: {{interval: 1, no_data: {no_data}}}
  turnout:postgres: {{enabled: false}}
  turnout:redis: {{enabled: false}}
"""


class Killed(BaseException):
    """What SIGKILL does, as far as a test in the same process can show it: nothing is tidied up."""


def killed() -> None:
    raise Killed


class World:
    """The cluster, a checkout, and an engine that brings what the settings describe."""

    settings: Any
    environment = "dev"

    def __init__(self, cluster: Any, kube: Any, make: Any, root: Path) -> None:
        self.cluster, self.kube, self.make, self.root = cluster, kube, make, root
        self.cursor: Mapping[str, Any] | None = None
        self.held: list[set[str]] = []
        self.on_up: Callable[[], None] = lambda: None
        self._obey(cluster)

    def describe(
        self, version: str, strategy: str = "rolling", soak: int = 0, no_data: str = "go-on", jobs: str = "{}"
    ) -> None:
        text = SETTINGS.format(version=version, strategy=strategy, soak=soak, no_data=no_data, jobs=jobs)
        (self.root / "Pulumi.dev.yaml").write_text(text)
        self.settings = load(self.root / "Pulumi.dev.yaml", "dev", placeholders=True)

    def preview(self) -> Plan:
        changes = tuple(
            self._change(name) for name in ("api", "runner", "tools") if self._image(name) != self._wanted(name)
        )
        declared = tuple(self.make.job(name, self.settings.app.version) for name in self.settings.app.jobs)
        return Plan("dev", changes, {}, 0.1, "pulumi", "own", declared=declared)

    def up(self, *, message: str = "") -> Outcome:  # noqa: ARG002
        assert self.cursor is not None
        held = {name for name, tracks in self.cursor.items() if tracks.held}
        self.held.append(held)
        self.on_up()
        for name in {"api", "runner", "tools"} - held:
            self._bring(name)
        outputs = {} if held else {"release": self._record()}
        return Outcome("dev", True, (self._change("api"),), {}, outputs, (), (), 0.1, "pulumi", "own")

    def copies(self, name: str) -> int:
        return int(self.cluster.find("deployments", name)["spec"]["replicas"])

    def entry(self, name: str) -> str:
        return moves.selected(self.cluster.find("services", name))

    def version(self, name: str) -> str:
        return str(self.cluster.find("deployments", name)["spec"]["template"]["spec"]["containers"][0]["image"])

    def _bring(self, name: str) -> None:
        letter, two = self._track(name)
        known = self.cluster.objects.get(("dev", "deployments", f"{name}-{letter}"))
        made = self.make.deployment(name, self.settings.app.version)
        made["metadata"]["name"] = f"{name}-{letter}"
        made["metadata"]["labels"] = {**made["metadata"]["labels"], TRACK_LABEL: letter}
        part = self.settings.app.services.get(name) or self.settings.app.workers[name]
        made["spec"]["replicas"] = part.replicas if not two else known["spec"]["replicas"] if known else 0
        self.cluster.put(made, "deployments")
        if ("dev", "services", name) not in self.cluster.objects:
            service = {"metadata": {"name": name, "namespace": "dev"}, "spec": {"selector": {TRACK_LABEL: "a"}}}
            self.cluster.put(service, "services")

    def _record(self) -> str:
        name = f"release-{self.settings.app.version}"
        [piece] = self.make.record(name, [self.make.deployment("api", self.settings.app.version)])
        self.cluster.put(piece, "configmaps")
        return name

    def _track(self, name: str) -> tuple[str, bool]:
        tracks = (self.cursor or {}).get(name)
        return (tracks.described, tracks.two) if tracks else ("a", False)

    def _image(self, name: str) -> str:
        known = self.cluster.objects.get(("dev", "deployments", f"{name}-{self._track(name)[0]}"))
        return str(known["spec"]["template"]["spec"]["containers"][0]["image"]) if known else ""

    def _wanted(self, name: str) -> str:
        return f"{name}:{self.settings.app.version}"

    def _change(self, name: str) -> Change:
        version = self.settings.app.version
        fields = (
            FieldChange("spec.template.spec.containers[0].image", "", self._wanted(name)),
            FieldChange('metadata.annotations["turnout.dev/template"]', "", f"hash-{version}"),
        )
        operation = Operation.UPDATE if self._image(name) else Operation.CREATE
        return Change(
            f"urn::{name}", "kubernetes:apps/v1:Deployment", f"dev/{name}-a", operation, f"app/{name}", fields
        )

    def _obey(self, cluster: Any) -> None:
        """A controller that is done at once."""
        put = cluster.put

        def with_status(obj: Any, plural: str) -> Any:
            return put(self.make.ready(obj) if plural == "deployments" else obj, plural)

        cluster.put = with_status

    @contextmanager
    def site(self, command: str = "turnout rollout start dev") -> Iterator[Site]:
        with environment_lock(self.kube, "dev", command=command) as held:
            yield Site(self.kube, self, held, Silent(), self.settings)

    def start(self, wish: Wish | None = None, *, detach: bool = False) -> drive.Rolled:
        order = starting.Start("turnout rollout start dev", "why not", wish or Wish(), detach=detach)
        with self.site() as site:
            return starting.start(site, order)

    def resume(self, *, detach: bool = False) -> drive.Rolled:
        with self.site("turnout rollout resume dev") as site:
            return starting.resume(site, "turnout rollout resume dev", detach=detach)


class NoWatcher:
    """Sees nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.verdict, self.evidence = "", []  # type: ignore[var-annotated]

    def __enter__(self) -> NoWatcher:
        return self

    def __exit__(self, *_: Any) -> None: ...

    @contextmanager
    def engine_runs(self) -> Iterator[None]:
        yield


def said(verdict: str) -> Callable[..., list[Answer]]:
    """A gate that gives this verdict."""

    def look(_: Any, __: Any, service: str, *___: Any, **____: Any) -> list[Answer]:
        return [Answer(service, "errors", Judgement(verdict, "as the test wants"), "up")]  # type: ignore[arg-type]

    return look


def rollout(world: World) -> opened.Rollout:
    found = opened.read(world.kube, "dev")
    assert found is not None
    return found


def place(world: World) -> cursor.Place:
    return cursor.read(world.kube, "dev").of("api")


class Gates:
    """What gates were asked about: seconds from the beginning of the watch; `verdicts`: the last one stays."""

    def __init__(self, *verdicts: str) -> None:
        self.verdicts, self.spans = verdicts or ("pass",), list[float]()
        self.on_look: Callable[[], object] = lambda: None

    def __call__(self, _: Any, __: Any, service: str, *tracks: Any, **how: Any) -> list[Answer]:
        self.spans.append(tracks[3] - tracks[2])
        self.on_look()
        verdict = self.verdicts[min(len(self.spans), len(self.verdicts)) - 1]
        return said(verdict)(None, None, service, *tracks, **how)


def while_it_waits(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen whenever a driver begins to wait for a person."""
    forever = attention.Attention.wait

    def waiting(self: attention.Attention, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        if seconds > 600 and not done():
            act()
        return forever(self, seconds, done)

    monkeypatch.setattr(attention.Attention, "wait", waiting)


def ask(world: World, what: asking.What) -> Callable[[], object]:
    return lambda: asking.must_ask(world.kube, "dev", what)
