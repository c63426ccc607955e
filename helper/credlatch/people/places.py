"""Places as a person reads them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


def from_home(location: str, caller: Caller) -> str:
    """A place in words; one below the person's home begins with ``~``."""
    home = caller.home.rstrip("/\\")
    within = bool(home) and location.startswith((f"{home}/", f"{home}\\"))
    return f"~{location[len(home) :]}" if within else location
