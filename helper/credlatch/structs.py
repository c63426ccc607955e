"""msgspec, as all of us use it: where it has what it needs, and by one thread at a time.

When it is imported it asks for the functions of `datetime`'s library, and goes on where that cannot
be read: a disk that fails, too many open files. Then it ends the process (SIGSEGV)
when it meets the first class of ours. Here the import fails, which is told in a line.
"""

from __future__ import annotations

import sys

try:
    from datetime import datetime_CAPI as _needed  # noqa: F401 - it is to be there
except ImportError:
    sys.modules.pop("datetime", None)  # in an agent the next one tries again
    raise

import _thread

import msgspec

__all__ = ["converted", "decoded", "msgspec"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

_ready: set[object] = set()
_lock = _thread.allocate_lock()


def decoded(
    data: bytes | bytearray | memoryview | msgspec.Raw, kind: type[T], *, strict: bool = True
) -> T:
    """What JSON says.

    Args:
        data: the JSON.
        kind: what it is to hold.
        strict: False: a number may be written as a string.

    Raises:
        msgspec.MsgspecError: it holds something else; the error's text may quote it.
        RecursionError: it is nested too deeply.
    """
    return msgspec.json.decode(data, type=_known(kind), strict=strict)


def converted(value: object, kind: type[T]) -> T:
    """What a value that has been read holds.

    Args:
        value: dicts, lists, strings and numbers.
        kind: what they are to be.

    Raises:
        msgspec.ValidationError: it is something else; the error's text may quote it.
        RecursionError: it is nested too deeply.
    """
    return msgspec.convert(value, _known(kind))


def _known(kind: type[T]) -> type[T]:
    """The same, when msgspec has learnt what it consists of.

    It learns that when it meets a class for the first time, and shows other threads the half of it:
    one that reads such a half ends the process (SIGSEGV; 0.22.0, src/msgspec/_core.c,
    StructInfo_Convert). So one thread at a time learns, and what is not learnt yet nobody uses.
    """
    if kind not in _ready:
        with _lock:
            msgspec.json.Decoder(kind)
            _ready.add(kind)
    return kind
