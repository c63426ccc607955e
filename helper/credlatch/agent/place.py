"""Where the agent's socket is."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 100  # bytes of a socket's path: 104 on macOS, 108 on Linux (unix(7))


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


def world() -> bytes:
    """Where paths lead, so that a caller in a container or a chroot is not answered from outside.

    The mount namespace, where there are such, and the root folder's identity.
    """
    import posix

    try:
        mounts = posix.readlink(b"/proc/self/ns/mnt")
    except OSError:
        mounts = b""
    root = posix.stat("/")
    return b"%s %d %d" % (mounts, root.st_dev, root.st_ino)
