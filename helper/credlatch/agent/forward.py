"""A socket for another machine: answers for some hosts, with the logins of this user here.

What the other side says of files and variables counts for nothing: it sends a protocol and a
request, and gets an answer as if the program had been called here, or none.
"""

from __future__ import annotations

import time

from credlatch import answers
from credlatch.agent import wire
from credlatch.caller import Caller
from credlatch.errors import CredlatchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.agent.log import Log
    from credlatch.request import Request


class ForwardingDesk:
    """Answers requests that come from elsewhere.

    Args:
        hosts: the hosts that may be asked for: ``example.com``, ``*.example.com`` for what is
            below it, or ``*``.
        log: told of each request.
    """

    def __init__(self, hosts: Sequence[str], log: Log) -> None:
        self._hosts = [host.lower() for host in hosts]
        self._log = log

    def answer(self, asks_for: bytes, fields: list[bytes]) -> bytes:
        """A whole answer to a request.

        Raises:
            ValueError: there is no such request here.
        """
        if asks_for != wire.FORWARDED:
            raise ValueError("not a request that may come from elsewhere")
        protocol, stdin = fields
        name = protocol.decode() or answers.protocol_of(stdin)
        host = _host(name, stdin)
        if host is None or not self._may_ask(host):
            self._log.refused(name, f"{host or 'what it asks for'} is not forwarded")
            return wire.DECLINED
        begin = time.monotonic()
        caller = Caller()
        try:
            answer = answers.get(name, stdin, caller)
        finally:
            caller.close()
        self._log.answered(name, answer, time.monotonic() - begin)
        # Without an answer here, the other machine's own logins may have one.
        if answer.resolution is None:
            return wire.DECLINED
        return wire.answer(answer.status, answer.out, answer.err)

    def _may_ask(self, host: str) -> bool:
        return any(
            pattern in {"*", host} or (pattern.startswith("*.") and host.endswith(pattern[1:]))
            for pattern in self._hosts
        )


def _host(protocol: str, stdin: bytes) -> str | None:
    from credlatch.protocols import bazel, docker

    try:
        parse = docker.parse_get if protocol == answers.DOCKER else bazel.parse
        request: Request = parse(stdin)
    except CredlatchError:
        return None
    return request.url.host if request.url is not None else None
