"""The official plugin asked directly, without an engine: Check and Diff of any object."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from cli.provider import protocol, settings
from cli.provider.values import Properties, decode, encode
from tests.parity.pairs.refusals import Asked

messages = protocol.provider
START = 30
"""Seconds that it gets to start."""


class Plugin:
    """One configured instance."""

    def __init__(self, port: str, kubeconfig: Path, config: Mapping[str, str]) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = protocol.provider_grpc.ResourceProviderStub(self.channel)
        given = {"kubeconfig": str(kubeconfig), **config}
        variables = {f"{settings.PREFIX}{key}": value for key, value in given.items()}
        self.stub.Configure(messages.ConfigureRequest(variables=variables, acceptSecrets=True))

    def check(self, token: str, new: Properties, old: Properties | None = None, **more: Any) -> Properties:
        """The inputs as it records them. Raises grpc.RpcError for what it refuses."""
        olds = encode(old) if old else None
        request = messages.CheckRequest(urn=urn(token), news=encode(new), olds=olds, **more)
        return decode(self.stub.Check(request, timeout=START).inputs)

    def refuses(self, asked: Asked) -> bool:
        request = messages.CheckRequest(
            urn=urn(asked.token), news=encode(asked.new), olds=encode(asked.old) if asked.old else None
        )
        if asked.autonaming:
            request.autonaming.mode = request.autonaming.Mode.Value(asked.autonaming.upper())
            request.autonaming.proposed_name = "n-proposed"
        try:
            return bool(self.stub.Check(request, timeout=START).failures)
        except grpc.RpcError:
            return True

    def diff(self, token: str, outputs: Properties, new: Properties, ignore: tuple[str, ...] = ()) -> dict[str, Any]:
        """{"fields": {path: kind}, "delete_first": …}; nothing where it finds no change."""
        request = messages.DiffRequest(
            id="n", urn=urn(token), olds=encode(outputs), news=encode(new), ignoreChanges=ignore
        )
        return shown(self.stub.Diff(request, timeout=START))


def shown(answer: Any) -> dict[str, Any]:
    """A DiffResponse as plain data."""
    if answer.changes != messages.DiffResponse.DIFF_SOME:
        return {}
    names = messages.PropertyDiff.Kind.Name
    fields = {path: names(row.kind) for path, row in sorted(answer.detailedDiff.items())}
    return {"fields": fields, **({"delete_first": True} if answer.deleteBeforeReplace else {})}


def urn(token: str, name: str = "n") -> str:
    return f"urn:pulumi:test::parity::{token}::{name}"


@contextmanager
def running(binary: Path, kubeconfig: Path, **config: str) -> Iterator[Plugin]:
    """The plugin's process for the length of the block. It only complains about an engine that is not there."""
    process = subprocess.Popen(
        [binary, "127.0.0.1:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None and process.stdin is not None
        plugin = Plugin(process.stdout.readline().strip(), kubeconfig, config)
        yield plugin
        plugin.channel.close()
    finally:
        process.terminate()
        process.wait(15)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
