"""Standard input and output as a build tool's pipes: bytes, bounded, written whole."""

from __future__ import annotations

import io
import os
import sys
import time

from credlatch.errors import AnswerError, RequestError
from credlatch.lines import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.answers import Answer
    from credlatch.caller import Caller

MAX_STDIN = 1024 * 1024  # bytes: twice the largest secret that BuildKit takes
_CHUNK = 65_536
_PAUSE = 0.01  # seconds between two readings of what its caller does not want to wait at


replied: Answer | None = None
"""The answer that has been written."""


def read_stdin(caller: Caller) -> bytes:
    """All of standard input.

    It is read to its end also when it is too long: a client that writes to a closed pipe would
    report the pipe and not our message. A client, or a person, may take its time to write: the call
    has its own time afterwards.

    Raises:
        RequestError: it is longer than MAX_STDIN, or cannot be read.
    """
    began = time.monotonic()
    chunks = []
    size = 0
    try:
        while chunk := _read():
            size += len(chunk)
            if size <= MAX_STDIN:
                chunks.append(chunk)
    except OSError as error:
        raise unreadable(error) from None
    if size > MAX_STDIN:
        raise RequestError(f"standard input has {size} bytes; {MAX_STDIN} is the most")
    caller.deadline += time.monotonic() - began
    return b"".join(chunks)


def unreadable(error: OSError) -> RequestError:
    """What to say of standard input that cannot be read, as the launcher says it."""
    from credlatch.system.files import reason

    return RequestError(f"standard input cannot be read: {reason(error)}")


def _read() -> bytes:
    """Some of standard input; a caller that does not want to wait has left us the same open file.

    Raises:
        OSError: it cannot be read.
    """
    typed = _console(0)
    while True:
        try:
            return os.read(0, _CHUNK) if typed is None else typed.read(_CHUNK) or b""
        except BlockingIOError:
            time.sleep(_PAUSE)


def write(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; a reader who has gone needs no answer.

    Raises:
        OSError: it cannot be written, for any other reason.
    """
    view = memoryview(data)
    console = _console(descriptor)
    try:
        while view:
            done = os.write(descriptor, view) if console is None else console.write(view)
            view = view[done:]
    except BrokenPipeError:
        return


def is_terminal(descriptor: int) -> bool:
    """Whether a person is at the other end of a standard stream.

    To Windows' C library NUL is a terminal as well.
    """
    if not os.isatty(descriptor):
        return False
    return sys.platform != "win32" or _console(descriptor) is not None


def _console(descriptor: int) -> io.RawIOBase | None:
    """Windows' console, if that is at the other end of a standard stream.

    It takes bytes to be of an old character set (437, 850, ...), and from Python it takes Unicode.
    """
    if sys.platform == "win32":
        streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
        buffer = getattr(streams[descriptor], "buffer", None)
        raw = getattr(buffer, "raw", buffer)  # there is no buffer with PYTHONUNBUFFERED
        if isinstance(raw, io.RawIOBase) and not isinstance(raw, io.FileIO):
            return raw
    return None


def answer(data: bytes) -> None:
    """Write the answer to standard output.

    Raises:
        AnswerError: it cannot be written there.
    """
    try:
        write(1, data)
    except OSError as error:
        raise AnswerError(f"standard output cannot be written: {error.strerror}") from None


def reply(whole: Answer) -> int:
    """Write a whole answer, and give its exit status.

    Raises:
        AnswerError: standard output does not take it.
    """
    global replied  # noqa: PLW0603 - see its docstring
    replied = whole
    _tell(whole.err, 2)
    answer(whole.out)
    return whole.status


def say(text: str, descriptor: int = 2) -> None:
    """A line for a person, on standard error unless said otherwise, and there if that fails."""
    if not _tell(line(text), descriptor) and descriptor == 1:
        _tell(line(text), 2)


def say_warnings(caller: Caller) -> None:
    """A line for each warning that a call has gathered.

    Where an error is on its way, who tells of it says that line: once is enough.
    """
    told = str(sys.exception())
    for warning in caller.warnings:
        if warning != told:
            say(warning)


def _tell(data: bytes, descriptor: int) -> bool:
    try:
        write(descriptor, data)
    except OSError:
        return False
    return True
