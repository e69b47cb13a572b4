"""`turnout promote`: put what one environment runs into the settings of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson

if TYPE_CHECKING:
    from cli.rollout.promotion import Image

app = typer.Typer()

SECTION = ("config", "turnout:app")


@app.command()
def promote(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The environment that runs it: staging.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The environment whose settings file is changed: prod.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the version and digest that FROM serves into TO's settings file, and show the change to commit.

    Nothing is applied: the reviewed commit is what `turnout rollout start` rolls out.

    Example: turnout promote staging prod
    """
    from cli.context import project
    from cli.report import output

    image = _served(source)
    file, changed = _write(project(), target, image, dry_run=dry_run)
    if as_json:
        output.document({"file": file.name, **vars(image), "changed": bool(changed)})
        return
    typer.echo("\n".join(changed) or f"{file.name} names {image.version} already")
    if changed and not dry_run:
        typer.echo(f"\nnext: turnout preview {target}, then commit {file.name}")


def _served(environment: str) -> Image:
    from cli.rollout import catalogue, promotion, records, releases, where

    with where.connect(environment) as kube:
        release = catalogue.chosen(releases.load(kube, environment), environment, None)
        return promotion.of_release(records.fetch(kube, environment, release.record))


def _write(root: Path, environment: str, image: Image, *, dry_run: bool) -> tuple[Path, list[str]]:
    from cli.errors import UsageError
    from cli.yamlfile import YamlFile, put

    file = root / f"Pulumi.{environment}.yaml"
    if not file.is_file():
        raise UsageError(f"there is no environment {environment}", why=f"{file.name} does not exist")
    settings = YamlFile(file)
    for key, value in (("image", image.repository), ("version", image.version), ("digest", image.digest)):
        put(settings.document, (*SECTION, key), value)
    changed = settings.diff()
    if changed and not dry_run:
        settings.save()
    return file, changed
