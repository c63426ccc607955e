"""Where the agent's socket is, whether it is what we take it for, and who is at its other end.

The launcher has the same in C (build/loader/place_posix.c).
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Mapping

_LONGEST = 100  # bytes of a socket's path: 104 on macOS, 108 on Linux (unix(7))
_KIND = 0o170000  # of a mode: what it is (inode(7))
_SOCKET, _FOLDER = 0o140000, 0o040000
_OTHERS, _OTHERS_WRITE, _STICKY = 0o077, 0o022, 0o1000
_LOCAL_PEERCRED = 1  # sys/un.h of macOS and FreeBSD
_XUCRED = 76  # bytes of struct xucred: version 0, uid, number of groups, sixteen groups


def folder(environ: "Mapping[bytes, bytes]", uid: int) -> bytes:
    """The folder of a user's agents: in the runtime folder, else in the temporary one.

    Args:
        environ: the environment, as ``posix.environ`` has it.
        uid: the user.
    """
    runtime = environ.get(b"XDG_RUNTIME_DIR", b"")
    if runtime.startswith(b"/") and len(runtime) < _LONGEST - 40:
        return runtime.rstrip(b"/") + b"/credlatch"
    temporary = environ.get(b"TMPDIR", b"") if sys.platform == "darwin" else b""
    if not temporary.startswith(b"/") or len(temporary) > _LONGEST - 50:
        temporary = b"/tmp"
    return b"%s/credlatch-%d" % (temporary.rstrip(b"/"), uid)


def socket(environ: "Mapping[bytes, bytes]", uid: int, build: str) -> bytes:
    """The socket of the agent of one build."""
    return b"%s/%s.sock" % (folder(environ, uid), build.encode())


def mount_namespace() -> bytes:
    """Where paths lead, so that a caller in a container or a chroot is not answered from outside.

    The mount namespace, where there are such, and the root folder's identity.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    import posix

    try:
        mounts = posix.readlink(b"/proc/self/ns/mnt")
    except OSError:
        mounts = b""
    root = posix.stat("/")
    return b"%s %d %d" % (mounts, root.st_dev, root.st_ino)


def is_private(path: bytes, uid: int) -> bool:
    """Whether a folder is the user's alone, and nobody else can put another in its place.

    Raises:
        OSError: it is not there.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    import posix

    status = posix.lstat(path)
    above = posix.stat(path.rpartition(b"/")[0] or b"/")
    return (
        status.st_mode & _KIND == _FOLDER
        and status.st_uid == uid
        and not status.st_mode & _OTHERS
        and _is_trusted(above.st_uid, uid)
        and (not above.st_mode & _OTHERS_WRITE or bool(above.st_mode & _STICKY))
    )


def is_own_socket(path: bytes, uid: int) -> bool:
    """Whether it is a socket of the user's, and no link to one, in a folder that is private.

    Raises:
        OSError: there is none.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    import posix

    status = posix.lstat(path)
    own = status.st_mode & _KIND == _SOCKET and status.st_uid == uid
    return own and is_private(path.rpartition(b"/")[0], uid)


def _is_trusted(owner: int, uid: int) -> bool:
    if sys.platform == "win32":
        raise NotImplementedError
    import posix

    return owner in {uid, 0} or owner == posix.stat(b"/").st_uid


def uid_of(connection: "_socket.socket") -> int | None:
    """Who connected, or listens, at the other end; None: that is not told (unix(7), unix(4))."""
    credentials, size = b"", 1
    if sys.platform == "linux":
        from _socket import SO_PEERCRED, SOL_SOCKET

        credentials, size = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, 12), 12
    elif sys.platform == "darwin":
        credentials, size = connection.getsockopt(0, _LOCAL_PEERCRED, _XUCRED), _XUCRED
        if credentials[:4] != bytes(4):  # of a kind that nobody knows yet (getpeereid(3))
            return None
    # Both structures have the user second, after a number of the same size.
    return int.from_bytes(credentials[4:8], sys.byteorder) if len(credentials) == size else None
