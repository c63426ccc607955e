"""A search for secrets wherever a program may have left them."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def forms(secret: str) -> list[bytes]:
    """A secret as it is, and as base64 at any place in a longer text."""
    found = [secret.encode()]
    for before in range(3):
        # What of it is the same, whatever stands before and behind.
        whole = base64.b64encode(b"\0" * before + secret.encode()).rstrip(b"=")
        found.append(whole[4 if before else 0 : -4])
    return found


def holds(content: bytes, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets is in it."""
    return any(form in content for secret in secrets for form in forms(secret))


def holders(secrets: Iterable[str], *folders: Path, but: Iterable[Path] = ()) -> list[str]:
    """The files below the folders that hold one of the secrets, in content or name.

    What a program holds by a lease has nothing in it before that program is asked for it: it is
    another test's, which runs at the same time and would notice.
    """
    wanted = list(secrets)
    assert wanted
    assert all(wanted)
    left_out = {str(path) for path in but}
    found = []
    for folder in folders:
        assert folder.is_dir()
        for place, _, names in os.walk(folder):
            leased = _leased()
            for name in names:
                path = os.path.join(place, name)
                if path in left_out or not os.path.isfile(path) or os.path.islink(path):
                    continue
                status = os.stat(path)
                if (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino) in leased:
                    continue
                with open(path, "rb") as file:
                    if holds(path.encode() + b"\0" + file.read(), wanted):
                        found.append(path)
    return found


def _leased() -> set[tuple[int, int, int]]:
    """Device and inode of the files that processes hold by leases (proc_locks(5))."""
    with open("/proc/locks", encoding="ascii") as file:
        words = [word for row in file if " LEASE " in row for word in row.split()]
    places = [word.split(":") for word in words if word.count(":") == 2]
    return {(int(major, 16), int(minor, 16), int(inode)) for major, minor, inode in places}
