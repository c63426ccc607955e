"""What the tests of this folder may ask for beside what all may."""

from __future__ import annotations

from support.chains import chains
from support.wiring import wiring

__all__ = ["chains", "wiring"]
