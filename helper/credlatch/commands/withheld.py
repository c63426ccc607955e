"""What a registry's client is not given, although a store has a login that seems to be for it."""

from __future__ import annotations

from credlatch.protocols import docker
from credlatch.request import Request
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.caller import Caller
    from credlatch.setup.tools import Tool
    from credlatch.url import Url


def notes(tool: Tool, urls: Iterable[Url], caller: Caller) -> list[str]:
    """What to tell a person who wires a tool for registries at these addresses."""
    return [
        f"{url.netloc}: {tool.name} is not given what is in {location}, which does not name "
        f"this registry and its port: {tool.name} login {url.netloc}"
        for url in urls
        if (location := _location(url, caller))
    ]


def _location(url: Url, caller: Caller) -> str:
    """Where there is a credential for a URL that a registry's client does not get; or empty."""
    asked = docker.parse_get(url.netloc.encode())
    resolver = Resolver(caller)
    if resolver.standing(asked) is not None:
        return ""
    other = resolver.standing(Request(asked.url, asked.keys, key_first=True, login=True))
    return "" if other is None else other.location
