"""Standard input and output as a build tool's pipes: bytes, bounded, written whole."""

from __future__ import annotations

import os

from credlatch.errors import AnswerError, RequestError

MAX_STDIN = 1024 * 1024  # bytes: twice the largest secret that BuildKit takes
MAX_LINE = 2_000  # characters of a message
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
    """Write all of ``data``; a reader who has gone needs no answer.

    Raises:
        OSError: it cannot be written, for any other reason.
    """
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BrokenPipeError:
        return


def answer(data: bytes) -> None:
    """Write the answer to standard output.

    Raises:
        AnswerError: it cannot be written there.
    """
    try:
        write(1, data)
    except OSError as error:
        raise AnswerError(f"standard output cannot be written: {error.strerror}") from None


def say(*lines: str, descriptor: int = 2) -> None:
    """Lines for a person, on standard error unless said otherwise, and there if that fails."""
    for line in lines:
        data = f"credlatch: {_one_line(line)}\n".encode(errors="backslashreplace")
        try:
            write(descriptor, data)
        except OSError:
            if descriptor == 1:
                say(line)


def _one_line(text: str) -> str:
    # Paths and servers' texts may hold anything, a terminal's escape sequences too, and a client
    # may not read more than a pipe holds.
    if len(text) > MAX_LINE:
        text = text[:MAX_LINE] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)
