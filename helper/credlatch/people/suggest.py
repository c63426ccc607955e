"""What a person may have meant by a word that is not known."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ALIKE = 0.6  # of 1; as git and Click take it: "expalin" is explain, "foo" is nothing
# What other tools call what we have, and is not spelled like it.
_ELSEWHERE = {
    "auth": "login",
    "check": "doctor",
    "configure": "setup",
    "delete": "logout",
    "diagnose": "doctor",
    "init": "setup",
    "remove": "logout",
    "rm": "logout",
    "show": "list",
    "signin": "login",
    "status": "list",
    "version": "--version",
    "whoami": "list",
    "why": "explain",
}


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like another; None: none is."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower()[:40], list(known), n=1, cutoff=_ALIKE)), None)


def meant(word: str, known: Iterable[str]) -> str:
    """A question to end a sentence with: which command may have been meant; empty: none may."""
    found = _ELSEWHERE.get(word.lower()) or nearest(word, known)
    return "" if found is None else f" (did you mean {found}?)"
