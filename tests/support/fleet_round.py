"""One moment at which a login that two hundred helpers share has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from credlatch.credential import Secret
from credlatch.fleet.access import Access, Given
from credlatch.fleet.kv import KvEngine
from credlatch.fleet.running import put
from credlatch.fleet.server import Server

if TYPE_CHECKING:
    from support.family_server import FamilyServer
    from support.fleet_machine import Machine
    from support.openbao import Bao

MACHINES, HELPERS = 4, 50
T, G = 8.0, 6.0
LONGEST = 180.0  # seconds that a helper waits, on a busy machine


class Round:
    """One login that all share, and one moment at which it has ended.

    Attributes:
        path: the login's name.
    """

    def __init__(self, bao: Bao, server: FamilyServer, number: int) -> None:
        self._bao = bao
        self._server = server
        self.path = f"round-{number}-{time.monotonic_ns()}"
        token = bao.token_for("renewer")
        self._before = len(server.posts)
        access = Access(Server(bao.urls), Given("the test", lambda: Secret(token)))
        self.engine = KvEngine(Server(bao.urls), access, "fleet", f"login/ci/{self.path}")
        put(self.engine, server.family())
        bao.settled(f"fleet/data/login/ci/{self.path}")
        self.said = {
            "urls": bao.urls, "token": token, "mount": "fleet", "login": f"login/ci/{self.path}",
            "access": f"access/ci/{self.path}", "claim": T, "grace": G, "seconds": LONGEST,
        }  # fmt: skip
        server.asked.clear()

    def begin(self, machines: list[Machine], helpers: int = HELPERS, **said: Any) -> None:
        """Have the machines' helpers ask."""
        for each in machines:
            each.tell(**self.said, helpers=helpers, **said)

    @property
    def posts(self) -> int:
        """How often the token server was asked."""
        return len(self._server.posts) - self._before

    def all_are_right(self, answers: list[dict[str, Any]], number: int) -> None:
        """Each has been answered, with the token that is good."""
        assert len(answers) == number
        wrong = [each for each in answers if each.get("token") not in self._server.good]
        assert wrong == []

    def access(self) -> dict[str, Any]:
        """What workers read in the end."""
        data: dict[str, Any] = self._bao.must("GET", f"fleet/data/access/ci/{self.path}")
        kept: dict[str, Any] = data["data"]["data"]
        return kept


def ended(machines: list[Machine]) -> list[dict[str, Any]]:
    """What all helpers have come to."""
    return [answer for each in machines for answer in each.answers()]


def times(answers: list[dict[str, Any]]) -> tuple[float, float]:
    took = sorted(answer["took"] for answer in answers)
    return round(took[len(took) // 2], 2), round(took[-1], 2)
