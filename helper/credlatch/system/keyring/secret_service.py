"""The Secret Service of Linux desktops (freedesktop.org Secret Storage Specification)."""

from __future__ import annotations

from jeepney import DBusErrorResponse

from credlatch.credential import Secret
from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring import only
from credlatch.system.keyring.bus import PATIENCE, connect, pauses, socket_at
from credlatch.system.keyring.failures import (
    NO_SERVICE,
    asked_again,
    failed,
    in_our_words,
    is_passing,
    locked,
)
from credlatch.system.keyring.secret_service_api import Api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.system.keyring.bus import Bus, Left
    from credlatch.system.keyring.pool import Pool

_FEW = 8  # items whose names cost no more than asking for each of the keys that a client may mean
_SCHEMA = "xdg:schema"  # an attribute that libsecret adds to everybody's


class SecretService:
    """The Secret Service on one D-Bus, for one thread at a time.

    Args:
        address: the bus's address, as DBUS_SESSION_BUS_ADDRESS has it.
        left: the seconds that a step of the call may take, of as many as it is given.
        warn: told when the bus has gone meanwhile; there is no keyring then.
        pool: takes the connection for another call; None: it is closed.

    Attributes:
        address: as above.
        broken: whether it is not to be asked by another call.
        failure: what to say when it has failed, and is not to be asked again by this one.

    Raises:
        AbsentError: there is no bus of the caller's.
        StoreError: there is one, and it cannot be asked.
    """

    def __init__(
        self, address: str, left: Left, warn: Callable[[str], None], pool: Pool | None = None
    ) -> None:
        self.address = address
        self._left = left
        self._warn = warn
        self._pool = pool
        self._is_there = True
        self._has_gone = False
        self.broken = False
        self.failure: str | None = None
        self._open()

    def _open(self) -> None:
        # Before it is connected to, so that no change is missed.
        self._socket = socket_at(self.address)
        self._bus: Bus = connect(self.address, self._left)
        self._api = Api(self._bus.send_and_get_reply)

    def is_current(self) -> bool:
        """Whether it leads where its address leads now. It may be dead all the same."""
        return self._socket == socket_at(self.address)

    def serve(self, left: Left, warn: Callable[[str], None]) -> None:
        """From now on it is a call's that has these seconds left."""
        self._left = left
        self._warn = warn
        self._bus.serve(left)

    def close(self) -> None:
        """Give it back, or leave the bus."""
        if self._pool is None:
            self.leave()
        else:
            self._pool.give_back(self)

    def leave(self) -> None:
        """Leave the bus."""
        self._bus.close()

    def reopen(self) -> None:
        """Connect anew.

        Raises:
            StoreError: there is a bus, and it cannot be asked.
        """
        self._bus.close()
        try:
            self._open()
        except AbsentError as error:
            self.broken = self._has_gone = True
            self._warn(str(error))
        except StoreError as error:
            raise failed(self, error) from None

    def _paths(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        """Items with these attributes: first the unlocked ones, then the locked ones.

        The first question of every task, and one that may be put again: what fails because the bus
        is busy, or is being restarted, is tried as long as there is time.
        """
        said: Exception | None = None
        for _ in pauses(self._left(PATIENCE)):
            if isinstance(said, OSError):
                self.reopen()
            try:
                return self._search(attributes)
            except Exception as error:
                said = error
                if not is_passing(error):
                    raise
        raise failed(self, said or OSError())

    def _search(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        self._is_there = not self._has_gone
        try:
            return self._api.search(attributes) if self._is_there else ([], [])
        except DBusErrorResponse as error:
            if error.name not in NO_SERVICE:
                raise
            self._is_there = False
            return [], []  # a bus without a Secret Service: no keyring here

    def _items(self, attributes: dict[str, str]) -> list[str]:
        unlocked, closed = self._paths(attributes)
        if closed and not unlocked:
            raise locked(attributes["service"])
        return unlocked

    def _secret(self, item: str) -> Secret:
        return Secret(self._api.secret(item).decode("utf-8", "replace"))

    @asked_again
    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        items = self._items({"service": service, "username": username})
        return only(service, username, [self._secret(item) for item in items])

    @asked_again
    def find(self, service: str) -> list[tuple[str, Secret]]:
        """User names and secrets."""
        return [
            (self._api.attributes(item).get("username", ""), self._secret(item))
            for item in self._items({"service": service})
        ]

    @asked_again
    def usernames(self, service: str) -> list[str] | None:
        """The user names that the service has items for, locked ones too; None for many items."""
        unlocked, closed = self._paths({"service": service})
        paths = (*unlocked, *closed)
        if len(paths) > _FEW:
            return None
        return [self._api.attributes(path).get("username", "") for path in paths]

    @in_our_words
    def put(self, service: str, username: str, secret: Secret) -> None:
        """Update the item in place, or make one as rattler makes it; of several one is left.

        The attributes are rattler's alone: with one more (as Python's keyring adds), rattler would
        make a second item beside it, and then send nothing at all.
        """
        attributes = {"service": service, "username": username}
        value = secret.reveal().encode()
        unlocked, closed = self._paths(attributes)
        if closed:
            raise locked(service)
        kept = self._best(unlocked, attributes)
        if kept is not None:
            self._api.set_secret(kept, value)
            for path in unlocked:
                if path != kept:
                    self._api.delete(path)
            return
        collection = self._collection()
        # It replaces: rattler takes no lock of ours, and may have made it at this very moment.
        self._api.create(collection, f"keyring:{username}@{service}", attributes, value)

    @asked_again
    def see_that_it_is_open(self) -> None:
        """See that there is a keyring, and that it is not locked."""
        self._paths({"service": ""})
        self._collection()

    def _collection(self) -> str:
        """Where new items go, which is there and open."""
        if not self._is_there:
            raise AbsentError("this D-Bus has no Secret Service")
        collection = self._api.default_collection()
        if collection is None:
            raise AbsentError("the Secret Service of this D-Bus has no keyring")
        if self._api.is_locked(collection):
            raise locked()
        return collection

    def _best(self, paths: list[str], attributes: dict[str, str]) -> str | None:
        """The item to keep of several: the one that rattler made, if it made one."""
        for path in paths:
            found = self._api.attributes(path)
            found.pop(_SCHEMA, None)
            if found == attributes:
                return path
        return paths[0] if paths else None

    @in_our_words
    def delete(self, service: str, username: str) -> bool:
        """Forget the secret, in however many items it is; False if there was none."""
        attributes = {"service": service, "username": username}
        unlocked, closed = self._paths(attributes)
        for path in unlocked:
            self._api.delete(path)
        if closed:
            raise locked(service)
        return bool(unlocked)
