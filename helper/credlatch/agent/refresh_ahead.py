"""Renewal shortly before it is due, so that no caller waits for it."""

from __future__ import annotations

import time

from credlatch.errors import CredlatchError
from credlatch.renew import margin
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.agent.log import Log
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.resolve import Resolution
    from credlatch.stores import Entry

AHEAD = 0.15  # of the margin, before a caller would have it renewed: a minute, mostly
WORTH = 30.0  # seconds that a token must have before that: shorter ones are left to the callers
MOST = 256  # tokens


class _Job:
    """A token that somebody has asked for, and its renewal."""

    def __init__(
        self,
        request: Request,
        entry: Entry,
        make_caller: Callable[[], Caller],
        asked: float,
        idle: float,
    ) -> None:
        self.request = request
        self.make_caller = make_caller
        self.asked = asked
        # A token that lives for minutes would be renewed a dozen times for one who asked once.
        self.until = asked + min(idle, margin.life(entry) or idle)
        before = margin.of(entry)
        self.ahead = before * AHEAD
        self.due = (entry.expires or 0.0) - before - self.ahead


class RefreshAhead:
    """The tokens that are in use, and when each is to be renewed.

    Args:
        log: told of each renewal.
        idle: seconds after which a token that nobody has asked for is let go; one that lives
            shorter, after its life.
    """

    def __init__(self, log: Log, idle: float) -> None:
        self._log = log
        self._idle = idle
        self._jobs: dict[tuple[str, str, str], _Job] = {}

    def used(
        self,
        request: Request,
        resolution: Resolution,
        make_caller: Callable[[], Caller],
        asked: float | None = None,
    ) -> None:
        """Note a token that was asked for.

        Args:
            request: what was asked.
            resolution: what was answered.
            make_caller: makes the caller anew, with the surroundings of the last who asked.
            asked: when, in seconds since 1970 UTC; None: now.
        """
        entry, now = resolution.entry, time.time()
        key = (resolution.store, entry.location, entry.handle)
        self._jobs.pop(key, None)
        if entry.grant is None or entry.expires is None or len(self._jobs) >= MOST:
            return
        job = _Job(request, entry, make_caller, now if asked is None else asked, self._idle)
        if job.due > now + WORTH:
            self._jobs[key] = job

    def seconds(self) -> float | None:
        """How long until the next renewal; None when there is none to come."""
        due = min((job.due for job in list(self._jobs.values())), default=None)
        return None if due is None else max(0.0, due - time.time())

    def renew(self) -> None:
        """Renew what is due."""
        now = time.time()
        for key, job in list(self._jobs.items()):
            if job.due <= now:
                mine = self._jobs.pop(key, None) is job
                if mine and now < job.until:
                    self._renew(job)

    def _renew(self, job: _Job) -> None:
        host = job.request.url.netloc if job.request.url is not None else "-"
        caller = job.make_caller()
        try:
            resolution = Resolver(caller, ahead=job.ahead).resolve(job.request)
        except CredlatchError as error:
            self._log.note(f"agent {host} - not renewed early: {error}")
            return
        finally:
            caller.close()
        if resolution is None:
            return
        if margin.is_due(resolution.entry, time.time() + job.ahead):
            # What failed is a warning there, as the token is still good.
            why = "; ".join(caller.warnings)
            self._log.note(f"agent {host} {resolution.store} not renewed early: {why}")
        else:
            self._log.note(f"agent {host} {resolution.store} renewed early")
            self.used(job.request, resolution, job.make_caller, job.asked)
