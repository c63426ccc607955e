"""The keychain of macOS: generic passwords, found by service and account."""

from __future__ import annotations

from keyring.backends import macOS
from keyring.errors import KeyringError, KeyringLocked

from credlatch.credential import Secret
from credlatch.errors import StoreError


class Keychain:
    """The login keychain, as ``keyring`` reaches it."""

    def __init__(self) -> None:
        self._keychain = macOS.Keyring()

    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        try:
            text = self._keychain.get_password(service, username)
        except KeyringLocked:
            raise StoreError("the keychain is locked or denied access: unlock it") from None
        except KeyringError as error:
            raise StoreError(f"the keychain failed: {error}") from None
        return None if text is None else Secret(text)

    def find(self, service: str) -> list[tuple[str, Secret]]:  # noqa: ARG002 - see below
        """None: the keychain gives a secret for a known account only."""
        return []

    def usernames(self, service: str) -> list[str] | None:  # noqa: ARG002 - likewise
        """None, for the same reason."""
        return None

    def see_that_it_is_open(self) -> None:
        """Nobody can tell without asking for a secret, which may ask its user."""

    def put(self, service: str, username: str, secret: Secret) -> None:
        """Keep a secret."""
        try:
            self._keychain.set_password(service, username, secret.reveal())
        except KeyringError as error:
            raise StoreError(f"the keychain did not take the credential: {error}") from None

    def delete(self, service: str, username: str) -> bool:
        """Forget the secret; False if there was none."""
        if self.get(service, username) is None:
            return False
        try:
            self._keychain.delete_password(service, username)
        except KeyringError as error:
            raise StoreError(f"the keychain did not delete the credential: {error}") from None
        return True

    def close(self) -> None:
        """Nothing is open between two questions."""
