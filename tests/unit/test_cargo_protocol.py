"""Cargo's protocol, by its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credlatch import url as urls
from credlatch.credential import AccessKey, Basic, Bearer, Credential, Secret, Token
from credlatch.errors import LoginError, RequestError
from credlatch.headers import Headers
from credlatch.protocols import cargo
from credlatch.resolve import Resolution
from credlatch.stores import Entry
from support.found import sure

NOW = 1_700_000_000
GET = (
    b'{"v":1,"registry":{"index-url":"sparse+https://h.example/x/","name":"priv",'
    b'"headers":["WWW-Authenticate: Basic realm=\\"doors\\""]},'
    b'"kind":"get","operation":"read","args":["--raw"]}'
)


def asked(index: str = "sparse+https://h.example/x/", **more: Any) -> bytes:
    return json.dumps({"v": 1, "registry": {"index-url": index}, "kind": "get", **more}).encode()


def found(credential: Credential, expires: int | None = None) -> Resolution:
    url = urls.parse("https://h.example/x/")
    return Resolution(credential, url, expires, "store", Entry(credential, "a test"))


def test_what_cargo_writes() -> None:
    call = cargo.parse(GET + b"\n")
    assert (call.kind, call.index, call.name) == ("get", "sparse+https://h.example/x/", "priv")
    assert call.raw
    assert not call.is_git
    assert sure(call.url).text == "https://h.example/x/"
    assert (call.token, call.login_url) == (None, "")
    login = cargo.parse(asked(kind="login", token="s3cret", **{"login-url": "https://h/me"}))
    assert login.token == Secret("s3cret")
    assert login.login_url == "https://h/me"
    assert not login.raw


def test_what_a_later_cargo_may_write_besides_is_passed_over() -> None:
    call = cargo.parse(asked(more={"a": [1]}, args=[], operation="owners", name="crate"))
    assert (call.name, call.raw) == ("", False)
    nulls = cargo.parse(asked(token=None, name=None))
    assert (nulls.token, nulls.login_url) == (None, "")


@pytest.mark.parametrize(
    ("index", "url"),
    [
        ("https://github.com/rust-lang/crates.io-index", "https://github.com/rust-lang/crates.io-index"),
        ("registry+https://h.example/x", "https://h.example/x"),
        ("ssh://git@h.example/x.git", None),
        ("file:///srv/index", None),
    ],
)  # fmt: skip
def test_a_git_repository_gets_what_is_kept_for_it_and_nothing_of_its_host(
    index: str, url: str | None
) -> None:
    call = cargo.parse(asked(index))
    assert call.is_git
    assert (call.url.text if call.url is not None else None) == url
    request = sure(cargo.PROTOCOL.parse(asked(index)).request)
    assert (request.url, request.own, request.keys) == (None, f"cargo:{index}", (index,))


def test_a_sparse_index_gets_what_its_server_s_other_clients_get() -> None:
    request = sure(cargo.PROTOCOL.parse(asked("sparse+https://bob@h.example:8443/x/")).request)
    assert (sure(request.url).text, request.username) == ("https://h.example:8443/x/", "bob")
    assert request.own == "cargo:sparse+https://bob@h.example:8443/x/"
    assert "h.example:8443" in request.keys


@pytest.mark.parametrize(
    ("credential", "token", "bare"),
    [
        (Bearer(Secret("t")), "Bearer t", "t"),
        (Basic("u", Secret("p")), "Basic dTpw", "p"),
        (Token(Secret("t"), "Authorization", "token"), "token t", "t"),
        (Token(Secret("whole value")), "whole value", "whole value"),
        (Headers({"authorization": Secret("a"), "X-More": Secret("b")}), "a", "a"),
        (Token(Secret("t"), "X-API-Key"), None, "t"),
    ],
)
def test_the_token_is_the_whole_header_unless_it_is_to_be_bare(
    credential: Credential, token: str | None, bare: str
) -> None:
    for args, value in (([], token), (["--raw"], bare), (["cargo", "--raw"], bare)):
        answer = json.loads(cargo.render(cargo.parse(asked(args=args)), found(credential), NOW))
        if value is None:
            assert answer == {"Err": {"kind": "not-found"}}
        else:
            assert answer["Ok"]["token"] == value


def test_an_answer_to_the_letter() -> None:
    call = cargo.parse(asked())
    assert cargo.render(call, found(Bearer(Secret('t"'))), NOW) == (
        b'{"Ok":{"kind":"get","token":"Bearer t\\"","cache":"session",'
        b'"operation_independent":true}}\n'
    )
    assert cargo.render(call, found(Bearer(Secret("t")), NOW + 3600), NOW) == (
        b'{"Ok":{"kind":"get","token":"Bearer t","cache":"expires","expiration":1700003600,'
        b'"operation_independent":true}}\n'
    )


@pytest.mark.parametrize("left", [0, 1, 30, 59, 60, 61, 119, 120, 121, 400, 3600])
def test_cargo_asks_again_in_time_and_not_at_once(left: int) -> None:
    answer = cargo.render(cargo.parse(asked()), found(Bearer(Secret("t")), NOW + left), NOW)
    drops = json.loads(answer)["Ok"]["expiration"] - 60 - NOW
    assert min(left, 60) <= drops <= left


def test_what_gives_no_header_is_a_failure() -> None:
    for args in ([], ["--raw"]):
        with pytest.raises(ValueError, match="token"):
            cargo.render(cargo.parse(asked(args=args)), found(Bearer(Secret("a\nb"))), NOW)
    with pytest.raises(ValueError, match="S3"):
        cargo.render(cargo.parse(asked()), found(AccessKey("AK", Secret("k"))), NOW)


def test_failures() -> None:
    out, err = cargo.PROTOCOL.failure(LoginError("log in again: a\nb \x1b[2J " + "x" * 9000))
    assert err == b""
    assert out.endswith(b"\n")
    assert out.count(b"\n") == 1
    message = json.loads(out)["Err"]["message"]
    assert message.startswith("log in again: a b  [2J xxx")
    assert len(message) < 3000
    for kind, raised in (
        (b"operation-not-supported", asked(kind="dance")),
        (b"url-not-supported", asked("sparse+https://127.1/")),
    ):
        with pytest.raises(RequestError) as caught:
            cargo.PROTOCOL.parse(raised)
        assert cargo.PROTOCOL.failure(caught.value) == (b'{"Err":{"kind":"%s"}}\n' % kind, b"")


def test_a_prompt_has_nothing_that_moves_a_cursor() -> None:
    call = cargo.parse(asked(kind="login", **{"login-url": "https://h/\x1b[2J"}))
    assert cargo.prompt(call) == (
        "Token for sparse+https://h.example/x/, found at https://h/?[2J: "
    )
