"""What happens meanwhile: the agent is killed, stopped or starved, servers fail, clocks jump."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from soak.world import HARMLESS, LYING, SLOW, World

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from support.agent import Agent
    from support.surroundings import Clock

PAUSE = (0.05, 0.6)  # seconds between two events
_FEW = 6  # descriptors, fewer than an agent has open
_MONTH = 30 * 86_400  # seconds


class Chaos:
    """One event after the other, as long as it is let.

    Args:
        world: the hosts.
        agent: the agent.
        clock: what an agent is started with whose clock jumps.
        dice: chooses.

    Attributes:
        events: how often each has happened.
        may_end: whether the agent is ended, too.
    """

    def __init__(self, world: World, agent: Agent, clock: Clock, dice: random.Random) -> None:
        self.events: Counter[str] = Counter()
        self.may_end = True
        self._world = world
        self._agent = agent
        self._clock = clock
        self._dice = dice
        self._ended = threading.Event()
        self.failure: BaseException | None = None

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Have it happen as long as the block."""
        self._ended.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        ends = [self._kill, self._end, self._jump]
        others = [self._log_in, self._log_in, self._fail, self._fail, self._slow, self._hang]
        others += [self._starve, self._fill]
        try:
            while not self._ended.wait(self._dice.uniform(*PAUSE)):
                event = self._dice.choice([*others, *(ends if self.may_end else [])])
                self.events[event.__name__.strip("_")] += 1
                event()
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            self.failure = error

    def _pid(self) -> int | None:
        return self._agent.listening()

    def _log_in(self) -> None:
        self._world.log_in_again(self._dice)

    def _kill(self) -> None:
        with self._world.nothing_under_way():
            if (pid := self._pid()) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._agent.may_start()

    def _end(self) -> None:
        self._agent.program("agent", "stop")
        self._agent.may_start()

    def _hang(self) -> None:
        if (pid := self._pid()) is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._ended.wait(self._dice.uniform(0.1, 1.0))
            os.kill(pid, signal.SIGCONT)

    def _starve(self) -> None:
        """No descriptor is left to the agent."""
        self._limited(resource.RLIMIT_NOFILE, _FEW)

    def _fill(self) -> None:
        """Nothing that the agent writes is kept (EFBIG)."""
        self._limited(resource.RLIMIT_FSIZE, 0)

    def _limited(self, what: int, most: int) -> None:
        if (pid := self._pid()) is None:
            return
        with suppress(ProcessLookupError):
            before = resource.prlimit(pid, what)
            resource.prlimit(pid, what, (most, before[1]))
            self._ended.wait(self._dice.uniform(0.1, 1.0))
            resource.prlimit(pid, what, before)

    def _fail(self) -> None:
        server = self._dice.choice(self._world.servers)
        server.fault = self._dice.choice(HARMLESS if server.rotate else (*HARMLESS, *LYING))
        self._ended.wait(self._dice.uniform(0.1, 2.0))
        server.fault = None

    def _slow(self) -> None:
        server = self._dice.choice(self._world.servers)
        server.delay = SLOW
        self._ended.wait(self._dice.uniform(0.1, 2.0))
        server.delay = 0.0

    def _jump(self) -> None:
        """An agent of which the clock jumps, forth, back, and to where it belongs."""
        self._kill()
        home = self._agent.home
        environ = {**home.env, **self._clock.environ}
        words = [*self._agent.program.command, "agent", "serve"]
        nothing = subprocess.DEVNULL
        with subprocess.Popen(
            words, env=environ, cwd=home.path, stdin=nothing, stdout=nothing, stderr=nothing
        ) as process:
            try:
                self._ended.wait(0.5)
                self._world.clock_is_wrong = True
                for seconds in (_MONTH, -_MONTH, 60, -60):
                    self._clock.set(seconds)
                    self._ended.wait(self._dice.uniform(0.1, 0.5))
                self._clock.set(0)
            finally:
                with self._world.nothing_under_way():
                    process.kill()
        time.sleep(0.05)
        self._world.clock_is_wrong = False
        self._agent.may_start()


def left(folder: Path) -> list[str]:
    """What is in a folder, and below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
