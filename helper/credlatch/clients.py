"""The table of clients: who calls us by which name or word, what asks for a credential, and how.

A client is one row here and one file of its name in ``protocols``; one whose logins are also kept
or forgotten has a file in ``commands``, too. The command line, the agent and what is forwarded read
this table, and the launcher's is made of it (build/launcher.py).

Every call reads it: so nothing is imported here but for a client that has been chosen.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.protocols import Protocol
    from credlatch.request import Request

    Narrow = Callable[[Request, Caller], Request]
    Command = Callable[[list[str], Caller], int]

_ENCODING = ("utf-8", sys.getfilesystemencodeerrors())


class Client:
    """One row.

    Args:
        name: the word that means it, and the protocol's name to the agent.
        gets: the words of each ``get`` that comes on standard input; none: it asks by its words.
        verbs: of a client that asks by its words, what they may ask for; the first is to get.
        called: the name of a program that means it, or how such names begin: with a hyphen at the
            end.
        command: whether there are any other words than those and ``--help``.
        stream: where it shows failures: 2, standard error, or 1.
        narrow: imports what says how much of a request a caller's own settings allow; None: all.
    """

    def __init__(  # noqa: PLR0913 - a table has as many columns as it needs
        self,
        name: str,
        *,
        gets: tuple[tuple[str, ...], ...] = (),
        verbs: tuple[str, ...] = (),
        called: str = "",
        command: bool = False,
        stream: int = 2,
        narrow: "Callable[[], Narrow] | None" = None,
    ) -> None:
        self.name = name
        self.gets = gets
        self.verbs = verbs
        self.called = called
        self.command = command
        self.stream = stream
        self.narrow = narrow

    def protocol(self) -> "Protocol":
        """How it asks, and how it is answered."""
        protocol: Protocol = _imported(f"protocols.{self.name or 'bazel'}", "PROTOCOL")
        return protocol

    def run(self, words: list[str], caller: "Caller") -> int:
        """Run other words; the exit status."""
        run: Command = _imported(f"commands.{self.name}", "run")
        return run(words, caller)

    def asks(self, words: list[str]) -> bool:
        """Whether these words ask for a credential."""
        if self.gets:
            return tuple(words) in self.gets
        options = words[: words.index("--")] if "--" in words else words
        if not words or "-h" in options or "--help" in options:
            return False
        return not self.verbs or [word for word in words if word in self.verbs][:1] == [
            self.verbs[0]
        ]


def _imported(module: str, name: str) -> "Any":
    return getattr(__import__(f"credlatch.{module}", fromlist=[name]), name)


def _cargo_indexes() -> "Narrow":
    from credlatch.cargo_indexes import asked

    return asked


_GET = (("get",),)
ALSO = {"get": "bazel", "--cargo-plugin": "cargo"}  # a client's own word for itself
CLIENTS = {
    client.name: client
    for client in (
        Client("bazel", gets=_GET),
        Client("docker", gets=_GET, called="docker-credential-", command=True, stream=1),
        Client("git", gets=(*_GET, ("--read-only", "get")), called="git-credential-", command=True),
        Client("keyring", verbs=("get", "set", "del"), called="keyring", command=True),
        Client("goauth"),
        Client("cargo", gets=_GET, command=True, narrow=_cargo_indexes),
        Client("header"),
        Client("token"),
    )
}
BARE = Client("", gets=_GET)
"""``credlatch get``, which both Bazel and Docker say: what is on standard input tells which."""


def chosen(argv: list[str]) -> tuple[Client | None, list[str]]:
    """Which client calls, and the words that follow; None: nobody but a person."""
    path = argv[0]
    if sys.platform == "win32":
        # Names have no case there, and PATH is searched with the endings of PATHEXT: "keyring.EXE".
        path = path.replace("\\", "/").lower()
    program = path.rpartition("/")[2].removesuffix(".exe")
    words = argv[1:]
    for client in CLIENTS.values():
        called = client.called
        if called and (program == called or (called[-1] == "-" and program.startswith(called))):
            return client, words
    if words == ["get"]:
        return BARE, words
    word = words[0] if words else ""
    return CLIENTS.get(ALSO.get(word, word)), words[1:]


def question(argv: list[str]) -> tuple[bytes, bytes | None] | None:
    """Which protocol's ``get`` this is, empty for whichever standard input speaks; else None.

    With it, for clients that ask by their words, these; None for all others, who ask on standard
    input.
    """
    client, words = chosen(argv)
    if client is None or not client.asks(words):
        return None
    return client.name.encode(), None if client.gets else pack(words)


def pack(words: list[str]) -> bytes:
    """The request of a client that asks by its words: these, with a zero byte between two."""
    return "\0".join(words).encode(*_ENCODING)


def unpack(asked: bytes) -> list[str]:
    """What ``pack`` was given."""
    return asked.decode(*_ENCODING).split("\0") if asked else []
