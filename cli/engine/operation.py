"""One operation of the engine, from its start to its end: the program served, events taken, the state kept safe."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli import interrupts
from cli.engine import binary, cutoff, environ, failures
from cli.engine.attach import Attachment
from cli.engine.binary import Binary
from cli.engine.events import Event, Fold
from cli.engine.once import VARIABLES, Once, is_told
from cli.engine.process import Finished, Running
from cli.engine.programs import Program
from cli.engine.store.keeping import Keeping
from cli.engine.watch import Watch
from cli.progress import Progress

if TYPE_CHECKING:
    from cli.engine.inline import Serving

Load = Callable[[], Program]
Prepare = Callable[[Binary, dict[str, str]], None]

# How many resources are worked on at once. Most of that time is waiting for readiness, which costs nothing.
PARALLEL = 64
_EVENTS_LIMIT = 10.0
_LAST_EVENTS = 1.0


@dataclass(frozen=True)
class Ended:
    """An operation that came to its end. `error`: what the program or the events raised here."""

    fold: Fold
    finished: Finished
    binary: Binary
    provider: str
    seconds: float
    error: BaseException | None


class Operation:
    """`verb` (preview, up, refresh, destroy) on one environment, to be run once."""

    def __init__(
        self,
        root: Path,
        environment: str,
        verb: str,
        progress: Progress,
        *,
        once: Once | None = None,
        offline: bool = False,
    ) -> None:
        """`once`: the state is written at the beginning and at the end alone. `offline`: no cluster is asked."""
        self._offline = offline
        self._root, self._environment, self._verb, self._progress, self._once = root, environment, verb, progress, once
        self._fold, self._ledger = Fold(refreshing=verb == "refresh"), cutoff.Ledger()
        self._running: Running | None = None
        self._keeping = None if verb == "preview" else Keeping(root, environment, os.environ)

    def run(self, title: str, arguments: Sequence[str], load: Load, prepare: Prepare) -> Ended:
        """`load` gives the program, while the engine starts; `prepare` makes the stack where there is none.

        Raises TurnoutError for a lock, and when the engine or its provider was ended in the middle.
        """
        began = time.monotonic()
        if self._keeping:
            self._keeping.begin()
        with Attachment(offline=self._offline) as provider, Watch(self._progress, title) as watch:
            found = binary.find(self._progress)
            finished, error = self._served(found, watch, provider.variables, arguments, load, prepare)
            self._raise_if_cut_off(finished, provider.ended)
            if self._fold.summary is None and finished.code != 0 and error is None:
                self._raise_if_locked(finished)
            self._keep(finished)
            return Ended(self._fold, finished, found, provider.label, time.monotonic() - began, error)

    def _served(
        self,
        found: Binary,
        watch: Watch,
        attached: Callable[[], dict[str, str]],
        arguments: Sequence[str],
        load: Load,
        prepare: Prepare,
    ) -> tuple[Finished, BaseException | None]:
        from cli.engine.inline import Serving

        with Serving(self._taking(watch)) as serving:
            variables = {**environ.variables(self._root, dict(os.environ)), **attached()}
            prepare(found, variables)
            command = self._command(found, arguments, serving.address)
            variables |= VARIABLES if self._once else {}
            try:
                finished, unloaded = self._ran(command, variables, load, serving)
            except BaseException:
                with suppress(Exception):  # the next run tells what stays pending; why this one ends is told now
                    self._take_back(serving)
                raise
            asked = self._take_back(serving)
            finished = replace(finished, interrupted=finished.interrupted or asked)
            return finished, unloaded or serving.language.error or serving.events.error

    def _ran(
        self, command: Sequence[str], variables: dict[str, str], load: Load, serving: Serving
    ) -> tuple[Finished, BaseException | None]:
        """From the write of the state before the engine's start until its events are heard."""
        with ExitStack() as stack:
            with interrupts.between_steps() as asked:
                if self._once:
                    self._once.begin()
                running = self._running = stack.enter_context(Running(command, cwd=self._root, env=variables))
            if asked.now:
                raise KeyboardInterrupt
            unloaded = _hand_over(load, serving.language.load)
            finished = running.wait(self._environment)
        serving.events.ended.wait(_EVENTS_LIMIT if self._fold.summary is None and finished.code == 0 else _LAST_EVENTS)
        return finished, unloaded

    def _take_back(self, serving: Serving) -> bool:
        """What was written before the start, unless the engine was cut off; whether somebody wants an end meanwhile."""
        if self._once is None or (self._running is not None and not self._running.ended_by_itself):
            return False
        with interrupts.between_steps() as asked:
            if self._running:
                serving.events.ended.wait(_LAST_EVENTS)
            self._once.end(self._ledger.cut_off())
        return asked.now

    def _taking(self, watch: Watch) -> Callable[[Event], None]:
        takers = [self._fold.add, self._ledger.take, *([self._keeping.take] if self._keeping else []), watch.take]

        def take(event: Event) -> None:
            if self._once and is_told(event):
                return
            for taker in takers:
                taker(event)

        return take

    def _command(self, found: Binary, arguments: Sequence[str], address: str) -> list[str]:
        where = ["--stack", self._environment]
        return [str(found.path), self._verb, *where, *_ALWAYS, *arguments, *_inline(address)]

    def _raise_if_cut_off(self, finished: Finished, provider_ended: int | None) -> None:
        if finished.code != 0 and provider_ended is not None:
            raise cutoff.by_provider(self._root, self._environment, provider_ended, self._ledger.cut_off())
        if finished.code < 0 and not finished.interrupted:
            raise cutoff.by_engine(self._root, self._environment, finished.code)

    def _raise_if_locked(self, finished: Finished) -> None:
        refusal = failures.classify(finished.err + finished.out, self._environment)
        if isinstance(refusal, failures.StackLocked):
            raise refusal

    def _keep(self, finished: Finished) -> None:
        if self._keeping:
            said = [entry.message for entry in self._fold.diagnostics()]
            self._keeping.end(finished.code, [finished.err, *said])


_ALWAYS = (
    "--non-interactive",
    "--color",
    "never",
    "--suppress-outputs",
    "--suppress-progress",
    "--parallel",
    str(PARALLEL),
)


def _hand_over(load: Load, take: Callable[[Program | None], None]) -> BaseException | None:
    """Loads the program and gives it to the engine; what it raised when it could not be loaded."""
    try:
        take(load())
    except Exception as error:
        take(None)
        return error
    return None


def _inline(address: str) -> list[str]:
    return ["--client", address, "--exec-kind", "auto.inline", "--event-log", f"tcp://{address}"]
