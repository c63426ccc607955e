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
    resolver, found = Resolver(caller), []
    for url in urls:
        asked = docker.parse_get(url.netloc.encode())
        if resolver.standing(asked) is not None:
            continue
        other = resolver.standing(Request(asked.url, asked.keys, key_first=True, login=True))
        if other is not None:
            found.append(
                f"{url.netloc}: {tool.name} is not given what is in {other.location}, which does "
                f"not name this registry and its port: {tool.name} login {url.netloc}"
            )
    return found
