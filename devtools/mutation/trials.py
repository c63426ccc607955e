"""A plugin of pytest: which tests call which function, and then each mutant against these tests.

Tests are collected once; each mutant is tried in a process that is forked off. Tests that fail
although nothing is changed (they look at the files themselves) kill no mutant, and neither does
what a test does in programs that it starts: they run unchanged.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credlatch import trampoline  # type: ignore[attr-defined]  # in the mutated copy alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

_AT_ONCE = os.cpu_count() or 1
_LIMIT = 30  # seconds of the processor beside what the tests take; five times that by the clock


class Trials:
    """The session's tests, and what is known of each."""

    def __init__(self, session: pytest.Session, budget: float) -> None:
        self.session, self.budget, self.failed = session, budget, False
        self.known: dict[int, tuple[float, list[str]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See that a test has failed."""
        self.failed |= report.failed

    def run(self, numbers: list[int]) -> Iterator[tuple[int, bool, float]]:
        """Run tests: the number of each, whether it has failed, its seconds of the processor."""
        tests = [self.session.items[number] for number in numbers]
        for number, test, following in zip_longest(numbers, tests, tests[1:]):
            self.failed, began = False, time.process_time()
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
            yield number, self.failed, time.process_time() - began

    def survey(self, share: list[int], said: Path) -> None:
        """See which functions each test calls."""
        found = {}
        trampoline.called.clear()
        for number, failed, seconds in self.run(share):
            found[number] = (failed, seconds, sorted(trampoline.called))
            trampoline.called.clear()
        said.write_text(json.dumps(found))

    def tests(self, function: str) -> list[int]:
        """The tests that call a function: first its module's, and those that call little else."""
        calls = [number for number, (_, called) in self.known.items() if function in called]
        room = function.split(".")[-2].partition("_")[0]  # netrc for stores.netrc_text

        def distance(number: int) -> tuple[bool, int, float]:
            seconds, called = self.known[number]
            return room not in self.session.items[number].path.name, len(called), seconds

        chosen, left = [], self.budget
        for number in sorted(calls, key=distance):
            if self.known[number][0] <= left:
                left -= self.known[number][0]
                chosen.append(number)
        return chosen

    def trial(self, mutant: str, numbers: list[int], said: Path) -> None:
        """Run tests with the mutant until one fails, and name that."""
        limit = int(_LIMIT + sum(self.known[number][0] for number in numbers))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        module, _, name = mutant.rpartition(".")
        trampoline.chosen[module] = name
        for number, failed, _ in self.run(numbers):
            if failed:
                said.write_text(self.session.items[number].nodeid)
                return


def in_processes(jobs: list[tuple[Callable[[Path], None], float]]) -> Iterator[tuple[int, str]]:
    """Run each job in a process of its own, some at once: its number, and what it has said.

    A job may take so many seconds; one that does not end by itself has said "timed out".
    """
    running: dict[int, tuple[int, float, str]] = {}
    waiting = list(enumerate(jobs))[::-1]
    while waiting or running:
        if waiting and len(running) < _AT_ONCE:
            number, (job, seconds) = waiting.pop()
            folder = tempfile.mkdtemp(prefix="mutant-")
            pid = os.fork()
            if pid == 0:
                _job(job, folder)
            running[pid] = number, time.monotonic() + seconds, folder
            continue
        time.sleep(0.01)
        for pid, (number, until, folder) in list(running.items()):
            late = time.monotonic() > until
            if late:
                os.killpg(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, 0 if late else os.WNOHANG)
            if ended:
                del running[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)  # what its tests have left behind
                said = Path(folder, "said")
                out_of_time = late or os.WTERMSIG(status) == signal.SIGXCPU
                text = said.read_text() if said.exists() else "ended" if status else ""
                shutil.rmtree(folder, ignore_errors=True)
                yield number, "timed out" if out_of_time else text


def _job(job: Callable[[Path], None], folder: str) -> None:
    try:
        os.setpgid(0, 0)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        job(Path(folder, "said"))
        os._exit(0)
    finally:
        os._exit(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the command says to this."""
    parser.addoption("--budget", type=float)


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try the mutants, instead of running the tests."""
    trials = Trials(session, session.config.getoption("--budget"))
    session.config.pluginmanager.register(trials)
    everything = list(range(len(session.items)))
    shares = [everything[n::_AT_ONCE] for n in range(_AT_ONCE)]
    jobs: Any = [(lambda said, s=s: trials.survey(s, said), 3600) for s in shares]
    for _, text in in_processes(jobs):
        for number, (failed, seconds, called) in json.loads(text).items():
            if failed:
                print(f"not used: {session.items[int(number)].nodeid}", file=sys.stderr)
            else:
                trials.known[int(number)] = seconds, called
    mutants = json.loads(Path("mutants.json").read_text())
    jobs = []
    for mutant in mutants:
        function = f"{mutant['id'].rpartition('__mutmut_')[0]}__mutmut_orig"
        tests = trials.tests(function)
        mutant |= {"result": "survived" if tests else "not called", "tests": len(tests), "by": ""}
        job = lambda said, m=mutant["id"], t=tests: trials.trial(m, t, said)  # noqa: E731
        jobs.append((job, 5 * (_LIMIT + sum(trials.known[n][0] for n in tests))))
    for done, (number, text) in enumerate(in_processes(jobs), 1):
        if text:
            mutants[number] |= {"result": "timed out" if text == "timed out" else "killed"}
            mutants[number]["by"] = text
        if not done % 100:
            print(f"{done} of {len(jobs)} mutants", file=sys.stderr)
    Path("results.json").write_text(json.dumps(mutants, indent=1))
    return True
