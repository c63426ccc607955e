"""Where we write: owners, modes, and disks that take no more."""

from __future__ import annotations

import os
import stat
import sys

from credlatch.doctor.finding import FAIL, Finding
from credlatch.fixes import mending, shell
from credlatch.system import owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

SUBJECT = "folders"
_LEAST = 65_536  # bytes: less than the smallest of what is written


def folders(caller: Caller) -> dict[str, str]:
    """What is written into, and what for."""
    return {
        caller.in_home(".rattler"): "logins are kept there",
        caller.config("credlatch"): "your settings are there",
        caller.data("credlatch"): "setup keeps there what it has done",
        caller.cache("credlatch"): "the program unpacks itself there",
    }


def check(caller: Caller) -> Iterator[Finding]:
    """What is in the way of writing; nothing where all is well."""
    if not os.path.isdir(caller.home):
        yield Finding(
            FAIL,
            SUBJECT,
            f"the home folder {caller.home} does not exist: no login is found or kept",
            shell.command("mkdir", "-p", caller.home),
        )
        return
    seen: set[str] = set()
    for path, purpose in folders(caller).items():
        there = path
        while not os.path.lexists(there):
            there = os.path.dirname(there)
        if there not in seen:
            seen.add(there)
            yield from _folder(there, purpose, is_ours=there == path)


def _folder(path: str, purpose: str, *, is_ours: bool) -> Iterator[Finding]:
    if not os.path.isdir(path):
        what = f"{path} is no folder: {purpose}"
        yield Finding(FAIL, SUBJECT, what, shell.put_aside(path))
        return
    if sys.platform == "win32":
        return
    uid, disk = os.stat(path).st_uid, os.statvfs(path)
    if disk.f_flag & os.ST_RDONLY:
        yield Finding(FAIL, SUBJECT, f"{path} is on a disk that is read-only: {purpose}")
    elif disk.f_bavail * disk.f_frsize < _LEAST and disk.f_blocks:
        what = f"the disk of {path} is full: {purpose}"
        yield Finding(FAIL, SUBJECT, what, shell.command("df", "-h", path))
    elif uid != os.geteuid() != 0 and not (owners.is_trusted(uid) and os.access(path, os.W_OK)):
        what = f"{path} belongs to another user (uid {uid}; sudo?): {purpose}"
        yield Finding(FAIL, SUBJECT, what, shell.made_mine(path, whole=is_ours))
    elif ~os.stat(path).st_mode & stat.S_IRWXU and is_ours:
        what = f"{path} is closed to yourself: {purpose}"
        yield Finding(FAIL, SUBJECT, what, *mending.closed(path, mending.FOLDER))
    elif os.stat(path).st_mode & stat.S_IWOTH and is_ours:
        what = f"{path} can be changed by every user: {purpose}"
        yield Finding(FAIL, SUBJECT, what, *mending.closed(path, mending.FOLDER))
