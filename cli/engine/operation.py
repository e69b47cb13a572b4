"""One operation of the engine, from its start to its end: the program served, events taken, the state kept safe."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.engine import binary, cutoff, environ, failures
from cli.engine.attach import Attachment
from cli.engine.binary import Binary
from cli.engine.events import Event, Fold
from cli.engine.process import Finished, Running
from cli.engine.store.keeping import Keeping
from cli.engine.watch import Watch
from cli.progress import Progress

Program = Callable[[], object]
Load = Callable[[], Program]
Prepare = Callable[[Binary, dict[str, str]], None]

# How many resources are worked on at once. Most of that time is waiting for readiness, which costs nothing.
PARALLEL = 64
_EVENTS_LIMIT = 10.0


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
    """`verb` (preview, up, refresh, destroy, import) on one environment, to be run once."""

    def __init__(self, root: Path, environment: str, verb: str, progress: Progress) -> None:
        self._root, self._environment, self._verb, self._progress = root, environment, verb, progress
        self._fold, self._ledger = Fold(refreshing=verb == "refresh"), cutoff.Ledger()
        self._keeping = None if verb == "preview" else Keeping(root, environment, os.environ)

    def run(self, title: str, arguments: Sequence[str], load: Load, prepare: Prepare) -> Ended:
        """`load` gives the program, while the engine starts; `prepare` makes the stack where there is none.

        Raises TurnoutError for a lock, and when the engine or its provider was ended in the middle.
        """
        began = time.monotonic()
        if self._keeping:
            self._keeping.begin()
        with Attachment() as provider, Watch(self._progress, title) as watch:
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
            with Running(command, cwd=self._root, env=variables | _language(self._verb, serving.address)) as running:
                unloaded = _hand_over(load, serving.language.load)
                finished = running.wait(self._environment)
            serving.events.ended.wait(_EVENTS_LIMIT if self._fold.summary is None and finished.code == 0 else 1)
            return finished, unloaded or serving.language.error or serving.events.error

    def _taking(self, watch: Watch) -> Callable[[Event], None]:
        takers = [self._fold.add, watch.take, self._ledger.take, *([self._keeping.take] if self._keeping else [])]

        def take(event: Event) -> None:
            for taker in takers:
                taker(event)

        return take

    def _command(self, found: Binary, arguments: Sequence[str], address: str) -> list[str]:
        where = ["--stack", self._environment]
        return [str(found.path), self._verb, *where, *_ALWAYS, *arguments, *_inline(self._verb, address)]

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


def _inline(verb: str, address: str) -> list[str]:
    client = [] if verb == "import" else ["--client", address]
    return [*client, "--exec-kind", "auto.inline", "--event-log", f"tcp://{address}"]


def _language(verb: str, address: str) -> dict[str, str]:
    """An import takes no client: it asks for the language host of the project's runtime."""
    return {"PULUMI_DEBUG_LANGUAGES": f"python:{address.rpartition(':')[2]}"} if verb == "import" else {}
