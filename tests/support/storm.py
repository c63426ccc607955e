"""Many processes let go at the same instant, and what each of them said.

Each is a shell that says that it is there and waits on a pipe; when all have said so, the pipe is
closed, and each turns into its program. So the program's start, too, happens at once, as when a
build tool calls its helper for many URLs.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event, Timer
from typing import TYPE_CHECKING

from support.program import Answer, Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from support.home import Home

LONGEST = 240  # seconds for all of them: a hundred that write take turns, on a busy machine
_WAIT = 'printf .; read -r _; call=$1; shift; exec "$@" <"$call.in" >"$call.out" 2>"$call.err"'


@dataclass(frozen=True)
class Call:
    """One call of the program.

    Attributes:
        args: the words after the program's name.
        stdin: what it reads.
        env: variables beside those of the program's home.
    """

    args: tuple[str, ...]
    stdin: bytes
    env: Mapping[str, str] = field(default_factory=dict)


def ask_together(home: Home, uri: str, *commands: list[str], times: int) -> set[str]:
    """Ask each command so many times, all at once, and give their headers.

    Each must answer with one Authorization header; equal answers are one in the set.
    """
    calls = [Call(tuple(command), bazel(uri).stdin) for command in commands] * times
    answers = at_once(Program([], home, home.path), calls, home.path / "together")
    return {str(answer.authorization) for answer in answers}


def bazel(uri: str) -> Call:
    """``credlatch get`` as Bazel calls it."""
    return Call(("get",), json.dumps({"uri": uri}).encode())


def docker(key: str) -> Call:
    """``credlatch docker get``."""
    return Call(("docker", "get"), key.encode())


class Timed(Answer):
    """An answer, and the seconds between the start of all and the end of this one."""

    seconds: float


def at_once(program: Program, calls: Sequence[Call], folder: Path) -> list[Timed]:
    """Make all the calls at the same time, and give their answers in the same order.

    Args:
        program: what is called.
        calls: what each process is asked.
        folder: where their input and output go; made here.
    """
    folder.mkdir()
    with ExitStack() as stack:
        here, say_here, wait_for_go, go = (stack.enter_context(end) for end in _pipes(2))
        running = [
            stack.enter_context(
                _started(program, call, folder / str(number), wait_for_go, say_here)
            )
            for number, call in enumerate(calls)
        ]
        say_here.close()
        assert len(here.read(len(running))) == len(running), "a shell ended before it was let go"
        begin = time.monotonic()
        go.close()
        # Without a limit of its own, `wait` asks the system once: hundreds that ask again and again
        # take the processor from what they wait for.
        limit = stack.enter_context(_killing(running, LONGEST))
        with ThreadPoolExecutor(len(running)) as pool:
            ended = list(pool.map(lambda process: _seconds(process, begin), running))
            assert not limit.is_set(), f"not all have ended within {LONGEST} s"
            return [
                _timed(process.returncode, folder / str(number), seconds)
                for number, (process, seconds) in enumerate(zip(running, ended, strict=True))
            ]


def _pipes(count: int) -> Iterator[BinaryIO]:
    """Both ends of each pipe, the one that is read from first."""
    for _ in range(count):
        read, write = os.pipe()
        yield os.fdopen(read, "rb")
        yield os.fdopen(write, "wb")


@contextmanager
def _started(
    program: Program, call: Call, files: Path, wait_for_go: BinaryIO, say_here: BinaryIO
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits; whatever happens, it has ended after the block."""
    files.with_suffix(".in").write_bytes(call.stdin)
    process = subprocess.Popen(
        ["sh", "-c", _WAIT, "sh", str(files), *program.command, *call.args],
        stdin=wait_for_go,
        stdout=say_here,
        stderr=subprocess.DEVNULL,
        env={**program.home.env, **call.env},
        cwd=program.home.path,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def _killing(running: Sequence[subprocess.Popen[bytes]], seconds: float) -> Iterator[Event]:
    """Kill what still runs after so long; the event is set then."""
    late = Event()

    def kill() -> None:
        late.set()
        for process in running:
            process.kill()

    timer = Timer(seconds, kill)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()


def _seconds(process: subprocess.Popen[bytes], begin: float) -> float:
    process.wait()
    return time.monotonic() - begin


def _timed(code: int, files: Path, seconds: float) -> Timed:
    out, err = (files.with_suffix(end).read_bytes() for end in (".out", ".err"))
    answer = Timed(code, out, err.decode())
    answer.seconds = seconds
    return answer
