"""What a provider says is checked before it is believed, and where each step of a login goes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import threading
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.caller import Caller
from credlatch.errors import LoginError, RenewalError, UsageError
from credlatch.login import oauth
from credlatch.login.oauth import Options
from support.jwt import make_jwt

if TYPE_CHECKING:
    from credlatch.login.provider import Metadata
    from support.home import Home
    from support.internet import Answer, Internet, Visit

SSO = "sso.example"
ISSUER = f"https://{SSO}"
OPENID = "/.well-known/openid-configuration"
METADATA = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "authorization_endpoint": f"{ISSUER}/auth",
    "device_authorization_endpoint": f"{ISSUER}/device/auth",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "scopes_supported": ["openid", "offline_access", "packages"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
    "jwks_uri": f"{ISSUER}/jwks",
}
DEVICE = {
    "device_code": "secret-device-code",
    "user_code": "WDJB-MJHT",
    "verification_uri": f"{ISSUER}/device",
    "verification_uri_complete": f"{ISSUER}/device?user_code=WDJB-MJHT",
    "expires_in": 300,
    "interval": 5,
}
TOKENS = {
    "access_token": "a-1",
    "refresh_token": "r-1",
    "token_type": "Bearer",
    "expires_in": 600,
    "id_token": make_jwt(None, email="alice@example.com"),
}


class Sso:
    """A provider that says what a test has it say, one answer to each question after the other.

    Attributes:
        metadata: what it says of itself.
        answers: what it answers to the questions after that, by path.
    """

    def __init__(self, internet: Internet) -> None:
        self.metadata: dict[str, Any] = dict(METADATA)
        self.place = OPENID
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self._internet = internet
        internet.hosts[SSO] = self._answer

    def _answer(self, visit: Visit) -> Answer:
        if visit.path == self.place:
            return 200, {}, self.metadata
        said = self.answers.get(visit.path, [])
        if not said:
            return 404, {}, b"<html>not found</html>"
        status, body = said.pop(0)
        return status, {}, body

    def forms(self, path: str) -> list[dict[str, str]]:
        return [visit.form for visit in self._internet.to(SSO) if visit.path == path]


class Alice:
    """A person.

    Attributes:
        seen: where she was sent, and with which code.
        waited: the seconds that passed.
        brings: what her browser brings back, beside the state; None: she has no browser.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.waited: list[float] = []
        self.brings: dict[str, str] | None = None
        self.thread: threading.Thread | None = None
        self.gone = False

    def at(self, url: str, code: str) -> None:
        self.seen.append((url, code))
        if self.brings is not None:
            self.thread = threading.Thread(target=self._come_back)
            self.thread.start()

    def _come_back(self) -> None:
        asked = self.asked
        query = urllib.parse.urlencode({**(self.brings or {}), "state": asked["state"]})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(f"{asked['redirect_uri']}/?{query}", None, 60).close()

    @property
    def asked(self) -> dict[str, str]:
        """What the provider is asked in her browser."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.seen[-1][0]).query))

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def is_gone(self) -> bool:
        return self.gone

    def finishing(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def pasted(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@pytest.fixture
def sso(internet: Internet) -> Sso:
    """A provider."""
    return Sso(internet)


@pytest.fixture
def alice() -> Alice:
    """A person."""
    return Alice()


def found(home: Home, issuer: str = ISSUER) -> Metadata:
    provider = oauth.discovered(issuer, Caller(home.env, str(home.path)))
    assert provider is not None
    return provider


@pytest.mark.parametrize(
    ("issuer", "place", "named"),
    [
        (ISSUER, OPENID, ISSUER),
        (SSO, OPENID, f"{ISSUER}/"),  # some write it with a slash
        (f"{ISSUER}/realms/a", f"/realms/a{OPENID}", f"{ISSUER}/realms/a"),
        (f"{ISSUER}/realms/a/", "/.well-known/oauth-authorization-server/realms/a",
         f"{ISSUER}/realms/a"),
        (ISSUER, "/.well-known/oauth-authorization-server", ISSUER),
    ],
)  # fmt: skip
def test_a_provider_is_found_where_the_standards_have_it(
    home: Home, sso: Sso, issuer: str, place: str, named: str
) -> None:
    sso.place, sso.metadata["issuer"] = place, named
    provider = found(home, issuer)
    assert (provider.has_device_grant, provider.has_code_grant) == (True, True)
    assert provider.scope(()) == "openid offline_access"  # of the usual, what it knows
    assert provider.scope(("packages",)) == "packages"


def test_prefix_dev_is_asked_for_its_channels(home: Home, internet: Internet) -> None:
    metadata = {"issuer": "https://prefix.dev", "token_endpoint": "https://prefix.dev/token"}
    internet.hosts["prefix.dev"] = lambda _: (200, {}, metadata)
    scope = "openid profile offline_access channel:read channel:upload"
    assert found(home, "prefix.dev").scope(()) == scope


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"issuer": 1}', b"\xff", b""])
def test_a_page_for_all_that_is_not_there_is_no_provider(
    home: Home, internet: Internet, body: bytes
) -> None:
    internet.hosts[SSO] = lambda _: (200, {}, body)
    assert oauth.discovered(ISSUER, Caller(home.env, str(home.path))) is None
    internet.hosts[SSO] = lambda _: (302, {"Location": "https://other.example/"}, b"")
    assert oauth.discovered(ISSUER, Caller(home.env, str(home.path))) is None
    assert internet.to("other.example") == []


LIES = {
    "it is somebody else": {"issuer": "https://evil.example"},
    "its tokens come in the clear": {"token_endpoint": f"http://{SSO}/token"},
    "its tokens come from this machine": {"token_endpoint": "https://127.0.0.1:1/token"},
    "its tokens come from localhost": {"token_endpoint": "http://localhost:1/token"},
    "a file is to be opened": {"authorization_endpoint": "file:///etc/passwd"},
    "no URL": {"device_authorization_endpoint": "-x"},
    "a page that has no query": {"authorization_endpoint": f"https://{SSO}/#auth"},
    "a host that is none": {"authorization_endpoint": f"https://accounts.example.com@{SSO}/auth"},
    "tokens of somebody": {"token_endpoint": f"https://]0@{SSO}/token"},
    "it revokes in the clear": {"revocation_endpoint": "http://sso.example/"},
}


@pytest.mark.parametrize("said", LIES.values(), ids=LIES.keys())
def test_a_provider_that_names_what_is_not_to_be_believed_is_not(
    home: Home, sso: Sso, said: dict[str, str]
) -> None:
    sso.metadata |= said
    with pytest.raises(RenewalError):
        found(home)


@pytest.mark.parametrize("issuer", ["http://sso.example", "s3://b", "a b", ""])
def test_an_issuer_is_an_https_url(home: Home, issuer: str) -> None:
    with pytest.raises(UsageError):
        oauth.discovered(issuer, Caller(home.env, str(home.path)))


def test_the_device_grant_asks_in_the_pace_that_it_is_told(
    home: Home, sso: Sso, alice: Alice
) -> None:
    pending = 400, {"error": "authorization_pending"}
    sso.answers = {
        "/device/auth": [(200, DEVICE)],
        "/token": [pending, (400, {"error": "slow_down"}), (503, b"busy"), (200, TOKENS)],
    }
    provider, options = found(home), Options("cli", (), "https://api.example")
    granted = oauth.by_device(provider, options, alice)
    assert alice.seen == [(DEVICE["verification_uri_complete"], "WDJB-MJHT")]
    assert alice.waited == [5.0, 5.0, 10.0, 15.0]
    assert granted.who == "alice@example.com"
    assert sso.forms("/device/auth") == [
        {"client_id": "cli", "scope": "openid offline_access", "audience": "https://api.example"}
    ]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": "secret-device-code",
        "client_id": "cli",
    }
    assert sso.forms("/token") == [form] * 4
    made = oauth.given(granted, provider, options)
    assert made.value is not None
    kept = made.value["OAuth"]
    assert kept.pop("expires_at") == granted.fresh.expires
    assert kept == {
        "access_token": "a-1", "refresh_token": "r-1", "token_endpoint": f"{ISSUER}/token",
        "revocation_endpoint": f"{ISSUER}/revoke", "client_id": "cli",
        "audience": "https://api.example",
    }  # fmt: skip


ENDS = {
    "denied": ((400, {"error": "access_denied"}), "the login was denied"),
    "expired": ((400, {"error": "expired_token"}), "the code has expired"),
    "a client that is not known": ((401, {"error": "invalid_client"}), "--client-id"),
    "a scope that is not known": ((400, {"error": "invalid_scope"}), "--scope"),
    "another refusal": ((403, {"error": "SECRET"}), "did not succeed (HTTP 403)"),
    "no tokens": ((200, {"token_type": "Bearer"}), "not answer with tokens"),
    "no JSON": ((200, b"SECRET"), "not answer with tokens"),
    "a token of another type": ((200, {**TOKENS, "token_type": "DPoP"}), "no header carries"),
    "a token that writes headers": ((200, {**TOKENS, "access_token": "a\r\nX: y"}), "no header"),
}


@pytest.mark.parametrize(("answer", "said"), ENDS.values(), ids=ENDS.keys())
def test_what_ends_a_login_is_one_line(
    home: Home, sso: Sso, alice: Alice, answer: tuple[int, Any], said: str
) -> None:
    sso.answers = {"/device/auth": [(200, DEVICE)], "/token": [answer]}
    with pytest.raises(RenewalError) as raised:
        oauth.by_device(found(home), Options(), alice)
    assert said in str(raised.value)
    assert "SECRET" not in str(raised.value)


def test_a_code_that_nobody_types_expires(home: Home, sso: Sso, alice: Alice) -> None:
    sso.answers = {"/device/auth": [(200, {**DEVICE, "expires_in": 1})]}
    with pytest.raises(LoginError, match="expired before"):
        oauth.by_device(found(home), Options(), alice)
    assert sso.forms("/token") == []


def test_a_network_that_fails_for_a_moment_ends_no_login(
    home: Home, sso: Sso, alice: Alice, internet: Internet
) -> None:
    sso.answers = {"/device/auth": [(200, DEVICE)], "/token": [(200, TOKENS)]}
    provider, answer = found(home), internet.hosts.pop(SSO)
    internet.hosts[SSO] = answer
    at, wait = alice.at, alice.wait

    def cut(url: str, code: str) -> None:
        at(url, code)
        del internet.hosts[SSO]

    def mended(seconds: float) -> None:
        wait(seconds)
        if len(alice.waited) > 1:
            internet.hosts[SSO] = answer

    alice.at, alice.wait = cut, mended  # type: ignore[method-assign] # for this test alone
    assert oauth.by_device(provider, Options(), alice).fresh.token.reveal() == "a-1"
    assert alice.waited == [5.0, 10.0]


@pytest.mark.parametrize(
    "said",
    [
        {"verification_uri": "file:///etc/passwd"},
        {"verification_uri": "http://sso.example/"},
        {"verification_uri_complete": "javascript:alert(1)"},
        {"verification_uri": "--version"},
        {"verification_uri": f"https://accounts.example.com@{SSO}/device"},
        {"verification_uri_complete": f"https://@{SSO}/device?code=1"},
    ],
)
def test_nobody_is_sent_to_what_is_no_https_page(
    home: Home, sso: Sso, alice: Alice, said: dict[str, str]
) -> None:
    sso.answers = {"/device/auth": [(200, {**DEVICE, **said})]}
    with pytest.raises(RenewalError):
        oauth.by_device(found(home), Options(), alice)
    assert alice.seen == []


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        (f"https://{SSO}/#/device", f"https://{SSO}/#/device"),
        (f"https://{SSO}/a?b=c#/device/é'\"", f"https://{SSO}/a?b=c#/device/%C3%A9'%22"),
        (f"https://{SSO}/device#", f"https://{SSO}/device"),
    ],
)
def test_a_page_that_has_its_parts_in_the_browser_is_opened_at_the_right_one(
    home: Home, sso: Sso, alice: Alice, named: str, shown: str
) -> None:
    page = {"verification_uri": named, "verification_uri_complete": None}
    sso.answers = {"/device/auth": [(200, {**DEVICE, **page})], "/token": [(200, TOKENS)]}
    oauth.by_device(found(home), Options(), alice)
    assert alice.seen[0][0] == shown


def test_a_code_goes_with_what_the_provider_has_the_hash_of(
    home: Home, sso: Sso, alice: Alice
) -> None:
    alice.brings = {"code": "the-code", "iss": ISSUER}
    sso.answers = {"/token": [(200, TOKENS)]}
    granted = oauth.by_browser(found(home), Options(), alice)
    assert granted.fresh.token.reveal() == "a-1"
    (form,) = sso.forms("/token")
    digest = hashlib.sha256(form.pop("code_verifier").encode()).digest()
    asked = alice.asked
    redirect = asked["redirect_uri"]
    assert redirect.startswith("http://127.0.0.1:")
    assert form == {
        "grant_type": "authorization_code", "code": "the-code", "redirect_uri": redirect,
        "client_id": "rattler",
    }  # fmt: skip
    assert len(asked.pop("state")) > 40
    assert asked == {
        "response_type": "code", "client_id": "rattler", "redirect_uri": redirect,
        "scope": "openid offline_access", "prompt": "consent", "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }  # fmt: skip


BROUGHT = {
    "a denial": ({"error": "access_denied", "iss": ISSUER}, "the login was denied"),
    "an error that is not the standard's": ({"error": "<SECRET>", "iss": ISSUER}, "not succeed"),
    "no code": ({"iss": ISSUER}, "not succeed"),
    "another provider's code": ({"code": "c", "iss": "https://evil.example"}, "somebody else"),
    "a code of nobody's, where it says whose": ({"code": "c"}, "somebody else"),
}


@pytest.mark.parametrize(("brings", "said"), BROUGHT.values(), ids=BROUGHT.keys())
def test_what_a_browser_brings_back_is_sent_to_who_it_is_from_alone(
    home: Home, sso: Sso, alice: Alice, brings: dict[str, str], said: str
) -> None:
    alice.brings = brings
    with pytest.raises(LoginError, match=said) as raised:
        oauth.by_browser(found(home), Options(), alice)
    assert "SECRET" not in str(raised.value)
    assert sso.forms("/token") == []


def test_a_provider_that_says_no_issuer_may_be_answered_without(
    home: Home, sso: Sso, alice: Alice
) -> None:
    sso.metadata["authorization_response_iss_parameter_supported"] = False
    alice.brings, sso.answers = {"code": "c"}, {"/token": [(200, TOKENS)]}
    assert oauth.by_browser(found(home), Options(), alice).fresh.refresh_token is not None


def test_a_browser_that_never_comes_is_waited_for_no_longer_than_that(
    home: Home, sso: Sso, alice: Alice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "BROWSER", 0.05)
    with pytest.raises(LoginError, match="--device"):
        oauth.by_browser(found(home), Options(), alice)
    assert sso.forms("/token") == []
