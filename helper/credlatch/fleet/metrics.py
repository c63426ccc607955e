"""What a renewer counts, as Prometheus reads it (its text format, 0.0.4)."""

from __future__ import annotations

import threading
import time

from credlatch import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KIND = "text/plain; version=0.0.4; charset=utf-8"
# What a renewal fails for: the engine does not answer, or refuses; the token server does not
# answer, or refuses for now; the login has ended, and a person has to log in again.
ENGINE, SERVER, ENDED = REASONS = ("engine", "server", "ended")


class _Login:
    """What is known of one login.

    Attributes:
        renewals: that this process has made.
        failures: by what they failed for.
        looked: when it was last seen in its engine, in seconds since 1970 UTC; None: never.
        ends: when its token ends, likewise; None: not known.
    """

    def __init__(self) -> None:
        self.renewals = 0
        self.failures = dict.fromkeys(REASONS, 0)
        self.looked: float | None = None
        self.ends: float | None = None


class Metrics:
    """A renewer's, for any number of threads.

    Args:
        logins: what it renews, by their paths; no secrets.
        now: gives seconds since 1970 UTC.
    """

    def __init__(self, logins: Iterable[str], now: Callable[[], float] = time.time) -> None:
        self._logins = {name: _Login() for name in logins}
        self._now = now
        self._lock = threading.Lock()

    def renewed(self, name: str) -> None:
        """Count a renewal of our own."""
        with self._lock:
            self._logins[name].renewals += 1

    def failed(self, name: str, reason: str) -> None:
        """Count what came to nothing.

        Args:
            name: the login.
            reason: one of REASONS.
        """
        with self._lock:
            self._logins[name].failures[reason] += 1

    def seen(self, name: str, ends: float | None) -> None:
        """Say how it is, whoever has renewed it.

        Args:
            name: the login.
            ends: when its token does, in seconds since 1970 UTC by this machine's clock; None: it
                does not say.
        """
        with self._lock:
            login = self._logins[name]
            login.looked, login.ends = self._now(), ends

    def text(self) -> str:
        """All of it, as of now."""
        with self._lock:
            return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _head("build_info", "gauge", "Which credlatch this is.")
        yield f'credlatch_fleet_build_info{{version="{_escaped(__version__)}"}} 1'
        rows = [(f'login="{_escaped(name)}"', each) for name, each in self._logins.items()]
        yield from _head("renewals_total", "counter", "Renewals by this replica.")
        for name, login in rows:
            yield f"credlatch_fleet_renewals_total{{{name}}} {login.renewals}"
        yield from _head(
            "failures_total",
            "counter",
            "Attempts of this replica that failed: by the engine, by the token server, or because "
            "the login has ended and somebody has to log in again.",
        )
        for name, login in rows:
            for reason, count in login.failures.items():
                yield f'credlatch_fleet_failures_total{{{name},reason="{reason}"}} {count}'
        yield from _head(
            "token_seconds",
            "gauge",
            "Seconds to the end of the access token, whoever has renewed it; below 0: it has "
            "ended. Absent: it is not known.",
        )
        for name, login in rows:
            if login.ends is not None:
                yield f"credlatch_fleet_token_seconds{{{name}}} {login.ends - self._now():.1f}"
        yield from _head("seen_seconds", "gauge", "Seconds since the login was last looked at.")
        for name, login in rows:
            if login.looked is not None:
                yield f"credlatch_fleet_seen_seconds{{{name}}} {self._now() - login.looked:.1f}"


def _head(name: str, kind: str, said: str) -> Iterator[str]:
    yield f"# HELP credlatch_fleet_{name} {said}"
    yield f"# TYPE credlatch_fleet_{name} {kind}"


def _escaped(text: str) -> str:
    """A label's value. A path may hold what no line does: others have written it."""
    safe = "".join(each if each.isprintable() else "?" for each in text)
    return safe.replace("\\", "\\\\").replace('"', '\\"')
