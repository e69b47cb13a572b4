"""Ways to lose requests, or the way back, that a settings file can walk into: each is named with its fix. Pure.

`of_settings` looks at what the file says, `of_objects` at what the program makes of it, whoever wrote it. A trap is a
warning: what it says may be meant.
"""

from infra.traps.objects import of_objects
from infra.traps.settings import of_settings
from infra.traps.trap import Trap, Version, version

__all__ = ["Trap", "Version", "of_objects", "of_settings", "version"]
