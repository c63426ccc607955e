"""``credlatch header URL``: the headers that authenticate a request, for curl and scripts."""

from __future__ import annotations

from credlatch import answers, login_answers
from credlatch.commands import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

USAGE = """\
usage: credlatch header URL

The headers for a request to URL, a line for each, as curl reads them:
  credlatch header https://pypi.example.com/simple/ |
    curl -H @- https://pypi.example.com/simple/
"""


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status, 1 when there is no credential.

    Raises:
        AnswerError: standard output does not take it.
    """
    if args in (["--help"], ["-h"]):
        streams.answer(USAGE.encode())
        return 0
    return streams.reply(answers.get(answers.HEADER, login_answers.asked_by(args), caller))
