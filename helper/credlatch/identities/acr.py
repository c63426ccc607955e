"""Azure Container Registry: an Entra identity's access token is exchanged for the registry's own.

That is a refresh token, and a login with a user name that is nobody's. For a URL of a repository,
it becomes a bearer token as every registry's login does.
"""

from __future__ import annotations

from credlatch.identities import entra
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

# Of the registries' own, in every cloud (azcontainerregistry's default, as cloud-provider-azure's).
SCOPE = "https://containerregistry.azure.net/.default"
_DOMAINS = frozenset({"azurecr.io", "azurecr.cn", "azurecr.us", "azurecr.de"})


def claims(url: Url) -> bool:
    """A registry's login server: one label, and not the hosts below it, which serve its data."""
    registry, _, domain = url.host.partition(".")
    return url.scheme == "https" and url.default_port and domain in _DOMAINS and registry != "*"


def anonymous(url: Url) -> bool:  # noqa: ARG001 - so may every registry
    """A registry may let everybody pull."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The registry's login."""
    scope = entra.scope(request.rule.audience, SCOPE)
    entry = entra.identity(caller, scope, chain=request.rule.names("acr"))
    if entry is None:
        return None
    host = url.host
    remedy = f"check that the identity may pull from {host} (role AcrPull)"

    def exchanged(fresh: Entry) -> Entry:
        from credlatch.auth.acr import AcrExchange

        grant = AcrExchange(entra.token(fresh), host, remedy)
        return Entry(None, fresh.location, grant=grant, remedy=remedy)

    entry.then = exchanged
    return entry
