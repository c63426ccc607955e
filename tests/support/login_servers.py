"""Servers that a person logs in to, each as one host of the tests' network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.internet import Answer, Visit


class Protected:
    """A host that serves who sends one of some values of a header.

    Args:
        accepted: values of ``Authorization``, or of the header named.
        header: that one, in lower case.
        path: below which it wants one; everything else is for everybody.
        refused: its status for who sends none of them.
        wanted: ``WWW-Authenticate`` of that.
    """

    def __init__(
        self,
        *accepted: str,
        header: str = "authorization",
        path: str = "/",
        refused: int = 401,
        wanted: str = "Basic realm=x",
    ) -> None:
        self._accepted = accepted
        self._header = header
        self._path = path
        self._refused = refused
        self._wanted = wanted

    def __call__(self, visit: Visit) -> Answer:
        if not visit.path.startswith(self._path):
            return 200, {}, b"for everybody"
        if visit.headers.get(self._header) in self._accepted:
            return 200, {}, b"x" * 1_000_000  # an index is large, and no trial reads it
        return self._refused, {"WWW-Authenticate": self._wanted}, b"no"
