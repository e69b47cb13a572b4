"""A copy of all objects of one kind, kept up to date by a watch."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cli.kube.client import Kube

Object = dict[str, Any]
CYCLE = 60  # seconds after which everything is listed anew, whatever the watch said
RETRY = 1.0


class Mirror:
    """Follows one kind in a thread of its own, as long as the process lives; `changed` is called after each change."""

    def __init__(self, kube: Kube, api_version: str, kind: str, changed: Callable[[], None]) -> None:
        self._kube, self._api_version, self._kind, self._changed = kube, api_version, kind, changed
        self._objects: dict[str, Object] = {}
        self._lock = threading.Lock()
        self.synced = False
        threading.Thread(target=self._follow, name=kind, daemon=True).start()

    def all(self) -> list[Object]:
        with self._lock:
            return list(self._objects.values())

    def _follow(self) -> None:
        while True:
            try:
                self._cycle()
            except Exception as error:
                print(f"{self._kind}: {type(error).__name__}: {error}; trying again", file=sys.stderr, flush=True)
                time.sleep(RETRY)

    def _cycle(self) -> None:
        found = self._kube.run(self._kube.server.list(self._api_version, self._kind, None, labels=None, fields=None))
        with self._lock:
            self._objects = {each["metadata"]["uid"]: each for each in found["items"]}
        self.synced = True
        self._changed()
        version = found["metadata"]["resourceVersion"]
        for event, each in self._kube.watch(self._api_version, self._kind, resource_version=version, seconds=CYCLE):
            with self._lock:
                if event == "DELETED":
                    self._objects.pop(each["metadata"]["uid"], None)
                else:
                    self._objects[each["metadata"]["uid"]] = each
            self._changed()
