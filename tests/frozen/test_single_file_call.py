"""A call of the single file that goes on in the folder form: nothing of it is lost on the way."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from support.false_agent import FalseAgent, Mad
from support.installed import PROGRAM, aside, builds, run_folder
from support.program import TIMEOUT, Program
from support.waiting import alive, asking, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.agent import Agent
    from support.home import Home

HOST = "packages.example.com"
URI = f"https://{HOST}/simple/"
MEBIBYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


@pytest.fixture
def program(unpacked_single: Program) -> Program:
    return unpacked_single


# From the first path of the payload's table: the checksum, the count, a size, a mode, a length, a
# path, and of what is packed the beginning, the middle and the end.
@pytest.mark.parametrize("at", [-15, -9, -4, -3, -2, -1, 5, 40_000, 4_000_000, 9_000_000])
def test_a_damaged_single_file_says_so(
    single: Path, fresh: Program, tmp_path: Path, at: int
) -> None:
    damaged = bytearray(single.read_bytes())
    damaged[_table(bytes(damaged)) + at] ^= 0x01
    copy = tmp_path / "copy"
    copy.write_bytes(damaged)
    copy.chmod(0o755)
    answer = Program([str(copy)], fresh.home, tmp_path).bazel(URI)

    assert (answer.code, answer.out, answer.err.count("\n")) == (1, b"", 1)
    assert "this program is damaged: put a fresh copy in its place" in answer.err
    run = run_folder(fresh.home)
    assert not aside(run)
    assert not builds(run)


def _table(program: bytes) -> int:
    """Where the first path of a payload's table is: before it are a count, a size, and a length."""
    at = program.index(b"_internal/")
    while True:
        count, size = (int.from_bytes(program[at - back :][:4], "big") for back in (11, 7))
        length = int.from_bytes(program[at - 2 : at], "big")
        if 0 < count < 1000 and 0 < size < 100 * MEBIBYTE and 10 < length < 200:
            return at
        at = program.index(b"_internal/", at + 1)


def test_the_environment_of_the_caller_is_that_of_the_program(program: Program) -> None:
    program.home.env |= {"LD_LIBRARY_PATH": "/opt/lib:/other", "KEPT": "ünd", "_PYI_FOREIGN": "x"}
    with waiting(program) as call:
        environ = call.environ()

    (build,) = builds(run_folder(program.home))
    assert environ["KEPT"] == "ünd"
    assert environ["LD_LIBRARY_PATH"] == f"{build}/_internal:/opt/lib:/other"
    assert environ["LD_LIBRARY_PATH_ORIG"] == "/opt/lib:/other"
    assert not [value for value in environ.values() if "_MEI" in value]
    # Its own loader's, as when the folder form is called by itself.
    assert {name for name in environ if name.startswith("_PYI_")} == {
        "_PYI_ARCHIVE_FILE", "_PYI_LINUX_PROCESS_NAME", "_PYI_PARENT_PROCESS_LEVEL"
    }  # fmt: skip
    assert environ["_PYI_ARCHIVE_FILE"] == f"{build}/_internal/{PROGRAM}"


@pytest.fixture
def deaf_agent(home: Home) -> Iterator[None]:
    """An agent that reads the whole question, and goes away."""
    path = home.path / "run" / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        home.env["CREDLATCH_AGENT"] = str(path)
        stopping = threading.Event()

        def listen() -> None:
            while not stopping.is_set():
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(0.2)
                    with suppress(OSError):
                        while connection.recv(MEBIBYTE):
                            pass

        thread = threading.Thread(target=listen)
        thread.start()
        yield
        stopping.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(path))
        thread.join()


@pytest.mark.parametrize("size", [0, 100, 65_536, 65_537, MEBIBYTE])
@pytest.mark.usefixtures("deaf_agent")
def test_what_the_quick_client_has_read_reaches_the_program(program: Program, size: int) -> None:
    request = json.dumps({"uri": URI}).encode()
    stdin = request + b" " * (size - len(request)) if size else b""
    with asking(program) as process:
        out, err = process.communicate(stdin, TIMEOUT)

    assert (b"made-up" in out) == bool(size), err
    assert not alive(process.pid)


@pytest.mark.usefixtures("deaf_agent")
def test_more_than_any_request_may_have_is_read_to_its_end(program: Program) -> None:
    answer = program("get", stdin=b'{"uri":' + b" " * 3 * MEBIBYTE)

    assert (answer.code, answer.out) == (1, b"")
    assert f"{3 * MEBIBYTE + 7} bytes" in answer.err


def test_a_name_with_spaces_and_a_link_are_no_matter(single: Path, program: Program) -> None:
    odd = program.home.path / "Programme für Ada" / "docker-credential-credlatch"
    odd.parent.mkdir()
    shutil.copy(single, odd)

    answer = Program([str(odd)], program.home, odd.parent)("get", stdin=HOST.encode())

    assert json.loads(answer.out)["Secret"] == "made-up"


def test_an_agent_that_hangs_is_waited_for_once(agent: Agent, program: Program) -> None:
    # Not once by the single file, and again by the program that it becomes.
    agent.warm()
    path = agent.socket
    assert path is not None
    agent.kill()
    with FalseAgent(path, Mad.linger) as false:
        assert program.bazel(URI).authorization == "Bearer made-up"
    assert false.asked == 1


def test_what_the_agent_answers_needs_nothing_unpacked(agent: Agent, fresh: Program) -> None:
    agent.warm()
    del fresh.home.env["XDG_CACHE_HOME"]

    assert fresh.bazel(URI).authorization == "Bearer made-up"
    assert not run_folder(fresh.home).exists()
