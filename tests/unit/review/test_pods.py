from __future__ import annotations

import pytest

from cli.engine.model import SECRET, Change
from cli.review.judge import judge
from tests.unit.review.builder import Manifest, Told, change, container, made, plan, pods, running, told


def deployment(**pod: object) -> Manifest:
    return running("DaemonSet", "api", template=pods("api", **pod))


def with_container(**more: object) -> Manifest:
    return deployment(containers=[container("app", **more)])  # type: ignore[arg-type]


def with_context(**context: object) -> Manifest:
    return deployment(containers=[container(context=context)])


def with_host_path(*, read_only: bool) -> Manifest:
    mounts = [{"name": "logs", "mountPath": "/logs", "readOnly": read_only}]
    volumes = [{"name": "logs", "hostPath": {"path": "/var/log"}}]
    return deployment(containers=[container(volumeMounts=mounts)], volumes=volumes)


CLOSED = deployment()
SAID = "DaemonSet shop/api"
RESTARTS = ("restarts-every-node", f"{SAID} restarts on every node")
FROM_SECRET = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}

CASES: dict[str, tuple[Manifest, Manifest, list[Told]]] = {
    "privileged": (CLOSED, with_context(privileged=True), [("privileged", f"{SAID} runs its container privileged")]),
    "the node's network": (
        CLOSED,
        deployment(hostNetwork=True, hostPID=True),
        [
            ("host-access", f"{SAID} shares its node's network"),
            ("host-access", f"{SAID} shares its node's processes"),
        ],
    ),
    "the node's files": (
        CLOSED,
        with_host_path(read_only=True),
        [("host-access", f"{SAID} reads /var/log of its node")],
    ),
    "the node's files, to write": (
        with_host_path(read_only=True),
        with_host_path(read_only=False),
        [("host-access", f"{SAID} writes /var/log of its node")],
    ),
    "the node's files, to read only": (with_host_path(read_only=True), with_host_path(read_only=True), []),
    "the node's port": (
        CLOSED,
        with_container(ports=[{"containerPort": 80, "hostPort": 80.0}]),
        [("host-access", f"{SAID} takes port 80 of its node")],
    ),
    "a capability": (
        CLOSED,
        with_context(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}),
        [("adds-capability", f"{SAID} gives its container the capability NET_ADMIN")],
    ),
    "capabilities that are not dropped": (
        CLOSED,
        with_context(capabilities={}),
        [("loosens-pod", f"{SAID} leaves its container the capabilities that its runtime gives")],
    ),
    "root": (CLOSED, with_context(runAsUser=0), [("runs-as-root", f"{SAID} runs its container as root")]),
    "perhaps root": (
        CLOSED,
        with_context(runAsNonRoot=False),
        [("runs-as-root", f"{SAID} lets its container run as root")],
    ),
    "another user": (CLOSED, with_context(runAsUser=1000), []),
    "more privileges than its parent": (
        CLOSED,
        with_context(allowPrivilegeEscalation=None),
        [("escalates", f"{SAID} lets its container gain privileges")],
    ),
    "a root that it can write to": (
        CLOSED,
        with_context(readOnlyRootFilesystem=False),
        [("loosens-pod", f"{SAID} lets its container write to its own image")],
    ),
    "no seccomp profile": (
        CLOSED,
        with_context(seccompProfile={"type": "Unconfined"}),
        [("loosens-pod", f"{SAID} runs its container without a seccomp profile")],
    ),
    "a token": (
        CLOSED,
        deployment(automountServiceAccountToken=True),
        [("mounts-token", f"{SAID} mounts a token for the API server")],
    ),
    "a secret in a variable": (
        CLOSED,
        with_container(env=[FROM_SECRET]),
        [("secret-in-env", f"{SAID} puts a secret into the variable TOKEN of its container")],
    ),
    "secrets in variables": (
        CLOSED,
        with_container(envFrom=[{"secretRef": {"name": "keys"}}]),
        [("secret-in-env", f"{SAID} puts Secret keys into the variables of its container")],
    ),
    "a plain variable": (CLOSED, with_container(env=[{"name": "A", "value": "b"}]), []),
    "a tag": (
        CLOSED,
        with_container(image="shop:2"),
        [("unpinned-image", f"{SAID} names the image of app by a tag: shop:2")],
    ),
    "another digest": (CLOSED, with_container(image="shop@sha256:" + 64 * "2"), []),
    "a tag that was one before": (with_container(image="shop:1"), with_container(image="shop:2"), []),
    "one of two containers": (
        deployment(containers=[container("one"), container("two")]),
        deployment(containers=[container("one"), container("two", context={"privileged": True})]),
        [("privileged", f"{SAID} runs two privileged")],
    ),
    "a second container beside one that runs as root": (
        deployment(containers=[container("one", context={"runAsUser": 0}, env=[FROM_SECRET])]),
        deployment(containers=[container("one", context={"runAsUser": 0}, env=[FROM_SECRET]), container("two")]),
        [],
    ),
    "a second container that runs as root too": (
        deployment(containers=[container("one", context={"runAsUser": 0})]),
        deployment(containers=[container(name, context={"runAsUser": 0}) for name in ("one", "two")]),
        [("runs-as-root", f"{SAID} runs two as root")],
    ),
    "one of two containers goes": (
        deployment(containers=[container("one", context={"runAsUser": 0}), container("two")]),
        deployment(containers=[container("one", context={"runAsUser": 0})]),
        [],
    ),
    "the one that stays gets what the other had": (
        deployment(containers=[container("one"), container("two", context={"runAsUser": 0})]),
        deployment(containers=[container("one", context={"runAsUser": 0})]),
        [("runs-as-root", f"{SAID} runs its container as root")],
    ),
    "the only container under another name": (
        deployment(containers=[container("one", context={"runAsUser": 0})]),
        deployment(containers=[container("two", context={"runAsUser": 0})]),
        [],
    ),
    "closed again": (with_context(privileged=True), CLOSED, []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_pods_may_do_now(case: str) -> None:
    before, after, expected = CASES[case]
    assert [entry for entry in told(change(before, after)) if entry != RESTARTS] == expected


def test_what_is_new_brings_all_its_powers() -> None:
    judged = judge(plan(change(None, made("Pod", "tool", {"containers": [{"name": "app", "image": "tool"}]}))))
    assert [reason.code for reason in judged.reasons] == [
        "escalates",
        "runs-as-root",
        "loosens-pod",
        "loosens-pod",
        "loosens-pod",
        "mounts-token",
    ]
    assert len(judged.blast.security) == 6


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("plain", [("uncovers-secret", "ConfigMap shop/a shows data.key, which was secret")]),
        (SECRET, []),
    ],
)
def test_a_value_that_was_secret(after: str, expected: list[Told]) -> None:
    both: Change = change(made("ConfigMap", "a", data={"key": SECRET}), made("ConfigMap", "a", data={"key": after}))
    assert told(both) == expected
