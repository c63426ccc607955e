"""Moments as a person says them."""

from __future__ import annotations

from credlatch.clock import span


def end(expires: float | None, now: float) -> str:
    """When something ends, or has ended; both in seconds since 1970 UTC, None: not known."""
    if expires is None:
        return "no end known"
    if expires <= now:
        return f"ended {span(now - expires)} ago"
    return f"in {span(expires - now)}"
