"""Which URLs the patterns in ``credential.<pattern>.helper`` mean (gitcredentials(7)).

Scheme, host and port must be equal, but for a ``*`` in the place of a label of the host; a path is
for what is below it, and a user name for that user. What a pattern does not have counts for all.
"""

from __future__ import annotations

_PORTS = {"https": "443", "http": "80"}


class Pattern:
    """One pattern, taken apart; empty for all URLs."""

    def __init__(self, text: str) -> None:
        scheme, separator, rest = text.partition("://")
        if not separator:
            scheme, rest = "", text
        authority, _, path = rest.partition("/")
        user, at, place = authority.rpartition("@")
        host, colon, port = place.rpartition(":")
        if not colon or not port.isdecimal():
            host, port = place, ""
        self.scheme = scheme.lower()
        self.user = user if at else ""
        self.labels = host.lower().split(".") if host else []
        self.port = port or _PORTS.get(self.scheme, "")
        self.path = [part for part in path.split("/") if part]

    def covers(self, other: Pattern) -> bool:
        """Whether it means every URL that the other means."""
        return (
            self.scheme in {"", other.scheme}
            and self.user in {"", other.user}
            and (not self.labels or _fit(self.labels, other.labels, both=False))
            and (not self.labels or self.port in {"", other.port})
            and other.path[: len(self.path)] == self.path
        )

    def meets(self, other: Pattern) -> bool:
        """Whether there may be a URL that both mean."""
        shorter = min(len(self.path), len(other.path))
        return (
            _alike(self.scheme, other.scheme)
            and _alike(self.user, other.user)
            and (not self.labels or not other.labels or _fit(self.labels, other.labels, both=True))
            and (not self.labels or not other.labels or _alike(self.port, other.port))
            and self.path[:shorter] == other.path[:shorter]
        )


def _alike(one: str, other: str) -> bool:
    return not one or not other or one == other


def _fit(ours: list[str], theirs: list[str], *, both: bool) -> bool:
    """Whether hosts are the same, with ``*`` for a label of the first, or of either."""
    return len(ours) == len(theirs) and all(
        a in {"*", b} or (both and b == "*") for a, b in zip(ours, theirs, strict=True)
    )
