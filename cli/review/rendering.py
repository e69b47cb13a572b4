"""The child process of a hermetic preview: renders every environment of one commit, with that commit's own program.

`python -m cli.review.rendering` reads one request from stdin and answers on stdout, a line for each environment, both
JSON; what the program prints goes to stderr. It loads the running `cli`, then `infra` and `components` of the commit.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from cli.garbage import seldom_collected

JSON = dict[str, Any]


def main() -> None:
    request: JSON = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as answers, seldom_collected():
        os.dup2(2, 1)
        sys.path[:] = [request["folder"], *(path for path in sys.path if path not in ("", request["folder"]))]
        for name in request["environments"]:
            print(json.dumps(rendered(request, name)), file=answers, flush=True)


def rendered(request: JSON, environment: str) -> JSON:
    """One environment's graph, or why there is none. `unrotated`: the graph as it would be had no secret changed."""
    from cli.engine.monitor import Log
    from cli.engine.render import ciphertexts, render
    from cli.errors import TurnoutError
    from cli.review import placeholders, wire

    folder, key, log = Path(request["folder"]), bytes.fromhex(request["key"]), Log()
    if not (folder / f"Pulumi.{environment}.yaml").is_file():
        return {}
    try:
        _check(folder, environment)
        graph = render(folder, environment, stand=placeholders.following(key), log=log)
        answer = {"graph": wire.pack(graph), "said": [said for said in log.messages if said[0] != "debug"]}
        before = _before(request, environment)
        if placeholders.rotated(before, ciphertexts(folder, environment)):
            same = render(folder, environment, stand=placeholders.as_before(key, before))
            answer["unrotated"] = wire.pack(same)
        return answer
    except TurnoutError as error:
        return {"fault": {"what": error.what, "why": error.why, "next": error.next, "exit_code": error.exit_code}}


def _check(folder: Path, environment: str) -> None:
    """Every fault of the settings file with its line, before the program meets the first."""
    from cli.engine.programs import as_turnout_error
    from infra.settings import SettingsError, load

    try:
        load(folder / f"Pulumi.{environment}.yaml", environment, placeholders=True)
    except SettingsError as error:
        raise as_turnout_error(error) from error


def _before(request: JSON, environment: str) -> dict[tuple[str | int, ...], str]:
    """The encrypted values of the other commit."""
    from cli.engine.render import ciphertexts

    folder = Path(request.get("before") or request["folder"])
    return ciphertexts(folder, environment) if (folder / f"Pulumi.{environment}.yaml").is_file() else {}


if __name__ == "__main__":
    main()
