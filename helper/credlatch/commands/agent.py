"""``credlatch agent``: the warm process, as people see it."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

from credlatch.commands import streams
from credlatch.errors import AgentError, RequestError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.caller import Caller

USAGE = """\
usage: credlatch agent status          how the agent is; exit status 1 when there is none
       credlatch agent start           start it now, and not after the next get
       credlatch agent log             its last calls: tool, host, store, outcome, time
       credlatch agent stop            end it
       credlatch agent forward HOST[:PORT]...
                                       answer another machine's calls for these hosts
"""
_HELP = ("--help", "-h")
GONE = 5.0  # seconds that an agent may take to end
COME = 20.0  # seconds that one may take to come up, on a machine that is busy


def run(args: list[str], caller: Caller) -> int:  # noqa: ARG001 - as every command's
    """Do what the words say; the exit status.

    Raises:
        UsageError: there is no such command.
        AgentError: the agent hangs, or there can be none.
    """
    if any(arg in _HELP for arg in args):
        streams.answer(USAGE.encode())
        return 0
    build = sys._xoptions.get("utf8 credlatch")
    if not isinstance(build, str):
        raise AgentError(
            "there is no agent here: it belongs to the executable; calls are answered without it"
        )
    match args:
        case ["status" | "log" as what]:
            return _show(build, what)
        case ["start"]:
            return _start(build)
        case ["stop"]:
            return _stop(build)
        case ["forward", *hosts] if hosts and not any(host.startswith("-") for host in hosts):
            return _forward(hosts)
        case ["serve"]:
            return _serve(build, None)
        case ["serve", word]:
            return _serve(build, word)
        case ["forward", *_]:
            raise UsageError(
                "forward needs HOST, HOST:PORT, *.HOST or *: see credlatch agent --help"
            )
        case _:
            raise UsageError(
                "status, log, start, stop or forward is needed: see credlatch agent --help"
            )


def _show(build: str, what: str) -> int:
    from credlatch.agent import control, wire

    text = control.ask(build, wire.STATUS if what == "status" else wire.LOG)
    if text is None:
        streams.answer(f"no agent is running{_next()}\n".encode(errors="backslashreplace"))
        return 1
    streams.answer(text)
    return 0


def _next() -> str:
    """Whether the next call starts one, in words for a person."""
    from credlatch.agent import transport

    if unwanted := _unwanted():
        return f", and none is started: {unwanted}"
    why = transport.why_not()
    return f", and none can be started: {why}" if why else ": the next get starts one"


def _unwanted() -> str:
    """Why calls look for no agent, in words for a person; empty where they do."""
    chosen = os.environ.get("CREDLATCH_AGENT", "")
    return "" if chosen in {"", "on"} else f"CREDLATCH_AGENT is set to {chosen[:200]!r}"


def _start(build: str) -> int:
    from credlatch.agent import start, transport

    if transport.listens(build):
        streams.answer(b"the agent is running\n")
        return 0
    if unwanted := _unwanted():
        raise AgentError(f"no agent is started: {unwanted}")
    try:
        start.begin(build, str, 0.0)
    except OSError as error:
        raise _none(error) from None
    deadline = time.monotonic() + COME
    while not transport.listens(build):
        if time.monotonic() > deadline:
            raise AgentError(f"the agent has been started, and does not listen: {transport.END_IT}")
        time.sleep(0.02)
    streams.answer(b"the agent has been started\n")
    return 0


def _stop(build: str) -> int:
    from credlatch.agent import control, transport, wire

    if control.ask(build, wire.STOP) is None:
        streams.answer(b"no agent is running\n")
        return 0
    deadline = time.monotonic() + GONE
    while transport.listens(build):
        if time.monotonic() > deadline:
            raise AgentError(f"the agent was asked to end, and still listens: {transport.END_IT}")
        time.sleep(0.02)
    streams.answer(b"the agent has ended\n")
    return 0


def _serve(build: str, word: str | None) -> int:
    """Be the agent; with the lock that a word tells of."""
    from credlatch.agent import serve, transport

    lock = None if word is None else transport.inherited(word)
    if word is not None and lock is None:
        raise UsageError("serve needs nothing more: see credlatch agent --help")
    try:
        return 0 if serve.serve(build, lock) else 1
    except OSError as error:
        raise _none(error) from None


def _none(error: OSError) -> AgentError:
    """Why there can be no agent."""
    from credlatch.agent import transport
    from credlatch.system.files import reason

    return AgentError(f"no agent can be started: {transport.why_not() or reason(error)}")


def _forward(hosts: Sequence[str]) -> int:
    """Answer at a socket for other machines, until Ctrl-C."""
    if sys.platform == "win32":
        raise AgentError("forwarding needs a socket, as Linux, macOS and WSL have it: run it there")
    from credlatch.agent import forward, place, serve, wire
    from credlatch.agent.by_socket import SocketListener, private
    from credlatch.agent.log import Log
    from credlatch.agent.server import Server
    from credlatch.system.files import reason

    try:
        wanted = [forward.Hosts(host) for host in hosts]
    except RequestError as error:
        raise UsageError(f"forward needs HOST, HOST:PORT, *.HOST or *: {error}") from None
    folder = place.folder(os.environb, os.getuid())
    path = folder + b"/forward.sock"
    shown = os.fsdecode(path)

    def show(text: str) -> None:
        streams.write(1, text.encode(errors="backslashreplace") + b"\n")

    def announce() -> None:
        show(f"forwarding {', '.join(hosts)} until Ctrl-C; from another terminal:")
        show(f"  ssh -R /home/YOU/.credlatch.sock:{shown} MACHINE")
        show("  there: export CREDLATCH_AGENT=/home/YOU/.credlatch.sock")

    try:
        private(folder)
        lock = forward.alone(path)
        listener = SocketListener(path, {os.getuid(), 0})  # a container's root is root
    except BlockingIOError as error:
        raise AgentError(
            f"{error} forwards at {shown} already: end that first, and name all hosts in one call"
        ) from None
    except OSError as error:
        raise AgentError(f"{shown} cannot be made: {reason(error)}") from None
    answer = partial(forward.answer, wanted, Log(show))
    server = Server(listener, answer, None, lambda: serve.LATER, wire.FORWARDED)
    serve.run_until_signalled(server, listener, announce)
    os.close(lock)
    return 0
