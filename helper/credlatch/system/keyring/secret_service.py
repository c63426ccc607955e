"""The Secret Service of Linux desktops (freedesktop.org Secret Storage Specification)."""

from __future__ import annotations

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MessageType,
    Properties,
    new_method_call,
)

from credlatch.credential import Secret
from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring import only
from credlatch.system.keyring.bus import PATIENCE, connect, pauses
from credlatch.system.keyring.failures import (
    NO_ITEM,
    NO_SERVICE,
    in_our_words,
    is_passing,
    locked,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from jeepney import Message

    from credlatch.system.keyring.bus import Bus, Left

_FEW = 8  # items whose names cost no more than asking for each of the keys that a client may mean
_SCHEMA = "xdg:schema"  # an attribute that libsecret adds to everybody's
_SERVICE = DBusAddress(
    "/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service"
)


class SecretService:
    """The Secret Service on one D-Bus, for one thread at a time.

    Items are searched with jeepney alone; ``secretstorage``, which loads a cryptography library for
    the transfer of secrets, is imported when there is a secret to read or write.

    Args:
        address: the bus's address, as DBUS_SESSION_BUS_ADDRESS has it.
        left: the seconds that a step of the call may take, of as many as it is given.

    Attributes:
        broken: whether it is not to be asked by another call.
        failure: what to say when it has failed, and is not to be asked again by this one.
        hangs: whether it has failed so that it did not answer.

    Raises:
        AbsentError: there is no bus of the caller's.
        StoreError: there is one, and it cannot be asked.
    """

    def __init__(self, address: str, left: Left) -> None:
        self._address = address
        self._left = left
        self._is_there = True
        self.broken = False
        self.failure: str | None = None
        self.hangs = False
        self._open()

    def _open(self) -> None:
        self._bus: Bus = connect(self._address, self._left)
        # What secretstorage asks goes the same way.
        self._exchange = self._bus.send_and_get_reply
        self._bus.send_and_get_reply = self._ask  # type: ignore[method-assign]
        self._session: Any = None
        self._session_with: str | None = None
        self._answered: str | None = None

    def serve(self, left: Left) -> None:
        """From now on it is a call's that has these seconds left."""
        self._left = left
        self._bus.serve(left)

    def close(self) -> None:
        """Leave the bus."""
        self._bus.close()

    def _ask(self, message: Message, *, timeout: float | None = None) -> Message:
        """Send a message; the reply to it. Who replied is remembered."""
        # A question to the user is never put: who builds would wait for somebody who sees nothing.
        if message.header.fields.get(HeaderFields.member) == "Prompt":
            raise locked()
        reply = self._exchange(message, timeout=timeout)
        self._answered = reply.header.fields.get(HeaderFields.sender)
        return reply

    def _paths(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        """Items with these attributes: first the unlocked ones, then the locked ones.

        The first question of every task, and one that may be put again: what fails because the bus
        is busy, or is being restarted, is tried as long as there is time.
        """
        failure: Exception | None = None
        for _ in pauses(self._left(PATIENCE)):
            try:
                if isinstance(failure, OSError):
                    self._bus.close()
                    self._open()
                found = self._search(attributes)
            except StoreError as error:  # it was opened anew, and could not be
                self.broken = True
                self.failure = str(error)
                raise
            except Exception as error:
                failure = error
                if not is_passing(error):
                    raise
            else:
                return found
        raise failure or OSError

    def _search(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        call = new_method_call(_SERVICE, "SearchItems", "a{ss}", (attributes,))
        reply = self._ask(call)
        self._is_there = True
        if reply.header.message_type == MessageType.error:
            error = DBusErrorResponse(reply)
            if error.name in NO_SERVICE:
                self._is_there = False
                return [], []  # a bus without a Secret Service: no keyring here
            raise error
        unlocked, closed = reply.body
        return unlocked, closed

    def _items(self, attributes: dict[str, str]) -> Iterator[Any]:
        unlocked, closed = self._paths(attributes)
        if closed and not unlocked:
            raise locked(attributes["service"])
        yield from map(self._item, unlocked)

    def _item(self, path: str) -> Any:
        import secretstorage

        # A session ends with the service that it was agreed with.
        if self._session is None or self._session_with != self._answered:
            self._session = secretstorage.util.open_session(self._bus)
            self._session_with = self._answered
        return secretstorage.Item(self._bus, path, self._session)

    @in_our_words
    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        return only(
            service,
            username,
            [
                self._secret(item)
                for item in self._items({"service": service, "username": username})
            ],
        )

    @in_our_words
    def find(self, service: str) -> list[tuple[str, Secret]]:
        """User names and secrets."""
        return [
            (item.get_attributes().get("username", ""), self._secret(item))
            for item in self._items({"service": service})
        ]

    def _secret(self, item: Any) -> Secret:
        secret = Secret(item.get_secret().decode("utf-8", "replace"))
        # Deciphered with another's key it would be noise, and no library would notice.
        if self._answered != self._session_with:
            self.broken = True
            raise StoreError("the Secret Service was replaced while it answered: try again")
        return secret

    @in_our_words
    def usernames(self, service: str) -> list[str] | None:
        """The user names that the service has items for, locked ones too; None for many items."""
        unlocked, closed = self._paths({"service": service})
        paths = (*unlocked, *closed)
        if len(paths) > _FEW:
            return None
        return [self._attributes(path).get("username", "") for path in paths]

    def _attributes(self, path: str) -> dict[str, str]:
        item = DBusAddress(path, _SERVICE.bus_name, "org.freedesktop.Secret.Item")
        reply = self._ask(Properties(item).get("Attributes"))
        if reply.header.message_type == MessageType.error:
            error = DBusErrorResponse(reply)
            if error.name in NO_ITEM:
                return {}  # it has just been deleted
            raise error
        ((_, attributes),) = reply.body
        return dict(attributes)

    @in_our_words
    def put(self, service: str, username: str, secret: Secret) -> None:
        """Update the item in place, or make one as rattler makes it; of several one is left.

        The attributes are rattler's alone: with one more (as Python's keyring adds), rattler would
        make a second item beside it, and then send nothing at all.
        """
        import secretstorage

        attributes = {"service": service, "username": username}
        value = secret.reveal().encode()
        unlocked, closed = self._paths(attributes)
        if closed:
            raise locked(service)
        kept = self._best(unlocked, attributes)
        if kept is not None:
            self._item(kept).set_secret(value)
            for path in unlocked:
                if path != kept:
                    self._item(path).delete()
            return
        if not self._is_there:
            raise AbsentError("this D-Bus has no Secret Service")
        try:
            collection = secretstorage.get_collection_by_alias(self._bus, "default")
        except secretstorage.ItemNotFoundException:
            raise AbsentError("the Secret Service of this D-Bus has no keyring") from None
        if collection.is_locked():
            raise locked()
        label = f"keyring:{username}@{service}"
        # `replace`: rattler takes no lock of ours, and may have made it at this very moment.
        collection.create_item(label, attributes, value, replace=True)

    def _best(self, paths: list[str], attributes: dict[str, str]) -> str | None:
        """The item to keep of several: the one that rattler made, if it made one."""
        for path in paths:
            found = self._attributes(path)
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
            self._item(path).delete()
        if closed:
            raise locked(service)
        return bool(unlocked)
