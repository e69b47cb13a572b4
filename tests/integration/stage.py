"""A hand-made environment for rollback and status tests: one workload, its configuration, its releases' records."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.kube import client
from cli.kube.client import Kube
from cli.kube.health import health
from cli.rollout.where import Cluster
from components import record
from tests.harness import COMMAND, eventually

Object = dict[str, Any]
IMAGE = "turnout.local/busybox:1"


class Stage:
    """An environment with its control namespace, both gone at the end."""

    def __init__(self, kube: Kube, kubeconfig: Path) -> None:
        self.name = f"it{secrets.token_hex(3)}"
        self.control = f"turnout-{self.name}"
        self.kube, self.kubeconfig = kube, kubeconfig

    def labels(self, workload: str) -> dict[str, str]:
        return {
            "app.kubernetes.io/name": workload,
            "app.kubernetes.io/part-of": "app",
            "app.kubernetes.io/managed-by": "turnout",
            "turnout.dev/environment": self.name,
            "turnout.dev/component": "app",
        }

    def config(self, version: str) -> Object:
        labels = self.labels("web") | {"turnout.dev/content": version}
        metadata = {"name": f"web-config-{version}", "namespace": self.name, "labels": labels}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "immutable": True,
            "data": {"v": version},
        }

    def deployment(
        self, version: str, *, workload: str = "web", command: str = "sleep 3600", replicas: int = 2
    ) -> Object:
        container = {
            "name": workload,
            "image": IMAGE,
            "command": ["sh", "-c", f"trap 'exit 0' TERM; {command} & wait $!"],
            "env": [{"name": "VERSION", "value": version}, {"name": f"ONLY_IN_{version.upper()}", "value": "1"}],
            "volumeMounts": [{"name": "config", "mountPath": "/config"}],
        }
        volume = {"name": "config", "configMap": {"name": f"web-config-{version}"}}
        selector = {"app.kubernetes.io/name": workload, "turnout.dev/environment": self.name}
        pod = {"terminationGracePeriodSeconds": 2, "containers": [container], "volumes": [volume]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"{workload}-a", "namespace": self.name, "labels": self.labels(workload)},
            "spec": {
                "replicas": replicas,
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "selector": {"matchLabels": selector},
                "template": {"metadata": {"labels": self.labels(workload)}, "spec": pod},
            },
        }

    def service(self, workload: str, port: int = 80) -> Object:
        metadata = {"name": workload, "namespace": self.name, "labels": self.labels(workload)}
        spec = {"selector": {"app.kubernetes.io/name": workload}, "ports": [{"name": "http", "port": port}]}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    def release(self, version: str, *more: Object) -> str:
        """Bring a version up as Pulumi does (a POST first, then applies) and write its record; returns its name.

        `more`: what it has beside `web`.
        """
        objects = [self.config(version), self.deployment(version), *more]
        for manifest in objects:
            self.put(manifest)
        self.wait_ready("web-a")
        made = record.encode(self.name, self.control, objects, {"turnout.dev/environment": self.name})
        for piece in made.manifests:
            self.put(piece)
        time.sleep(1.1)  # creationTimestamp counts in seconds
        return made.name

    def put(self, manifest: Object) -> None:
        place = (
            manifest["apiVersion"],
            manifest["kind"],
            manifest["metadata"]["name"],
            manifest["metadata"]["namespace"],
        )
        live = self.kube.find(*place)
        if live is None:
            self.kube.create(manifest, "pulumi-kubernetes")
            return
        self.kube.run(self.kube.server.hand_over(live, "turnout"))
        self.kube.apply(manifest, "turnout")

    def live(self, name: str = "web-a") -> Object:
        return self.kube.get("apps/v1", "Deployment", name, self.name)

    def variables(self) -> dict[str, str]:
        [container] = self.live()["spec"]["template"]["spec"]["containers"]
        return {row["name"]: row["value"] for row in container["env"]}

    def wait_ready(self, name: str) -> None:
        eventually(lambda: health(self.live(name)).ready, lambda: f"{name} is ready: {self.live(name).get('status')}")

    def turnout(
        self, *words: str, cwd: Path, expect: int = 0, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The command, in a folder without any checkout."""
        command = [str(COMMAND), *words, "--kubeconfig", str(kubeconfig or self.kubeconfig)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


@contextmanager
def staged(kubeconfig: Path) -> Iterator[Stage]:
    """A stage on that cluster."""
    with client.connect(Cluster(kubeconfig, None)) as kube:
        stage = Stage(kube, kubeconfig)
        for name in (stage.name, stage.control):
            kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "test")
        try:
            yield stage
        finally:
            for name in (stage.name, stage.control):
                kube.delete("v1", "Namespace", name)
