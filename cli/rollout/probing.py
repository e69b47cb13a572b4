"""Probe traffic: asks the real entries of services all along a rollout, and notices the first request that is dropped.

Open loop: a request is sent when its time has come, whatever the answers are, and none is sent twice. Every other one
goes over a new connection, the rest over kept-alive ones. It runs in a thread of its own beside the driver.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import UsageError
from cli.rollout.entries import HTTPS, Entry

if TYPE_CHECKING:
    import httpx2

RATE = 5.0
"""Requests a second for each entry: enough to meet what lasts half a second, too few to weigh on anything."""
TIMEOUT = 5.0
"""Seconds that a request has. Longer than a slow answer, so that slow is the gates' business and dropped is ours."""
KEPT = 2
"""Connections that are kept alive for each entry."""
FIRST_TRIES, FIRST_PAUSE = 3, 0.5
"""Before the rollout an entry may take a moment to be reached for the first time."""
LONGEST_CAUSE = 200


@dataclass(frozen=True)
class Dropped:
    """A request that got no good answer. `at` is in seconds of the wall clock, `seconds` how long it took."""

    service: str
    url: str
    connection: str
    outcome: str
    at: float
    seconds: float

    def __str__(self) -> str:
        when = time.strftime("%H:%M:%S", time.localtime(self.at))
        how = f"over a {self.connection} connection at {when}"
        return f"{self.service}: GET {self.url} {how}: {self.outcome} after {self.seconds:.2f} s"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Probe:
    """As a context: probes for the length of the block. `failed` is the first dropped request, None without one.

    Entering raises UsageError when an entry does not answer before anything was changed.
    """

    def __init__(self, entries: Sequence[Entry], *, rate: float = RATE, verify: ssl.SSLContext | bool = True) -> None:
        self.entries, self._rate, self._verify = list(entries), rate, verify
        self.failed: Dropped | None = None
        self.sent = 0
        self.failures = 0
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._wrong: UsageError | None = None
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)

    def __enter__(self) -> Probe:
        self._thread.start()
        self._ready.wait()
        if self._wrong is not None:
            raise self._wrong
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Send nothing more; returns once each request that was sent is answered or given up."""
        self._ended.set()
        self._thread.join()

    @property
    def counts(self) -> dict[str, int]:
        """How many requests were answered or given up so far."""
        return {"sent": self.sent, "failed": self.failures}

    def _run(self) -> None:
        try:
            asyncio.run(self._probe())
        except UsageError as wrong:
            self._wrong = wrong
        except Exception as error:  # a probe that is dead must not look like one that sees nothing wrong
            self.failed = self.failed or _dead(self.entries[0], error)
        finally:
            self._ready.set()

    async def _probe(self) -> None:
        async with AsyncExitStack() as stack:
            askers = [await _Asker(entry, self._verify).opened(stack) for entry in self.entries]
            await asyncio.gather(*(asker.first() for asker in askers))
            self._ready.set()
            await asyncio.gather(*(self._keep_asking(asker) for asker in askers))

    async def _keep_asking(self, asker: _Asker) -> None:
        start, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as under_way:
            while not self._ended.is_set():
                wait = start + number / self._rate - time.monotonic()
                if wait <= 0:
                    under_way.create_task(self._count(asker, number))
                    number += 1
                await asyncio.sleep(max(0.0, min(wait, 1 / self._rate)))

    async def _count(self, asker: _Asker, number: int) -> None:
        dropped = await asker.ask(number)
        self.sent += 1
        if dropped:
            self.failures += 1
            self.failed = self.failed or dropped


class _Asker:
    """Asks one entry. A client has one connection, so that it is known which kind a request goes over."""

    def __init__(self, entry: Entry, verify: ssl.SSLContext | bool) -> None:
        self.entry, self._verify = entry, verify if entry.scheme == HTTPS else False
        self._new: httpx2.AsyncClient | None = None
        self._kept: list[httpx2.AsyncClient] = []

    async def opened(self, stack: AsyncExitStack) -> _Asker:
        self._new = await stack.enter_async_context(_client(self._verify, kept=0))
        self._kept = [await stack.enter_async_context(_client(self._verify, kept=1)) for _ in range(KEPT)]
        return self

    async def first(self) -> None:
        """Raises UsageError when the entry gives no good answer although nothing was changed yet."""
        for _ in range(FIRST_TRIES):
            dropped = await self.ask(0)
            if dropped is None:
                return
            await asyncio.sleep(FIRST_PAUSE)
        raise UsageError(
            f"the probe gets no good answer from {self.entry.service} before the rollout",
            why=str(dropped),
            next="name an address and path that answer: --probe-url https://…",
        )

    async def ask(self, number: int) -> Dropped | None:
        """One request; what became of it when it was not answered with a status below 400."""
        kept = bool(number % 2)
        client = self._kept[number // 2 % KEPT] if kept else self._new
        assert client is not None
        at, began = time.time(), time.monotonic()
        outcome = await _outcome(client, self.entry, kept=kept)
        if not outcome:
            return None
        connection = "kept-alive" if kept else "new"
        took = time.monotonic() - began
        return Dropped(self.entry.service, self.entry.url, connection, outcome, round(at, 3), round(took, 3))


async def _outcome(client: httpx2.AsyncClient, entry: Entry, *, kept: bool) -> str:
    """ "" when the answer was good."""
    import httpx2

    headers = {"host": _authority(entry), "connection": "keep-alive" if kept else "close"}
    try:
        async with asyncio.timeout(TIMEOUT):
            answer = await client.get(
                entry.origin + entry.path, headers=headers, extensions={"sni_hostname": entry.host}
            )
    except (TimeoutError, httpx2.TimeoutException):
        return f"no answer in {TIMEOUT:.0f} s"
    except httpx2.HTTPError as error:
        return str(error)[:LONGEST_CAUSE] or type(error).__name__
    return f"status {answer.status_code}" if answer.status_code >= 400 else ""


def _dead(entry: Entry, error: Exception) -> Dropped:
    return Dropped(entry.service, entry.url, "new", f"the probe itself ended: {error!r}", time.time(), 0.0)


def _authority(entry: Entry) -> str:
    return entry.url.split("/")[2]


def _client(verify: ssl.SSLContext | bool, *, kept: int) -> httpx2.AsyncClient:
    """Without proxies, redirects or another try."""
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=kept)
    return httpx2.AsyncClient(
        limits=limits, timeout=TIMEOUT, verify=verify, trust_env=False, headers={"user-agent": "turnout-probe"}
    )
