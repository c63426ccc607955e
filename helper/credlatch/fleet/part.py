"""A machine's part in one login: its engines, journal and lock, as the protocol wants them."""

from __future__ import annotations

import os
import platform
import time

from credlatch.errors import StoreError
from credlatch.fleet import opening, renewal
from credlatch.fleet.journal import Journal
from credlatch.fleet.protocol import Protocol
from credlatch.fleet.running import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.caller import Caller
    from credlatch.fleet.opening import Target
    from credlatch.fleet.steps import Refresh, Refreshed
    from credlatch.fleet.timing import Timing
    from credlatch.fleet.value import Settled

# What names a job to whoever reads a claim at night: the first that is set.
_JOBS = ("CI_JOB_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "BUILD_URL")
_LONGEST = 200  # characters of that


class Part:
    """One login, as this machine renews it; for one thread at a time.

    Args:
        meant: the login, whose path this machine may read and write.
        caller: as whom.
        early: seconds before its end from which a token is renewed, at most.
        share: and of its life.
        timing: how long things may take.

    Raises:
        StoreError: one of its paths is none.
    """

    def __init__(
        self,
        meant: Target,
        caller: Caller,
        *,
        early: float = renewal.EARLY,
        share: float = renewal.SHARE,
        timing: Timing | None = None,
    ) -> None:
        said = meant.row.said
        self.meant = meant
        self.login = opening.opened(meant, str(said.login), caller)
        self.access = None if said.one_path else opening.opened(meant, str(said.access), caller)
        self._early = early
        self._share = share
        self.is_due = renewal.due(early, share)
        self._protocol = Protocol(
            self.login.place,
            who(caller.environ),
            lives=renewal.lives,
            due=self.is_due,
            timing=timing,
            takes_over=said.takeover != "never",
            has_access=self.access is not None,
        )
        self._caller = caller
        self._path = caller.data("credlatch", "fleet", meant.place_key)

    def settle(
        self,
        seconds: float,
        *,
        eagerly: bool = False,
        turn: float | None = None,
        until: float | None = None,
    ) -> Settled:
        """The login, good, as of ``Protocol.settle``.

        One process of a machine at a time takes part: the others wait for it, and find it done.

        Args:
            seconds: as there; likewise what else it raises.
            eagerly: as there.
            turn: seconds that another process of this machine is waited for; None: all of them.
            until: on the clock of ``time.monotonic``, when a request must have ended that is sent
                to the token server; None: it may take as long as the protocol has it.

        Raises:
            LockedError: it took longer.
            StoreError: the lock, or the journal, cannot be used.
        """
        from credlatch import request as requests
        from credlatch import url as urls
        from credlatch.system import files, locks

        meant, caller = self.meant, self._caller
        end = time.monotonic() + seconds
        remedy = f"log in again: credlatch login --fleet {meant.row.url}"
        send = renewal.sender(requests.for_url(urls.parse(meant.server)), remedy, caller)

        def sent_in_time(step: Refresh) -> Refreshed:
            left = step.seconds if until is None else min(step.seconds, until - time.monotonic())
            return send(step._replace(seconds=left))

        runner = Runner(self.login, self.access, sent_in_time, Journal(f"{self._path}.journal"))
        try:
            with locks.Exclusive(f"{self._path}.lock", seconds if turn is None else turn):
                return runner.run(self._protocol.settle(end - time.monotonic(), eagerly=eagerly))
        except OSError as error:
            raise StoreError(
                f"{self._path}.lock cannot be made ({files.reason(error)}), and nothing is renewed "
                "without: make its folder writable"
            ) from None

    def until_due(self, settled: Settled) -> float | None:
        """Seconds until a login is to be renewed; None: it has no end."""
        oauth = settled.login.entry["OAuth"]
        ends = oauth.get("expires_at")
        if not isinstance(ends, int | float):
            return None
        now = time.time() - settled.ahead
        life = settled.login.life
        early = self._early if life is None else min(self._early, life * self._share)
        return max(0.0, ends - early - now)


def who(environ: Mapping[str, str]) -> str:
    """What this machine, or this job, is called in a claim."""
    run = environ.get("GITHUB_RUN_ID")
    at = f"{environ.get('GITHUB_SERVER_URL')}/{environ.get('GITHUB_REPOSITORY')}/actions/runs/{run}"
    job = at if run else next((environ[name] for name in _JOBS if environ.get(name)), "")
    name = f"{platform.node()} (process {os.getpid()}{job and f', {job}'})"
    return "".join(each if each.isprintable() else "?" for each in name[:_LONGEST])
