"""Tells people of a rollout: its start, a failed gate, its end, a rollback. Best effort, and never waited for.

Addresses are secrets. They come from the cluster, go to a process of their own by its standard input, and are in no
argument, no message and no error.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any, Final

from cli.rollout import aside
from cli.rollout.control import namespace
from components.names import NOTIFY

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from components.rollout.settings import Event

_TITLES: Final = {
    "start": "a rollout of {} began",
    "gate": "a gate of the rollout of {} failed",
    "end": "the rollout of {} ended",
    "rollback": "{} was rolled back",
}
_sending: list[subprocess.Popen[bytes]] = []


def send(kube: Kube, environment: str, event: Event, text: str) -> None:
    """Tell everybody who wants to hear of such an event; returns at once, and whatever fails is passed over."""
    _begin(kube, environment, event, title(environment, event), text)


def rollback_failed(kube: Kube, environment: str, why: str) -> None:
    """As `send`, to whoever wants to hear of a rollback."""
    failed = f"the rollback of {environment} failed"
    _begin(kube, environment, "rollback", f"turnout: {failed}", f"{failed}: {why}")


def wanted(secret: dict[str, Any] | None, event: Event) -> list[str]:
    """The addresses in that Secret that are to hear of the event."""
    rows = [json.loads(base64.b64decode(value)) for _, value in sorted(((secret or {}).get("data") or {}).items())]
    return [str(row["url"]) for row in rows if event in row["when"]]


def understood(kube: Kube, environment: str) -> tuple[list[str], list[str]]:
    """The names whose address Apprise does not understand, and those whose it does. Raises Forbidden."""
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    rows = ((kube.find("v1", "Secret", NOTIFY, namespace(environment)) or {}).get("data") or {}).items()
    known = {name for name, value in rows if apprise.Apprise().add(json.loads(base64.b64decode(value))["url"])}
    return sorted(name for name, _ in rows if name not in known), sorted(known)


def title(environment: str, event: Event) -> str:
    return f"turnout: {_TITLES[event].format(environment)}"


def _begin(kube: Kube, environment: str, event: Event, title: str, text: str) -> None:
    aside.begin(kube, lambda own: _send(own, environment, event, title, text), "notifications")


def _send(kube: Kube, environment: str, event: Event, title: str, text: str) -> None:
    urls = wanted(kube.find("v1", "Secret", NOTIFY, namespace(environment)), event)
    if urls:
        with _as_file({"urls": urls, "title": title, "body": text}) as file:
            _start(file)


def _start(file: IO[bytes]) -> None:
    """In a process of its own: it outlives the command, takes none of its time, and hears none of its signals."""
    _sending[:] = [process for process in _sending if process.poll() is None]
    command = [sys.executable, "-m", "cli.rollout.notifying"]
    quiet = subprocess.DEVNULL
    _sending.append(subprocess.Popen(command, stdin=file, stdout=quiet, stderr=quiet, start_new_session=True))


def _as_file(document: dict[str, Any]) -> IO[bytes]:
    """A nameless file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(json.dumps(document).encode())
    file.seek(0)
    return file
