"""What a renewer counts, as Prometheus reads it (its text format, 0.0.4)."""

from __future__ import annotations

from credlatch import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KIND = "text/plain; version=0.0.4; charset=utf-8"
# What a renewal fails for: the engine does not answer, or refuses; the token server does not
# answer, or refuses for now; the login has ended, and a person has to log in again.
ENGINE, SERVER, ENDED = REASONS = ("engine", "server", "ended")


class Watched:
    """What a renewer knows of one login.

    Attributes:
        name: where it is kept, in words; no secret.
        renewals: how often this process has renewed it.
        failures: how often a look at it has failed, by what it failed for.
        seen: when it was last looked at, in seconds since 1970 UTC by this machine's clock; None:
            never.
        ends: when the token that was there ends, likewise; None: nobody knows.
        failure: what has failed; empty: the last look has not.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.renewals = 0
        self.failures = dict.fromkeys(REASONS, 0)
        self.seen: float | None = None
        self.ends: float | None = None
        self.failure = ""


def text(logins: Iterable[Watched], now: float) -> str:
    """All that is known.

    Args:
        logins: of these.
        now: in seconds since 1970 UTC.
    """
    return "".join(f"{line}\n" for line in _lines(list(logins), now))


def _lines(logins: list[Watched], now: float) -> Iterator[str]:
    yield from _head("build_info", "gauge", "Which credlatch this is.")
    yield f'credlatch_fleet_build_info{{version="{_escaped(__version__)}"}} 1'
    rows = [(f'login="{_escaped(each.name)}"', each) for each in logins]
    yield from _head("renewals_total", "counter", "Renewals by this replica.")
    for name, login in rows:
        yield f"credlatch_fleet_renewals_total{{{name}}} {login.renewals}"
    yield from _head(
        "failures_total",
        "counter",
        "Looks of this replica that failed: by the engine, by the token server, or because the "
        "login has ended and somebody has to log in again.",
    )
    for name, login in rows:
        for reason, count in login.failures.items():
            yield f'credlatch_fleet_failures_total{{{name},reason="{reason}"}} {count}'
    yield from _head(
        "token_seconds",
        "gauge",
        "Seconds to the end of the access token, whoever has renewed it; below 0: it has ended. "
        "Absent: it is not known.",
    )
    for name, login in rows:
        if login.ends is not None:
            yield f"credlatch_fleet_token_seconds{{{name}}} {login.ends - now:.1f}"
    yield from _head("seen_seconds", "gauge", "Seconds since the login was last seen.")
    for name, login in rows:
        if login.seen is not None:
            yield f"credlatch_fleet_seen_seconds{{{name}}} {now - login.seen:.1f}"


def _head(name: str, kind: str, said: str) -> Iterator[str]:
    yield f"# HELP credlatch_fleet_{name} {said}"
    yield f"# TYPE credlatch_fleet_{name} {kind}"


def _escaped(text: str) -> str:
    """A label's value. A path may hold what no line does: others have written it."""
    safe = "".join(each if each.isprintable() else "?" for each in text)
    return safe.replace("\\", "\\\\").replace('"', '\\"')
