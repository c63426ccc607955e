"""Changes, made: all of them or none. A killed process leaves each file old or new, and whole.

Ctrl-C waits until it is done: it takes milliseconds.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from credlatch.errors import SetupError
from credlatch.setup import formats, links, texts
from credlatch.system import files
from credlatch.system.writable import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    with _uninterrupted():
        _write(changes, make, remove)


def _write(changes: Sequence[FileChange], make: Link | None, remove: Link | None) -> None:
    begun = [_Write(change) for change in changes]
    made = False
    location = ""
    try:
        for each in begun:
            location = each.path
            each.prepare()
        if make is not None:
            location = make.path
            links.make(make)
            made = True
        for each in begun:
            location = each.path
            each.commit()
        if remove is not None:
            location = remove.path
            files.remove(location)
    except (OSError, SetupError) as error:
        for each in reversed(begun):
            each.take_back()
        if made and make is not None:
            with suppress(OSError):
                os.unlink(make.path)
        if isinstance(error, SetupError):
            raise
        why = files.reason(error)
        raise SetupError(f"{location} cannot be written: {why}: nothing has been changed") from None
    finally:
        for each in begun:
            each.unlock()


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


class _Write:
    """One file on its way.

    Attributes:
        path: its name.
    """

    def __init__(self, change: FileChange) -> None:
        self.path = change.found.path
        self._change = change
        self._aside: files.AtomicWrite | None = None
        self._lock = ""
        self._folders = change.found.missing_folders()
        self._committed = False

    def prepare(self) -> None:
        """See that it can be written, before anything is.

        Raises:
            OSError, SetupError: it cannot.
        """
        found = self._change.found
        found.see_that_it_may_change()
        if self._change.after is not None:
            room = len(self._change.after.encode())
            mode = _mode(found, is_private=self._change.is_private)
            self._aside = files.AtomicWrite(found.path, room, mode)
        if self._change.format in formats.LOCKS:
            self._take(found.target + formats.LOCKS[self._change.format])
        if texts.read(found.path).text != found.text:
            raise SetupError(f"{found.path} has just been changed: run it again")

    def _take(self, lock: str) -> None:
        folder = Folder(lock, through_link=False)
        try:
            made = folder.open(folder.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
            try:
                folder.give(made)
            finally:
                os.close(made)
        except FileExistsError:
            raise SetupError(
                f"{lock} is there, so somebody is just changing {self.path}: run it again, "
                "or remove that file if nobody is"
            ) from None
        finally:
            folder.close()
        self._lock = lock

    def unlock(self) -> None:
        """Let others change it."""
        if self._lock:
            with suppress(OSError):
                files.remove(self._lock)
        self._lock = ""

    def commit(self) -> None:
        """Put the new content in place, or take the file away.

        Raises:
            OSError: it stays as it was.
        """
        found = self._change.found
        if self._aside is None:
            files.remove(found.target)
            self._committed = True
            return
        self._aside.commit((self._change.after or "").encode())
        self._committed = True

    def take_back(self) -> None:
        """Have it as it was, as far as that goes."""
        found = self._change.found
        with suppress(OSError):
            if self._aside is not None:
                self._aside.abandon()
            if self._committed and found.text is None:
                files.remove(found.target)
            elif self._committed and found.text is not None:
                mode = _mode(found, is_private=True)
                files.AtomicWrite(found.path, mode=mode).commit(found.text.encode())
        self.unlock()
        remove_folders(self._folders)


def remove_folders(folders: Sequence[str]) -> None:
    """Remove those of some folders that are empty; the innermost is last."""
    for folder in reversed(folders):
        with suppress(OSError):
            os.rmdir(folder)


def _mode(found: Found, *, is_private: bool) -> int | None:
    """The mode that a file has, or a new one is to have; None: for its owner alone."""
    if found.status is not None:
        return found.status.st_mode & 0o7777
    if is_private:
        return None
    mask = os.umask(0o077)
    os.umask(mask)
    return _OPEN & ~mask
