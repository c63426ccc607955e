"""Uninstalling: what an installation put there, and what the single file has unpacked."""

from __future__ import annotations

import os

from credlatch.bundle import unpacked
from credlatch.bundle.places import places
from credlatch.errors import PlaceError
from credlatch.install.layout import LOCK, entries, is_build
from credlatch.system import files, folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.install.layout import Layout


def take(layout: Layout) -> list[str]:
    """Remove an installation; what of it was there.

    The links go first: nobody starts what is being removed. What still runs has its files open.

    Raises:
        PlaceError: it cannot be removed.
    """
    gone: list[str] = []
    try:
        if layout.has_our_keyring():
            os.unlink(layout.keyring)
            gone.append(layout.keyring)
        for path in (*layout.links, layout.current):
            if layout.is_ours(path) or (path == layout.current and os.path.islink(path)):
                os.unlink(path)
                gone.append(path)
        for entry in (*layout.leftovers(), *layout.versions()):
            _remove(entry)
            gone.append(entry.path)
    except OSError as error:
        raise PlaceError(f"{error.filename}: {files.reason(error)}: it stays installed") from None
    _leave(layout.lib, LOCK)
    return gone


def take_unpacked(caller: Caller) -> list[str]:
    """Remove what the single file has unpacked for this user; the programs that were there."""
    gone: list[str] = []
    for place in places(caller):
        try:
            folders.private(place.path)
        except OSError:
            continue  # nothing is there, or it is not ours
        for entry in entries(place.path):
            if is_build(entry.name) or folders.is_beside(entry.name):
                folders.remove(entry.path)
                gone.append(entry.path)
        if _leave(place.path, unpacked.LOCK):
            _leave(os.path.dirname(place.path))
    return gone


def _remove(entry: os.DirEntry[str]) -> None:
    """Remove a file, a link or a folder.

    Raises:
        OSError: it cannot be removed.
    """
    if entry.is_dir(follow_symlinks=False):
        old = folders.beside(entry.path, "old")
        os.rename(entry.path, old)  # whole until now, and gone from now on
        folders.remove(old)
    else:
        os.unlink(entry.path)


def _leave(folder: str, *ours: str) -> bool:
    """Remove a folder with no more in it than those files; whether it is gone."""
    try:
        for name in ours:
            if set(os.listdir(folder)) <= set(ours):
                files.remove(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        return False
    return True
