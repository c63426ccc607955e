"""What is measured beside each other: programs that all hold the same user name and secret."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.timing import Timed

if TYPE_CHECKING:
    from bench.shared.agent import Agent

    from support.home import Home

USER, PASSWORD = "ada", "made-up"
HOST = "packages.example.com"  # whose login is in a file
SERVER = "https://registry.example.com"  # whose login is in the keyring, as Docker names it
BASIC = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()

NOWHERE, FILE, KEYRING, BOTH = "no credential", "file", "keyring", "file and keyring"


@dataclass(frozen=True)
class Question:
    """What a program is asked, and the only right answer.

    Attributes:
        answer: as JSON; None: nothing is printed.
    """

    stdin: bytes
    answer: dict[str, object] | None

    def check(self, who: str, out: bytes) -> None:
        """Judge an answer.

        Raises:
            RuntimeError: it is wrong.
        """
        if (json.loads(out) if out else None) != self.answer:
            raise RuntimeError(f"{who} answers {self.stdin!r} with {out!r}")


NOTHING = Question(b"", None)
DOCKER = Question(SERVER.encode(), {"ServerURL": SERVER, "Username": USER, "Secret": PASSWORD})


def bazel(path: str = "simple/") -> Question:
    """A question in Bazel's protocol, for a URL at the host."""
    uri = json.dumps({"uri": f"https://{HOST}/{path}"})
    return Question(uri.encode(), {"headers": {"Authorization": [BASIC]}})


@dataclass(frozen=True)
class Peer:
    """One program, ready to be measured.

    Attributes:
        label: what tables and pictures call it.
        held: where its credential is; the same program may be there once for each place.
        call: how it is started.
        agent: what answers it, if it is ours and has one.
        ours: whether it is credlatch.
    """

    label: str
    held: str
    call: Timed
    agent: Agent | None = None
    ours: bool = False

    @property
    def name(self) -> str:
        """Its name among all peers."""
        return self.call.name


@dataclass(frozen=True)
class Absent:
    """A program that cannot be measured here.

    Attributes:
        reason: what is missing.
    """

    label: str
    held: str
    reason: str

    @property
    def name(self) -> str:
        """The name that it would have among all peers."""
        return name(self.label, self.held)


def name(label: str, held: str) -> str:
    """The name among all peers of a program that finds its credential there."""
    return f"{label}, {held}"


def timed(label: str, held: str, words: list[str], question: Question, home: Home) -> Timed:
    """A program that is asked something in a home."""
    return Timed(name(label, held), words, question.stdin, home.env, home.path)


def checked(peer: Peer, question: Question) -> Peer:
    """The peer, when it answers rightly; its agent is warm then.

    Raises:
        RuntimeError: its answer is wrong, it fails, or its agent does not come up.
    """
    if peer.agent is not None:
        peer.agent.warm_up(peer.call)
    question.check(peer.name, peer.call.output())
    return peer


def parted(found: list[Peer | Absent]) -> tuple[list[Peer], list[Absent]]:
    """Those that are there, and those that are not."""
    there = [each for each in found if isinstance(each, Peer)]
    return there, [each for each in found if isinstance(each, Absent)]
