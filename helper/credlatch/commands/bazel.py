"""``credlatch get`` as Bazel calls it."""

from __future__ import annotations

from credlatch import answers
from credlatch.commands import streams
from credlatch.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

USAGE = "usage: credlatch [bazel] get, with a request on standard input"


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status.

    Raises:
        UsageError: any other command than ``get``.
        CredlatchError: standard input cannot be read, or the answer not be written.
    """
    if args != ["get"]:
        raise UsageError(USAGE)
    return streams.reply(answers.get(answers.BAZEL, streams.read_stdin(), caller))
