"""The programs that tests are run against, found where the system keeps them."""

from __future__ import annotations

import os
import shutil

import pytest

# Daemons live where an ordinary user's PATH does not look.
_ALSO = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def need(name: str) -> str:
    """The path of the program ``name``; a test that needs it is skipped when it is absent."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO))
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
