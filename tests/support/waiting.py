"""A call that waits for its question, while something happens around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.program import Program

_READ = {"0", "63"}  # read(2) on x86_64 and aarch64


@contextmanager
def asking(program: Program, question: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    """A call in a session of its own, which has its question or, without one, waits for it.

    Nothing of it lives after the block.
    """
    pipe = subprocess.PIPE
    words, env = [*program.command, "get"], program.home.env
    with subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=pipe, env=env, start_new_session=True
    ) as process:
        try:
            if question:
                assert process.stdin is not None
                process.stdin.write(question)
                process.stdin.close()
                process.stdin = None
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


class Waiting:
    """A ``get`` of the frozen program.

    Attributes:
        pid: the process that reads: of the single file's, the one behind the loader.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        deadline = time.monotonic() + TIMEOUT
        while (pid := _reader(process.pid)) is None:
            assert process.poll() is None
            assert time.monotonic() < deadline, "it does not wait for its question"
            time.sleep(0.01)
        self.pid = pid

    def environ(self) -> dict[str, str]:
        """Its environment."""
        entries = _read(f"/proc/{self.pid}/environ").split("\0")
        return dict(entry.split("=", 1) for entry in entries if entry)

    def ask(self, uri: str) -> str | None:
        """Ask it; the one header of the answer, or None."""
        out, err = self._process.communicate(json.dumps({"uri": uri}).encode(), TIMEOUT)
        assert (self._process.returncode, err) == (0, b""), err
        headers = json.loads(out)["headers"]
        return str(headers["Authorization"][0]) if headers else None


@contextmanager
def waiting(program: Program) -> Iterator[Waiting]:
    """Call the program, and let it wait."""
    with asking(program) as process:
        try:
            yield Waiting(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # the loader tidies up
                process.wait(TIMEOUT)


def alive(session: int) -> list[int]:
    """The processes of a session that have not ended; init may be slow to take note of those."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        fields = _read(f"/proc/{name}/stat").rpartition(")")[2].split()  # from its state on
        if fields and fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(name))
    return found


def _reader(pid: int) -> int | None:
    for each in (pid, *map(int, _read(f"/proc/{pid}/task/{pid}/children").split())):
        call = _read(f"/proc/{each}/syscall").split()
        if call and call[0] in _READ and call[1] == "0x0":
            return each
    return None


def _read(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8") as file:
        return file.read()
    return ""
