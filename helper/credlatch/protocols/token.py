"""``credlatch token URL``: the password or token alone, for scripts."""

from __future__ import annotations

from credlatch import clients
from credlatch import request as requests
from credlatch import url as urls
from credlatch.protocols import ALWAYS, Protocol, Question, only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.resolve import Resolution

USAGE = """\
usage: credlatch token URL            the password or token for URL
       credlatch token --user URL     the user name that goes with it
"""


def _parse(asked: bytes) -> Question:
    words = clients.unpack(asked)
    user = "--user" in words
    if user:
        words.remove("--user")
    url = urls.parse(only(words, "token"))

    def render(found: Resolution) -> bytes:
        username, secret = found.credential.login(url.host)
        return f"{url.username or username if user else secret.reveal()}\n".encode()

    return Question(requests.for_login(url), render, status=1, told=ALWAYS)


PROTOCOL = Protocol(_parse, USAGE)
