"""What the protocol wants done: it does nothing itself, and is told what came of each step.

So what is run on machines, what is tried in simulated time with ten thousand of them, and what is
proved of it by made-up schedules, is the same code.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from credlatch.credential import Secret

    Step: TypeAlias = "Read | Write | Wait | Sleep | Refresh | Reserve | Remember | Recall | Forget"

LOGIN, ACCESS = "login", "access"


class Read(NamedTuple):
    """Read a path: gives a Found, or raises what the engine does."""

    path: str


class Write(NamedTuple):
    """Write to a path: gives the new version, a Conflict or Unknown, or raises likewise."""

    path: str
    value: dict[str, Any]
    expected: str


class Wait(NamedTuple):
    """Wait until the login path's version may be another one, or seconds have passed."""

    version: str
    seconds: float


class Sleep(NamedTuple):
    """Let seconds pass."""

    seconds: float


class Refresh(NamedTuple):
    """Have the token server renew an entry, within seconds: gives a Refreshed, or raises.

    It is sent once, whatever comes of it. What it says of the token's end is by the engine's clock,
    which this machine's is ahead of by so many seconds.
    """

    entry: dict[str, Any]
    seconds: float
    ahead: float = 0.0


class Refreshed(NamedTuple):
    """What came.

    Attributes:
        entry: the entry with it.
        problem: why the access token cannot be used, though the refresh token is the next one.
        life: seconds that the access token has; None: nobody knows.
    """

    entry: dict[str, Any]
    problem: str = ""
    life: float | None = None


class Record(NamedTuple):
    """What a journal keeps: that a refresh token was spent, and what came for it."""

    spent: Secret
    gen: int
    fresh: Refreshed


class Reserve(NamedTuple):
    """Make room in this machine's journal; raises OSError where nothing could be kept there."""


class Remember(NamedTuple):
    """Write to the journal; gives whether it is there."""

    record: Record


class Recall(NamedTuple):
    """Read the journal: gives the Record that is there, or None."""


class Forget(NamedTuple):
    """Have the journal empty."""
