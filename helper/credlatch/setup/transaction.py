"""Changes, made: all of them or none. A killed process leaves each file old or new, and whole.

Ctrl-C waits until it is done: it takes milliseconds.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager, suppress

from credlatch.errors import SetupError
from credlatch.setup import formats, links, texts
from credlatch.system import files, writable
from credlatch.system.atomic_write import AtomicWrite
from credlatch.system.writable import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from credlatch.setup.changes import FileChange
    from credlatch.setup.links import Link
    from credlatch.setup.texts import Found

_PRIVATE = 0o600
_OPEN = 0o666


def write(
    changes: Sequence[FileChange], make: Link | None = None, remove: Link | None = None
) -> None:
    """Make the changes.

    Args:
        changes: the files.
        make: a link that is to be made.
        remove: a link that is to go.

    Raises:
        SetupError: they cannot be made, and nothing is changed.
    """
    location = ""
    with _uninterrupted(), ExitStack() as always, ExitStack() as back:
        try:
            begun = []
            for change in changes:
                location = change.found.path
                begun.append((change, _prepared(change, always, back)))
            if make is not None:
                location = make.path
                links.make(make)
                back.callback(_try, os.unlink, make.path)
            for change, aside in begun:
                location = change.found.path
                if aside is None or change.after is None:
                    writable.remove(change.found.target)
                else:
                    aside.commit(change.after.encode())
                back.callback(_try, _restore, change.found)
            if remove is not None:
                location = remove.path
                writable.remove(location)
        except OSError as error:
            why = files.reason(error)
            raise SetupError(
                f"{location} cannot be written: {why}: nothing has been changed"
            ) from None
        back.pop_all()  # all is done, and stays


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Have what would end this process wait, as git's lock file would stay behind.

    Handlers, and no mask: a signal that one thread blocks is another's.
    """
    import signal

    came: list[int] = []
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # the last one is not everywhere
    ends = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda each, _: came.append(each)) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


def _prepared(change: FileChange, always: ExitStack, back: ExitStack) -> AtomicWrite | None:
    """See that a file can be written, before any is; what its next content goes into.

    Args:
        change: what is to become of it.
        always: what must be done in the end.
        back: what must be done where nothing is to have been done.

    Raises:
        OSError, SetupError: it cannot.
    """
    found, aside = change.found, None
    found.see_that_it_may_change()
    always.callback(remove_folders, found.missing_folders())
    if change.after is not None:
        mode = _mode(found, is_private=change.is_private)
        aside = AtomicWrite(found.path, len(change.after.encode()), mode)
        back.callback(_try, aside.abandon)
    if change.format in formats.LOCKS:
        _take(found.target + formats.LOCKS[change.format], found.path, always)
    if texts.read(found.path).text != found.text:
        raise SetupError(f"{found.path} has just been changed: run it again")
    return aside


def _take(lock: str, path: str, always: ExitStack) -> None:
    """Make a lock file as a file's own tool does; it is gone in the end."""
    folder = always.enter_context(closing(Folder(lock, through_link=False)))
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        made = folder.open(folder.name, flags, _PRIVATE)
        always.callback(_unlock, folder)
        try:
            folder.give(made)
        finally:
            files.close(made)
    except FileExistsError:
        raise SetupError(
            f"{lock} is there, so somebody is just changing {path}: run it again, "
            "or remove that file if nobody is"
        ) from None


def _unlock(folder: Folder) -> None:
    """Remove a lock file. It would stop git until somebody removes it: once more, if need be."""
    for _ in range(2):
        with suppress(OSError):
            folder.remove(folder.name)
            return


def _restore(found: Found) -> None:
    """Have a file as it was."""
    if found.text is None:
        writable.remove(found.target)
    else:
        mode = _mode(found, is_private=True)
        AtomicWrite(found.path, mode=mode).commit(found.text.encode())


def _try(function: Callable[..., None], *args: object) -> None:
    with suppress(OSError):
        function(*args)


def remove_folders(folders: Sequence[str]) -> None:
    """Remove those of some folders that are empty; the innermost is last."""
    for folder in reversed(folders):
        _try(os.rmdir, folder)


def _mode(found: Found, *, is_private: bool) -> int | None:
    """The mode that a file has, or a new one is to have; None: for its owner alone."""
    if found.status is not None:
        return found.status.st_mode & 0o7777
    if is_private:
        return None
    mask = os.umask(0o077)
    os.umask(mask)
    return _OPEN & ~mask
