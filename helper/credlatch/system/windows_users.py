"""Users of Windows by their security identifiers: who runs a process, and whose a pipe is."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    import os
    from ctypes import wintypes

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from collections.abc import Callable

    # winnt.h, accctrl.h and sddl.h
    _TOKEN_QUERY = 0x0008
    _TOKEN_USER, _TOKEN_STATISTICS = 1, 10
    _QUERY_LIMITED_INFORMATION = 0x1000
    _SE_KERNEL_OBJECT = 6
    _OWNER, _DACL, _PROTECTED = 0x1, 0x4, 0x8000_0000
    _SDDL_REVISION = 1

    _advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)

    class _Luid(ctypes.Structure):
        _fields_ = (("low", wintypes.DWORD), ("high", wintypes.LONG))

    class _TokenStatistics(ctypes.Structure):
        _fields_ = (("token", _Luid), ("session", _Luid), ("more", ctypes.c_byte * 40))

    class _SecurityAttributes(ctypes.Structure):
        _fields_ = (
            ("length", wintypes.DWORD),
            ("descriptor", wintypes.LPVOID),
            ("inherited", wintypes.BOOL),
        )

    def _declared(
        library: ctypes.WinDLL, name: str, result: type | None, *arguments: type
    ) -> Callable[..., int]:
        function = library[name]
        function.restype = result
        function.argtypes = arguments
        return function

    _HANDLE, _DWORD, _VOID = wintypes.HANDLE, wintypes.DWORD, wintypes.LPVOID
    _BOOL = wintypes.BOOL
    _this_process = _declared(_kernel32, "GetCurrentProcess", _HANDLE)
    _this_thread = _declared(_kernel32, "GetCurrentThread", _HANDLE)
    _close = _declared(_kernel32, "CloseHandle", _BOOL, _HANDLE)
    _local_free = _declared(_kernel32, "LocalFree", _VOID, _VOID)
    _open_process = _declared(_kernel32, "OpenProcess", _HANDLE, _DWORD, _BOOL, _DWORD)
    _open_process_token = _declared(
        _advapi32, "OpenProcessToken", _BOOL, _HANDLE, _DWORD, ctypes.POINTER(_HANDLE)
    )
    _open_thread_token = _declared(
        _advapi32, "OpenThreadToken", _BOOL, _HANDLE, _DWORD, _BOOL, ctypes.POINTER(_HANDLE)
    )
    _token_information = _declared(
        _advapi32, "GetTokenInformation",
        _BOOL, _HANDLE, ctypes.c_int, _VOID, _DWORD, ctypes.POINTER(_DWORD),
    )  # fmt: skip
    _sid_text = _declared(
        _advapi32, "ConvertSidToStringSidW", _BOOL, _VOID, ctypes.POINTER(wintypes.LPWSTR)
    )
    _impersonate = _declared(_advapi32, "ImpersonateNamedPipeClient", _BOOL, _HANDLE)
    _revert = _declared(_advapi32, "RevertToSelf", _BOOL)
    _security_of = _declared(
        _advapi32, "GetSecurityInfo",
        _DWORD, _HANDLE, ctypes.c_int, _DWORD, ctypes.POINTER(_VOID), _VOID, _VOID, _VOID,
        ctypes.POINTER(_VOID),
    )  # fmt: skip
    _descriptor_of_text = _declared(
        _advapi32, "ConvertStringSecurityDescriptorToSecurityDescriptorW",
        _BOOL, wintypes.LPCWSTR, _DWORD, ctypes.POINTER(_VOID), _VOID,
    )  # fmt: skip
    _set_security = _declared(_advapi32, "SetKernelObjectSecurity", _BOOL, _HANDLE, _DWORD, _VOID)

    def _must(done: int) -> int:
        """What a call gave, unless that means that it has failed.

        Raises:
            OSError: it has.
        """
        if not done:
            raise ctypes.WinError(ctypes.get_last_error())
        return done

    def own() -> str:
        """The user of this process.

        Raises:
            OSError: the system does not tell.
        """
        return _of_process(_this_process())

    def of_process(pid: int) -> str:
        """The user of a process.

        Raises:
            OSError: it has ended, or is not for us to look at.
        """
        process = _must(_open_process(_QUERY_LIMITED_INFORMATION, False, pid))
        try:
            return _of_process(process)
        finally:
            _close(process)

    def of_client(pipe: int) -> str:
        """The user who has sent what was last read from a pipe, which a server has.

        Raises:
            OSError: nothing was read yet, or the client has gone.
        """
        _must(_impersonate(pipe))
        token = _HANDLE()
        try:
            # By this process's own rights, and not by the client's, to whom it may be closed.
            opened = _open_thread_token(_this_thread(), _TOKEN_QUERY, True, ctypes.byref(token))
            failure = ctypes.get_last_error()
        finally:
            if not _revert():
                os._exit(1)  # it would go on as somebody else
        if not opened:
            raise ctypes.WinError(failure)
        return _of_token(token)

    def of_object(handle: int) -> str:
        """The owner of what a handle is of: nobody can make another unprivileged user that.

        Raises:
            OSError: the system does not tell.
        """
        sid, descriptor = _VOID(), _VOID()
        failure = _security_of(
            handle, _SE_KERNEL_OBJECT, _OWNER,
            ctypes.byref(sid), None, None, None, ctypes.byref(descriptor),
        )  # fmt: skip
        if failure:
            raise ctypes.WinError(failure)
        try:
            return _text(sid)
        finally:
            _local_free(descriptor)

    def logon_session() -> bytes:
        """The logon session of this process, in sixteen hexadecimal digits.

        Drive letters and passwords of network shares belong to it, and an administrator who has
        confirmed something has two: LUID AuthenticationId of TOKEN_STATISTICS (winnt.h).

        Raises:
            OSError: the system does not tell.
        """
        token = _token_of(_this_process())
        statistics, size = _TokenStatistics(), _DWORD()
        room = ctypes.sizeof(statistics)
        try:
            _must(
                _token_information(
                    token, _TOKEN_STATISTICS, ctypes.byref(statistics), room, ctypes.byref(size)
                )
            )
        finally:
            _close(token)
        session = statistics.session
        return b"%08x%08x" % (session.high & 0xFFFF_FFFF, session.low)

    class Descriptor:
        """Who may do what with an object, in the security descriptor definition language.

        Args:
            text: the descriptor, in that language.

        Raises:
            OSError: it is none.
        """

        def __init__(self, text: str) -> None:
            self._descriptor = _VOID()
            _must(_descriptor_of_text(text, _SDDL_REVISION, ctypes.byref(self._descriptor), None))
            size = ctypes.sizeof(_SecurityAttributes)
            self._attributes = _SecurityAttributes(size, self._descriptor, False)

        @property
        def attributes(self) -> int:
            """The address of SECURITY_ATTRIBUTES, for as long as this object lives."""
            return ctypes.addressof(self._attributes)

        def guard_this_process(self) -> None:
            """Let the descriptor's list say what others may do with this process.

            Raises:
                OSError: it cannot be set.
            """
            kinds = _DACL | _PROTECTED
            _must(_set_security(_this_process(), kinds, self._descriptor))

        def __del__(self) -> None:
            _local_free(self._descriptor)

    def _of_process(process: int) -> str:
        return _of_token(_token_of(process))

    def _token_of(process: int) -> wintypes.HANDLE:
        token = _HANDLE()
        _must(_open_process_token(process, _TOKEN_QUERY, ctypes.byref(token)))
        return token

    def _of_token(token: wintypes.HANDLE) -> str:
        """The user of a token, which is closed."""
        size = _DWORD()
        try:
            _token_information(token, _TOKEN_USER, None, 0, ctypes.byref(size))
            buffer = ctypes.create_string_buffer(max(size.value, ctypes.sizeof(_VOID)))
            _must(_token_information(token, _TOKEN_USER, buffer, len(buffer), ctypes.byref(size)))
            return _text(_VOID.from_buffer(buffer))
        finally:
            _close(token)

    def _text(sid: ctypes.c_void_p) -> str:
        text = wintypes.LPWSTR()
        _must(_sid_text(sid, ctypes.byref(text)))
        try:
            return text.value or ""
        finally:
            _local_free(text)
