"""Becoming the unpacked program, as if it had been called in the first place."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

_CHUNK = 65_536


def become(program: str, argv: list[str], environ: Mapping[str, str], held: int | None) -> NoReturn:
    """Become the program.

    Args:
        program: its path.
        argv: its arguments, the name it is called by among them.
        environ: its environment.
        held: a descriptor that it inherits, and never uses.

    Raises:
        OSError: it cannot be run.
    """
    if held is not None:
        os.set_inheritable(held, True)
    os.execve(program, argv, environ)  # noqa: S606 - no shell is wanted


def give_back(taken: bytes, *, more: bool) -> None:
    """Make what has been read of standard input what will be read of it next.

    Args:
        taken: the bytes.
        more: whether standard input was not read to its end: the rest follows.

    Raises:
        OSError: there are no more descriptors, or processes.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    written = os.write(writer, taken[:_CHUNK])
    os.set_blocking(writer, True)
    if more or written < len(taken):
        _feed(writer, taken[written:], more=more)
    os.dup2(reader, 0)
    os.close(reader)
    os.close(writer)


def _feed(writer: int, data: bytes, *, more: bool) -> None:
    """Write to a pipe as somebody reads it, in a process that nobody has to wait for.

    It has nothing of ours but the pipe, so that no reader of our output waits for its end.
    """
    from credlatch.system.detached import detached

    def feed() -> None:
        _write(data)
        while more and (chunk := os.read(0, _CHUNK)):
            _write(chunk)

    detached(feed, {1: writer, 0: 0} if more else {1: writer}, own_session=False)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
