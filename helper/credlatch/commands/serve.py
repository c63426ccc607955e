"""``credlatch agent serve``: be the agent, as the program itself starts it."""

from __future__ import annotations

import sys

from credlatch.errors import AgentError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

OF_SOURCE = "there is no agent here: it belongs to the executable; calls are answered without it"


def run(words: list[str], caller: Caller) -> int:  # noqa: ARG001 - as every command's
    """Be the agent, with the lock that a word tells of; the exit status.

    Raises:
        UsageError: these are not the words with which it is started.
        AgentError: there can be none.
    """
    from credlatch.agent import serve, transport

    build = sys._xoptions.get("utf8 credlatch")
    if not isinstance(build, str):
        raise AgentError(OF_SOURCE)
    lock = transport.inherited(words[0]) if words else None
    if len(words) > 1 or (words and lock is None):
        raise UsageError("serve needs nothing more: see credlatch agent --help")
    try:
        return 0 if serve.serve(build, lock) else 1
    except OSError as error:
        raise none(error) from None


def none(error: OSError) -> AgentError:
    """Why there can be no agent."""
    from credlatch.agent import transport
    from credlatch.system.files import reason

    return AgentError(f"no agent can be started: {transport.why_not() or reason(error)}")
