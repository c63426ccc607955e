"""What every engine of a fleet has in common."""

from __future__ import annotations

from typing import Any

import pytest

from credlatch.auth import HttpResponse
from credlatch.fleet import engine as engines
from credlatch.fleet.engine import Engine, EngineDownError, EngineError, Found


class Answers(Engine):
    """An engine whose reads give what a list says, the last one again and again."""

    place = "the test's engine"

    def __init__(self, *answers: Found | EngineError) -> None:
        self.answers = list(answers)
        self.reads = 0

    def read(self) -> Found:
        answer = self.answers[min(self.reads, len(self.answers) - 1)]
        self.reads += 1
        if isinstance(answer, EngineError):
            raise answer
        return answer


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, none of which is made."""
    pauses: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return pauses


def found(version: str, value: dict[str, Any] | None = None) -> Found:
    return Found(value, version, 0.0)


def test_waiting_ends_when_the_version_has_changed(slept: list[float]) -> None:
    engine = Answers(found("1"), found("1"), found("2"))
    engine.wait("1", 60)
    assert engine.reads == 3
    assert len(slept) == 3


def test_waiting_ends_when_its_time_has_and_its_pauses_grow_up_to_a_limit(
    slept: list[float],
) -> None:
    Answers(found("1")).wait("1", 100)
    assert sum(slept) == pytest.approx(100)
    assert slept[0] <= 1.5 * engines.FIRST_PAUSE
    assert max(slept) <= 1.5 * engines.LONGEST_PAUSE
    assert len(slept) < 60


def test_an_engine_that_is_down_is_waited_for_and_left_alone_for_as_long_as_it_says(
    slept: list[float],
) -> None:
    engine = Answers(EngineDownError("no leader", 30.0), EngineDownError("no leader"), found("2"))
    engine.wait("1", 60)
    assert engine.reads == 3
    assert slept[1] >= 30.0


def test_what_will_not_change_is_not_waited_for(slept: list[float]) -> None:
    engine = Answers(EngineError("permission denied"))
    engine.wait("1", 60)
    assert engine.reads == 1
    assert len(slept) == 1


def test_an_engine_that_is_down_for_a_moment_is_read_again(slept: list[float]) -> None:
    engine = Answers(EngineDownError("no leader"), EngineDownError("busy", 2.0), found("2"))
    assert engines.read_in_time(engine, 9.0).version == "2"
    assert slept[1] >= 2.0


def test_half_of_a_call_s_time_is_spent_on_an_engine_that_stays_down(slept: list[float]) -> None:
    with pytest.raises(EngineDownError, match="no leader"):
        engines.read_in_time(Answers(EngineDownError("no leader")), 9.0)
    assert 2.0 < sum(slept) <= 4.5


def test_one_that_refuses_is_read_once(slept: list[float]) -> None:
    engine = Answers(EngineError("permission denied"))
    with pytest.raises(EngineError, match="permission denied"):
        engines.read_in_time(engine, 9.0)
    assert slept == []


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("3", 3.0), ("0.5", 0.5), ("1e9", 60.0), ("inf", 60.0), ("-5", 0.0), ("nan", 0.0),
        ("soon", 0.0), ("", 0.0), ("Sat, 21 Nov 2026 10:00:07 GMT", 7.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0), ("Sat, 21 Nov 2099 10:00:00 GMT", 60.0),
        ("Sat, 99 Nov 2026 10:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_a_server_says_how_long_it_wants_to_be_left_alone(said: str, wanted: float) -> None:
    """A date is by its own clock, whatever this machine's says."""
    headers = {"retry-after": said, "date": "Sat, 21 Nov 2026 10:00:00 GMT"}
    assert engines.left_alone(HttpResponse(429, headers, b"", 0.0)) == wanted


def test_a_server_without_a_clock_is_left_alone_by_this_machine_s() -> None:
    headers = {"retry-after": "Sat, 21 Nov 2026 10:00:07 GMT"}
    at = 1795255200.0  # 10:00:00
    assert engines.left_alone(HttpResponse(429, headers, b"", at)) == 7.0


def test_what_is_found_does_not_show_itself() -> None:
    assert "secret" not in repr(found("1", {"access_token": "secret"}))
    assert "secret" not in f"{[found('1', {'access_token': 'secret'})]}"
