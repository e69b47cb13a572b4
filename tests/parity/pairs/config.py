"""ConfigMaps and Secrets: made anew or changed in place, and what counts as the same."""

from __future__ import annotations

from tests.parity.pair import GONE, Hidden, change
from tests.parity.pairs.shapes import config_map, obj, secret

_BINARY = obj("v1", "ConfigMap", "config-binary", {"binaryData": {"a": "AAEC"}})
_FROZEN = {**config_map("config-frozen"), "immutable": True}
_PULL = secret("secret-type", type="example.com/one", data={"a": "MQ=="})
_UNNAMED = obj("v1", "ConfigMap", "", {"data": {"a": "1"}})

PAIRS = [
    change("config-nothing", config_map("config-nothing")),
    change("config-value", config_map("config-value"), {"data/a": "9"}),
    change("config-key-added", config_map("config-key-added"), {"data/c": "3"}),
    change("config-key-removed", config_map("config-key-removed"), {"data/b": GONE}),
    change("config-data-removed", config_map("config-data-removed"), {"data": GONE}),
    change("config-data-emptied", config_map("config-data-emptied"), {"data": {}}),
    change("config-binary", _BINARY, {"binaryData/a": "AAED"}),
    change("config-dotted-keys", config_map("config-dotted-keys", **{"a.yaml": "1", "b_c": "2"}), {"data/a.yaml": "2"}),
    change("config-labels", config_map("config-labels"), {"metadata/labels": {"a.b/c": "d"}}),
    change(
        "config-annotation",
        config_map("config-annotation"),
        {"metadata/annotations": {"pulumi.com/patchFieldManager": "turnout", "example.com/note": "x"}},
    ),
    change("config-frozen-value", _FROZEN, {"data/a": "9"}),
    change("config-made-immutable", config_map("config-made-immutable"), {"immutable": True}),
    change("config-mutable-value", config_map("config-mutable-value"), {"data/a": "9"}, provider="mutable"),
    change(
        "config-mutable-frozen",
        {**config_map("config-mutable-frozen"), "immutable": True},
        {"data/a": "9"},
        provider="mutable",
    ),
    change("config-autonamed", {**_UNNAMED, "metadata": {}}, {"data/a": "2"}),
    change("config-autonamed-label", {**_UNNAMED, "metadata": {}}, {"metadata/labels": {"a": "b"}}),
    change("config-named-later", {**_UNNAMED, "metadata": {}}, {"metadata/name": "config-named-later"}),
    change("config-unnamed-later", config_map("config-unnamed-later"), {"metadata/name": GONE}),
    change("config-renamed", config_map("config-renamed"), {"metadata/name": "config-renamed-2"}),
    change("config-other-namespace", config_map("config-other-namespace"), {"metadata/namespace": "NAMESPACE-2"}),
    change("config-default-namespace", config_map("config-default-namespace"), {"metadata/namespace": GONE}),
    change("config-no-manager", obj("v1", "ConfigMap", "config-no-manager", {"data": {"a": "1"}}, annotations={}), {}),
    change(
        "config-manager-given",
        obj("v1", "ConfigMap", "config-manager-given", {"data": {"a": "1"}}, annotations={}),
        {"metadata/annotations": {"pulumi.com/patchFieldManager": "turnout"}},
    ),
    change("config-misspelled", {**config_map("config-misspelled"), "dta": {"x": "1"}}, {}),
    change("config-null", {**config_map("config-null"), "immutable": None}, {"data/a": "2", "binaryData": None}),
    change("config-secret-value", config_map("config-secret-value", a=Hidden("one")), {"data/a": Hidden("two")}),
    change("secret-nothing", secret("secret-nothing", stringData={"p": Hidden("one")})),
    change("secret-text", secret("secret-text", stringData={"p": Hidden("one")}), {"stringData/p": Hidden("two")}),
    change("secret-key-added", secret("secret-key-added", stringData={"p": "one"}), {"stringData/q": "two"}),
    change("secret-key-removed", secret("secret-key-removed", stringData={"p": "1", "q": "2"}), {"stringData/q": GONE}),
    change("secret-data", secret("secret-data", data={"p": Hidden("MQ==")}), {"data/p": Hidden("Mg==")}),
    change("secret-same-in-data", secret("secret-same", stringData={"p": "1"}), {"stringData": GONE, "data/p": "MQ=="}),
    change("secret-line-breaks", secret("secret-line-breaks", data={"p": "aGVsbG8=\n"}), {"data/p": "aGVsbG8="}),
    change("secret-labels", secret("secret-labels", data={"p": "MQ=="}), {"metadata/labels": {"a": "b"}}),
    change("secret-type", _PULL, {"type": "example.com/two"}),
    change("secret-mutable", secret("secret-mutable", data={"p": "MQ=="}), {"data/p": "Mg=="}, provider="mutable"),
    change(
        "secret-mutable-type",
        secret("secret-mutable-type", type="example.com/one", data={"p": "MQ=="}),
        {"type": "example.com/two"},
        provider="mutable",
    ),
    change(
        "secret-mutable-frozen",
        secret("secret-mutable-frozen", data={"p": "MQ=="}, immutable=True),
        {"data/p": "Mg=="},
        provider="mutable",
    ),
]
