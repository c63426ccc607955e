"""This process's memory: who may look into it, and how much it is."""

from __future__ import annotations

import os
import sys

_PR_SET_DUMPABLE = 4  # prctl(2)


def forbid_dumps() -> None:
    """Keep other processes of the same user, and core files, out of this one's memory.

    ``/proc/PID/mem`` and its like belong to root from then on (PR_SET_DUMPABLE in prctl(2)). On
    Linux; elsewhere core files are switched off, as everywhere, and the system guards the rest.
    """
    if sys.platform == "linux":
        # What `ctypes` is made of: the package itself would be collected whole, and imported by
        # the loader at every start.
        import _ctypes

        prctl = _ctypes.dlsym(_ctypes.dlopen("libc.so.6", 0), "prctl")
        _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))


def resident() -> int:
    """How many bytes of it are in memory; 0 where that is not told."""
    try:
        with open("/proc/self/statm", "rb") as numbers:
            return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
