"""`python -m tests.bench.drive VERB`: one operation of turnout's engine on the project in the current folder.

What `turnout up` and `turnout destroy` do without the environment's lock and release records, which a synthetic
environment has none of. Prints the counts as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cli.engine.run import Engine
from cli.progress import Silent
from tests.bench.program import program

STACK = "bench"


def main(verb: str) -> int:
    engine = Engine(Path.cwd(), STACK, Silent(), program=program)
    if verb == "preview":
        print(json.dumps(engine.preview().counts))
        return 0
    outcome = engine.up() if verb == "up" else engine.destroy()
    print(json.dumps(outcome.counts))
    for failure in outcome.failures[:5]:
        sys.stderr.write(f"{failure.urn}: {failure.message}\n")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
