"""Arguments and options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Environment: TypeAlias = Annotated[str, typer.Argument(metavar="ENV", help="dev, staging, prod, …")]
Reason: TypeAlias = Annotated[str, typer.Option(help="Why, for the audit trail.")]
Wait: TypeAlias = Annotated[
    float, typer.Option(metavar="SECONDS", help="Wait that long for the locks of the environment and of its state.")
]
TakeOver: TypeAlias = Annotated[
    bool, typer.Option("--take-over", help="Take the lock from whoever holds it, also while they are at it; audited.")
]
OverrideFreeze: TypeAlias = Annotated[
    str, typer.Option(metavar="WHY", help="Go on in spite of a freeze; who and why is written into the audit trail.")
]
PlanFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--plan", metavar="FILE", help="Do what this saved plan says, without asking; exit 9 where anything has moved."
    ),
]
Kubeconfig: TypeAlias = Annotated[
    Path | None, typer.Option(help="The cluster's kubeconfig; no checkout is needed then.")
]
Context: TypeAlias = Annotated[str | None, typer.Option(help="A context of the kubeconfig.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
