"""A keyring on a connection that earlier calls have used, with the wear that may bring."""

from __future__ import annotations

from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring.pool import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from credlatch.credential import Secret
    from credlatch.system.keyring.bus import Left
    from credlatch.system.keyring.pool import Pool
    from credlatch.system.keyring.secret_service import SecretService

    T = TypeVar("T")


class PooledKeyring:
    """The Secret Service on a borrowed connection.

    A connection that was good for an earlier call may have died since, or what it leads to may have
    been replaced. So a question that fails on one is asked once more, on a new one. Nothing is
    written on one that has not just answered: there is no telling whether a write that failed was
    done, so that it is not tried twice.

    Args:
        pool: lends it.
        address: the bus's address.
        warn: told when the bus has gone meanwhile.
        left: the seconds that a step of the call may take, of as many as it is given.

    Raises:
        AbsentError: there is no bus of the caller's.
        StoreError: there is one, and it cannot be asked.
    """

    def __init__(self, pool: Pool, address: str, warn: Callable[[str], None], left: Left) -> None:
        self._pool = pool
        self._address = address
        self._warn = warn
        self._left = left
        self._connection: Connection | None = pool.lend(address, left)
        self._has_answered = False
        self._failure: StoreError | None = None

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
        if self._failure is not None:
            raise self._failure
        connection = self._connection
        if connection is None:
            return None
        keyring = connection.service
        try:
            answer = ask(keyring)
        except AbsentError as error:
            if not connection.used:
                raise
            self.close()
            self._warn(str(error))
            return None
        except StoreError:
            # Locked, ambiguous: that is an answer. And who has been waited for is not asked again.
            if not (connection.used and keyring.broken and not keyring.hangs):
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
            StoreError: it cannot be asked.
        """
        if self._failure is not None:
            raise self._failure
        connection = self._connection
        if connection is None:
            raise AbsentError("there is no keyring")
        keyring = connection.service
        doubtful = connection.used and not self._has_answered and not keyring.hangs
        return self._renewed() if doubtful else keyring

    def _renewed(self) -> SecretService:
        self.close()
        try:
            self._connection = connection = Connection(self._address, self._left)
        except AbsentError:
            raise
        except StoreError as failure:
            self._failure = failure
            raise
        return connection.service
