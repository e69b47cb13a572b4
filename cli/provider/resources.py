"""Create, Read, Update and Delete of one object: what is sent to the cluster, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cli.kube.aio import AsyncKube
from cli.kube.errors import AlreadyExists, Conflict, Forbidden, Invalid, KubeError, NotFound, UnknownKind
from cli.kube.ownership import CREATOR, handover_patch
from cli.kube.requests import Object, Write
from cli.provider import marks
from cli.provider.objects import Outcome, kept_as_is, leave_to_others, must_force
from cli.provider.settings import Settings
from cli.provider.waiting import Waiting

EVERYTHING = "*"
"""Ignored, it stands for all of an object."""
ORDER_RETRIES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of a create whose namespace or kind is not there yet."""
RACES = 4
"""Times that a replacement is tried anew because somebody else wrote first."""


Place = tuple[str, str, str, str | None]
"""apiVersion, kind, name, namespace"""


@dataclass(frozen=True)
class Resources:
    """Works on the objects of one cluster."""

    kube: AsyncKube
    settings: Settings
    waiting: Waiting
    made: dict[Place, str] = field(default_factory=dict)
    """The uid of each object that this run has created."""

    async def preview_create(self, inputs: Object, manager: str) -> Object | None:
        """The object as the server would make it; None where it cannot tell yet."""
        try:
            return await self._create(inputs, manager, dry_run=True)
        except (Forbidden, NotFound, UnknownKind):
            return None
        except KubeError as error:
            if error.status == 409 and not isinstance(error, Conflict):
                return None
            raise

    async def patch(self, inputs: Object, manager: str, seconds: float) -> Outcome:
        """Own the fields that `inputs` name, and no others, of an object that somebody else made."""
        write = Write(manager, force=must_force(inputs, None, self.settings.patch_force, dry_run=False))
        live = await self.kube.run(self.kube.server.apply(inputs, write))
        return await self.waiting.until_ready(live, inputs, seconds)

    async def create(self, inputs: Object, manager: str, seconds: float) -> Outcome:
        live = await self._create_after_its_namesake(inputs, manager, seconds)
        self.made[_place(live)] = live["metadata"].get("uid", "")
        if inputs["kind"] == "CustomResourceDefinition":
            self.kube.server.forget(f"{inputs['spec']['group']}/{inputs['spec']['versions'][0]['name']}")
        return await self.waiting.until_ready(live, inputs, seconds)

    async def update(
        self,
        name: str,
        inputs: Object,
        manager: str,
        seconds: float,
        *,
        ignore: Sequence[str],
        dry_run: bool,
        confirmed: bool = True,
        patch: bool = False,
    ) -> Outcome:
        """Make a live object what `inputs` ask for, leaving alone what is ignored and belongs to others.

        One whose creation was never `confirmed` is created where it is not there. One of which everything is ignored is
        neither written nor waited for: the engine asks for that after a refresh that found it not ready.
        """
        try:
            live = await self._live(inputs, name)
        except NotFound:
            if confirmed or dry_run:
                raise
            return await self.create(inputs, manager, seconds)
        if EVERYTHING in ignore:
            return Outcome(live)
        if inputs["kind"] == "CustomResourceDefinition":
            updated = await self._replace(live, inputs, manager, dry_run)
        else:
            live = live if dry_run or patch else await self.kube.run(self.kube.server.hand_over(live, manager))
            wanted = leave_to_others(inputs, live, ignore, manager)
            write = Write(manager, dry_run, must_force(inputs, live, self.settings.patch_force, dry_run))
            try:
                updated = await self.kube.run(self.kube.server.apply(wanted, write))
            except Invalid as refusal:
                updated = await self._foretold(live, kept_as_is(inputs, live, ignore), write, refusal)
        if dry_run:
            return Outcome(updated)
        return await self.waiting.until_ready(updated, inputs, seconds)

    async def hand_on(self, outcome: Outcome, manager: str) -> Outcome:
        """Take from a former manager what it owned; that this failed is one more reason, not a lost update."""
        try:
            await self.relinquish(outcome.live, manager)
        except KubeError as error:
            return Outcome(outcome.live, [*outcome.reasons, f"{manager} still owns its fields: {error}"])
        return outcome

    async def relinquish(self, live: Object, manager: str) -> None:
        """Give up every field that `manager` owns; fine when the object is gone."""
        metadata = {key: live["metadata"][key] for key in ("name", "namespace") if key in live["metadata"]}
        nothing = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
        if await self.read(live["apiVersion"], live["kind"], metadata["name"], metadata.get("namespace")):
            await self.kube.run(self.kube.server.apply(nothing, Write(manager)))

    async def read(self, api_version: str, kind: str, name: str, namespace: str | None) -> Object | None:
        return await self.kube.run(self.kube.server.find(api_version, kind, name, namespace))

    async def delete(self, live: Object, inputs: Object, seconds: float) -> Outcome:
        """Delete and wait for the absence; an object that is gone already is fine.

        So is one in whose place this run has made another. A replacement that was cut off between its deletion and its
        creation, and is not wanted any more, makes the engine create the object anew and then delete it as the old one.
        """
        place = _place(live)
        recorded = live["metadata"].get("uid", "")
        if recorded and self.made.get(place, recorded) != recorded:
            return Outcome(live)
        try:
            deletion = await self.kube.run(self.kube.server.delete(*place, propagation=marks.propagation(live)))
        except UnknownKind:
            return Outcome(live)
        if deletion != "going":
            return Outcome(live)
        return await self.waiting.until_gone(live, inputs, marks.timeout(inputs, seconds))

    async def _live(self, inputs: Object, name: str) -> Object:
        place = (inputs["apiVersion"], inputs["kind"], name, inputs["metadata"].get("namespace"))
        try:
            return await self.kube.run(self.kube.server.get(*place))
        except NotFound as error:
            error.next = "somebody deleted it outside of Pulumi; take that into the state: turnout refresh ENV"
            raise

    async def _create_after_its_namesake(self, inputs: Object, manager: str, seconds: float) -> Object:
        """One of the same name that is on its way out is waited for."""
        try:
            return await self._create_in_order(inputs, manager)
        except AlreadyExists as error:
            metadata = inputs["metadata"]
            there = await self.read(inputs["apiVersion"], inputs["kind"], metadata["name"], metadata.get("namespace"))
            if there and not there["metadata"].get("deletionTimestamp"):
                error.next = "somebody else's, or of a state that was lost; earlier states: turnout state list ENV"
                raise
            if there:
                await self.waiting.until_gone(there, {}, marks.timeout(inputs, seconds))
        return await self._create_in_order(inputs, manager)

    async def _create_in_order(self, inputs: Object, manager: str) -> Object:
        """A namespace or a kind that is just being made may take a moment to be known."""
        for pause in ORDER_RETRIES:
            try:
                return await self._create(inputs, manager)
            except (NotFound, UnknownKind):
                self.kube.server.forget(inputs["apiVersion"])
                await self.waiting.rest(pause, "its namespace or its kind is not there yet")
        return await self._create(inputs, manager)

    async def _create(self, inputs: Object, manager: str, *, dry_run: bool = False) -> Object:
        server = self.kube.server
        if not self.settings.upsert:
            return await self.kube.run(server.create(inputs, Write(CREATOR, dry_run)))
        force = must_force(inputs, None, self.settings.patch_force, dry_run)
        return await self.kube.run(server.apply(inputs, Write(manager, dry_run, force)))

    async def _foretold(self, live: Object, wanted: Object, write: Write, refusal: Invalid) -> Object:
        """A preview comes before the hand-over of what a POST set, and what it leaves of that may not fit (a port's old
        number beside its new one): only what would be refused as a whole object too is refused then."""
        if not write.dry_run or handover_patch(live, write.manager) is None:
            raise refusal
        try:
            return await self._replace(live, wanted, write.manager, dry_run=True)
        except KubeError:
            raise refusal from None

    async def _replace(self, live: Object, inputs: Object, manager: str, dry_run: bool) -> Object:
        """PUT over what was just read; the server's own controllers write to it as well, and may be faster."""
        write = Write(manager, dry_run)
        for _ in range(RACES):
            try:
                return await self.kube.run(self.kube.server.replace(_over(live, inputs), write))
            except Conflict:
                live = await self._live(inputs, live["metadata"]["name"])
        return await self.kube.run(self.kube.server.replace(_over(live, inputs), write))


def _over(live: Object, inputs: Object) -> Object:
    """The inputs as a replacement of this very state."""
    metadata = {**inputs["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
    return {**inputs, "metadata": metadata}


def _place(live: Object) -> Place:
    metadata = live["metadata"]
    return live["apiVersion"], live["kind"], metadata["name"], metadata.get("namespace")
