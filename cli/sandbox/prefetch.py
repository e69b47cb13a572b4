"""Downloads the modules of the parts to come while an earlier one compiles: the network works beside the processors."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence

from cli.sandbox.parts import Part
from cli.sandbox.toolchain import Go


def command(part: Part, go: Go) -> list[str]:
    """The child process that downloads what the part's build needs and no more, and compiles nothing."""
    tags = [f"-tags={','.join(part.tags)}"] if part.tags else []
    packages = [program.package for program in part.programs]
    return [str(go.command), "list", "-mod=readonly", "-deps", *tags, *packages]


@contextlib.contextmanager
def ahead(coming: Sequence[Part], go: Go, environment: Mapping[str, str]) -> Iterator[None]:
    """Downloads for `coming`, one part at a time and in that order, for as long as the block lasts.

    A download that fails is left to the part's own build, which says why.
    """
    download = _Download(coming, go, environment)
    if coming:
        download.start()
    try:
        yield
    finally:
        download.stop()


class _Download(threading.Thread):
    def __init__(self, coming: Sequence[Part], go: Go, environment: Mapping[str, str]) -> None:
        super().__init__(name="module downloads", daemon=True)
        self._coming, self._go, self._environment = coming, go, environment
        self._lock = threading.Lock()
        self._stopped = False
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        for part in self._coming:
            child = self._begin(part)
            if child is None:
                return
            child.wait()

    def stop(self) -> None:
        """Ends the download under way and everything that it started, and waits for that."""
        with self._lock:
            self._stopped = True
            if self._child and self._child.poll() is None:
                with contextlib.suppress(ProcessLookupError):  # it may have ended while `run` waits for it
                    os.killpg(self._child.pid, signal.SIGTERM)
        if self.is_alive():
            self.join()

    def _begin(self, part: Part) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopped:
                return None
            self._child = subprocess.Popen(
                command(part, self._go),
                cwd=part.module,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
            return self._child
