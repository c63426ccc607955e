"""Go's GOAUTH, from Go 1.24 on (``go help goauth``).

Go calls once without an argument, before its first request, and again with a URL whose answer was
4xx; that answer is on standard input, which nobody need read. It is told a prefix of URLs and the
headers for all below it, or nothing. All ends with line feeds, on every system.
"""

from __future__ import annotations

from credlatch import clients
from credlatch import request as requests
from credlatch import url as urls
from credlatch.protocols import Protocol, Question, only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.request import Request
    from credlatch.resolve import Resolution

USAGE = """\
usage: credlatch goauth [URL]

Go calls it: go env -w 'GOAUTH=credlatch goauth; netrc'
"""
_SCHEME = "https://"  # Go sends no credentials to any other


def _parse(asked: bytes) -> Question:
    words = clients.unpack(asked)
    text = only(words, "goauth") if words else ""
    url = urls.parse(text) if words else None
    # Before its first request Go would be told all logins, and all would be renewed. For a URL with
    # a user Go looks up no answer: it would count for all others.
    if url is None or url.scheme != "https" or url.username is not None:
        return Question(None, lambda _: b"")
    wider = _above(text)
    requested = [requests.for_url(urls.parse(prefix)) for prefix in wider]
    return Question(
        requests.for_url(url),
        lambda found: _render(_prefix(text, wider, requested, found), found),
        wider=requested,
    )


def _above(text: str) -> list[str]:
    """The URL's prefixes, the shortest first: what it says, to the letter, as Go compares them."""
    plain = _SCHEME + text.partition("://")[2].partition("?")[0].partition("#")[0]
    parts = plain.removeprefix(_SCHEME).rstrip("/").split("/")
    return [_SCHEME + "/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _prefix(text: str, wider: list[str], requested: list[Request], found: Resolution) -> str:
    same = [prefix for prefix, each in zip(wider, requested, strict=True) if each.url is found.url]
    return same[0] if same else text.partition("?")[0]


def _render(prefix: str, found: Resolution) -> bytes:
    headers = found.credential.headers()
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    return f"{prefix}\n\n{lines}\n".encode()


PROTOCOL = Protocol(_parse, USAGE)
