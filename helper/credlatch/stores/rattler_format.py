"""What rattler writes for one host, in its file and in the keyring alike.

The variants are those of rattler's ``Authentication``; see ``rattler_networking`` upstream.
"""

from __future__ import annotations

from credlatch import clock, jwt, registry
from credlatch.credential import AccessKey, Basic, Bearer, Credential, Secret, Token
from credlatch.errors import StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.auth import TokenResponse

# Hosts that take conda tokens as `Authorization: token` (anaconda's conda-auth). Others that have
# such tokens are quetz servers, which take them as `X-API-Key`.
_ANACONDA = ("anaconda.org", "anaconda.com", "anaconda.cloud")

_NEVER = 2**63


def read(value: object, key: str, location: str, host: str) -> Entry:
    """The entry that a stored value makes for a request to ``host``.

    Raises:
        StoreError: it is of a kind, or a shape, that rattler 0.28 does not write.
    """
    if isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        reader = _READERS.get(kind)
        if reader is not None:
            entry = reader(content, key, location, host)
            if entry is not None:
                entry.remedy = remedy(key)
                return entry
        else:
            raise StoreError(
                f"the entry {key!r} in {location} is of a kind that credlatch does not know "
                f"({str(kind)[:40]!r}): update credlatch, or {remedy(key)}"
            )
    raise StoreError(f"the entry {key!r} in {location} is damaged: {remedy(key)}")


def _bearer(content: Any, _key: str, location: str, _host: str) -> Entry | None:
    return Entry(Bearer(Secret(content)), location) if isinstance(content, str) else None


def _basic(content: Any, _key: str, location: str, _host: str) -> Entry | None:
    login = _strings(content, "username", "password")
    return Entry(Basic(login[0], Secret(login[1])), location) if login else None


def _conda(content: Any, key: str, location: str, host: str) -> Entry | None:
    if not isinstance(content, str):
        return None
    if key.startswith(registry.CARGO):
        # A whole header's value, which cargo was told.
        return Entry(
            Token(Secret(content)), location, expires=jwt.expiry(content.rpartition(" ")[2])
        )
    return Entry(conda(Secret(content), host), location)


def _s3(content: Any, _key: str, location: str, _host: str) -> Entry | None:
    key = _strings(content, "access_key_id", "secret_access_key")
    token = None if key is None else content.get("session_token")
    if not key or not (token is None or isinstance(token, str)):
        return None
    return Entry(AccessKey(key[0], Secret(key[1]), Secret(token) if token else None), location)


def _oauth(content: Any, key: str, location: str, _host: str) -> Entry | None:
    access = _strings(content, "access_token", "token_endpoint", "client_id")
    if not access:
        return None
    token, endpoint, client = access
    refresh, audience = content.get("refresh_token"), content.get("audience")
    if not (audience is None or isinstance(audience, str)):
        return None  # a token for whomever else would be put in the place of this one
    grant = None
    if isinstance(refresh, str) and refresh:
        from credlatch.auth.oauth import OAuthRefresh

        grant = OAuthRefresh(Secret(refresh), endpoint, client, remedy(key), audience)
    expires = _end(content.get("expires_at"))
    entry = Entry(Bearer(Secret(token)), location, expires=expires, grant=grant)
    # Rattler's rule: without `expires_at` a token is never renewed, whatever it says of itself.
    entry.expires = expires
    return entry


def _end(value: object) -> int | None:
    """When a token ends; None: never. Rattler keeps 64 bits of whole seconds, or null.

    What is neither says nothing that could be relied on, and counts as the past: then the token is
    renewed, and its end written anew.
    """
    if value is None or (isinstance(value, int) and clock.LATEST < value < _NEVER):
        return None
    return clock.moment(value) or 0


def remedy(key: str) -> str:
    """What a person does to have a new login under a key."""
    if key.startswith(registry.CARGO):
        return "cargo logout, and cargo login again"
    named = f"'{key}'" if "*" in key else key
    return f"log in again: credlatch login {named}"


def is_anaconda(host: str) -> bool:
    """Whether a host is one of Anaconda's, all of which take conda tokens."""
    return any(host == name or host.endswith(f".{name}") for name in _ANACONDA)


def conda(token: Secret, host: str) -> Token:
    """A conda token, in the header in which a host takes it."""
    header = ("Authorization", "token") if is_anaconda(host) else ("X-API-Key", "")
    return Token(token, *header)


def is_login(value: object) -> bool:
    """Whether a stored value is a user name and password."""
    return isinstance(value, dict) and "BasicHTTP" in value


def kind(value: object) -> str:
    """Of which kind a stored value is, in words for a person; empty: of none that is known."""
    return _KINDS.get(next(iter(value)), "") if isinstance(value, dict) and value else ""


def is_s3(value: object) -> bool:
    """Whether a stored value is a key for a bucket."""
    return isinstance(value, dict) and "S3Credentials" in value


_KINDS = {
    "BearerToken": "token",
    "BasicHTTP": "password",
    "CondaToken": "conda token",
    "S3Credentials": "S3 key",
    "OAuth": "OAuth",
}
_READERS = {
    "BearerToken": _bearer,
    "BasicHTTP": _basic,
    "CondaToken": _conda,
    "S3Credentials": _s3,
    "OAuth": _oauth,
}


def _strings(content: object, *names: str) -> list[str] | None:
    if not isinstance(content, dict):
        return None
    found = [content.get(name) for name in names]
    strings = [value for value in found if isinstance(value, str)]
    return strings if len(strings) == len(names) else None


def renewed(value: object, sent: Secret, fresh: TokenResponse) -> dict[str, Any] | None:
    """An ``OAuth`` value with the fresh token in it, every other field kept.

    None when it no longer holds the refresh token that was ``sent``: somebody has logged in or out
    meanwhile, and what they left counts.
    """
    content = value.get("OAuth") if isinstance(value, dict) else None
    if not isinstance(content, dict) or content.get("refresh_token") != sent.reveal():
        return None
    content = dict(content)
    content["access_token"] = fresh.token.reveal()
    if fresh.refresh_token is not None:
        content["refresh_token"] = fresh.refresh_token.reveal()
    content["expires_at"] = fresh.expires
    return {"OAuth": content}


def stored(credential: Credential) -> dict[str, Any]:
    """What rattler writes for a login, a key or a bearer token; and for a token cargo was told."""
    secret = credential.secret.reveal()
    if isinstance(credential, Bearer):
        return {"BearerToken": secret}
    if isinstance(credential, Token):  # a conda token: its header is what its server wants
        return {"CondaToken": secret}
    if isinstance(credential, AccessKey):
        token = None if credential.token is None else credential.token.reveal()
        key = {"access_key_id": credential.id, "secret_access_key": secret, "session_token": token}
        return {"S3Credentials": key}
    if not isinstance(credential, Basic):
        raise TypeError("only logins, keys and tokens are stored")
    return {"BasicHTTP": {"username": credential.username, "password": secret}}


def oauth(
    fresh: TokenResponse,
    token_endpoint: str,
    revocation_endpoint: str | None,
    client_id: str,
    audience: str | None,
) -> dict[str, Any]:
    """What rattler writes for a login by OAuth, which is renewed at its token endpoint."""
    refresh = None if fresh.refresh_token is None else fresh.refresh_token.reveal()
    content = {
        "access_token": fresh.token.reveal(),
        "refresh_token": refresh,
        "expires_at": fresh.expires,
        "token_endpoint": token_endpoint,
        "revocation_endpoint": revocation_endpoint,
        "client_id": client_id,
    }
    if audience is not None:
        content["audience"] = audience
    return {"OAuth": content}


def dumped(value: dict[str, Any]) -> bytes:
    """As rattler writes it: compact, and in UTF-8 where that can hold the text.

    Raises:
        StoreError: an entry that is not ours holds a number that JSON cannot write back.
    """
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
    except ValueError:
        raise StoreError(
            "rattler's store holds a number that is too large to be kept: nothing was written"
        ) from None
