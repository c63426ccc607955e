"""Standard input and output as a build tool's pipes: bytes, bounded, written whole."""

from __future__ import annotations

import os

from credlatch.errors import RequestError

MAX_STDIN = 1024 * 1024  # bytes: twice the largest secret that BuildKit takes
_CHUNK = 65_536


def read_stdin() -> bytes:
    """All of standard input.

    It is read to its end also when it is too long: a client that writes to a closed pipe would
    report the pipe and not our message.

    Raises:
        RequestError: it is longer than MAX_STDIN, or cannot be read.
    """
    chunks = []
    size = 0
    try:
        while chunk := os.read(0, _CHUNK):
            size += len(chunk)
            if size <= MAX_STDIN:
                chunks.append(chunk)
    except OSError as error:
        raise RequestError(f"standard input cannot be read: {error.strerror}") from None
    if size > MAX_STDIN:
        raise RequestError(f"standard input has {size} bytes; {MAX_STDIN} is the most")
    return b"".join(chunks)


def write(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; a reader who has gone needs no answer."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        return


def say(*lines: str, descriptor: int = 2) -> None:
    """Lines for a person, on standard error unless said otherwise."""
    for line in lines:
        write(descriptor, f"credlatch: {_one_line(line)}\n".encode(errors="backslashreplace"))


def _one_line(text: str) -> str:
    # Paths and servers' texts may hold anything, a terminal's escape sequences too.
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)
