"""prefix.dev: the API key that rattler-build and pixi upload with; it reads channels, too."""

from __future__ import annotations

from credlatch.credential import Bearer, Secret
from credlatch.identities.servers import is_below, value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

_HOST = "prefix.dev"


def claims(url: Url) -> bool:
    """Whether it is prefix.dev's: pixi keeps its login for ``*.prefix.dev``."""
    return is_below(url, _HOST)


def anonymous(url: Url) -> bool:  # noqa: ARG001 - everywhere
    """Public channels are for all."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The variable's key; pixi's login is in rattler's store."""
    key, name = value(caller, "PREFIX_API_KEY")
    ruled = url.scheme == "https" and request.rule.names("prefix")
    if not key or not (ruled or claims(url)):
        return None
    return Entry(Bearer(Secret(key)), f"the variable {name}", remedy="set a fresh one")
