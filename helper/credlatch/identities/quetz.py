"""quetz: the API key of the server that its variables name."""

from __future__ import annotations

from credlatch.credential import Secret, Token
from credlatch.identities.servers import root, value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url


def claims(url: Url) -> bool:  # noqa: ARG001 - each server is somebody's own
    """None by itself."""
    return False


def anonymous(url: Url) -> bool:  # noqa: ARG001 - everywhere
    """Public channels are for all."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """QUETZ_API_KEY, for what is below QUETZ_SERVER_URL, or where a rule says so."""
    key, name = value(caller, "QUETZ_API_KEY")
    server = root(value(caller, "QUETZ_SERVER_URL")[0])
    ruled = url.scheme == "https" and request.rule.names("quetz")
    if not key or not (ruled or (server is not None and server.covers(url))):
        return None
    return Entry(Token(Secret(key), "X-API-Key"), f"the variable {name}", remedy="set a fresh one")
