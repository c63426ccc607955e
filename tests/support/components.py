"""The programs that tests are run against, found where the system keeps them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

# What `dev` has built comes first; daemons live where an ordinary user's PATH does not look; and
# PyPI has some programs, too.
_BUILT = str(Path(__file__).resolve().parents[2] / ".scratch/tools/bin")
_ALSO = ("/usr/local/sbin", "/usr/sbin", "/sbin", str(Path(sys.executable).parent))


def need(name: str) -> str:
    """The path of the program ``name``; a test that needs it is skipped when it is absent."""
    path = os.pathsep.join((_BUILT, os.environ.get("PATH", os.defpath), *_ALSO))
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
