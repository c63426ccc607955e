"""Whom a server of one's own is trusted by, and who we are to it."""

from __future__ import annotations

import gc
import select
import shutil
import socket
import ssl
import struct
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import HttpRequest, HttpResponse
from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.errors import RenewalError
from credlatch.renew import http, trust
from support.certificates import Authority
from support.internet import PROXIES
from support.token_server import TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def server(authority: Authority) -> Iterator[TokenServer]:
    """A server whose certificate nobody else has signed."""
    with TokenServer(tls=authority.server("127.0.0.1")) as server:
        yield server


def ask(server: TokenServer, tls: Tls | None, authorities: str | None = None) -> HttpResponse:
    asked = HttpRequest("GET", f"{server.url}/there", tls=tls, authorities=authorities)
    return http.send(asked, urls.parse(asked.url), time.monotonic() + 30)


def test_the_authorities_that_are_named_count(
    server: TokenServer, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    shutil.copy(authority.file, tmp_path / "folder" / "ours.crt")
    (tmp_path / "folder" / "README").write_text("what these are")
    for tls in (
        Tls(authorities=str(authority.file)),
        Tls(authorities=str(tmp_path / "folder")),
        Tls(pem=authority.file.read_text()),
    ):
        assert ask(server, tls).status == 404
    with pytest.raises(http.NotSentError, match="certificate"):
        ask(server, None)
    with pytest.raises(http.NotSentError, match="certificate"):
        ask(server, Tls())


def test_no_others_count_beside_them(
    server: TokenServer, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert ask(server, None).status == 404
    other = Authority(tmp_path / "other", "others")
    assert ask(server, None, authorities=str(other.file)).status == 404
    with pytest.raises(http.NotSentError, match="certificate"):
        ask(server, Tls(authorities=str(other.file)))


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_authorities_is_named(
    server: TokenServer, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "named.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(http.NotSentError, match=r"named\.pem has no certificate authorities"):
        ask(server, Tls(authorities=str(path)))
    (tmp_path / "folder").mkdir()
    with pytest.raises(http.NotSentError, match="folder has no certificate authorities"):
        ask(server, Tls(authorities=str(tmp_path / "folder")))
    with pytest.raises(http.NotSentError, match="are none"):
        ask(server, Tls(pem=content or "none"))


def test_a_server_is_known_by_the_name_that_is_said(authority: Authority) -> None:
    with TokenServer(tls=authority.server("bao.internal")) as server:
        assert ask(server, Tls(str(authority.file), name="bao.internal")).status == 404
        with pytest.raises(http.NotSentError, match="certificate"):
            ask(server, Tls(str(authority.file), name="other.internal"))
        with pytest.raises(http.NotSentError, match="certificate"):
            ask(server, Tls(str(authority.file)))


def test_who_we_are_is_proved_by_a_certificate(authority: Authority, tmp_path: Path) -> None:
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    mine = str(authority.client("worker"))
    with TokenServer(tls=context) as server:
        tls = Tls(str(authority.file), certificate=mine)
        assert ask(server, tls).status == 404
        assert ask(server, tls._replace(key=mine)).status == 404
        stranger = str(Authority(tmp_path / "other", "others").client("stranger"))
        for other in (Tls(str(authority.file)), tls._replace(certificate=stranger)):
            with pytest.raises(RenewalError):
                ask(server, other)
        with pytest.raises(http.NotSentError, match=r"ca.pem and its key cannot be used"):
            ask(server, tls._replace(certificate=str(tmp_path / "ca.pem")))


def test_that_certificate_may_be_in_no_file(authority: Authority) -> None:
    """As in a kubeconfig, which has it within."""
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    mine = Secret(authority.client("worker").read_text())
    with TokenServer(tls=context) as server:
        tls = Tls(str(authority.file), chain=mine)
        assert ask(server, tls).status == 404
        key = "-----BEGIN PRIVATE KEY-----\nopen-sesame"
        for damaged in (key, mine.reveal()[:-60], ""):
            with pytest.raises(http.NotSentError, match="key that are given cannot be") as caught:
                ask(server, tls._replace(chain=Secret(damaged)))
            assert "sesame" not in str(caught.value)
    assert mine.reveal() not in repr(tls)


def test_a_server_that_no_proxy_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a cluster's own address, which NO_PROXY has as a network, if at all."""
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    cluster = urls.parse("https://cluster.example")  # no name of this machine's
    with TokenServer() as there:
        url = f"{there.url}/there"
        direct = HttpRequest("GET", url, tls=Tls(proxy=""))
        assert http.send(direct, cluster, time.monotonic() + 30).status == 404
        with pytest.raises(http.NotSentError):
            http.send(HttpRequest("GET", url, tls=Tls()), cluster, time.monotonic() + 30)


def test_what_is_told_of_the_way_shows_no_password() -> None:
    assert "secret" not in repr(Tls(proxy="http://user:secret@proxy"))


def test_a_server_that_hangs_up_before_a_word_leaves_no_socket_open(authority: Authority) -> None:
    """Python warns of one that is left open, and a warning is a failure here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = socket.create_connection(server.getsockname())
        there, _ = server.accept()
        at_once = struct.pack("ii", 1, 0)  # without a farewell (SO_LINGER)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        there.close()
        select.select([connection], [], [], 30)
        context = trust.context(None, Tls(pem=authority.file.read_text()))
        with warnings.catch_warnings(record=True) as told, pytest.raises(ConnectionResetError):
            context.wrap_socket(connection, server_hostname="127.0.0.1")
        gc.collect()
    assert [str(each.message) for each in told] == []
