"""Where the system gives no more threads, it is said, and nobody waits for what will not come."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import HttpRequest
from credlatch.renew import http
from credlatch.secrets.fifo import Fifo
from credlatch.secrets.source import UNANSWERED
from credlatch.system import addresses, threads
from support.secret_files import numbered

if TYPE_CHECKING:
    from pathlib import Path

SAID = "Resource temporarily unavailable"


@pytest.fixture
def none_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread can be started."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.usefixtures("none_left")
def test_it_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=SAID):
        threads.start(print)


@pytest.mark.usefixtures("none_left")
def test_a_request_has_not_been_sent_then() -> None:
    server = urls.parse("https://auth.example/token")
    asked = HttpRequest("POST", "https://auth.example/token", form={"a": "b"})
    # Of which nothing is noted for others: it says nothing of the server.
    with pytest.raises(http.TooLateError, match="no thread can be started"):
        http.send(asked, server, time.monotonic() + 30)


@pytest.mark.usefixtures("none_left")
def test_a_name_whose_addresses_nobody_can_look_up_is_not_this_machine_s() -> None:
    assert not addresses.is_loopback("x.localhost", 1)


@pytest.mark.usefixtures("none_left")
def test_a_secret_s_file_that_nobody_would_answer_is_not_left(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=SAID):
        Fifo(str(tmp_path / "t"), numbered(), lambda _: None, lambda: None)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_for_whom_there_is_no_thread_is_given_no_secret_and_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Fifo(str(tmp_path / "t"), numbered(), lambda _: None, lambda: None)
    try:
        real, starts = threading.Thread.start, []

        def start(thread: threading.Thread) -> None:
            starts.append(thread)
            if len(starts) == 1:
                raise RuntimeError("can't start new thread")
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)
        assert (tmp_path / "t").read_bytes() == UNANSWERED
        assert (tmp_path / "t").read_bytes() == b"1"
    finally:
        file.close()
        (tmp_path / "t").read_bytes()
