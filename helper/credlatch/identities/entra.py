"""A token of Microsoft Entra's for the identity that the environment names.

The variables are those of azure-identity's EnvironmentCredential and WorkloadIdentityCredential.
"""

from __future__ import annotations

import os
from copy import copy

from credlatch.auth import entra
from credlatch.credential import Secret
from credlatch.errors import RequestError, StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.auth.azure_challenge import Answered
    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.url import Url

_AUTHORITY = "AZURE_AUTHORITY_HOST"
_TENANT, _CLIENT = "AZURE_TENANT_ID", "AZURE_CLIENT_ID"
_CERTIFICATE = "AZURE_CLIENT_CERTIFICATE_PATH"
SDK = "Azure's SDK"
# Beside its own variables, what says where `az` is and has its login.
_ALSO = frozenset({"HOME", "PATH", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "XDG_CONFIG_HOME"})
_PRODUCTION = frozenset({"environment", "workloadidentity", "managedidentity"})


def identity(
    caller: Caller, scope: str, *, chain: bool = False, tenant: str | None = None
) -> Entry | None:
    """The entry that gets an access token; None where the caller has no identity.

    Args:
        caller: whose environment counts.
        scope: what the token is for.
        chain: whether all counts that Azure's SDK finds: programs are started, and the machine's
            metadata service is asked.
        tenant: whose token is asked of the SDK; None: that of the identity's own.

    Raises:
        StoreError: the environment names one that cannot be used.
    """
    proof = _proof(caller)
    host = authority(caller) if proof is not None or chain else ""
    if proof is None:
        return _of_sdk(caller, scope, tenant, SDK) if chain else None
    kind, where, secret = proof
    directory, client = caller.get(_TENANT) or "", caller.get(_CLIENT) or ""
    if not entra.is_tenant(directory):
        raise StoreError(f"{_TENANT} is no tenant's ID or name: set it to one")
    if kind is None:
        return _of_sdk(caller, scope, None, where)
    remedy = f"set {where} to a new one, and check {_TENANT} and {_CLIENT}"
    grant = kind(Secret(secret), host, directory, client, scope, remedy)
    return Entry(None, where, grant=grant, remedy=remedy)


def _proof(caller: Caller) -> tuple[type[entra.EntraClient] | None, str, str] | None:
    """How an application is proved, the variable of that, and the secret; None: by nothing.

    In the order of the SDK. A certificate is the SDK's to sign with.
    """
    if caller.get(_TENANT) is None or caller.get(_CLIENT) is None:
        return None
    if allowed(caller, "environment"):
        secret = caller.get("AZURE_CLIENT_SECRET")
        if secret is not None:
            return entra.EntraClient, "AZURE_CLIENT_SECRET", secret
        if caller.get(_CERTIFICATE) is not None:
            return None, _CERTIFICATE, ""
    token = _federated(caller) if allowed(caller, "workloadidentity") else None
    return None if token is None else (entra.FederatedClient, "AZURE_FEDERATED_TOKEN_FILE", token)


def _of_sdk(caller: Caller, scope: str, tenant: str | None, where: str) -> Entry:
    """What Azure's SDK gets, with all that it depends on: a login that changes is another one."""
    from credlatch.auth.azure_sdk import AzureIdentity

    certificate = where == _CERTIFICATE
    folder = caller.path("AZURE_CONFIG_DIR") or caller.in_home(".azure")
    files = [f"{folder}/azureProfile.json", caller.path(_CERTIFICATE)]
    environ = caller.environ.items()
    surroundings = [
        caller.cwd,
        *sorted(f"{name}={value}" for name, value in environ if _counts(name)),
        *(_stamp(path) for path in files if path is not None),
    ]
    remedy = f"check {_CERTIFICATE}, {_TENANT} and {_CLIENT}" if certificate else "run `az login`"
    grant = AzureIdentity(
        scope, "\0".join(surroundings), remedy, certificate=certificate, tenant=tenant
    )
    return Entry(None, where, grant=grant, remedy=remedy)


def _counts(variable: str) -> bool:
    name = variable.upper()
    return name in _ALSO or name.startswith(("AZURE_", "IDENTITY_", "IMDS_", "MSI_"))


def _stamp(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_mtime_ns} {status.st_size} {status.st_ino}"


def scope(audience: str | None, usual: str) -> str:
    """What a token is asked for: an audience that a rule says, as Entra writes a scope."""
    if audience is None:
        return usual
    return audience if audience.endswith("/.default") else f"{audience.rstrip('/')}/.default"


def unless_open(entry: Entry, url: Url, place: str) -> Entry:
    """The entry, where not everybody may read what is asked for: which is tried first.

    Args:
        entry: the identity's.
        url: what is asked for.
        place: what else the answer is the same for.
    """
    return challenged(entry, url, place, lambda _: entry)


def challenged(
    entry: Entry, url: Url, place: str, then: Callable[[Answered], Entry | None]
) -> Entry:
    """Likewise; what is served in its place, ``then`` makes of what comes back without a login."""
    from credlatch.auth.azure_challenge import Answered, AzureChallenge

    def after(fresh: Entry) -> Entry | None:
        said = fresh.credential
        answered = said if isinstance(said, Answered) else Answered()
        return None if answered.is_open else then(answered)

    asked = Entry(None, entry.location, grant=AzureChallenge(url, place), remedy=entry.remedy)
    asked.then = after
    return asked


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
        raise StoreError(
            f"AZURE_FEDERATED_TOKEN_FILE names {path}, which is empty or missing: "
            "have what runs this put a token there, or unset AZURE_FEDERATED_TOKEN_FILE"
        )
    return token
