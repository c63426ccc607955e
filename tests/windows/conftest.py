"""What the tests of the Windows program ask for: either form, and a home that is left as it was."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import pytest

from support.wine import FORMS, Windows, WindowsHome

if TYPE_CHECKING:
    from collections.abc import Iterator

if "WINEPREFIX" not in os.environ:
    raise pytest.UsageError("the tests of the Windows program are run by ./dev windows")


@pytest.fixture(scope="session")
def every_home() -> WindowsHome:
    """The home of all tests, as it was when the first began."""
    return WindowsHome()


@pytest.fixture(params=FORMS)
def windows(request: pytest.FixtureRequest, every_home: WindowsHome) -> Iterator[Windows]:
    """Both forms of the Windows program, one after the other."""
    every_home.clean()
    yield Windows(FORMS[request.param], every_home)
    every_home.clean()


@pytest.fixture
def folder(every_home: WindowsHome) -> Iterator[Windows]:
    """The folder form alone: what the single file runs, too, once it has unpacked it."""
    every_home.clean()
    yield Windows(FORMS["folder"], every_home)
    every_home.clean()


@pytest.fixture
def host() -> str:
    """A host that no other test has used: the Credential Manager is all tests' own."""
    return f"{uuid.uuid4().hex[:12]}.example.com"
