"""The agent on Windows: started by a program's calls, asked by its pipe, and gone at the end."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from credlatch.agent import wire
from support.windows_python import words_for
from support.wine import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.program import Answer
    from support.wine import Windows

READY = 120.0  # seconds that an agent may take to come up, or to end: Wine on a busy machine
_ANSWERS = """
import msvcrt
from credlatch.system import windows_pipes as pipes, windows_users as users
name = r"\\\\.\\pipe\\credlatch-%s-%s" % (users.own(), given)
tell(users.logon_session().decode())
while line := sys.stdin.buffer.readline():
    frame = bytes.fromhex(json.loads(line))
    try:
        connection = pipes.connect(name, 60.0)
        if connection is None:
            tell(None)
            continue
        connection.settimeout(60.0)
        connection.sendall(frame)
        tell([pipes.server_of(connection._handle), b"".join(
            iter(lambda: connection.recv(65536), b"")).hex()])
        connection.close()
    except OSError as error:
        tell(repr(error))
"""


class WindowsAgent:
    """The agent of one form of the program.

    Attributes:
        program: the program, whose calls have an agent.
        build: which build that is.
        session: the logon session of all that runs in this Wine.
    """

    def __init__(self, program: Windows) -> None:
        self.program = program
        del program.env["CREDLATCH_AGENT"]
        self.build = build()
        streams: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._client: subprocess.Popen[bytes] = subprocess.Popen(words_for(_ANSWERS), **streams)
        self.session: str = self._told(self.build)

    def _told(self, given: object) -> Any:
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(json.dumps(given).encode() + b"\n")
        self._client.stdin.flush()
        line = self._client.stdout.readline()
        assert line, self._client.communicate()
        return json.loads(line)

    def ask(self, what: bytes, *fields: bytes) -> tuple[int, bytes, bytes] | bytes | None:
        """What it answers: the fields of an answer, or what else it says; None: there is none."""
        told = self._told(wire.request(what, *fields).hex())
        if told is None:
            return None
        assert isinstance(told, list), told
        data = bytes.fromhex(told[1]).lstrip(wire.PULSE)
        if data[:1] != wire.ANSWERED:
            return data
        status, out, err = wire.unpack(data[5:])
        return status[0], out, err

    def get(
        self, uri: str, environ: Mapping[str, str], session: str | None = None, cwd: str = "C:\\"
    ) -> tuple[int, bytes, bytes] | bytes | None:
        """What it answers to Bazel's question of a caller with those variables."""
        variables = "\0".join(f"{name}={value}" for name, value in environ.items())
        return self.ask(
            wire.GET,
            b"bazel",
            cwd.encode(),
            (session or self.session).encode(),
            json.dumps({"uri": uri}).encode(),
            variables.encode("utf-8", "surrogatepass"),
        )

    def status(self) -> dict[str, str]:
        """What it says of itself; empty when there is none."""
        answer = self.ask(wire.STATUS)
        if not isinstance(answer, tuple):
            return {}
        return dict(line.split(": ", 1) for line in answer[1].decode().splitlines())

    def log(self) -> list[str]:
        """The calls that it remembers."""
        answer = self.ask(wire.LOG)
        assert isinstance(answer, tuple)
        return answer[1].decode().splitlines()

    def up(self, host: str) -> Answer:
        """Have a call start it; that call's answer."""
        self.age()
        answer = self.program.bazel(f"https://{host}/")
        until(self.status, "it does not come up")
        return answer

    def age(self) -> None:
        """Have the last start be long ago, so that the next call may try again."""
        for lock in self.locks():
            os.utime(lock, (0, 0))

    def locks(self) -> list[str]:
        """The lock files."""
        folder = self.program.home.path / "AppData" / "Local" / "credlatch" / "agent"
        return [str(path) for path in folder.glob("*.lock")]

    def gone(self) -> None:
        """Wait until there is none; one that is just ending may hang up."""
        asked = wire.request(wire.STATUS).hex()
        until(lambda: self._told(asked) is None, "it lives")

    def close(self) -> None:
        """End it."""
        try:
            self.ask(wire.STOP)
            self.gone()
        finally:
            self._client.kill()
            self._client.communicate()


def until(ready: Callable[[], object], what: str) -> None:
    """Wait until ``ready`` gives something true."""
    deadline = time.monotonic() + READY
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def windows_agent(program: Windows) -> Iterator[WindowsAgent]:
    """Let a program have its agent for as long as the block."""
    agent = WindowsAgent(program)
    try:
        yield agent
    finally:
        agent.close()
