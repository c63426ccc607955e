"""The two-step protocol by which one of many machines renews a login, and the others wait.

    value = {entry, claim: {id, nonce, ttl} | null, suspect: {id, nonce} | null, gen, dead, failed}

Whoever is to renew writes a claim first, with a write that compares; then asks the token server,
once; then writes what came. Two rules make that safe where a refresh token is good for one use:

*The fence.* Whoever spent a refresh token may overwrite any version that still holds it, whatever
claim, suspicion or tombstone stands there; nobody else may. So what came is not lost while its
holder lives.

*Two steps.* A claim that has stood for T is not taken over, but suspected, by a write. That write
proves that the engine takes writes again: while it had no leader, the holder could not write
either, and its claim grew old. Only a suspicion that has stood for G, too, is followed by another
claim.

No clock of a client's is compared with another machine's.
"""

from __future__ import annotations

import random
import secrets

from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.fleet import value as values
from credlatch.fleet.engine import EngineDownError, EngineError
from credlatch.fleet.keeping import bury, keep, let_go, publish, write_back
from credlatch.fleet.steps import (
    LOGIN,
    Read,
    Record,
    Refresh,
    Remember,
    Reserve,
    Sleep,
    Wait,
    Write,
)
from credlatch.fleet.timing import Clock, Timing
from credlatch.fleet.value import Settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from credlatch.fleet.engine import Found
    from credlatch.fleet.steps import Refreshed, Step
    from credlatch.fleet.timing import Moment

    Due = Callable[[values.Login, float], bool]

CHANCE = 1 / 16  # that a call renews a token that still lives, where no service does
FIRST, GROWTH, LONGEST = 0.25, 1.6, 4.0  # seconds between two tries while the engine is down
_SHORTEST = 0.05  # seconds of a wait


class Protocol:
    """One login, as one machine takes part in it.

    Args:
        place: where it is kept, for messages.
        who: this machine or job, for whoever reads a claim.
        lives: whether a login's token can be served, at a moment of the engine's clock.
        due: whether it is to be renewed.
        timing: how long things may take.
        clock: this machine's.
        takes_over: whether another machine's claim is ever taken over: where its holder has died
            between request and write, that spends the refresh token a second time.
        has_access: whether there is an access path as well.
        dice: decides by chance.
    """

    def __init__(  # noqa: PLR0913 - its parts, by name
        self,
        place: str,
        who: str,
        *,
        lives: Due,
        due: Due,
        timing: Timing | None = None,
        clock: Clock | None = None,
        takes_over: bool = True,
        has_access: bool = True,
        dice: random.Random | None = None,
    ) -> None:
        self.place = place
        self.who = who
        self.timing = timing or Timing()
        self.clock = clock or Clock()
        self.has_access = has_access
        self._lives = lives
        self._due = due
        self._takes_over = takes_over
        self.dice = dice or random.Random()  # noqa: S311 - no secret
        # Claims of ours whose writing is not known, and when each was begun.
        self._open: dict[str, Moment] = {}
        self._watched: tuple[str, float] = ("", 0.0)

    def settle(self, seconds: float, *, eagerly: bool = False) -> Generator[Step, Any, Settled]:
        """The login, good: renewed by this call, or by whoever renews it.

        Args:
            seconds: that others' renewals are waited for. A renewal of our own that was sent is
                brought to its end.
            eagerly: whether a token that lives and is due is renewed now; else mostly served.

        Raises:
            LoginError: only a new login helps.
            EngineError: the engine cannot be used.
            RenewalError: it is not renewed now.
        """
        end = self.clock.steady() + seconds
        pause = FIRST
        while True:
            try:
                yield from write_back(self)
                found: Found = yield Read(LOGIN)
                settled = yield from self._round(found, end, eagerly=eagerly)
            except EngineDownError as error:
                left = end - self.clock.steady()
                if left <= 0:
                    raise
                wanted = max(pause * self.dice.uniform(0.5, 1.5), error.after)
                yield Sleep(min(left, wanted))
                pause = min(LONGEST, pause * GROWTH)
                continue
            pause = FIRST
            if settled is not None:
                return settled

    def _round(
        self, found: Found, end: float, *, eagerly: bool
    ) -> Generator[Step, Any, Settled | None]:
        """What one look at the login leads to; None: to another."""
        login = self._understood(found)
        now = self.clock.wall() - found.ahead
        if not self._due(login, now):
            yield from self._published(login)
            return Settled(login, found.ahead)
        can_be_served = self._lives(login, now)
        if login.dead and not (can_be_served and not eagerly):
            raise LoginError(
                f"the login at {self.place} has ended ({login.dead}): log in again, with "
                "credlatch login --fleet"
            )
        if login.dead:
            return Settled(login, found.ahead)
        is_busy = login.claim is not None and login.claim.nonce not in self._open
        if can_be_served and not eagerly and (is_busy or self.dice.random() >= CHANCE):
            return Settled(login, found.ahead)
        stands = self._stands(found)
        step = self._step(login, stands)
        if isinstance(step, RenewalError):
            if can_be_served and not eagerly:
                return Settled(login, found.ahead)
            raise step
        if isinstance(step, float):
            yield from self._wait(found, login, step, end)
            return None
        if step == "suspect":
            mark = values.Mark(self.who, _nonce(), self.timing.claim)
            yield Write(LOGIN, login.suspected(mark), found.version)
            return None
        return (yield from self._try(login, found))

    def _understood(self, found: Found) -> values.Login:
        login = values.login(found.value)
        if login is None:
            what = "there is no login" if found.value is None else "what is kept is no login"
            raise EngineError(f"{what} at {self.place}: credlatch login --fleet makes one")
        return login

    def _stands(self, found: Found) -> float:
        """For how long a version has been there: by the servers' clocks, or as we watched it."""
        now = self.clock.steady()
        if self._watched[0] != found.version:
            self._watched = found.version, now
        return max(found.age or 0.0, now - self._watched[1])

    def _step(self, login: values.Login, stands: float) -> float | str | RenewalError:
        """What there is to do: ``try``, ``suspect``, a wait of so many seconds; or why nothing."""
        if login.claim is None:
            if login.failed and stands < self.timing.after_failure:
                return RenewalError(
                    f"the login at {self.place} was not renewed a moment ago: {login.failed}"
                )
            return "try"
        if login.claim.nonce in self._open:
            return "try"  # it was written after all
        if login.suspect is None:
            left = login.claim.ttl - stands
            return "suspect" if left <= 0 else left
        left = self.timing.grace - stands
        if left > 0:
            return left
        if not self._takes_over:
            return RenewalError(
                f"{login.claim.who} has begun to renew the login at {self.place} and is gone, and "
                "nobody is to take over: log in again, with credlatch login --fleet"
            )
        return "try"

    def _wait(
        self, found: Found, login: values.Login, most: float, end: float
    ) -> Generator[Step, Any, None]:
        left = end - self.clock.steady()
        if left <= 0:
            who = "somebody" if login.claim is None else login.claim.who
            raise RenewalError(
                f"the login at {self.place} is being renewed by {who}, and was not in time: try "
                "again"
            )
        # Not all of them at the instant at which a claim has grown old.
        most += self.dice.uniform(0.0, min(2.0, most / 2))
        yield Wait(found.version, max(_SHORTEST, min(left, most)))

    def _try(self, login: values.Login, found: Found) -> Generator[Step, Any, Settled | None]:
        """Claim, and renew; None where the claim is not ours, or not any more."""
        mine = login.claim.nonce if login.claim is not None else ""
        if mine in self._open:
            began, fence = self._open.pop(mine), found.version
        else:
            yield Reserve()
            began, nonce = self.clock.moment(), _nonce()
            self._open[nonce] = began
            claimed = login.claimed(values.Mark(self.who, nonce, self.timing.claim))
            version = yield Write(LOGIN, claimed, found.version)
            if not isinstance(version, str):
                return None  # read again: it may be ours all the same
            del self._open[nonce]
            fence = version
            login = values.Login(claimed)
        if self.clock.passed(began) > self.timing.late:
            # Somebody else may have the claim by now, or soon.
            yield from let_go(login.released(), fence)
            return None
        return (yield from self._renew(login, found, fence, began))

    def _renew(
        self, login: values.Login, found: Found, fence: str, began: Moment
    ) -> Generator[Step, Any, Settled | None]:
        """Send the refresh token, once; the claim is ours and young."""
        from credlatch.renew.gate import NotSentError, UnansweredError

        seconds = self.timing.sending - self.clock.passed(began)
        try:
            fresh: Refreshed = yield Refresh(login.entry, seconds, found.ahead)
        except LoginError as error:
            yield from bury(self, login, error)
            return None
        except NotSentError:
            if (yield from let_go(login.released(), fence)):
                return None  # we were suspended, and others have gone on
            raise
        except UnansweredError as error:
            # It may be spent. The claim stands until somebody takes over.
            raise RenewalError(
                f"{error}; whether the login at {self.place} was renewed is not "
                f"known, and nobody tries again for {self._longest:.0f} s"
            ) from None
        except RenewalError as error:
            yield from let_go(login.released(str(error)), fence)
            raise
        record = Record(Secret(login.refresh_token), login.gen, fresh)
        yield Remember(record)
        is_kept = yield from keep(self, record, fence, login)
        renewed = values.Login(login.renewed(*fresh))
        if fresh.problem:
            raise RenewalError(fresh.problem)
        if is_kept:
            yield from self._published(renewed)
        return Settled(renewed, found.ahead, is_ours=True, is_kept=is_kept)

    @property
    def _longest(self) -> float:
        return self.timing.claim + self.timing.grace

    def _published(self, login: values.Login) -> Generator[Step, Any, None]:
        if self.has_access and not login.failed:
            yield from publish(self, login)


def _nonce() -> str:
    return secrets.token_hex(16)
