"""Every version that turnout pins: images, tools, the engine. Go modules are pinned by the go.mod files that a test
holds against this page."""

from __future__ import annotations

from typing import Final

KUBERNETES: Final = "1.36.3"
PULUMI_ENGINE: Final = "3.259.0"

# sandbox
