"""What an engine run can end with, as errors that name the next command.

TurnoutError
├── Refused
│   └── AdmissionRefused    an admission policy of the environment is against it
├── Locked
│   └── StackLocked         another engine process holds the stack's lock
├── UsageError
│   ├── WrongPassphrase     the secrets cannot be opened
│   └── NoPassphrase        no passphrase was given
├── MissingPlugin           the provider's plugin is not installed
├── StackMissing            the state knows no such environment
├── FieldConflict           another field manager owns what is to be changed
├── PendingOperations       an earlier run was cut off in the middle
├── EngineEnded             something ended the engine's process in the middle
├── ProviderEnded           the provider's process ended before the engine's
├── ProgramFailed           the program raised something
├── StateUnreadable         the state is damaged or cannot be written
└── EngineFailed            anything else that the engine reports
"""

from __future__ import annotations

import re
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.engine.locks import Lock
from cli.errors import Locked, Refused, TurnoutError, UsageError


class AdmissionRefused(Refused):
    pass


class StackLocked(Locked):
    pass


class WrongPassphrase(UsageError):
    pass


class NoPassphrase(UsageError):
    pass


class MissingPlugin(TurnoutError):
    pass


class StackMissing(TurnoutError):
    pass


class FieldConflict(TurnoutError):
    pass


class PendingOperations(TurnoutError):
    pass


class EngineEnded(TurnoutError):
    pass


class ProviderEnded(TurnoutError):
    pass


class ProgramFailed(TurnoutError):
    pass


class StateUnreadable(TurnoutError):
    pass


class EngineFailed(TurnoutError):
    pass


_NO_SUCH_STACK = 6
"""The engine's exit code for it, stable by its own word (pkg/cmd/pulumi/cmd/exit_codes.go of pulumi/pulumi)."""

_FRAMES = 4
_HOLDER = re.compile(r"(?P<file>\S+): created by (?P<user>[^@\s]+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)")
_POLICY = "ValidatingAdmissionPolicy 'turnout-"
_WAY_OUT = re.compile(r"turnout (?:unpin \S+ \d+|repair [^\s;]+|rollout (?:status|abort) [^\s;]+)")
_MANAGER = re.compile(r'conflicts? with "(?P<manager>[^"]+)"')


def classify(text: str, environment: str, code: int = 1) -> TurnoutError | None:
    """The error that the engine's exit code and its own words stand for; None when they are none of the known ones."""
    if code == _NO_SUCH_STACK:
        return _missing_stack(text, environment)
    for fault in _FAULTS:
        if any(phrase in text for phrase in fault.phrases):
            return fault.make(text, environment)
    return None


def locked(environment: str, held: Sequence[Lock]) -> StackLocked:
    """Who holds an environment's state, and what to do about it; of several, a dead one comes first."""
    lock = next((lock for lock in held if lock.dead), held[0])
    if lock.dead:
        return StackLocked(
            f"the state of {environment} is still locked by {lock.who}",
            why="nobody holds it any more: whoever took it ended before they could leave it",
            next=f"turnout repair {environment}   (asks, then removes it)",
        )
    return StackLocked(
        f"the state of {environment} is locked by {lock.who}",
        why="one engine at a time works on an environment's state",
        next=f"the same command with --wait 600{_when_gone(environment, lock)}",
    )


def _when_gone(environment: str, lock: Lock) -> str:
    """Nobody but people can know that of another machine's process."""
    if lock.host == socket.gethostname():
        return ""
    return f"; when that process is certainly gone: turnout repair {environment} --unlock"


def of_program(error: BaseException) -> ProgramFailed:
    """What the program raised, with the last lines of its own that led there; never a variable's value."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_program(frame.filename)]
    lines = [f"{frame.filename}, line {frame.lineno}, in {frame.name}" for frame in reversed(own[-_FRAMES:])]
    return ProgramFailed(
        "the program failed",
        why="\n     ".join([f"{type(error).__name__}: {error}", *lines]),
        next="mend the program, then run the same command again",
    )


def _is_of_program(file: str) -> bool:
    return not file.startswith((sys.base_prefix, str(Path(__file__).parent), "<")) and "site-packages" not in file


def unknown(text: str, environment: str) -> EngineFailed:
    """For everything else: the engine's own last words."""
    lines = [line for line in text.splitlines() if line.strip()]
    return EngineFailed(
        f"the engine could not work on {environment}",
        why="\n".join(lines[-12:]) or "it ended without a word",
        next=f"turnout doctor {environment}",
    )


@dataclass(frozen=True)
class _Fault:
    phrases: tuple[str, ...]
    make: Callable[[str, str], TurnoutError]


def is_refusal(text: str) -> bool:
    """Whether it was one of the environment's own admission policies."""
    return _POLICY in text


def _refused(text: str, environment: str) -> TurnoutError:
    said = dict.fromkeys(line.partition("denied request: ")[2] for line in text.splitlines() if is_refusal(line))
    ways = dict.fromkeys(found for line in said for found in _WAY_OUT.findall(line))
    return AdmissionRefused(
        f"a policy of {environment} is against it",
        why="\n".join(said),
        next="; ".join(ways) or f"turnout status {environment}",
    )


def _locked(text: str, environment: str) -> TurnoutError:
    holders = [
        Lock(Path(holder["file"]), int(holder["pid"]), holder["host"], holder["user"], holder["at"])
        for holder in _HOLDER.finditer(text)
    ]
    if holders:
        return locked(environment, holders)
    return StackLocked(
        f"the state of {environment} is locked by somebody else",
        why=_line_with(text, "lock"),
        next=f"the same command with --wait 600, or see who it is: turnout status {environment}",
    )


def _wrong_passphrase(_text: str, environment: str) -> TurnoutError:
    return WrongPassphrase(
        f"the passphrase does not open the secrets of {environment}",
        why=f"Pulumi.{environment}.yaml or the state was encrypted with another one",
        next="set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the right one",
    )


def _no_passphrase(text: str, environment: str) -> TurnoutError:
    return NoPassphrase(
        f"{environment} has secrets, and there is no passphrase to open them",
        why=_line_with(text, "passphrase_file:"),
        next=f"set PULUMI_CONFIG_PASSPHRASE_FILE, or for a new environment: turnout init {environment}",
    )


def _missing_plugin(text: str, _environment: str) -> TurnoutError:
    return MissingPlugin(
        "a plugin that the program needs is not installed",
        why=_line_with(text, "plugin") or _line_with(text, "version for"),
        next="pulumi plugin install resource kubernetes, or use turnout's own provider: export TURNOUT_PROVIDER=own",
    )


def _missing_stack(_text: str, environment: str) -> TurnoutError:
    return StackMissing(
        f"there is no state of {environment}", why="it was never applied from here", next=f"turnout up {environment}"
    )


def _conflict(text: str, environment: str) -> TurnoutError:
    managers = sorted(set(_MANAGER.findall(text)))
    return FieldConflict(
        f"{' and '.join(managers) or 'another field manager'} owns fields that {environment} wants to change",
        why=_line_with(text, "conflict"),
        next="let that manager give them up, or take them over by the annotation pulumi.com/patchForce",
    )


def _pending(text: str, environment: str) -> TurnoutError:
    return PendingOperations(
        f"an earlier run on {environment} was cut off in the middle",
        why=_line_with(text, "pending"),
        next=f"turnout repair {environment}   (reads back what really happened)",
    )


def _unreadable(text: str, environment: str) -> TurnoutError:
    lines = [line for line in text.splitlines() if line.strip()]
    return StateUnreadable(
        f"the state of {environment} cannot be read or written",
        why="\n".join(lines[-4:]),
        next=f"turnout doctor {environment}",
    )


def _line_with(text: str, word: str) -> str:
    found = [line.strip() for line in text.splitlines() if word in line.lower()]
    return "\n".join(dict.fromkeys(found[:6]))


_FAULTS = (
    _Fault((_POLICY,), _refused),
    _Fault(("currently locked by", "[409] Conflict: Another update", "locks/organization/"), _locked),
    _Fault(("incorrect passphrase",), _wrong_passphrase),
    _Fault(
        (
            "passphrase must be set",
            "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
            "unable to read PULUMI_CONFIG_PASSPHRASE_FILE",
        ),
        _no_passphrase,
    ),
    _Fault(
        ("no resource plugin", "could not load plugin", "failed to load plugin", "could not find latest version for"),
        _missing_plugin,
    ),
    _Fault(("no stack named",), _missing_stack),
    _Fault(("Apply failed with", 'conflict with "', 'conflicts with "'), _conflict),
    _Fault(("pending operations", "pending_operations"), _pending),
    _Fault(
        (
            "snapshot integrity",
            "failed to load checkpoint",
            "could not deserialize",
            "read-only file system",
            "no space left",
        ),
        _unreadable,
    ),
)
