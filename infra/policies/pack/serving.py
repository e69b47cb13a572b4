"""The engine's protocol for policy packs over gRPC, on the loopback."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from infra import policed
from infra.policies import BY_ID, RULES
from infra.policies.pack.stack import PROJECT, Resource, Stack, Told, described
from infra.policies.rule import LEVELS, Level

VERSION: Final = "1.0.0"
_LIMIT: Final = 400 * 1024 * 1024
_OPTIONS: Final = (("grpc.max_receive_message_length", _LIMIT), ("grpc.so_reuseport", 0))
_STALE: Final = "An exception that has ended, or that nothing needs."


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    """One stack's answers; the engine starts a process for each. Method names are the protocol's."""

    def __init__(self) -> None:
        self.stack = Stack()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return plugin_pb2.PluginInfo(version=VERSION)

    def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self.stack = replace(self.stack, project=request.project, name=request.stack)
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        asked = {name: _level(each.enforcementLevel) for name, each in request.policyConfig.items()}
        everything = {rule.id: asked["all"] for rule in RULES} if "all" in asked else {}
        self.stack = replace(self.stack, set_levels=everything | {name: asked[name] for name in asked if name != "all"})
        return empty_pb2.Empty()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        weights = self.stack.levels()
        policies = [
            analyzer_pb2.PolicyInfo(
                **each,
                enforcementLevel=_enforcement(weights[each["name"]]),
                policy_type=analyzer_pb2.PolicyType.POLICY_TYPE_STACK,
            )
            for each in described()
        ]
        return analyzer_pb2.AnalyzerInfo(
            name=PROJECT, displayName=PROJECT, version=VERSION, supportsConfig=True, policies=policies
        )

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Of one resource alone nothing is said: most rules look at several."""
        return analyzer_pb2.AnalyzeResponse()

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        resources = list(map(_resource, request.resources))
        return analyzer_pb2.AnalyzeResponse(diagnostics=map(_diagnostic, self.stack.told(resources, policed.now())))

    def Remediate(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return empty_pb2.Empty()


def serve(pack: Pack) -> tuple[grpc.Server, int]:
    """The started server, and its port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=_OPTIONS)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(pack, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main() -> None:
    """Serve until the engine ends the process."""
    _, port = serve(Pack())
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _resource(made: Any) -> Resource:
    return Resource(made.urn, made.type, json_format.MessageToDict(made.properties))


def _diagnostic(told: Told) -> Any:
    broken = told.broken
    path = f" ({broken.path})" if broken.path else ""
    return analyzer_pb2.AnalyzeDiagnostic(
        policyName=broken.rule,
        policyPackName=PROJECT,
        policyPackVersion=VERSION,
        description=BY_ID[broken.rule].why if broken.rule in BY_ID else _STALE,
        message=f"{broken.where}: {broken.message}{path}; instead: {broken.remedy}",
        enforcementLevel=_enforcement(broken.level),
        urn=told.urn,
    )


def _enforcement(level: Level) -> Any:
    return analyzer_pb2.EnforcementLevel.Value(level.upper())


def _level(number: Any) -> Level:
    """What is to be remedied is mandatory here."""
    name = analyzer_pb2.EnforcementLevel.Name(number).lower()
    return next((level for level in LEVELS if level == name), "mandatory")
