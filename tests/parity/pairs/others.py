"""Custom resources, patches of what others made, fields of other managers, and the engine's options."""

from __future__ import annotations

from tests.parity.pair import GONE, NAMESPACE, Hidden, Later, Manifest, Move, Pair, Resource, change
from tests.parity.pairs.shapes import GROUP, SKIP, TURNOUT, config_map, definition, deployment, job, obj, service

_FORCE = {"pulumi.com/patchForce": "true"}
_OTHERS: Manifest = {"annotations": {}}


def _widget(name: str, **spec: object) -> Manifest:
    return obj(f"{GROUP}/v1", "Widget", name, {"spec": {"size": 1, "limits": {"cpu": "1000m"}, **spec}})


def _custom(name: str, manifest: Manifest, *edits: dict[str, object]) -> Pair:
    """The definition stands in the pair `widgets`, which every one of these needs."""
    return change(name, manifest, dict(edits[0]) if edits else {}, options={"after": "widgets"})


def _patch(name: str, body: Manifest, after: Manifest, **annotations: str) -> Pair:
    theirs = obj("v1", "ConfigMap", name, {"data": {"a": "1"}}, **_OTHERS)
    first, second = (
        Resource(name, obj("v1", "ConfigMap", name, part, annotations=annotations), "kubernetes:core/v1:ConfigMapPatch")
        for part in (body, after)
    )
    return Pair(name, [first], [second], there=[theirs])


def _moved(name: str, before: Manifest, body: Manifest, edits: dict[str, object], *ignore: str) -> Pair:
    return change(name, before, edits, ignore=ignore, moves=[Move(before, body)])


def _two(name: str, after: Manifest, **options: object) -> Pair:
    """A resource that the second program declares under other options."""
    return Pair(name, [Resource(name, config_map(name))], [Resource(name, after, options=options)])


_THERE = obj("v1", "ConfigMap", "imported", {"data": {"a": "1"}}, **_OTHERS)
_RENAMED = config_map("aliased")

PAIRS = [
    change("widgets", definition("widgets", "Widget"), {"spec/names/shortNames": ["wdg"]}),
    change("gadgets", definition("gadgets", "Gadget", scope="Cluster"), {"metadata/labels": {"a": "b"}}),
    _custom("widget-nothing", _widget("widget-nothing")),
    _custom("widget-size", _widget("widget-size"), {"spec/size": 2}),
    _custom("widget-spelling", _widget("widget-spelling"), {"spec/limits/cpu": "1"}),
    _custom("widget-empty", _widget("widget-empty", list=[], text="", off=False), {"spec/off": True}),
    _custom("widget-removed", _widget("widget-removed"), {"spec/limits": GONE}),
    _custom("widget-renamed", _widget("widget-renamed"), {"metadata/name": "widget-renamed-2"}),
    _custom("widget-null", _widget("widget-null", nothing=None), {"spec/size": 2}),
    _patch("patch-value", {"data": {"b": "2"}}, {"data": {"b": "3"}}),
    _patch("patch-other-key", {"data": {"b": "2"}}, {"data": {"c": "3"}}),
    _patch("patch-forced", {"data": {"a": "2"}}, {"data": {"a": "3"}}, **_FORCE),
    _patch("patch-manager", {"data": {"b": "2"}}, {"data": {"b": "2"}, "immutable": False}, **TURNOUT),
    _moved(
        "selector-moved",
        service("selector-moved"),
        {"spec": {"selector": {"app": "b"}}},
        {"metadata/labels": {"a": "b"}},
        "spec.selector",
    ),
    _moved(
        "selector-moved-and-asked",
        service("selector-asked"),
        {"spec": {"selector": {"app": "b"}}},
        {"spec/selector/app": "c"},
        "spec.selector",
    ),
    _moved(
        "replicas-moved",
        deployment("replicas-moved"),
        {"metadata": {"labels": {"x": "y"}}},
        {"spec/minReadySeconds": 1},
        "spec.replicas",
    ),
    _moved(
        "replicas-asked",
        deployment("replicas-asked"),
        {"metadata": {"labels": {"x": "y"}}},
        {"spec/replicas": 1},
        "spec.replicas",
    ),
    _moved(
        "frozen",
        deployment("frozen"),
        {"metadata": {"labels": {"x": "y"}}},
        {"spec/minReadySeconds": 1, "metadata/labels": {"a": "b"}},
        "spec",
        "metadata",
    ),
    _moved("data-moved", config_map("data-moved"), {"data": {"c": "theirs"}}, {"metadata/labels": {"a": "b"}}),
    change("ignored-replacing", job("ignored-replacing"), {"spec/parallelism": 2}, ignore=["spec.parallelism"]),
    change(
        "manager-changed",
        config_map("manager-changed"),
        {"metadata/annotations": {"pulumi.com/patchFieldManager": "other"}},
    ),
    change(
        "forced",
        {**config_map("forced"), "metadata": {"name": "forced", "annotations": _FORCE}},
        {"metadata/labels": {"a": "b"}},
        provider="mutable",
    ),
    change("forcing-provider", config_map("forcing-provider"), {"metadata/labels": {"a": "b"}}, provider="forcing"),
    change(
        "adopting",
        config_map("adopting"),
        {"metadata/labels": {"a": "b"}},
        provider="adopting",
        there=[obj("v1", "ConfigMap", "adopting", {"data": {"a": "1"}}, **_OTHERS)],
    ),
    change(
        "annotations-only", config_map("annotations-only"), {"metadata/annotations": {**TURNOUT, **SKIP, "a.b/c": "d"}}
    ),
    change("annotations-gone", config_map("annotations-gone"), {"metadata/annotations": GONE}),
    change(
        "labels-changed",
        obj("v1", "ConfigMap", "labels-changed", labels={"a": "1", "b": "2"}),
        {"metadata/labels": {"b": "3", "c": "4"}},
    ),
    change("finalizers", obj("v1", "ConfigMap", "finalizers", labels={"a": "1"}), {"metadata/finalizers": []}),
    change(
        "server-set",
        config_map("server-set"),
        {"metadata/uid": "x", "metadata/resourceVersion": "1", "metadata/generation": 7},
    ),
    Pair("created", [], [Resource("created", config_map("created"))]),
    Pair("deleted", [Resource("deleted", config_map("deleted"))], []),
    Pair("retained", [Resource("retained", config_map("retained"), options={"retain_on_delete": True})], []),
    _two("protected", config_map("protected"), protect=True),
    _two("retained-later", config_map("retained-later"), retain_on_delete=True),
    _two(
        "replaced-on-changes",
        {**config_map("replaced-on-changes"), "immutable": False},
        replace_on_changes=["immutable"],
        delete_before_replace=True,
    ),
    _two("replaced-on-any", config_map("replaced-on-any", a="2"), replace_on_changes=["*"], delete_before_replace=True),
    _two("first-out", config_map("first-out", a="2"), delete_before_replace=True),
    change("first-in", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"a": "1"}}, {"data/a": "2"}),
    Pair(
        "aliased", [Resource("aliased", _RENAMED)], [Resource("aliased-2", _RENAMED, options={"aliases": ["aliased"]})]
    ),
    Pair("unaliased", [Resource("unaliased", config_map("un-1"))], [Resource("unaliased-2", config_map("un-2"))]),
    Pair(
        "imported", [], [Resource("imported", {**_THERE}, options={"import_": f"{NAMESPACE}/imported"})], there=[_THERE]
    ),
    Pair(
        "got",
        [],
        [Resource("got", {"apiVersion": "v1", "kind": "ConfigMap"}, read=f"{NAMESPACE}/got-there")],
        there=[obj("v1", "ConfigMap", "got-there", {"data": {"a": "1"}}, **_OTHERS)],
    ),
    Pair(
        "unknown-value",
        [Resource("unknown-value", config_map("unknown-value"))],
        [
            Resource("unknown-new", config_map("unknown-new")),
            Resource("unknown-value", config_map("unknown-value", a=Later("unknown-new"), b="2")),
        ],
    ),
    Pair(
        "unknown-name",
        [Resource("unknown-name", config_map("unknown-name"))],
        [
            Resource("name-new", config_map("name-new")),
            Resource(
                "unknown-name",
                {**config_map("unknown-name"), "metadata": {"name": Later("name-new"), "namespace": NAMESPACE}},
            ),
        ],
    ),
    Pair(
        "unknown-env",
        [Resource("unknown-env", deployment("unknown-env"))],
        [
            Resource("env-new", config_map("env-new")),
            Resource(
                "unknown-env",
                deployment(
                    "unknown-env", {"name": "c", "image": "i:1", "env": [{"name": "A", "value": Later("env-new")}]}
                ),
            ),
        ],
    ),
    Pair(
        "unknown-created",
        [],
        [
            Resource("known-new", config_map("known-new")),
            Resource("unknown-created", config_map("unknown-created", a=Later("known-new"))),
        ],
    ),
    change(
        "secret-in-environment",
        deployment(
            "secret-env",
            {"name": "c", "image": "i:1", "env": [{"name": "A", "value": Hidden("one")}, {"name": "B", "value": "2"}]},
        ),
        {"spec/template/spec/containers/0/env/1/value": "3"},
    ),
    change("secret-label", config_map("secret-label"), {"metadata/labels": {"a": Hidden("b")}}),
]
