"""This process's memory: who may look into it, and how much it is; and its descriptors."""

from __future__ import annotations

import os
import sys

_PR_SET_DUMPABLE = 4  # prctl(2)
# What is left to the user (winnt.h): SYNCHRONIZE, PROCESS_QUERY_LIMITED_INFORMATION,
# PROCESS_TERMINATE. And READ_CONTROL to the owner, who might change all this otherwise.
_LEFT_TO_THE_USER = "D:P(A;;0x101001;;;{})(A;;RC;;;OW)"


def forbid_dumps() -> None:
    """Keep other processes of the same user, and core files, out of this one's memory.

    ``/proc/PID/mem`` and its like belong to root from then on (PR_SET_DUMPABLE in prctl(2)). On
    Windows no process of the user's may open this one to read it, or to write into it (as an
    administrator's may), and no report of a crash is made. Elsewhere core files are switched off,
    as everywhere, and the system guards the rest.
    """
    if sys.platform == "linux":
        # What `ctypes` is made of: the package itself would be collected whole, and imported by
        # the loader at every start.
        import _ctypes

        prctl = _ctypes.dlsym(_ctypes.dlopen("libc.so.6", 0), "prctl")
        _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))
    elif sys.platform == "win32":
        import msvcrt

        from credlatch.system import windows_users as users

        msvcrt.SetErrorMode(msvcrt.SEM_FAILCRITICALERRORS | msvcrt.SEM_NOGPFAULTERRORBOX)
        users.Descriptor(_LEFT_TO_THE_USER.format(users.own())).guard_this_process()


def resident() -> int:
    """How many bytes of it are in memory; 0 where that is not told."""
    if sys.platform == "win32":
        from credlatch.system import windows_processes

        return windows_processes.working_set()
    else:  # noqa: RET505 - so that types are checked for each system
        try:
            with open("/proc/self/statm", "rb") as numbers:
                return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0


def allow_descriptors(number: int) -> None:
    """Have room for so many, as far as the system lets us; what a shell has set comes along."""
    if sys.platform == "win32":
        return
    import resource

    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except OSError:
        return  # it goes on with what it has
