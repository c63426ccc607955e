"""Servers that variables and tools' files name, and what variables say."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.url import Url


def root(text: str) -> Url | None:
    """What a host, with its port or not, or a URL stands for; None: nothing that may be sent to."""
    text = text.strip().rstrip("/")
    try:
        url = urls.parse(text if "://" in text else f"https://{text}")
    except RequestError:
        return None
    plain = url.scheme == "https" and url.username is None and not url.host.startswith("*.")
    return url if plain else None


def is_at(url: Url, place: str | None) -> bool:
    """Whether a URL is at a host that is named with its port or without."""
    named = None if place is None else root(place)
    return named is not None and named.origin == url.origin


def is_below(url: Url, host: str) -> bool:
    """Whether a URL is of a host, or of one below it, over https and at its port."""
    mine = url.host == host or url.host.endswith(f".{host}")
    return mine and url.scheme == "https" and url.default_port and not url.host.startswith("*.")


def value(caller: Caller, *names: str) -> tuple[str, str]:
    """The first of these variables that is set: what it says, without blanks, and its name."""
    for name in names:
        text = (caller.get(name) or "").strip()
        if text:
            return text, name
    return "", ""
