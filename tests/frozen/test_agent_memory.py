"""What the agent takes, after many requests."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from credlatch.agent import place, wire

if TYPE_CHECKING:
    from support.agent import Agent

HOSTS = 50
MEGABYTE = 1_000_000


def ask(agent: Agent, variables: bytes, numbers: range) -> None:
    """Requests of 16 callers straight over the socket, each for another URL."""
    mount_namespace = place.mount_namespace()

    def one(number: int) -> None:
        uri = f"https://h{number % HOSTS}.example/packages/{number}"
        stdin = json.dumps({"uri": uri}).encode()
        answer = agent.ask(wire.GET, b"", b"/", mount_namespace, stdin, variables)
        assert answer is not None
        assert (answer[0], answer[2]) == (0, b"")
        assert b'"Bearer token-%d"' % (number % HOSTS) in answer[1]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, numbers))


def test_it_stays_small_and_does_not_grow(agent: Agent) -> None:
    home = agent.home
    home.write_rattler({f"h{n}.example": {"BearerToken": f"token-{n}"} for n in range(HOSTS)})
    agent.warm()
    variables = b"\0".join(f"{name}={value}".encode() for name, value in home.env.items())
    ask(agent, variables, range(1_000))
    early = agent.resident
    ask(agent, variables, range(1_000, 6_000))
    late = agent.resident
    assert agent.served == 6_000
    assert late < 60 * MEGABYTE
    assert late - early < 2 * MEGABYTE
