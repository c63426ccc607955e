"""A soak: many requests while things go wrong, and what they leave."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from credlatch.agent import place, wire
from soak.chaos import Chaos, left
from soak.world import RENEWED, Asked, Server, World
from support.logins import age_notes
from support.program import Answer, run
from support.surroundings import Clock

if TYPE_CHECKING:
    from support.agent import Agent
    from support.program import Program

CALLERS = 6
PROGRAMS = 0.15  # of the requests come by the program, the others by the agent's frames
LAST = 0.3  # of them, in the last part of which the agent is not ended: it must not grow
GROWTH = 4_000_000  # bytes that its memory may be larger afterwards: other hosts' answers, caches
_MANY = 20_000  # requests after which it has all that it will have: what it sends with, too
_WARM = 0.3  # of the last part, after which it has all that it needs


@dataclass
class Size:
    """What a process has of everything, and how many files there are in its folder and the home."""

    resident: int
    descriptors: int
    threads: int
    files: int

    def __str__(self) -> str:
        return (
            f"{self.resident / 1e6:.1f} MB, {self.descriptors} descriptors, "
            f"{self.threads} threads, {self.files} files"
        )


@dataclass
class Report:
    """What a soak has shown.

    Attributes:
        requests: how many there were.
        counts: who answered, and how.
        events: what happened meanwhile.
        sizes: the agent's, in the last part: early and late.
        lost: how many logins nobody can renew any more.
        seconds: how long it took.
        problems: what should not have been.
    """

    requests: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    sizes: list[Size] = field(default_factory=list)
    lost: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        shown = [f"{name} {number}" for name, number in sorted(self.counts.items())]
        events = [f"{name} {number}" for name, number in sorted(self.events.items())]
        lines = [
            f"{self.requests} requests in {self.seconds:.0f} s: {', '.join(shown)}",
            f"meanwhile: {', '.join(events)}",
            *(f"the agent: {size}" for size in self.sizes),
            f"{self.lost} lost, {len(self.problems)} problems",
        ]
        return "\n".join([*lines, *self.problems[:50]])


class Soak:
    """Callers, and what they ask and are told.

    Args:
        agent: of the program.
        world: the hosts.
        seed: chooses.
    """

    def __init__(self, agent: Agent, world: World, seed: int) -> None:
        self.report = Report()
        self._agent = agent
        self._program: Program = agent.program
        self._world = world
        self._seed = seed
        self._lock = threading.Lock()
        self._variables = b"\0".join(
            os.fsencode(f"{name}={value}") for name, value in agent.home.env.items()
        )
        self._mounts = place.mount_namespace()

    def ask(self, count: int) -> None:
        """So many requests, by several callers at once."""
        each = count // CALLERS
        with ThreadPoolExecutor(CALLERS) as pool:
            for done in [pool.submit(self._ask, each, number) for number in range(CALLERS)]:
                done.result()

    def _ask(self, count: int, number: int) -> None:
        dice = random.Random(f"{self._seed} {number} {self.report.requests}")  # noqa: S311 - to be repeated
        counts: Counter[str] = Counter()
        for _ in range(count):
            asked = self._world.question(dice)
            known, began = self._world.known(asked.host), time.time()
            answer = None if dice.random() < PROGRAMS else self._by_frames(asked)
            by = "agent" if answer is not None else "program"
            if answer is None:
                answer = run(self._agent.home, [*self._program.command, *asked.words], asked.stdin)
            counts[by] += 1
            counts["refused"] += answer.code != 0
            counts[f"of {self._world.kind(asked.host)}"] += 1
            wrong = self._world.wrong(asked, known, began, answer)
            if wrong:
                with self._lock:
                    self.report.problems.append(f"  {asked.host} by the {by}: {wrong}: {answer}")
        with self._lock:
            self.report.counts += counts
            self.report.requests += count

    def _by_frames(self, asked: Asked) -> Answer | None:
        """What the agent answers, as the launcher asks it; None: it does not."""
        name = b"docker" if asked.words[0] == "docker" else b"bazel"
        cwd = os.fsencode(self._agent.home.path)
        fields = (name, cwd, self._mounts, asked.stdin, self._variables)
        try:
            answer = self._agent.ask(wire.GET, *fields)
        except OSError:
            return None
        return None if answer is None else Answer(answer[0], answer[1], answer[2].decode())

    def size(self) -> Size:
        """The agent's."""
        process = Path(f"/proc/{self._agent.up()}")
        told = dict(
            line.split(":", 1) for line in (process / "status").read_text().splitlines() if line
        )
        descriptors = len(list((process / "fd").iterdir()))
        files = len(left(self._agent.folder)) + len(left(self._agent.home.path))
        return Size(int(told["VmRSS"].split()[0]) * 1024, descriptors, int(told["Threads"]), files)


def soak(agent: Agent, folder: Path, requests: int, seed: int) -> Report:
    """Make so many requests; what came of them.

    Args:
        agent: of the program.
        folder: for what is needed.
        requests: how many.
        seed: chooses what is asked, and what happens.
    """
    begin = time.monotonic()
    with ExitStack() as stack:
        servers = [stack.enter_context(Server()) for _ in range(RENEWED)]
        for server in servers:
            server.redirect_to = "http://127.0.0.1:1/token"
        world = World(agent.home, servers)
        clock = Clock(folder / "clock")
        chaos = Chaos(world, agent, clock, random.Random(seed))  # noqa: S311 - to be repeated
        doing = Soak(agent, world, seed)
        agent.warm()
        with chaos.going_on():
            doing.ask(round(requests * (1 - LAST)))
        chaos.may_end = False
        agent.may_start()
        pid = agent.warm()
        with chaos.going_on():
            doing.ask(round(requests * LAST * _WARM))
        early = doing.size()
        with chaos.going_on():
            doing.ask(round(requests * LAST * (1 - _WARM)))
        late = doing.size()
        report = doing.report
        report.events, report.sizes = chaos.events, [early, late]
        report.counts["renewals"] = sum(len(server.issued) - 1 for server in servers)
        report.problems += _left(agent, world, doing, pid, early, late)
    report.seconds = time.monotonic() - begin
    return report


def _left(agent: Agent, world: World, doing: Soak, pid: int, early: Size, late: Size) -> list[str]:
    """What is wrong with what all that has left."""
    problems = [f"  {each}" for each in world.lost()]
    doing.report.lost = len(problems)
    if agent.everywhere() != {pid}:
        problems.append(f"  the agents are {agent.everywhere()}, and it was {pid}")
    if late.resident - early.resident > GROWTH and doing.report.requests >= _MANY:
        problems.append(f"  the agent has grown from {early} to {late}")
    if late.descriptors > early.descriptors + 2 or late.threads > early.threads + 2:
        problems.append(f"  the agent holds on to more: {early}, {late}")
    age_notes(agent.home, 3600)
    before = doing.report.counts["refused"]
    doing.ask(600)  # nothing goes wrong any more
    if doing.report.counts["refused"] != before:
        problems.append("  calls are refused though nothing goes wrong")
    problems += _files(agent)
    return problems


def _files(agent: Agent) -> list[str]:
    """Files that should not be there."""
    ours = {"credentials.json", "credentials.json.lock", "credentials.json.renewals"}
    beside = set(left(agent.home.path / ".rattler")) - ours
    runtime = {Path(name).suffix for name in left(agent.folder)} - {".sock", ".lock"}
    several = len(left(agent.folder)) > 2
    below = [name for name in left(agent.home.path) if not name.startswith((".rattler", "run"))]
    others = [name for name in below if name != ".netrc"]
    found = [*beside, *runtime, *(left(agent.folder) if several else []), *others]
    return [f"  files are left: {found}"] if found else []
