"""``credlatch header URL``: the headers that authenticate a request, for curl and scripts."""

from __future__ import annotations

from credlatch import clients
from credlatch import request as requests
from credlatch import url as urls
from credlatch.protocols import ALWAYS, Protocol, Question, only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.resolve import Resolution

USAGE = """\
usage: credlatch header URL

The headers for a request to URL, a line for each, as curl reads them:
  credlatch header https://pypi.example.com/simple/ |
    curl -H @- https://pypi.example.com/simple/
"""


def _parse(asked: bytes) -> Question:
    url = urls.parse(only(clients.unpack(asked), "header"))
    return Question(requests.for_url(url), render, status=1, told=ALWAYS)


def render(found: Resolution) -> bytes:
    """A line for each header."""
    headers = found.credential.headers()
    return "".join(f"{name}: {value}\n" for name, value in headers.items()).encode()


PROTOCOL = Protocol(_parse, USAGE)
