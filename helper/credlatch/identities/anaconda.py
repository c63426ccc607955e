"""Anaconda: repo.anaconda.cloud with anaconda-auth's login, and anaconda.org's API with its token.

A private channel at conda.anaconda.org takes its token in the path, which no helper can put there.
"""

from __future__ import annotations

import sys
from binascii import a2b_base64

from credlatch import quick_json
from credlatch.caller import APPLICATION_SUPPORT
from credlatch.credential import Bearer, Secret, Token
from credlatch.errors import StoreError
from credlatch.identities.servers import value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.request import Request
    from credlatch.url import Url

_CLOUD, _API = "repo.anaconda.cloud", "api.anaconda.org"
_SERVICE = "Anaconda Cloud"  # of anaconda-auth's items, in its own file as in the keyring
_DOMAINS = ("anaconda.com", "id.anaconda.cloud", "anaconda.cloud")
_REPO = "/repo/"
# The names of the files that conda, anaconda-client and conda-token keep a token in.
_TOKEN_FILES = {
    _CLOUD: ("https%3A%2F%2Frepo.anaconda.cloud%2Frepo%2F.token",),
    _API: ("https%3A%2F%2Fapi.anaconda.org.token", "https%3A%2F%2Fapi.anaconda.org%2F.token"),
}


def claims(url: Url) -> bool:
    """Whether it is one of the two."""
    return url.scheme == "https" and url.default_port and url.host in _TOKEN_FILES


def anonymous(url: Url) -> bool:
    """Packages of anaconda.org may be public; those of the other are for customers."""
    return url.host == _API


def find(request: Request, url: Url, caller: Caller) -> Entry | None:  # noqa: ARG001 - one login
    """The variable's key, else anaconda-auth's login, else a token's file."""
    if not claims(url):
        return None
    names = ("BINSTAR_API_TOKEN", "ANACONDA_API_TOKEN")
    key, name = value(caller, *(["ANACONDA_AUTH_API_KEY"] if url.host == _CLOUD else names))
    if key:
        credential = Bearer(Secret(key)) if url.host == _CLOUD else _token(key)
        return Entry(credential, f"the variable {name}", remedy="set a fresh one")
    found = _of_login(url, caller) if url.host == _CLOUD else None
    return found or _of_files(url, caller)


def _of_login(url: Url, caller: Caller) -> Entry | None:
    """anaconda-auth's login: its API key, else the organization's token, else the first one."""
    path = caller.path("ANACONDA_AUTH_KEYRING_PATH") or caller.in_home(".anaconda", "keyring")
    items, location = caller.document(path, _items) or {}, path
    keyring = None if any(each in items for each in _DOMAINS) else caller.keyring()
    if keyring is not None:
        kept = {each: keyring.get(_SERVICE, each) for each in _DOMAINS}
        items = {each: secret.reveal() for each, secret in kept.items() if secret is not None}
        location = f"the keyring (service {_SERVICE})"
    text = next((items[each] for each in _DOMAINS if each in items), None)
    credential = None if text is None else _of_item(text, url)
    return None if credential is None else Entry(credential, location, remedy="anaconda login")


def _of_item(text: str, url: Url) -> Credential | None:
    try:
        said = quick_json.loads(a2b_base64(text).decode())
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise StoreError("anaconda-auth's login is damaged: anaconda login")
    key = said.get("api_key")
    if isinstance(key, str) and key:
        return Bearer(Secret(key))
    tokens = said.get("repo_tokens")
    known = [each for each in tokens if isinstance(each, dict)] if isinstance(tokens, list) else []
    organization = url.path.removeprefix(_REPO).partition("/")[0]
    known.sort(key=lambda each: each.get("org_name") != organization)
    token = known[0].get("token") if known else None
    return _token(token) if isinstance(token, str) and token else None


def _items(text: str, path: str) -> dict[str, str]:
    """What anaconda-auth's own file has, by domain."""
    try:
        said = quick_json.loads(text) if text.strip() else {}
    except ValueError:
        said = None
    items = said.get(_SERVICE, {}) if isinstance(said, dict) else None
    if not isinstance(items, dict):
        raise StoreError(f"{path} is not what anaconda-auth writes: anaconda login")
    return {domain: item for domain, item in items.items() if isinstance(item, str)}


def _of_files(url: Url, caller: Caller) -> Entry | None:
    for folder in _folders(caller):
        for name in _TOKEN_FILES[url.host]:
            token = (caller.document(f"{folder}/{name}", _whole) or "").strip()
            if token:
                return Entry(_token(token), f"{folder}/{name}", remedy="anaconda login")
    return None


def _folders(caller: Caller) -> Iterator[str]:
    """Where conda looks, and older versions of it, and anaconda-client."""
    named = caller.path("BINSTAR_CONFIG_DIR")
    if named is not None:
        yield f"{named}/data"
        return
    if sys.platform == "darwin":
        yield caller.in_home(APPLICATION_SUPPORT, "binstar")
    else:
        yield caller.config("binstar")
        yield caller.data("binstar")
    yield caller.in_home(".continuum", "anaconda-client", "tokens")


def _whole(text: str, path: str) -> str:  # noqa: ARG001 - as Caller.document calls it
    return text


def _token(token: str) -> Token:
    return Token(Secret(token), "Authorization", "token")
