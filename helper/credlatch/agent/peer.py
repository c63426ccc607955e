"""Who is at the other end of a Unix socket."""

import _socket
import sys

_LOCAL_PEERCRED = 1  # sys/un.h of macOS and FreeBSD
_XUCRED = 76  # bytes of struct xucred: version, uid, number of groups, sixteen groups


def uid_of(connection: "_socket.socket") -> int | None:
    """The user who connected, or who listens (unix(7), unix(4)); None where that is not told."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    elif sys.platform == "darwin":
        credentials = connection.getsockopt(0, _LOCAL_PEERCRED, _XUCRED)
    else:
        return None
    # Both structures have the user second, after a number of the same size.
    return int.from_bytes(credentials[4:8], sys.byteorder)
