"""Becoming another program: with the caller's environment, and with what was read of its input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import credlatch
from credlatch.bundle import launch, windows_launch

HELPER = str(Path(credlatch.__file__).parent.parent)


BECOME = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as a caller may leave it to all that it starts
from credlatch.bundle import launch
read = os.read(0, int(sys.argv[1]))
while len(read) < int(sys.argv[1]) and (chunk := os.read(0, 65536)):
    read += chunk
launch.give_back(read, more=sys.argv[2] == "more")
launch.become(sys.argv[3], sys.argv[3:], dict(os.environ), None)
"""


def becoming(taken: int, more: str, *program: str, stdin: bytes) -> bytes:
    """What a program prints that a process becomes which has read some of its input."""
    done = subprocess.run(
        [sys.executable, "-c", BECOME, str(taken), more, *program],
        input=stdin,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": HELPER},
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("size", [0, 1, 4_096, 65_535, 65_536, 65_537, 1_048_576])
def test_all_that_was_read_is_read_again(size: int) -> None:
    content = os.urandom(size)
    assert becoming(2 * size + 1, "all", "/bin/cat", stdin=content) == content


@pytest.mark.parametrize("taken", [1, 65_536, 1_048_577])
def test_what_was_not_read_follows(taken: int) -> None:
    content = os.urandom(3 * 1_048_576)
    assert becoming(taken, "more", "/bin/cat", stdin=content) == content


@pytest.mark.parametrize("size", [10, 1_048_576])
def test_a_program_that_reads_nothing_is_not_waited_for(size: int) -> None:
    # And nobody is left who holds its output open: this would not return otherwise.
    out = becoming(2 * size, "all", "/bin/echo", "done", stdin=os.urandom(size))
    assert out == b"done\n"


def test_what_feeds_it_holds_nothing_of_ours() -> None:
    script = "exec 1>&-; sleep 0.2; wc -c >&2"
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", BECOME, "2000000", "all", "/bin/sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": HELPER},
    ) as process:
        os.close(writer)
        assert process.stdin is not None
        process.stdin.write(bytes(1_000_000))
        process.stdin.close()
        # The end of its output is seen as soon as it closes that itself, while it is still fed.
        assert os.read(reader, 1) == b""
        assert process.poll() is None
        assert process.stderr is not None
        assert process.stderr.read().strip() == b"1000000"
    os.close(reader)
    assert process.returncode == 0


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        launch.become(str(tmp_path / "gone"), ["gone"], {}, None)


def test_where_no_process_becomes_another_its_exit_status_counts() -> None:
    words = ["called so", "-c", 'test "$0 $A" = "x b" && exit 7', "x"]
    assert windows_launch.run("/bin/sh", words, {"A": "b"}) == 7
