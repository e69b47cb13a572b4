from __future__ import annotations

from typing import Any

from components.node_exporter import workload
from components.workload.kubernetes import manifests
from tests.unit.components.monitoring import accepted, binary, node_exporter_settings, place, run
from tests.unit.components.workloads import one


def pod(**changes: Any) -> dict[str, Any]:
    spec = workload.workload(node_exporter_settings(**changes), "node-exporter:1")
    template: dict[str, Any] = one(manifests(spec, place("agents", "node-exporter")), "DaemonSet")["spec"]["template"]
    return template


def test_it_reads_the_host_as_nobody_without_its_network_or_processes() -> None:
    spec = pod()["spec"]

    assert spec["securityContext"]["runAsUser"] == 65534
    assert not {"hostNetwork", "hostPID"} & spec.keys()
    assert all(mount["readOnly"] for mount in spec["containers"][0]["volumeMounts"])


def test_it_sees_later_mounts_unless_told_otherwise() -> None:
    mounts = {mount["name"]: mount for mount in pod()["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["root"]["mountPropagation"] == "HostToContainer"
    mounts = {mount["name"]: mount for mount in pod(mounts="None")["spec"]["containers"][0]["volumeMounts"]}
    assert "mountPropagation" not in mounts["root"]


def test_it_knows_its_arguments() -> None:
    program = binary("node_exporter")
    arguments = [word for word in workload.workload(node_exporter_settings(), "x").args if word.startswith("--")]

    assert accepted(run(program, *arguments, "--version"))
