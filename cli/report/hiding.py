"""Secrets in the middle of a text, known by what is around them: a key that says so, a URL, a well-known shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cli.engine.model import SECRET, UNKNOWN
from components.secret import SHORT_NAMES

_WORDS = r"pass(?:word|wd|phrase)|secret|token|credentials?|(?:api|access|private|secret|signing|encryption)[_-]?key"
_REDIS = "requirepass|masterauth"
_ANY = rf"{_WORDS}|{SHORT_NAMES}|{_REDIS}"
CALLED_SECRET = re.compile(
    rf"(?:(?:^|[_.\-/\s]|(?<=[a-z0-9])(?=[A-Z])|requires?|basic)(?:{_WORDS})|{SHORT_NAMES}|{_REDIS})$", re.IGNORECASE
)
"""The names of what is a secret."""
_INDENT = r"[^\S\n]*"
_BEFORE_KEY = rf"""{_INDENT}(?:-[^\S\n]+)?(?:export[^\S\n]+)?["']?[\w.\-/]*?"""
_KEY = rf"""{_BEFORE_KEY}(?:{_ANY})["']?"""
_KEY_AND_SPACE = rf"""{_BEFORE_KEY}(?:{_WORDS}|{_REDIS})["']?[^\S\n]+(?=\S+$)"""
"""Without the short words: `proxy_pass http://api;` holds no secret."""
_LINE = re.compile(rf"(?im)^(?P<key>{_KEY}[^\S\n]*[:=][^\S\n]*|{_KEY_AND_SPACE})(?P<value>[^\s{{\[|>$#][^\n]*)$")
_BLOCK = re.compile(
    rf"(?im)^(?P<key>(?P<indent>[^\S\n]*){_KEY.removeprefix(_INDENT)}[^\S\n]*:[^\S\n]*[|>][+\-\d]*[^\S\n]*\n)"
    r"(?:(?P=indent)[^\S\n]+[^\n]*(?:\n|\Z)|[^\S\n]*\n)+"
)
"""A value of several lines, in YAML."""
_FLOW = re.compile(
    rf"""(?i)(?P<key>[{{,]\s*["']?[\w.\-/]*?(?:{_ANY})["']?\s*:\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,{}\[\]"'|>&*#$\\][^,{}\[\]\n"]*)(?=\s*[,}])"""
)
"""A value among others in one line of YAML: `{user: a, password: b}`."""
_FLAG = re.compile(rf"--?[\w.\-]*?(?:{_ANY})", re.IGNORECASE)
_FLAGGED = re.compile(
    rf"""(?i)(?P<key>(?<![\w.\-])--?[\w.\-]*(?:{_ANY})"""
    r"""(?:[^\S\n]+["']?|\\?["']?[^\S\n]*,\s*\\?["']?|["']?[^\S\n]*\n[^\S\n]*-[^\S\n]+["']?))"""
    r"""(?!--|-["'\s]|[$|<>&;={\[\\(#:])(?:(?<=["'])[^"'\\\n]+|[^\s,"'\\\])}]+)"""
)
"""The word after an argument that calls it a secret, in a command or a list of words."""
_PLAIN = re.compile(r"""["']?(?:true|false|null|none|~|\[secret\]|\$\{.*\}|\$\([\w.]+\)|\$__.*)["']?""", re.IGNORECASE)
_SAID = re.compile(rf"(?im)^(?P<key>{_KEY}[^\S\n]*[:=][^\S\n]*)(?P<value>\S+)$")
_IN_TEXT = (
    (re.compile(r"-----BEGIN ([A-Z ]{0,40})PRIVATE KEY-----.*?(?:-----END \1PRIVATE KEY-----|\Z)", re.DOTALL), SECRET),
    (re.compile(r"(?<=://)([^\s/:@\"']*):([^\s/@\"']+)@"), rf"\1:{SECRET}@"),
    (re.compile(rf"(?i)([?&](?:[\w-]*(?:{_ANY})|key|sig|signature|auth)=)[^\s&\"'#]+"), rf"\1{SECRET}"),
    (re.compile(rf'(?i)("[\w.-]*(?:{_ANY})"\s*:\s*)"(?:[^"\\]|\\.)*"'), rf'\1"{SECRET}"'),
    (re.compile(rf'(?i)(\\"[\w.-]*(?:{_ANY})\\"\s*:\s*\\").*?(?<!\\)(?=\\")'), rf"\1{SECRET}"),
    (re.compile(rf"(?i)(?<![\w?&-])([\w-]*(?:{_ANY})=)(?!~|\[secret\]|\$)[^\s,;&\"'{{}}()]+"), rf"\1{SECRET}"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)(?!auth|token)[\w.~+/=-]{12,}"), rf"\1{SECRET}"),
    (re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+"), SECRET),
    (re.compile(r"\beyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]*"), SECRET),
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|glpat-[\w-]{20,})"
        ),
        SECRET,
    ),
)


_HINTS = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "credential",
        "key",
        "auth",
        "sig",
        "bearer",
        "basic",
        "://",
        "eyj",
        "-----begin",
    ),
    *("hooks.slack", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "xox", "akia", "glpat-"),
)
"""One of them is in every text that any of the patterns finds: most texts have none, and need no search."""


def text(given: str) -> str:
    """The content of a file, free of secrets."""
    if _is_plain(given):
        return given
    given = _LINE.sub(_line, _BLOCK.sub(rf"\g<key>\g<indent>  {SECRET}\n", given))
    return _in_text(_FLAGGED.sub(rf"\g<key>{SECRET}", given))


def message(given: str) -> str:
    """A message, free of secrets: `password: is missing` is none."""
    return given if _is_plain(given) else _in_text(_SAID.sub(_line, given))


def follows_flag(words: Sequence[Any], at: int) -> bool:
    """Whether that word of a command is the value of the one before it, which calls it a secret: `--password`."""
    if not 0 < at < len(words):
        return False
    flag, word = words[at - 1], words[at]
    if not isinstance(flag, str) or not isinstance(word, str) or not _FLAG.fullmatch(flag):
        return False
    return word not in ("", UNKNOWN) and not word.startswith("--") and not _PLAIN.fullmatch(word)


def _is_plain(given: str) -> bool:
    folded = given.casefold()
    return not any(hint in folded for hint in _HINTS)


def _in_text(given: str) -> str:
    given = _FLOW.sub(_line, given)
    for pattern, instead in _IN_TEXT:
        given = pattern.sub(instead, given)
    return given


def _line(found: re.Match[str]) -> str:
    given = found["value"].rstrip()
    ending = "," if given.endswith(",") else ""
    return found[0] if _PLAIN.fullmatch(given.removesuffix(",")) else f"{found['key']}{SECRET}{ending}"
