"""A socket in the file system."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def listening(path: Path) -> Path:
    """Leave a socket at a path, and give the path."""
    with socket.socket(socket.AF_UNIX) as here:
        here.bind(str(path))
    return path
