"""``credlatch get`` as Bazel calls it."""

from __future__ import annotations

from credlatch.commands import streams
from credlatch.errors import CredlatchError, UsageError
from credlatch.protocols import bazel
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

USAGE = "usage: credlatch [bazel] get, with a request on standard input"


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status.

    Raises:
        UsageError: any other command than ``get``.
    """
    if args != ["get"]:
        raise UsageError(USAGE)
    return get(streams.read_stdin(), caller)


def get(stdin: bytes, caller: Caller) -> int:
    """Answer one request.

    Raises:
        CredlatchError: there is no answer.
    """
    try:
        answer = bazel.render(Resolver(caller).resolve(bazel.parse(stdin)))
    except CredlatchError:
        streams.say(*caller.warnings)
        raise
    streams.say(*caller.warnings)
    streams.answer(answer)
    return 0
