"""Asking the agent in the middle of a call: the launcher (build/loader) does it, as for a get."""

from __future__ import annotations

import os
import sys

from credlatch.agent import asked

ONLY_ASK = "_CREDLATCH_ONLY_ASK"  # a variable by which the launcher does nothing else
_NO_ANSWER = 75  # its exit status when there is none; what it says then is why


class UnansweredError(Exception):
    """There is no answer.

    Attributes:
        warning: why what CREDLATCH_AGENT names has not answered; None: it has, or names nothing.
    """

    def __init__(self, warning: str | None = None) -> None:
        super().__init__(warning)
        self.warning = warning


def ask(protocol: str, request: bytes) -> tuple[int, bytes, bytes]:
    """The answer of the agent that is there for this call, or of the one that it names.

    Args:
        protocol: one that asks on standard input.
        request: what a ``get`` of it says there.

    Returns:
        The exit status, standard output and standard error.

    Raises:
        UnansweredError: nobody answers, or this runs from source.
    """
    if sys.platform == "win32" or not hasattr(sys, "_MEIPASS"):
        raise UnansweredError
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            ["credlatch", protocol, "get"],  # noqa: S607 - what runs is the executable
            executable=sys.executable,
            input=request,
            env={**os.environ, ONLY_ASK: "1"},
            capture_output=True,
            check=False,
        )
    except OSError:
        raise UnansweredError from None
    if done.returncode != _NO_ANSWER:
        return done.returncode, done.stdout, done.stderr
    why = done.stderr.decode()
    raise UnansweredError(asked.warning(why) if why else None)


def answers_elsewhere(protocol: str, request: bytes) -> bool:
    """Whether another machine's agent, where CREDLATCH_AGENT names one, has an answer."""
    if not os.environ.get("CREDLATCH_AGENT", "").startswith("/"):
        return False
    try:
        ask(protocol, request)
    except UnansweredError:
        return False
    return True
