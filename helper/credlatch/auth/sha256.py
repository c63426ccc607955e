"""SHA-256 (FIPS 180-4) and its HMAC (RFC 2104), without the library of OpenSSL behind ``hashlib``.

Loading that, or ``hmac``, costs a call that signs more than all else that it does. Python has the
same function in a module of its own.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:  # a Python that was built with OpenSSL's functions alone
        from hashlib import sha256

__all__ = ["hmac", "sha256"]

_BLOCK = 64  # bytes
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def hmac(key: bytes, message: bytes) -> bytes:
    """The code that authenticates a message."""
    key = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = sha256(key.translate(_INNER) + message).digest()
    return sha256(key.translate(_OUTER) + inner).digest()
