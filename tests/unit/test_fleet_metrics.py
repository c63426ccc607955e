"""What a renewer tells Prometheus, and where."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from credlatch.errors import UsageError
from credlatch.fleet import page
from credlatch.fleet.metrics import ENDED, ENGINE, SERVER, Watched, text
from credlatch.fleet.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE, OTHER = "fleet/login/ci/pypi", "team-pypi-login"
ODD = 'a"b\\c\nd'
PATIENCE = 60.0


def values(text: str) -> dict[tuple[str, ...], float]:
    """By the name and the labels, but for the version."""
    return {
        (each.name, *(each.labels[name] for name in sorted(each.labels))): each.value
        for family in parsed(text)
        for each in family.samples
        if "version" not in each.labels
    }


def test_what_is_counted() -> None:
    one, other = Watched(ONE), Watched(OTHER)
    one.renewals, one.failures[SERVER], one.ends, one.seen = 2, 1, 1600.0, 1000.0
    other.failures[ENDED] = 1
    assert values(text([one, other], 1010.0)) == {
        ("credlatch_fleet_renewals_total", ONE): 2,
        ("credlatch_fleet_renewals_total", OTHER): 0,
        ("credlatch_fleet_failures_total", ONE, ENGINE): 0,
        ("credlatch_fleet_failures_total", ONE, SERVER): 1,
        ("credlatch_fleet_failures_total", ONE, ENDED): 0,
        ("credlatch_fleet_failures_total", OTHER, ENGINE): 0,
        ("credlatch_fleet_failures_total", OTHER, SERVER): 0,
        ("credlatch_fleet_failures_total", OTHER, ENDED): 1,
        ("credlatch_fleet_token_seconds", ONE): 590.0,
        ("credlatch_fleet_seen_seconds", ONE): 10.0,
    }
    assert values(text([one], 1700.0))["credlatch_fleet_token_seconds", ONE] == -100.0


def test_each_is_of_a_kind_and_is_explained() -> None:
    login = Watched(ONE)
    login.seen = login.ends = 1.0
    families = list(parsed(text([login], 2.0)))
    assert {family.type for family in families} == {"counter", "gauge"}
    assert all(family.documentation and family.samples for family in families)
    assert text([], 2.0).endswith("\n")


def test_whatever_a_login_is_called_it_is_one_label() -> None:
    found = values(text([Watched(ODD)], 2.0))
    assert {each[1] for each in found} == {'a"b\\c?d'}


def shown() -> str:
    return text([Watched(ONE)], 2.0)


@pytest.fixture
def served() -> Iterator[Page]:
    with Page(shown, "127.0.0.1:0") as served:
        yield served


def test_a_page_of_them(served: Page) -> None:
    answer = httpx.get(f"{served.url}/metrics", timeout=PATIENCE)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert values(answer.text)["credlatch_fleet_renewals_total", ONE] == 0
    assert httpx.head(f"{served.url}/metrics", timeout=PATIENCE).content == b""
    assert httpx.get(f"{served.url}/metrics?a=b", timeout=PATIENCE).text == answer.text
    for path, status in (("/healthz", 200), ("/", 404), ("/metrics/../etc", 404), ("/login", 404)):
        assert httpx.get(f"{served.url}{path}", timeout=PATIENCE).status_code == status
    assert httpx.post(f"{served.url}/metrics", timeout=PATIENCE).status_code == 405


def connect(served: Page) -> socket.socket:
    port = httpx.URL(served.url).port
    assert port is not None
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def ended(connection: socket.socket) -> bytes:
    with connection:
        try:
            return connection.recv(1)
        except ConnectionError:
            return b""


def test_who_knocks_slowly_or_often_keeps_nobody_else_out(
    served: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = [connect(served) for _ in range(100)]
    for each in idle[:50]:
        each.sendall(b"GET /met")
    assert httpx.get(f"{served.url}/healthz", timeout=PATIENCE).status_code == 200
    assert ended(idle[0]) == b""  # the oldest makes room
    for each in idle:
        each.close()
    monkeypatch.setattr(page, "_SLOWEST", 0.3)
    slow = connect(served)
    assert ended(slow) == b""


@pytest.mark.parametrize(
    "sent", [b"x" * 10_000, b"\r\n\r\n", b"GET\r\n\r\n", b"\x00\xff \xff\r\n\r\n"]
)
def test_what_is_no_request_ends_nothing(served: Page, sent: bytes) -> None:
    connection = connect(served)
    connection.sendall(sent)
    connection.close()
    assert httpx.get(f"{served.url}/healthz", timeout=PATIENCE).status_code == 200


def test_it_ends_at_once_with_visitors_in_it() -> None:
    with Page(shown, "[::1]:0") as served:
        assert httpx.get(f"{served.url}/healthz", timeout=PATIENCE).status_code == 200
    with Page(shown, "localhost:0") as served:
        visitor = connect(served)
        time.sleep(0.3)
    assert ended(visitor) == b""
    with pytest.raises(OSError, match="refused"):
        connect(served)


def test_a_port_that_is_taken_is_said(served: Page) -> None:
    address = served.url.removeprefix("http://")
    with pytest.raises(UsageError, match=f"no metrics can be had at {address}"):
        Page(shown, address)


@pytest.mark.parametrize(
    "address", ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:-1", "127.0.0.1:65536", "a.example:1",
                "127.0.0.1:x", "http://127.0.0.1:1", "127.0.0.1:\u0665"],
)  # fmt: skip
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(UsageError, match="is no address for metrics"):
        Page(shown, address)
