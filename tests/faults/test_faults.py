"""A call whose system fails it: a short run of ``./dev faults``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.calls import ERRORS, KINDS, Tracer
from faults.run import run
from faults.table import scenarios

if TYPE_CHECKING:
    from pathlib import Path

    from faults.scenarios import Scenario
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

SEED = 12
EACH = 1  # of each kind of call
SAMPLE = (
    *("docker-store-first", "bus-keyring-set", "renewal-oauth", "get-docker"),
    *("launcher-asks", "agent-start"),
)
# What a login that is kept, a renewal, and the launcher go through, on each machine.
WRITES = {"open", "look", "read", "lock", "make", "write", "sync", "rename", "remove", "close"}
THROUGH = {
    "docker-store-first": WRITES,
    "bus-keyring-set": {"open", "look", "close", "connect", "send", "receive"},
    "renewal-oauth": {*WRITES, "connect", "send", "receive", "wait", "start"} - {"make"},
    "get-docker": {"open", "look", "read", "write", "close"},
    "launcher-asks": {"look", "read", "write", "close", "connect", "send", "receive"},
    # Which of its threads closes what is by chance: an injection is in one of them.
    "agent-start": {"open", "look", "lock", "make", "write", "connect", "start"},
}


@pytest.fixture
def known(frozen: Program, single: Path, token_server: TokenServer) -> dict[str, Scenario]:
    """All scenarios, in a home of the test's own."""
    return {each.name: each for each in scenarios(frozen, single, token_server)}


@pytest.mark.parametrize("name", SAMPLE)
def test_whatever_the_system_refuses_files_are_old_or_new_and_one_line_tells_of_it(
    known: dict[str, Scenario], tmp_path: Path, name: str
) -> None:
    report = run(known[name], Tracer(known[name].program, tmp_path / "strace"), SEED, EACH)
    assert set(report.kinds) >= THROUGH[name]
    assert not report.problems, str(report)


def test_every_call_that_a_write_makes_can_fail(known: dict[str, Scenario], tmp_path: Path) -> None:
    scenario = known["docker-store"]
    scenario.prepare()
    answer, faults = Tracer(scenario.program, tmp_path / "strace").faults(scenario)
    assert answer.code == 0
    made = {fault.name for fault in faults}
    assert {"openat", "flock", "write", "ftruncate", "fsync", "renameat", "close"} <= made
    assert {fault.error for fault in faults if fault.name == "write"} == set(ERRORS["write"])


def test_each_call_that_may_fail_is_of_one_kind() -> None:
    assert sorted(name for names in KINDS.values() for name in names) == sorted(ERRORS)


def test_what_is_tried_is_the_same_wherever_a_home_is(
    known: dict[str, Scenario], home: Home
) -> None:
    place = known["get-docker"].place
    above = [str(path) for path in home.path.parent.parents]
    assert {place(path) for path in above} == {"above"}
    assert place(f"{home.path}/.netrc") == "~/.netrc"
    home.env["XDG_RUNTIME_DIR"] = "/run/made-up"
    assert place("/run/made-up/credlatch") == "runtime/credlatch"
    assert place("/etc/hosts") == "/etc/hosts"
