"""What Windows knows of a file, and ``os.stat`` does not tell."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    _BASIC_INFO = 0  # FileBasicInfo of FILE_INFO_BY_HANDLE_CLASS (minwinbase.h)
    _EPOCH = 116_444_736_000_000_000  # 1970 in steps of 100 ns since 1601

    class _BasicInfo(ctypes.Structure):
        _fields_ = (
            ("created", ctypes.c_int64),
            ("read", ctypes.c_int64),
            ("written", ctypes.c_int64),
            ("changed", ctypes.c_int64),
            ("attributes", wintypes.DWORD),
        )

    _information = ctypes.WinDLL("kernel32", use_last_error=True).GetFileInformationByHandleEx
    _information.argtypes = (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)

    def changed(descriptor: int) -> int:
        """When a file was last changed, in ns since 1970; no program sets that as it likes.

        Raises:
            OSError: the system does not tell.
        """
        info = _BasicInfo()
        size = ctypes.sizeof(info)
        handle = msvcrt.get_osfhandle(descriptor)
        if not _information(handle, _BASIC_INFO, ctypes.byref(info), size):
            raise ctypes.WinError(ctypes.get_last_error())
        return int(info.changed - _EPOCH) * 100
