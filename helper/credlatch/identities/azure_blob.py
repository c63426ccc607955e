"""Azure Blob Storage: an access token of Entra's, and the version of the protocol that knows it.

learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory.
"""

from __future__ import annotations

from credlatch.credential import Secret
from credlatch.headers import Headers
from credlatch.identities import entra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.url import Url

SCOPE = "https://storage.azure.com/.default"
VERSION = "2021-12-02"  # any from 2017-11-09 on takes access tokens
_LABELS = 5  # ACCOUNT.blob.core.windows.net


def claims(url: Url) -> bool:
    """An account's own host."""
    return (
        url.scheme == "https"
        and url.default_port
        and url.host.endswith(".blob.core.windows.net")
        and url.host.count(".") == _LABELS - 1
        and not url.host.startswith("*.")
    )


def anonymous(url: Url) -> bool:  # noqa: ARG001 - so may every account
    """A container may be public."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """One token for all accounts, where the container is not public.

    Bazel asks for a container as such, which is its cache and whose blobs it also writes.
    """
    scope = entra.scope(request.rule.audience, SCOPE)
    entry = entra.identity(caller, scope, chain=request.rule.names("azure_blob"))
    if entry is None:
        return None
    container, _, blob = url.path[1:].partition("/")
    if not blob:
        return entra.served(entry, _headers_to_write)
    return entra.unless_open(entra.served(entry, _headers), url, container)


def _headers(token: Secret) -> Credential:
    value = Secret(f"Bearer {token.reveal()}")
    return Headers({"Authorization": value, "x-ms-version": Secret(VERSION)})


def _headers_to_write(token: Secret) -> Credential:
    """Likewise, and what says the type of a blob that is written; Azure does not guess it."""
    return Headers({"x-ms-blob-type": Secret("BlockBlob")}, of=_headers(token))
