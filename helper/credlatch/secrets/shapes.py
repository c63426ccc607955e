"""A credential in the form that a tool reads: text that is a secret itself."""

from __future__ import annotations

import json
from base64 import b64encode
from shlex import quote as for_shell
from urllib.parse import quote

from credlatch import registry
from credlatch.credential import IDENTITY_TOKEN_USER, Basic, Bearer, Secret, Token, git_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.credential import Credential
    from credlatch.url import Url

    Shape = Callable[[Credential, Url], str]

AUTHORIZATION = "authorization"
GIT = "git"
UV = "uv.env"
# How a token travels that rattler calls a conda token: to quetz, and to Anaconda.
_CONDA = (("X-API-Key", ""), ("Authorization", "token"))
_NETRC_PLAIN = frozenset(map(chr, range(0x21, 0x7F))) - set("\"\\'#")
# What npm's reader of .npmrc leaves as it is: no comment, quote, escape or variable.
_NPMRC_PLAIN = frozenset(map(chr, range(0x21, 0x7F))) - set("\"\\';#$`")


def _login(credential: Credential, url: Url) -> tuple[str, str]:
    """User name and password, where a registry's token server is not meant."""
    username, secret = credential.login(url.host)
    if username == IDENTITY_TOKEN_USER:
        raise ValueError("it is an identity token, which only the registry's token server takes")
    return username, secret.reveal()


def _password(credential: Credential, url: Url) -> str:
    return _login(credential, url)[1]


def _user(credential: Credential, url: Url) -> str:
    return _login(credential, url)[0]


def _header(credential: Credential, _: Url) -> str:
    """As ``curl -H @file`` reads it."""
    return "\n".join(f"{name}: {value}" for name, value in credential.headers().items())


def _authorization(credential: Credential, _: Url) -> str:
    headers = credential.headers()
    if [name.lower() for name in headers] != ["authorization"]:
        raise ValueError(f"it travels as {', '.join(headers)}, and not as Authorization")
    return next(iter(headers.values()))


def _git(credential: Credential, url: Url) -> str:
    """As BuildKit gives it to git: servers take tokens as a password."""
    username, secret = credential.login(url.host)
    if not credential.names_user:
        username = url.username or git_user(url.host)
    return _authorization(Basic(username, secret), url)


def _url(credential: Credential, url: Url) -> str:
    """The URL with the login in it (RFC 3986, 3.2.1)."""
    username, password = (quote(part, safe="") for part in _login(credential, url))
    return f"{url.scheme}://{username}:{password}@{url.text.partition('://')[2]}"


def _netrc(credential: Credential, url: Url) -> str:
    username, password = map(_netrc_word, _login(credential, url))
    return f"machine {url.host}\nlogin {username}\npassword {password}\n"


def _netrc_word(text: str) -> str:
    if text and _NETRC_PLAIN.issuperset(text):
        return text
    # curl and Python read such a word in quotes; nobody reads a line break in one.
    if not text.isprintable():
        raise ValueError("its login has a character that netrc cannot hold")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pip_conf(credential: Credential, url: Url) -> str:
    return f"[global]\nindex-url = {_url(credential, url)}\n"


def _uv(credential: Credential, url: Url) -> str:
    return f"export UV_DEFAULT_INDEX={for_shell(_url(credential, url))}\n"


def _uv_index(name: str, credential: Credential, url: Url) -> str:
    """For an index that the project names: uv puts ``_`` for what no variable's name has."""
    username, password = map(_shell_word, _login(credential, url))
    variable = "UV_INDEX_" + name.upper().replace("-", "_").replace(".", "_")
    return f"export {variable}_USERNAME={username}\nexport {variable}_PASSWORD={password}\n"


def _shell_word(text: str) -> str:
    if "\0" in text:
        raise ValueError("its login has a NUL, which no variable can hold")
    return for_shell(text)


def _npmrc(credential: Credential, url: Url) -> str:
    place = f"//{url.netloc}{url.path.rstrip('/')}/"
    if isinstance(credential, Bearer):
        key, value = "_authToken", credential.secret.reveal()
    else:
        username, password = _login(credential, url)
        key, value = "_auth", b64encode(f"{username}:{password}".encode()).decode()
    # The first "=" ends the key.
    if "=" in place or not _NPMRC_PLAIN.issuperset(place + value):
        raise ValueError("it has a character that .npmrc cannot hold")
    return f"{place}:{key}={value}\n"


def _docker_config(credential: Credential, url: Url) -> str:
    username, secret = credential.login(url.host)
    if ":" in username:
        raise ValueError("its user name has a colon, which ends the name in config.json")
    pair = f"{username}:{secret.reveal()}"
    entry = {"auth": b64encode(pair.encode()).decode()}
    if username == IDENTITY_TOKEN_USER:
        entry = {
            "auth": b64encode(f"{username}:".encode()).decode(),
            "identitytoken": secret.reveal(),
        }
    return json.dumps({"auths": {registry.spellings(url)[0]: entry}}) + "\n"


def _rattler(credential: Credential, url: Url) -> str:
    """As rattler writes it; of an OAuth login the access token alone."""
    secret = credential.secret.reveal()
    entry: dict[str, object]
    if isinstance(credential, Basic):
        entry = {"BasicHTTP": {"username": credential.username, "password": secret}}
    elif isinstance(credential, Bearer):
        entry = {"BearerToken": secret}
    elif isinstance(credential, Token) and (credential.header, credential.scheme) in _CONDA:
        entry = {"CondaToken": secret}
    else:
        raise ValueError("rattler's file has no form for it")
    return json.dumps({url.host: entry}) + "\n"


SHAPES: dict[str, Shape] = {
    "token": _password,
    "password": _password,
    "user": _user,
    "header": _header,
    AUTHORIZATION: _authorization,
    "url": _url,
    "netrc": _netrc,
    "pip.conf": _pip_conf,
    UV: _uv,
    ".npmrc": _npmrc,
    "config.json": _docker_config,
    "credentials.json": _rattler,
}


def needs_login(shape: str) -> bool:
    """Whether a shape is made of a user name and password, and not of headers."""
    return shape not in {"header", AUTHORIZATION}


def made(shape: str, credential: Credential, url: Url, index: str = "") -> Secret:
    """A credential in a shape.

    Raises:
        ValueError: it cannot have that shape; the text says why, without it.
    """
    if index:
        return Secret(_uv_index(index, credential, url))
    return Secret((_git if shape == GIT else SHAPES[shape])(credential, url))
