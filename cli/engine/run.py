"""Drives the engine: one start of `pulumi` an operation, the program in this process, events instead of text."""

from __future__ import annotations

import inspect
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cli.engine import binary, environ, failures, once
from cli.engine.binary import Binary
from cli.engine.model import Mode, Outcome, Plan, Update
from cli.engine.once import Once
from cli.engine.operation import Ended, Operation
from cli.engine.process import Finished, Running
from cli.engine.programs import Program, as_turnout_error, load_program
from cli.engine.store.place import self_managed
from cli.engine.turns import Offer, Turn
from cli.errors import Interrupted, TurnoutError
from cli.progress import Progress

if TYPE_CHECKING:
    from components.tracks import Tracks
    from infra.model import Settings

_TRIES = 5
_LOOK_AGAIN = 0.5


class Engine:
    """The engine for one environment of one project. `program` replaces the project's own in tests.

    `wait`, `offer`: what to do about locks on the state, see `cli.engine.turns`.
    """

    cursor: Mapping[str, Tracks] | None
    """Where each service's tracks stand, for the program; None: as of the stack's last update."""

    def __init__(
        self,
        root: Path,
        environment: str,
        progress: Progress,
        *,
        program: Program | None = None,
        wait: float = 0,
        offer: Offer | None = None,
    ) -> None:
        self.root = root
        self.environment = environment
        self.progress = progress
        self._program = program
        self.cursor = None
        self.turn = Turn(root, environment, progress, wait=wait, offer=offer)

    def preview(self, targets: Sequence[str] = (), *, offline: bool = False) -> Plan:
        """What an `up` would do now. Raises when the program or a provider refuses it.

        `offline`: by what the state recorded, without asking the cluster.
        """
        ended = self._operate("preview", f"previewing {self.environment}", _targets(targets), offline=offline)
        self._raise_unless_done(ended)
        fold = ended.fold
        return Plan(
            environment=self.environment,
            changes=fold.changes(),
            counts=fold.counts(),
            seconds=ended.seconds,
            engine=f"pulumi {ended.binary.version}",
            provider=ended.provider,
            diagnostics=fold.diagnostics(),
            declared=fold.declared(),
            still=fold.still(),
            mode=Mode.STATE if offline else Mode.LIVE,
        )

    def up(self, targets: Sequence[str] = (), *, message: str = "") -> Outcome:
        """Apply the program. Resources that failed are in the outcome; what was done stays done and is in the state."""
        arguments = [*_APPLY, *_targets(targets), *_message(message)]
        return self._outcome(self._operate("up", f"applying {self.environment}", arguments, self._once(targets)))

    def refresh(self, targets: Sequence[str] = (), *, message: str = "") -> Outcome:
        """Read what the cluster holds into the state; changes nothing in the cluster."""
        arguments = [*_APPLY, *_targets(targets), *_message(message)]
        return self._outcome(self._operate("refresh", f"refreshing {self.environment}", arguments))

    def destroy(self, *, message: str = "") -> Outcome:
        """Delete everything that the state holds, retained resources excepted."""
        arguments = [*_APPLY, *_message(message)]
        return self._outcome(self._operate("destroy", f"destroying {self.environment}", arguments))

    def history(self, limit: int = 50) -> list[Update]:
        """The last updates, newest first."""
        text = self._ask("stack", "history", "--json", "--page-size", str(limit), "--page", "1")
        return [_update(entry) for entry in json.loads(text or "[]")]

    def export_state(self) -> dict[str, Any]:
        """The whole deployment (`{"version": 3, "deployment": …}`); secrets stay encrypted."""
        found: dict[str, Any] = json.loads(self._ask("stack", "export"))
        return found

    def import_state(self, state: dict[str, Any]) -> None:
        """Replace the deployment by one that `export_state` gave, or a change of it. The engine verifies it."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(state, file)
            file.flush()
            self.turn.of(lambda: self._ask("stack", "import", "--file", file.name), dict(os.environ))

    def _once(self, targets: Sequence[str]) -> Once | None:
        """How the state of a large environment of which much changes is written, see `cli.engine.once`."""
        place = self_managed(self.root, self.environment, dict(os.environ))
        if place is None or not once.may_pay(place):
            return None
        ended = self._operate("preview", f"looking what changes in {self.environment}", _targets(targets))
        if ended.finished.interrupted:
            self._raise_unless_done(ended)
        steps = once.changing(ended.fold.planned())
        sound = ended.error is None and ended.finished.code == 0
        return Once(place, steps) if sound and once.pays(place, steps) else None

    def _operate(
        self, verb: str, title: str, arguments: Sequence[str], writes: Once | None = None, *, offline: bool = False
    ) -> Ended:
        def work() -> Ended:
            operation = Operation(self.root, self.environment, verb, self.progress, once=writes, offline=offline)
            return operation.run(title, arguments, self._load, self._ensure_stack)

        return work() if verb == "preview" else self.turn.of(work, dict(os.environ))

    def _load(self) -> Program:
        return self._program or _told(load_program(self.root), self.cursor)

    def _ensure_stack(self, found: Binary, variables: dict[str, str]) -> None:
        where = self_managed(self.root, self.environment, variables)
        if where is None:
            exists = "no stack named" not in self._query(found, variables, ["stack", "output", "--json"]).err
        else:
            exists = where.ready() and where.current() is not None
        if not exists:
            if self._program is None:
                check_settings(self.root, self.environment)
            if where is not None:
                from cli.engine import initialise

                initialise.give_salt(self.root, self.environment, variables)
            self._make_stack(found, variables)

    def _make_stack(self, found: Binary, variables: dict[str, str]) -> None:
        """Another command may be about to do the same: its lock passes, and what it made is as good."""
        for left in reversed(range(_TRIES)):
            made = self._query(found, variables, ["stack", "init", "--no-select"])
            if made.code == 0 or "already exists" in made.err:
                return
            refusal = failures.classify(made.err + made.out, self.environment, made.code)
            if not left or not isinstance(refusal, failures.StackLocked):
                self._raise_if_failed(made)
            time.sleep(_LOOK_AGAIN)

    def _ask(self, *arguments: str) -> str:
        found = binary.find(self.progress)
        finished = self._query(found, environ.variables(self.root, dict(os.environ)), arguments)
        self._raise_if_failed(finished)
        return finished.out

    def _query(self, found: Binary, variables: dict[str, str], arguments: Sequence[str]) -> Finished:
        command = [str(found.path), *arguments, "--stack", self.environment, "--non-interactive"]
        with Running(command, cwd=self.root, env=variables) as running:
            finished = running.wait(self.environment)
        if finished.interrupted:
            raise Interrupted(f"{self.environment}: interrupted")
        return finished

    def _raise_if_failed(self, finished: Finished) -> None:
        if finished.code != 0:
            text = finished.err + finished.out
            raise failures.classify(text, self.environment, finished.code) or failures.unknown(text, self.environment)

    def _raise_unless_done(self, ended: Ended) -> None:
        if ended.finished.interrupted:
            raise Interrupted(f"{self.environment}: interrupted", why="it ended cleanly: the state is saved")
        if ended.error is not None and "resource monitor shut down" in str(ended.error) and ended.fold.diagnostics():
            raise self._failure(ended) from ended.error
        if ended.error is not None:
            raise as_turnout_error(ended.error) from ended.error
        if ended.finished.code != 0:
            raise self._failure(ended)

    def _failure(self, ended: Ended) -> TurnoutError:
        said = [entry.message for entry in ended.fold.diagnostics() if entry.severity == "error"]
        text = "\n".join(said) or ended.finished.err + ended.finished.out
        return failures.classify(text, self.environment) or failures.unknown(text, self.environment)

    def _outcome(self, ended: Ended) -> Outcome:
        fold, finished = ended.fold, ended.finished
        if ended.error is not None or fold.summary is None:
            self._raise_unless_done(ended)
        counts = fold.counts()
        return Outcome(
            environment=self.environment,
            ok=finished.code == 0 and not finished.interrupted,
            changes=fold.changes(),
            counts=counts,
            outputs=fold.outputs(),
            diagnostics=fold.diagnostics(),
            failures=fold.failures(),
            seconds=ended.seconds,
            engine=f"pulumi {ended.binary.version}",
            provider=ended.provider,
            interrupted=finished.interrupted,
            resources=sum(counts.values()) - counts.get("delete", 0) - counts.get("retain", 0),
            still=fold.still(),
        )


def check_settings(root: Path, environment: str) -> Settings:
    """The settings, secrets as placeholders. Raises TurnoutError (exit 2) with every fault of the settings file."""
    from infra.settings import SettingsError, load

    try:
        return load(root / f"Pulumi.{environment}.yaml", environment, placeholders=True)
    except SettingsError as error:
        raise as_turnout_error(error) from error


def _told(program: Program, cursor: Mapping[str, Tracks] | None) -> Program:
    """The program with the cursor, where it takes one."""
    if cursor is None or "cursor" not in inspect.signature(program).parameters:
        return program
    return partial(cast("Callable[..., object]", program), cursor=cursor)


_APPLY = ("--yes", "--skip-preview")


def _targets(urns: Sequence[str]) -> list[str]:
    return [word for urn in urns for word in ("--target", urn)]


def _message(text: str) -> list[str]:
    return ["--message", text] if text else []


def _update(entry: dict[str, Any]) -> Update:
    environment = entry.get("environment") or {}
    return Update(
        version=entry.get("version", 0),
        kind=entry["kind"],
        result=entry["result"],
        at=entry["startTime"],
        seconds=_seconds_between(entry["startTime"], entry.get("endTime") or entry["startTime"]),
        message=entry.get("message", ""),
        counts=entry.get("resourceChanges") or {},
        git=environment.get("git.head", ""),
    )


def _seconds_between(start: str, end: str) -> float:
    from datetime import datetime

    first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (start, end))
    return (last - first).total_seconds()
