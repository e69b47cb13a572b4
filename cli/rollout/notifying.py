"""Sends one notification to each address: `python -m cli.rollout.notifying < DOCUMENT`. Says nothing, ends in time.

The document: `urls` (Apprise addresses), `title`, `body`. Exit code 0: every address took it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any

LIMIT = 20.0
"""Seconds for all of them."""


def main() -> int:
    document = json.load(sys.stdin)
    _end_in(LIMIT)
    return 0 if deliver(document) else 1


def deliver(document: dict[str, Any]) -> bool:
    """Whether every address took it; one that is no address, or fails, keeps none of the others from it."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    known = apprise.Apprise(asset=apprise.AppriseAsset(app_id="turnout", secure_logging=True))
    understood = [known.add(url) for url in document["urls"]]
    told = known.notify(body=document["body"], title=document["title"])
    return all(understood) and bool(told)


def _end_in(seconds: float) -> None:
    """Whatever an address keeps it waiting for."""
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    sys.exit(main())
