"""The environment's lock: one at a time changes an environment, and everybody else hears who.

`environment_lock` takes the Lease `lock` in the control namespace, keeps it alive with a heartbeat and leaves it
however the block ends, by a signal too. Every write carries the Lease's resourceVersion: of two that take it at once
one wins.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.errors import Locked, TurnoutError
from cli.interrupts import as_keyboard_interrupt
from cli.kube.errors import AlreadyExists, Conflict, Forbidden, NotFound
from cli.progress import Progress, Silent, Step
from cli.rollout import identity, lease, process
from cli.rollout.control import MANAGER, in_namespace, namespace, stamp
from cli.rollout.lease import Claim, Holder, Lease, Silence

if TYPE_CHECKING:
    from cli.kube.client import Kube

TakeOver = Callable[[Holder], bool]
"""Whether the lock may be taken from this living holder."""
Change = Callable[[Lease], Lease]

_TAKING = tuple(f"turnout {one} " for one in ("up", "destroy", "rollback", "rollout start", "rollout resume"))
_LOOK_AGAIN = 0.5
_TRIES = 5
_PATIENCE = 8.0
"""Seconds for each answer that keeps the lock: several tries fit between a heartbeat and the end of the lease."""
_LEASE = ("coordination.k8s.io/v1", "Lease", lease.NAME)


class Held:
    """The lock while we have it. Thread-safe.

    It is kept on a client of its own, one request at a time, and so on a single connection: when the network drops
    what was established, one short try finds that out, not one long try for each idle connection of the driver.
    """

    def __init__(self, kube: Kube, environment: str, current: Lease, claim: Claim) -> None:
        self.environment = environment
        self.claim = claim
        self._kube = kube
        self._own = kube.beside(_PATIENCE)
        self._current = current
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._taken_by = ""
        self._kept_alive = _now()

    @property
    def guarded(self) -> dict[str, Any]:
        """What every move is made with: the claim that marks it, and the question whether it is still ours."""
        return {"fence": self.claim.token, "check": self.check}

    def check(self) -> None:
        """Raises Locked when somebody else took the lock over: nothing may be written any more."""
        if self.lost:
            raise Locked(
                f"the lock of {self.environment} is no longer ours",
                why=self._why_lost(),
                next=f"turnout status {self.environment}",
            )

    def _why_lost(self) -> str:
        if self._taken_by:
            return f"its heartbeat failed for too long, and it was taken over by {self._taken_by}"
        return "its heartbeat failed for too long: somebody may have taken it over"

    @property
    def lost(self) -> bool:
        """Whether somebody else may have it by now: a heartbeat that takes long does not hide it."""
        if _now() - self._kept_alive > lease.DURATION:
            self._lost.set()
        return self._lost.is_set()

    def phase(self, text: str) -> None:
        """Tell others what is being done right now (`turnout rollout status`)."""
        with suppress(TurnoutError):
            self._note(lambda current: lease.noted(current, "phase", text))

    @property
    def abort(self) -> str:
        """Who asked for an abort, as of the last look; empty: nobody."""
        owner = lease.holder(self._current)
        return owner.abort if owner else ""

    def look(self) -> None:
        """Read the Lease again: an abort asked for, a lock lost."""
        with self._guard:
            if not self._ended.is_set():
                self._reread(self._own)

    def beat(self) -> None:
        """Keep the lock alive until `release`. Failures are retried; losing the lock ends it."""
        while not self._ended.wait(lease.HEARTBEAT if self._is_fresh() else 1) and not self.lost:
            with suppress(TurnoutError):
                self._note(lambda current: lease.renewed(current, stamp()))

    def release(self) -> None:
        """Leave the lock, unless it was lost; a server that is busy just then is asked again."""
        self._ended.set()
        with self._guard, self._own:
            for kube in (self._own, self._kube):
                try:
                    self._write(kube, lease.released)
                    break
                except TurnoutError:
                    continue

    def _is_fresh(self) -> bool:
        return _now() - self._kept_alive < lease.HEARTBEAT

    def _note(self, change: Change) -> None:
        with self._guard:
            if not self._ended.is_set():
                self._write(self._own, change)

    def _write(self, kube: Kube, change: Change) -> None:
        for _ in range(3):
            if self._lost.is_set():
                return
            try:
                asked = _now()
                self._current = kube.replace(change(self._current), MANAGER)
                self._kept_alive = asked
                return
            except (Conflict, NotFound):
                self._reread(kube)

    def _reread(self, kube: Kube) -> None:
        found = kube.find(*_LEASE, namespace(self.environment))
        owner = lease.holder(found)
        if found is None or owner is None or owner.token != self.claim.token:
            self._taken_by = f"{owner.identity} ({owner.command})" if owner else ""
            self._lost.set()
        else:
            self._current = found


@contextmanager
def environment_lock(
    kube: Kube,
    environment: str,
    *,
    command: str,
    reason: str = "",
    wait: float = 0,
    progress: Progress | None = None,
    take_over: TakeOver | None = None,
) -> Iterator[Held]:
    """Holds the environment for the block. `wait`: seconds to wait for a living holder; a dead one is replaced.

    `take_over` is asked before the lock is taken from a living holder, whose next write then fails; it is audited.
    Raises Locked (exit 5), which names the owner and the next command.
    """
    with as_keyboard_interrupt():
        claim = _claim(command, reason)
        try:
            taken, loser = _taken_over(kube, environment, claim, take_over) if take_over else (None, None)
            found = taken or _acquire(kube, environment, claim, wait, progress or Silent())
        except KeyboardInterrupt:
            _leave(kube, environment, claim)
            raise
        held = Held(kube, environment, found, claim)
        try:
            threading.Thread(target=held.beat, name="lock heartbeat", daemon=True).start()
            if loser:
                _audit(kube, environment, claim, loser)
            yield held
        finally:
            held.release()


def current(kube: Kube, environment: str) -> Holder | None:
    """Who holds the environment now."""
    return lease.holder(_find(kube, environment))


def ask_abort(kube: Kube, environment: str, who: str) -> Holder | None:
    """Ask the holder to stop and roll back; None when nobody holds the lock."""
    while found := _find(kube, environment):
        owner = lease.holder(found)
        if owner is None:
            return None
        try:
            kube.replace(lease.noted(found, "abort", who), MANAGER)
            return owner
        except Conflict:
            continue
    return None


def dead(kube: Kube, environment: str) -> bool:
    """Whether the holder is certainly dead, without waiting for it."""
    found = _find(kube, environment)
    owner = lease.holder(found)
    return bool(found and owner and _certainly_dead(kube, found, owner, silent=0.0))


def living(kube: Kube, environment: str) -> Holder | None:
    """Who holds the environment now, and is not certainly dead."""
    found = _find(kube, environment)
    owner = lease.holder(found)
    return None if found and owner and _certainly_dead(kube, found, owner, silent=0.0) else owner


def _now() -> float:
    """Seconds on a clock that goes on while the machine sleeps, where there is one: everybody else's do."""
    asleep_too = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if asleep_too is None else time.clock_gettime(asleep_too)


def local_user() -> str:
    """`user@host` of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _taken_over(
    kube: Kube, environment: str, claim: Claim, agreed: TakeOver
) -> tuple[Lease, Holder] | tuple[None, None]:
    """The Lease and who lost it; none where there is no living holder, or somebody else was faster."""
    found = _find(kube, environment)
    owner = lease.holder(found)
    if found is None or owner is None or _certainly_dead(kube, found, owner, silent=0.0):
        return None, None
    if not agreed(owner):
        raise _locked(environment, owner, claim)
    for _ in range(_TRIES):
        found = _find(kube, environment)
        now = lease.holder(found)
        if found is None or now is None or now.token != owner.token:
            break
        with suppress(Conflict):
            return kube.replace(lease.taken(found, environment, claim, stamp()), MANAGER), owner
    return None, None


def _leave(kube: Kube, environment: str, claim: Claim) -> None:
    """The server may have given it to us, although its answer was not heard any more."""
    with suppress(TurnoutError):
        found = _find(kube, environment)
        owner = lease.holder(found)
        if found is not None and owner is not None and owner.token == claim.token:
            kube.replace(lease.released(found), MANAGER)


def _audit(kube: Kube, environment: str, claim: Claim, loser: Holder) -> None:
    from cli.rollout import audit

    what, said = f"{claim.command} --take-over", f"took the lock from {loser.identity}, which ran {loser.command}"
    audit.write(kube, environment, audit.entry(kube, what, why=claim.reason, outcome=said))


def _acquire(kube: Kube, environment: str, claim: Claim, wait: float, progress: Progress) -> Lease:
    found = _find(kube, environment)
    taken = _try_take(kube, environment, found, claim, silent=0.0)
    if taken is not None:
        return taken
    owner = lease.holder(found)
    suspected = bool(found and owner and lease.server_silence(found, identity.server_time(kube)) > lease.DURATION)
    if owner and not wait and not suspected:
        raise _locked(environment, owner, claim)
    with progress.step(f"waiting for the lock of {environment}") as step:
        return _wait_for(kube, environment, claim, max(wait, lease.DURATION + 1 if suspected else 0), step)


def _wait_for(kube: Kube, environment: str, claim: Claim, patience: float, step: Step) -> Lease:
    silence = Silence()
    until = time.monotonic() + patience
    while True:
        found = _find(kube, environment)
        owner = lease.holder(found)
        now = time.monotonic()
        silent = silence.observe(owner, now) if owner else 0.0
        if (taken := _try_take(kube, environment, found, claim, silent)) is not None:
            return taken
        if owner and now >= until:
            raise _locked(environment, owner, claim)
        if owner:
            step.update(f"{owner.who} on {owner.host} runs {owner.command}; last heartbeat seen {silent:.0f} s ago")
        time.sleep(_LOOK_AGAIN)


def _try_take(kube: Kube, environment: str, found: Lease | None, claim: Claim, silent: float) -> Lease | None:
    """The Lease when it is ours now; None while somebody has it, or was faster."""
    owner = lease.holder(found)
    if found is not None and owner is not None and not _certainly_dead(kube, found, owner, silent):
        return None
    wanted = lease.taken(found, environment, claim, stamp())
    try:
        if found is not None:
            return kube.replace(wanted, MANAGER)
        return in_namespace(kube, environment, lambda: kube.create(wanted, MANAGER))
    except (Conflict, AlreadyExists):
        return None


def _certainly_dead(kube: Kube, found: Lease, owner: Holder, silent: float) -> bool:
    if silent >= lease.DURATION or owner.process_gone:
        return True
    return lease.server_silence(found, identity.server_time(kube)) >= lease.CERTAIN


def _find(kube: Kube, environment: str) -> Lease | None:
    try:
        return kube.find(*_LEASE, namespace(environment))
    except Forbidden as error:
        error.next = f"ask for get, create and update of leases in namespace {namespace(environment)}"
        raise


def _claim(command: str, reason: str) -> Claim:
    return Claim(local_user(), command, reason, os.getpid(), process.mine(), secrets.token_hex(8))


def _locked(environment: str, owner: Holder, claim: Claim) -> Locked:
    held_for = lease.age(owner.since, datetime.now(UTC))
    why = f"{owner.who} on {owner.host} has held it for {held_for} (pid {owner.pid}): {owner.command}"
    if owner.reason:
        why += f" ({owner.reason})"
    if owner.phase:
        why += f"; now: {owner.phase}"
    return Locked(f"{environment} is locked", why=why, next=_next(environment, owner, claim))


def _next(environment: str, owner: Holder, claim: Claim) -> str:
    again = claim.command if "--wait" in claim.command else f"{claim.command} --wait 600"
    if owner.drives:
        return f"{again}   (or end it: turnout rollout abort {environment})"
    if claim.command.startswith(_TAKING):
        return f"{again}   (or take it from them: {claim.command} --take-over)"
    return again
