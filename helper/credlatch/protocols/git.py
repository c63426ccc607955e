"""The protocol of git's credential helpers (git-credential(1), gitcredentials(7)).

Attributes, one on a line, end with an empty line or with the input. What a helper does not know, it
passes over. Git 2.46 and newer announce ``authtype`` (a token may be given to be sent as it is) and
``state`` (what a helper says with ``get``, git tells it again with ``store`` and ``erase``); older
ones know user names and passwords.
"""

from __future__ import annotations

from credlatch import jwt
from credlatch import request as requests
from credlatch import url as urls
from credlatch.credential import Bearer, Secret, git_user
from credlatch.errors import RequestError, StoreError
from credlatch.lines import unmarked
from credlatch.protocols import NEAR, Protocol, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.resolve import Resolution

CAPABILITIES = b"version 0\ncapability authtype\ncapability state\n"
MAX_LINE = 65_535  # bytes, with the newline
_OURS = "credlatch:given"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_TRUE = frozenset(("true", "yes", "on", "1"))


class Description:
    """What git says of a credential: which one it wants, or what became of it.

    Attributes:
        url: where it is for, with the user name; None for what is no web server's.
        username: whose; None: anybody's. It may be empty.
        password: the password that git has; None: it has none.
        token: what git has in place of one, to be sent as it is; None: nothing.
        ends: whether it, or git, says that the password is good for a while only.
        given: whether git has it from us.
        capabilities: what git understands.
        schemes: the schemes that the server offers, in lower case, as far as git says so.
    """

    def __init__(self, one: dict[str, bytes], many: dict[str, list[str]]) -> None:
        self.username = _text(one, "username")
        password, token = _text(one, "password"), _text(one, "credential")
        self.password = None if password is None else Secret(password)
        self.token = None if token is None else Secret(token)
        self.capabilities = frozenset(many.get("capability[]", ()))
        self.schemes = frozenset(
            scheme for offer in many.get("wwwauth[]", ()) for scheme in _schemes(offer)
        )
        self.given = _OURS in many.get("state[]", ())
        self.ends = (
            "password_expiry_utc" in one
            or "oauth_refresh_token" in one
            or (_text(one, "ephemeral") or "").lower() in _TRUE
            or (password is not None and jwt.expiry(password) is not None)
        )
        self.url = _url(one)
        if self.url is not None:
            self.url.username = self.username or None


def parse(stdin: bytes) -> Description:
    """A description, from what git writes.

    Raises:
        RequestError: it is none.
    """
    one: dict[str, bytes] = {}
    many: dict[str, list[str]] = {}
    for line in unmarked(stdin).split(b"\n"):
        # As git itself reads: lines may come from a text file of Windows.
        name, equals, value = line.removesuffix(b"\r").partition(b"=")
        if not name and not equals:
            break
        if not equals:
            raise RequestError("git's description has a line without '='")
        key = name.decode(errors="replace")
        if not key.endswith("[]"):
            one[key] = value
        elif value:
            many.setdefault(key, []).append(value.decode(errors="replace"))
        else:
            many.pop(key, None)  # an empty one begins the list anew
    return Description(one, many)


def _text(one: dict[str, bytes], name: str) -> str | None:
    value = one.get(name)
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        raise RequestError(f"git's description has a {name} that is not UTF-8") from None


def _url(one: dict[str, bytes]) -> urls.Url | None:
    scheme = _text(one, "protocol")
    if scheme is None:
        raise RequestError("git's description has no protocol")
    if scheme not in {"https", "http"}:
        return None
    host = _text(one, "host")
    # Git has taken the URL apart, and decoded what stood there in percent signs.
    if not host or set(host) & set("/?#@"):
        raise RequestError("git's description has no host, or one with characters that no host has")
    path = "".join(chr(c) if c in _PLAIN else f"%{c:02X}" for c in one.get("path", b""))
    return urls.parse(f"{scheme}://{host}/{path}")


def _schemes(offer: str) -> list[str]:
    """The schemes of a ``WWW-Authenticate`` (RFC 9110, 11.6.1), in lower case."""
    words = [part.split()[0] for part in offer.split(",") if part.strip()]
    return [word.lower() for word in words if "=" not in word]


def render(asked: Description, resolution: Resolution) -> bytes:
    """The answer to ``get``.

    Raises:
        StoreError: the credential has what no line can hold.
    """
    lines = []
    by_header = _header_is_better(asked, resolution)
    if by_header:
        lines.append(("capability[]", "authtype"))
    if "state" in asked.capabilities:
        lines += [("capability[]", "state"), ("state[]", _OURS)]
    if by_header:
        token = resolution.credential.secret.reveal()
        lines += [("authtype", "Bearer"), ("credential", token), ("ephemeral", "1")]
    else:
        username, password = _login(asked, resolution)
        lines += [("username", username), ("password", password.reveal())]
    if resolution.expires is not None:
        lines.append(("password_expiry_utc", str(resolution.expires)))
    return b"".join(_line(name, value, resolution.location) for name, value in lines)


def _header_is_better(asked: Description, resolution: Resolution) -> bool:
    """Whether a token is to go as ``Bearer``, which git can send and the server wants.

    Where a server takes Basic, that is how it takes tokens from git: GitHub and GitLab take no
    other.
    """
    return (
        isinstance(resolution.credential, Bearer)
        and "authtype" in asked.capabilities
        and "bearer" in asked.schemes
        and "basic" not in asked.schemes
    )


def _login(asked: Description, resolution: Resolution) -> tuple[str, Secret]:
    credential = resolution.credential
    host = "" if asked.url is None else asked.url.host
    username, password = credential.login(host)
    if credential.names_user:
        return username, password
    return asked.username or git_user(host), password


def _line(name: str, value: str, location: str) -> bytes:
    line = f"{name}={value}\n".encode()
    if set(value) & set("\n\r\0"):
        raise StoreError(
            f"the credential from {location} cannot be given to git: its {name} has a line break "
            "or a NUL"
        )
    if len(line) > MAX_LINE:
        raise StoreError(
            f"the credential from {location} cannot be given to git: its {name} makes a line of "
            f"{len(line)} bytes, and {MAX_LINE} is the most"
        )
    return line


def _question(stdin: bytes) -> Question:
    asked = parse(stdin)
    request = None if asked.url is None else requests.for_login(asked.url)
    return Question(request, lambda found: render(asked, found), told=NEAR)


PROTOCOL = Protocol(_question)
