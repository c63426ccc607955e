"""The socket that CREDLATCH_AGENT names: whether it is one, who answers there, and whether at all.

The launcher has the same rules in C (build/loader/place_posix.c), by which calls ask it.
"""

from __future__ import annotations

import os
import stat
import sys

from credlatch.agent import place, wire
from credlatch.system import owners
from credlatch.system.files import reason

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

import socket

_NOBODY = b"doctor"  # a protocol that no agent knows: it has nothing to look for, and declines
NOT_THERE, NO_SOCKET, DEAD = "not there", "no socket", "dead"
STRANGER, SILENT, WELL = "another user's", "silent", "well"


def state(path: str, seconds: float) -> tuple[str, str]:
    """How what a user has named is, in one of the words above; and why, in words for a person.

    Args:
        path: the socket's.
        seconds: that each step may take.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) and owners.is_trusted(status.st_uid):
            status = os.stat(path)
    except OSError as error:
        return NOT_THERE, reason(error)
    if not stat.S_ISSOCK(status.st_mode):
        return NO_SOCKET, "it is no socket, or another user's link"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
        except ConnectionRefusedError as error:
            return DEAD, reason(error)
        except OSError as error:
            return SILENT, reason(error)
        try:
            uid = place.uid_of(connection)
            if uid is None or not _may_answer(path, uid):
                return STRANGER, f"user {uid} listens there"
            connection.sendall(wire.request(wire.FORWARDED, _NOBODY, b""))
            while (said := connection.recv(1)) == wire.PULSE:
                pass
        except OSError as error:
            return SILENT, reason(error)
    return (WELL, "") if said == wire.DECLINED else (SILENT, "it gives no answer")


def _may_answer(path: str, listener: int) -> bool:
    """Whether who listens at a path that the user has named may answer the user.

    The user and root may. Root also believes another user's, but only where nobody but root can
    have put it.
    """
    me = os.getuid()
    if listener in {me, 0}:
        return True
    if me != 0:
        return False
    above = os.path.dirname(path)
    while True:
        try:
            status = os.lstat(above)
            if stat.S_ISLNK(status.st_mode) and owners.is_trusted(status.st_uid):
                status = os.stat(above)
        except OSError:
            return False
        if owners.is_trusted(status.st_uid):
            return not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if status.st_uid != listener or not stat.S_ISDIR(status.st_mode):
            return False
        above = os.path.dirname(above)
