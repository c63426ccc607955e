"""Processes on Windows that go on by themselves."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import _winapi
    import ctypes
    import errno
    import os
    from ctypes import wintypes

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from collections.abc import Mapping, Sequence

    # winbase.h
    _SUSPENDED, _OUT_OF_JOB, _UNICODE = 0x4, 0x0100_0000, 0x400
    _FLAGS = (
        _SUSPENDED
        | _OUT_OF_JOB
        | _UNICODE
        | _winapi.DETACHED_PROCESS  # no console, whose end would be its end
        | _winapi.CREATE_NEW_PROCESS_GROUP
    )

    _ENDS_WITH_IT = "it would end with the job of processes that this one is in"

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _is_in_job = _kernel32.IsProcessInJob
    _is_in_job.argtypes = (wintypes.HANDLE, wintypes.HANDLE, ctypes.POINTER(wintypes.BOOL))
    _resume = _kernel32.ResumeThread
    _resume.argtypes = (wintypes.HANDLE,)

    _search = _kernel32.SetDllDirectoryW
    _search.argtypes = (wintypes.LPCWSTR,)

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS (psapi.h)."""

        _fields_ = (
            ("size", wintypes.DWORD),
            ("faults", wintypes.DWORD),
            ("peak", ctypes.c_size_t),
            ("working_set", ctypes.c_size_t),
            ("more", ctypes.c_size_t * 6),
        )

    _memory = _kernel32.K32GetProcessMemoryInfo
    _memory.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Counters), wintypes.DWORD)

    def working_set() -> int:
        """How many bytes of this process are in memory; 0 where that is not told."""
        counters = _Counters()
        size = ctypes.sizeof(counters)
        told = _memory(_winapi.GetCurrentProcess(), ctypes.byref(counters), size)
        return counters.working_set if told else 0

    class _Start:
        """What CreateProcess is told (STARTUPINFOEX)."""

        dwFlags = _winapi.STARTF_USESTDHANDLES  # noqa: N815 - _winapi looks for these names
        wShowWindow = 0  # noqa: N815

        def __init__(self, nothing: int, handles: list[int]) -> None:
            self.hStdInput = self.hStdOutput = self.hStdError = nothing
            self.lpAttributeList = {"handle_list": handles}

    def let_go_of_libraries() -> None:
        """Have programs that we start look for libraries in their own folders, and not in ours.

        PyInstaller's loader has named our folder to Windows, which hands that on to children. We
        need it no more: ours is the folder of the executable. Nor is the working directory
        searched from then on.
        """
        _search("")

    def program() -> str:
        """The executable that this process runs."""
        return _winapi.GetModuleFileName(0)

    def start(path: str, words: Sequence[str], environ: Mapping[str, str], kept: int) -> None:
        """Run a program that nobody waits for, and that outlives this process and its console.

        Who runs programs in a job that ends with its first process (Bazel, ``ssh``), and lets none
        out of it, means all of them: then nothing is started.

        Args:
            path: the program.
            words: its arguments, the name that it is called by among them; without blanks.
            environ: its environment.
            kept: what it has of our handles; the standard streams have nothing in them.

        Raises:
            OSError: there can be none.
        """
        os.set_handle_inheritable(kept, True)
        nothing = os.open(os.devnull, os.O_RDWR)
        try:
            import msvcrt

            stream = msvcrt.get_osfhandle(nothing)
            os.set_handle_inheritable(stream, True)
            process, thread, _, _ = _winapi.CreateProcess(
                path,
                " ".join(words),
                None,
                None,
                True,
                _FLAGS,
                dict(environ),
                os.path.dirname(path),
                _Start(stream, [stream, kept]),
            )
        finally:
            os.close(nothing)
            os.set_handle_inheritable(kept, False)
        try:
            held = wintypes.BOOL(True)
            if not _is_in_job(process, None, ctypes.byref(held)) or held:
                _winapi.TerminateProcess(process, 1)
                raise PermissionError(errno.EPERM, _ENDS_WITH_IT)
            _resume(thread)
        finally:
            _winapi.CloseHandle(thread)
            _winapi.CloseHandle(process)
