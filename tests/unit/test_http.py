"""Connections to token servers: kept for what may be sent twice, and for nothing else."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.pyx import PyxApiKey, PyxRefresh
from credlatch.credential import Secret
from credlatch.errors import RenewalError
from credlatch.renew import http
from credlatch.renew.exchange import exchange
from credlatch.renew.http import UnansweredError
from support.flows import REQUEST
from support.jwt import make_jwt
from support.loopback import Handler, Loopback, Recorded
from support.raw_server import RawServer
from support.token_server import Fault, TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = make_jwt(4_000_000_000)


class _Handler(Handler):
    protocol_version = "HTTP/1.1"

    def respond(self, request: Recorded) -> None:
        owner: KeepingServer = self.server.owner
        owner.requests.append((self.client_address[1], request.headers.get("cookie")))
        body = f'{{"access_token":"{TOKEN}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "session=of-the-first-login; Path=/")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = owner.hangs_up


class KeepingServer(Loopback):
    """A server that leaves connections open.

    Attributes:
        requests: of each request the client's port, and the cookies that it brought.
        hangs_up: whether it closes a connection after an answer, without having said so.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[int, str | None]] = []
        self.hangs_up = False
        super().__init__(_Handler)

    @property
    def connections(self) -> int:
        return len({port for port, _ in self.requests})


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    http.close()
    yield
    http.close()


def api_key(server: KeepingServer) -> PyxApiKey:
    return PyxApiKey(Secret("k"), server.url, "make a new key")


def renew(grant: Auth, times: int = 1) -> None:
    for _ in range(times):
        assert exchange(grant, REQUEST, time.monotonic() + 10).token.reveal() == TOKEN


def oauth(url: str, secret: str = "r") -> OAuthRefresh:
    return OAuthRefresh(Secret(secret), url, "cid", "log in")


def failure(grant: Auth) -> str:
    """What sending it raises, in time."""
    with pytest.raises(RenewalError) as raised:
        exchange(grant, REQUEST, time.monotonic() + 30)
    assert "sesame" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("after_a_key", [False, True])
@pytest.mark.parametrize("kind", ["pyx", "oauth"])
def test_what_may_be_good_for_one_use_never_meets_a_connection_that_is_closing(
    kind: str, *, after_a_key: bool
) -> None:
    with KeepingServer() as server:
        if after_a_key:
            renew(api_key(server))
        pyx = PyxRefresh(Secret("r"), server.url, "log in")
        renew(pyx if kind == "pyx" else oauth(f"{server.url}/token"), 2)
        assert server.connections == len(server.requests) == 2 + after_a_key
        http.close()


@pytest.mark.parametrize(
    ("idle", "hangs_up", "connections"),
    [(http.IDLE, False, 1), (http.IDLE, True, 3), (0.0, False, 3)],
    ids=["kept", "closed by the server", "idle for long"],
)
def test_what_may_be_sent_twice_goes_over_one_connection_while_that_is_good(
    monkeypatch: pytest.MonkeyPatch, idle: float, connections: int, *, hangs_up: bool
) -> None:
    monkeypatch.setattr(http, "IDLE", idle)
    with KeepingServer() as server:
        server.hangs_up = hangs_up
        renew(api_key(server), 3)
        assert len(server.requests) == 3
        assert server.connections == connections
        # One login's cookies do not travel with another's request.
        assert [cookie for _, cookie in server.requests] == [None] * 3
        http.close()


def test_threads_share_what_is_kept_and_disturb_nobody() -> None:
    with KeepingServer() as server:
        threads = [threading.Thread(target=renew, args=(api_key(server), 5)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 40
        assert server.connections <= 8
        http.close()


def test_more_servers_than_are_kept_are_reached_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "_MOST", 1)
    with KeepingServer() as first, KeepingServer() as second:
        for _ in range(2):
            for server in (first, second):
                post = HttpRequest("POST", f"{server.url}/auth/cli/access-token")
                answer = http.send(post, urls.parse(post.url), time.monotonic() + 10, on_kept=True)
                assert answer.status == 200
        assert (first.connections, second.connections) == (1, 2)
        http.close()


def test_what_has_not_begun_in_time_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is looked up for long, or a machine that is busy, costs no single-use token."""
    make = http._client

    def late(is_direct: bool, asked: HttpRequest) -> httpx.Client:
        time.sleep(1.5)
        return make(is_direct, asked)

    monkeypatch.setattr(http, "_client", late)
    with KeepingServer() as server:
        grant = PyxRefresh(Secret("r"), server.url, "log in")
        with pytest.raises(http.NotSentError, match="was not reached in time"):
            exchange(grant, REQUEST, time.monotonic() + 1.0)
        time.sleep(2.0)
        assert server.requests == []


def test_what_is_answered_too_slowly_has_been_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LONGEST", 0.5)
    answering = threading.Event()
    monkeypatch.setattr(_Handler, "send_response", lambda *_: answering.wait(20))
    with KeepingServer() as server:
        with pytest.raises(http.UnansweredError, match="answered too slowly"):
            exchange(PyxRefresh(Secret("r"), server.url, "log in"), REQUEST, time.monotonic() + 30)
        answering.set()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"%s",
        b"%s\r\n\r\n",
        b"HTTP/1.1 400 %s\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 %s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n%s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://b.example/%s\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n{"error":"%s"}',
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s",
    ],
)
def test_what_a_server_repeats_is_in_no_text(answer: bytes) -> None:
    """An echo, or a debugging proxy, at the token server's address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer.replace(b"%s", b"refresh_token=open-sesame"))

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        said = failure(oauth(url, "open-sesame"))
        thread.join()
    assert url in said


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(token_server: TokenServer, status: int) -> None:
    with TokenServer() as other:
        token_server.fault = Fault.REDIRECT
        token_server.redirect_status = status
        token_server.redirect_to = f"{other.url}/token"
        assert "redirects elsewhere" in failure(oauth(f"{token_server.url}/token"))
        assert other.requests == []


def test_no_proxy_sees_what_is_meant_for_this_machine(
    token_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        grant = oauth(f"{token_server.url}/token")
        assert exchange(grant, REQUEST, time.monotonic() + 30).token
        assert proxy.heads == []


def test_a_body_without_end_is_not_read_to_its_end(token_server: TokenServer) -> None:
    token_server.fault = Fault.ENDLESS
    assert "answered with more than" in failure(oauth(f"{token_server.url}/token"))


CLOSED = "http://127.0.0.1:9"  # discard: nobody listens
NETWORK = "check the network"
PROXY = f"{NETWORK}, and the proxy that HTTPS_PROXY or ALL_PROXY names"


@pytest.mark.parametrize(
    ("proxy", "bypass", "said"),
    [
        ("HTTPS_PROXY", "", f": {PROXY}"),
        ("all_proxy", "other.invalid", f": {PROXY}"),
        ("https_proxy", "auth.invalid", f": {NETWORK}"),
        ("http_proxy", "", f": {NETWORK}"),
    ],
)
def test_a_proxy_that_is_not_there_is_named_among_the_causes(
    monkeypatch: pytest.MonkeyPatch, proxy: str, bypass: str, said: str
) -> None:
    monkeypatch.setenv(proxy, CLOSED.replace("//", "//me:open-sesame@"))
    monkeypatch.setenv("no_proxy", bypass)
    assert failure(oauth("https://auth.invalid/token")).endswith(said)


def test_a_proxy_of_a_kind_that_is_not_known_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert "SOCKS is not known here" in failure(oauth("https://auth.invalid/token"))


def test_what_a_proxy_repeats_is_in_no_text() -> None:
    said = http._reason(httpx.ProxyError("407 Basic realm of open-sesame"))
    assert said == "its proxy says 407"
    assert http._reason(httpx.ProxyError("open-sesame")) == "its proxy refuses"


class Telling(Loopback):
    """Tells what happens, line by line, as it does.

    Attributes:
        more: to be set when there is more to tell.
    """

    def __init__(self) -> None:
        self.more, self.ends = threading.Event(), threading.Event()
        super().__init__(_Telling)

    def __exit__(self, *_: object) -> None:
        self.more.set()
        self.ends.set()
        super().__exit__()


class _Telling(Handler):
    def respond(self, request: Recorded) -> None:
        del request
        owner: Telling = self.server.owner
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"first\n")
        owner.more.wait()
        self.wfile.write(b"second\n")
        owner.ends.wait()  # and never says that this is all


def test_an_answer_is_read_until_it_is_enough() -> None:
    seen: list[bytes] = []

    def is_enough(said: bytes) -> bool:
        seen.append(said)
        telling.more.set()
        return said.endswith(b"second\n")

    with Telling() as telling:
        asked, server = HttpRequest("GET", telling.url), urls.parse(telling.url)
        answer = http.send(asked, server, time.monotonic() + 30, until=is_enough)
    assert (answer.body, seen) == (b"first\nsecond\n", [b"first\n", b"first\nsecond\n"])


def test_such_an_answer_may_be_silent_until_the_deadline_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "SILENCE", 0.2)
    monkeypatch.setattr(http, "LONGEST", 0.2)
    with Telling() as telling:
        asked, server = HttpRequest("GET", telling.url), urls.parse(telling.url)
        begun = time.monotonic()
        with pytest.raises(UnansweredError):
            http.send(asked, server, begun + 2, until=lambda _: False)
        assert time.monotonic() - begun > 1.5
