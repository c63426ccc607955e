"""``credlatch --cargo-plugin``: a conversation with cargo, of one or several requests."""

from __future__ import annotations

import os

from credlatch import answers, cargo_logins, streams
from credlatch.agent import asking
from credlatch.answers import Answer
from credlatch.caller import Caller
from credlatch.clients import CLIENTS
from credlatch.credential import Secret
from credlatch.errors import CredlatchError, RequestError, UsageError
from credlatch.people import typed
from credlatch.protocols import cargo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIENT = CLIENTS["cargo"]
_CHUNK = 65_536


def run(args: list[str], caller: Caller) -> int:
    """Answer each request as it comes, until there are no more; the exit status.

    It is 0 also after a failure, which is an answer: any other undoes what cargo was told.

    Raises:
        UsageError: somebody else calls, and says more.
        AnswerError: standard output does not take an answer.
    """
    if args in (["--help"], ["-h"]):
        streams.answer(cargo.USAGE.encode())
        return 0
    if args:
        raise UsageError("cargo says all it wants on standard input: see credlatch cargo --help")
    streams.answer(cargo.HELLO)
    try:
        for sent in _requests():
            # What has changed since the last request counts for the next.
            streams.reply(_answered(sent, Caller(caller.environ)))
    except RequestError as error:
        streams.reply(answers.failed(_CLIENT, error, caller))
    return 0


def _requests() -> Iterator[bytes]:
    """The lines of standard input, each as soon as it is there."""
    data = b""
    try:
        while chunk := os.read(0, _CHUNK):
            *lines, data = (data + chunk).split(b"\n")
            yield from filter(bytes.strip, lines)
            if len(data) > streams.MAX_STDIN:
                raise RequestError(f"a request has more than {streams.MAX_STDIN} bytes")
    except OSError as error:
        raise streams.unreadable(error) from None
    if data.strip():
        yield data


def _answered(sent: bytes, caller: Caller) -> Answer:
    try:
        call = cargo.parse(sent)
        if call.kind == "login":
            cargo_logins.keep(caller, call.index, call.url, call.token or _typed(call))
            return answers.success(cargo.LOGGED_IN, caller)
        if call.kind == "logout":
            gone = cargo_logins.forget(caller, call.index)
            return answers.success(cargo.LOGGED_OUT if gone else cargo.NOT_FOUND, caller)
    except CredlatchError as error:
        return answers.failed(_CLIENT, error, caller)
    # Cargo asks when it has been greeted: so the agent could not be asked before all this.
    try:
        return Answer(*asking.ask(_CLIENT.name, sent))
    except asking.UnansweredError as unanswered:
        if unanswered.warning is not None:
            caller.warn(unanswered.warning)
    return answers.get(_CLIENT, sent, caller)


def _typed(call: cargo.Call) -> Secret:
    # Standard input is cargo's, and so is what was written to cargo's own.
    if not typed.can_be_asked():
        raise RequestError("no token came, and there is no terminal to ask at: write it to cargo")
    return Secret(typed.secret(cargo.prompt(call)).strip())
