"""``credlatch token URL``: the password or token alone, for scripts."""

from __future__ import annotations

from credlatch import logins
from credlatch import url as urls
from credlatch.commands import asked, streams
from credlatch.errors import UsageError

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
        UsageError: anything but one URL.
        CredlatchError: there may be one, and it cannot be had.
    """
    match args:
        case ["--help" | "-h"]:
            streams.answer(USAGE.encode())
            return 0
        case [text] if not text.startswith("-"):
            return asked.answer(caller, lambda: _part(text, caller, user=False))
        case ["--user", text] | [text, "--user"] if not text.startswith("-"):
            return asked.answer(caller, lambda: _part(text, caller, user=True))
        case _:
            raise UsageError("one URL is needed: see credlatch token --help")


def _part(text: str, caller: Caller, *, user: bool) -> bytes | None:
    url = urls.parse(text)
    resolution = logins.find(caller, url)
    if resolution is None:
        streams.say(asked.nothing(url))
        return None
    username, secret = resolution.credential.login(url.host)
    return f"{url.username or username if user else secret.reveal()}\n".encode()
