"""Places as a person reads them."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


def from_home(location: str, caller: Caller) -> str:
    """A place in words; one below the person's home begins with ``~``."""
    home = caller.home.rstrip("/\\")
    if sys.platform == "win32" and os.path.isabs(location):
        location = location.replace("/", "\\")  # which cmd takes for the beginning of an option
    within = bool(home) and location.startswith((f"{home}/", f"{home}\\"))
    return f"~{location[len(home) :]}" if within else location
