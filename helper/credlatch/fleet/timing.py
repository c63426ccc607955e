"""How long things may take, and clocks by which that is measured."""

from __future__ import annotations

import sys
import time
from typing import NamedTuple


class Timing(NamedTuple):
    """Seconds; claim and grace are both longer than a fail-over of the engine (10 to 20 s).

    Attributes:
        claim: T, for which a claim stands before anybody suspects that its holder has died.
        grace: G, for which a suspicion stands before somebody takes over: three times what a write
            may take, so that a holder who lives has had time to write once writes worked again.
        after_failure: for which nobody tries again what a token server has just refused to do.
        keeping: for which a holder tries to have what came kept; what is not by then is in the
            journal, for this machine's next process.
    """

    claim: float = 60.0
    grace: float = 15.0
    after_failure: float = 30.0
    keeping: float = 120.0

    @property
    def late(self) -> float:
        """After which a claim's holder sends nothing any more."""
        return self.claim / 4

    @property
    def sending(self) -> float:
        """That the request to the token server may take."""
        return self.claim / 2 * 0.9


class Moment(NamedTuple):
    """By two clocks."""

    steady: float
    wall: float


class Clock:
    """This machine's. No claim is judged by what it says the time is, only by how that passes."""

    def moment(self) -> Moment:
        """Now. The steady clock goes on while the machine is suspended, where there is such."""
        if sys.platform == "linux":
            steady = time.clock_gettime(time.CLOCK_BOOTTIME)
        else:
            steady = time.monotonic()
        return Moment(steady, time.time())

    def steady(self) -> float:
        """The steady clock."""
        return self.moment().steady

    def wall(self) -> float:
        """Seconds since 1970 UTC."""
        return self.moment().wall

    def passed(self, since: Moment) -> float:
        """How long ago something was, at most: whichever clock says more.

        A machine that was paused from outside may have only one that noticed.
        """
        now = self.moment()
        return max(now.steady - since.steady, now.wall - since.wall)
