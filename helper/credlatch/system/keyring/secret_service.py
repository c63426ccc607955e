"""The Secret Service of Linux desktops (freedesktop.org Secret Storage Specification)."""

from __future__ import annotations

import functools

from jeepney import DBusAddress, HeaderFields, MessageType, Properties, new_method_call
from jeepney.io.blocking import open_dbus_connection

from credlatch.credential import Secret
from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring import only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Concatenate, ParamSpec, TypeVar

    from jeepney import Message

    P = ParamSpec("P")
    R = TypeVar("R")
    Method = Callable[Concatenate["SecretService", P], R]

PATIENCE = 3.0  # seconds for one answer; a call takes a millisecond
_FEW = 8  # items whose names cost no more than asking for each of the keys that a client may mean
_SCHEMA = "xdg:schema"  # an attribute that libsecret adds to everybody's
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
            self.broken = True
            self.hangs = (
                f"the Secret Service has not answered for {PATIENCE:.0f} s: "
                "restart it, or unset DBUS_SESSION_BUS_ADDRESS"
            )
            raise StoreError(self.hangs) from None
        # Their trees have no common root (jeepney's DBusErrorResponse, secretstorage's
        # SecretStorageException, OSError, …), and a keyring must never end a call with a traceback.
        except Exception as error:  # noqa: BLE001
            self.broken = True
            raise StoreError(f"the Secret Service failed: {_text_of(error)}") from None

    return functools.update_wrapper(wrapped, method)


def _text_of(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


class SecretService:
    """The Secret Service on one D-Bus, for one thread at a time.

    Items are searched with jeepney alone; ``secretstorage``, which loads a cryptography library for
    the transfer of secrets, is imported when there is a secret to read or write.

    Args:
        address: the bus's address, as DBUS_SESSION_BUS_ADDRESS has it.

    Attributes:
        broken: whether it has failed, and is not to be asked again.
        hangs: what to say when it has not answered, else None.

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
        self._exchange = functools.partial(self._bus.send_and_get_reply, timeout=PATIENCE)
        self._bus.send_and_get_reply = self._ask
        self._session: Any = None
        self._session_with: str | None = None
        self._answered: str | None = None
        self.broken = False
        self.hangs: str | None = None

    def close(self) -> None:
        """Leave the bus."""
        self._bus.close()

    def _ask(self, message: Message) -> Message:
        """Send a message; the reply to it. Who replied is remembered."""
        reply = self._exchange(message)
        self._answered = reply.header.fields.get(HeaderFields.sender)
        return reply

    def _paths(self, attributes: dict[str, str]) -> tuple[list[str], list[str]]:
        """Items with these attributes: first the unlocked ones, then the locked ones."""
        call = new_method_call(_SERVICE, "SearchItems", "a{ss}", (attributes,))
        reply = self._ask(call)
        if reply.header.message_type == MessageType.error:
            name = reply.header.fields.get(4, "")  # 4: ERROR_NAME (D-Bus specification)
            if name.endswith((".ServiceUnknown", ".Spawn.ExecFailed", ".NameHasNoOwner")):
                return [], []  # a bus without a Secret Service: no keyring here
            self.broken = True
            raise StoreError(f"the Secret Service failed: {name}")
        unlocked, locked = reply.body
        return unlocked, locked

    def _items(self, attributes: dict[str, str]) -> Iterator[Any]:
        unlocked, locked = self._paths(attributes)
        if locked and not unlocked:
            raise _locked(attributes)
        yield from map(self._item, unlocked)

    def _item(self, path: str) -> Any:
        import secretstorage

        # A session ends with the service that it was agreed with.
        if self._session is None or self._session_with != self._answered:
            self._session = secretstorage.util.open_session(self._bus)
            self._session_with = self._answered
        return secretstorage.Item(self._bus, path, self._session)

    @_in_our_words
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

    @_in_our_words
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

    @_in_our_words
    def usernames(self, service: str) -> list[str] | None:
        """The user names that the service has items for, locked ones too; None for many items."""
        unlocked, locked = self._paths({"service": service})
        paths = (*unlocked, *locked)
        if len(paths) > _FEW:
            return None
        return [self._attributes(path).get("username", "") for path in paths]

    def _attributes(self, path: str) -> dict[str, str]:
        item = DBusAddress(path, _SERVICE.bus_name, "org.freedesktop.Secret.Item")
        reply = self._ask(Properties(item).get("Attributes"))
        if reply.header.message_type == MessageType.error:
            return {}  # it has just been deleted
        ((_, attributes),) = reply.body
        return dict(attributes)

    @_in_our_words
    def put(self, service: str, username: str, secret: Secret) -> None:
        """Update the item in place, or make one as rattler makes it; of several one is left.

        The attributes are rattler's alone: with one more (as Python's keyring adds), rattler would
        make a second item beside it, and then send nothing at all.
        """
        import secretstorage

        attributes = {"service": service, "username": username}
        value = secret.reveal().encode()
        unlocked, locked = self._paths(attributes)
        if locked:
            raise _locked(attributes)
        kept = self._best(unlocked, attributes)
        if kept is not None:
            self._item(kept).set_secret(value)
            for path in unlocked:
                if path != kept:
                    self._item(path).delete()
            return
        try:
            collection = secretstorage.get_collection_by_alias(self._bus, "default")
        except (
            secretstorage.SecretServiceNotAvailableException,
            secretstorage.ItemNotFoundException,
        ):
            raise AbsentError("this D-Bus has no Secret Service with a keyring") from None
        if collection.is_locked():
            raise StoreError("the keyring is locked: unlock it, then try again")
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

    @_in_our_words
    def delete(self, service: str, username: str) -> bool:
        """Forget the secret, in however many items it is; False if there was none."""
        attributes = {"service": service, "username": username}
        unlocked, locked = self._paths(attributes)
        for path in unlocked:
            self._item(path).delete()
        if locked:
            raise _locked(attributes)
        return bool(unlocked)


def _locked(attributes: dict[str, str]) -> StoreError:
    return StoreError(
        f"the keyring is locked, and holds an item for {attributes['service']!r}: "
        "unlock it (log in to the desktop, or gnome-keyring-daemon --unlock)"
    )
