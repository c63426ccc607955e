"""A configuration as it is found: its text, and what it was when it was read."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from credlatch.errors import SetupError
from credlatch.system import owners
from credlatch.system.files import reason

_LARGEST = 4 * 1024 * 1024  # bytes: no configuration has a hundredth of it


@dataclass(slots=True, frozen=True, repr=False)
class Found:
    """A file that is there, or is not.

    Attributes:
        path: its name, as the tool knows it.
        text: what it says; None when it is not there.
        status: what it was; None when it was not there.
    """

    path: str
    text: str | None
    status: os.stat_result | None

    @property
    def target(self) -> str:
        """The file itself, where the name is a link to it."""
        return os.path.realpath(self.path)

    def see_that_it_may_change(self) -> None:
        """See that nobody has meant it to stay as it is.

        Raises:
            SetupError: it is read-only, or somebody else's.
        """
        if self.status is None:
            return
        # Root may write everywhere, but what says that it is not to be written is not.
        if not self.status.st_mode & stat.S_IWUSR or not os.access(self.target, os.W_OK):
            raise SetupError(
                f"{self.path} is read-only: nothing was written; make it writable, or change it "
                "where it is made"
            )
        if sys.platform != "win32" and self.status.st_uid != os.geteuid() != 0:
            raise SetupError(f"{self.path} is another user's: nothing was written")

    def missing_folders(self) -> list[str]:
        """The folders that must be made for it, the outermost first."""
        above = reversed(Path(self.target).parents)
        return [str(folder) for folder in above if not os.path.lexists(folder)]


def read(path: str) -> Found:
    """A configuration.

    Raises:
        SetupError: there is something that is no text, cannot be read, or is another user's who may
            have put it there: it would say which helpers are asked after credlatch.
    """
    if path == os.devnull:
        raise SetupError(f"a variable has {path} read as the configuration: unset it")
    try:
        with open(path, "rb", opener=_opened) as file:
            status = os.fstat(file.fileno())
            for each in (status, os.lstat(path)) if sys.platform != "win32" else ():
                if why := owners.stranger(path, each):
                    raise SetupError(why)
            if not stat.S_ISREG(status.st_mode):
                raise SetupError(f"{path} is not a file: move it away")
            data = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return _absent(path)
    except IsADirectoryError:
        raise SetupError(f"{path} is not a file: move it away") from None
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {reason(error)}") from None
    if len(data) > _LARGEST:
        raise SetupError(f"{path} has more than {_LARGEST} bytes: it is no configuration")
    try:
        return Found(path, data.decode(), status)
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not UTF-8 text: mend it") from None


def _opened(path: str, flags: int) -> int:
    # Not blocking, so that a FIFO is an error and no hang.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _absent(path: str) -> Found:
    folder = next(filter(os.path.lexists, Path(path).parents))
    if not os.path.isdir(folder):
        raise SetupError(f"{folder} is not a folder, and {path} would be below it: move it away")
    return Found(path, None, None)
