"""``credlatch token URL``: the password or token alone, for scripts."""

from __future__ import annotations

from credlatch import answers, login_answers
from credlatch.commands import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

USAGE = """\
usage: credlatch token URL            the password or token for URL
       credlatch token --user URL     the user name that goes with it
"""


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status, 1 when there is no credential.

    Raises:
        AnswerError: standard output does not take it.
    """
    if args in (["--help"], ["-h"]):
        streams.answer(USAGE.encode())
        return 0
    return streams.reply(answers.get(answers.TOKEN, login_answers.asked_by(args), caller))
