"""Posit's exchange of an identity token as posit-keyring sends it, without a network."""

from __future__ import annotations

import pytest

from credlatch.auth.posit import PositIdentity
from credlatch.credential import Secret
from support.flows import answered, asked

GRANT = PositIdentity(Secret("id-token"), "https://ppm.example", "")


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("https://ppm.example", "https://ppm.example/__api__/token"),
        ("https://ppm.example/", "https://ppm.example/__api__/token"),
        ("https://ppm.example/base", "https://ppm.example/base/__api__/token"),
    ],
)
def test_the_form_of_rfc_8693_goes_below_the_server_s_address(server: str, url: str) -> None:
    post = asked(PositIdentity(Secret("id-token"), server, ""))
    assert (post.method, post.url) == ("POST", url)
    assert post.form == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "id-token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    assert (post.json, post.headers) == (None, {})


def test_an_answer_and_that_it_may_be_exchanged_again() -> None:
    fresh = answered(GRANT, b'{"access_token":"a","token_type":"Bearer"}')
    assert (fresh.token, fresh.refresh_token, fresh.expires) == (Secret("a"), None, None)
    assert not GRANT.single_use


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id_token":"a"}'])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match="not what was expected"):
        answered(GRANT, body)
