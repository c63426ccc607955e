"""What clients say and read: bytes in, bytes out, and no input or output of its own."""

from __future__ import annotations

from credlatch import quick_json
from credlatch.errors import RequestError, UsageError
from credlatch.lines import line, unmarked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credlatch.errors import CredlatchError
    from credlatch.request import Request
    from credlatch.resolve import Resolution


NEVER, NEAR, ALWAYS = "", "near", "always"


class Question:
    """What a client asks, and what it is told.

    Attributes:
        request: what the stores are asked; None for what is no web server's.
        render: makes the client's answer of a credential.
        status: the exit status when there is none.
        missing: what standard output says then.
        told: whether a person is told so, on standard error: NEVER, ALWAYS, or where it was NEAR.
        wider: what is asked for the places that the client might be told of in its place, the
            widest first. The resolution then has the URL of the first that has the same answer.
    """

    def __init__(
        self,
        request: Request | None,
        render: Callable[[Resolution], bytes],
        *,
        status: int = 0,
        missing: bytes = b"",
        told: str = NEVER,
        wider: Sequence[Request] = (),
    ) -> None:
        self.request = request
        self.render = render
        self.status = status
        self.missing = missing
        self.told = told
        self.wider = wider


def _on_standard_error(error: CredlatchError) -> tuple[bytes, bytes]:
    return b"", line(str(error))


class Protocol:
    """How a client asks, and how it is answered.

    Attributes:
        parse: a question, of what is on standard input, or of the words (``clients.pack``); it
            raises a CredlatchError where it cannot be understood.
        usage: what ``--help`` says; empty where a command says it.
        failure: what standard output and standard error say of a failure.
    """

    def __init__(
        self,
        parse: Callable[[bytes], Question],
        usage: str = "",
        *,
        failure: Callable[[CredlatchError], tuple[bytes, bytes]] = _on_standard_error,
    ) -> None:
        self.parse = parse
        self.usage = usage
        self.failure = failure


def only(words: list[str], command: str) -> str:
    """The one URL among the words of a command.

    Raises:
        UsageError: there is none, or more.
    """
    if len(words) != 1 or words[0].startswith("-"):
        raise UsageError(f"one URL is needed: see credlatch {command} --help")
    return words[0]


def json_object(sent: bytes) -> dict[str, object]:
    """The JSON object that a client has written.

    Raises:
        RequestError: it is none.
    """
    try:
        value = quick_json.loads(unmarked(sent).decode())
    except UnicodeDecodeError:
        raise RequestError("the request is not UTF-8") from None
    except ValueError as error:
        raise RequestError(f"the request is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RequestError("the request is not a JSON object")
    return value


def text(found: dict[str, object], name: str, default: str | None = None) -> str:
    """A text in a request; the default is for one that is not there, or null.

    Raises:
        RequestError: it is no text.
    """
    value = found.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise RequestError(f'the request has no "{name}" that is a string')
    return value
