"""Becoming the unpacked program, as if it had been called in the first place."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

_CHUNK = 65_536
_LIBRARIES = "LD_LIBRARY_PATH"


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


def environment(environ: Mapping[str, str], unpacked: str) -> dict[str, str]:
    """The caller's environment again, without what PyInstaller's loader has put into it.

    Args:
        environ: this process's.
        unpacked: the temporary folder of the loader's (``sys._MEIPASS``).
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("_PYI_")}
    libraries = kept.get(_LIBRARIES, "")
    if libraries == unpacked:
        del kept[_LIBRARIES]
    elif libraries.startswith(f"{unpacked}:"):
        kept[_LIBRARIES] = libraries[len(unpacked) + 1 :]
        kept.pop(f"{_LIBRARIES}_ORIG", None)
    # The program's own loader must not take it for a part of this one (PyInstaller's manual).
    return {**kept, "PYINSTALLER_RESET_ENVIRONMENT": "1"}


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
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        if os.fork() == 0:
            os.dup2(writer, 1)
            for name in os.listdir("/dev/fd"):
                if name not in (("0", "1") if more else ("1",)):
                    _close(int(name))
            _write(data)
            while more and (chunk := os.read(0, _CHUNK)):
                _write(chunk)
    except OSError:
        pass  # nobody reads it any more
    finally:
        os._exit(0)


def _close(descriptor: int) -> None:
    try:  # noqa: SIM105 - contextlib is not imported for this
        os.close(descriptor)
    except OSError:
        pass  # that of the list itself


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
