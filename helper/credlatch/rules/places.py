"""The places that rules are for: which URLs they cover, and which of two is the more specific."""

from __future__ import annotations

from credlatch import registry
from credlatch import url as urls
from credlatch.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.request import Request
    from credlatch.url import Url


class Place:
    """An origin, or all hosts below a name, and what is at or below a path.

    Attributes:
        text: as it was written.
        origin: scheme, host and port. The host of one for many begins with ``*.``.
        segments: of the path, as they are compared.
    """

    def __init__(self, text: str, origin: tuple[str, str, int], segments: tuple[str, ...]) -> None:
        self.text = text
        self.origin = origin
        self.segments = segments

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for many hosts."""
        return self.origin[1].startswith("*.")

    def covers(self, other: Place) -> bool:
        """Whether another place is at or below this one."""
        return self._has(other.origin) and other.segments[: len(self.segments)] == self.segments

    def is_within(self, other: Place) -> bool:
        """Whether it covers some of what another place stands for, and not all of it."""
        if self.covers(other) or not (self._has(other.origin) or other._has(self.origin)):
            return False
        both = min(len(self.segments), len(other.segments))
        return self.segments[:both] == other.segments[:both]

    def _has(self, origin: tuple[str, str, int]) -> bool:
        """Whether an origin is this place's, or one of them."""
        scheme, host, port = self.origin
        if (scheme, port) != (origin[0], origin[2]):
            return False
        return origin[1].endswith(host[1:]) if self.is_pattern else origin[1] == host

    @property
    def weight(self) -> tuple[bool, int, int]:
        """What of two places that cover a URL is larger for the more specific one.

        A host beats a pattern of hosts, a longer pattern a shorter one; then the longer path.
        """
        return not self.is_pattern, len(self.origin[1].split(".")), len(self.segments)


def parse(text: str) -> Place:
    """The place that a rule names.

    Raises:
        ValueError: it is none; the text says why.
    """
    try:
        url = urls.absolute(text)
    except RequestError as error:
        raise ValueError(str(error)) from None
    if url.username is not None or "@" in text.split("/")[2]:
        raise ValueError('the URL has a user name: say account = "…"')
    if "?" in text or "#" in text:
        raise ValueError("the URL has a query or a fragment, and rules are for hosts and paths")
    if url.host.startswith("*.") and "." not in url.host[2:]:
        raise ValueError("the URL's host is a pattern for a whole top-level domain")
    return Place(text, *_of(url))


def of_request(request: Request) -> Place | None:
    """The place of a request; None for a name that only equals itself."""
    url = request.url
    for key in (*request.keys, request.own):
        if url is not None:
            break
        text = key.removeprefix(registry.CARGO).removeprefix("sparse+")
        try:
            url = urls.parse(text if "://" in text else f"https://{text}")
        except RequestError:
            continue
    return None if url is None else of_url(url)


def of_url(url: Url) -> Place:
    """The place of a URL."""
    return Place(url.shown, *_of(url))


def _of(url: Url) -> tuple[tuple[str, str, int], tuple[str, ...]]:
    scheme, host, port = url.origin
    if registry.is_hub(url):
        host = registry.HUB_HOST
    return (scheme, host, port), _segments(url.path)


def _segments(path: str) -> tuple[str, ...]:
    """The names on a path, however it is written: servers differ in what they decode, and when."""
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path, errors="surrogateescape")
    kept: list[str] = []
    for name in path.split("/"):
        if name == "..":
            del kept[-1:]
        elif name not in {"", "."}:
            kept.append(name)
    return tuple(kept)
