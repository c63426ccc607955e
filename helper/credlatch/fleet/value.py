"""What an engine keeps of a login: the entry, as rattler has it, and who is renewing it.

One object, one version: a claim that lay beside it could be won while the entry is another one.
"""

from __future__ import annotations

from copy import deepcopy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHORTEST, _LONGEST = 1.0, 3600.0  # seconds of a claim that are believed
_FAR = 1e12  # seconds
_TEXT = 300  # characters that are shown of what others have written


class Mark:
    """A claim, or the suspicion that a claim's holder has died.

    Attributes:
        who: for whoever reads it at night.
        nonce: tells it from any other.
        ttl: seconds for which a claim stands without a suspicion.
    """

    def __init__(self, who: str, nonce: str, ttl: float) -> None:
        self.who = who
        self.nonce = nonce
        self.ttl = ttl

    def kept(self) -> dict[str, Any]:
        """As the value has it."""
        return {"id": self.who, "nonce": self.nonce, "ttl": self.ttl}


class Login:
    """A value, understood. What else is in it stays.

    Attributes:
        entry: rattler's, of an OAuth login.
        gen: counts renewals and logins, upwards only.
        claim: who renews it now, or has died of it; None: nobody.
        suspect: who suspects that.
        dead: why only a new login helps; empty: there is no such reason.
        failed: why the last renewal came to nothing, though another may not; empty: it did not.
        life: seconds that the access token had when it came; None: nobody knows.
    """

    def __init__(self, kept: dict[str, Any]) -> None:
        self.kept = kept
        self.entry: dict[str, Any] = kept["entry"]
        self.gen: int = kept.get("gen") or 0
        self.claim = _mark(kept.get("claim"))
        self.suspect = _mark(kept.get("suspect")) if self.claim is not None else None
        self.dead = _text(kept.get("dead"))
        self.failed = _text(kept.get("failed"))
        self.life = _number(kept.get("life"))

    @property
    def refresh_token(self) -> str:
        """What is spent by a renewal."""
        token: str = self.entry["OAuth"]["refresh_token"]
        return token

    def is_same(self, other: Login) -> bool:
        """Whether it still holds what was spent: then its spender may overwrite it."""
        return self.refresh_token == other.refresh_token and self.gen == other.gen

    def claimed(self, mark: Mark) -> dict[str, Any]:
        """The value with a claim, and with no other's."""
        return {**self.kept, "claim": mark.kept(), "suspect": None, "failed": None}

    def suspected(self, mark: Mark) -> dict[str, Any]:
        """The value with a suspicion beside the claim."""
        return {**self.kept, "suspect": mark.kept()}

    def released(self, failed: str = "") -> dict[str, Any]:
        """The value without a claim, and with what the holder's attempt came to."""
        return {**self.kept, "claim": None, "suspect": None, "failed": failed or None}

    def buried(self, why: str) -> dict[str, Any]:
        """The value with a tombstone."""
        return {**self.released(), "dead": why}

    def renewed(
        self, entry: dict[str, Any], failed: str = "", life: float | None = None
    ) -> dict[str, Any]:
        """The value with the entry that came."""
        new = {"entry": entry, "gen": self.gen + 1, "dead": None, "life": life}
        return {**self.released(failed), **new}


class Settled:
    """A login that is good.

    Attributes:
        login: it.
        ahead: seconds by which this machine's clock is ahead of the engine's.
        is_ours: whether this call has renewed it.
        is_kept: whether the engine has it; else it is in the journal, and good all the same.
    """

    def __init__(
        self, login: Login, ahead: float, *, is_ours: bool = False, is_kept: bool = True
    ) -> None:
        self.login = login
        self.ahead = ahead
        self.is_ours = is_ours
        self.is_kept = is_kept


def login(value: dict[str, Any] | None) -> Login | None:
    """A value, understood; None: it is none that we have written, or that anybody can renew."""
    entry = value.get("entry") if value is not None else None
    oauth = entry.get("OAuth") if isinstance(entry, dict) else None
    if value is None or not isinstance(oauth, dict):
        return None
    token, gen = oauth.get("refresh_token"), value.get("gen")
    if not isinstance(token, str) or not token or not isinstance(oauth.get("access_token"), str):
        return None
    if not (gen is None or (isinstance(gen, int) and not isinstance(gen, bool) and gen >= 0)):
        return None
    return Login(deepcopy(value))


def fresh(entry: dict[str, Any], before: Login | None, given: int = -1) -> dict[str, Any]:
    """The value of a new login, whatever is there.

    Args:
        entry: rattler's.
        before: what is there now, if that is a login.
        given: of which renewal workers have a token: a login may have been deleted since.
    """
    gen = max(1 if before is None else before.gen + 1, given + 1)
    return {"entry": entry, "claim": None, "suspect": None, "gen": gen, "dead": None}


def access(login: Login) -> dict[str, Any]:
    """What workers may read of it: the access token alone."""
    oauth = login.entry["OAuth"]
    return {
        "access_token": oauth["access_token"],
        "expires_at": oauth.get("expires_at"),
        "gen": login.gen,
    }


def gen_of(value: dict[str, Any] | None) -> int:
    """Of which renewal an access path's value is; -1: of none."""
    gen = value.get("gen") if value is not None else None
    return gen if isinstance(gen, int) and not isinstance(gen, bool) else -1


def has_ended(said: dict[str, Any] | None, now: float) -> bool:
    """Whether an access token has ended, of an entry or of an access path's value."""
    ends = _number(said.get("expires_at")) if said is not None else None
    return ends is not None and ends <= now


def _mark(value: object) -> Mark | None:
    """A claim; one that is damaged counts all the same, as whoever wrote it may be renewing."""
    if value is None:
        return None
    said = value if isinstance(value, dict) else {}
    ttl = min(_LONGEST, max(_SHORTEST, _number(said.get("ttl")) or _LONGEST))
    return Mark(_text(said.get("id")) or "somebody", str(said.get("nonce")), ttl)


def _number(value: object) -> float | None:
    """A finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _FAR:
        return None
    return float(value)


def _text(value: object) -> str:
    """A line that others have written, as it may be shown."""
    if not isinstance(value, str):
        return "" if value is None else "somebody has written so"
    return "".join(each if each.isprintable() else " " for each in value[:_TEXT])
