"""The credential-helper protocol of Docker (docker/docker-credential-helpers).

Errors go to standard output, and three of their texts are part of the protocol: clients compare
them as a whole.
"""

from __future__ import annotations

from credlatch import __version__, quick_json, registry
from credlatch.credential import Basic, Secret
from credlatch.errors import RequestError
from credlatch.lines import line, unmarked
from credlatch.protocols import NEAR, Protocol, Question
from credlatch.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.errors import CredlatchError
    from credlatch.resolve import Resolution

NOT_FOUND = "credentials not found in native keychain"
NO_SERVER_URL = "no credentials server URL"
NO_USERNAME = "no credentials username"
WIRE_TEXTS = frozenset((NOT_FOUND, NO_SERVER_URL, NO_USERNAME))

ACTIONS = ("get", "store", "erase", "list", "version")
_FIELDS = ("ServerURL", "Username", "Secret")
USAGE = "Usage: docker-credential-credlatch <store|get|erase|list|version>"


def parse_key(stdin: bytes) -> str:
    """The key that ``get`` and ``erase`` are about.

    Raises:
        RequestError: there is none.
    """
    try:
        key = unmarked(stdin).decode().strip()
    except UnicodeDecodeError:
        raise RequestError("the server URL is not UTF-8") from None
    if not key:
        raise RequestError(NO_SERVER_URL)
    return key


def parse_get(stdin: bytes) -> Request:
    """A request for the login of a registry.

    Raises:
        RequestError: no key was sent.
    """
    key = parse_key(stdin)
    url = registry.parse(key)
    keys = [key]
    if url is not None:
        # Of a registry's names the one that was asked for comes first, then its usual one.
        keys += [*registry.below(url), url.netloc, *registry.spellings(url)]
    return Request(url, tuple(dict.fromkeys(keys)), key_first=True, login=True, registry=True)


def parse_store(stdin: bytes) -> tuple[str, Basic]:
    """The key and the login that ``store`` is to keep.

    Raises:
        RequestError: it is no JSON object with ``ServerURL``, ``Username`` and ``Secret``.
    """
    from credlatch import go_json

    try:
        sent = go_json.fields(go_json.loads(unmarked(stdin).decode()), *map(str.lower, _FIELDS))
    except UnicodeDecodeError:
        raise RequestError("the credential is not UTF-8") from None
    except ValueError as error:
        raise RequestError(f"the credential is not JSON: {error}") from None
    if sent is None:
        raise RequestError("the credential is not a JSON object")
    key, username, secret = (_field(sent, name) for name in _FIELDS)
    if not key.strip():
        raise RequestError(NO_SERVER_URL)
    if not username:
        raise RequestError(NO_USERNAME)
    return key.strip(), Basic(username, Secret(secret))


def _field(sent: dict[str, object], name: str) -> str:
    value = sent.get(name.lower(), "")
    if not isinstance(value, str):
        raise RequestError(f'the credential\'s "{name}" is not a string')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RequestError(f'the credential\'s "{name}" is not Unicode text') from None
    return value


def render_get(key: str, resolution: Resolution) -> bytes:
    """The login, under the key that was asked for."""
    host = resolution.url.host if resolution.url is not None else ""
    username, secret = resolution.credential.login(host)
    quote = quick_json.quote
    return (
        f'{{"ServerURL":{quote(key)},"Username":{quote(username)},'
        f'"Secret":{quote(secret.reveal())}}}\n'
    ).encode()


def render_list(usernames: dict[str, str]) -> bytes:
    """Keys and user names."""
    quote = quick_json.quote
    pairs = ",".join(f"{quote(key)}:{quote(name)}" for key, name in sorted(usernames.items()))
    return f"{{{pairs}}}\n".encode()


def render_version() -> bytes:
    """Name, package and version, as the reference helpers say it."""
    return f"docker-credential-credlatch (credlatch) v{__version__}\n".encode()


def _question(stdin: bytes) -> Question:
    request = parse_get(stdin)
    key = request.keys[0]
    nothing = f"{NOT_FOUND}\n".encode()
    return Question(
        request, lambda found: render_get(key, found), status=1, missing=nothing, told=NEAR
    )


def _failure(error: CredlatchError) -> tuple[bytes, bytes]:
    # The three wire texts stand alone; everything else says who speaks.
    text = str(error)
    return f"{text}\n".encode() if text in WIRE_TEXTS else line(text), b""


PROTOCOL = Protocol(_question, failure=_failure)
