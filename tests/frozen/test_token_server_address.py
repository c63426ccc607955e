"""A login goes to its own token server and to nobody else, whatever stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.certificates import authority
from support.logins import (
    ENDED,
    FIRST,
    Login,
    OAuthLogin,
    PyxLogin,
    bearer,
    docker_refusal,
    refusal,
)
from support.raw_server import RawServer
from support.token_server import Fault, TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program

HOST = "packages.example.com"
URI = f"https://{HOST}/noarch/repodata.json"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
# Written as loopback's, or near to it, and not loopback: more are in tests/unit/test_url.py.
IN_THE_CLEAR = [
    "HTTP://tokens.example.com/token",
    "http://127.0.0.1@tokens.example.com/token",
    "http://tokens.example.com#@127.0.0.1/token",
    "http://[::ffff:192.0.2.1]/token",
]
NO_ADDRESS = ["", "file:///etc/hostname", "http://tokens.example.com\\@127.0.0.1/token"]


@pytest.fixture
def proxy(home: Home) -> Iterator[RawServer]:
    """A proxy that the environment names for everything; it connects nobody."""
    with RawServer(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as server:
        home.env |= dict.fromkeys(PROXIES, server.url)
        yield server


def test_a_redirect_to_another_host_is_not_followed(
    frozen: Program,
    token_server: TokenServer,
    each_login: Login,
) -> None:
    each_login.write(ENDED)
    before = each_login.file.read_bytes()
    with TokenServer() as other:
        token_server.fault = Fault.REDIRECT
        token_server.redirect_to = f"{other.url}{each_login.endpoint}"
        assert "redirects" in refusal(frozen.bazel(each_login.uri))
        assert other.requests == []
    assert each_login.refresh_tokens() == [FIRST]
    assert each_login.file.read_bytes() == before


def test_no_proxy_sees_what_is_meant_for_this_machine(
    frozen: Program, home: Home, token_server: TokenServer, proxy: RawServer
) -> None:
    for kind in (OAuthLogin, PyxLogin):
        login = kind(home, token_server)
        login.write(ENDED, f"refresh token of {kind.__name__}")
        assert bearer(frozen.bazel(login.uri)) == token_server.current_access_token
    assert proxy.heads == []


def test_a_proxy_is_asked_for_a_tunnel_to_any_other_machine_and_sees_no_secret(
    frozen: Program, home: Home, proxy: RawServer
) -> None:
    write(home, "https://tokens.example.com/token")
    assert "https://tokens.example.com/token" in refusal(frozen.bazel(URI))
    assert proxy.heads
    for head in proxy.heads:
        assert head.startswith(b"CONNECT tokens.example.com:443 ")
        assert FIRST.encode() not in head


def write(home: Home, token_endpoint: str) -> dict[str, Any]:
    """An expired login at any address."""
    content = {
        "access_token": "ended",
        "refresh_token": FIRST,
        "expires_at": 1,
        "token_endpoint": token_endpoint,
        "client_id": "rattler",
    }
    entries = {HOST: {"OAuth": content}}
    home.write_rattler(entries)
    return entries


@pytest.mark.parametrize("endpoint", IN_THE_CLEAR)
def test_a_login_does_not_leave_this_machine_in_the_clear(
    frozen: Program, home: Home, proxy: RawServer, endpoint: str
) -> None:
    entries = write(home, endpoint)
    assert "https" in refusal(frozen.bazel(URI))
    assert "https" in docker_refusal(frozen.docker("get", HOST))
    assert proxy.heads == []  # which every connection would have gone through
    assert home.read_rattler() == entries


@pytest.mark.parametrize("endpoint", NO_ADDRESS)
def test_what_is_no_address_of_a_server_is_named_in_one_line(
    frozen: Program, home: Home, proxy: RawServer, endpoint: str
) -> None:
    entries = write(home, endpoint)
    refusal(frozen.bazel(URI))
    assert proxy.heads == []
    assert home.read_rattler() == entries


def test_a_server_is_believed_whose_certificate_the_system_trusts(
    frozen: Program, home: Home, tmp_path: Path
) -> None:
    trusted, context = authority(tmp_path / "authority")
    home.env["SSL_CERT_FILE"] = str(trusted)
    with TokenServer(tls=context) as server:
        login = OAuthLogin(home, server)
        login.write(ENDED)
        assert bearer(frozen.bazel(login.uri)) == server.current_access_token


def test_a_server_with_any_other_certificate_is_told_nothing(
    frozen: Program, home: Home, tmp_path: Path
) -> None:
    _, context = authority(tmp_path / "authority")
    with TokenServer(tls=context) as server:
        login = OAuthLogin(home, server)
        login.write(ENDED)
        said = refusal(frozen.bazel(login.uri))
        assert "certificate" in said
        assert "if a company's own CA has signed that, SSL_CERT_FILE is to name it" in said
        assert server.requests == []
