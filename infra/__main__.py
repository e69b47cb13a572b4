"""Where plain `pulumi up` starts (`main: infra`): from a checkout that need not be installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from infra.faults import SettingsError
from infra.program import program

try:
    program()
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None
