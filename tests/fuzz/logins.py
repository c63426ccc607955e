"""A person's login: what a provider says of itself and of tokens; what a browser brings back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from credlatch import clock
from credlatch import url as urls
from credlatch.auth import HttpResponse
from credlatch.credential import Secret
from credlatch.errors import RenewalError
from credlatch.login import loopback, oauth
from credlatch.login.code import CodeGrant
from credlatch.login.device import Device, DeviceGrant, Pending
from credlatch.login.oauth import Options
from credlatch.login.posit import PositLogin
from credlatch.login.provider import Discovery, Granted, Metadata
from credlatch.login.revoking import Revocation
from credlatch.stores import rattler_format
from fuzz.target import MARK, SPLIT, of_text, one_of, safe, target, told

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from credlatch.auth import HttpRequest

    Flow = Generator[HttpRequest, HttpResponse, Any]

NOW = 1_795_223_476.9
_ISSUERS = tuple(map(urls.parse, ("https://sso.example", "http://127.0.0.1:8080/realms/a")))
_PROVIDER = Metadata(
    issuer="https://sso.example",
    token_endpoint="https://sso.example/token",
    authorization_endpoint="https://sso.example/auth?a=b",
    device_authorization_endpoint="https://sso.example/device",
    revocation_endpoint="https://sso.example/revoke",
)
_MOST = 6  # requests that a flow makes, and more
_STATUSES = (200, 200, 200, 400, 401, 403, 404, 429, 503)
_JSON = '{ } [ ] : , " 0 1 -1 1e999 3600 "3600" null true false ␣ ␊ \\ud800 \\u0000 \\n é '


def _said(flow: Flow, data: bytes, status: int = 0) -> object:
    """What a flow makes of one answer to all that it asks; None where it fails as it may."""
    response = HttpResponse(status or one_of(_STATUSES, data), {}, data, NOW)
    try:
        next(flow)
        for _ in range(_MOST):
            flow.send(response)
    except (RenewalError, ValueError, RecursionError) as error:  # as renew.exchange takes them
        if isinstance(error, RenewalError):
            told(error)
        return None
    except StopIteration as end:
        return end.value
    raise AssertionError("it goes on asking")


def _is_safe(text: str, *, is_here: bool) -> bool:
    """Whether a login may go there: in TLS, or within this machine where the provider is on it."""
    url = urls.absolute(text)
    return url.scheme == "https" if not url.may_be_loopback else is_here


@target(
    "login_metadata",
    _JSON + "issuer token_endpoint authorization_endpoint device_authorization_endpoint "
    "revocation_endpoint scopes_supported code_challenge_methods_supported S256 plain openid "
    "https://sso.example http://sso.example http://127.0.0.1:8080/realms/a http://localhost/ "
    "/token ? # @ https://127.0.0.1/ javascript: https://evil.example",
    [
        (
            '{"issuer":"https://sso.example","token_endpoint":"https://sso.example/token",'
            '"authorization_endpoint":"https://sso.example/auth","scopes_supported":["openid"],'
            '"code_challenge_methods_supported":["S256"],"revocation_endpoint":null}'
        ),
        (
            '{"issuer":"http://127.0.0.1:8080/realms/a","token_endpoint":"http://127.0.0.1:8080/t",'
            '"device_authorization_endpoint":"http://localhost:1/d","authorization_endpoint":"/auth"}'
        ),
        '{"issuer":"https://evil.example","token_endpoint":"http://sso.example/token"}',
    ],
)
def _login_metadata(data: bytes) -> None:
    """Nothing is believed that would have a login travel in the clear, or to this machine."""
    for issuer in _ISSUERS:
        found = _said(Discovery(issuer).finding(), data, 200)
        if not isinstance(found, Metadata):
            assert found is None
            continue
        assert found.issuer.rstrip("/") == issuer.text.rstrip("/")
        is_here = issuer.may_be_loopback
        for each in (found.token_endpoint, found.authorization_endpoint, found.revocation_endpoint):
            assert each is None or _is_safe(each, is_here=is_here), each
        if found.has_code_grant:
            grant = CodeGrant(found, "c", found.scope(()), redirect="http://127.0.0.1:1")
            begin = urlsplit(grant.url)
            named = urls.absolute(found.authorization_endpoint or "")
            assert urls.absolute(grant.url).origin == named.origin
            assert begin.netloc == named.netloc
            assert grant.url.isprintable()
            asked = parse_qs(begin.query)
            assert asked["state"][-1] == grant.state
            assert asked["code_challenge_method"][-1] == "S256"
            assert all(found.token_endpoint not in name for name in asked)
            assert grant.trusts(urls.absolute(found.token_endpoint))
            assert not grant.trusts(urls.parse("https://nobody.example"))


_TOKENS = (
    _JSON + "access_token refresh_token id_token token_type bearer Bearer dpop expires_in error "
    "invalid_grant access_denied expired_token slow_down authorization_pending invalid_client "
    "error_description 99999999999999999999 eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImEK"
)
_SEEDS = [
    (
        f'{{"access_token":"{MARK}","refresh_token":"{MARK}","token_type":"Bearer","expires_in":3600,'
        '"id_token":"eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIn0."}'
    ),
    f'{{"access_token":"{MARK}","token_type":"dpop"}}',
    f'{{"error":"authorization_pending","error_description":"{MARK}"}}',
    f'{{"error":"invalid_client","error_description":"{MARK}"}}',
    f'{{"id_token":"{MARK}","access_token":"{MARK}"}}',
]


def _granted(granted: object) -> None:
    if granted is None or isinstance(granted, Pending):
        return
    assert isinstance(granted, Granted)
    assert granted.who.isprintable()
    assert MARK not in repr(granted.fresh)
    assert granted.fresh.expires is None or 0 <= granted.fresh.expires <= clock.LATEST
    given = oauth.given(granted, _PROVIDER, Options())
    for form in given.forms:
        safe(form, "h.example")
    # What is kept is what pixi, and the next call, read.
    assert given.value is not None
    kept = rattler_format.dumped({"h.example": given.value}).decode()
    entry = rattler_format.read(given.value, "h.example", "path", "h.example")
    assert entry.credential is not None
    assert entry.credential.secret.reveal() in kept or not kept.isascii() or "\\" in kept
    assert (entry.grant is None) == (granted.fresh.refresh_token is None)


@target("login_code_tokens", _TOKENS, _SEEDS)
def _login_code_tokens(data: bytes) -> None:
    grant = CodeGrant(_PROVIDER, "rattler", "openid", redirect="http://127.0.0.1:1")
    _granted(_said(grant.exchanging({"code": MARK, "state": grant.state}), data))


@target("login_device_tokens", _TOKENS, _SEEDS)
def _login_device_tokens(data: bytes) -> None:
    grant = DeviceGrant(_PROVIDER, "rattler", "openid")
    device = Device.__new__(Device)
    device.code = MARK
    _granted(_said(grant.polling(device), data))


@target("login_posit_tokens", _TOKENS, _SEEDS)
def _login_posit_tokens(data: bytes) -> None:
    device = Device.__new__(Device)
    device.code = MARK
    token = _said(PositLogin("https://p.example").polling(device), data)
    if isinstance(token, Secret):
        assert token.fits_a_header
        assert MARK not in repr(token)


@target(
    "login_device",
    _JSON + "device_code user_code verification_uri verification_uri_complete expires_in interval "
    "https://sso.example/device http://sso.example/ http://127.0.0.1/ file:///etc javascript: "
    "\\u001b[2J nan",
    [
        (
            f'{{"device_code":"{MARK}","user_code":"AB-CD","verification_uri":"https://sso.example/d",'
            '"verification_uri_complete":"https://sso.example/d?c=AB-CD","expires_in":300,'
            '"interval":5}'
        ),
        f'{{"device_code":"{MARK}","user_code":"\\u001b[2J","verification_uri":"http://x.y"}}',
    ],
)
def _login_device(data: bytes) -> None:
    """What a person is sent to is a page in TLS, and what they read is a line."""
    begun: list[Callable[[], Flow]] = [
        DeviceGrant(_PROVIDER, "rattler", "openid").beginning,
        PositLogin("https://p.example").beginning,
    ]
    for begin in begun:
        device = _said(begin(), data)
        if device is None:
            continue
        assert isinstance(device, Device)
        assert device.user_code.isprintable()
        for each in (device.url, device.complete):
            assert each.isprintable()
            assert _is_safe(each, is_here=True), each
        assert 0 < device.seconds <= 86_400
        assert 0 < device.interval <= 600


@target("login_revocation", _TOKENS, _SEEDS)
def _login_revocation(data: bytes) -> None:
    revocation = Revocation("https://sso.example/revoke", "c", Secret(MARK), "refresh_token")
    assert _said(revocation.revoking(), data) is None


_STATE = "s" * 43
_HERE = "127.0.0.1:8000"


def _listener() -> loopback.Listener:
    made = loopback.Listener.__new__(loopback.Listener)
    made._host, made._path, made.redirect = _HERE, "", f"http://{_HERE}"
    return made


@target(
    "login_callback",
    f"GET POST HTTP/1.1 HTTP/1.0 Host: host: {_HERE} localhost:8000 evil.example ␣ ␍␊ ␊ / /? ? & = "
    f"code= state= error= iss= {_STATE} %00 %0a %ff + # ; state%3d http://{_HERE}/ Cookie:",
    [
        f"GET /?code={MARK}&state={_STATE} HTTP/1.1\r\nHost: {_HERE}\r\nA: b\r\n\r\n",
        f"GET /?error=access_denied&state={_STATE} HTTP/1.1\r\nhost:{_HERE}\r\n\r\n",
        f"GET /?code=c&state={_STATE}&state={_STATE} HTTP/1.1\r\nHost: {_HERE}\r\n\r\n",
        f"POST /?code=c&state={_STATE} HTTP/1.1\r\nHost: {_HERE}\r\nHost: evil.example\r\n\r\n",
    ],
)
def _login_callback(data: bytes) -> None:
    """Only a GET for this host and place, with the state, and each parameter once, is heard."""
    found = _listener()._brought(data, _STATE)
    if found is None:
        return
    first, *rows = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert first.startswith(b"GET /")
    hosts = [row for row in rows if row.partition(b":")[0].lower() == b"host"]
    assert len(hosts) == 1
    assert _HERE.encode() in hosts[0]
    assert found["state"] == _STATE
    query = first.split(b" ")[1].partition(b"?")[2].decode("latin-1")
    assert parse_qs(query, keep_blank_values=True)["state"] == [_STATE]
    assert data.partition(b"?")[0] == b"GET /"


class _Pasting:
    """A person who pastes one line."""

    def __init__(self, line: str) -> None:
        self._line = line
        self.refused = 0

    def fileno(self) -> int:
        return 0

    def line(self) -> str | None:
        return self._line

    def refuse(self) -> None:
        self.refused += 1


@target(
    "login_pasted",
    f"http:// https:// {_HERE} / ? & = # ␣ ␊ code= state= error= {_STATE} %00 %ff é {SPLIT}",
    [
        f"http://{_HERE}/?code={MARK}&state={_STATE}",
        f" {_HERE}/?state={_STATE}&error=access_denied#top ",
        f"https://sso.example/auth?state={_STATE}&state=x",
    ],
)
@of_text
def _login_pasted(text: str) -> None:
    """What a person pastes is heard with the state alone, and refused once where it is not."""
    person = _Pasting(text)
    found = loopback._typed(person, _STATE)
    assert person.refused == (found is None and bool(text.strip()))
    assert found is None or found["state"] == _STATE
