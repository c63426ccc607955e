"""When a token is renewed, when it is still served, and when a client asks again."""

from __future__ import annotations

import pytest

from credlatch.auth.pyx import PyxApiKey
from credlatch.credential import Bearer, Secret
from credlatch.renew import margin
from credlatch.stores import Entry
from support.found import sure
from support.jwt import make_jwt

NOW = 1_795_223_476.5
MINUTES, HOUR = 60, 3_600
GRANT = PyxApiKey(Secret("key"), "https://a.example/token", "log in")
LIVES = [1, 2, 5, 10, 30, 60, 119, 120, 121, 299, 300, 301, 330, 400, 600, 659, 660, 700, 799, 800]
LIVES += [801, 900, 15 * MINUTES + 1, 30 * MINUTES, HOUR, 8 * HOUR, 24 * HOUR]
COUNTED = [life for life in LIVES if life >= 10]  # where the fractions of a second do not matter
SLACK = 300  # seconds before the end it was told from which remote-apis-sdks asks for each request


def entry(
    left: int | None,
    *,
    life: int | None = None,
    credential: bool = True,
    renew_unknown: bool = False,
    renewable: bool = True,
) -> Entry:
    """An entry that ends so many seconds after this one, and lives so long in all."""
    made = Entry(
        Bearer(Secret("t")) if credential else None,
        "a test",
        expires=None if left is None else int(NOW) + left,
        grant=GRANT if renewable else None,
        renew_unknown=renew_unknown,
    )
    if left is not None and life is not None:
        made.fetched = int(NOW) + left - life
    return made


@pytest.mark.parametrize(
    ("life", "left", "valid", "due"),
    [
        (HOUR, HOUR, True, False),
        (HOUR, 402, True, False),
        (HOUR, 400, True, True),
        (HOUR, 1, True, True),
        (HOUR, 0, False, True),
        (HOUR, -1, False, True),
        (HOUR, -(10**9), False, True),
        (None, 402, True, False),  # nobody knows how long it lives: as long as most do
        (None, 400, True, True),
        (300, 300, True, False),
        (300, 152, True, False),
        (300, 150, True, True),
        (10, 10, True, False),
        (10, 5, True, True),
        (1, 1, True, False),
    ],
)
def test_renewed_from_400_seconds_or_half_its_life_before_its_end_and_good_to_its_end(
    life: int | None, left: int, *, valid: bool, due: bool
) -> None:
    assert margin.is_valid(entry(left, life=life), NOW) is valid
    assert margin.is_due(entry(left, life=life), NOW) is due


@pytest.mark.parametrize("life", LIVES)
def test_a_fresh_token_is_never_due(life: int) -> None:
    moment = 1_000_000.9  # what is told in seconds is cut off
    fresh = Entry(Bearer(Secret("t")), "a test", expires=int(moment + life), grant=GRANT)
    fresh.fetched = moment
    assert not margin.is_due(fresh, moment)


def test_what_a_jwt_says_of_its_life_counts_where_nothing_else_is_known() -> None:
    now = int(NOW)

    def token(issued: object, ends: int | None) -> Entry:
        secret = Secret(make_jwt(ends, iat=issued))
        return Entry(Bearer(secret), "a test", expires=now + 200, grant=GRANT)

    assert margin.life(token(now - 100, now + 200)) == 300
    assert not margin.is_due(token(now - 100, now + 200), NOW)
    # Its server's clock is another than ours: both moments by that one.
    assert margin.life(token(now - 5_100, now - 4_800)) == 300
    assert margin.life(token(now - 100, None)) == 300
    for odd in (None, "yesterday", -1, True, [1], now + 201, now + 10**9):
        assert margin.life(token(odd, now + 200)) is None
        assert margin.is_due(token(odd, now + 200), NOW)


def test_what_was_learnt_counts_before_what_a_token_says() -> None:
    now = int(NOW)
    late = Entry(Bearer(Secret(make_jwt(now + 60, iat=now - 240))), "a test", grant=GRANT)
    assert margin.is_due(late, NOW)  # by a server whose clock is four minutes behind
    late.fetched = NOW
    assert not margin.is_due(late, NOW)


def test_an_unknown_end_is_good_and_renewed_only_where_the_store_s_tool_does() -> None:
    assert margin.is_valid(entry(None), NOW)
    assert not margin.is_due(entry(None), NOW)
    assert margin.is_due(entry(None, renew_unknown=True), NOW)
    assert margin.ask_again(entry(None), NOW) is None
    assert margin.life(entry(None)) is None


def test_what_is_not_there_yet_is_due_and_not_good() -> None:
    assert margin.is_due(entry(None, credential=False), NOW)
    assert margin.is_due(entry(3600, credential=False), NOW)
    assert not margin.is_valid(entry(3600, credential=False), NOW)
    assert margin.life(entry(3600, credential=False)) is None


@pytest.mark.parametrize(
    ("left", "again"),
    [
        (3600, 3570),
        (402, 372),
        (400, 30),  # it should have been renewed, and was not: soon
        (31, 30),
        (30, 30),
        (10, 10),  # never later than its end
        (1, 1),
    ],
)
def test_a_client_is_told_to_ask_again_shortly_before_the_end_or_soon(
    left: int, again: int
) -> None:
    assert margin.ask_again(entry(left), NOW) == int(NOW) + again


@pytest.mark.parametrize("left", [3600, 402, 400, 300, 60, 11, 5, 1])
def test_what_nothing_renews_is_good_nearly_to_its_end(left: int) -> None:
    again = sure(margin.ask_again(entry(left, renewable=False), NOW))
    refresh_ahead = int(NOW) + left - again
    assert 0 <= refresh_ahead <= 30
    assert refresh_ahead <= left / 10


class Login:
    """A login whose tokens live so long, asked through a helper that is started for each question.

    Attributes:
        now: the time.
        tokens: how many there have been.
        starts: how many helpers.
    """

    def __init__(self, life: int, *, learnt: bool) -> None:
        self.now = 1_000_000.3
        self.tokens = self.starts = 0
        self._life = life
        self._learnt = learnt
        self._entry = self._renewed()

    def _renewed(self) -> Entry:
        self.tokens += 1
        ends = int(self.now + self._life)
        secret = Secret("t" if self._learnt else make_jwt(ends, iat=ends - self._life))
        fresh = Entry(Bearer(secret), "a test", expires=ends, grant=GRANT)
        fresh.fetched = self.now if self._learnt else None
        return fresh

    def ask(self) -> int:
        """Until when the client may keep what it gets."""
        self.starts += 1
        if margin.is_due(self._entry, self.now):
            self._entry = self._renewed()
        told = sure(margin.ask_again(self._entry, self.now))
        assert self._entry.expires is not None
        assert self.now - 1 < told <= self._entry.expires
        return told


@pytest.mark.parametrize("life", COUNTED)
@pytest.mark.parametrize("learnt", [True, False], ids=["learnt", "a JWT's own word"])
@pytest.mark.parametrize("slack", [0, 1, 60, SLACK, None])
def test_no_client_makes_a_helper_or_a_renewal_of_each_request(
    life: int, slack: int | None, *, learnt: bool
) -> None:
    """Not even who never stops asking, without a slack."""
    login = Login(life, learnt=learnt)
    begin, step, lives = login.now, max(0.05, life / 600), 5
    told = login.ask()
    while login.now < begin + lives * life:
        login.now += step
        if slack is None or login.now >= told - slack:
            told = login.ask()
    assert login.tokens <= 2 * lives + 1
    # A client that asks earlier than a token lives asks each time, whatever it is told.
    if slack is not None and life >= 2 * (slack + margin.EARLY):
        assert login.starts <= 2 * lives + 1


@pytest.mark.parametrize("life", [801, HOUR, 24 * HOUR])
def test_however_long_it_lives_the_margin_is_no_larger(life: int) -> None:
    assert margin.of(entry(life, life=life)) == 400
