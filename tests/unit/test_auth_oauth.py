"""OAuth's refresh as rattler sends it, without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.responses import checked
from credlatch.credential import Secret
from support.flows import NOW, answered, asked

GRANT = OAuthRefresh(Secret("r&=ü"), "https://auth.example/token", "rattler", "")


FORM = {"grant_type": "refresh_token", "refresh_token": "r&=ü", "client_id": "rattler"}


def test_the_form_of_rfc_6749_and_nothing_else() -> None:
    post = asked(GRANT)
    assert (post.method, post.url) == ("POST", "https://auth.example/token")
    assert (post.form, post.json, post.headers) == (FORM, None, {})
    assert not GRANT.single_use


@pytest.mark.parametrize("audience", ["https://audit.example", ""])
def test_the_audience_is_sent_as_rattler_sends_it(audience: str) -> None:
    grant = OAuthRefresh(Secret("r&=ü"), "https://auth.example/token", "rattler", "", audience)
    assert asked(grant).form == {**FORM, "audience": audience}


@pytest.mark.parametrize("kind", ["MAC", "DPoP", "", "Bearer token"])
def test_a_token_of_a_type_that_we_do_not_send_is_refused_and_the_next_refresh_token_kept(
    kind: str,
) -> None:
    said = {"access_token": "a", "token_type": kind, "refresh_token": "r"}
    body = json.dumps(said).encode()
    fresh = answered(GRANT, body)
    assert "no header" in str(checked(GRANT, fresh, NOW))
    assert fresh.refresh_token == Secret("r")


@pytest.mark.parametrize("said", [{}, {"token_type": None}, {"token_type": "bearer"}])
def test_a_token_is_a_bearer_s_in_any_case_and_when_nothing_is_said(said: dict[str, Any]) -> None:
    body = json.dumps({"access_token": "a", **said}).encode()
    assert answered(GRANT, body).token == Secret("a")


@pytest.mark.parametrize(
    ("said", "token", "refresh", "expires"),
    [
        ({"access_token": "a"}, "a", None, None),
        ({"access_token": "a", "refresh_token": "r"}, "a", "r", None),
        ({"access_token": "a", "refresh_token": ""}, "a", None, None),
        ({"access_token": "a", "refresh_token": None, "expires_in": None}, "a", None, None),
        ({"access_token": "a", "expires_in": 3600}, "a", None, 1_795_227_076),
        ({"access_token": "a", "expires_in": 3600.5}, "a", None, 1_795_227_077),
        ({"access_token": "a", "expires_in": 0}, "a", None, 1_795_223_476),
        ({"access_token": "a", "token_type": "Bearer", "scope": ["x"], "more": {}}, "a", None,
         None),
        # RFC 6749 says a number; Azure's older endpoints write it as a text.
        ({"access_token": "a", "expires_in": "3600"}, "a", None, 1_795_227_076),
    ],
)  # fmt: skip
def test_an_answer(
    said: dict[str, Any], token: str, refresh: str | None, expires: int | None
) -> None:
    fresh = answered(GRANT, json.dumps(said).encode())
    assert fresh.token == Secret(token)
    assert fresh.refresh_token == (None if refresh is None else Secret(refresh))
    assert fresh.expires == expires


BEYOND = ("1e999", "-1e999", "1e300", "-1", "99999999999999999999")
ODD = ("[]", "{}", "true", '""', '"soon"', '"NaN"')


@pytest.mark.parametrize("seconds", [*BEYOND, *ODD])
def test_an_end_that_is_no_number_or_beyond_all_bounds_costs_neither_token(seconds: str) -> None:
    body = f'{{"access_token":"a","refresh_token":"next","expires_in":{seconds}}}'.encode()
    fresh = answered(GRANT, body)
    assert (fresh.token, fresh.refresh_token) == (Secret("a"), Secret("next"))
    assert fresh.expires is None or (seconds in BEYOND and fresh.expires < 253_402_300_800)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>sign in</html>", b'{"access_token": "eyJ', b"[]", b"{}", b"null",
        b'{"access_token":null}', b'{"access_token":1}', b'{"access_token":"a","refresh_token":1}',
        b'{"access_token":"\xff"}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"not what was expected|invalid start byte"):
        answered(GRANT, body)
