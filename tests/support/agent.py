"""The agent of a test's home: found, asked, hindered, and always gone at the end."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket as sockets
import struct
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from credlatch.agent import place, wire
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.program import Answer, Program

_T = TypeVar("_T")

READY = 30.0  # seconds that an agent may take to come up, or to end, on a machine that is busy
_LOCAL_PEERPID = 2  # sys/un.h of macOS
WARM = "warm.example"  # the host that it is woken with, for which there is no login


def until(ready: Callable[[], _T | None], what: str) -> _T:
    """Wait until ``ready`` gives something, which is the result."""
    deadline = time.monotonic() + READY
    while (found := ready()) is None:
        assert time.monotonic() < deadline, f"waited {READY} s in vain: {what}"
        time.sleep(0.01)
    return found


def bazel_get(uri: str, home: str) -> tuple[bytes, ...]:
    """What a client asks for with its fields: Bazel's question, of a caller with that home."""
    stdin = f'{{"uri":"{uri}"}}'.encode()
    mounts = place.mount_namespace()
    return wire.GET, b"bazel", b"/", mounts, stdin, b"HOME=" + os.fsencode(home)


class Agent:
    """The agent that a program's calls start, and find.

    Attributes:
        program: the program.
        home: where it runs; a variable that is set there counts for its calls.
        runtime: the folder that XDG_RUNTIME_DIR names.
        folder: the agent's own folder in it.
    """

    def __init__(self, program: Program, runtime: Path) -> None:
        self.program = program
        self.home = program.home
        self.runtime = runtime
        self.folder = runtime / "credlatch"

    @property
    def socket(self) -> Path | None:
        """Its socket, if it listens."""
        return next(self.folder.glob("[0-9a-f]*.sock"), None)

    @property
    def lock(self) -> Path:
        """The lock that it holds."""
        (lock,) = self.folder.glob("*.lock")
        return lock

    def warm(self) -> int:
        """Make a call, which starts it whatever comes of it, and wait until it answers; its id."""
        self.may_start()
        self.program.bazel(f"https://{WARM}/")
        return self.up()

    def up(self) -> int:
        """Wait until it answers; its process id."""
        return until(self.pid, "the agent does not come up")

    def may_start(self) -> None:
        """Let the next call start it, however short a time ago it was started before."""
        if self.folder.exists():
            for lock in self.folder.glob("*.lock"):
                os.utime(lock, (0, 0))

    def connected(self, path: Path | None = None) -> sockets.socket:
        """A connection to it, by any name of its socket.

        Raises:
            OSError: nobody listens.
        """
        path = path or self.socket
        if path is None:
            raise FileNotFoundError(self.folder)
        connection = sockets.socket(sockets.AF_UNIX)
        try:
            connection.settimeout(TIMEOUT)
            connection.connect(str(path))
        except BaseException:
            connection.close()
            raise
        return connection

    def ask(
        self, asks_for: bytes, *fields: bytes, path: Path | None = None
    ) -> tuple[int, bytes, bytes] | None:
        """What it answers to a request that this process sends; None when it declines.

        Raises:
            OSError: nobody listens.
        """
        with self.connected(path) as connection:
            connection.sendall(wire.request(asks_for, *fields))
            data = b"".join(iter(lambda: connection.recv(65_536), b"")).lstrip(wire.PULSE)
        if data == wire.DECLINED:
            return None
        if not data:
            raise ConnectionError("it has ended")
        assert data[:1] == wire.ANSWERED, data
        assert len(data) == 5 + int.from_bytes(data[1:5], "big")
        status, out, err = wire.unpack(data[5:])
        return status[0], out, err

    def status(self) -> dict[str, str]:
        """What it says of itself; empty when there is none."""
        try:
            answer = self.ask(wire.STATUS)
        except (FileNotFoundError, ConnectionError):
            return {}
        assert answer is not None
        return dict(line.split(": ", 1) for line in answer[1].decode().splitlines())

    def pid(self) -> int | None:
        """Its process id; None when there is none."""
        status = self.status()
        return int(status["pid"]) if status else None

    def log(self) -> list[str]:
        """The calls that it remembers, without the one that has woken it."""
        answer = self.ask(wire.LOG)
        assert answer is not None
        return [row for row in answer[1].decode().splitlines() if f" {WARM} " not in row]

    @property
    def served(self) -> int:
        """How many calls it has answered itself."""
        calls, left = self._counted()
        return calls - left

    @property
    def calls(self) -> int:
        """How many calls have reached it; 0 when there is no agent."""
        return int(self.status().get("requests", "0,").split(",")[0])

    @property
    def declined(self) -> int:
        """How many calls it has left to their own processes."""
        return self._counted()[1]

    @property
    def resident(self) -> float:
        """Bytes that it has in memory, as it says itself."""
        number, unit = self.status()["memory"].split()
        assert unit == "MB"
        return float(number) * 1e6

    def _counted(self) -> tuple[int, int]:
        words = self.status()["requests"].replace(",", "").split()
        return int(words[0]), int(words[1])

    @contextmanager
    def answering(self, calls: int = 1) -> Iterator[None]:
        """See that it answers all the calls that are made in the block, and declines none."""
        before = self._counted()
        yield
        after = self._counted()
        assert (after[0] - before[0], after[1] - before[1]) == (calls, 0), self.log()[-5:]

    def call(self, uri: str) -> Answer:
        """A Bazel call that it must answer."""
        with self.answering():
            return self.program.bazel(uri)

    @contextmanager
    def stopped(self) -> Iterator[int]:
        """Have it hang, as in a debugger, for as long as the block."""
        pid = self.up()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield pid
        finally:
            os.kill(pid, signal.SIGCONT)

    def everywhere(self) -> set[int]:
        """The agents of this runtime folder, wherever their sockets are.

        All of them for root; for others the one that listens, as its memory is closed to them.
        """
        found = {pid for pid in (self.listening(),) if pid is not None}
        runtime = b"\0XDG_RUNTIME_DIR=%s\0" % os.fsencode(self.runtime)
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    b"\0agent\0serve\0" in (process / "cmdline").read_bytes()
                    and runtime in b"\0" + (process / "environ").read_bytes()
                ):
                    found.add(int(process.name))
            except OSError:
                continue  # ended, or not ours to look into
        return found

    def listening(self) -> int | None:
        """The process that listens at the socket, also when it hangs; None when this one does."""
        try:
            with closing(self.connected()) as connection:
                if sys.platform == "linux":
                    size = struct.calcsize("3i")
                    told = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, size)
                    pid: int = struct.unpack("3i", told)[0]
                else:
                    pid = connection.getsockopt(0, _LOCAL_PEERPID)
        except OSError:
            return None
        return pid if pid != os.getpid() else None

    def kill(self) -> None:
        """Kill it, also one that is just coming up, and wait until it is gone."""

        def is_gone() -> bool | None:
            for pid in self.everywhere():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            return self._is_gone

        until(is_gone, "it lives")

    def gone(self) -> None:
        """Wait until no agent lives."""
        until(lambda: self._is_gone, "it lives")

    @property
    def _is_gone(self) -> bool | None:
        """True when there is none, and nobody holds a lock, as an agent does all its life."""
        if self.everywhere():
            return None
        for path in self.folder.glob("*.lock"):
            try:
                lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            except OSError:
                continue  # nothing that an agent has made
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            finally:
                os.close(lock)
        return True


@contextmanager
def agent_of(program: Program) -> Iterator[Agent]:
    """Let a program have its agent, in a runtime folder of its own; it is gone after the block."""
    # Not below pytest's folder: the path of a socket has to be short.
    runtime = Path(tempfile.mkdtemp(prefix="credlatch-", dir="/tmp"))
    program.home.env.pop("CREDLATCH_AGENT", None)
    program.home.env["XDG_RUNTIME_DIR"] = str(runtime)
    agent = Agent(program, runtime)
    try:
        yield agent
    finally:
        agent.kill()
        shutil.rmtree(runtime)
