"""What became of a pending operation is judged by what the cluster holds, and the state is mended accordingly."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.engine import repair
from cli.engine.mended import INTERRUPTED, mended, to_read
from cli.engine.repair import Action, Finding, Found
from cli.engine.store.verify import verify, whole

JSON = dict[str, Any]

BASE = "urn:pulumi:dev::shop::"
PROVIDER = f"{BASE}pulumi:providers:kubernetes::cluster"
TYPE = "kubernetes:apps/v1:Deployment"
URN = f"{BASE}{TYPE}::api"
SPACE = f"{BASE}kubernetes:core/v1:Namespace::dev"
BEGAN = datetime(2026, 1, 1, 10, tzinfo=UTC)
ENVELOPE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def inputs(name: str = "api", **spec: Any) -> JSON:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "dev"},
        "spec": {"replicas": 1, **spec},
    }


def resource(**fields: Any) -> JSON:
    entry = {"urn": URN, "custom": True, "type": TYPE, "provider": f"{PROVIDER}::p1", "dependencies": [SPACE]}
    return {**entry, "inputs": inputs(), **fields}


def held(**fields: Any) -> JSON:
    """The resource as a state holds it."""
    outputs = {**inputs(), "__inputs": inputs(), "metadata": {"name": "api", "namespace": "dev", "uid": "u1"}}
    return resource(id="dev/api", outputs=outputs, **fields)


def live(*managers: str, uid: str = "u1", at: datetime = BEGAN, manifest: JSON | None = None, **metadata: Any) -> JSON:
    found = copy.deepcopy(manifest or inputs())
    fields = [{"manager": name, "operation": "Update"} for name in managers or ("pulumi-kubernetes",)]
    found["metadata"] |= {"uid": uid, "creationTimestamp": at.isoformat(), "managedFields": fields, **metadata}
    return found


def state(*entries: JSON, operations: tuple[tuple[str, JSON], ...] = (), upserts: str = "") -> JSON:
    settings = {"upsertExistingObjects": upserts} if upserts else {}
    provider = {"urn": PROVIDER, "custom": True, "id": "p1", "type": "pulumi:providers:kubernetes", "inputs": settings}
    space = {"urn": SPACE, "custom": True, "id": "dev", "type": "kubernetes:core/v1:Namespace"}
    pending = [{"type": what, "resource": entry} for what, entry in operations]
    manifest = {"time": "2026-01-01T10:05:00Z", "version": "", "magic": ""}
    resources = [provider, space | {"provider": f"{PROVIDER}::p1"}, *entries]
    return {"version": 3, "deployment": {"manifest": manifest, "resources": resources, "pending_operations": pending}}


def judged(found: JSON, seen: Found, began: datetime | None = BEGAN) -> Finding:
    [operation] = repair.operations(found)
    return repair.judge(operation, seen, "dev", began)


def settled(found: JSON, *seen: Found) -> JSON:
    operations = repair.operations(found)
    findings = [repair.judge(one, look, "dev", BEGAN) for one, look in zip(operations, seen, strict=True)]
    before = copy.deepcopy(found)
    new = mended(found, operations, findings)
    assert found == before, "the state that was given is left as it is"
    assert whole(verify(new["deployment"]))
    return new


def entries(found: JSON) -> list[tuple[str, bool]]:
    """(id, whether it is only to be deleted) of the resource in question, in the state's order."""
    return [
        (row.get("id", ""), row.get("delete", False)) for row in found["deployment"]["resources"] if row["urn"] == URN
    ]


CREATING = state(operations=(("creating", resource()),))


@pytest.mark.parametrize(
    ("found", "action"),
    [
        (None, Action.FORGET),
        (live(), Action.ADOPT),
        (live("pulumi-kubernetes", "kube-controller-manager"), Action.ADOPT),
        (live(at=BEGAN - timedelta(seconds=30)), Action.ADOPT),
        (live(at=BEGAN - timedelta(minutes=5)), None),
        (live("kubectl-create"), None),
    ],
)
def test_a_create(found: JSON | None, action: Action | None) -> None:
    assert judged(CREATING, Found(found)).action is action


def test_an_object_of_a_run_whose_beginning_nobody_knows_is_told_by_its_manager_alone() -> None:
    assert judged(CREATING, Found(live(at=BEGAN - timedelta(days=1))), None).action is Action.ADOPT


def test_the_manager_that_was_asked_for_counts_as_ours() -> None:
    asked = inputs()
    asked["metadata"]["annotations"] = {"pulumi.com/patchFieldManager": "turnout"}
    found = state(operations=(("creating", resource(inputs=asked)),))
    assert judged(found, Found(live("turnout"))).action is Action.ADOPT


def test_what_nobody_could_look_at_stays() -> None:
    for what, entry in (("creating", resource()), ("updating", held()), ("deleting", held())):
        finding = judged(state(held(), operations=((what, entry),)), Found(unknown="no route to host"))
        assert (finding.action, finding.next) == (None, "turnout repair dev")
        assert "no route to host" in finding.found


def test_a_strangers_object_is_left_with_the_command_that_takes_it_over() -> None:
    finding = judged(CREATING, Found(live("kubectl-create")))
    assert f"pulumi import '{TYPE}' 'api' 'dev/api' --provider 'cluster={PROVIDER}' --stack dev" in finding.next
    assert "kubectl-create" in finding.found


def test_a_create_through_an_adopting_provider_is_left_to_it() -> None:
    found = state(operations=(("creating", resource()),), upserts="true")
    assert judged(found, Found(live(at=BEGAN - timedelta(days=9)))).action is Action.FORGET


def test_a_create_that_the_state_has_since_is_forgotten() -> None:
    found = state(held(), operations=(("creating", resource()),))
    assert judged(found, Found(live())).action is Action.FORGET


@pytest.mark.parametrize(
    ("now", "action"),
    [
        (inputs(replicas=2, paused=True), Action.APPLIED),
        (inputs(), Action.UNTOUCHED),
        (inputs(replicas=9), Action.AGAIN),
        (inputs(paused=True), Action.AGAIN),
        (None, Action.GONE),
    ],
)
def test_an_update(now: JSON | None, action: Action) -> None:
    new = held() | {"inputs": inputs(replicas=2, paused=True)}
    found = state(held(), operations=(("updating", new),))
    assert judged(found, Found(live(manifest=now) if now else None)).action is action


def test_what_an_update_only_takes_away_is_looked_for() -> None:
    old, new = held(inputs=inputs(paused=True)), held()
    for now, action in ((inputs(), Action.APPLIED), (inputs(paused=True), Action.UNTOUCHED)):
        found = state(old, operations=(("updating", new),))
        assert judged(found, Found(live(manifest=now))).action is action


def test_an_update_that_takes_the_last_of_a_list_away_is_looked_for() -> None:
    found = state(held(inputs=inputs(args=["a", "b"])), operations=(("updating", held(inputs=inputs(args=["a"]))),))
    assert judged(found, Found(live(manifest=inputs(args=["a"])))).action is Action.APPLIED
    assert judged(found, Found(live(manifest=inputs(args=["a", "b"])))).action is Action.UNTOUCHED


def test_an_update_that_brings_a_list_is_looked_for() -> None:
    found = state(held(), operations=(("updating", held(inputs=inputs(args=["a"]))),))
    assert judged(found, Found(live(manifest=inputs(args=["a"])))).action is Action.APPLIED
    assert judged(found, Found(live(manifest=inputs(args=["a", "b"])))).action is Action.AGAIN


def test_what_is_secret_and_does_not_change_does_not_hide_what_does() -> None:
    old, new = held(), held(inputs=inputs(replicas=2))
    old["inputs"]["spec"]["token"] = new["inputs"]["spec"]["token"] = ENVELOPE
    found = state(old, operations=(("updating", new),))
    assert judged(found, Found(live(manifest=inputs(replicas=2, token="plain")))).action is Action.APPLIED


def test_an_update_of_what_is_secret_is_done_again() -> None:
    old, new = held(), held()
    old["inputs"]["spec"]["token"], new["inputs"]["spec"]["token"] = ENVELOPE, ENVELOPE | {"ciphertext": "v1:def"}
    found = state(old, operations=(("updating", new),))
    assert judged(found, Found(live())).action is Action.AGAIN


def test_fields_that_are_left_to_others_do_not_count() -> None:
    new = held(ignoreChanges=["spec.replicas"]) | {"inputs": inputs(paused=True)}
    found = state(held(), operations=(("updating", new),))
    assert judged(found, Found(live(manifest=inputs(replicas=7, paused=True)))).action is Action.APPLIED
    old = held(inputs=inputs(paused=True))
    found = state(old, operations=(("updating", held(ignoreChanges=["spec.paused"], inputs=inputs(replicas=2))),))
    assert judged(found, Found(live(manifest=inputs(replicas=2, paused=True)))).action is Action.APPLIED


@pytest.mark.parametrize(
    ("found", "action"),
    [
        (None, Action.GONE),
        (live(), Action.KEEP),
        (live(deletionTimestamp="2026-01-01T10:00:00Z"), Action.AWAIT),
        (live(uid="u2"), Action.GONE),
        (live(uid="u2", deletionTimestamp="2026-01-01T10:00:00Z"), Action.GONE),
    ],
)
def test_a_deletion(found: JSON | None, action: Action) -> None:
    assert judged(state(held(), operations=(("deleting", held()),)), Found(found)).action is action


@pytest.mark.parametrize("what", ["creating", "updating", "deleting"])
def test_an_object_that_is_being_deleted_is_waited_for_and_in_the_end_told(what: str) -> None:
    found = state(held(), operations=((what, held()),))
    going = Found(live(deletionTimestamp="2026-01-01T10:00:00Z", finalizers=["example.com/hold"]))
    assert judged(found, going).action is Action.AWAIT
    [operation] = repair.operations(found)
    finding = repair.judge(operation, going, "dev", BEGAN, waited=True)
    assert (finding.action, "example.com/hold" in finding.next) == (None, True)
    assert mended(found, [operation], [finding]) == found


@pytest.mark.parametrize("what", ["reading", "importing"])
def test_what_changes_nothing_is_forgotten(what: str) -> None:
    assert judged(state(operations=((what, held()),)), Found(unknown="no route")).action is Action.FORGET


def test_a_provider_lives_in_the_state_alone() -> None:
    entry = {"urn": PROVIDER, "type": "pulumi:providers:kubernetes", "custom": True}
    assert judged(state(operations=(("creating", entry),)), Found()).action is Action.FORGET


@pytest.mark.parametrize("what", ["creating", "updating", "deleting"])
def test_a_component_lives_in_the_state_alone(what: str) -> None:
    entry = {"urn": f"{BASE}shop:index:Bundle::bundle", "type": "shop:index:Bundle", "custom": False}
    assert judged(state(operations=((what, entry),)), Found()).action is Action.FORGET


@pytest.mark.parametrize(("what", "action"), [("creating", None), ("updating", Action.READ), ("deleting", Action.READ)])
def test_another_providers_resource(what: str, action: Action | None) -> None:
    entry: JSON = {"urn": f"{BASE}docker:index/network:Network::net", "type": "docker:index/network:Network", "id": "x"}
    entry = {**entry, "custom": True}
    assert judged(state(operations=((what, entry),)), Found()).action is action


def test_a_patch_is_known_by_its_own_manager() -> None:
    entry = resource(type="kubernetes:apps/v1:DeploymentPatch")
    found = state(operations=(("creating", entry),))
    others = live("kubectl-create", at=BEGAN - timedelta(days=9))
    assert judged(found, Found(others)).action is Action.FORGET
    others["metadata"]["managedFields"].append({"manager": "pulumi-kubernetes-1a2b3c4d", "operation": "Apply"})
    assert judged(found, Found(others)).action is Action.ADOPT
    [*_, made] = settled(found, Found(others))["deployment"]["resources"]
    assert made["outputs"]["__fieldManager"] == "pulumi-kubernetes-1a2b3c4d"


def test_an_adopted_object_comes_behind_all_that_it_needs_and_is_applied_once_more() -> None:
    after = {"urn": f"{BASE}kubernetes:core/v1:ConfigMap::after", "custom": True, "id": "dev/after", "type": "x:y:Z"}
    found = state(after, operations=(("creating", resource()),))
    new = settled(found, Found(live()))
    *_, made, last = new["deployment"]["resources"]
    assert (made["urn"], last["urn"]) == (URN, after["urn"])
    assert (made["id"], made["outputs"]["__inputs"], made["initErrors"]) == ("dev/api", inputs(), [INTERRUPTED])
    assert "pending_operations" not in new["deployment"]


def test_a_secret_stays_closed_in_an_adopted_object() -> None:
    entry = resource()
    entry["inputs"]["spec"]["token"] = ENVELOPE
    [*_, made] = settled(state(operations=(("creating", entry),)), Found(live()))["deployment"]["resources"]
    assert made["inputs"]["spec"]["token"] == made["outputs"]["spec"]["token"] == ENVELOPE


def test_a_replacement_that_came_first_leaves_the_old_object_to_be_deleted() -> None:
    found = state(held(), operations=(("creating", resource(inputs=inputs("api-2"))),))
    new = settled(found, Found(live(manifest=inputs("api-2"), uid="u2")))
    assert sorted(entries(new)) == [("dev/api", True), ("dev/api-2", False)]


def test_a_replacement_whose_old_object_went_first_takes_its_place() -> None:
    found = state(held(pendingReplacement=True), operations=(("creating", resource()),))
    assert entries(settled(found, Found(live(uid="u2")))) == [("dev/api", False)]
    assert entries(settled(found, Found(None))) == [("dev/api", False)], "the engine replaces what is marked so"


def test_an_old_object_that_went_first_is_not_deleted_again() -> None:
    found = state(held(pendingReplacement=True), operations=(("creating", resource(inputs=inputs("api-2"))),))
    assert entries(settled(found, Found(live(manifest=inputs("api-2"), uid="u2")))) == [("dev/api-2", False)]


def test_of_two_cut_off_creates_of_one_resource_the_later_lives() -> None:
    both = (("creating", resource(inputs=inputs("api-1"))), ("creating", resource(inputs=inputs("api-2"))))
    seen = [Found(live(manifest=inputs(name), uid=name)) for name in ("api-1", "api-2")]
    assert sorted(entries(settled(state(operations=both), *seen))) == [("dev/api-1", True), ("dev/api-2", False)]


def test_what_is_gone_leaves_no_reference_behind() -> None:
    needs = {
        "urn": f"{BASE}kubernetes:core/v1:Service::web",
        "custom": True,
        "type": "kubernetes:core/v1:Service",
        "id": "dev/web",
        "provider": f"{PROVIDER}::p1",
        "dependencies": [SPACE, URN],
        "propertyDependencies": {"spec": [URN], "metadata": []},
        "deletedWith": URN,
    }
    new = settled(state(held(), needs, operations=(("deleting", held()),)), Found(None))
    [*_, left] = new["deployment"]["resources"]
    assert (left["dependencies"], left["propertyDependencies"]) == ([SPACE], {"spec": [], "metadata": []})
    assert "deletedWith" not in left
    assert entries(new) == []


def test_of_a_replaced_resource_only_the_old_object_goes() -> None:
    old = held(delete=True)
    young = held() | {"id": "dev/api-2"}
    new = settled(state(young, old, operations=(("deleting", old),)), Found(None))
    assert entries(new) == [("dev/api-2", False)]


def test_what_a_person_must_settle_stays_pending() -> None:
    both = (("creating", resource()), ("deleting", held()))
    new = settled(state(held(), operations=both), Found(unknown="no route"), Found(None))
    assert [row["type"] for row in new["deployment"]["pending_operations"]] == ["creating"]


def test_what_is_in_the_state_afterwards_is_read_back() -> None:
    found = state(operations=(("creating", resource()),))
    operations = repair.operations(found)
    findings = [repair.judge(operations[0], Found(live()), "dev", BEGAN)]
    assert to_read(mended(found, operations, findings), findings) == [URN]
    assert to_read(found, findings) == []


def test_the_run_began_after_the_newest_state_in_which_the_operation_was_not_pending() -> None:
    def at(minute: int, *urns: str) -> JSON:
        pending = [{"type": "creating", "resource": {"urn": urn}} for urn in urns]
        return {"manifest": {"time": f"2026-01-01T10:{minute:02}:00.123456789Z"}, "pending_operations": pending}

    found = repair.began_after(URN, [at(9, URN), at(5, SPACE), at(1)])
    assert found == datetime(2026, 1, 1, 10, 5, 0, 123456, tzinfo=UTC)
    assert repair.began_after(URN, [at(9, URN)]) is None
