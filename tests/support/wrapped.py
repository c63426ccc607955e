"""``credlatch secrets`` around a shell script, with a token in its home."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from support.started import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Answer, Program

URL = "https://packages.example.com/simple/"
VARIABLE = "CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"
TOKEN = "t0k3n-of-these-tests"
SECRET = ("--secret", f"id=t,url={URL},as=token")
# A shell runs its trap when the command in the foreground has ended.
NAPPING = "while :; do sleep 0.05; done"


@pytest.fixture(name="logged_in")
def token_in_the_environment(home: Home, runtime: Path) -> Path:
    """A token; the folder in which those with secrets are made, and none is left."""
    home.env[VARIABLE] = TOKEN
    return runtime


def wrapped(program: Program, script: str, *options: str) -> Answer:
    """Run a shell script with secrets."""
    return program("secrets", *(options or SECRET), "--", "sh", "-c", script)


def one_line(answer: Answer, code: int) -> str:
    """The one line that it has said; it has ended as it must."""
    assert answer.code == code, answer
    assert answer.err.startswith("credlatch: "), answer
    assert answer.err.count("\n") == 1, answer
    assert TOKEN not in answer.err
    assert "internal error" not in answer.err
    return answer.err


@contextmanager
def running(program: Program, script: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A script that has said that it is ready, in a session of its own."""
    with started(
        [*program.command, "secrets", *(options or SECRET), "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=program.home.env,
        cwd=program.home.path,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
