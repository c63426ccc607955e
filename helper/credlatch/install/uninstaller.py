"""Uninstalling: what an installation put there, and what the single file has unpacked."""

from __future__ import annotations

import os

from credlatch.errors import PlaceError
from credlatch.install import unpacked
from credlatch.install.layout import LOCK, entries, is_build
from credlatch.system import files, folders, writable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.install.layout import Layout


def uninstall(layout: Layout) -> list[str]:
    """Remove an installation; what of it was there.

    The links go first: nobody starts what is being removed. What still runs has its files open.
    Versions outside of the prefix, where a link of it leads, may be of another one: they stay, and
    so do links that are not in the prefix either.

    Raises:
        PlaceError: it cannot be removed.
    """
    gone: list[str] = []
    is_ours = layout.is_within(layout.lib)
    try:
        if is_ours or layout.is_within(layout.bin):
            links = [layout.keyring] if layout.has_our_keyring() else []
            for path in (*links, *filter(layout.is_ours, layout.links)):
                os.unlink(path)
                gone.append(path)
        if not is_ours:
            return gone
        if os.path.islink(layout.current):
            os.unlink(layout.current)
            gone.append(layout.current)
        for entry in (*layout.leftovers(), *layout.versions()):
            old = folders.beside(entry.path, "old")
            os.rename(entry.path, old)  # whole until now, and gone from now on
            folders.remove(old)
            gone.append(entry.path)
    except OSError as error:
        raise PlaceError(f"{error.filename}: {files.reason(error)}: it stays installed") from None
    leave(layout.lib, LOCK)
    return gone


def take_unpacked(caller: Caller) -> tuple[list[str], list[str]]:
    """Remove what the single file has unpacked in this home.

    Returns:
        The programs that were there; those in other places, which stay: other homes share them.
    """
    gone: list[str] = []
    stay: list[str] = []
    home = os.path.join(os.path.normpath(caller.home), "")
    for place in unpacked.places(caller):
        own = place.own
        try:
            folders.private(place.path)
        except OSError:
            continue  # nothing is there, or it is not ours
        programs = [
            entry.path
            for entry in entries(place.path)
            if is_build(entry.name) or folders.is_beside(entry.name)
        ]
        if not place.cache or not os.path.normpath(own).startswith(home) or os.path.islink(own):
            stay += programs
            continue
        for path in programs:
            folders.remove(path)
        gone += programs
        if leave(place.path, unpacked.LOCK):
            leave(own)
    return gone, stay


def builds(layout: Layout, caller: Caller) -> set[str]:
    """The builds that are installed, or that the single file has unpacked."""
    installed = {entry.name.rpartition("-")[2] for entry in layout.versions()}
    there = [entry.name for place in unpacked.places(caller) for entry in entries(place.path)]
    return {*installed, *filter(is_build, there)}


def leave(folder: str, *ours: str) -> bool:
    """Remove a folder with no more in it than those files; whether it is gone."""
    try:
        for name in ours:
            if set(os.listdir(folder)) <= set(ours):
                writable.remove(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        return False
    return True
