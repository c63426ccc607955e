"""Many calls from a few callers, each calling again as soon as it is answered, as Bazel does."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.shared.peers import Peer, Question

CALLERS = 16
_SETTLE = 0.1  # seconds that an agent may still work after the last answer


@dataclass(frozen=True)
class Cost:
    """What all the calls took together.

    Attributes:
        wall: seconds from the first start to the last end.
        calls: seconds of CPU, user and system, of the processes that were started.
        agent: likewise of the agent meanwhile.
    """

    wall: float
    calls: float
    agent: float

    @property
    def cpu(self) -> float:
        """Seconds of CPU of all processes."""
        return self.calls + self.agent


def ask(peer: Peer, questions: Sequence[Question], folder: Path) -> Cost:
    """Ask all the questions, and see that every answer is right.

    Args:
        peer: who is asked.
        questions: what, in this order.
        folder: where questions and answers go; what is there is overwritten.

    Raises:
        RuntimeError: an answer is wrong, or a call failed.
    """
    folder.mkdir(exist_ok=True)
    for number, question in enumerate(questions):
        (folder / f"{number}.in").write_bytes(question.stdin)
    words = [str(word) for word in peer.call.command]
    env = dict(peer.call.env or {})

    def one(number: int) -> float:
        call = _spawn(words, env, folder / str(number))
        # The processes that a call has waited for are part of its usage.
        _, status, usage = os.wait4(call, 0)
        if status != 0:
            said = (folder / f"{number}.err").read_text()
            raise RuntimeError(f"{peer.name} ends with status {status}: {said}")
        return usage.ru_utime + usage.ru_stime

    before = peer.agent.cpu() if peer.agent else 0.0
    with chdir(peer.call.cwd or folder), ThreadPoolExecutor(CALLERS) as pool:
        begin = time.perf_counter()
        calls = sum(pool.map(one, range(len(questions))))
        wall = time.perf_counter() - begin
    time.sleep(_SETTLE)
    after = peer.agent.cpu() if peer.agent else 0.0
    for number, question in enumerate(questions):
        question.check(peer.name, (folder / f"{number}.out").read_bytes())
    return Cost(wall, calls, after - before)


def _spawn(words: list[str], env: dict[str, str], files: Path) -> int:
    """Start a process that reads FILES.in, and writes FILES.out and FILES.err; its id.

    This is the least that a start can cost: there is neither a pipe to be served nor a fork.
    """
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, f"{files}.in", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, f"{files}.out", write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, f"{files}.err", write, 0o600),
    ]
    return os.posix_spawn(words[0], words, env, file_actions=streams)
