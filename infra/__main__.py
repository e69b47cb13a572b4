"""Where plain `pulumi up` starts (`main: infra`): from a checkout that need not be installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from infra.program import program

program()
