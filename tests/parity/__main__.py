"""`python -m tests.parity record`: ask the official plugin, and keep what it says."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from cli.kube.client import Kube
from cli.kube.config import endpoint
from cli.kube.requests import Request
from cli.paths import sandbox_kubeconfig
from tests.parity import course, fields, official, plugin, recording, replacing
from tests.parity.pairs import PAIRS
from tests.parity.pairs.refusals import ASKED

FIELDS = Path(__file__).parents[2] / "cli" / "provider" / "fields.json"


def record(kubeconfig: Path, binary: Path) -> None:
    with plugin.running(binary, kubeconfig) as asked:
        FIELDS.write_text(json.dumps(fields.table(asked, _definitions(kubeconfig)), indent=0, sort_keys=True) + "\n")
        recording.save("replacements", replacing.decisions(lambda *case: asked.diff(*case).get("fields", {})))
        recording.save("refusals", {case.name: asked.refuses(case) for case in ASKED})
    seen = course.alternate(kubeconfig, PAIRS, "official", "official")
    assert not seen.failures, seen.failures
    recording.save("plans", seen.plans["official"])
    recording.save("states", {when: recording.brief(rows) for when, rows in seen.states.items()})
    print(f"{len(PAIRS)} pairs recorded; changes where there should be none: {seen.stray or 'none'}")


def _definitions(kubeconfig: Path) -> dict[str, Any]:
    with Kube(endpoint(kubeconfig)) as kube:
        described = kube.run(kube.server.text(Request("GET", "/openapi/v2", "read the API's description")))
    found: dict[str, Any] = json.loads(described)["definitions"]
    return found


def main() -> None:
    binary = official.binary()
    if sys.argv[1:] != ["record"] or binary is None:
        sys.exit(official.MISSING if binary is None else "python -m tests.parity record")
    record(sandbox_kubeconfig(os.environ.get("TURNOUT_TEST_SANDBOX", "default")), binary)


if __name__ == "__main__":
    main()
