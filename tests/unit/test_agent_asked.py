"""What the program is told of the agent by the launcher, which has asked it."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from credlatch import cli
from credlatch.agent import asked, asking
from credlatch.caller import PATIENCE

if TYPE_CHECKING:
    from credlatch.caller import Caller


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Caller]:
    """Whom the command line takes its calls to come from."""
    calls: list[Caller] = []

    def noted(caller: Caller) -> int:
        calls.append(caller)
        return 0

    monkeypatch.setattr(cli, "_person", noted)
    monkeypatch.setattr(sys, "argv", ["credlatch", "--version"])
    return calls


def test_what_the_agent_has_used_up_is_not_given_again(
    monkeypatch: pytest.MonkeyPatch, calls: list[Caller]
) -> None:
    monkeypatch.setenv(asked.ASKED, f"{time.perf_counter() - 8.5:.9f} ")
    assert cli.main() == cli.main() == 0
    assert calls[0].left(PATIENCE) <= 0.5
    assert calls[1].left(PATIENCE) > 0.5  # it has been told of one call
    assert asked.ASKED not in os.environ


@pytest.mark.parametrize("when", ["", "x", "nan", "inf", "-1", "0.000000000", "1e300"])
def test_what_cannot_be_the_time_of_this_call_is_none(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setenv(asked.ASKED, f"{when} ")
    assert asked.take() == (None, None)


@pytest.mark.parametrize("ago", [-60.0, 3_600.0])
def test_nor_is_another_call_s(monkeypatch: pytest.MonkeyPatch, ago: float) -> None:
    monkeypatch.setenv(asked.ASKED, f"{time.perf_counter() - ago} ")
    assert asked.take() == (None, None)


@pytest.mark.parametrize(
    ("why", "words"),
    [("2", "No such file or directory"), ("it has gone", "it has gone"), ("", None)],
)
def test_why_a_named_agent_has_not_answered_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, calls: list[Caller], why: str, words: str | None
) -> None:
    monkeypatch.setenv(asked.ASKED, f"0.0 {why}")
    monkeypatch.setenv("CREDLATCH_AGENT", "/\udcff")
    assert cli.main() == 0
    said = f"no answer from CREDLATCH_AGENT=/\\xff ({words}): this machine's logins count"
    assert calls[0].warnings == ([] if words is None else [said])


def test_run_from_source_there_is_no_agent() -> None:
    with pytest.raises(asking.UnansweredError) as unanswered:
        asking.ask("git", b"host=a.example\n")
    assert unanswered.value.warning is None
