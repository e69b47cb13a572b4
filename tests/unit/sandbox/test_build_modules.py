"""The Go modules, their table and the page of versions say the same."""

from __future__ import annotations

import re

import pytest

from cli.sandbox import parts, recipes, toolchain
from cli.sandbox.parts import Part
from components import versions

_MODULES = {
    "k8s.io/kubernetes": f"v{versions.KUBERNETES}",
    "go.etcd.io/etcd/server/v3": f"v{versions.ETCD}",
    "github.com/containernetworking/plugins": f"v{versions.CNI_PLUGINS}",
    "github.com/coredns/coredns": f"v{versions.COREDNS}",
    "github.com/pulumi/pulumi/pkg/v3": f"v{versions.PULUMI_ENGINE}",
    "sigs.k8s.io/kwok": f"v{versions.KWOK}",
    "github.com/prometheus/prometheus": "v0.{}{:0>2}.{}".format(*versions.PROMETHEUS.split(".")),
    "github.com/prometheus/alertmanager": f"v{versions.ALERTMANAGER}",
    "github.com/prometheus/node_exporter": f"v{versions.NODE_EXPORTER}",
    "go.opentelemetry.io/collector/otelcol": f"v{versions.COLLECTOR}",
    "github.com/grafana/loki/v3": f"v{versions.LOKI}",
    "github.com/versity/versitygw": f"v{versions.OBJECT_STORE}",
    "k8s.io/kube-state-metrics/v2": f"v{versions.KUBE_STATE_METRICS}",
    "sigs.k8s.io/metrics-server": f"v{versions.METRICS_SERVER}",
    "github.com/rhysd/actionlint": f"v{versions.ACTIONLINT}",
}

# Modules that many parts share and that take long to compile: all parts must use one version of each.
_SHARED = (
    "golang.org/x/net",
    "golang.org/x/sys",
    "golang.org/x/text",
    "google.golang.org/grpc",
    "google.golang.org/protobuf",
    "go.opentelemetry.io/otel",
    "github.com/prometheus/client_golang",
    "k8s.io/api",
    "k8s.io/apimachinery",
    "k8s.io/client-go",
    "k8s.io/kube-openapi",
    "sigs.k8s.io/structured-merge-diff/v6",
)

every_part = pytest.mark.parametrize("part", parts.PARTS, ids=lambda part: part.name)


@pytest.mark.parametrize(("module", "version"), _MODULES.items(), ids=_MODULES.keys())
def test_the_page_of_versions_is_what_is_built(module: str, version: str) -> None:
    found = [
        re.search(rf"^(?:require\s+|\t){re.escape(module)} (v\S+)", (part.module / "go.mod").read_text(), re.MULTILINE)
        for part in parts.PARTS
    ]
    assert version in [match.group(1) for match in found if match]


@every_part
def test_a_module_can_be_built_by_the_oldest_go_allowed(part: Part) -> None:
    match = re.search(r"^go (\d+)\.(\d+)\.(\d+)$", (part.module / "go.mod").read_text(), re.MULTILINE)
    assert match is not None
    assert tuple(map(int, match.groups())) <= toolchain.MINIMUM
    assert tuple(map(int, versions.GO.split("."))) >= toolchain.MINIMUM


@every_part
def test_a_program_is_a_tool_of_its_module_or_a_main_of_ours(part: Part) -> None:
    module = (part.module / "go.mod").read_text()
    for program in part.programs:
        if program.package.startswith("."):
            assert (part.module / program.package / "main.go").is_file()
        else:
            assert re.search(rf"^(tool |\t){re.escape(program.package)}$", module, re.MULTILINE)


@every_part
def test_what_a_module_needs_is_pinned_by_digest(part: Part) -> None:
    if "require" in (part.module / "go.mod").read_text():
        assert (part.module / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("module", _SHARED)
def test_what_parts_share_is_compiled_once(module: str) -> None:
    # The newest release of each that can be had needs an older client-go; the second is an add-on.
    behind = {"collector", "kube-state-metrics"} if "k8s.io/" in module else {"kube-state-metrics"}
    others = [part for part in parts.PARTS if part.name not in behind]
    found = {part.name: _version(module, (part.module / "go.mod").read_text()) for part in others}
    assert len({version for version in found.values() if version}) == 1, found


def _version(module: str, text: str) -> str | None:
    """The version that a go.mod file builds with: its replacement, else what it requires."""
    replaced = re.search(rf"^(?:replace )?\t?{re.escape(module)} => \S+ (v\S+)$", text, re.MULTILINE)
    required = re.search(rf"^(?:require )?\t?{re.escape(module)} (v\S+)", text, re.MULTILINE)
    match = replaced or required
    return match.group(1) if match else None


def test_names_are_unique_and_groups_know_them() -> None:
    names = [name for part in parts.PARTS for name in {part.name, *part.binaries}]
    assert len(names) == len(set(names))
    groups = (parts.DEMO, parts.SIMULATED, parts.ADDONS, parts.VALIDATORS, parts.BUCKETS, parts.LINTERS)
    assert sorted(name for group in groups for name in group) == sorted(part.name for part in parts.PARTS)


def test_the_demo_builds_no_more_than_it_runs() -> None:
    known = {name for part in parts.find(parts.DEMO) for name in part.binaries}
    addons = {"kube-state-metrics", "metrics-server"}
    in_images = {program for recipe in recipes.RECIPES if recipe.name not in addons for program, _ in recipe.programs}
    assert in_images <= known
    assert not known & {"kwok", "promtool", "amtool", "logcli", "object-store", "actionlint", *addons}


def test_every_image_has_a_recipe_and_a_version() -> None:
    assert {recipe.name for recipe in recipes.RECIPES} == set(versions.SANDBOX_IMAGES)
    known = {name for part in parts.PARTS for name in part.binaries}
    assert {program for recipe in recipes.RECIPES for program, _ in recipe.programs} <= known
