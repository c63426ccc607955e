"""The whole answer to clients that ask for a login by URL: git, keyring, and people.

As ``answers``, without input or output of its own.
"""

from __future__ import annotations

import os

from credlatch import request as requests
from credlatch import url as urls
from credlatch.answers import GIT, HEADER, KEYRING, Answer
from credlatch.errors import CredlatchError, ElsewhereError, StoreError, UsageError
from credlatch.lines import line
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.resolve import Resolution
    from credlatch.url import Url

    Render = Callable[[Resolution], bytes]

_END = b"\0"  # between two arguments


class Question:
    """What a client asks.

    Attributes:
        url: where the credential is for, with the user name; None for what is no web server's.
        request: the same for the stores.
        render: makes the client's answer of a credential.
        status: the exit status when there is none.
        told: whether a person is told so.
    """

    __slots__ = ("render", "request", "status", "told", "url")

    def __init__(
        self, url: Url | None, request: Request | None, render: Render, status: int, *, told: bool
    ) -> None:
        self.url = url
        self.request = request
        self.render = render
        self.status = status
        self.told = told


def asked_by(args: list[str]) -> bytes:
    """The request of a client that asks by its arguments."""
    return _END.join(map(os.fsencode, args))


def get(protocol: str, asked: bytes, caller: Caller) -> Answer:
    """Answer a request of one protocol.

    Raises:
        ElsewhereError: only the caller's own process can answer it.
    """
    request = None
    try:
        question = parse(protocol, asked)
        url, request = question.url, question.request
        if url is None or request is None:
            return Answer(0, b"", b"")
        resolution = Resolver(caller).resolve(request)
        out = b"" if resolution is None else _rendered(question, resolution)
    except ElsewhereError:
        raise
    except CredlatchError as error:
        err = _warnings(caller) + line(str(error))
        return Answer(error.exit_status, b"", err, request=request, failure=error)
    err = _warnings(caller)
    if resolution is not None:
        return Answer(0, out, err, request=request, resolution=resolution)
    if question.told:
        err = line(f"no store has a credential for {url.shown}: log in there first") + err
    return Answer(question.status, out, err, request=request)


def parse(protocol: str, asked: bytes) -> Question:
    """A question, from what a client writes or from its arguments.

    Raises:
        CredlatchError: it cannot be understood.
    """
    if protocol == GIT:
        return _git(asked)
    args = [os.fsdecode(arg) for arg in asked.split(_END)] if asked else []
    if protocol == KEYRING:
        return _keyring(args)
    return _header(args) if protocol == HEADER else _token(args)


def _git(stdin: bytes) -> Question:
    from credlatch.protocols import git

    description = git.parse(stdin)
    url = description.url
    request = None if url is None else requests.for_login(url)
    return Question(url, request, lambda found: git.render(description, found), 0, told=False)


def _keyring(args: list[str]) -> Question:
    from credlatch.protocols import keyring

    call = keyring.parse(args)
    if call.operation != "get":
        raise UsageError("the operation must be get")
    render: Render = lambda found: keyring.render(call, found)  # noqa: E731 - as short as the others
    return Question(call.url, requests.for_login(call.url), render, 1, told=False)


def _header(args: list[str]) -> Question:
    url = urls.parse(_only(args, "header"))

    def render(found: Resolution) -> bytes:
        headers = found.credential.headers()
        return "".join(f"{name}: {value}\n" for name, value in headers.items()).encode()

    return Question(url, requests.for_url(url), render, 1, told=True)


def _token(args: list[str]) -> Question:
    user = "--user" in args
    if user:
        at = args.index("--user")
        args = [*args[:at], *args[at + 1 :]]
    url = urls.parse(_only(args, "token"))

    def render(found: Resolution) -> bytes:
        username, secret = found.credential.login(url.host)
        return f"{url.username or username if user else secret.reveal()}\n".encode()

    return Question(url, requests.for_login(url), render, 1, told=True)


def _only(args: list[str], command: str) -> str:
    if len(args) != 1 or args[0].startswith("-"):
        raise UsageError(f"one URL is needed: see credlatch {command} --help")
    return args[0]


def _rendered(question: Question, resolution: Resolution) -> bytes:
    try:
        return question.render(resolution)
    except ValueError as error:
        raise StoreError(
            f"the credential from {resolution.where} cannot be used: {error}"
        ) from None


def _warnings(caller: Caller) -> bytes:
    return b"".join(map(line, caller.warnings))
