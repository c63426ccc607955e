"""A keyring on a connection that earlier calls have used, with the wear that may bring."""

from __future__ import annotations

from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring.pool import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from credlatch.credential import Secret
    from credlatch.system.keyring.pool import Pool
    from credlatch.system.keyring.secret_service import SecretService

    T = TypeVar("T")


class Lent:
    """The Secret Service on a borrowed connection.

    A connection that was good for an earlier call may have died since, or what it leads to may have
    been replaced. So a question that fails on one is asked once more, on a new one. Nothing is
    written on one that has not just answered: there is no telling whether a write that failed was
    done, so that it is not tried twice.

    Args:
        pool: lends it.
        address: the bus's address.
        warn: told when the bus has gone meanwhile.

    Raises:
        AbsentError: nothing answers there.
    """

    def __init__(self, pool: Pool, address: str, warn: Callable[[str], None]) -> None:
        self._pool = pool
        self._address = address
        self._warn = warn
        self._connection: Connection | None = pool.lend(address)
        self._has_answered = False

    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        return self._read(lambda keyring: keyring.get(service, username))

    def find(self, service: str) -> list[tuple[str, Secret]]:
        """User names and secrets."""
        return self._read(lambda keyring: keyring.find(service)) or []

    def usernames(self, service: str) -> list[str] | None:
        """The user names that the service has items for, locked ones too; None for many items."""
        return self._read(lambda keyring: keyring.usernames(service))

    def put(self, service: str, username: str, secret: Secret) -> None:
        """Update the item in place, or make one as rattler makes it."""
        self._to_write().put(service, username, secret)

    def delete(self, service: str, username: str) -> bool:
        """Forget the secret; False if there was none."""
        return self._to_write().delete(service, username)

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)

    def _read(self, ask: Callable[[SecretService], T]) -> T | None:
        connection = self._connection
        if connection is None:
            return None
        keyring = connection.service
        try:
            answer = ask(keyring)
        except StoreError:
            # Locked, ambiguous: that is an answer. And who has been waited for is not asked again.
            if not (connection.used and keyring.broken and keyring.hangs is None):
                raise
        else:
            self._has_answered = True
            return answer
        try:
            keyring = self._renewed()
        except AbsentError as error:
            self._warn(str(error))
            return None
        return ask(keyring)

    def _to_write(self) -> SecretService:
        """A connection that is new, or has answered this call before.

        Raises:
            AbsentError: the bus has gone.
        """
        connection = self._connection
        if connection is None:
            raise AbsentError("there is no keyring")
        keyring = connection.service
        doubtful = connection.used and not self._has_answered and keyring.hangs is None
        return self._renewed() if doubtful else keyring

    def _renewed(self) -> SecretService:
        self.close()
        self._connection = connection = Connection(self._address)
        return connection.service
