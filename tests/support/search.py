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
    """The files below the folders that hold one of the secrets, in content or name."""
    wanted = list(secrets)
    assert wanted
    assert all(wanted)
    left_out = {str(path) for path in but}
    found = []
    for folder in folders:
        assert folder.is_dir()
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                if path in left_out or not os.path.isfile(path) or os.path.islink(path):
                    continue
                with open(path, "rb") as file:
                    if holds(path.encode() + b"\0" + file.read(), wanted):
                        found.append(path)
    return found
