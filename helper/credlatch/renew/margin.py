"""When a credential is renewed, and when a client is told to ask again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.stores import Entry

MARGIN = 300  # seconds before its end from which a token is renewed: rattler's and uv's own margin
SOON = 30  # seconds after which to ask again while a token inside the margin is not renewed


def is_valid(entry: Entry, now: float) -> bool:
    """Whether an entry's credential can be served now, as far as its end is known."""
    return entry.credential is not None and (entry.expires is None or entry.expires > now)


def is_due(entry: Entry, now: float) -> bool:
    """Whether an entry is to be renewed now."""
    if entry.credential is None:
        return True
    if entry.expires is None:
        return entry.renew_unknown
    return entry.expires - now < MARGIN


def ask_again(entry: Entry, now: float) -> int | None:
    """When a client must ask again, in seconds since 1970 UTC; None when the end is unknown."""
    if entry.expires is None:
        return None
    early = entry.expires - MARGIN
    return early if early > now else min(entry.expires, int(now) + SOON)
