"""What happens when a token ends: 200 callers at once, one renewal, on a quiet or a busy machine.

Busy are 60 loops that never end: of the lowest priority, as a careful build's, and of the callers'
own, where the scheduler gives each of them as much as each caller. Run by ``./dev bench expiry``.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.shared.findings import Findings, Table
from bench.shared.ground import FOLDER
from bench.shared.ours import label

from support.logins import ENDED, OAuthLogin
from support.program import Program
from support.storm import at_once, bazel
from support.timing import Timed
from support.token_server import TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.shared.findings import Effort
    from bench.shared.ground import Ground

    from support.storm import Timed as Answered

CALLERS = 200
LOOPS = 60
ROUNDS = 3
DELAY = 0.3  # seconds that the token server takes
LIVES = (3600, 300)  # seconds that a fresh token lives
BAZEL_WAITS = 10.0  # seconds
LOADS = (("quiet", 0, 0), ("60 loops at nice 19", LOOPS, 19), ("60 loops at nice 0", LOOPS, 0))
_SETTLE = 0.5  # seconds that loops need to be there


def measure(ground: Ground, effort: Effort) -> Findings:
    """Let all the callers go at once, under each load, with the agent and without."""
    rows = []
    for loaded, loops, nice in LOADS:
        for life in LIVES:
            for agent in (True, False):
                rounds = [
                    _storm(ground, f"{loops}-{nice}-{life}-{agent:d}-{number}", life, loops, nice)
                    for number in range(effort.of(ROUNDS, 1))
                ]
                rows.append((label(FOLDER, agent=agent), loaded, f"{life}", *_figures(rounds)))
    head = ("program", "machine", "token lives s", "right of 200", "requests", "last answer s")
    note = (
        f"The worst, and of the last answer's time the median, of {effort.of(ROUNDS, 1)} rounds. "
        f"Right is an answer with the fresh token within Bazel's {BAZEL_WAITS:.0f} s. The token "
        f"server takes {DELAY} s."
    )
    return Findings([Table(f"{CALLERS} callers of one expired token", head, rows, note)])


def _storm(
    ground: Ground, name: str, life: int, loops: int, nice: int
) -> tuple[list[Answered], TokenServer]:
    """One storm, and the server as it left it; the home's name says whether it has an agent."""
    agent = name.split("-")[3] == "1"
    home = ground.home(name, agent=agent)
    program = Program([str(ground.forms[FOLDER])], home, ground.path)
    with TokenServer() as server:
        server.delay, server.lifetime = DELAY, life
        login = OAuthLogin(home, server)
        if agent:
            warm = ground.agent(FOLDER, home)
            login.write(LIVES[0])
            question = bazel(login.uri)
            words = [*program.command, *question.args]
            warm.warm_up(Timed(name, words, question.stdin, home.env, home.path))
        login.write(ENDED)
        with _busy(loops, nice):
            calls = [bazel(f"{login.uri}?{number}") for number in range(CALLERS)]
            return at_once(program, calls, ground.path / f"storm-{name}"), server


def _figures(rounds: list[tuple[list[Answered], TokenServer]]) -> tuple[str, str, str]:
    right = min(_right(answers, server) for answers, server in rounds)
    asked = max(len(server.posts("/token")) for _, server in rounds)
    last = statistics.median(max(each.seconds for each in answers) for answers, _ in rounds)
    return f"{right}", f"{asked}", f"{last:.1f}"


def _right(answers: list[Answered], server: TokenServer) -> int:
    header = f"Bearer {server.current_access_token}"
    return sum(
        each.code == 0 and each.authorization == header and each.seconds < BAZEL_WAITS
        for each in answers
    )


@contextmanager
def _busy(loops: int, nice: int) -> Iterator[None]:
    """Loops that take what they can get of the processor."""
    words = ["nice", "-n", str(nice), "sh", "-c", "while :; do :; done"]
    running = [subprocess.Popen(words) for _ in range(loops)]
    try:
        time.sleep(_SETTLE)
        yield
    finally:
        for each in running:
            each.kill()
        for each in running:
            each.wait()
