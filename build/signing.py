"""Signatures for macOS, where an identity is named. credlatch.spec and launcher.py use it.

All that runs is signed for the hardened runtime, as Apple's notary asks: PyInstaller signs the
program and each library that it packs, and here the launchers are, the folder's before the single
file takes it in. There are two builds, one for each machine, and none for both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VARIABLE = "CREDLATCH_CODESIGN_IDENTITY"  # as codesign(1) names it
# Python's own calls of C functions, in ctypes and cffi, write code into memory.
_ENTITLEMENTS = Path(__file__).parent / "entitlements.plist"


def options() -> dict[str, str]:
    """What PyInstaller is told of it; nothing where nothing is signed."""
    identity = _identity()
    return (
        {"codesign_identity": identity, "entitlements_file": str(_ENTITLEMENTS)} if identity else {}
    )


def sign(program: Path) -> None:
    """Sign a launcher, which makes no calls of that kind, if an identity is named.

    Raises:
        subprocess.CalledProcessError: it cannot be signed.
    """
    identity = _identity()
    if identity:
        how = ("--force", "--timestamp", "--options", "runtime", "--sign", identity)
        subprocess.run(["codesign", *how, program], check=True)  # noqa: S603, S607 - the system's own


def _identity() -> str:
    return os.environ.get(VARIABLE, "") if sys.platform == "darwin" else ""
