"""One moment at which a login that two hundred helpers share has ended."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.fleet.running import put
from support import fleet_machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.family_server import FamilyServer
    from support.fleet_machine import Machine
    from support.kubernetes import Kubernetes
    from support.openbao import Bao

MACHINES, HELPERS = 4, 50
T, G = 8.0, 6.0
LONGEST = 180.0  # seconds that a helper waits, on a busy machine


def of_openbao(bao: Bao, number: int) -> dict[str, Any]:
    """What machines are told of a fresh login at OpenBao."""
    path = f"round-{number}-{time.monotonic_ns()}"
    return {
        "urls": bao.urls, "token": bao.token_for("renewer"), "mount": "fleet",
        "login": f"login/ci/{path}", "access": f"access/ci/{path}",
    }  # fmt: skip


def of_kubernetes(kubernetes: Kubernetes) -> dict[str, Any]:
    """What machines are told of a fresh login in a namespace of its own."""
    namespace = kubernetes.namespace()
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    for name in ("login", "access"):
        assert kubernetes.ask("POST", secrets, {"metadata": {"name": name}})
    both = ("get", "patch", "watch")
    return {
        "urls": [kubernetes.url], "namespace": namespace, "login": "login", "access": "access",
        "token": kubernetes.account(namespace, "renewer", login=both, access=both),
        "authority": kubernetes.authority.file.read_text(),
    }  # fmt: skip


class Round:
    """One login that all share, and one moment at which it has ended.

    Args:
        place: where it is, as of ``of_openbao`` and ``of_kubernetes``.
        server: the token server.
    """

    def __init__(self, place: Mapping[str, Any], server: FamilyServer) -> None:
        self._server = server
        self.said = {**place, "claim": T, "grace": G, "seconds": LONGEST}
        self._before = len(server.posts)
        self.engine, self._access = fleet_machine.engines(self.said)
        put(self.engine, server.family())
        server.asked.clear()

    def begin(self, machines: list[Machine], helpers: int = HELPERS, **said: Any) -> None:
        """Have the machines' helpers ask."""
        for each in machines:
            each.tell(**{**self.said, **said}, helpers=helpers)

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
        value = self._access.read().value
        assert value is not None
        return value


def ended(machines: list[Machine]) -> list[dict[str, Any]]:
    """What all helpers have come to."""
    return [answer for each in machines for answer in each.answers()]


def times(answers: list[dict[str, Any]]) -> tuple[float, float]:
    took = sorted(answer["took"] for answer in answers)
    return round(took[len(took) // 2], 2), round(took[-1], 2)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Machine]]:
    """Four, each with a home of its own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(fleet_machine.machine(tmp_path / f"machine-{each}"))
            for each in range(MACHINES)
        ]
