"""pyx's refresh and key exchange as uv 0.12.6 sends them, without a network."""

from __future__ import annotations

import pytest

from credlatch.auth.pyx import PyxApiKey, PyxRefresh
from credlatch.credential import Secret
from support.flows import answered, asked

REFRESH = PyxRefresh(Secret("r"), "https://api.pyx.dev/", "")
KEY = PyxApiKey(Secret("pyx-sk-test"), "https://api.pyx.dev/", "")


@pytest.mark.parametrize(
    ("server", "root"),
    [
        ("https://api.pyx.dev/", "https://api.pyx.dev"),
        ("http://127.0.0.1:18765/base", "http://127.0.0.1:18765"),
        ("http://127.0.0.1:18765/base/more?x=1", "http://127.0.0.1:18765"),
        ("http://[::1]:18765/", "http://[::1]:18765"),
    ],
)
def test_the_path_takes_the_place_of_the_api_s(server: str, root: str) -> None:
    assert asked(PyxRefresh(Secret("r"), server, "")).url == f"{root}/auth/cli/refresh"
    assert asked(PyxApiKey(Secret("k"), server, "")).url == f"{root}/auth/cli/access-token"


def test_a_refresh_is_json_and_taken_once() -> None:
    post = asked(REFRESH)
    assert (post.json, post.form, post.headers) == ({"refresh_token": "r"}, None, {})
    assert REFRESH.single_use


def test_a_key_is_a_header_and_taken_for_ever() -> None:
    post = asked(KEY)
    assert post.headers == {"Authorization": "Bearer pyx-sk-test"}
    assert (post.method, post.json, post.form) == ("POST", None, None)
    assert not KEY.single_use


def test_an_answer() -> None:
    fresh = answered(REFRESH, b'{"access_token":"a","refresh_token":"r2","x":1}')
    assert (fresh.token, fresh.refresh_token, fresh.expires) == (Secret("a"), Secret("r2"), None)
    fresh = answered(KEY, b'{"access_token":"a"}')
    assert (fresh.token, fresh.refresh_token) == (Secret("a"), None)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"access_token":1}', b'{"refresh_token":"r"}', b"a.b.c"],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match="not what was expected"):
        answered(REFRESH, body)
