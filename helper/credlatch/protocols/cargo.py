"""Cargo's credential-provider protocol (rust-lang/cargo, ``credential/cargo-credential``).

Cargo starts a provider with ``--cargo-plugin`` and speaks first when it has been greeted. Each line
is a JSON object, and each request has one answer: ``{"Ok": …}``, or ``{"Err": …}``, of which
``not-found`` and ``url-not-supported`` have cargo ask its next provider, and all others end what it
does. An exit status other than 0 undoes a good answer.

Cargo sends the token to whatever servers an index names, as the whole value of ``Authorization``.
"""

from __future__ import annotations

import time

from credlatch import quick_json
from credlatch import request as requests
from credlatch import url as urls
from credlatch.credential import Secret, check_token
from credlatch.errors import CredlatchError, RequestError
from credlatch.lines import line
from credlatch.protocols import Protocol, Question, json_object, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.resolve import Resolution

USAGE = """\
usage: credlatch --cargo-plugin

Cargo calls it, from 1.74 on. In ~/.cargo/config.toml:
  [registry]
  global-credential-providers = ["cargo:token", "credlatch"]

To see what cargo gets:
  echo '{"v":1,"registry":{"index-url":"sparse+https://cargo.example.com/index/"},"kind":"get"}' |
    credlatch cargo get
"""
HELLO = b'{"v":[1]}\n'
NOT_FOUND = b'{"Err":{"kind":"not-found"}}\n'
URL_NOT_SUPPORTED = b'{"Err":{"kind":"url-not-supported"}}\n'
OPERATION_NOT_SUPPORTED = b'{"Err":{"kind":"operation-not-supported"}}\n'
LOGGED_IN = b'{"Ok":{"kind":"login"}}\n'
LOGGED_OUT = b'{"Ok":{"kind":"logout"}}\n'
RAW = "--raw"
_WORDS = ("cargo", RAW)  # that may be configured
_SPARSE = "sparse+"  # before the URL of an index that its own server gives out; else it is git's
_GIT = "registry+"  # which may stand before a git repository's
_DROPPED = 60  # seconds before its end at which cargo drops a token (src/cargo/util/auth)
_NEAR = 2 * _DROPPED  # seconds before it at which that matters


class Call:
    """One request.

    Attributes:
        kind: ``get``, ``login``, ``logout``, or what a later cargo may ask.
        index: the URL of the registry's index, as cargo has it.
        url: where it is; None where that is no web server.
        is_git: whether it is a git repository. Its host's login is git's then, and no server that
            the index names must have it: anybody may put an index there, and Rust's public registry
            has its own on github.com.
        name: what cargo calls the registry; empty where it has no name.
        raw: whether secrets of other stores are wanted bare, without a scheme.
        token: what ``login`` is told; None: it is to ask.
        login_url: where a person finds a token; empty: nobody knows.
    """

    def __init__(self, sent: dict[str, object]) -> None:
        registry = sent.get("registry")
        if not isinstance(registry, dict):
            raise RequestError('the request has no "registry" that is an object')
        self.kind = text(sent, "kind")
        self.index = text(registry, "index-url")
        self.name = text(registry, "name", "")
        self.login_url = text(sent, "login-url", "")
        token = text(sent, "token", "")
        self.token = Secret(token) if token else None
        words = sent.get("args", [])
        if not isinstance(words, list) or any(word not in _WORDS for word in words):
            # What it is may be a token, where cargo was told one in the wrong place.
            raise RequestError(f"cargo is told to call credlatch with something else than {RAW}")
        self.raw = RAW in words
        self.is_git = not self.index.startswith(_SPARSE)
        self.url = _url(self.index.removeprefix(_GIT if self.is_git else _SPARSE))
        fetched = self.url is not None or (self.is_git and "://" in self.index)
        if not fetched or not self.index.isprintable() or len(self.index) > urls.MAX_LENGTH:
            raise UnsupportedUrlError("nobody keeps a token for what has such an index")


class UnsupportedUrlError(RequestError):
    """An index has a URL for which nobody keeps a token."""


class UnsupportedOperationError(RequestError):
    """A later cargo asks for what this protocol did not have."""


def parse(sent: bytes) -> Call:
    """A request, from a line that cargo writes.

    Raises:
        UnsupportedUrlError: there is nothing that an index is fetched from at that URL.
        RequestError: it is none.
    """
    asked = json_object(sent)
    if asked.get("v") != 1 or isinstance(asked.get("v"), bool):
        raise RequestError("the request is not in version 1 of cargo's protocol")
    return Call(asked)


def _url(text: str) -> urls.Url | None:
    try:
        url = urls.parse(text)
    except RequestError:
        return None
    return None if url.scheme == "s3" or "://" not in text else url


def render(call: Call, resolution: Resolution, now: float) -> bytes:
    """The answer to ``get``.

    What has an end is kept until then, all else as long as cargo runs. Cargo drops a token a minute
    early, and would ask for each request in a token's last one: near its end it is told a minute
    more, and asks again when other clients do.

    Raises:
        ValueError: the credential is none that a header can have.
    """
    token = _authorization(call, resolution)
    if token is None:
        return NOT_FOUND
    ends, cache = resolution.expires, '"session"'
    if ends is not None:
        late = _DROPPED if ends - now < _NEAR else 0
        cache = f'"expires","expiration":{ends + late}'
    return (
        f'{{"Ok":{{"kind":"get","token":{quick_json.quote(token)},"cache":{cache},'
        '"operation_independent":true}}\n'
    ).encode()


def _authorization(call: Call, resolution: Resolution) -> str | None:
    """The value of that header; None where the credential goes in another one."""
    credential = resolution.credential
    if call.raw:
        check_token(credential.secret)
        return credential.secret.reveal()
    headers = {name.lower(): value for name, value in credential.headers().items()}
    return headers.get("authorization")


def prompt(call: Call) -> str:
    """What to ask a person for, where ``login`` brings no token."""
    found = f", found at {call.login_url}" if call.login_url else ""
    text = f"Token for {call.name or call.index}{found}"
    return "".join(c if c.isprintable() else "?" for c in text) + ": "


def failure(error: CredlatchError) -> tuple[bytes, bytes]:
    """A failure, on standard output: cargo shows why, and asks nobody else."""
    if isinstance(error, UnsupportedUrlError):
        return URL_NOT_SUPPORTED, b""
    if isinstance(error, UnsupportedOperationError):
        return OPERATION_NOT_SUPPORTED, b""
    message = line(str(error)).decode().partition(": ")[2].rstrip("\n")
    return f'{{"Err":{{"kind":"other","message":{quick_json.quote(message)}}}}}\n'.encode(), b""


def _question(asked: bytes) -> Question:
    call = parse(asked)
    if call.kind != "get":
        raise UnsupportedOperationError("cargo asks for something else than a token")
    request = requests.for_cargo(call.index, None if call.is_git else call.url)
    return Question(request, lambda found: render(call, found, time.time()), missing=NOT_FOUND)


PROTOCOL = Protocol(_question, USAGE, failure=failure)
