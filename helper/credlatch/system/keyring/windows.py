"""The Credential Manager of Windows.

Rust's keyring crate, which rattler and uv use, names an item ``<user>.<service>``; Python's keyring
names it ``<service>``. Both are read; what is written has the first name, so that rattler finds it.
"""

from __future__ import annotations

from keyring.backends import Windows
from win32ctypes.pywin32 import pywintypes, win32cred

from credlatch.credential import Secret
from credlatch.errors import StoreError

MAX_BLOB = 2560  # bytes: CRED_MAX_CREDENTIAL_BLOB_SIZE


class CredentialManager:
    """The user's Credential Manager."""

    def __init__(self) -> None:
        self._vault = Windows.WinVaultKeyring()

    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        text = self._vault.get_password(f"{username}.{service}", username)
        if text is None:
            text = self._vault.get_password(service, username)
        return None if text is None else Secret(text)

    def find(self, service: str) -> list[tuple[str, Secret]]:
        """The item that Python's keyring made for the service, if any."""
        found = self._vault.get_credential(service, None)
        return [] if found is None else [(found.username, Secret(found.password))]

    def usernames(self, service: str) -> list[str] | None:  # noqa: ARG002 - see below
        """None: targets can be listed by prefix only, and rattler's begin with the user."""
        return None

    def put(self, service: str, username: str, secret: Secret) -> None:
        """Keep a secret, by CredWrite: keyring's ``set_password`` would copy the old one aside."""
        if len(secret.reveal().encode("utf-16-le")) > MAX_BLOB:
            raise StoreError(
                f"the credential is longer than the {MAX_BLOB} bytes that Windows keeps: "
                "set RATTLER_AUTH_FILE to keep it in a file"
            )
        item = {
            "Type": win32cred.CRED_TYPE_GENERIC,
            "TargetName": f"{username}.{service}",
            "UserName": username,
            "CredentialBlob": secret.reveal(),
            "Comment": "",
            "Persist": win32cred.CRED_PERSIST_ENTERPRISE,
        }
        try:
            win32cred.CredWrite(item, 0)
        except pywintypes.error as error:
            raise StoreError(f"Windows did not take the credential: {error}") from None

    def delete(self, service: str, username: str) -> bool:
        """Forget the secret; False if there was none."""
        try:
            win32cred.CredDelete(
                Type=win32cred.CRED_TYPE_GENERIC, TargetName=f"{username}.{service}"
            )
        except pywintypes.error:
            return False
        return True

    def close(self) -> None:
        """Nothing is open between two questions."""
