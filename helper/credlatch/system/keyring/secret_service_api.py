"""The calls of the Secret Service that a keyring needs (freedesktop.org Secret Storage, 0.2).

Secrets cross the caller's own bus in a ``plain`` session, which every implementation has. What the
specification has to encrypt them would protect them only from the bus itself, which can ask for
them as well, and would cost each call a cryptography library and a key agreement.
"""

from __future__ import annotations

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MessageType,
    Properties,
    new_method_call,
)

from credlatch.system.keyring.failures import NO_ITEM, locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from jeepney import Message

_BUS_NAME = "org.freedesktop.secrets"
_INTERFACE = "org.freedesktop.Secret."
_NOTHING = "/"  # in the place of an object: there is none, and no prompt is needed
_PLAIN_TEXT = "text/plain"
_SERVICE = DBusAddress("/org/freedesktop/secrets", _BUS_NAME, f"{_INTERFACE}Service")


class Api:
    """The service, its items and its default collection, by their object paths.

    A call of the service's that would need its user is never made: who builds would wait for
    somebody who sees nothing.

    Args:
        send: sends a message, and gives the reply to it.

    Raises:
        DBusErrorResponse: by all methods, for what the service, or the bus, refuses.
        StoreError: by all that change something: the keyring is locked.
    """

    def __init__(self, send: Callable[[Message], Message]) -> None:
        self._send = send
        self._session: str | None = None
        self._session_with: str | None = None
        self._owner: str | None = None  # the unique name of who has replied last

    def search(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        """The items with these attributes: the unlocked ones, and the locked ones."""
        unlocked, closed = self._call(_SERVICE, "SearchItems", "a{ss}", attributes)
        return unlocked, closed

    def attributes(self, item: str) -> dict[str, str]:
        """An item's attributes; none when it has just been deleted."""
        try:
            return dict(self._property(item, "Item", "Attributes"))
        except DBusErrorResponse as error:
            if error.name in NO_ITEM:
                return {}
            raise

    def secret(self, item: str) -> bytes:
        """An unlocked item's secret."""
        session = self._opened()
        _, _, value, _ = self._call(_of(item, "Item"), "GetSecret", "o", session)[0]
        return bytes(value)

    def set_secret(self, item: str, value: bytes) -> None:
        """Replace an unlocked item's secret."""
        self._call(_of(item, "Item"), "SetSecret", "(oayays)", self._struct(value))

    def delete(self, item: str) -> None:
        """Delete an item."""
        (prompt,) = self._call(_of(item, "Item"), "Delete", "")
        if prompt != _NOTHING:
            raise locked()

    def default_collection(self) -> str | None:
        """The collection that new items go to; None when there is none."""
        (path,) = self._call(_SERVICE, "ReadAlias", "s", "default")
        return None if path == _NOTHING else path

    def is_locked(self, collection: str) -> bool:
        """Whether a collection is locked."""
        return bool(self._property(collection, "Collection", "Locked"))

    def create(self, collection: str, label: str, attributes: dict[str, str], value: bytes) -> None:
        """Make an item, or replace the one that has the same attributes."""
        properties = {
            f"{_INTERFACE}Item.Label": ("s", label),
            f"{_INTERFACE}Item.Attributes": ("a{ss}", attributes),
        }
        replace, on = True, _of(collection, "Collection")
        item, prompt = self._call(
            on, "CreateItem", "a{sv}(oayays)b", properties, self._struct(value), replace
        )
        if item == _NOTHING or prompt != _NOTHING:
            raise locked()

    def _struct(self, value: bytes) -> tuple[str, bytes, bytes, str]:
        return self._opened(), b"", value, _PLAIN_TEXT

    def _opened(self) -> str:
        """The session; it ends with the service that it was agreed with."""
        if self._session is None or self._session_with != self._owner:
            _, self._session = self._call(_SERVICE, "OpenSession", "sv", "plain", ("s", ""))
            self._session_with = self._owner
        return self._session

    def _property(self, path: str, interface: str, name: str) -> Any:
        ((_, value),) = self._body(Properties(_of(path, interface)).get(name))
        return value

    def _call(self, on: DBusAddress, method: str, signature: str, *parameters: object) -> Any:
        return self._body(new_method_call(on, method, signature, parameters))

    def _body(self, message: Message) -> Any:
        reply = self._send(message)
        self._owner = reply.header.fields.get(HeaderFields.sender)
        if reply.header.message_type == MessageType.error:
            raise DBusErrorResponse(reply)
        return reply.body


def _of(path: str, interface: str) -> DBusAddress:
    return DBusAddress(path, _BUS_NAME, f"{_INTERFACE}{interface}")
