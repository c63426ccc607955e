"""``credlatch agent``: the warm process, as people see it."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import click

from credlatch import streams
from credlatch.errors import AgentError, RequestError, UsageError
from credlatch.people.command import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_NEEDS = "forward needs HOST, HOST:PORT, *.HOST or *"
GONE = 5.0  # seconds that an agent may take to end
COME = 20.0  # seconds that one may take to come up, on a machine that is busy


def _build() -> str:
    """Which build's agent it is.

    Raises:
        AgentError: run from source, there is none.
    """
    from credlatch.commands import serve

    build = sys._xoptions.get("utf8 credlatch")
    if not isinstance(build, str):
        raise AgentError(serve.OF_SOURCE)
    return build


COMMAND = Group(
    "agent",
    help="The process that keeps answers warm. It starts by itself after a get, and ends when "
    "nobody has asked for a while: docs/agent.md.",
    examples=("credlatch agent log  # what has just been asked, and what was answered",),
)


@COMMAND.command(
    "status",
    help="How the agent is; exit status 1 when there is none.",
    examples=("credlatch agent status",),
)
def status() -> int:
    """Show what the agent tells of itself."""
    return _show("status")


@COMMAND.command(
    "log",
    help="Its last calls: tool, host, store, outcome, time.",
    examples=("credlatch agent log",),
)
def log() -> int:
    """Show its last calls."""
    return _show("log")


def _show(what: str) -> int:
    from credlatch.agent import control, wire

    text = control.ask(_build(), wire.STATUS if what == "status" else wire.LOG)
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


@COMMAND.command(
    "start",
    help="Start it now, and not after the next get.",
    examples=("credlatch agent start",),
)
def start() -> int:
    """Start it, and wait until it listens."""
    from credlatch.agent import start as starting
    from credlatch.agent import transport
    from credlatch.commands import serve

    build = _build()

    if transport.listens(build):
        streams.answer(b"the agent is running\n")
        return 0
    if unwanted := _unwanted():
        raise AgentError(f"no agent is started: {unwanted}")
    try:
        starting.begin(build, str, 0.0)
    except OSError as error:
        raise serve.none(error) from None
    deadline = time.monotonic() + COME
    while not transport.listens(build):
        if time.monotonic() > deadline:
            raise AgentError(f"the agent has been started, and does not listen: {transport.END_IT}")
        time.sleep(0.02)
    streams.answer(b"the agent has been started\n")
    return 0


@COMMAND.command("stop", help="End it.", examples=("credlatch agent stop",))
def stop() -> int:
    """End it, and wait until it has ended."""
    from credlatch.agent import control, transport, wire

    build = _build()

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


@COMMAND.command(
    "forward",
    help="Answer another machine's calls for these hosts, until Ctrl-C. HOST may also be *.HOST, "
    "or * for every host. It says what to do at the other machine: docs/agent.md.",
    examples=("credlatch agent forward '*.example.com' reg.example.com:5000",),
)
@click.argument("hosts", metavar="HOST[:PORT]...", nargs=-1)
def forward(hosts: Sequence[str]) -> int:
    """Answer another machine's calls, until Ctrl-C."""
    _build()
    if sys.platform == "win32":
        raise AgentError("forwarding needs a socket, as Linux, macOS and WSL have it: run it there")
    from credlatch.agent import forward as forwarding
    from credlatch.agent import place, serve, wire
    from credlatch.agent.by_socket import SocketListener, private
    from credlatch.agent.log import Log
    from credlatch.agent.server import Server
    from credlatch.system.files import reason

    if not hosts:
        raise UsageError(f"{_NEEDS}: see credlatch agent forward --help")
    try:
        wanted = [forwarding.Hosts(host) for host in hosts]
    except RequestError as error:
        raise UsageError(f"{_NEEDS}: {error}") from None
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
        lock = forwarding.alone(path)
        listener = SocketListener(path, {os.getuid(), 0})  # a container's root is root
    except BlockingIOError as error:
        raise AgentError(
            f"{error} forwards at {shown} already: end that first, and name all hosts in one call"
        ) from None
    except OSError as error:
        raise AgentError(f"{shown} cannot be made: {reason(error)}") from None
    answer = partial(forwarding.answer, wanted, Log(show))
    server = Server(listener, answer, None, lambda: serve.LATER, wire.FORWARDED)
    serve.run_until_signalled(server, listener, announce)
    os.close(lock)
    return 0
