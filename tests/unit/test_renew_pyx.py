"""pyx's refresh and key exchange as uv 0.12.6 sends them, without a network."""

from __future__ import annotations

import msgspec
import pytest

from credlatch.credential import Secret
from credlatch.grant import PyxApiKey, PyxRefresh
from credlatch.renew import pyx

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
    assert pyx.post(PyxRefresh(Secret("r"), server, "")).url == f"{root}/auth/cli/refresh"
    assert pyx.post(PyxApiKey(Secret("k"), server, "")).url == f"{root}/auth/cli/access-token"


def test_a_refresh_is_json_and_has_no_header() -> None:
    post = pyx.post(REFRESH)
    assert (post.json, post.form, post.headers) == ({"refresh_token": "r"}, None, {})


def test_a_key_is_a_header_and_has_no_body() -> None:
    post = pyx.post(KEY)
    assert post.headers == {"Authorization": "Bearer pyx-sk-test"}
    assert (post.json, post.form) == (None, None)


def test_a_refresh_token_is_taken_once_and_a_key_for_ever() -> None:
    assert REFRESH.single_use
    assert not KEY.single_use


def test_an_answer() -> None:
    fresh = pyx.answer(REFRESH, b'{"access_token":"a","refresh_token":"r2","x":1}', 0.0)
    assert (fresh.token, fresh.refresh_token, fresh.expires) == (Secret("a"), Secret("r2"), None)
    fresh = pyx.answer(KEY, b'{"access_token":"a"}', 0.0)
    assert (fresh.token, fresh.refresh_token) == (Secret("a"), None)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"access_token":1}', b'{"refresh_token":"r"}', b"a.b.c"],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        pyx.answer(REFRESH, body, 0.0)
