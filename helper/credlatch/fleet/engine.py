"""What the protocol asks of an engine: a value with a version, and a write that compares.

Nothing else is needed of it, and no lock: who renews says so in the value itself.
"""

from __future__ import annotations

import random
import time
from typing import Any, NamedTuple

from credlatch import clock
from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import HttpResponse

FIRST_PAUSE = 1.0  # seconds between two looks at a version, at first: a renewal takes about that
LONGEST_PAUSE = 4.0  # and at most: each takes 1.6 times as long as the last
_GROWTH = 1.6
_SOON = 0.25  # seconds before an engine that does not answer is asked again, at first
_ALONE = 60.0  # seconds that a server may want to be left alone, at most


class EngineError(StoreError):
    """An engine cannot be used as asked. Of a write: nothing has been written, for certain."""


class EngineDownError(EngineError):
    """Likewise, and it may answer soon: unreachable, sealed, without a leader, too busy.

    Attributes:
        after: seconds that it wants to be left alone, or 0.
    """

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class Found(NamedTuple):
    """What an engine has.

    Attributes:
        value: the JSON object that is kept; None: never written, or deleted.
        version: what the next write is to compare, opaque; empty: nothing has ever been there.
        age: seconds since it was written, by the engine's own clocks alone; None: nobody knows.
        ahead: seconds by which this machine's clock is ahead of the engine's; 0 where it says none.
    """

    value: dict[str, Any] | None
    version: str
    age: float | None
    ahead: float = 0.0

    def __repr__(self) -> str:
        """Without the value, which is a login."""
        return f"Found({'****' if self.value is not None else None}, {self.version!r}, {self.age})"


class Conflict:
    """Another version was there, or may have been: to be read again. Nobody has won by it."""


class Unknown:
    """It may have been written, now or a little later, or not at all."""


def left_alone(response: HttpResponse) -> float:
    """For how many seconds a server wants to be left alone (``Retry-After``); 0: it says nothing.

    It says so in seconds, or as a date by its own clock (RFC 9110, 10.2.3).
    """
    said = response.headers.get("retry-after", "")
    try:
        wanted = float(said)
    except ValueError:
        then = clock.said(said)
        now = clock.said(response.headers.get("date"))
        wanted = 0.0 if then is None else then - (response.at if now is None else now)
    return min(_ALONE, wanted) if wanted > 0 else 0.0


def read_in_time(engine: Engine, end: float) -> Found:
    """What an engine has, which may be without a leader, or too busy, for a while.

    Half of the time is spent on that, and two tries at least; the other is left to who cannot be
    told anything better.

    Args:
        engine: which.
        end: on the clock of ``time.monotonic``, when the call must have ended.

    Raises:
        EngineError: as ``Engine.read``.
    """
    now = time.monotonic()
    last = now + max(0.0, end - now) / 2
    tries, pause = 0, _SOON
    while True:
        try:
            return engine.read()
        except EngineDownError as error:
            tries += 1
            wanted = max(pause * random.uniform(0.5, 1.5), error.after)  # noqa: S311 - no secret
            now = time.monotonic()
            if now + wanted > (last if tries > 1 else end):
                raise
        time.sleep(wanted)
        pause = min(LONGEST_PAUSE, pause * _GROWTH)


class Engine:
    """One path of one engine; safe for one thread at a time.

    Attributes:
        place: where that is, in words, without a secret.
    """

    place: str

    def read(self) -> Found:
        """What is there. It may be a little old; a write of ours is seen by our next read.

        Raises:
            EngineDownError: it does not answer now.
            EngineError: it never will as it is asked: a permission, another kind of engine.
        """
        raise NotImplementedError

    def write(self, value: dict[str, Any], expected: str) -> str | Conflict | Unknown:
        """Write, if the version is still the expected one; the new version, where that is certain.

        Args:
            value: all of it.
            expected: the version that was read; empty: there must be none.

        Raises:
            EngineError: as ``read``; nothing has been written, and nothing will be.
        """
        raise NotImplementedError

    def wait(self, version: str, timeout: float) -> None:
        """Wait until the version may be another one, ``timeout`` seconds at most.

        Whether it is, the next ``read`` says. This one looks now and then; an engine that tells of
        changes has its own. Nothing is raised: what is wrong, the next ``read`` says as well.
        """
        end = time.monotonic() + timeout
        pause, wanted = FIRST_PAUSE, 0.0
        while (left := end - time.monotonic()) > 0:
            jittered = pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            time.sleep(min(left, max(wanted, jittered)))
            pause, wanted = min(LONGEST_PAUSE, pause * _GROWTH), 0.0
            try:
                if self.read().version != version:
                    return
            except EngineDownError as error:
                wanted = error.after
            except EngineError:
                return
