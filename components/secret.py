"""A value that never prints itself."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

REDACTED: Final = "[secret]"
SHORT_NAMES: Final = (
    r"(?<![a-z])(?:(?:db|user|root|admin)?pass|(?:db|user|root|admin)pwd)|(?<=[_.\-])pwd"
    r"|(?-i:(?<=[a-z0-9])(?:Pass|Pwd)|(?<![A-Za-z])pwd)"
)
"""Pattern of short words that call a value a secret, for matching without case: words of their own only, so `bypass`
and `compass` are none, and `PWD` alone is the folder of a process."""
KEY_BLOCK: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_WHICH: Final = r"_(?:PROD(?:UCTION)?|STAG(?:E|ING)|DEV|TEST|OLD|NEW|CURRENT|PREVIOUS|PRIMARY|SECONDARY|R[OW]|\d+)"
"""What tells several secrets of one name apart; `TOKEN_SECONDS` or `PASSWORD_POLICY` are none."""
_VARIABLE: Final = re.compile(
    rf"(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?|{SHORT_NAMES})(?:{_WHICH})?$", re.IGNORECASE
)


def called_secret(variable: str, value: object) -> bool:
    """Whether a variable's name calls its value a secret. An empty value is none, and neither is the path of a file."""
    return bool(value) and _VARIABLE.search(variable) is not None and not str(value).startswith("/")


class Secret:
    """Holds a secret string; `reveal()` is the only way to it. `repr`, `str`, `format`, serialised models: `[secret]`.

    Build strings that contain secrets with `Secret.join`, not with an f-string, which would hold the word `[secret]`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def join(cls, *parts: str | Secret) -> Secret:
        """One secret made of plain and secret parts, in order."""
        return cls("".join(part.reveal() if isinstance(part, Secret) else part for part in parts))

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(REDACTED, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        made = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True, min_length=1))
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), made],
            mode="left_to_right",
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )
