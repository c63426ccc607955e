"""Renewal before it is due: of what is in use, once, and in good time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.agent import refresh_ahead
from credlatch.agent.log import Log
from credlatch.agent.refresh_ahead import MOST, WORTH, RefreshAhead
from credlatch.auth.pyx import PyxApiKey
from credlatch.caller import Caller
from credlatch.credential import Bearer, Secret
from credlatch.errors import LoginError
from credlatch.renew.margin import MOST as MARGIN
from credlatch.request import Request
from credlatch.resolve import Resolution
from credlatch.stores import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN = 1_000_000
IDLE = 1_800.0
AHEAD = 60  # seconds, for what lives longer than some minutes
HOUR = 3_600
REQUEST = Request(urls.parse("https://a.example/x"), ())
GRANT = PyxApiKey(Secret("kept-from-everybody"), "https://a.example/token", "log in")


def resolution(
    ends: int | None,
    handle: str = "",
    grant: PyxApiKey | None = GRANT,
    fetched: float | None = None,
) -> Resolution:
    entry = Entry(Bearer(Secret("t")), "a file", expires=ends, grant=grant, handle=handle)
    entry.fetched = fetched
    assert entry.credential is not None
    return Resolution(entry.credential, REQUEST.url, ends, "rattler", entry)


class Guest(Caller):
    """A caller of the test's own.

    Attributes:
        closed: whether it was let go.
    """

    def __init__(self) -> None:
        super().__init__({}, "/")
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Stage:
    """The clock, and what a renewal finds.

    Attributes:
        now: the time, in seconds since 1970 UTC.
        asked: who asked for a renewal.
        find: what is found, told the caller.
        callers: all that were made.
        ahead: by how many seconds the last one asked ahead.
    """

    def __init__(self) -> None:
        self.now = float(BEGIN)
        self.asked: list[Caller] = []
        self.callers: list[Guest] = []
        self.find: Callable[[Caller], Resolution | None] = lambda _: resolution(
            int(self.now) + HOUR
        )
        self.ahead = 0.0
        self.log = Log()
        self.refresh_ahead = RefreshAhead(self.log, IDLE)

    def make_caller(self) -> Guest:
        self.callers.append(Guest())
        return self.callers[-1]

    def use(self, found: Resolution) -> None:
        self.refresh_ahead.used(REQUEST, found, self.make_caller)

    def renewals(self) -> int:
        """Let it renew what is due; how many renewals that was."""
        before = len(self.asked)
        self.refresh_ahead.renew()
        assert all(caller.closed for caller in self.callers)
        return len(self.asked) - before


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()

    class Resolver:
        def __init__(self, caller: Caller, *, ahead: float) -> None:
            stage.ahead = ahead
            self.caller = caller

        def resolve(self, request: Request) -> Resolution | None:
            assert request is REQUEST
            stage.asked.append(self.caller)
            return stage.find(self.caller)

    monkeypatch.setattr(refresh_ahead, "Resolver", Resolver)
    monkeypatch.setattr(refresh_ahead, "time", SimpleNamespace(time=lambda: stage.now))
    return stage


def test_it_is_renewed_a_minute_before_a_caller_would_have_to_wait(stage: Stage) -> None:
    life = 1_500
    stage.find = lambda _: resolution(int(stage.now) + life)
    stage.use(resolution(BEGIN + life))
    assert stage.refresh_ahead.seconds() == life - MARGIN - AHEAD
    stage.now += life - MARGIN - AHEAD - 1
    assert (stage.refresh_ahead.seconds(), stage.renewals()) == (1.0, 0)
    stage.now += 1
    assert (stage.refresh_ahead.seconds(), stage.renewals()) == (0.0, 1)
    assert (stage.refresh_ahead.seconds(), stage.renewals()) == (life - MARGIN - AHEAD, 0)
    assert stage.log.text().endswith("agent a.example rattler renewed early\n")


def test_what_nobody_asks_for_any_more_is_let_go(stage: Stage) -> None:
    """A renewal is no use: else one call would keep a login alive for ever."""
    life = 1_200
    stage.find = lambda _: resolution(int(stage.now) + life)
    stage.use(resolution(BEGIN + life))
    renewed = 0
    while (seconds := stage.refresh_ahead.seconds()) is not None:
        stage.now += seconds
        renewed += stage.renewals()
        assert renewed < 10
    assert renewed == (IDLE - 1) // (life - MARGIN - AHEAD)
    assert stage.log.text().count("renewed early") == renewed
    assert stage.ahead == AHEAD


def test_what_lives_for_minutes_is_renewed_early_while_somebody_asks(stage: Stage) -> None:
    life = 300

    def fresh() -> Resolution:
        return resolution(int(stage.now) + life, fetched=stage.now)

    stage.find = lambda _: fresh()
    stage.use(fresh())
    assert stage.refresh_ahead.seconds() == 300 - 150 - 22.5
    renewed = 0
    while (seconds := stage.refresh_ahead.seconds()) is not None:
        stage.now += seconds
        renewed += stage.renewals()
        assert renewed < 10
    assert stage.ahead == pytest.approx(22.5, abs=0.2)
    assert renewed == 2  # in the life of the token that was asked for


def test_the_last_who_asked_lends_the_surroundings(stage: Stage) -> None:
    stage.use(resolution(BEGIN + 1_000))
    last = Guest()
    stage.refresh_ahead.used(REQUEST, resolution(BEGIN + 1_000), lambda: last)
    stage.now += 900
    assert stage.renewals() == 1
    assert stage.asked == [last]
    assert last.closed


@pytest.mark.parametrize(
    "found",
    [
        resolution(None),
        resolution(BEGIN + HOUR, grant=None),
        resolution(BEGIN + MARGIN + int(AHEAD + WORTH)),
        resolution(BEGIN + MARGIN),
        resolution(BEGIN - 1),
    ],
    ids=["no known end", "nothing to renew it with", "short", "inside the margin", "ended"],
)
def test_what_is_not_worth_it(stage: Stage, found: Resolution) -> None:
    stage.use(found)
    assert stage.refresh_ahead.seconds() is None
    stage.now += HOUR
    assert stage.renewals() == 0


def test_a_second_more_and_it_is_worth_it_until_a_short_one_takes_its_place(stage: Stage) -> None:
    stage.use(resolution(BEGIN + MARGIN + int(AHEAD + WORTH) + 1))
    assert stage.refresh_ahead.seconds() == WORTH + 1
    stage.use(resolution(BEGIN + MARGIN))
    assert stage.refresh_ahead.seconds() is None


def test_the_first_of_many_counts_and_all_that_are_due_are_renewed(stage: Stage) -> None:
    for number in range(10):
        stage.use(resolution(BEGIN + 1_000 + number % 2 * 500, f"slot {number}"))
    assert stage.refresh_ahead.seconds() == 1_000 - MARGIN - AHEAD
    stage.now += 1_000 - MARGIN - AHEAD
    stage.find = lambda _: None
    assert stage.renewals() == 5
    assert stage.refresh_ahead.seconds() == 500


def test_no_more_than_so_many(stage: Stage) -> None:
    for number in range(MOST + 50):
        stage.use(resolution(BEGIN + 1_000, f"slot {number}"))
    stage.now += 900
    stage.find = lambda _: None
    assert stage.renewals() == MOST


def fails(_: Caller) -> Resolution | None:
    raise LoginError("the token server says no: log in again")


def as_it_was(caller: Caller) -> Resolution:
    """A token that is still good is a resolver's answer also when its renewal has failed."""
    caller.warn("the token server does not answer (the token is still good, and served)")
    return resolution(BEGIN + 1_000)


@pytest.mark.parametrize(
    ("find", "said"),
    [
        (fails, "agent a.example - not renewed early: the token server says no: log in again\n"),
        (as_it_was, "agent a.example rattler not renewed early: the token server does not answer"),
        (lambda _: None, ""),
    ],
    ids=["a failure", "served as it was", "gone"],
)
def test_what_has_not_been_renewed_is_noted_and_left_to_the_next_caller(
    stage: Stage, find: Callable[[Caller], Resolution | None], said: str
) -> None:
    stage.find = find
    stage.use(resolution(BEGIN + 1_000))
    stage.now += 900
    assert [stage.renewals() for _ in range(2)] == [1, 0]
    assert stage.refresh_ahead.seconds() is None
    assert said in stage.log.text()
    assert len(stage.log.text().splitlines()) == bool(said)
