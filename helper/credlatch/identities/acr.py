"""Azure Container Registry: an Entra identity's access token is exchanged for the registry's own.

Docker's clients get the registry's refresh token as the password of a user without a name; a URL of
a repository gets an access token for that repository.
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
    """The registry's token for a login, or for the repository that the URL is of."""
    if not claims(url):
        return None
    audience = request.rule.audience or SCOPE
    entry = entra.identity(caller, audience, chain=request.rule.names("acr"))
    if entry is None:
        return None
    scope = None if request.login else _scope(url.path)
    tenant, host = caller.get("AZURE_TENANT_ID"), url.host
    remedy = f"check that the identity may pull from {host} (role AcrPull)"

    def exchanged(fresh: Entry) -> Entry:
        from credlatch.auth.acr import AcrExchange

        grant = AcrExchange(entra.token(fresh), host, tenant, remedy)
        made = Entry(None, fresh.location, grant=grant, remedy=remedy)
        made.then = None if scope is None else narrowed
        return made

    def narrowed(fresh: Entry) -> Entry:
        from credlatch.auth.acr import AcrRefresh

        grant = AcrRefresh(entra.token(fresh), host, scope or "", remedy)
        return Entry(None, fresh.location, grant=grant, remedy=remedy)

    entry.then = exchanged
    return entry


def _scope(path: str) -> str | None:
    """The scope in which a URL's repository is pulled from; None: it is of none."""
    parts = path.split("/")
    if parts[:2] != ["", "v2"]:
        return None
    kinds = {"blobs", "manifests", "referrers", "tags"}
    at = max((at for at, part in enumerate(parts) if part in kinds), default=0)
    return f"repository:{'/'.join(parts[2:at])}:pull" if at > 2 else None  # noqa: PLR2004 - its name
