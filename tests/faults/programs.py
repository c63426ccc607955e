"""The program itself is disturbed: its launcher, the single file that unpacks itself, the agent."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from faults.scenarios import OLD, SECRET, Logins, Scenario
from support.agent import agent_of
from support.false_bus import FalseBus
from support.installed import builds, run_folder
from support.program import Program
from support.storm import Call, bazel, docker

if TYPE_CHECKING:
    from contextlib import ExitStack

    from faults.calls import Fault
    from support.agent import Agent

HOST = "token.example.com"
_COMES = 60.0  # seconds that an agent may take to listen, or to end, while each call is traced


class KeyringLogins(Logins):
    """A login is kept, forgotten or read in the system's keyring, over D-Bus."""

    def prepare(self) -> None:
        shutil.rmtree(self.home.path / ".rattler", ignore_errors=True)
        self._bus.items.clear()
        for key, value in OLD.items():
            self._bus.add("rattler", key, json.dumps(value))
        self.home.env["DBUS_SESSION_BUS_ADDRESS"] = self._bus.address

    def state(self) -> object:
        """What is in the keyring; nothing is in the clear."""
        assert not (self.home.path / ".rattler/credentials.json").exists(), "it is in the clear"
        kept = [(names["username"], json.loads(text)) for names, text in self._bus.items.values()]
        return sorted(kept, key=str)

    def is_meant(self, fault: Fault) -> bool:
        """A bus that nobody serves is none: without a keyring, logins are in the file."""
        return (fault.name, fault.error) == ("connect", "ECONNREFUSED")

    def begin(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fb-")))
        self._bus = stack.enter_context(FalseBus(folder / "bus"))
        stack.callback(self.home.env.pop, "DBUS_SESSION_BUS_ADDRESS", None)


class Launched(Scenario):
    """The launcher becomes the program."""

    writes = False
    name = "launcher"
    of_launcher = True
    call = docker(HOST)

    def prepare(self) -> None:
        self.home.write_rattler(OLD)

    def state(self) -> object:
        return self.home.read_rattler()


class _WithAgent(Launched):
    """Something of the agent's."""

    of_launcher = False
    agent: Agent

    def begin(self, stack: ExitStack) -> None:
        before = dict(self.home.env)
        stack.callback(self.home.env.update, before)
        self.agent = stack.enter_context(agent_of(self.program))


class Asking(_WithAgent):
    """The launcher asks the agent, which answers."""

    of_launcher = True
    name = "launcher-asks"

    def prepare(self) -> None:
        super().prepare()
        if self.agent.listening() is None:
            self.agent.warm()


class Starting(_WithAgent):
    """An agent is started."""

    writes = True
    answers = False
    name = "agent-start"
    leaves_a_process = True
    call = Call(("agent", "start"), b"")

    def prepare(self) -> None:
        self.agent.kill()
        shutil.rmtree(self.agent.folder, ignore_errors=True)

    def state(self) -> object:
        return self.agent.listening() is not None


class Serving(_WithAgent):
    """The agent comes up, is asked, and ended. Whatever goes wrong there, calls are answered."""

    answers = False
    name = "agent-serve"
    call = Call(("agent", "serve"), b"")

    def prepare(self) -> None:
        super().prepare()
        self.agent.kill()
        shutil.rmtree(self.agent.folder, ignore_errors=True)
        self._wrong: list[str] = []

    def meanwhile(self, process: subprocess.Popen[bytes]) -> None:
        """Ask it, and have it end."""
        deadline = time.monotonic() + _COMES
        while process.poll() is None and self.agent.listening() is None:
            if time.monotonic() > deadline:
                self._wrong.append("it neither listens nor ends")
                break
            time.sleep(0.01)
        for asked in (bazel(f"https://{HOST}/a"), docker("old.example.com"), bazel("https://b/")):
            answer = self.program(*asked.args, stdin=asked.stdin)
            # What it cannot read is told.
            is_told = answer.code == 1 and answer.said.count("\n") == 1
            if not is_told and (SECRET in answer.said) != (b"//b/" not in asked.stdin):
                self._wrong.append(f"a call is answered wrongly: {answer}")
        if self.program("agent", "stop").code != 0:
            self.program("agent", "stop")  # what has been asked was lost
        try:
            process.wait(_COMES)
        except subprocess.TimeoutExpired:
            self._wrong.append("it does not end")
        self.agent.kill()

    def state(self) -> object:
        assert not self._wrong, self._wrong
        return super().state()


class Unpacking(Launched):
    """The single file runs, and has unpacked itself, or does it now."""

    def __init__(self, program: Program, single: Path, *, is_there: bool) -> None:
        super().__init__(Program([str(single)], program.home, program.home.path))
        self.name = "single-unpacked" if is_there else "single-unpacks"
        self.writes = not is_there
        self._is_there = is_there
        self._whole: object = None

    def prepare(self) -> None:
        super().prepare()
        self.home.env.pop("CREDLATCH_CACHE", None)
        if not self._is_there or self._whole is None:
            for place in self._places:
                shutil.rmtree(place, ignore_errors=True)
        if self._whole is None:
            assert self.program("--version").code == 0
            (build,) = builds(run_folder(self.home))
            self._whole = _contents(build)
            if not self._is_there:
                self.prepare()

    @property
    def _places(self) -> list[Path]:
        return [run_folder(self.home).parent, self.home.path / "run/credlatch"]

    def state(self) -> object:
        """Whether it is somewhere, and then whole."""
        runs = [place / "run" for place in self._places if (place / "run").exists()]
        found = [build for run in runs for build in builds(run)]
        for build in found:
            assert _contents(build) == self._whole, f"{build} is not whole"
        return bool(found), self.home.read_rattler()


def _contents(folder: Path) -> object:
    """The files of a folder: names, modes and sizes."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            found[str(path.relative_to(folder))] = (status.st_mode, status.st_size)
    return found
