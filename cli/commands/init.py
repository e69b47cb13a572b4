"""`turnout init`: write the secrets that an environment needs into its settings file."""

from __future__ import annotations

import typer

from cli.commands.options import AsJson, Environment

app = typer.Typer()


@app.command()
def init(
    environment: Environment,
    as_json: AsJson = False,
) -> None:
    """Generate every required secret that the settings file does not hold yet, encrypted. Run it again at any time.

    The passphrase is PULUMI_CONFIG_PASSPHRASE[_FILE]; where none is set, one is made in .turnout/passphrase: keep it.

    Example: turnout init dev
    """
    from cli.context import project
    from cli.engine import initialise
    from cli.report import output

    done = initialise.initialise(project(), environment)
    if as_json:
        output.document(done.to_json())
    else:
        typer.echo("\n".join(done.lines()))
