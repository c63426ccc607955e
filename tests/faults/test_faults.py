"""A call whose system fails it: a short run of ``./dev faults``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.calls import ERRORS, Tracer
from faults.run import run
from faults.scenarios import scenarios

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program
    from support.token_server import TokenServer

SEED = 12
CASES = 7  # of each scenario, which has some hundred
SAMPLE = (
    *("docker-store-first", "git-erase", "keyring-set", "cargo-login"),
    *("renewal-oauth", "renewal-pyx", "get-docker", "setup-bazel", "secrets", "install"),
)


@pytest.mark.parametrize("name", SAMPLE)
def test_whatever_the_system_refuses_files_are_old_or_new_and_one_line_tells_of_it(
    frozen: Program, token_server: TokenServer, tmp_path: Path, name: str
) -> None:
    (scenario,) = (each for each in scenarios(frozen, token_server) if each.name == name)
    report = run(scenario, Tracer(frozen, tmp_path / "strace"), SEED, CASES)
    assert report.cases
    assert not report.problems, str(report)


def test_every_call_that_a_write_makes_can_fail(
    frozen: Program, token_server: TokenServer, tmp_path: Path
) -> None:
    (scenario,) = (each for each in scenarios(frozen, token_server) if each.name == "docker-store")
    scenario.prepare()
    answer, faults = Tracer(frozen, tmp_path / "strace").faults(scenario.call)
    assert answer.code == 0
    made = {fault.name for fault in faults}
    assert {"openat", "flock", "write", "ftruncate", "fsync", "renameat", "close"} <= made
    assert {fault.error for fault in faults if fault.name == "write"} == set(ERRORS["write"])
