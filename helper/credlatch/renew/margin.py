"""When a credential is renewed, and when a client is told to ask again.

    issued            renewed from here              told to clients   its end
    |-------------------------|------------------------------|------------|
                              400 s, or half of its life     30 s at most

Clients on remote-apis-sdks ask again from five minutes before the moment that they were told, once
for each request. By then the token has been renewed, where it lives long enough for that (from 11
minutes), so that they are told a later moment. Rattler and uv renew in a token's last 300 seconds.
"""

from __future__ import annotations

from credlatch import jwt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.stores import Entry

MOST = 400  # seconds before its end from which a token is renewed, at most
SHARE = 0.5  # of a token's life, likewise: so that a fresh one is never due
EARLY = 30  # seconds by which clients are told an earlier end, at most: clocks differ a little
_EARLY_SHARE = 0.1  # of what is left of a token, likewise
LATELY = 60  # seconds for which a token whose end nobody knows is not renewed again
SOON = 30  # seconds after which to ask again while a token that is due is not renewed


def is_valid(entry: Entry, now: float) -> bool:
    """Whether an entry's credential can be served now, as far as its end is known."""
    return entry.credential is not None and (entry.expires is None or entry.expires > now)


def life(entry: Entry) -> float | None:
    """How many seconds an entry's token lives in all; None when nobody knows.

    Known from when it was fetched, or from what a JWT says of itself: both by one clock.
    """
    if entry.expires is None or entry.credential is None:
        return None
    if entry.fetched is not None:
        seconds = entry.expires - entry.fetched
    else:
        token = entry.credential.secret.reveal()
        issued, ends = jwt.moments(token)
        if not issued:
            return None
        seconds = (entry.expires if ends is None else ends) - issued
    return seconds if seconds > 0 else None


def of(entry: Entry) -> float:
    """Seconds before its end from which an entry's token is renewed."""
    seconds = life(entry)
    return MOST if seconds is None else min(MOST, seconds * SHARE)


def is_due(entry: Entry, now: float) -> bool:
    """Whether an entry is to be renewed now."""
    if entry.credential is None:
        return True
    if entry.expires is None:
        return entry.renew_unknown and not 0 <= now - (entry.fetched or 0.0) < LATELY
    left = entry.expires - now
    return left < MOST and left < of(entry)


def ask_again(entry: Entry, now: float) -> int | None:
    """Until when a client may keep an entry's credential, in seconds since 1970 UTC.

    Never later than its end; None when that is unknown.
    """
    if entry.expires is None:
        return None
    if entry.grant is not None and is_due(entry, now):
        return min(entry.expires, int(now) + SOON)  # its renewal has failed, and may succeed then
    return entry.expires - int(min(EARLY, max(0.0, entry.expires - now) * _EARLY_SHARE))
