"""What is asked, what is answered, and how two answers are compared."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


class Case(NamedTuple):
    """A store, and what is asked of it.

    Attributes:
        entries: what the store holds, as it stands there.
        questions: URLs, or Docker's keys.
        frame: what is odd about the store as a whole; the subject knows what the words mean.
    """

    entries: tuple[str, ...]
    questions: tuple[str, ...]
    frame: tuple[str, ...] = ()


class Answer(NamedTuple):
    """What one program says to one question.

    Attributes:
        sent: the credential, as ``credential`` writes it; empty when it sends none.
        failed: its own words, when it gives no answer; else empty.
        also: what it might have sent as well, where it leaves that to chance.
    """

    sent: str = ""
    failed: str = ""
    also: frozenset[str] = frozenset()


class Difference(NamedTuple):
    """Two answers to one question that are not the same."""

    case: Case
    question: str
    theirs: Answer
    ours: Answer


class Rule(NamedTuple):
    """A difference that is meant.

    Attributes:
        title: of its row in docs/stores.md, "Stricter than the tools".
        refused: whether it explains that we send nothing, where the owner would.
        instead: the case as we take it, one question in it; None if it has nothing to do with it.
            The owner's answer to that must be ours, so nothing is excused, only said in other
            words: what we send, the owner sends too, and there.
    """

    title: str
    refused: Callable[[Difference], bool] | None = None
    instead: Callable[[Case], Case | None] | None = None


class Subject(Hashable, Protocol):
    """A store, a program that owns it, and we.

    Attributes:
        name: what it is called on the command line.
        rules: the differences that are meant.
        share: how many questions it is asked for each that the cheapest is asked.
    """

    name: str
    rules: tuple[Rule, ...]
    share: float

    def case(self, random: Random) -> Case:
        """A store that was never seen before."""

    def theirs(self, case: Case) -> list[Answer]:
        """What the owner's program answers."""

    def ours(self, case: Case) -> list[Answer]:
        """What we answer."""


def same(theirs: Answer, ours: Answer) -> bool:
    """Whether nobody could tell the two programs apart by these answers."""
    if theirs.failed or ours.failed:
        return bool(theirs.failed) and bool(ours.failed)
    return ours.sent in {theirs.sent, *theirs.also}


def credential(header: str) -> str:
    """The value of an Authorization header, with a login in the clear."""
    scheme, _, value = header.partition(" ")
    if scheme != "Basic":
        return header
    try:
        return f"Basic {a2b_base64(value).decode()}"
    except (Base64Error, UnicodeDecodeError):
        return header
