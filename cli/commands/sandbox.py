"""`turnout sandbox`: a real Kubernetes on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import TurnoutError, UsageError
from cli.progress import Progress, for_terminal

if TYPE_CHECKING:
    from cli.sandbox.images import Image

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Run a real Kubernetes on this machine.")

Name = Annotated[str, typer.Argument(help="Which sandbox; several can run side by side.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and no progress.")]


@app.command()
def up(
    name: Name = "main",
    pods: Annotated[str, typer.Option(help="real, simulated, or auto: real where this machine can.")] = "auto",
    with_: Annotated[
        str, typer.Option("--with", metavar="ADDONS", help="metrics-server,kube-state-metrics,gateway")
    ] = "",
    images: Annotated[str, typer.Option(metavar="NAMES", help="Images to bring in at once: postgres,redis")] = "",
    as_json: Json = False,
) -> None:
    """Start a sandbox, or what does not run of it.

    Example: turnout sandbox up --with metrics-server
    """
    from cli.sandbox import cluster

    progress = for_terminal(quiet=as_json)
    sandbox = cluster.up(name, progress, pods=_pods(pods), load=_names(images), addons=_names(with_))
    facts = {
        "name": sandbox.name,
        "pods": sandbox.pods,
        "server": sandbox.server,
        "kubeconfig": str(sandbox.kubeconfig),
        "started": sandbox.started,
        "seconds": round(sandbox.seconds, 2),
    }
    if as_json:
        _print(facts)
        return
    typer.echo(f"sandbox {name} runs with {sandbox.pods} pods ({sandbox.seconds:.1f} s)")
    typer.echo(f"use it: export KUBECONFIG={sandbox.kubeconfig}")


@app.command()
def down(
    name: Name = "main",
    every: Annotated[bool, typer.Option("--all", help="Every sandbox of this user on this machine.")] = False,
    as_json: Json = False,
) -> None:
    """End a sandbox and remove all that is left of it: processes, mounts, namespaces, tables, data.

    Example: turnout sandbox down
    """
    from cli.sandbox import cluster, layout

    progress = for_terminal(quiet=as_json)
    removed: dict[str, bool] = {}
    failed: list[TurnoutError] = []
    for one in layout.names() if every else [name]:
        try:
            removed[one] = cluster.down(one, progress)
        except TurnoutError as error:
            failed.append(error)
    _show_removed(removed, one_of_many=every, as_json=as_json)
    if failed:
        raise failed[0]


def _show_removed(removed: dict[str, bool], *, one_of_many: bool, as_json: bool) -> None:
    if as_json:
        found = [{"name": one, "removed": gone} for one, gone in removed.items()]
        _print(found if one_of_many or not found else found[0])
        return
    for one, gone in removed.items():
        typer.echo(f"sandbox {one} is gone" if gone else f"there is no sandbox {one}")
    if one_of_many and not removed:
        typer.echo("there is no sandbox")


@app.command()
def status(name: Name = "main", as_json: Json = False) -> None:
    """Show what runs of a sandbox; exit code 1 when it cannot be used.

    Example: turnout sandbox status --json
    """
    from cli.sandbox.status import status as look

    found = look(name)
    if as_json:
        _print(found.to_json())
    else:
        typer.echo(f"sandbox {name}, {found.pods} pods, {found.server}")
        for program in found.programs:
            state = f"pid {program.pid}" if program.pid else f"does not run, see {program.log}"
            typer.echo(f"  {program.name:<24} {state}")
        typer.echo(f"not ready: {found.problem}\nnext: turnout sandbox up {name}" if found.problem else "ready")
        if found.others:
            typer.echo(f"also on this machine: {', '.join(found.others)}")
    raise typer.Exit(1 if found.problem else 0)


@app.command()
def images(
    name: Name = "main",
    load: Annotated[bool, typer.Option("--load", help="First bring in every image that the components use.")] = False,
    app_versions: Annotated[
        str, typer.Option("--app", metavar="VERSIONS", help="First build and bring in the sample app: 1.0.0,1.1.0")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the container images in a sandbox.

    Example: turnout sandbox images --load --app 1.0.0,1.1.0
    """
    from dataclasses import asdict

    from cli.sandbox import cluster

    progress = for_terminal(quiet=as_json)
    if load:
        cluster.load_known_images(name, progress)
    if app_versions:
        cluster.load_images(name, _app_images(_names(app_versions), progress), progress)
    found = cluster.list_images(name)
    if as_json:
        _print([asdict(image) for image in found])
        return
    for image in found:
        typer.echo(f"{image.ref:<44} {image.size:>12}  {image.digest[:19]}")


@app.command()
def kubeconfig(name: Name = "main", as_json: Json = False) -> None:
    """Print the path of a sandbox's kubeconfig.

    Example: export KUBECONFIG=$(turnout sandbox kubeconfig)
    """
    from cli.sandbox import cluster
    from cli.sandbox.layout import Layout

    layout = Layout(name)
    settings = cluster.require(layout)
    if as_json:
        _print({"kubeconfig": str(layout.kubeconfig), "server": settings.server})
    else:
        typer.echo(layout.kubeconfig)


def _app_images(versions: list[str], progress: Progress) -> list[Image]:
    from cli.context import project
    from cli.sandbox import images

    return [images.app_image(project() / "examples" / "agents", version, "", progress) for version in versions]


def _pods(text: str) -> Any:
    if text not in ("auto", "real", "simulated"):
        raise UsageError(f"--pods {text} is not known", why="expected auto, real or simulated")
    return None if text == "auto" else text


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2))
