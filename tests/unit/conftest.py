"""What the tests of this folder may ask for beside what all may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.chains import chains
from support.internet import PROXIES
from support.users import open_place
from support.wiring import wiring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.internet import Internet

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


@pytest.fixture
def internet(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    """The same as for all tests; this process, too, goes there."""
    from credlatch.renew import http

    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in internet.environ.items():
        monkeypatch.setenv(name, value)
    http.close()
    yield internet
    http.close()  # what is kept open leads to this test's network
