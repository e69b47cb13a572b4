"""Serves the program and takes the events of one engine run, over gRPC on the loopback.

Importing this module imports pulumi and grpc (about 0.4 s): do it while a provider is starting.
"""

from __future__ import annotations

import asyncio
import contextvars
import platform
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.errors import RunError
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import events_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2
from pulumi.runtime.settings import SETTINGS

from cli.engine import evaluate, events
from cli.engine.programs import Program
from cli.engine.quiet import Quiet

# What the engine asks at once: the program's run, the event stream, and short questions beside them.
_WORKERS = 6
_THREADS_EACH = 4
_LIMIT = 400 * 1024 * 1024
_OPTIONS = (("grpc.max_receive_message_length", _LIMIT), ("grpc.so_reuseport", 0))


class Inline(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs the program in this process. `error` is what it raised, with its type kept."""

    def __init__(self) -> None:
        self._loaded = threading.Event()
        self._program: Program | None = None
        self._evaluation = evaluate.Evaluation()
        self.error: BaseException | None = None

    def load(self, program: Program | None) -> None:
        """Hand the program over; None when it could not be loaded, which ends the run before it starts."""
        self._program = program
        self._loaded.set()

    def end(self) -> None:
        """Nobody listens to the program any more."""
        self.load(None)
        self._evaluation.end()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return language_pb2.LanguageHandshakeResponse()

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002  (this and the rest: named by the protocol)
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return language_pb2.GetRequiredPackagesResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return plugin_pb2.PluginInfo()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self._loaded.wait()
        if self._program is None:
            return language_pb2.RunResponse(error="the program could not be loaded")
        contextvars.copy_context().run(self._run, request)
        return language_pb2.RunResponse(error=str(self.error) if self.error else "")

    def _run(self, request: Any) -> None:
        reset_options(
            project=request.project,
            stack=request.stack,
            parallel=request.parallel,
            engine_address=request.args[0] if request.args else "",
            monitor_address=request.monitor_address,
            preview=request.dryRun,
            organization=request.organization or "organization",
        )
        SETTINGS.engine = Quiet(SETTINGS.engine) if SETTINGS.engine else None
        set_all_config(request.config, request.configSecretKeys or None)
        try:
            self._evaluation.run(run_in_stack(self._run_program), max(request.parallel, 1) * _THREADS_EACH)
        except Exception as error:
            self._fail(error)

    async def _run_program(self) -> None:
        """Run it, then let what it declared begin to register.

        Else the SDK sees no registration under way and waits for each output instead: time with the square of their
        number.
        """
        try:
            if self._program is not None:
                self._program()
        except BaseException as error:
            self._fail(error)
            raise
        await asyncio.sleep(0)

    def _fail(self, error: BaseException) -> None:
        """Keep the first error that is the program's own: one from an engine that ended first says nothing."""
        if not engine_ended(error):
            self.error = self.error or error


def engine_ended(error: BaseException) -> bool:
    """Whether the program failed only because the engine was there no longer: why, its own events tell."""
    if isinstance(error, grpc.RpcError):
        return bool(error.code() == grpc.StatusCode.UNAVAILABLE)
    return isinstance(error, RunError) and "monitor has terminated" in str(error)


class Events(events_pb2_grpc.EventsServicer):
    """Takes the engine's events, in order, one stream a run."""

    def __init__(self, take: Callable[[events.Event], None]) -> None:
        self._take = take
        self.error: BaseException | None = None
        self.ended = threading.Event()

    def StreamEvents(self, requests: Any, context: Any) -> Any:  # noqa: N802, ARG002  (named by the protocol)
        try:
            for request in requests:
                if event := events.parse(request.event):
                    self._take(event)
        except Exception as error:
            self.error = error
        finally:
            self.ended.set()
        return empty_pb2.Empty()


class Serving:
    """Both services on one port of the loopback, as a context."""

    def __init__(self, take: Callable[[events.Event], None]) -> None:
        self.language = Inline()
        self.events = Events(take)
        self._server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS), options=_OPTIONS)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self.language, self._server)
        events_pb2_grpc.add_EventsServicer_to_server(self.events, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Serving:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.language.end()
        self._server.stop(grace=0)
