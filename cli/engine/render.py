"""Hermetic render: the program evaluated into its resource graph, with no engine, cluster, passphrase or network.

Encrypted settings, and required secrets that a committed file does not hold, are placeholders. `Pulumi.<env>.yaml`
alone decides the result, so two renders of one commit are equal.

What stands for an encrypted value is the caller's choice (`Stand`), because names hold hashes of configuration: a
placeholder that follows the ciphertext makes such a name follow it too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.engine import environ, evaluate
from cli.engine.graph import ResourceGraph
from cli.engine.programs import Program, as_turnout_error, load_program
from cli.errors import UsageError
from cli.yamlfile import put

if TYPE_CHECKING:
    from pulumi.runtime import Settings

    from cli.engine.monitor import Log

Place = tuple[str | int, ...]
"""Where a setting is: its key, then the steps into it."""
Stand = Callable[[Place, str], str]
"""From the place of an encrypted value, and its ciphertext, to what stands for it."""

PLACEHOLDER = "placeholder"
"""Stands for every secret of the settings; long and plain enough for any of them."""


def alike(_place: Place, _ciphertext: str) -> str:
    """The same for every secret."""
    return PLACEHOLDER


def render(
    root: Path, environment: str, *, program: Program | None = None, stand: Stand = alike, log: Log | None = None
) -> ResourceGraph:
    """The resource graph of one environment. Raises TurnoutError for what the program refuses.

    `log` keeps what the program says.
    """
    work = partial(_render, root, environment, program, stand, log)
    result: list[ResourceGraph | BaseException] = []
    thread = threading.Thread(target=lambda: result.append(_caught(work)), name="render")
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise as_turnout_error(result[0]) from result[0]
    return result[0]


def config(root: Path, environment: str, stand: Stand = alike) -> tuple[dict[str, str], list[str]]:
    """The configuration as the engine hands it to a program (values are strings), and which keys hold secrets."""
    found = _written(root, environment)
    given = {key: opened(value, (key,), stand) for key, value in found.items()}
    secret = {key for key, value in found.items() if given[key] != value}
    for key, path in missing(root, environment):
        put(given, (key, *path), PLACEHOLDER)
        secret.add(key)
    return {key: _encoded(value) for key, value in given.items()}, sorted(secret)


def missing(root: Path, environment: str) -> list[tuple[str, tuple[str, ...]]]:
    """The required secrets that the settings file does not hold, each with its configuration key and path."""
    if not (root / "infra").is_dir():
        return []
    from infra.settings import SettingsError, missing_secrets

    try:
        found = missing_secrets(root / f"Pulumi.{environment}.yaml", environment)
    except SettingsError as error:
        raise as_turnout_error(error) from error
    return [(f"turnout:{leaf.section}", leaf.path) for leaf in found]


def ciphertexts(root: Path, environment: str) -> dict[Place, str]:
    """Every encrypted value of the settings by its place."""
    found: dict[Place, str] = {}

    def note(place: Place, ciphertext: str) -> str:
        found[place] = ciphertext
        return ""

    for key, value in _written(root, environment).items():
        opened(value, (key,), note)
    return found


def opened(value: Any, place: Place = (), stand: Stand = alike) -> Any:
    """A setting with each encrypted leaf replaced by what stands for it."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return stand(place, str(value["secure"]))
        return {key: opened(entry, (*place, key), stand) for key, entry in value.items()}
    if isinstance(value, list):
        return [opened(entry, (*place, at), stand) for at, entry in enumerate(value)]
    return value


def _written(root: Path, environment: str) -> dict[str, Any]:
    """The settings as the file has them, each under its whole key."""
    file = root / f"Pulumi.{environment}.yaml"
    if not file.is_file():
        raise UsageError(f"there is no environment {environment}", why=f"{file} does not exist", next=_known(root))
    from ruamel.yaml import YAML

    found = (YAML(typ="safe").load(file.read_text()) or {}).get("config") or {}
    return {_key(root, key): value for key, value in found.items()}


def _caught(work: Callable[[], ResourceGraph]) -> ResourceGraph | BaseException:
    try:
        return work()
    except BaseException as error:
        return error


def _render(root: Path, environment: str, program: Program | None, stand: Stand, log: Log | None) -> ResourceGraph:
    from pulumi.runtime import run_in_stack, set_all_config
    from pulumi.runtime.settings import ROOT, configure

    from cli.engine.monitor import Log, Monitor

    project = environ.project_name(root)
    monitor = Monitor(project, environment)
    program = program or load_program(root)
    ROOT.set(None)
    configure(_settings(root, project, environment, monitor, log or Log()))
    set_all_config(*config(root, environment, stand))
    faults: list[BaseException] = []
    try:
        evaluate.to_end(run_in_stack(_guarded(program, faults)))
    except Exception as error:
        raise (faults[0] if faults else error) from error
    return monitor.graph()


def _settings(root: Path, project: str, environment: str, monitor: Any, log: Any) -> Settings:
    from pulumi.runtime import Settings

    return Settings(
        project=project,
        stack=environment,
        monitor=monitor,
        engine=log,
        dry_run=True,
        organization="organization",
        root_directory=str(root),
    )


def _guarded(program: Program, faults: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            program()
        except BaseException as error:
            faults.append(error)
            raise

    return run


def _key(root: Path, key: str) -> str:
    return key if ":" in key else f"{environ.project_name(root)}:{key}"


def _encoded(value: Any) -> str:
    """As the engine does: keys in order, whatever the file's is."""
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _known(root: Path) -> str:
    names = sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in root.glob("Pulumi.*.yaml"))
    return f"use one of: {', '.join(names)}" if names else "write its settings first"
