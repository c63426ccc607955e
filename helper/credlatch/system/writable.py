"""Folders to write and lock in, and to whom belongs what we make there.

Root works for others with their HOME (sudo), and leaves what it makes to them: a file of root's in
a user's home would lock them out of their own logins.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from credlatch.system import durable, files, owners

# Only to be passed through; where there is no such thing, a folder must be readable for that.
_THROUGH: int = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_CLOEXEC", 0)
_FOLDER: int = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Folder:
    """A folder to write or lock in, made if need be; reached through no link but those judged.

    It is held by a descriptor, so that nobody puts another one in its place meanwhile.

    Args:
        path: the path of a file in it, which need not exist.
        through_link: whether the file itself may be a link to the one that is meant.

    Attributes:
        name: the file's name in it, which is another one where a link was followed.
        path: the file's path without links.
        descriptor: for ``dir_fd``; None where there is no such thing.

    Raises:
        OSError: it cannot be had, or is another user's who may have put it there.
    """

    __slots__ = ("_status", "descriptor", "name", "path")

    def __init__(self, path: str, *, through_link: bool = True) -> None:
        if through_link:
            self.path, led = owners.followed(path)
            folder, self.name = os.path.split(self.path)
        else:
            above, self.name = os.path.split(path)
            folder, led = owners.followed(above)
            self.path = os.path.join(folder, self.name)
        self.descriptor: int | None = None
        owners.see_way(folder)
        if sys.platform == "win32":
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._status = os.stat(folder)
            return
        self.descriptor = _entered(folder)
        try:
            self._status = os.fstat(self.descriptor)
            self._see(folder, led)
        except BaseException:
            self.close()
            raise

    def _see(self, folder: str, led: int | None) -> None:
        if led not in {None, self._status.st_uid}:
            raise PermissionError(errno.EPERM, f"another user's link leads to {folder}")
        owners.see_way(folder)  # what was not there before may have been put there meanwhile

    def close(self) -> None:
        """Let go of it."""
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            files.close(descriptor)

    def at(self, name: str) -> str:
        """A name in it, as the system's calls have it together with ``dir_fd``."""
        if self.descriptor is not None:
            return name
        return os.path.join(os.path.dirname(self.path), name)

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """Open a file in it, following no link."""
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        return os.open(self.at(name), flags, mode, dir_fd=self.descriptor)

    def status(self) -> os.stat_result | None:
        """What the file is that is to be replaced; None: there is none.

        Raises:
            OSError: it is no file, or another user's, whose it would not stay, or a mount (of a
                container's), in whose place nothing can be put.
        """
        try:
            status = os.stat(self.at(self.name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a file", self.path)
        if sys.platform != "win32" and os.geteuid() != 0 and not owners.is_trusted(status.st_uid):
            raise PermissionError(errno.EPERM, f"it is another user's (uid {status.st_uid})")
        if _is_mount(self.path):
            raise OSError(errno.EBUSY, "it is mounted by itself: mount its folder instead")
        return status

    def give(self, descriptor: int, like: os.stat_result | None = None) -> None:
        """Leave what we have just made to the owner of what it replaces; root also to the folder's.

        Raises:
            OSError: the file system does not take it.
        """
        if sys.platform == "win32":
            return
        made, owner = os.fstat(descriptor), like or self._status
        if os.geteuid() == 0 and made.st_uid == 0 != owner.st_uid:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        elif like is not None and like.st_gid != made.st_gid:
            try:  # noqa: SIM105 - contextlib costs more than all of this
                os.fchown(descriptor, -1, like.st_gid)
            except OSError:
                pass  # a group that we are not in: nobody but the owner may read it anyway

    def rename(self, name: str, to: str) -> None:
        """Put a file of it in the place of another one.

        Raises:
            OSError: it is not done.
        """
        at = self.descriptor
        os.replace(self.at(name), self.at(to), src_dir_fd=at, dst_dir_fd=at)

    def remove(self, name: str) -> None:
        """Remove a file that may not be there.

        Raises:
            OSError: it cannot be removed.
        """
        try:  # noqa: SIM105 - contextlib costs more than all of this
            os.unlink(self.at(name), dir_fd=self.descriptor)
        except FileNotFoundError:
            pass

    def sync(self) -> None:
        """Have the list of its names on the disk, where such a thing can be asked for."""
        # Without it a rename may be lost with the power; some file systems cannot, and need not.
        try:
            descriptor = self.open(".", os.O_RDONLY)
            try:
                durable.to_disk(descriptor)
            finally:
                files.close(descriptor)
        except OSError:
            return


def _is_mount(path: str) -> bool:
    """Whether a file is mounted by itself, as Linux lists it (proc(5), mountinfo)."""
    if sys.platform != "linux":
        return False
    for char in "\\ \t\n":
        path = path.replace(char, f"\\{ord(char):03o}")
    wanted = os.fsencode(path)
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            return any(mount.split(b" ", 5)[4] == wanted for mount in mounts)
    except OSError:
        return False


def remove(path: str) -> None:
    """Remove a file that may not be there, or a link, through no link but those judged.

    Raises:
        OSError: it cannot be removed, or is where another user may have led us.
    """
    if not os.path.lexists(path):
        return
    folder = Folder(path, through_link=False)
    try:
        folder.remove(folder.name)
    finally:
        folder.close()


def make_folder(path: str) -> None:
    """Make a folder for its user alone, and those above it; nothing happens where it is.

    Raises:
        OSError: it cannot be made, or is another user's who may have put it there.
    """
    Folder(os.path.join(path, "x")).close()


def _entered(folder: str) -> int:
    """A descriptor of a folder, made if need be, through no link that is put on the way now."""
    descriptor = os.open("/", _THROUGH | _FOLDER)
    try:
        for part in folder.split("/"):
            if part:
                above, descriptor = descriptor, _below(part, descriptor)
                files.close(above)
    except BaseException:
        files.close(descriptor)
        raise
    return descriptor


def _below(name: str, above: int) -> int:
    try:
        return os.open(name, _THROUGH | _FOLDER, dir_fd=above)
    except FileNotFoundError:
        pass
    try:
        os.mkdir(name, 0o700, dir_fd=above)
    except FileExistsError:
        pass  # another process has been quicker
    else:
        _leave(name, above)
    return os.open(name, _THROUGH | _FOLDER, dir_fd=above)


def _leave(name: str, above: int) -> None:
    """Leave a folder that root has just made to the owner of the one that it is in."""
    if sys.platform == "win32":
        raise NotImplementedError
    owner = os.fstat(above)
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    descriptor = os.open(name, os.O_RDONLY | _FOLDER, dir_fd=above)
    try:
        # Its owner may have put another one there: what root has in it must not become theirs.
        if os.fstat(descriptor).st_uid == 0 and not os.listdir(descriptor):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        files.close(descriptor)
