"""Builds whose steps take longer, all together, than their token lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.logins import claims

if TYPE_CHECKING:
    from support.guarded import Guarded

LIFETIME = 10  # seconds of a token
PAUSE = 5  # seconds of a step after it has used its token, which ends before the third
STEPS = 6
FILE = "/package"


def fetch(server: Guarded, number: int, after: int = 0) -> str:
    """A step that uses its token, and then takes its time."""
    return (
        f"RUN --mount=type=secret,id=token wget -q -O /step{number} --header "
        f'"Authorization: Bearer $(cat /run/secrets/token)" {server.url}{FILE} && sleep {after}\n'
    )


def six_steps(server: Guarded) -> str:
    """All of them."""
    server.files[FILE] = b"content"
    return "".join(fetch(server, n, PAUSE if n < STEPS - 1 else 0) for n in range(STEPS))


def tokens_of_six_steps(server: Guarded) -> set[str]:
    """What the steps came with: each a token that was good, though two had ended in between."""
    assert [visit.path for visit in server.admitted] == [FILE] * STEPS
    assert server.refused == []
    assert expiries(server) >= 2
    return {visit.secret for visit in server.admitted}


def expiries(server: Guarded) -> int:
    """How often the token in use had to be another one, because the last had ended."""
    first, *others = server.admitted
    current, count = first, 0
    for visit in others:
        if claims(current.secret)["exp"] <= visit.at:
            current, count = visit, count + 1
    return count
