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

    def covers(self, other: Pattern, *, in_part: bool = False) -> bool:
        """Whether it means every URL that the other means, or, in part, may mean one of them."""

        def fits(ours: str, theirs: str, any_: str = "") -> bool:
            return ours in {any_, theirs} or (in_part and theirs == any_)

        depth = min(len(self.path), len(other.path)) if in_part else len(self.path)
        labels = zip(self.labels, other.labels, strict=False)
        same_host = (
            len(self.labels) == len(other.labels)
            and all(fits(*pair, "*") for pair in labels)
            and fits(self.port, other.port)
        )
        return (
            fits(self.scheme, other.scheme)
            and fits(self.user, other.user)
            and (same_host or not self.labels or (in_part and not other.labels))
            and self.path[:depth] == other.path[:depth]
        )
