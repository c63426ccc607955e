"""What the tests of this folder may ask for beside what all may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.chains import chains
from support.users import open_place
from support.wiring import wiring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["chains", "wiring"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with an old content, in a folder of its own."""
    path = tmp_path / "folder" / "store"
    path.parent.mkdir(mode=0o700)
    path.write_text("old")
    path.chmod(0o600)
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Sockets have short paths, and other users must be able to come here."""
    with open_place() as place:
        yield place
