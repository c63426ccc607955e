"""msgspec, as all of us import it: where it has what it needs itself.

It asks for the functions of `datetime`'s library when it is loaded, and goes on where that cannot
be read: a disk that fails, too many open files. Then it ends the process (SIGSEGV)
when it meets the first class of ours. Here the import fails, which is told in a line.
"""

from __future__ import annotations

import sys

try:
    from datetime import datetime_CAPI as _needed  # noqa: F401 - it is to be there
except ImportError:
    sys.modules.pop("datetime", None)  # in an agent the next one tries again
    raise

import msgspec

__all__ = ["msgspec"]
