"""What a sandbox's programs are started with."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cli.errors import TurnoutError, UsageError
from cli.sandbox import certs, cgroups, config, dns, manifests, node, node_config, runtime, simulation
from cli.sandbox.layout import Layout, Settings, names

PORTS = {name: 20000 + number for number, name in enumerate(config.CONTROL_PLANE_PORTS)}
REAL = Settings("t", "real", "10.77", dict(config.CONTROL_PLANE_PORTS))
SIMULATED = Settings("t", "simulated", "10.77", PORTS)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("TURNOUT_STATE", str(tmp_path))
    found = Layout("t")
    found.make()
    return found


@pytest.mark.parametrize("settings", [REAL, SIMULATED], ids=lambda settings: settings.pods)
def test_nothing_listens_beyond_loopback_and_the_sandboxs_own_address(layout: Layout, settings: Settings) -> None:
    own = ipaddress.ip_network(settings.subnets.whole)
    programs = (config.etcd, config.apiserver, config.controller_manager, config.scheduler)
    arguments = [argument for program in programs for argument in program(layout, settings)]
    for name, value in (argument.split("=", 1) for argument in arguments if "=" in argument):
        if name == "--bind-address":
            address = ipaddress.ip_address(value)
            assert address.is_loopback or address in own
        if name.startswith("--listen-"):
            assert value.startswith("https://127.0.0.1:")


def test_the_nodes_programs_listen_on_its_own_address(layout: Layout) -> None:
    kubelet = json.loads(node_config.kubelet(layout, REAL, Path("/r"), "/turnout-t"))
    proxy = json.loads(node_config.kube_proxy(layout, REAL))
    assert kubelet["address"] == proxy["bindAddress"] == "10.77.255.2"
    assert kubelet["readOnlyPort"] == 0
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert proxy["healthzBindAddress"].startswith("127.0.0.1:")
    assert proxy["metricsBindAddress"].startswith("127.0.0.1:")


def test_this_machine_reaches_services_from_its_own_address_and_port(layout: Layout) -> None:
    """Masqueraded, some of its new connections met a port that a pod had not forgotten yet."""
    local = ipaddress.ip_network(json.loads(node_config.kube_proxy(layout, REAL))["clusterCIDR"])
    assert all(ipaddress.ip_address(address) in local for address in (REAL.subnets.host, REAL.subnets.node))


def test_no_connection_is_lost_while_endpoints_are_replaced(layout: Layout) -> None:
    """Mode nftables has maps, of which the kernel finds nothing in either generation while they are replaced."""
    assert json.loads(node_config.kube_proxy(layout, REAL))["mode"] == "iptables"


def test_the_kubeconfig_carries_its_certificates_and_verifies_the_server(layout: Layout) -> None:
    certs.ensure(layout, REAL)
    document = json.loads(config.kubeconfig(layout, REAL, "admin"))
    cluster = document["clusters"][0]["cluster"]
    assert cluster["server"] == "https://10.77.255.2:6443"
    assert cluster["certificate-authority-data"]
    assert "insecure-skip-tls-verify" not in json.dumps(document)


def test_containerd_keeps_to_its_own_places(layout: Layout) -> None:
    document = tomllib.loads(node_config.containerd(layout, Path("/cni"), "pause:1", "ext4"))
    cri = document["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "pause:1"
    assert cri["restrict_oom_score_adj"] is True
    assert cri["cni"] == {"bin_dir": "/cni", "conf_dir": str(layout.config / "cni"), "max_conf_num": 1}
    assert document["root"] in node.MOUNTS.values()
    assert document["state"] in node.MOUNTS.values()


def test_layers_are_copied_where_overlays_cannot_be_stacked() -> None:
    mounts = (
        "22 1 0:21 / / rw,relatime shared:1 - overlay overlay rw\n"
        "23 22 8:1 / /var rw,relatime - ext4 /dev/sda1 rw\n"
        "24 22 0:5 / /root/x rw - tmpfs tmpfs rw\n"
    )
    assert node.file_system(Path("/root/.local/state"), mounts) == "overlay"
    assert node.file_system(Path("/var/lib"), mounts) == "ext4"
    assert node.file_system(Path("/variable"), mounts) == "overlay"
    assert [node_config.snapshotter(kind) for kind in ("overlay", "ext4")] == ["native", "overlayfs"]


def test_cluster_dns_without_a_name_server_outside_serves_the_cluster_alone() -> None:
    assert "forward" not in node_config.corefile([])
    assert "forward . 10.0.0.2 10.0.0.3 {" in node_config.corefile(["10.0.0.2", "10.0.0.3"])


def test_pods_and_dns_agree_on_addresses(layout: Layout) -> None:
    plugin = json.loads(node_config.cni(REAL))["plugins"][0]
    assert plugin["ipam"]["ranges"] == [[{"subnet": "10.77.0.0/20"}]]
    service = next(each for each in manifests.dns(REAL, "coredns:1", []) if each["kind"] == "Service")
    kubelet = json.loads(node_config.kubelet(layout, REAL, Path("/r"), "/turnout-t"))
    assert kubelet["clusterDNS"] == [service["spec"]["clusterIP"]]


def test_the_hosts_table_lets_nobody_but_the_host_in(layout: Layout) -> None:
    text, link = node.outgoing(layout, REAL), node.device(layout.identity())
    assert f'oifname "{link}" ct state established,related accept\n        oifname "{link}" drop' in text
    assert "ip saddr 10.77.0.0/16 ip daddr != 10.77.0.0/16 masquerade" in text


def test_device_names_fit_and_differ() -> None:
    long = [node.device(f"a-very-long-name-of-a-sandbox-{n}") for n in range(2)]
    assert node.device("main") == "tn-main"
    assert len({*long}) == 2
    assert all(len(name) <= 15 for name in long)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "../a", "a b", "a" * 31])
def test_names_that_would_not_do_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a sandbox"):
        Layout(name)


def test_what_was_chosen_is_remembered(layout: Layout) -> None:
    settings = Settings("t", "real", "10.9", {"etcd": 1}, "t-abc", ("/var/lib/cni",), "0")
    layout.remember(settings)
    assert layout.settings() == settings
    assert layout.settings_file.stat().st_mode & 0o777 == 0o600
    assert names() == ["t"]


def test_sandboxes_of_the_same_name_in_two_state_folders_share_nothing_on_the_host(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNOUT_STATE", str(tmp_path / "other"))
    other = Layout("t")
    assert other.identity() != layout.identity()
    assert node.outgoing(other, REAL) != node.outgoing(layout, REAL)
    layout.remember(Settings("t", "real", "10.9", {}, "chosen"))
    assert layout.identity() == "chosen"


def test_settings_that_cannot_be_read_say_how_to_start_over(layout: Layout) -> None:
    layout.settings_file.write_text("{")
    with pytest.raises(TurnoutError) as raised:
        layout.settings()
    assert raised.value.next == "turnout sandbox down t"


def test_the_last_sandbox_gives_back_what_the_first_one_found() -> None:
    first = Settings("a", "real", "10.1", {}, "a", ("/var/lib/cni",), "0")
    second = Settings("b", "real", "10.2", {}, "b", (), "1")
    for heir, leaving in ((first, second), (second, first)):
        inherited = node._inherit(heir, leaving)
        assert (inherited.forwarding, inherited.created) == ("0", ("/var/lib/cni",))


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", ["/sys/fs/cgroup"]),
        (
            "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
            ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory"],
        ),
    ],
    ids=["version 2", "version 1 with version 2 beside it"],
)
def test_control_group_trees(mounts: str, expected: list[str]) -> None:
    assert [str(tree) for tree in cgroups.trees(mounts)] == expected


def test_a_groups_weight_is_that_of_a_process_of_the_same_niceness_on_each_processor() -> None:
    assert [cgroups.weight(1024, 1, nice) for nice in (-5, 0, 10, 19)] == [3125, 1024, 110, 15]
    assert cgroups.weight(100, 1, 19) == 2
    assert cgroups.weight(1024, 4, 0) == 4096


def test_images_are_absent_until_their_very_content_is_there() -> None:
    class Archive:
        def __init__(self, ref: str, digest: str) -> None:
            self.ref, self.digest, self.archive = ref, digest, Path("/x")

    table = (
        "REF TYPE DIGEST SIZE PLATFORMS LABELS\n"
        "turnout.local/a:1 application/vnd.oci.image.manifest.v1+json sha256:aa 1.6 MiB linux/amd64 -\n"
        "sha256:bb application/vnd.oci.image.manifest.v1+json sha256:aa 1.6 MiB linux/amd64 -\n"
    )
    present = runtime.parse(table)
    assert present == [runtime.Present("turnout.local/a:1", "sha256:aa", "1.6 MiB")]
    same, rebuilt, new = (
        Archive("turnout.local/a:1", "sha256:aa"),
        Archive("turnout.local/a:1", "sha256:cc"),
        Archive("turnout.local/b:1", "sha256:dd"),
    )
    assert runtime.absent([same, rebuilt, new], present) == [rebuilt, new]


def test_dns_messages() -> None:
    asked = dns.question(7, "kubernetes.default.svc.cluster.local")
    assert asked[12:23] == b"\x0akubernetes"
    header = {"answer": b"\x00\x07\x81\x80\0\1\0\1\0\0\0\0", "nothing": b"\x00\x07\x81\x80\0\1\0\0\0\0\0\0"}
    unknown, other = b"\x00\x07\x81\x83\0\1\0\1\0\0\0\0", b"\x00\x08\x81\x80\0\1\0\1\0\0\0\0"
    assert dns.is_answer(7, header["answer"])
    assert not any(dns.is_answer(7, each) for each in (header["nothing"], unknown, other, asked, b""))


def test_simulated_pods_of_jobs_complete() -> None:
    stages: dict[str, Any] = {stage["metadata"]["name"]: stage["spec"] for stage in simulation.stages()}
    keys = [each["key"] for each in stages["pod-complete"]["selector"]["matchExpressions"]]
    assert ".metadata.ownerReferences.[].kind" in keys
    assert simulation.config().count("\n---\n") == len(stages) - 1


def test_a_mount_that_stays_ends_the_removal_before_any_file_is_deleted(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = subprocess.CompletedProcess([], 32, "", "umount: must be superuser")
    monkeypatch.setattr(node, "_call", lambda *_: busy)
    monkeypatch.setattr(node, "_mounted", lambda _: True)
    with pytest.raises(TurnoutError, match="must be superuser"):
        node.Node(layout).remove()


def test_the_gateways_address_is_set_once_not_with_each_pod() -> None:
    """Setting it makes the kernel drop what is on its way to any pod."""
    plugin = json.loads(node_config.cni(REAL))["plugins"][0]
    gateway = ipaddress.ip_network(REAL.subnets.pods)[1]
    made = [" ".join(words) for words in node.inner_commands(REAL)]
    assert plugin["isGateway"] is False
    assert any(f"ip link add {plugin['bridge']} address {node_config.BRIDGE_ADDRESS} " in line for line in made)
    assert any(line.startswith(f"ip address replace {gateway}/") for line in made)
