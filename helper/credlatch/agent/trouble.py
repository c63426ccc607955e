"""Why the agent's folder is not believed, and what to do, in words for a person."""

from __future__ import annotations

import os
import stat

from credlatch.agent import place
from credlatch.system.files import reason

_ELSEWHERE = "set XDG_RUNTIME_DIR to a folder of your own"


def with_folder(path: bytes, uid: int) -> str:
    """Why a folder is not the user's alone, or cannot be made so; empty where it is, or can."""
    shown, above = os.fsdecode(path), os.path.dirname(path)
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return _to_make_one(above, uid)
    except OSError as error:
        return f"{shown} cannot be looked at ({reason(error)}): {_ELSEWHERE}"
    if not stat.S_ISDIR(status.st_mode):
        kind = "a link" if stat.S_ISLNK(status.st_mode) else "no folder"
        return f"{shown} is {kind}: have it removed, or {_ELSEWHERE}"
    if status.st_uid != uid:
        whose = f"another user's (uid {status.st_uid})"
        return f"{shown} is {whose}: have its owner or root remove it, or {_ELSEWHERE}"
    if not place.is_private(path, uid):
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return f"{shown} is open to others: chmod 700 {shown}"
        return f"others can put another in the place of {shown}: {_ELSEWHERE}"
    return _unwritable(path)


def _to_make_one(above: bytes, uid: int) -> str:
    shown = os.fsdecode(above)
    try:
        status = os.stat(above)
    except OSError as error:
        return f"{shown} cannot be looked at ({reason(error)}): {_ELSEWHERE}"
    # With another user's environment (sudo), it would be in the way of that user's own.
    if status.st_uid != uid and not status.st_mode & stat.S_ISVTX:
        return f"{shown} is another user's (uid {status.st_uid}): {_ELSEWHERE}"
    return _unwritable(above)


def _unwritable(folder: bytes) -> str:
    if os.access(folder, os.W_OK | os.X_OK):
        return ""
    return f"{os.fsdecode(folder)} cannot be written to: {_ELSEWHERE}"
