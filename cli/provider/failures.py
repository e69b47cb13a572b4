"""Errors as the engine understands them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as Packed

from cli.errors import TurnoutError
from cli.kube.errors import Unauthorized, Unreachable
from cli.provider import protocol
from cli.provider.hidden import masked
from cli.provider.values import Properties, encode


class NotReady(Exception):
    """The object was made or changed, but is not what it should be. The engine records `outputs` and the reasons."""

    def __init__(self, id: str, outputs: Properties, reasons: Sequence[str], inputs: Properties | None = None) -> None:
        super().__init__("\n".join(reasons))
        self.id, self.outputs, self.reasons, self.inputs = id, outputs, reasons, inputs


async def fail(context: grpc.aio.ServicerContext, error: TurnoutError) -> NoReturn:
    """Nothing was recorded as changed."""
    code = grpc.StatusCode.UNAVAILABLE if isinstance(error, Unreachable) else grpc.StatusCode.UNKNOWN
    if isinstance(error, Unauthorized):
        code = grpc.StatusCode.UNAUTHENTICATED
    await context.abort(code, masked(str(error)))
    raise AssertionError


async def fail_partly(context: grpc.aio.ServicerContext, error: NotReady, *, keep_secrets: bool) -> NoReturn:
    """With ErrorResourceInitFailed in the details, by which the engine keeps the state of what is there."""
    detail = protocol.provider.ErrorResourceInitFailed(
        id=error.id,
        properties=encode(error.outputs, keep_secrets=keep_secrets),
        reasons=[masked(reason) for reason in error.reasons],
        inputs=None if error.inputs is None else encode(error.inputs, keep_secrets=keep_secrets),
    )
    packed = Packed()
    packed.Pack(detail)
    status = protocol.status.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=masked(str(error)), details=[packed])
    await context.abort(
        grpc.StatusCode.UNKNOWN,
        masked(str(error)),
        trailing_metadata=(("grpc-status-details-bin", status.SerializeToString()),),
    )
    raise AssertionError
