"""What the agent answers to each kind of request."""

from __future__ import annotations

import os

from credlatch import answers
from credlatch.agent import place, wire
from credlatch.agent.log import UNKNOWN
from credlatch.caller import Caller
from credlatch.errors import ElsewhereError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.agent.log import Log
    from credlatch.agent.refresh_ahead import RefreshAhead
    from credlatch.shared_cache import SharedCache


class Handler:
    """Answers callers of this machine, each with the surroundings that it sends along.

    Args:
        shared: what one call leaves for the next.
        log: told of each call.
        refresh_ahead: told of each token that is in use.
        status: tells a person how the agent is.
        stop: ends the agent.
    """

    def __init__(
        self,
        shared: SharedCache,
        log: Log,
        refresh_ahead: RefreshAhead,
        status: Callable[[], str],
        stop: Callable[[], None],
    ) -> None:
        self._shared = shared
        self._log = log
        self._refresh_ahead = refresh_ahead
        self._status = status
        self._stop = stop
        self._mount_namespace = place.mount_namespace()

    def answer(self, asks_for: bytes, fields: list[bytes]) -> bytes:
        """A whole answer to a request.

        Raises:
            ValueError: there is no such request.
        """
        if asks_for == wire.GET:
            return self._get(*fields)
        if asks_for == wire.STATUS:
            return wire.answer(0, self._status().encode(errors="surrogateescape"), b"")
        if asks_for == wire.LOG:
            return wire.answer(0, self._log.text().encode(errors="backslashreplace"), b"")
        if asks_for == wire.STOP:
            self._stop()
            return wire.answer(0, b"", b"")
        raise ValueError("no such request")

    def _get(
        self, protocol: bytes, cwd: bytes, mount_namespace: bytes, asked: bytes, variables: bytes
    ) -> bytes:
        client = answers.client_named(protocol, asked)
        if client is None:
            self._log.refused("-", UNKNOWN)
            return wire.DECLINED
        if mount_namespace != self._mount_namespace:
            self._log.refused(client.name, "its paths lead elsewhere (another container or chroot)")
            return wire.DECLINED
        environ = _environ(variables)

        def make_caller() -> Caller:
            return Caller(environ, os.fsdecode(cwd), self._shared, is_guest=True)

        caller = make_caller()
        try:
            answer = answers.get(client, asked, caller)
        except ElsewhereError as error:
            self._log.refused(client.name, str(error))
            return wire.DECLINED
        finally:
            caller.close()
        if answer.request is not None and answer.resolution is not None:
            self._refresh_ahead.used(answer.request, answer.resolution, make_caller)
        self._log.answered(answer)
        return wire.answer(answer.status, answer.out, answer.err)


def _environ(variables: bytes) -> dict[str, str]:
    pairs = (pair.partition(b"=") for pair in variables.split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if name}
