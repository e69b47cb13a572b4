"""`python -m tests.soak`: kill processes at random points, and roll out and back under load; nothing may be lost."""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness import COMMAND
from tests.soak.killing import SABOTAGE, kill
from tests.soak.rollouts.run import judge, roll, write

KILLS, ROLLOUTS, RUNS = 200, 20, 20
JUDGED = (
    f"both bad releases, RUNS good ones and as many without traffic; default {RUNS}, none when others are asked for"
)
REQUESTS_A_ROLLOUT = 10_000
"""With 20 rollouts there are 200,000."""


def main() -> int:
    """All parts, or those that were asked for; 0 when nothing falls short."""
    asked = arguments()
    wrong = []
    if asked.kills:
        with sandbox(asked.sandbox, "soak", "simulated") as name:
            wrong += kill(asked, name)
    if asked.rollouts or asked.judged is not None:
        with sandbox(asked.sandbox, "soak-rollouts", "real") as name:
            wrong += _rolled(asked, name)
    if asked.write:
        write()
    print("\n".join(f"FALLS SHORT: {one}" for one in wrong) or "nothing falls short")
    return 1 if wrong else 0


def _rolled(asked: argparse.Namespace, name: str) -> list[str]:
    wrong = []
    if asked.rollouts:
        wrong += roll(asked.rollouts, asked.requests or asked.rollouts * REQUESTS_A_ROLLOUT, name)
    if asked.judged is not None:
        wrong += judge(asked.judged, name)
    return wrong


@contextmanager
def sandbox(running: str, own: str, pods: str) -> Iterator[str]:
    """The sandbox that runs already, or one for the length of the block."""
    if running:
        yield running
        return
    subprocess.run([COMMAND, "sandbox", "up", own, "--pods", pods], check=True)
    try:
        yield own
    finally:
        subprocess.run([COMMAND, "sandbox", "down", own], check=False)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, help=f"how many; default {KILLS}, none when only rollouts are asked for")
    parser.add_argument(
        "--rollouts", type=int, help=f"how many; default {ROLLOUTS}, none when only kills are asked for"
    )
    parser.add_argument("--judged", type=int, metavar="RUNS", help=f"gates: {JUDGED}")
    parser.add_argument("--requests", type=int, help=f"at least that many; default {REQUESTS_A_ROLLOUT} a rollout")
    parser.add_argument("--write", action="store_true", help="put the figures of rollouts into docs/performance.md")
    parser.add_argument("--sandbox", default="", help="one that runs already; default: one of its own for each part")
    of_kills = parser.add_argument_group("kills")
    of_kills.add_argument("--seed", default=secrets.token_hex(4), help="to do the same again; timing stays chance")
    of_kills.add_argument("--lanes", type=int, default=3, help="environments side by side; default 3")
    of_kills.add_argument("--minutes", type=float, default=60, help="end after that long; default 60")
    of_kills.add_argument("--failures", type=int, default=10, help="end after so many; default 10")
    of_kills.add_argument("--sabotage", choices=SABOTAGE, default="", help="see the soak fail")
    return completed(parser.parse_args())


def completed(asked: argparse.Namespace) -> argparse.Namespace:
    """All parts when none was asked for."""
    if all(part is None for part in (asked.kills, asked.rollouts, asked.judged)):
        asked.kills, asked.rollouts, asked.judged = KILLS, ROLLOUTS, RUNS
    asked.kills, asked.rollouts = asked.kills or 0, asked.rollouts or 0
    return asked


if __name__ == "__main__":
    sys.exit(main())
