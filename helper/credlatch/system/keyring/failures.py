"""How D-Bus and the Secret Service fail, and what is said of it."""

from __future__ import annotations

import functools

from jeepney import DBusErrorResponse

from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate, ParamSpec, TypeVar

    from credlatch.system.keyring.secret_service import SecretService

    P = ParamSpec("P")
    R = TypeVar("R")
    Method = Callable[Concatenate[SecretService, P], R]

_ERROR = "org.freedesktop.DBus.Error."
_PASSING = {
    f"{_ERROR}{name}"
    for name in ("LimitsExceeded", "NoReply", "Disconnected", "NoMemory", "Spawn.ForkFailed")
}
NO_SERVICE = {
    f"{_ERROR}{name}"
    for name in ("ServiceUnknown", "NameHasNoOwner", "Spawn.ServiceNotFound", "Spawn.ExecFailed")
}
"""A service that is not on the bus, and that the bus cannot start."""
NO_ITEM = {
    f"{_ERROR}UnknownMethod", f"{_ERROR}UnknownObject", "org.freedesktop.Secret.Error.NoSuchObject"
}  # fmt: skip
"""An object that is not there."""
_TO_DO = "try again, restart it, or unset DBUS_SESSION_BUS_ADDRESS"
_LOCKED = "org.freedesktop.Secret.Error.IsLocked"


def is_passing(error: Exception) -> bool:
    """Whether a failure comes of load, or of a restart, so that another try may succeed."""
    if isinstance(error, DBusErrorResponse):
        return error.name in _PASSING
    return isinstance(error, BlockingIOError | ConnectionError)


def text_of(error: Exception) -> str:
    """What an error of a library's says, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def locked(service: str = "") -> StoreError:
    """The keyring cannot be opened without its user, who is never asked."""
    holds = f", and holds an item for {service!r}" if service else ""
    return StoreError(
        f"the keyring is locked{holds}: "
        "unlock it (log in to the desktop, or gnome-keyring-daemon --unlock), then try again"
    )


def failed(keyring: SecretService, error: Exception) -> StoreError:
    """What to say of a service that has failed, and is asked no more."""
    if isinstance(error, StoreError):
        said = str(error)
    elif isinstance(error, TimeoutError):
        said = f"the Secret Service has not answered in time: {_TO_DO}"
    else:
        said = f"the Secret Service failed ({text_of(error)}): {_TO_DO}"
    keyring.broken, keyring.failure = True, said
    return StoreError(said)


def in_our_words(method: Method[P, R]) -> Method[P, R]:
    """Everything that jeepney and the system raise, as StoreError.

    A service that has failed is asked no more in this call: whoever hangs is waited for once, and
    who was told that it cannot be known what is there does not write all the same.
    """

    def wrapped(self: SecretService, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.failure is not None:
            raise StoreError(self.failure)
        try:
            return method(self, *args, **kwargs)
        except StoreError:
            raise
        # What may be raised has no common root (jeepney's DBusErrorResponse, OSError, whatever a
        # reply of another form leads to), and a keyring must never end a call with a traceback.
        except Exception as error:  # noqa: BLE001
            if isinstance(error, DBusErrorResponse) and error.name == _LOCKED:
                raise locked() from None
            raise failed(self, error) from None

    return functools.update_wrapper(wrapped, method)


def asked_again(method: Method[P, R]) -> Method[P, R]:
    """What only reads, once more on a new connection if it fails, and in our words.

    The connection that was good for an earlier call, or question, may have died since, or what it
    leads to may have been replaced. What writes is not tried twice: there is no telling whether a
    write that failed was done.
    """

    def wrapped(self: SecretService, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except (StoreError, TimeoutError):
            raise  # that is an answer; and who has been waited for is not asked again
        except Exception:  # noqa: BLE001 - as above
            self.reopen()
            return method(self, *args, **kwargs)

    return functools.update_wrapper(in_our_words(wrapped), method)
