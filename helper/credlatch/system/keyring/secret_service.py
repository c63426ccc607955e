"""The Secret Service of Linux desktops (freedesktop.org Secret Storage Specification)."""

from __future__ import annotations

import functools

from jeepney import DBusAddress, MessageType, Properties, new_method_call
from jeepney.io.blocking import open_dbus_connection

from credlatch.credential import Secret
from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring import only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Concatenate, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")
    Method = Callable[Concatenate["SecretService", P], R]

PATIENCE = 3.0  # seconds for one answer; a call takes a millisecond
_SERVICE = DBusAddress(
    "/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service"
)


def _in_our_words(method: Method[P, R]) -> Method[P, R]:
    """Everything that jeepney and secretstorage raise, as StoreError."""

    def wrapped(self: SecretService, /, *args: P.args, **kwargs: P.kwargs) -> R:
        # A service that hangs is waited for once, and not again for each store that asks it.
        if self.hangs is not None:
            raise StoreError(self.hangs)
        try:
            return method(self, *args, **kwargs)
        except StoreError:
            raise
        except TimeoutError:
            self.hangs = (
                f"the Secret Service has not answered for {PATIENCE:.0f} s: "
                "restart it, or unset DBUS_SESSION_BUS_ADDRESS"
            )
            raise StoreError(self.hangs) from None
        # Their trees have no common root (jeepney's DBusErrorResponse, secretstorage's
        # SecretStorageException, OSError, …), and a keyring must never end a call with a traceback.
        except Exception as error:  # noqa: BLE001
            raise StoreError(f"the Secret Service failed: {_text_of(error)}") from None

    return functools.update_wrapper(wrapped, method)


def _text_of(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


class SecretService:
    """The Secret Service on one D-Bus.

    Items are searched with jeepney alone; ``secretstorage``, which loads a cryptography library for
    the transfer of secrets, is imported when there is a secret to read or write.

    Args:
        address: the bus's address, as DBUS_SESSION_BUS_ADDRESS has it.

    Raises:
        AbsentError: nothing answers there.
    """

    def __init__(self, address: str) -> None:
        try:
            self._bus: Any = open_dbus_connection(bus=address)
        except Exception as error:  # noqa: BLE001 - a bad address raises whatever parsing it met
            raise AbsentError(
                f"no D-Bus answers at DBUS_SESSION_BUS_ADDRESS ({_text_of(error)}): "
                "going on without the keyring"
            ) from None
        # secretstorage passes no timeout, and a hung service would hang the build.
        self._bus.send_and_get_reply = functools.partial(
            self._bus.send_and_get_reply, timeout=PATIENCE
        )
        self._session: Any = None
        self.hangs: str | None = None

    def _paths(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        """Items with these attributes: first the unlocked ones, then the locked ones."""
        call = new_method_call(_SERVICE, "SearchItems", "a{ss}", (attributes,))
        reply = self._bus.send_and_get_reply(call)
        if reply.header.message_type == MessageType.error:
            name = reply.header.fields.get(4, "")  # 4: ERROR_NAME (D-Bus specification)
            if name.endswith((".ServiceUnknown", ".Spawn.ExecFailed", ".NameHasNoOwner")):
                return [], []  # a bus without a Secret Service: no keyring here
            raise StoreError(f"the Secret Service failed: {name}")
        unlocked, locked = reply.body
        return unlocked, locked

    def _items(self, attributes: dict[str, str]) -> Iterator[Any]:
        unlocked, locked = self._paths(attributes)
        if locked and not unlocked:
            raise StoreError(
                f"the keyring is locked, and holds an item for {attributes['service']!r}: "
                "unlock it (log in to the desktop, or gnome-keyring-daemon --unlock)"
            )
        for path in unlocked:
            import secretstorage

            if self._session is None:
                self._session = secretstorage.util.open_session(self._bus)
            yield secretstorage.Item(self._bus, path, self._session)

    @_in_our_words
    def get(self, service: str, username: str) -> Secret | None:
        """The one secret, or None."""
        return only(
            service,
            username,
            [_secret(item) for item in self._items({"service": service, "username": username})],
        )

    @_in_our_words
    def find(self, service: str) -> list[tuple[str, Secret]]:
        """User names and secrets."""
        return [
            (item.get_attributes().get("username", ""), _secret(item))
            for item in self._items({"service": service})
        ]

    @_in_our_words
    def usernames(self, service: str) -> list[str]:
        """The user names that the service has items for, locked ones too."""
        unlocked, locked = self._paths({"service": service})
        return [self._attributes(path).get("username", "") for path in (*unlocked, *locked)]

    def _attributes(self, path: str) -> dict[str, str]:
        item = DBusAddress(path, _SERVICE.bus_name, "org.freedesktop.Secret.Item")
        reply = self._bus.send_and_get_reply(Properties(item).get("Attributes"))
        if reply.header.message_type == MessageType.error:
            return {}  # it has just been deleted
        ((_, attributes),) = reply.body
        return dict(attributes)

    @_in_our_words
    def put(self, service: str, username: str, secret: Secret) -> None:
        """Update the item in place, or make one as rattler makes it.

        The attributes are rattler's alone: with one more (as Python's keyring adds), rattler would
        make a second item beside it, and then send nothing at all.
        """
        import secretstorage

        attributes = {"service": service, "username": username}
        value = secret.reveal().encode()
        items = list(self._items(attributes))
        for item in items:
            item.set_secret(value)
        if not items:
            try:
                collection = secretstorage.get_collection_by_alias(self._bus, "default")
            except (
                secretstorage.SecretServiceNotAvailableException,
                secretstorage.ItemNotFoundException,
            ):
                raise AbsentError("this D-Bus has no Secret Service with a keyring") from None
            if collection.is_locked():
                raise StoreError("the keyring is locked: unlock it, then try again")
            collection.create_item(f"keyring:{username}@{service}", attributes, value)

    @_in_our_words
    def delete(self, service: str, username: str) -> bool:
        """Forget the secret; False if there was none."""
        items = list(self._items({"service": service, "username": username}))
        for item in items:
            item.delete()
        return bool(items)


def _secret(item: Any) -> Secret:
    return Secret(item.get_secret().decode("utf-8", "replace"))
