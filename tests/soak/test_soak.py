"""Calls while things go wrong: a short run of ``./dev soak``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.run import soak
from support.agent import agent_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program

SEED = 12
REQUESTS = 1_200


def test_whatever_happens_meanwhile_no_answer_is_wrong_and_nothing_is_lost(
    frozen: Program, tmp_path: Path
) -> None:
    with agent_of(frozen) as agent:
        report = soak(agent, tmp_path, REQUESTS, SEED)
    assert report.counts["agent"]
    assert report.counts["program"]
    assert report.events
    assert not report.problems, str(report)
