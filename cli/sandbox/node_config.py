"""What the node's programs are started with (containerd, CNI plugins, kubelet, kube-proxy, CoreDNS): pure functions.

Paths are those inside the sandbox's own mount namespace, where the sandbox's folders lie over the places at which every
Kubernetes node keeps these things (see `node.MOUNTS`). So manifests that read `/var/log/pods` work unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cli.sandbox.config import kubeconfig_file
from cli.sandbox.layout import NODE, Layout, Settings

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
BRIDGE = "pods"
BRIDGE_ADDRESS = "02:00:00:00:00:01"
"""Locally administered (IEEE 802c); the bridge is seen in its own network namespace only."""
POLICY_PLUGIN = "turnout-policy"
DOMAIN = "cluster.local"


def snapshotter(file_system: str) -> str:
    """The kernel takes no overlay on top of another, as inside a container: there, layers are copied."""
    return "native" if file_system == "overlay" else "overlayfs"


def containerd(layout: Layout, cni_plugins: Path, pause: str, file_system: str) -> str:
    """After containerd's CRI plugin configuration, version 2, which 1.6, 1.7 and 2.x read."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd/opt"

[{cri}]
sandbox_image = "{pause}"
# without CAP_SYS_RESOURCE a score below one's own cannot be set, and runc would fail
restrict_oom_score_adj = true
disable_tcp_service = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
max_concurrent_downloads = 4

[{cri}.containerd]
snapshotter = "{snapshotter(file_system)}"
default_runtime_name = "runc"

[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false

[{cri}.cni]
bin_dir = "{cni_plugins}"
conf_dir = "{layout.config / "cni"}"
max_conf_num = 1
"""


def cni(settings: Settings) -> str:
    """The bridge that the node has made; no masquerading here, since the host route knows the pods' addresses."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": False,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": "/var/lib/cni/networks",
            "ranges": [[{"subnet": settings.subnets.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    document = {"cniVersion": "1.0.0", "name": "sandbox", "plugins": [bridge, {"type": POLICY_PLUGIN}]}
    return json.dumps(document, indent=2) + "\n"


def kubelet(layout: Layout, settings: Settings, resolv_conf: Path, cgroup: str) -> str:
    """A KubeletConfiguration. Images cannot be pulled again here, so none is collected as garbage."""
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.subnets.node,
        "port": 10250,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "volumePluginDir": "/var/lib/kubelet/plugins-exec",
        "staticPodPath": "",
        "clusterDNS": [settings.subnets.dns],
        "clusterDomain": DOMAIN,
        "resolvConf": str(resolv_conf),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "5s",
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "registryPullQPS": 0,
        "eventRecordQPS": 50,
        "maxPods": 250,
    }
    return json.dumps(document, indent=2) + "\n"


def kubelet_arguments(layout: Layout, settings: Settings) -> list[str]:
    return [
        f"--config={layout.config / 'kubelet.json'}",
        f"--kubeconfig={kubeconfig_file(layout, 'kubelet')}",
        f"--hostname-override={NODE}",
        f"--node-ip={settings.subnets.node}",
    ]


def kube_proxy(layout: Layout, settings: Settings) -> str:
    """A KubeProxyConfiguration. Endpoints are applied 0.1 s after they change (default: 1 s), and the limits of
    connection tracking, which are the host's, are left alone.

    This machine counts as part of the cluster, so its connections keep their own address and port. Masqueraded ones
    get a random port, which a pod may still know from one that has just ended: it takes no such SYN, and the client
    tries again after 1 s.

    Mode nftables keeps a Service's endpoints in a map. While it is replaced, the kernel (seen with 6.18) finds nothing
    in either, and a SYN is lost; what mode iptables writes has no map."""
    document = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": settings.subnets.node,
        "clusterCIDR": settings.subnets.whole,
        "hostnameOverride": NODE,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(kubeconfig_file(layout, "kube-proxy"))},
        "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "30s", "localhostNodePorts": False},
        "nodePortAddresses": ["primary"],
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return json.dumps(document, indent=2) + "\n"


def corefile(upstream: Sequence[str]) -> str:
    """`lameduck` gives kube-proxy time to send queries elsewhere before CoreDNS ends."""
    forward = f"    forward . {' '.join(upstream)} {{\n        max_concurrent 1000\n    }}\n" if upstream else ""
    return f"""\
.:53 {{
    errors
    health {{
        lameduck 5s
    }}
    ready
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }}
    prometheus :9153
{forward}    cache 30 {{
        disable success {DOMAIN}
        disable denial {DOMAIN}
    }}
    loadbalance
}}
"""


def resolv_conf(upstream: Sequence[str]) -> str:
    """For containerd's pulls and for pods that use the node's DNS."""
    return "".join(f"nameserver {server}\n" for server in upstream)
