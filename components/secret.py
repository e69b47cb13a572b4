"""A value that never prints itself."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

REDACTED: Final = "[secret]"


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
