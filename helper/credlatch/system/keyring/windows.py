"""The Credential Manager of Windows.

Rust's keyring crate, which rattler and uv use, names an item ``<user>.<service>``; Python's names
it ``<service>``, or ``<user>@<service>`` when that is taken. All are read; what is written has the
first name, so that rattler finds it.
"""

from __future__ import annotations

from keyring.backends import Windows
from win32ctypes.pywin32 import pywintypes, win32cred

from credlatch.credential import Secret
from credlatch.errors import StoreError

MAX_BLOB = 2560  # bytes: CRED_MAX_CREDENTIAL_BLOB_SIZE
_NOT_FOUND = 1168  # ERROR_NOT_FOUND (winerror.h)


class CredentialManager:
    """The user's Credential Manager."""

    def __init__(self) -> None:
        self._vault = Windows.WinVaultKeyring()

    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        try:
            text = self._vault.get_password(f"{username}.{service}", username)
            if text is None:
                text = self._vault.get_password(service, username)
        except pywintypes.error as error:
            raise _unreadable(error) from None
        except UnicodeDecodeError:
            raise StoreError(
                f"the Credential Manager's item of user {username!r} for service {service!r} "
                "is no text: delete it"
            ) from None
        return None if text is None else Secret(text)

    def find(self, service: str) -> list[tuple[str, Secret]]:
        """User names and secrets of the service, whoever has made the items."""
        found = ((username, self.get(service, username)) for username in self.usernames(service))
        return [(username, secret) for username, secret in found if secret is not None]

    def usernames(self, service: str) -> list[str]:
        """The user names that the service has secrets for.

        An item is the service's when its name is made of the service and of its own user name:
        another one's may well end alike.
        """
        try:
            items = win32cred.CredEnumerate()
        except pywintypes.error as error:
            if error.winerror == _NOT_FOUND:
                return []
            raise _unreadable(error) from None
        found = [
            username
            for item in items
            if item["Type"] == win32cred.CRED_TYPE_GENERIC and (username := item["UserName"])
            if item["TargetName"] in {f"{username}.{service}", service, f"{username}@{service}"}
        ]
        return list(dict.fromkeys(found))

    def see_that_it_is_open(self) -> None:
        """Nobody can tell without asking for a secret, which may ask its user."""

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
            raise StoreError(f"Windows did not take the credential: {error.strerror}") from None

    def delete(self, service: str, username: str) -> bool:
        """Forget the secret; False if there was none."""
        try:
            win32cred.CredDelete(
                Type=win32cred.CRED_TYPE_GENERIC, TargetName=f"{username}.{service}"
            )
        except pywintypes.error as error:
            if error.winerror == _NOT_FOUND:
                return False
            raise StoreError(f"Windows did not delete the credential: {error.strerror}") from None
        return True

    def close(self) -> None:
        """Nothing is open between two questions."""


def _unreadable(error: pywintypes.error) -> StoreError:
    return StoreError(f"the Credential Manager cannot be read: {error.strerror}")
