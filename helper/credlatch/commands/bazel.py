"""``credlatch get`` as Bazel calls it."""

from __future__ import annotations

from credlatch import answers
from credlatch.commands import streams
from credlatch.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

USAGE = """\
usage: credlatch get, or credlatch bazel get

The request is on standard input, as Bazel writes it:
  echo '{"uri":"https://pypi.example.com/simple/"}' | credlatch get
"""


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status.

    Raises:
        UsageError: any other command than ``get``.
        CredlatchError: standard input cannot be read, or the answer not be written.
    """
    if args[-1:] in (["--help"], ["-h"]):
        streams.answer(USAGE.encode())
        return 0
    if args != ["get"]:
        raise UsageError("get alone is needed, and a request on standard input: see get --help")
    return streams.reply(answers.get(answers.BAZEL, streams.read_stdin(caller), caller))
