"""`python -m cli.load --url http://127.0.0.1:8080/ --rate 250 --seconds 60 --out result.json`

Ends by itself after `--seconds`, or at SIGTERM or SIGINT with what was counted so far. At SIGUSR1 it opens the
connections that it keeps alive anew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from cli.errors import TurnoutError
from cli.load.generator import SLOW_SECONDS, Generator, Plan
from cli.load.processors import Processors
from cli.load.target import target

LONGEST = 3600.0
"""No run is longer than this, whatever is asked for."""
SOCKET_PATH = "/v1/echo"


def main(arguments: list[str] | None = None) -> int:
    """Run the generator; 0 when nothing failed, 1 when something did, 2 for wrong use."""
    chosen = _parser().parse_args(arguments)
    try:
        aim = target(chosen.url, sandbox=chosen.sandbox)
    except TurnoutError as error:
        sys.stderr.write(f"load: {error}\n")
        return error.exit_code
    slow = f"/v1/slow?seconds={SLOW_SECONDS}" if chosen.slow_rate else ""
    seconds = min(chosen.seconds, LONGEST)
    sockets = {"socket_path": SOCKET_PATH, "sockets": chosen.sockets}
    plan = Plan(aim, chosen.rate, seconds, slow_path=slow, slow_rate=chosen.slow_rate, **sockets)
    _ahead_of_others()
    with Processors() as processors:
        result = asyncio.run(_run(plan, processors))
    _write(chosen.out, result)
    return 1 if result["failed"] else 0


async def _run(plan: Plan, processors: Processors) -> dict[str, Any]:
    generator = Generator(plan, processors.stalled)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, generator.stop)
    loop.add_signal_handler(signal.SIGUSR1, generator.renew)
    return await generator.run()


def _ahead_of_others() -> None:
    """A gauge must not be what stalls; an ordinary user may not ask for this, and does without."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with contextlib.suppress(OSError):
        os.nice(-5)


def _write(out: Path, result: dict[str, Any]) -> None:
    fresh = out.with_suffix(".part")
    fresh.write_text(json.dumps(result) + "\n")
    fresh.replace(out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cli.load", description=__doc__)
    parser.add_argument("--url", required=True, help="a path that answers with version and pod")
    parser.add_argument("--rate", type=float, default=250, help="requests a second (default 250)")
    parser.add_argument("--seconds", type=float, default=60, help=f"how long (default 60, at most {LONGEST:.0f})")
    parser.add_argument("--slow-rate", type=float, default=1, help="slow requests a second (default 1; 0 for none)")
    parser.add_argument("--sockets", type=int, default=0, help="WebSocket connections kept open (default 0)")
    parser.add_argument("--sandbox", metavar="CIDR", help="the service network of a sandbox on this machine")
    parser.add_argument("--out", type=Path, required=True, help="where the result goes (JSON)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
