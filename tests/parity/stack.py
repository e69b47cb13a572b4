"""One stack that holds every pair at once, previewed and applied through either provider."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi

from cli.engine import operation, run
from cli.engine.events import Event, Fold, Started, Step
from cli.errors import TurnoutError
from cli.kube.client import Kube
from cli.progress import Silent
from cli.provider import VERSION
from tests.parity import official
from tests.parity.pair import Hidden, Later, Pair, Resource, placed, token

PROVIDERS: Mapping[str, Mapping[str, str]] = {
    "plain": {},
    "mutable": {"enableConfigMapMutable": "true", "enableSecretMutable": "true"},
    "forcing": {"enablePatchForce": "true"},
    "adopting": {"upsertExistingObjects": "true"},
}


@dataclass(frozen=True)
class Run:
    """What the engine did or would do: its steps in order, and what failed."""

    steps: Sequence[Step]
    failures: Mapping[str, str]

    def changed(self) -> list[str]:
        """The names of the resources that are not as they were."""
        return sorted({step.name for step in self.steps if step.operation not in ("same", "read", "refresh")})


class Stack:
    """The stack of one run, in a namespace of its own."""

    def __init__(self, folder: Path, kubeconfig: Path, namespace: str, pairs: Sequence[Pair]) -> None:
        self.folder, self.kubeconfig, self.namespace, self.pairs = folder, kubeconfig, namespace, pairs
        (folder / "Pulumi.yaml").write_text("name: parity\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")

    def preview(self, provider: str, *, after: bool) -> Run:
        return self._run(provider, "preview", after)

    def up(self, provider: str, *, after: bool) -> Run:
        return self._run(provider, "up", after)

    def refresh(self, provider: str) -> Run:
        return self._run(provider, "refresh", after=False)

    def destroy(self, provider: str) -> Run:
        """Protected resources too."""
        engine = self._engine(None)
        engine._ask("state", "unprotect", "--all", "--yes")
        return self._run(provider, "destroy", after=None)

    def state(self) -> dict[str, Any]:
        """The resources as the state has them, by name; secrets stay encrypted."""
        rows = self._engine(None).export_state()["deployment"]["resources"]
        return {row["urn"].rsplit("::", 1)[-1]: row for row in rows if row["type"].startswith("kubernetes:")}

    def _run(self, provider: str, verb: str, after: bool | None) -> Run:
        recorded: list[Recorder] = []

        def recorder(*, refreshing: bool = False) -> Recorder:
            recorded.append(Recorder(refreshing=refreshing))
            return recorded[-1]

        failures: dict[str, str] = {}
        with official.chosen(provider), mock.patch.object(operation, "Fold", recorder):
            try:
                outcome = getattr(self._engine(after), verb)()
                failures = {failure.name: failure.message for failure in getattr(outcome, "failures", ())}
            except TurnoutError as error:
                failures = {"": str(error)}
                for entry in recorded[-1].diagnostics() if recorded else ():
                    if entry.severity == "error":
                        failures[entry.urn.rsplit("::", 1)[-1]] = entry.message
        return Run([step for fold in recorded for step in fold.steps], failures)

    def _engine(self, after: bool | None) -> run.Engine:
        return run.Engine(self.folder, "dev", Silent(), program=lambda: self._program(after))

    def _program(self, after: bool | None) -> None:
        settings = {"kubeconfig": str(self.kubeconfig), "namespace": self.namespace}
        providers = {
            name: pulumi.ProviderResource("kubernetes", name, {**settings, **more}, _versioned())
            for name, more in PROVIDERS.items()
        }
        made: dict[str, pulumi.CustomResource] = {}
        for pair in self.pairs if after is not None else ():
            for row in pair.after if after else pair.before:
                made[row.name] = self._declare(row, providers[row.provider], made)

    def _declare(
        self, row: Resource, provider: pulumi.ProviderResource, made: Mapping[str, pulumi.CustomResource]
    ) -> pulumi.CustomResource:
        given = {key: placed(value, self.namespace) for key, value in row.options.items() if key != "after"}
        if "aliases" in given:
            given["aliases"] = [pulumi.Alias(name=name) for name in given["aliases"]]
        options = _versioned(
            provider=provider,
            ignore_changes=list(row.ignore) or None,
            depends_on=[made[row.options["after"]]] if "after" in row.options else None,
            id=placed(row.read, self.namespace) or None,
            additional_secret_outputs=["data", "stringData"] if row.manifest["kind"] == "Secret" else None,
            **given,
        )
        return pulumi.CustomResource(
            row.token or placed(token(row.manifest), self.namespace),
            row.name,
            {} if row.read else _outputs(placed(row.manifest, self.namespace), made),
            options,
        )


class Recorder(Fold):
    """Keeps every step as it was announced."""

    def __init__(self, *, refreshing: bool = False) -> None:
        super().__init__(refreshing=refreshing)
        self.steps: list[Step] = []

    def add(self, event: Event) -> None:
        super().add(event)
        if isinstance(event, Started) and event.step.type.startswith("kubernetes:"):
            self.steps.append(event.step)


@contextmanager
def prepared(kube: Kube, folder: Path, kubeconfig: Path, namespace: str, pairs: Sequence[Pair]) -> Iterator[Stack]:
    """A stack whose namespaces and foreign objects are there; nothing of it stays."""
    spaces = [namespace, f"{namespace}-2"]
    try:
        for name in spaces:
            kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "turnout-test")
        for pair in pairs:
            for manifest in pair.there:
                kube.create(placed(manifest, namespace), "somebody-else")
        stack = Stack(folder, kubeconfig, namespace, pairs)
        with mock.patch.dict(os.environ, {"PULUMI_CONFIG_PASSPHRASE": "parity"}):
            try:
                yield stack
            finally:
                left = stack.destroy("own").failures
            assert not left, left
    finally:
        for name in spaces:
            kube.delete("v1", "Namespace", name)


def move(kube: Kube, stack: Stack) -> None:
    """What other managers do in between."""
    for pair in stack.pairs:
        for row in pair.moves:
            of = placed(row.of, stack.namespace)
            name, space = of["metadata"]["name"], of["metadata"].get("namespace", stack.namespace)
            kube.patch(of["apiVersion"], of["kind"], name, space, row.body, row.manager)


def _versioned(**options: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(version=VERSION, **options)


def _outputs(value: Any, made: Mapping[str, pulumi.CustomResource]) -> Any:
    if isinstance(value, Hidden):
        return pulumi.Output.secret(value.value)
    if isinstance(value, Later):
        return made[value.of].id.apply(lambda text: f"of-{text.rpartition('/')[2]}")
    if isinstance(value, dict):
        return {key: _outputs(item, made) for key, item in value.items()}
    return [_outputs(item, made) for item in value] if isinstance(value, list) else value
