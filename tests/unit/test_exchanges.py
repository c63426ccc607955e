"""What each kind of server is sent for an identity, and what is made of its answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from credlatch import url as urls
from credlatch.auth import HttpRequest, HttpResponse, TokenResponse
from credlatch.auth.ci_tokens import GitHubToken, IdentityToken
from credlatch.auth.exchanges import TokenExchange
from credlatch.auth.responses import checked
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.rules.exchange import Exchange
from support.flows import NOW, REQUEST
from support.jwt import make_jwt

IDENTITY = make_jwt(int(NOW) + 300, aud="a")
URL = "https://tokens.example/x"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
OF_OAUTH = {"grant_type": GRANT_TYPE, "subject_token": IDENTITY, "subject_token_type": ID_TOKEN}


def exchange(kind: str = "rfc8693", **said: Any) -> TokenExchange:
    made = msgspec.convert({"url": URL, "kind": kind, **said}, Exchange)
    return TokenExchange(IdentityToken("X", Secret(IDENTITY), "a"), made, "config.toml, rule 1")


def sent(auth: TokenExchange) -> HttpRequest:
    return http(next(auth.flow(REQUEST, NOW)))


def http(asked: object) -> HttpRequest:
    assert isinstance(asked, HttpRequest)
    return asked


def made(auth: TokenExchange, answer: object, status: int = 200) -> TokenResponse:
    flow = auth.flow(REQUEST, NOW)
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(HttpResponse(status, {}, json.dumps(answer).encode(), NOW))
    response: TokenResponse = end.value.value
    return response


@pytest.mark.parametrize(
    ("kind", "fields", "form", "body"),
    [
        ("rfc8693", {}, OF_OAUTH, None),
        (
            "rfc8693",
            {"audience": "me", "scope": "a b", "subject_token_type": "x"},
            {**OF_OAUTH, "audience": "me", "scope": "a b", "subject_token_type": "x"},
            None,
        ),
        ("posit", {}, OF_OAUTH, None),
        ("artifactory", {"provider_name": "g"}, None, {**OF_OAUTH, "provider_name": "g"}),
        (
            "cloudsmith",
            {"service_slug": "bot"},
            None,
            {"oidc_token": IDENTITY, "service_slug": "bot"},
        ),
        ("pypi", {}, None, {"token": IDENTITY}),
        ("pyx", {}, None, {"token": IDENTITY}),
        ("pyx", {"workspace": "acme"}, None, {"token": IDENTITY, "workspace": "acme"}),
    ],
)
def test_each_kind_of_server_is_sent_its_own_fields(
    kind: str, fields: dict[str, str], form: object, body: object
) -> None:
    asked = sent(exchange(kind, fields=fields))
    assert (asked.method, asked.url, asked.form, asked.json) == ("POST", URL, form, body)
    assert "Authorization" not in asked.headers


def test_a_rule_may_name_the_fields_itself() -> None:
    auth = exchange("pyx", subject="oidc", answer="upload", json=False)
    asked = sent(auth)
    assert (asked.form, asked.json) == ({"oidc": IDENTITY}, None)
    assert made(auth, {"upload": "t"}).credential.headers() == {"Authorization": "Bearer t"}


@pytest.mark.parametrize(
    ("kind", "fields", "answer", "header", "login"),
    [
        ("rfc8693", {}, {"access_token": "t", "token_type": "N_A"}, "Bearer t", ("__token__", "t")),
        ("pyx", {}, {"token": "t"}, "Bearer t", ("__token__", "t")),
        ("posit", {}, {"access_token": "t"}, "Basic X190b2tlbl9fOnQ=", ("__token__", "t")),
        ("pypi", {}, {"success": True, "token": "t"}, "Basic X190b2tlbl9fOnQ=", ("__token__", "t")),
        (
            "cloudsmith",
            {"service_slug": "bot"},
            {"token": "t"},
            "Basic dG9rZW46dA==",
            ("token", "t"),
        ),
        (
            "artifactory",
            {"provider_name": "g"},
            {"access_token": "t", "username": "ci"},
            "Bearer t",
            ("ci", "t"),
        ),
        (
            "artifactory",
            {"provider_name": "g"},
            {"access_token": "t"},
            "Bearer t",
            ("__token__", "t"),
        ),
    ],
)
def test_a_token_is_sent_as_its_server_takes_it(
    kind: str, fields: dict[str, str], answer: object, header: str, login: tuple[str, str]
) -> None:
    credential = made(exchange(kind, fields=fields), answer).credential
    credential.check()
    assert credential.headers() == {"Authorization": header}
    user, secret = credential.login("tokens.example")
    assert (user, secret.reveal()) == login


def test_artifactory_s_user_is_the_token_s_own_where_nobody_else_tells() -> None:
    token = make_jwt(int(NOW) + 60, sub="jfac@01h/users/ci-reader")
    fresh = made(exchange("artifactory", fields={"provider_name": "g"}), {"access_token": token})
    assert fresh.credential.login("x")[0] == "ci-reader"


LATER = make_jwt(int(NOW) + 900, n=1)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ({"token": "t", "expires_in": 120}, 120),
        ({"token": "t", "expires_in": "120"}, 120),
        ({"token": LATER, "expires_in": 120}, 120),
        ({"token": "t", "expires": int(NOW) + 77}, 77),
        ({"token": LATER}, 900),
        ({"token": LATER, "expires_in": None}, 900),
        ({"token": LATER, "expires_in": "soon", "expires": "tomorrow"}, 900),
        ({"token": "t"}, 60),
        ({"token": "t", "expires_in": 1e300}, 60),
        ({"token": "t", "expires_in": {}, "expires": []}, 60),
        ({"token": make_jwt(None, n=1)}, 60),
    ],
)
def test_a_token_s_end_is_the_server_s_word_or_its_own_or_a_minute_away(
    answer: dict[str, object], end: int
) -> None:
    assert made(exchange("pyx"), answer).expires == int(NOW) + end


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_token_that_comes_expired_is_not_served(seconds: int) -> None:
    auth = exchange("pyx")
    fresh = made(auth, {"token": "t", "expires_in": seconds})
    assert "already expired" in str(checked(auth, fresh, NOW))


@pytest.mark.parametrize(
    "answer",
    [{"token": "t\r\nX: y"}, {"token": "t", "token_type": "DPoP"}, {"token": " "}, {"token": "é"}],
)
def test_a_token_that_no_header_carries_is_not_served(answer: dict[str, object]) -> None:
    auth = exchange("pyx")
    assert "no header can carry" in str(checked(auth, made(auth, answer), NOW))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"token": null}', b'{"token": ["t"]}', b"<html>", b"[" * 99_999]
)
def test_an_answer_of_another_shape_is_no_answer(body: bytes) -> None:
    flow = exchange("pyx").flow(REQUEST, NOW)
    next(flow)
    with pytest.raises(ValueError, match=r"it is not|no token"):
        flow.send(HttpResponse(200, {}, body, NOW))


@pytest.mark.parametrize(
    ("status", "error", "for_good"),
    [
        (400, "invalid_grant", True),
        (400, "", True),
        (400, "temporarily_unavailable", False),
        (401, "", True),
        (403, "access_denied", True),
        (404, "", True),
        (422, "", True),
        (429, "slow_down", False),
        (429, "", False),
        (503, "", False),
    ],
)
def test_a_refusal_names_the_server_the_code_and_the_rule(
    status: int, error: str, *, for_good: bool
) -> None:
    flow = exchange("pyx").flow(REQUEST, NOW)
    next(flow)
    body = json.dumps({"error": error, "error_description": IDENTITY, "message": "hush"})
    with pytest.raises(RenewalError) as raised:
        flow.send(HttpResponse(status, {}, body.encode(), NOW))
    said = str(raised.value)
    assert isinstance(raised.value, LoginError) is for_good
    assert URL in said
    assert (f"HTTP {status}, {error}" if error else f"HTTP {status}") in said
    assert ("config.toml, rule 1" in said) is for_good
    assert IDENTITY not in said
    assert "hush" not in said


def test_two_servers_may_be_asked_and_each_its_own_question() -> None:
    ci = GitHubToken("GitHub Actions", Secret("job"), "a", "https://run.example/t?v=2")
    auth = TokenExchange(ci, Exchange(url=URL, kind="pyx"), "config.toml, rule 1")
    flow = auth.flow(REQUEST, NOW)
    asked = http(next(flow))
    body = json.dumps({"value": IDENTITY}).encode()
    exchanged = http(flow.send(HttpResponse(200, {}, body, NOW)))
    assert asked.url == "https://run.example/t?v=2&audience=a"
    assert IDENTITY not in repr(vars(asked))
    assert (exchanged.url, exchanged.json) == (URL, {"token": IDENTITY})
    assert "job" not in repr(vars(exchanged))
    for other, trusted in {
        "https://run.example/elsewhere": True,
        "https://tokens.example/": True,
        "https://run.example:8443/t": False,
        "http://run.example/t": False,
        "https://tokens.example.evil/": False,
        "https://x.run.example/": False,
    }.items():
        assert auth.trusts(urls.parse(other)) is trusted


def test_what_is_kept_is_for_the_same_identity_audience_server_and_fields_alone() -> None:
    def key(kind: str = "pyx", audience: str = "a", url: str = URL, **said: Any) -> str:
        token = GitHubToken("GitHub Actions", Secret("job"), audience, "https://run.example/")
        rule = msgspec.convert({"url": url, "kind": kind, **said}, Exchange)
        return TokenExchange(token, rule, "w").cache_key(REQUEST)

    held = TokenExchange(IdentityToken("X", Secret("job"), "a"), Exchange(url=URL, kind="pyx"), "w")
    keys = [
        key(),
        key("pypi"),
        key(audience="b"),
        key(url=f"{URL}/y"),
        key(fields={"a": "b"}),
        held.cache_key(REQUEST),
    ]
    assert len(set(keys)) == len(keys)
    assert key(fields={"a": "b", "c": "d"}) == key(fields={"c": "d", "a": "b"})
