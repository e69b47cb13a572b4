"""The schedule, and what happens to each request on it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from cli.load.exchange import Answer, Broken, Connection, get
from cli.load.sockets import EVERY, Socket
from cli.load.tally import Sent, Tally, identity
from cli.load.target import Target

CONNECT = 1.0
"""Seconds that a connection has to come about: a client whose first SYN is lost sends it again after one."""

ANSWER = 5.0
"""Seconds that an ordinary request has, its connection included. What took over a second is counted as well."""

BLINK = 0.01
"""Seconds between two looks at the clock, by which the generator notices that it was stalled itself."""

LONGEST_STALL = 10.0
"""The most seconds that a request gets in addition, for stalls of this machine."""

SLOW_SECONDS = 5
"""Seconds that a slow request is under way on purpose; it has twice that."""


@dataclass(frozen=True)
class Plan:
    """What to send: `rate` requests a second to the target's path, `slow_rate` a second to `slow_path`, and a message a
    second over each of `sockets` WebSocket connections to `socket_path`."""

    target: Target
    rate: float
    seconds: float
    kept: int = 16
    slow_path: str = ""
    slow_rate: float = 1.0
    socket_path: str = ""
    sockets: int = 0


class _Timer:
    """Ends a request that has had its time. Answers that have come by then are taken first."""

    def __init__(self, seconds: float, limit: asyncio.Timeout, stalled: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds, self._limit, self._stalled = seconds, limit, stalled
        self._began, self._before = self._loop.time(), stalled()
        self._handle: asyncio.Handle = self._loop.call_later(seconds, self._due)

    def cancel(self) -> None:
        self._handle.cancel()

    def _due(self) -> None:
        end = self._began + self._seconds + min(self._stalled() - self._before, LONGEST_STALL)
        if self._loop.time() < end:
            self._handle = self._loop.call_at(end, self._due)
        else:
            self._handle = self._loop.call_soon(self._limit.reschedule, self._began)


class Generator:
    """Sends a plan. `stop` ends it early; requests under way are waited for."""

    def __init__(self, plan: Plan, processors: Callable[[], float] = lambda: 0.0) -> None:
        """`processors`: the seconds that this machine's own stood still so far."""
        self.plan = plan
        self._processors = processors
        self.tally = Tally()
        self._idle: deque[Connection] = deque()
        self._open = 0
        self._renewals = 0
        self._stopped = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._stalled = 0.0
        self._offset = time.time() - time.monotonic()
        host = plan.target.host
        self._new = get(host, plan.target.path, keep=False)
        self._kept = get(host, plan.target.path, keep=True)
        self._slow = get(host, plan.slow_path, keep=False)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()

    def renew(self) -> None:
        """Open every kept connection anew: those that rest end now, those under way once they are answered."""
        self._renewals += 1
        while self._idle:
            self._idle.popleft().close()

    async def run(self) -> dict[str, Any]:
        """Send everything; the result is plain data (see Tally.result)."""
        began = time.monotonic()
        schedules = [self._send(self.plan.rate, self._ordinary)]
        if self.plan.slow_path:
            schedules.append(self._send(self.plan.slow_rate, self._slow_one))
        schedules += [self._talk(number) for number in range(self.plan.sockets)]
        watching = asyncio.create_task(self._watch_own_stalls())
        await asyncio.gather(*schedules)
        ended = time.monotonic()
        if self._under_way:
            await asyncio.wait(self._under_way)
        watching.cancel()
        self.tally.stalled, self.tally.processors = self._stalled, self._processors()
        for connection in self._idle:
            connection.close()
        plan = self.plan
        url = f"http://{plan.target.host}:{plan.target.port}{plan.target.path}"
        return self.tally.result(url=url, rate=plan.rate, began=began + self._offset, ended=ended + self._offset)

    async def _send(self, rate: float, one: Any) -> None:
        start, number = time.monotonic(), 0
        while not self._stopped.is_set() and number < rate * self.plan.seconds:
            due = start + number / rate
            if (wait := due - time.monotonic()) > 0:
                await self._sleep(wait)
                continue
            task = asyncio.create_task(one(number, due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            number += 1
            await asyncio.sleep(0)

    async def _watch_own_stalls(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BLINK)
            self._stalled += max(0.0, time.monotonic() - before - 2 * BLINK)

    async def _sleep(self, seconds: float) -> None:
        if seconds < 0.1:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    async def _ordinary(self, number: int, due: float) -> None:
        if number % 2:
            await self._count("kept", due, self._ask_kept())
        else:
            await self._count("new", due, self._ask_new(self._new))

    async def _slow_one(self, number: int, due: float) -> None:  # noqa: ARG002
        await self._count("slow", due, self._ask_new(self._slow), timeout=2 * SLOW_SECONDS)

    async def _talk(self, number: int) -> None:
        """One WebSocket connection; they take turns within each second."""
        target = self.plan.target
        due = time.monotonic() + EVERY * number / self.plan.sockets
        end = due + self.plan.seconds
        async with Socket(f"ws://{target.host}:{target.port}{self.plan.socket_path}") as socket:
            while due < end and not self._stopped.is_set():
                await self._listen(socket, due)
                await self._count("socket", due, socket.ask(f"{number} at {due}"))
                due += EVERY

    async def _listen(self, socket: Socket, due: float) -> None:
        began = time.monotonic()
        try:
            await socket.listen(due - began)
        except Broken as broken:
            self._add("socket", due, began, str(broken))

    async def _count(self, kind: str, due: float, asking: Any, *, timeout: float | None = None) -> None:
        sent = time.monotonic()
        version = pod = ""
        try:
            async with self._within(timeout or ANSWER):
                answer: Answer = await asking
            outcome = "ok" if answer.status == 200 else f"status {answer.status}"
            version, pod = identity(answer.body)
        except TimeoutError:
            outcome = "timeout"
        except Broken as broken:
            outcome = str(broken)
        except OSError as error:
            outcome = "refused" if isinstance(error, ConnectionRefusedError) else "unreachable"
        self._add(kind, due, sent, outcome, version, pod)

    def _add(self, kind: str, due: float, sent: float, outcome: str, version: str = "", pod: str = "") -> None:
        o = self._offset
        self.tally.add(Sent(kind, due + o, sent + o, time.monotonic() + o, outcome, version, pod))

    @contextlib.asynccontextmanager
    async def _within(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError after so long, not counting what the generator itself, or a processor, was stalled."""
        async with asyncio.timeout(None) as limit:
            timer = _Timer(seconds, limit, lambda: self._stalled + self._processors())
            try:
                yield
            finally:
                timer.cancel()

    async def _ask_new(self, request: bytes) -> Answer:
        connection = await self._connect()
        try:
            return await connection.ask(request)
        finally:
            connection.close()

    async def _ask_kept(self) -> Answer:
        renewals = self._renewals
        connection = self._take() or await self._connect()
        try:
            answer = await connection.ask(self._kept)
        except BaseException:
            connection.close()
            raise
        if renewals != self._renewals:
            connection.close()
        elif connection.usable:
            self._idle.append(connection)
        return answer

    def _take(self) -> Connection | None:
        """The connection that rested longest, once there are enough; those that ended meanwhile are left out."""
        while len(self._idle) >= self.plan.kept or (self._idle and not self._idle[0].usable):
            connection = self._idle.popleft()
            if connection.usable:
                return connection
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with self._within(CONNECT):
                _, connection = await loop.create_connection(Connection, self.plan.target.host, self.plan.target.port)
        except TimeoutError:
            raise Broken("connect timeout") from None
        return connection
