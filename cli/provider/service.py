# ruff: noqa: N802 -- the methods are named by the protocol
"""The ResourceProvider service: what the engine asks, answered by the pure parts and by the cluster."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeAlias

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from cli.errors import TurnoutError
from cli.kube.errors import UnknownKind, Unsettled
from cli.kube.health import health
from cli.kube.operations import STOP
from cli.provider import (
    VERSION,
    check,
    diff,
    kinds,
    manifests,
    marks,
    paths,
    protocol,
    settings,
    state,
    values,
    waitfor,
)
from cli.provider.cluster import Clusters, Session
from cli.provider.failures import NotReady, fail, fail_partly
from cli.provider.hidden import ASKED
from cli.provider.host import HOST, URN
from cli.provider.objects import Outcome, foretold, importable
from cli.provider.values import Properties, decode, encode, plain

messages = protocol.provider
Context: TypeAlias = grpc.aio.ServicerContext
Method = Callable[[Any, Any, Session], Awaitable[Any]]
Call = Callable[[Any, Any, Context], Awaitable[Any]]


def answered(method: Method) -> Call:
    """A call to one provider instance, whose errors become what the engine understands."""

    @wraps(method)
    async def call(self: Provider, request: Any, context: Context) -> Any:
        URN.set(getattr(request, "urn", ""))
        ASKED.set(request)
        session = self.session(context)
        HOST.set(session.host)
        STOP.set(session.cancelled)
        try:
            return await method(self, request, session)
        except NotReady as error:
            return await fail_partly(context, error, keep_secrets=session.settings.accept_secrets)
        except TurnoutError as error:
            return await fail(context, error)
        except ValueError as error:
            return await fail(context, TurnoutError(str(error)))

    return call


class Provider(protocol.provider_grpc.ResourceProviderServicer):  # type: ignore[misc]
    """All provider instances that engines attach to this process: an engine opens one connection for each."""

    def __init__(self, engine: str | None = None, *, offline: bool = False) -> None:
        self._engine = engine
        self._clusters = Clusters(offline=offline)
        self._sessions: dict[str, Session] = {}

    def session(self, context: Context) -> Session:
        """The instance at the other end of a connection."""
        peer = context.peer()
        if peer not in self._sessions:
            self._sessions[peer] = Session(self._clusters)
            if self._engine:
                self._sessions[peer].host.attach(self._engine)
        return self._sessions[peer]

    def cancel(self) -> None:
        for session in self._sessions.values():
            session.cancelled.set()

    async def close(self) -> None:
        self.cancel()
        await self._clusters.close()

    async def Handshake(self, request: Any, context: Context) -> Any:
        self.session(context).host.attach(request.engine_address)
        return messages.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    async def Attach(self, request: Any, context: Context) -> Any:
        self.session(context).host.attach(request.address)
        return Empty()

    async def GetPluginInfo(self, _: Any, __: Context) -> Any:
        return protocol.plugin.PluginInfo(version=VERSION)

    async def GetSchema(self, _: Any, __: Context) -> Any:
        return messages.GetSchemaResponse(schema=json.dumps({"name": "kubernetes", "version": VERSION}))

    async def Cancel(self, _: Any, context: Context) -> Any:
        self.session(context).cancelled.set()
        return Empty()

    @answered
    async def CheckConfig(self, request: Any, session: Session) -> Any:
        given = plain(decode(request.news))
        for line in settings.unknown(given):
            await session.host.warning(line)
        found = [*settings.refusals(given), *settings.strict(given, request.urn)]
        failures = [messages.CheckFailure(property=name, reason=why) for name, why in found]
        return messages.CheckResponse(inputs=request.news, failures=failures)

    @answered
    async def DiffConfig(self, request: Any, _: Session) -> Any:
        old, new = plain(decode(request.olds)), plain(decode(request.news))
        changed = diff.changed_keys(old, new)
        if not changed:
            return messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)
        replaces = settings.replacing(old, new, changed)
        return messages.DiffResponse(changes=messages.DiffResponse.DIFF_SOME, diffs=changed, replaces=replaces)

    @answered
    async def Configure(self, request: Any, session: Session) -> Any:
        session.configure(settings.from_variables(request.variables, accept_secrets=request.acceptSecrets))
        return messages.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @answered
    async def Check(self, request: Any, session: Session) -> Any:
        if session.settings.skip_unreachable and (why := await session.cluster.unreachable()):
            await session.host.warning(f"left as it is (skipUpdateUnreachable): {why}")
            return messages.CheckResponse(inputs=request.olds)
        news = decode(request.news)
        type_ = kinds.of_urn(request.urn, plain(news.get("kind")))
        namespace = await session.namespace_for(type_)
        inputs, failures = check.check(news, decode(request.olds), type_, _naming(request), namespace)
        failures += await _refused(type_, inputs, session)
        for name in check.unknown_fields(news, type_):
            await session.host.warning(f'unknown field "{name}"')
        if type_.kind == "CustomResourceDefinition":
            session.cluster.defined |= manifests.defined([plain(inputs)])
        return messages.CheckResponse(
            inputs=session.encode(inputs),
            failures=[messages.CheckFailure(property=failure.property, reason=failure.reason) for failure in failures],
        )

    @answered
    async def Diff(self, request: Any, session: Session) -> Any:
        old, live = state.parse_asked(request.olds)
        wanted = check.normalise(state.kubernetes_spelling(plain(decode(request.news))))
        type_ = kinds.of_urn(request.urn, wanted.get("kind"))
        found = diff.diff(
            live,
            check.normalise(old),
            wanted,
            namespaced=session.cluster.is_namespaced(type_),
            mutable=session.settings.mutable,
            ignore=request.ignoreChanges,
            patch=type_.patch,
        )
        response = _diff_response(found)
        if await _replaces_unready(live, wanted, session):
            response.changes = messages.DiffResponse.DIFF_SOME
            response.replaces.append(f'.metadata.annotations["{marks.REPLACE_UNREADY}"]')
            namespaced = session.cluster.is_namespaced(type_)
            response.deleteBeforeReplace = diff.must_go_first(live, wanted, namespaced)
        return response

    @answered
    async def Create(self, request: Any, session: Session) -> Any:
        marked = decode(request.properties)
        inputs = state.kubernetes_spelling(plain(marked))
        manager = state.manager(inputs, {}, session.new_manager())
        patch = kinds.of_urn(request.urn, inputs.get("kind")).patch
        if request.preview:
            untold = patch or values.has_unknown(inputs) or session.cluster.offline
            live = None if untold else await session.resources.preview_create(inputs, manager)
            if live is None:
                return messages.CreateResponse(properties=request.properties)
            foreseen = state.outputs(inputs, foretold(live), marked, inputs["apiVersion"], manager)
            return messages.CreateResponse(properties=session.encode(foreseen))
        make = session.resources.patch if patch else session.resources.create
        how = "was created, but is not ready"
        try:
            outcome = await make(inputs, manager, request.timeout)
        except Unsettled as error:
            outcome, how = Outcome(inputs, [str(error)]), "may have been created: the next update reads it back"
        recorded = state.outputs(inputs, outcome.live, marked, inputs["apiVersion"], manager)
        self._settle(outcome, recorded, how)
        return messages.CreateResponse(id=kinds.object_id(outcome.live), properties=session.encode(recorded))

    @answered
    async def Update(self, request: Any, session: Session) -> Any:
        olds, marked = decode(request.olds), decode(request.news)
        inputs = check.normalise(state.kubernetes_spelling(plain(marked)))
        if request.preview and (session.cluster.offline or values.has_unknown(inputs)):
            return messages.UpdateResponse(properties=request.news)
        old, before = state.parse(olds)
        manager_before = state.manager(old, olds, session.new_manager())
        manager = state.manager(inputs, olds, manager_before)
        name = before["metadata"]["name"]
        try:
            outcome = await session.resources.update(
                name,
                inputs,
                manager,
                request.timeout,
                ignore=list(request.ignoreChanges),
                dry_run=request.preview,
                confirmed="uid" in before["metadata"],
                patch=kinds.of_urn(request.urn, inputs.get("kind")).patch,
            )
        except UnknownKind:
            if request.preview:
                return messages.UpdateResponse(properties=request.news)
            raise
        version = state.initial_version(olds, old)
        recorded = state.outputs(inputs, outcome.live, marked, version, manager)
        if not request.preview and manager_before != manager:
            outcome = await session.resources.hand_on(outcome, manager_before)
        self._settle(outcome, recorded, "was changed, but is not ready")
        return messages.UpdateResponse(properties=session.encode(recorded))

    @answered
    async def Read(self, request: Any, session: Session) -> Any:
        if session.cluster.offline:
            return messages.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        given_up = session.settings.delete_unreachable or session.settings.skip_unreachable
        if given_up and (why := await session.cluster.unreachable()):
            await session.host.warning(why)
            if session.settings.delete_unreachable:
                return messages.ReadResponse()
            return messages.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        type_ = kinds.of_urn(request.urn)
        recorded, marked = decode(request.properties), decode(request.inputs)
        namespace, name = kinds.parse_id(request.id)
        old, before = state.parse(recorded)
        wanted = check.normalise(state.kubernetes_spelling(plain(marked)))
        asked = {"apiVersion": type_.api_version, "kind": type_.kind, **before, **wanted}
        live = await session.resources.read(asked["apiVersion"], asked["kind"], name, namespace)
        if live is None:
            return messages.ReadResponse()
        fresh = not wanted.get("kind") and not before.get("kind")
        inputs = importable(live) if fresh else diff.prune(live, wanted or old)
        manager = state.manager(wanted, recorded, session.new_manager())
        version = state.initial_version(recorded, inputs)
        outputs = state.outputs(inputs, live, marked, version, manager)
        shown = values.mark_secrets(state.pulumi_spelling(inputs), marked)
        outcome = Outcome(live) if fresh else await session.resources.waiting.look(live, inputs)
        self._settle(outcome, outputs, "is not ready", inputs=shown, id=request.id)
        return messages.ReadResponse(id=request.id, properties=session.encode(outputs), inputs=session.encode(shown))

    @answered
    async def Delete(self, request: Any, session: Session) -> Any:
        if session.settings.delete_unreachable and (why := await session.cluster.unreachable()):
            await session.host.warning(f"taken out of the state alone (deleteUnreachable): {why}")
            return Empty()
        recorded = decode(request.properties)
        inputs, live = state.parse(recorded)
        if kinds.of_urn(request.urn, inputs.get("kind")).patch:
            await session.resources.relinquish(live, state.manager(inputs, recorded, ""))
            return Empty()
        outcome = await session.resources.delete(live, inputs, request.timeout)
        if outcome.reasons:
            raise TurnoutError(f"{kinds.object_id(live)} was not deleted", why="\n".join(outcome.reasons))
        return Empty()

    @answered
    async def Invoke(self, request: Any, session: Session) -> Any:
        if request.tok == manifests.DECODE:
            asked = plain(decode(request.args))
            rows = manifests.documents(asked.get("text") or "")
            scopes = await session.cluster.scopes(rows) if asked.get("defaultNamespace") else {}
            result = manifests.decoded(rows, asked.get("defaultNamespace") or "", scopes)
            return messages.InvokeResponse(**{"return": encode({"result": result})})
        raise kinds.refused(request.tok)

    @answered
    async def Construct(self, request: Any, session: Session) -> Any:
        from cli.provider.construct import construct

        return await construct(request, session)

    def _settle(
        self, outcome: Outcome, outputs: Properties, how: str, *, inputs: Properties | None = None, id: str = ""
    ) -> None:
        if outcome.reasons:
            name = f"{outcome.live['kind']} {kinds.object_id(outcome.live)}"
            reasons = [f"{name} {how}: {outcome.reasons[0]}", *outcome.reasons[1:]]
            raise NotReady(id or kinds.object_id(outcome.live), outputs, reasons, inputs)


async def _refused(type_: kinds.Type, inputs: Properties, session: Session) -> list[check.Failure]:
    """What only the annotations, or the server, tell to be wrong."""
    found = [check.Failure("metadata.annotations", text) for text in waitfor.faults(marks.wait_for(inputs))]
    asked = session.settings.reject_unknown and not session.cluster.offline
    if asked and await session.cluster.scope(type_.api_version, type_.kind) is None:
        why = f"the server has no {type_.api_version} {type_.kind}, and rejectUnknownResources is on"
        found.append(check.Failure("kind", why))
    return found


async def _replaces_unready(live: Properties, wanted: Properties, session: Session) -> bool:
    """Whether a Job is to be made anew because it is not complete (`pulumi.com/replaceUnready`)."""
    if session.cluster.offline or not marks.is_true(wanted, marks.REPLACE_UNREADY):
        return False
    if wanted["kind"] != "Job":
        await session.host.warning(f"{marks.REPLACE_UNREADY} is for Jobs alone: it changes nothing here")
        return False
    metadata = live["metadata"]
    job = await session.resources.read(wanted["apiVersion"], "Job", metadata["name"], metadata.get("namespace"))
    return job is not None and not health(job).ready


def _naming(request: Any) -> check.Naming:
    options = request.autonaming
    proposed = options.proposed_name if options.mode != options.DISABLE else ""
    disabled = request.HasField("autonaming") and options.mode == options.DISABLE
    return check.Naming(kinds.name_of(request.urn), request.randomSeed, proposed, disabled)


_KINDS = {
    (diff.Kind.ADD, False): "ADD",
    (diff.Kind.ADD, True): "ADD_REPLACE",
    (diff.Kind.DELETE, False): "DELETE",
    (diff.Kind.DELETE, True): "DELETE_REPLACE",
    (diff.Kind.UPDATE, False): "UPDATE",
    (diff.Kind.UPDATE, True): "UPDATE_REPLACE",
}


def _diff_response(found: diff.Difference) -> Any:
    response = messages.DiffResponse(
        changes=messages.DiffResponse.DIFF_SOME if found.changes else messages.DiffResponse.DIFF_NONE,
        replaces=found.replaces,
        deleteBeforeReplace=found.delete_first,
        hasDetailedDiff=True,
    )
    for change in found.changes:
        row = response.detailedDiff[paths.write(change.path)]
        row.kind = messages.PropertyDiff.Kind.Value(_KINDS[change.kind, change.replaces])
        row.inputDiff = change.kind is diff.Kind.DELETE
    return response
