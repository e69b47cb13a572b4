"""One look at a service's candidate while it serves: every gate that is wanted is asked about one span of time.

`wanted` reads the settings, `look` asks, `worst` and `told` say what came of it. Nothing here raises because something
cannot be asked: that is no data, and what follows from it the settings say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cli.errors import TurnoutError
from cli.gates import budgets, builtin, commands, custom, objectives, resources
from cli.gates.answers import Answer, silent, told, worst
from cli.gates.builtin import Gate, Service
from cli.gates.counting import Source, bound_of
from cli.gates.custom import About
from cli.gates.judge import Judgement
from cli.gates.objectives import Rules
from cli.gates.peers import Peers, peers
from cli.gates.prometheus import PATIENCE, Prometheus
from cli.gates.resources import Restarts
from cli.gates.samples import Span
from cli.gates.statistics import significance
from components.names import TRACK

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from components.prometheus.settings import Slo
    from components.rollout.settings import GateSettings
    from infra.settings import Settings

__all__ = ["Sources", "Wanted", "look", "replay", "told", "wanted", "worst"]

LOOKS = 30
"""How often a rollout looks where nobody says: five minutes, every 10 s."""
RECENT = 2
"""Intervals that a span's last part is long."""
LEAST_SECONDS = 5
"""That a command may take, however short the interval is."""
_AT_ONCE = 8


@dataclass(frozen=True)
class Wanted:
    """What is asked of one service. `answers`: whether it serves HTTP; `kubelet`: whether containers are measured."""

    environment: str
    answers: bool = True
    slos: tuple[Slo, ...] = ()
    gates: Mapping[str, GateSettings] = field(default_factory=dict)
    interval: int = 10
    at_least: int = 50
    baseline: bool = False
    kubelet: bool = True


class Sources:
    """Where one environment's gates find their answers: its Prometheus and its pods, both by the API server."""

    past = False

    def __init__(self, kube: Kube, environment: str) -> None:
        from cli.kube.client import Kube as Client

        self.kube = Client(kube.endpoint, server=kube.server, whole=PATIENCE)
        self.environment = environment
        self.prometheus = Prometheus(self.kube, environment)
        self.samples: Source = self.prometheus

    def close(self) -> None:
        """Let go of the connections."""
        self.kube.close()

    def ahead(self) -> float:
        """Seconds by which the cluster's clock is ahead of this machine's, as far as anybody tells."""
        with suppress(TurnoutError):
            return self.prometheus.ahead
        return 0.0

    def restarts(self, service: Service, letter: str, span: Span) -> Restarts:
        """Of the track's pods, as they are now. Raises KubeError."""
        labels = f"app.kubernetes.io/name={service.name}" + (f",{TRACK}={letter}" if letter else "")
        return resources.of_pods(self.kube.list("v1", "Pod", self.environment, labels=labels), span)


class Recorded(Sources):
    """The same of a time that is over: pods that are gone cannot tell what became of them, their samples can."""

    past = True

    def ahead(self) -> float:
        """A moment of the past is said by the clock that the samples have."""
        return 0.0

    def restarts(self, service: Service, letter: str, span: Span) -> Restarts:  # noqa: ARG002
        return resources.of_samples(self.samples, service, span)


Question = tuple[str, Callable[[], Answer]]


@dataclass(frozen=True)
class _Look:
    """One look: who is asked what, about which time. `other`: the other track, whether or not it is compared with.

    `rollout`: the time from its beginning on.
    """

    sources: Sources
    wanted: Wanted
    service: Service
    beside: Peers | None
    letter: str
    other: str
    span: Span
    rollout: Span
    rules: Rules

    def questions(self) -> Iterator[Question]:
        """Every gate by its name, not asked yet."""
        for gate in builtin.gates(self.service, self.wanted.slos):
            yield gate.name, partial(self._objective, gate)
        for gate in _with_budget(self.service, self.wanted):
            yield budgets.name_of(gate), partial(self._budget, gate)
        if self.beside and self.wanted.answers:
            yield "p95", partial(self._slower, self.beside)
        yield "restarts", self._restarts
        if self.wanted.kubelet:
            yield "saturation", self._saturation
        for name, own in self.wanted.gates.items():
            yield name, partial(self._own, name, own)

    def recorded(self) -> Iterator[Question]:
        """Those that the past can be asked."""
        now = {name for name, own in self.wanted.gates.items() if not own.query}
        return (question for question in self.questions() if question[0] not in now)

    def _objective(self, gate: Gate) -> Answer:
        baseline = self.beside.service if self.beside else None
        found = objectives.answer(self.sources.samples, gate, baseline, self.span, self.rules)
        return found.having(self.beside.values()) if self.beside else found

    def _budget(self, gate: Gate) -> Answer:
        return budgets.answer(self.sources.prometheus, self.sources.samples, gate, self.rollout, self.rules)

    def _slower(self, beside: Peers) -> Answer:
        bound = bound_of(self.sources.samples, beside.service, self.span)
        if bound is None:
            why = "the baseline has no requests whose 95th percentile could be told"
            return Answer(self.service.name, "p95", Judgement("no data", why))
        gate = builtin.slower(self.service, bound)
        found = objectives.slower(self.sources.samples, gate, beside.service, self.span, self.rules)
        return found.having(beside.values())

    def _restarts(self) -> Answer:
        found = self.sources.restarts(self.service, self.letter, self.span)
        return resources.restarts(self.service, found, self.span, self.rules.significance)

    def _saturation(self) -> Answer:
        return resources.saturation(self.sources.samples, self.service, self.span, self.rules)

    def _own(self, name: str, gate: GateSettings) -> Answer:
        about = self._about()
        if gate.query:
            return custom.query(self.sources.prometheus, name, gate, about)
        if gate.http:
            return custom.http(self.sources.kube, name, gate, about)
        return commands.command(name, gate.command, about, max(LEAST_SECONDS, self.wanted.interval))

    def _about(self) -> About:
        name, environment = self.service.name, self.wanted.environment
        return About(environment, name, self.letter, self.other, self.service.pods, self.span)


def wanted(settings: Settings, service: str, at_least: int | None = None) -> Wanted:
    """What an environment's settings ask of one of its services or workers; `at_least` instead of theirs."""
    rollout, prometheus = settings.rollout, settings.prometheus
    return Wanted(
        environment=settings.environment,
        answers=service in settings.app.services,
        slos=prometheus.slos,
        gates={name: gate for name, gate in rollout.gates.items() if gate.asks(service)},
        interval=rollout.interval,
        at_least=at_least or rollout.at_least,
        baseline=rollout.baseline,
        kubelet=prometheus.kubelet.enabled,
    )


def look(
    sources: Sources,
    wanted: Wanted,
    service: str,
    letter: str,
    baseline: str | None,
    since: float,
    until: float,
    *,
    looks: int = LOOKS,
    began: float | None = None,
) -> list[Answer]:
    """Every gate's answer about track `letter` from `since` (when its traffic began) to `until`.

    Both are seconds of this machine's clock. `baseline`: the other track while it serves too, else None. `looks`: how
    often the whole rollout will look, over all of its steps and services: so many chances of a false alarm share one
    allowance (`statistics`). `began`: when the rollout did, by the cluster's clock; else `since`.
    """
    about = _about(sources, wanted, service, letter, baseline, Span(since, until), looks, began)
    return _answers(service, about.questions())


def replay(sources: Sources, wanted: Wanted, service: str, letter: str | None, span: Span) -> list[Answer]:
    """Every gate's answer about any span, of one track beside the other or (None) of all pods together.

    Of a time that is over (`Recorded`) only what was recorded is asked.
    """
    other = None if letter is None else "b" if letter == "a" else "a"
    about = _about(sources, wanted, service, letter, other, span, 1)
    return _answers(service, about.recorded() if sources.past else about.questions())


def _answers(service: str, questions: Iterable[Question]) -> list[Answer]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(partial(_asked, service), questions))


def _about(
    sources: Sources,
    wanted: Wanted,
    service: str,
    letter: str | None,
    baseline: str | None,
    span: Span,
    looks: int,
    began: float | None = None,
) -> _Look:
    span = span.later(sources.ahead())
    rollout = span if began is None else Span(began, span.until)
    whole = Service(wanted.environment, service, wanted.answers)
    own = whole.of(letter) if letter else whole
    beside = _peers(sources, own, whole.of(baseline), span) if baseline and wanted.baseline else None
    each = significance(looks * tests(wanted, service, baseline=beside is not None))
    rules = Rules(wanted.at_least, each, RECENT * wanted.interval)
    return _Look(sources, wanted, own, beside, letter or "", baseline or "", span, rollout, rules)


def _peers(sources: Sources, candidate: Service, baseline: Service, span: Span) -> Peers:
    try:
        return peers(sources.samples, candidate, baseline, span)
    except TurnoutError:
        return Peers(baseline, 0, alike=False)


def tests(wanted: Wanted, service: str, *, baseline: bool) -> int:
    """How many statistical tests one look takes: what the settings ask by themselves is no test."""
    whole = Service(wanted.environment, service, wanted.answers)
    promises = list(builtin.gates(whole, wanted.slos))
    spent = sum(budgets.TESTS for _ in _with_budget(whole, wanted))
    quicker = 2 if baseline and wanted.answers else 0
    return len(promises) * objectives.tests(baseline) + spent + quicker + 1 + wanted.kubelet


def _with_budget(service: Service, wanted: Wanted) -> Iterator[Gate]:
    """The promises of a service whose budget a rollout may not spend: those of answers without errors."""
    return builtin.gates(service, (slo for slo in wanted.slos if slo.kind == "availability"))


def _asked(service: str, question: Question) -> Answer:
    name, ask = question
    try:
        return ask()
    except TurnoutError as error:
        return silent(service, name, error)
