"""Asks PyPI what is known to be wrong with what is locked, for all systems and Pythons at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devtools import lock
from devtools.steps import SCRATCH, run, say

if TYPE_CHECKING:
    from pathlib import Path

_PIN = re.compile(r"^([^\s=#]+==[^\s;\\]+)", re.MULTILINE)


def pins() -> list[str]:
    """Each version of a package that is locked anywhere, whatever it is locked for."""
    texts = (path.read_text(encoding="utf-8") for path in lock.FOLDER.glob("*.txt"))
    return sorted({pin for text in texts for pin in _PIN.findall(text)})


def audit(python: Path) -> int:
    """Ask; the exit status, which is not 0 either where something could not be asked.

    Args:
        python: with the audit group.
    """
    asked = SCRATCH / "audit.txt"
    asked.write_text("".join(f"{pin}\n" for pin in pins()), encoding="utf-8")
    say(f"asking for {len(pins())} packages")
    options = ("--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off")
    return run(python, "-m", "pip_audit", *options, "--requirement", asked)
