"""Where secrets may be: in Secrets, read as files. Never shows what it found. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

from components.secret import KEY_BLOCK, SHORT_NAMES, called_secret
from infra.policies.rule import ALWAYS, Fault, cis, nsa, rule
from infra.policies.world import Container, Pod, Thing, World
from infra.reading import HIDDEN, entries, mapping

_SECRETS: Final = nsa("Network separation and hardening: Secrets")
_SECRET: Final = HIDDEN[0]
_WORDS: Final = rf"password|passwd|secret|token|api[_-]?key|{SHORT_NAMES}"
_FLAG: Final = re.compile(r"--?[\w.-]+")
_SHAPES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("a private key", KEY_BLOCK),
    ("a cloud access key", re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("an access token", re.compile(r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,})")),
    ("a signed token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    ("an address with a password", re.compile(r"\w://[^/\s:@\"']*:(?![$%{<*])[^/\s:@\"']{3,}@")),
    (
        "a password",
        re.compile(
            rf"(?im)(?:^[ \t-]*[\"']?[\w.-]*(?:{_WORDS})[\"']?[ \t]*[:=]"
            rf"|[{{,]\s*[\"']?[\w.-]*(?:{_WORDS})[\"']?[ \t]*:(?=[^\n]*[,}}]))[ \t]*"
            r"[\"']?(?![$%{<|>/*&!]|true\b|false\b|null\b|none\b)[^\s\"',}]{6,}"
        ),
    ),
)


@rule(
    "secret-in-env",
    World.pods,
    why="a variable is inherited by every child, shown by `kubectl describe`, and printed by crash reports",
    remedy="mount the Secret as a file and name the file in the variable: …_FILE",
    levels=ALWAYS,
    supports=(_SECRETS, cis("5.4.1")),
)
def secret_in_env(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        yield from _variables(one)
        for at, source in enumerate(entries(one.made.get("envFrom"))):
            if "secretRef" in source:
                yield Fault(one.at(f"envFrom[{at}].secretRef"), f"{one.name} gets a whole Secret as variables")


@rule(
    "secret-in-arguments",
    World.pods,
    why="arguments are shown to everybody who may list the pod, and to every process of its node",
    remedy="mount the Secret as a file and name the file",
    levels=ALWAYS,
    supports=(_SECRETS,),
)
def secret_in_arguments(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        for key in ("command", "args"):
            words = _words(one.made.get(key))
            for at, word in enumerate(words):
                if what := _looks_like(word) or (_after(words[at - 1], word) if at else ""):
                    yield Fault(one.at(f"{key}[{at}]"), f"{one.name} is given {what} as an argument")


@rule(
    "secret-in-configmap",
    lambda world: world.of("ConfigMap"),
    why="whoever may look at anything may read ConfigMaps, and nobody encrypts them at rest",
    remedy="a Secret, mounted as a file; configuration names the file (password_file, credentials_file, …)",
    levels=ALWAYS,
    supports=(_SECRETS,),
)
def secret_in_configmap(made: Thing) -> Iterator[Fault]:
    for field, read in (("data", str), ("binaryData", _decoded)):
        held = made.made.get(field)
        if held == _SECRET:
            yield Fault(field, "holds a secret of the settings")
        for key, text in mapping(held).items():
            if what := _looks_like(read(text)):
                yield Fault(f'{field}["{key}"]', f"holds {what}")


def _variables(one: Container) -> Iterator[Fault]:
    for at, entry in enumerate(entries(one.made.get("env"))):
        name, value = str(entry.get("name", "")), entry.get("value")
        if "secretKeyRef" in mapping(entry.get("valueFrom")):
            yield Fault(one.at(f"env[{at}].valueFrom.secretKeyRef"), f"{one.name} gets a Secret as the variable {name}")
        elif value and (_looks_like(str(value)) or called_secret(name, value)):
            yield Fault(one.at(f"env[{at}].value"), f"{one.name} has a secret in the variable {name}")


def _looks_like(text: str) -> str:
    """What a text seems to hold; empty for nothing that is secret."""
    if _SECRET in text:
        return "a secret of the settings"
    return next((what for what, shape in _SHAPES if shape.search(text)), "")


def _after(flag: str, word: str) -> str:
    """What the word after an argument seems to be: `--password x` is `--password=x`."""
    return _looks_like(f"{flag}={word}") if _FLAG.fullmatch(flag) and not word.startswith("--") else ""


def _decoded(encoded: Any) -> str:
    """The text that base64 stands for; a placeholder as it is, and nothing for what is no text (a packed release)."""
    plain = "".join(str(encoded).split())
    if _SECRET in plain:
        return plain
    try:
        return base64.b64decode(plain, validate=True).decode()
    except ValueError:
        return ""


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []


RULES: Final = (secret_in_env, secret_in_arguments, secret_in_configmap)
