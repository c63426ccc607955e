"""The single file, killed at whatever moment by a client that waits for its output to end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.installed import aside, builds, run_folder
from support.program import TIMEOUT

if TYPE_CHECKING:
    from support.agent import Agent
    from support.program import Program

KILLS = int(os.environ.get("CREDLATCH_KILLS", "48"))
AT_ONCE = 8
LONGEST = 0.06  # seconds until a call is killed: it takes less when nothing else runs
SEED = 10
URI = "https://packages.example.com/simple/"


def killed(program: Program, after: float, number: signal.Signals) -> None:
    """One call, whose output has ended when this returns."""
    with subprocess.Popen(
        [*program.command, "get"],
        env=program.home.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"uri":"%s"}' % URI.encode())
        process.stdin.close()
        time.sleep(after)
        process.send_signal(number)
        assert process.stdout is not None
        process.stdin = None
        process.communicate(timeout=TIMEOUT)  # nobody else has its output


def running(home: Path) -> list[str]:
    """The processes that run in a home."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and str(home).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue  # it has ended
    return found


@pytest.mark.parametrize("warm", [True, False])
def test_nothing_of_killed_calls_is_left(agent: Agent, fresh: Program, *, warm: bool) -> None:
    fresh.home.write_rattler({"packages.example.com": {"BearerToken": "made-up"}})
    temporary = fresh.home.path / "tmp"
    temporary.mkdir()
    fresh.home.env["TMPDIR"] = str(temporary)
    if warm:
        agent.warm()
    else:
        fresh.home.env["CREDLATCH_AGENT"] = "off"
    chance = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    moments = [(chance.uniform(0, LONGEST), chance.choice([9, 15])) for _ in range(KILLS)]
    with ThreadPoolExecutor(AT_ONCE) as calls:
        for call in [calls.submit(killed, fresh, s, signal.Signals(n)) for s, n in moments]:
            call.result()
    assert fresh.bazel(URI).authorization == "Bearer made-up"
    run = run_folder(fresh.home)
    if run.exists():
        assert aside(run) == []
        assert len(builds(run)) <= 1
    assert os.listdir(temporary) == []
    assert [words for words in running(fresh.home.path) if "agent\0serve" not in words] == []
