"""Files of a project, which are believed only where nobody else can have written them."""

from __future__ import annotations

import os
import stat
import sys

from credlatch.errors import StoreError
from credlatch.system import files

LARGEST = 1024 * 1024  # bytes of a manifest, a configuration or a file with logins
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def see_folder(path: str) -> None:
    """See that nobody else can put anything into a folder.

    Raises:
        StoreError: somebody can, or it is none, or a link.
    """
    try:
        status = os.lstat(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be looked at: {files.reason(error)}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise StoreError(f"{path} is a link, or no folder")
    _see(path, status)


def read(path: str) -> str:
    """A file of LARGEST at most, no link, the caller's or root's, and changed by nobody else.

    Raises:
        StoreError: it is none such; without one it is empty.
    """
    if os.path.islink(path):
        raise StoreError(f"{path} is a link")
    file = files.opened(path)
    if file is None:
        return ""
    with file:
        _see(path, file.status)
        return file.text(LARGEST)


def _see(path: str, status: os.stat_result) -> None:
    from credlatch.system import owners

    if not owners.is_trusted(status.st_uid):
        raise StoreError(f"{path} is another user's")
    if sys.platform != "win32" and status.st_mode & _OTHERS_WRITE:
        raise StoreError(f"others may change {path}: chmod go-w {path}")
