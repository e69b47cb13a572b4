"""A release that is ready is seen to be, whatever happens to the watch meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from cli.progress import Silent
from cli.rollout import wait


class Breaking:
    """Its first watch fails in a way that nobody foresaw; the next one stays open until the test is over."""

    def __init__(self, live: dict[str, Any]) -> None:
        self.live, self.watches, self.over = live, 0, threading.Event()

    def watch(self, *_: str) -> Iterator[tuple[str, dict[str, Any]]]:
        self.watches += 1
        if self.watches == 1:
            raise ValueError("the credential plugin printed no JSON")
        yield "ADDED", self.live
        self.over.wait(30)


def test_a_watch_that_fails_in_any_way_is_made_again(make: SimpleNamespace) -> None:
    kube: Any = Breaking(make.ready(make.deployment("api", "1")))
    wanted = [("Deployment", "dev", "api-a")]
    with Silent().step("waiting") as step:
        found = wait.rolled_out(kube, wanted, {}, timeout=10, step=step, check=lambda: None)
    kube.over.set()
    assert wait.is_done(found)
