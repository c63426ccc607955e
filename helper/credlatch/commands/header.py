"""``credlatch header URL``: the headers that authenticate a request, for curl and scripts."""

from __future__ import annotations

from credlatch import registry
from credlatch import url as urls
from credlatch.commands import asked, streams
from credlatch.errors import UsageError
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.stores import seen

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
        UsageError: anything but one URL.
        CredlatchError: there may be one, and it cannot be had.
    """
    match args:
        case ["--help" | "-h"]:
            streams.answer(USAGE.encode())
            return 0
        case [text] if not text.startswith("-"):
            return asked.answer(caller, lambda: _headers(text, caller))
        case _:
            raise UsageError("one URL is needed: see credlatch header --help")


def _headers(text: str, caller: Caller) -> bytes | None:
    url = urls.parse(text)
    request = Request(url, registry.spellings(url))
    resolution = Resolver(caller, seen.order(url.username)).resolve(request)
    if resolution is None:
        streams.say(asked.nothing(url))
        return None
    headers = resolution.credential.headers()
    return "".join(f"{name}: {value}\n" for name, value in headers.items()).encode()
