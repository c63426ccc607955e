"""The service that renews what machines share, ahead of its end; any number of replicas of it."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

from credlatch import clock
from credlatch.errors import CredlatchError, LoginError, RenewalError
from credlatch.fleet import metrics, opening
from credlatch.fleet.engine import EngineDownError, EngineError
from credlatch.fleet.metrics import Watched
from credlatch.fleet.part import Part
from credlatch.system import threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credlatch.caller import Caller
    from credlatch.fleet.settings import Row
    from credlatch.fleet.value import Settled

    Say = Callable[[str], None]

# Before workers look again (`renew.margin`): they find the next token, and ask no second time.
EARLY, SHARE = 600.0, 0.6
LOOK = 30.0  # seconds between two looks, at most: a person may have logged in anew
_LEAST = 1.0  # seconds between two looks
_AGAIN = (2.0, 30.0)  # seconds until a failure is followed by another try: at first, and at most
_FOR = 20.0  # seconds that others' renewals are waited for at once, which is what an end may take


class Service:
    """The logins of all rows whose renewer this machine is.

    Args:
        rows: which.
        caller: as whom.
        say: is told what happens, a line each; by any thread.
    """

    def __init__(self, rows: Iterable[Row], caller: Caller, say: Say) -> None:
        self.stop = threading.Event()
        self._caller = caller
        self._say = say
        self._rows = [(row, Watched(row.login_name)) for row in rows]

    @property
    def watched(self) -> list[Watched]:
        """What is known of each."""
        return [watched for _, watched in self._rows]

    def once(self) -> bool:
        """Look at each, one after the other, and renew what is due; whether all are good.

        What is told to ``stop`` meanwhile brings to its end what it has begun.
        """
        for row, watched in self._rows:
            if self.stop.is_set():
                return False
            self._look(_Job(row, watched, self._caller))
        return not any(watched.failure for watched in self.watched)

    def run(self) -> None:
        """Renew them in time, until ``stop`` is set. A renewal that has been sent is kept first.

        Raises:
            OSError: there can be no thread for one of them.
        """
        working = [
            threads.start(self._watch, _Job(row, watched, self._caller))
            for row, watched in self._rows
        ]
        self.stop.wait()
        for thread in working:
            thread.join()

    def _watch(self, job: _Job) -> None:
        pause = _AGAIN[0]
        while not self.stop.is_set():
            seconds = self._look(job)
            if seconds is None:
                seconds = pause
                pause = min(_AGAIN[1], pause * 2)
            else:
                pause = _AGAIN[0]
            # Replicas do not look at the same moment, which would only cost conflicts.
            self.stop.wait(seconds * random.uniform(0.8, 1.0))  # noqa: S311 - no secret

    def _look(self, job: _Job) -> float | None:
        """Renew a login where that is due; seconds until the next look, None where it failed."""
        watched = job.watched
        try:
            settled, seconds = job.look()
        except Exception as error:  # noqa: BLE001 - the other logins, and the next look, go on
            watched.failures[_reason(error)] += 1
            said = str(error) if isinstance(error, CredlatchError) else type(error).__name__
            if said != watched.failure:  # else it is said once
                self._say(f"{watched.name} {_kind(error)}: {said}")
            watched.failure = said
            return max(error.after, _LEAST) if isinstance(error, EngineDownError) else None
        if settled.is_ours:
            watched.renewals += 1
            kept = "" if settled.is_kept else ", and kept in this machine's journal alone"
            self._say(f"{watched.name} renewed (gen {settled.login.gen}){kept}{_end(watched)}")
        elif watched.failure:
            self._say(f"{watched.name} is good again (gen {settled.login.gen}){_end(watched)}")
        watched.failure, watched.seen = "", time.time()
        if job.misses_renewal:
            self._say(
                f"{watched.name}: the engine's token may not renew itself, and will end: its "
                'policy is to have path "auth/token/renew-self" { capabilities = ["update"] }'
            )
            job.misses_renewal = False
        return min(LOOK, seconds)


class _Job:
    """One login's part, made when it is first looked at: what is wrong with it may be mended.

    Attributes:
        watched: what is known of it.
        misses_renewal: whether it is to be said that the engine's token may not be renewed.
    """

    def __init__(self, row: Row, watched: Watched, caller: Caller) -> None:
        self.watched = watched
        self.misses_renewal = False
        self._is_warned = False
        self._row = row
        self._caller = caller
        self._part: Part | None = None

    def look(self) -> tuple[Settled, float]:
        """What came of a look, and seconds until it is due again."""
        if self._part is None:
            meant = opening.Target(self._row, self._caller)
            self._part = Part(meant, self._caller, early=EARLY, share=SHARE)
        settled = self._part.settle(_FOR, eagerly=True)
        ends = settled.login.entry["OAuth"].get("expires_at")
        self.watched.ends = None if ends is None else float(ends) + settled.ahead
        self._keep_alive(self._part)
        seconds = self._part.until_due(settled)
        return settled, LOOK if seconds is None else max(_LEAST, seconds)

    def _keep_alive(self, part: Part) -> None:
        """Renew the engine's own token, where it is one that lives on by that."""
        if not opening.is_kv(part.meant):
            return
        _, access = opening.logged_in(part.meant, self._caller)
        with suppress(EngineError):  # the next look tells
            access.keep_alive()
        if access.misses_renewal and not self._is_warned:
            self._is_warned = self.misses_renewal = True


def _reason(error: Exception) -> str:
    """For what a look has failed, as it is counted."""
    if isinstance(error, LoginError):
        return metrics.ENDED
    is_engine = isinstance(error, EngineError) or not isinstance(error, RenewalError)
    return metrics.ENGINE if is_engine else metrics.SERVER


def _kind(error: Exception) -> str:
    if isinstance(error, LoginError):
        return "has ended"
    return "is not reached" if isinstance(error, EngineDownError) else "is not renewed"


def _end(watched: Watched) -> str:
    if watched.ends is None:
        return ""
    return f", ends in {clock.span(max(0.0, watched.ends - time.time()))}"
