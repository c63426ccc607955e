"""Items of the Go library that gh and glab keep their tokens with (zalando/go-keyring 0.2)."""

from __future__ import annotations

import sys

from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.system.keyring import Keyring

_HEX, _BASE64 = "go-keyring-encoded:", "go-keyring-base64:"  # on macOS


def get(keyring: Keyring, service: str, username: str) -> Secret | None:
    """The secret of an item, as it was given to the library; None: there is none.

    Raises:
        StoreError: the keyring cannot be asked.
    """
    if sys.platform == "win32":
        service = f"{service}:{username}"  # is what it names the item
    secret = keyring.get(service, username)
    return None if secret is None else _decoded(secret)


def _decoded(secret: Secret) -> Secret | None:
    text = secret.reveal().strip()
    try:
        if text.startswith(_HEX):
            text = bytes.fromhex(text.removeprefix(_HEX)).decode()
        elif text.startswith(_BASE64):
            from binascii import a2b_base64

            text = a2b_base64(text.removeprefix(_BASE64)).decode()
        elif not text.isascii():
            # Windows' items of this library are UTF-8, and were read as if they were UTF-16.
            text = text.encode("utf-16-le").decode("ascii")
    except ValueError:
        return None
    return Secret(text) if text else None
