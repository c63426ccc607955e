"""What the agent takes after many answers from the keyring."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from credlatch.agent import place, wire
from support.agent import Agent, agent_of

if TYPE_CHECKING:
    from support.program import Program
    from support.secret_service import SecretService

HOSTS = 20
MEGABYTE = 1_000_000


def ask(agent: Agent, numbers: range) -> None:
    """Requests straight over the socket, each for another URL."""
    world = place.world()
    variables = b"\0".join(f"{n}={value}".encode() for n, value in agent.home.env.items())
    for number in numbers:
        uri = f"https://h{number % HOSTS}.example/packages/{number}"
        stdin = json.dumps({"uri": uri}).encode()
        answer = agent.ask(wire.GET, b"", b"/", world, stdin, variables)
        assert answer is not None
        assert (answer[0], answer[2]) == (0, b"")
        assert b'"Bearer token-%d"' % (number % HOSTS) in answer[1]


def test_800_answers_from_the_keyring_leave_no_memory_behind(
    frozen: Program, secret_service: SecretService
) -> None:
    for number in range(HOSTS):
        host = f"h{number}.example"
        item = {"service": "rattler", "username": host}
        secret_service.add(host, item, json.dumps({"BearerToken": f"token-{number}"}))
    with agent_of(frozen) as agent:
        agent.warm()
        ask(agent, range(200))
        early = agent.resident
        ask(agent, range(200, 800))
        late = agent.resident
        assert agent.served == 800
    assert late < 60 * MEGABYTE
    assert late - early < MEGABYTE
