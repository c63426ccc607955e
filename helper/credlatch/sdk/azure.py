"""Azure's chain of identities, as azure-identity resolves it: certificates, metadata, ``az``.

https://aka.ms/azsdk/python/identity/credential-chains
"""

from __future__ import annotations

import logging
import os
import re
import ssl

import truststore
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    CertificateCredential,
    CredentialUnavailableError,
    DefaultAzureCredential,
)
from requests.adapters import HTTPAdapter

from credlatch.sdk import ABSENT, LOGIN, PERMISSION, TRANSIENT, SdkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.caller import Caller

_METADATA = 1.0  # seconds, of a machine's metadata service
_ENTRA = 4.0  # seconds, of Entra
_PROGRAM = 6  # seconds, of `az` and others like it
_BUSY = frozenset({50196, 90033, 90055, 90090, 700002})  # numbers of Entra's that pass


def answer(asked: dict[str, Any], _: Caller) -> dict[str, object]:
    """An access token.

    Args:
        asked: ``scope``; ``tenant``, or None; ``certificate``: whether it is proved by the
            certificate that the environment names, and by nothing else.
    """
    # Somebody else's project may be in the working directory: no `az` is started from there.
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(filter(os.path.isabs, folders))
    os.environ["NoDefaultCurrentDirectoryInExePath"] = "1"  # noqa: SIM112 - Windows' name
    logging.disable()  # what it writes is for its own users, and names their accounts
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        if not os.environ[name].strip():
            del os.environ[name]  # blank is unset, as CI's templates leave it
    try:
        credential = _certificate() if asked.get("certificate") else _chain()
        token = credential.get_token(asked["scope"], tenant_id=asked.get("tenant"))
    except (AzureError, ValueError, OSError) as error:
        raise _explained(error) from None
    return {"token": token.token, "expires": int(token.expires_on)}


def _certificate() -> CertificateCredential:
    return CertificateCredential(
        tenant_id=os.environ["AZURE_TENANT_ID"],
        client_id=os.environ["AZURE_CLIENT_ID"],
        certificate_path=os.environ["AZURE_CLIENT_CERTIFICATE_PATH"],
        password=os.environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        send_certificate_chain=bool(os.environ.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")),
        transport=_Transport(connection_timeout=_ENTRA, read_timeout=_ENTRA),
        retry_total=1,
    )


def _chain() -> DefaultAzureCredential:
    """What AZURE_TOKEN_CREDENTIALS leaves of it, every wait short."""
    return DefaultAzureCredential(
        process_timeout=_PROGRAM,
        transport=_Transport(connection_timeout=_METADATA, read_timeout=_METADATA),
        retry_total=0,
    )


class _Transport(RequestsTransport):  # type: ignore[misc] # its package has no types
    """The system's trust store, and not a list that comes with requests."""

    def _init_session(self, session: Any) -> None:
        super()._init_session(session)
        session.mount("https://", _Adapter(max_retries=0))


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> Any:
        return super().init_poolmanager(*args, ssl_context=_context(), **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=_context(), **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 - all is in the context
        conn.cert_reqs = "CERT_REQUIRED"


def _context() -> ssl.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _explained(error: Exception) -> SdkError:
    """What went wrong, and what helps; of what Entra says, its number alone."""
    said = str(error)
    number = re.search(r"AADSTS(\d{5,8})\b", said)
    if number is not None:
        kind = TRANSIENT if int(number[1]) in _BUSY else PERMISSION
        if "az login" in said:
            ended = f"the login of `az` has ended (AADSTS{number[1]})"
            return SdkError(LOGIN, f"{ended}: run `az login`")
        return SdkError(
            kind,
            f"Entra refuses the identity (AADSTS{number[1]}): see "
            f"https://login.microsoftonline.com/error?code={number[1]}, and AZURE_TENANT_ID",
        )
    match error:
        case CredentialUnavailableError() | ClientAuthenticationError() if "az login" in said:
            return SdkError(LOGIN, "`az` has no login: run `az login`")
        case ServiceRequestError():
            return SdkError(TRANSIENT, "Entra was not reached: check the network")
        case CredentialUnavailableError() | ClientAuthenticationError():
            return SdkError(
                ABSENT,
                "Azure's SDK has found no identity: run `az login`, or see AZURE_TOKEN_CREDENTIALS",
            )
        case ValueError() | OSError():
            return SdkError(
                ABSENT,
                "the identity that the environment names cannot be used: see AZURE_TENANT_ID, "
                "AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_TOKEN_CREDENTIALS",
            )
    return SdkError(TRANSIENT, f"Azure gave no token ({type(error).__name__}): try again")
