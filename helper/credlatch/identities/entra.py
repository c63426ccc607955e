"""A token of Microsoft Entra's for the identity that the environment names.

The variables are those of azure-identity's EnvironmentCredential and WorkloadIdentityCredential.
"""

from __future__ import annotations

from copy import copy

from credlatch.auth import entra
from credlatch.credential import Secret
from credlatch.errors import RequestError, StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.credential import Credential

_AUTHORITY = "AZURE_AUTHORITY_HOST"
_PRODUCTION = frozenset({"environment", "workloadidentity", "managedidentity"})


def identity(caller: Caller, scope: str) -> Entry | None:
    """The entry that gets an access token; None where the environment names no identity.

    Args:
        caller: whose environment counts.
        scope: what the token is for.

    Raises:
        StoreError: it names one that cannot be used.
    """
    tenant, client = caller.get("AZURE_TENANT_ID"), caller.get("AZURE_CLIENT_ID")
    if tenant is None or client is None:
        return None
    secret = caller.get("AZURE_CLIENT_SECRET") if allowed(caller, "environment") else None
    kind, where = entra.EntraClient, "AZURE_CLIENT_SECRET"
    if secret is None and allowed(caller, "workloadidentity"):
        kind, where = entra.FederatedClient, "AZURE_FEDERATED_TOKEN_FILE"
        secret = _federated(caller)
    if secret is None:
        return None
    if not entra.is_tenant(tenant):
        raise StoreError("AZURE_TENANT_ID is no tenant's ID or name: set it to one")
    remedy = f"set {where} to a new one, and check AZURE_TENANT_ID and AZURE_CLIENT_ID"
    grant = kind(Secret(secret), authority(caller), tenant, client, scope, remedy)
    return Entry(None, where, grant=grant, remedy=remedy)


def served(entry: Entry, make: Callable[[Secret], Credential]) -> Entry:
    """The entry, whose access token is served as what is made of it."""

    def then(fresh: Entry) -> Entry:
        made = copy(fresh)
        made.credential = make(token(fresh))
        made.grant = made.then = None
        return made

    entry.then = then
    return entry


def token(fresh: Entry) -> Secret:
    """The access token of an entry that has been got."""
    return Secret("") if fresh.credential is None else fresh.credential.secret


def allowed(caller: Caller, name: str) -> bool:
    """Whether AZURE_TOKEN_CREDENTIALS, which narrows azure-identity's chain, leaves one in it."""
    narrowed = (caller.get("AZURE_TOKEN_CREDENTIALS") or name).strip().lower()
    if narrowed in {"prod", "dev"}:
        return (name in _PRODUCTION) is (narrowed == "prod")
    return narrowed.removesuffix("credential") == name


def authority(caller: Caller) -> str:
    """The host that an identity is proved to.

    Raises:
        StoreError: the environment names one that is none of Microsoft's.
    """
    from credlatch import url as urls

    named = caller.get(_AUTHORITY)
    if named is None:
        return entra.PUBLIC
    try:
        server = urls.parse(named.strip())
    except RequestError:
        server = None
    if (
        server is None
        or server.scheme != "https"
        or not server.default_port
        or server.host not in entra.AUTHORITIES
    ):
        raise StoreError(
            f"{_AUTHORITY} is none of Microsoft's authorities, and the identity is not sent there: "
            f"set it to https://{entra.PUBLIC}/, or to that of your cloud"
        )
    return server.host


def _federated(caller: Caller) -> str | None:
    path = caller.path("AZURE_FEDERATED_TOKEN_FILE")
    if path is None:
        return None
    from credlatch.system import files

    token = (files.read(path, named=caller.named(path)) or "").strip()
    if not token:
        raise StoreError(f"AZURE_FEDERATED_TOKEN_FILE names {path}, which is empty or missing")
    return token
