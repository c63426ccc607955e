"""However a call ends, it ends soon, quietly and tidily."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.in_memory import until
from support.logins import FIRST, oauth
from support.program import run
from support.token_server import Fault
from support.waiting import asking

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

HOST = "packages.example.com"
REQUEST = json.dumps({"uri": f"https://{HOST}/simple/"}).encode()


@pytest.fixture(autouse=True)
def expired(home: Home, token_server: TokenServer) -> None:
    """A token that must be renewed."""
    home.write_rattler({HOST: oauth(token_server, -60)})


@pytest.fixture
def unpacked(home: Home, tmp_path: Path) -> Path:
    """Where the single file unpacks itself."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    home.env["TMPDIR"] = str(folder)
    return folder


@contextmanager
def waiting(program: Program, server: TokenServer) -> Iterator[subprocess.Popen[bytes]]:
    """A call that hangs at the token server, in a process group of its own."""
    server.fault = Fault.HANG
    with asking(program, REQUEST) as process:
        until(lambda: process.poll() is not None or server.posts("/token"))
        assert process.poll() is None, process.stderr
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_hanging_call_at_once_and_leaves_nothing(
    each_form: Program, token_server: TokenServer, unpacked: Path, number: signal.Signals
) -> None:
    with waiting(each_form, token_server) as process:
        before = time.monotonic()
        process.send_signal(number)
        process.wait(timeout=10)
        took = time.monotonic() - before
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()

    assert took < 2  # a call that waits for what it does would take more than five
    assert process.returncode in (-number, 128 + number)
    assert (out, err) == (b"", b"")
    assert os.listdir(unpacked) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nor does a process stay behind


def test_ctrl_c_in_a_terminal_reaches_every_process_of_the_group_and_stays_quiet(
    each_form: Program, token_server: TokenServer, unpacked: Path
) -> None:
    with waiting(each_form, token_server) as process:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=10)
        assert process.stderr is not None
        err = process.stderr.read()

    assert process.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert err == b""
    assert os.listdir(unpacked) == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_harm_neither_the_call_nor_the_store(
    each_form: Program, token_server: TokenServer, closed: str
) -> None:
    """A file that is opened later gets a closed stream's number: nothing may be written to that."""
    if "<&-" in closed:
        # Nothing can be asked: store a login by another way first, so that there is work to do.
        command = f"{each_form.command[0]} docker list {closed}"
    else:
        command = f"{each_form.command[0]} get {closed}"

    done = run(each_form.home, ["sh", "-c", command], REQUEST)

    login = each_form.home.read_rattler()[HOST]["OAuth"]
    if "<&-" in closed:
        assert login["refresh_token"] == FIRST
    else:
        assert login["access_token"] == token_server.current_access_token
    assert "Traceback" not in done.err
    stores = each_form.home.path / ".rattler"
    assert {path.stat().st_size for path in stores.glob("*.lock")} <= {0}


def test_a_reader_who_has_gone_makes_no_noise(
    each_form: Program, token_server: TokenServer
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(each_form.home, [*each_form.command, "get"], REQUEST, stdout=writer)
    finally:
        os.close(writer)

    assert done.err == ""
    assert len(token_server.posts("/token")) == 1


def test_an_answer_that_cannot_be_written_is_a_failure(each_form: Program) -> None:
    with open("/dev/full", "wb") as full:
        done = run(each_form.home, [*each_form.command, "get"], REQUEST, stdout=full)

    assert done.code == 1
    assert "No space left on device" in done.err
