"""Installing: first everything is made aside, then it is put in place, one after the other."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import stat
import sys
import time
from contextlib import suppress

from credlatch.errors import PlaceError
from credlatch.install import layout, unpacked
from credlatch.install.uninstaller import leave
from credlatch.system import files, folders, owners
from credlatch.system.locks import Exclusive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.install.layout import Layout, Running

PATIENCE = 60.0  # seconds that one installation waits for another
LATELY = 86_400.0  # seconds: a version that was current so lately may still be running
_FOLDER = _PROGRAM = 0o755
_FILE = 0o644
_PRIVATE = 0o700


def install(running: Running, into: Layout, *, force: bool) -> bool:
    """Install the program that runs; whether there was anything to do.

    Raises:
        PlaceError: there is something of somebody else's, or the prefix does not take it. Then all
            is as it was.
    """
    _see_what_is_there(into, force=force)
    for folder in (into.lib, into.bin):
        _see_whose(folder)
    made: list[str] = []
    try:
        for folder in (into.lib, into.bin):
            _make(folder, made)
        with Exclusive(os.path.join(into.lib, layout.LOCK), PATIENCE):
            return _put(running, into)
    except OSError as error:
        for folder in reversed(made):
            leave(folder, layout.LOCK)
        raise _nothing_done(error, into.lib) from None


def _nothing_done(error: OSError, folder: str) -> PlaceError:
    return PlaceError(
        f"{error.filename or folder}: {files.reason(error)}; nothing was installed: see to that, "
        "or choose another --prefix"
    )


def _see_what_is_there(into: Layout, *, force: bool) -> None:
    if sys.platform == "win32":
        return
    for path in into.links:
        if not os.path.lexists(path) or into.is_ours(path):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            raise PlaceError(f"{path} is a folder: move it away")
        if not force:
            raise PlaceError(f"{path} is not credlatch's: move it away, or replace it with --force")
    if os.path.lexists(into.current) and not os.path.islink(into.current):
        raise PlaceError(f"{into.current} is not a link: move it away")


def _see_whose(folder: str) -> None:
    """See that no other user leads us elsewhere, and that root installs in nobody's folders (sudo).

    They could not upgrade it there, and could put another program in its place.

    Raises:
        PlaceError: there is a link, or for root a folder, of another user's on the way.
    """
    if sys.platform == "win32":
        return
    try:
        real, led = owners.followed(folder)
        while os.geteuid() == 0 and real != os.path.dirname(real):
            owner = _owner(real) if led is None else led
            if not owners.is_trusted(owner):
                raise PlaceError(
                    f"{real} is another user's (uid {owner}), or reached by a link of theirs: "
                    "install as that user, or with --prefix /usr/local"
                )
            real = os.path.dirname(real)
    except OSError as error:
        raise _nothing_done(error, folder) from None


def _owner(path: str) -> int:
    """Whose something is; root's what is not there."""
    try:
        return os.stat(path, follow_symlinks=False).st_uid
    except FileNotFoundError:
        return 0


def _put(running: Running, into: Layout) -> bool:
    before = into.now()
    version = os.path.join(into.lib, running.name)
    fresh: dict[str, str] = {}  # what lies aside, and where it belongs; in the order of putting it
    put: dict[str, tuple[bool, str | None]] = {}  # was there something, and a link to where
    try:
        if not is_same(running.folder, version):
            aside = folders.beside(version)
            fresh[aside] = version
            copy(running.folder, aside)
            folders.sync(aside)
        if sys.platform != "win32":
            wanted = {into.current: running.name} | dict.fromkeys(into.links, into.link_text)
            for path, text in wanted.items():
                if layout.text_of(path) != text:
                    aside = folders.beside(path)
                    os.symlink(text, aside)
                    fresh[aside] = path
        changed = bool(fresh)
        while fresh:
            aside = next(iter(fresh))
            path = fresh[aside]
            was = os.path.lexists(path), layout.text_of(path)
            _replace(aside, path)
            del fresh[aside]
            put[path] = was
    except OSError:
        for path in reversed(put):
            _take_back(path, *put[path])
        raise
    finally:
        for aside in fresh:
            _discard(aside)
    if changed:
        folders.sync_entries(into.bin)
        folders.sync_entries(into.lib)
    _retire(into, before, running.name)
    return changed


def copy(source: str, target: str) -> None:
    """Copy the folder form, for everybody to use, whoever may read the original.

    Raises:
        OSError: it cannot be written there.
    """
    os.mkdir(target, _PRIVATE)  # whatever the umask, nobody else is in there meanwhile
    os.chmod(target, _PRIVATE)
    for name in _contents(source):
        path = os.path.join(target, name)
        original = os.path.join(source, name)
        _make(os.path.dirname(path), [])
        if os.path.islink(original):
            os.symlink(os.readlink(original), path)
        else:
            shutil.copyfile(original, path)
            os.chmod(path, _PROGRAM if os.stat(original).st_mode & stat.S_IXUSR else _FILE)
    for place, _, _ in os.walk(target, topdown=False, onerror=folders.refuse):
        os.chmod(place, _FOLDER)
    if sys.platform == "win32":
        # There are no links for everybody there: the helper is a second program beside the first.
        shutil.copyfile(*(os.path.join(target, name) for name in (layout.PROGRAM, layout.HELPER)))


def is_same(source: str, target: str) -> bool:
    """Whether a version is there, whole and undamaged."""
    if not os.access(os.path.join(target, layout.PROGRAM), os.X_OK):
        return False
    if os.path.samefile(source, target):
        return True
    names = _contents(source)
    if not set(names) <= set(_contents(target)):
        return False
    return not any(filecmp.cmpfiles(source, target, names, shallow=False)[1:])


def _contents(folder: str) -> list[str]:
    return [name for name in folders.files(folder) if name != unpacked.MARK]


def _replace(aside: str, path: str) -> None:
    """Put what lies aside in its place; a damaged version moves away for it."""
    old = folders.beside(path, "old")
    if os.path.isdir(path) and not os.path.islink(path):
        os.rename(path, old)
    os.replace(aside, path)
    folders.remove(old)


def _take_back(path: str, was_there: bool, text: str | None) -> None:
    """Have a link as it was, and what was not there removed; a damaged version has been renewed."""
    with suppress(OSError):
        if not was_there:
            _discard(path)
        elif text is not None:
            aside = folders.beside(path)
            os.symlink(text, aside)
            os.replace(aside, path)


def _retire(into: Layout, before: str | None, now: str) -> None:
    """Remove the versions that nobody can be using any more.

    The one before stays, and what was current within a day, and what is seen to be used.
    """
    if before is not None and before != now:
        with suppress(OSError):  # somebody has removed it by hand
            # From now on it is not current.
            os.utime(os.path.join(into.lib, before), follow_symlinks=False)
    for entry in into.leftovers():
        _discard(entry.path)
    others = [entry for entry in into.versions() if entry.name != now]
    others.sort(key=lambda entry: entry.stat().st_mtime)
    for entry in others[:-1]:
        if time.time() - entry.stat().st_mtime > LATELY:
            _discard(entry.path)


def _discard(path: str) -> None:
    with suppress(OSError):  # in use, or not ours to remove
        if os.path.islink(path):
            os.unlink(path)
        else:
            folders.discard(path)


def _make(folder: str, made: list[str]) -> None:
    """Make a folder and those above it, for everybody to use whatever the umask, and note which."""
    if os.path.isdir(folder):
        return
    if os.path.lexists(folder):
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", folder)
    above = os.path.dirname(folder)
    if above != folder:
        _make(above, made)
    try:
        os.mkdir(folder, _FOLDER)
        made.append(folder)
        os.chmod(folder, _FOLDER)
    except FileExistsError:
        if not os.path.isdir(folder):  # by another installation, just now
            raise
