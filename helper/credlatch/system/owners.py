"""Whose files and folders count, and whose links are followed.

A file counts when nobody else can have written it: it belongs to the caller, to root, or to the
owner of the root folder (in a user namespace root may have another number). Another user's counts
only where nobody but a trusted user can have put it: below a home folder, or mounted into one, and
not in /tmp.

On Windows none of this is looked at: there a profile is its user's, by inheritance.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

_LINKS = 40  # in one path, as Linux has it (path_resolution(7))
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_ENTER = stat.S_IXGRP | stat.S_IXOTH
_ALL = stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO


def is_trusted(uid: int) -> bool:
    """Whether a user can change what the caller does in any case."""
    return sys.platform == "win32" or uid in {os.geteuid(), 0} or uid == os.stat("/").st_uid


def may_be_planted(path: str, uid: int) -> bool:
    """Whether another user may have put what is theirs at ``path`` by themselves.

    They have not when a trusted user did: it is in a folder that only a trusted user changes, or
    in folders of their own below such a one.

    Raises:
        OSError: a folder on the way cannot be looked at.
    """
    folder = os.path.realpath(os.path.dirname(path))
    while True:
        status = os.stat(folder, follow_symlinks=False)
        if is_trusted(status.st_uid):
            return bool(status.st_mode & _OTHERS_WRITE)
        if status.st_uid != uid:
            return True
        folder = os.path.dirname(folder)


def see_way(folder: str) -> None:
    """See that none of the folders on the way to one has been put there by another user.

    Args:
        folder: its path without links; what is not there yet is passed over.

    Raises:
        PermissionError: one may have been.
        OSError: one cannot be looked at.
    """
    if sys.platform == "win32":
        return
    while folder != os.path.dirname(folder):
        try:
            uid = os.stat(folder, follow_symlinks=False).st_uid
        except FileNotFoundError:
            uid = os.geteuid()
        if not is_trusted(uid) and may_be_planted(folder, uid):
            raise PermissionError(
                errno.EPERM, f"{folder} is another user's (uid {uid}), who may have put it there"
            )
        folder = os.path.dirname(folder)


def open_to_all(path: str, status: os.stat_result) -> str:
    """What to say, and to do, of a file that every user may change."""
    remedy = f"see what is in it, and chmod o-w {path}"
    if status.st_mode & _ALL == _ALL:  # nobody means a store to be run
        remedy += ", or mount its drive with umask=077 if that knows no modes (WSL: metadata)"
    return f"{path} can be changed by every user: {remedy}"


def is_out_of_reach(path: str, status: os.stat_result) -> bool:
    """Whether no other user gets to a file, whatever its mode, for a closed folder above it.

    Args:
        path: its name, which may be a link to it.
        status: what it is.
    """
    if status.st_nlink != 1:
        return False  # it may have another name elsewhere
    path = os.path.realpath(path)
    try:
        if not os.path.samestat(os.stat(path, follow_symlinks=False), status):
            return False
        while path != (folder := os.path.dirname(path)):
            path, above = folder, os.stat(folder, follow_symlinks=False)
            whose = above.st_uid == status.st_uid or is_trusted(above.st_uid)
            if whose and not above.st_mode & _OTHERS_ENTER:
                return True
    except OSError:
        return False
    return False


def stranger(path: str, status: os.stat_result) -> str:
    """Why a file is another user's who may have put it there; empty where it is not."""
    try:
        planted = not is_trusted(status.st_uid) and may_be_planted(path, status.st_uid)
    except OSError:
        planted = True
    if not planted:
        return ""
    return (
        f"{path} belongs to another user (uid {status.st_uid}), who may have put it there: "
        "chown it if it is yours, or move it away"
    )


def real_path(path: str, by: int | None = None) -> str:
    """The name without links of what is to be written or locked.

    Args:
        path: its name.
        by: the user in whose file that name was found, where it is another one's (``other``). As
            with a link of theirs, it may lead to their own folders only.

    Raises:
        OSError: a link on the way is not to be followed: somebody else's, or one in a folder where
            every user may put links; as root, one of a user's that leads to no folder of theirs.
    """
    real, led = followed(path)
    for what, uid in (("link", led), ("file", by)):
        folder = os.path.dirname(real)
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        if uid is not None and os.stat(folder, follow_symlinks=False).st_uid != uid:
            raise PermissionError(errno.EPERM, f"another user's {what} leads to {folder}")
    return real


def other(uid: int) -> int | None:
    """A user, where that is another one, who must not lead the caller: None for those trusted."""
    return None if is_trusted(uid) else uid


def only_we_change(path: str) -> bool:
    """Whether nobody but trusted users can put something else in the place of what is there.

    Args:
        path: its name without links.
    """
    try:
        while True:
            status = os.stat(path, follow_symlinks=False)
            if not is_trusted(status.st_uid) or status.st_mode & _OTHERS_WRITE:
                return False
            if path == os.path.dirname(path):
                return True
            path = os.path.dirname(path)
    except OSError:
        return False


def followed(path: str) -> tuple[str, int | None]:
    """The same, and the user whose links were followed, where that is neither caller nor root.

    What such a link leads to must be that user's.

    Raises:
        OSError: as above.
    """
    if sys.platform == "win32":
        return os.path.realpath(path), None
    # Not where it makes no difference: a folder that is gone has no name.
    whole = path if path.startswith("/") else os.path.join(os.getcwd(), path)
    done, left, links = "/", _parts(whole), 0
    led: int | None = None
    while left:
        part = left.pop()
        if part == "..":
            done = os.path.dirname(done)
            continue
        here = os.path.join(done, part)
        try:
            status = os.lstat(here)
        except FileNotFoundError:
            done = here
            continue
        if not stat.S_ISLNK(status.st_mode):
            done = here
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        led = _leader(here, done, status.st_uid, led)
        text = os.readlink(here)
        done = "/" if text.startswith("/") else done
        left += _parts(text)
    return done, led


def _parts(path: str) -> list[str]:
    """The parts of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in {"", "."}]


def _leader(link: str, folder: str, uid: int, before: int | None) -> int | None:
    """Whose folder a link must lead to; None: anybody's.

    Raises:
        PermissionError: it is not to be followed.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    if os.stat(folder).st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, f"{link} is a link where every user may put one", link)
    if is_trusted(uid):
        return before
    if os.geteuid() != 0 or before not in {None, uid}:
        raise PermissionError(errno.EPERM, f"{link} is another user's link", link)
    return uid
