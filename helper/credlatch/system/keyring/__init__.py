"""The keyring of the operating system, named explicitly.

Never ``keyring.get_keyring()``: any installed package may take that over, and some do:
posit-keyring has a higher priority than every system's own, and starts a browser.
"""

from __future__ import annotations

import os
import sys

from credlatch.errors import AbsentError, AmbiguousError, ElsewhereError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from credlatch.credential import Secret
    from credlatch.system.keyring.pool import Pool

    class Keyring(Protocol):
        """What every system's keyring can do.

        A service and a user name lead to one secret. All methods raise StoreError when the keyring
        is locked, when it holds two answers, or when it does not answer; none of them prompts.
        """

        def get(self, service: str, username: str) -> Secret | None:
            """The one secret, or None."""

        def find(self, service: str) -> list[tuple[str, Secret]]:
            """User names and secrets; on macOS none, because its keychain cannot be asked so."""

        def usernames(self, service: str) -> list[str] | None:
            """The user names that the service has secrets for; None where they are not told."""

        def put(self, service: str, username: str, secret: Secret) -> None:
            """Keep a secret, in the item that is already there if there is one."""

        def delete(self, service: str, username: str) -> bool:
            """Forget the secret; False if there was none."""

        def see_that_it_is_open(self) -> None:
            """See that secrets can be read and kept, as far as that can be told unasked.

            Raises AbsentError where there is nothing to keep them in.
            """

        def close(self) -> None:
            """Give back, or close, what it was asked through."""


def open_keyring(
    variable: Callable[[str], str | None],
    warn: Callable[[str], None],
    left: Callable[[float], float],
    pool: Pool | None = None,
    *,
    is_guest: bool = False,
) -> Keyring | None:
    """The system's keyring; None where there is none, at no cost.

    On Linux there is none where no bus answers, and where the one that does is another user's. Any
    other failure may hide a keyring that holds, or is to hold, what is asked for.

    Args:
        variable: gives a variable of the caller's environment.
        warn: told when a keyring is announced there and is not there.
        left: the seconds that a step of the call may take, of as many as it is given.
        pool: the connections of a process that answers several calls.
        is_guest: whether this process serves the call for another one.

    Raises:
        StoreError: there is one, and it cannot be asked.
        ElsewhereError: where it is depends on a guest's working directory.
    """
    if sys.platform == "win32":
        from credlatch.system.keyring.windows import CredentialManager

        return CredentialManager()
    if sys.platform == "darwin":
        from credlatch.system.keyring.macos import Keychain

        return Keychain()
    address = _session_bus(variable)
    if address is None:
        return None
    if is_guest and _is_relative(address):
        raise ElsewhereError("DBUS_SESSION_BUS_ADDRESS is relative to the working directory")
    try:
        if pool is not None:
            return pool.lend(address, left, warn)
        from credlatch.system.keyring.secret_service import SecretService

        return SecretService(address, left, warn)
    except AbsentError as error:
        warn(str(error))
        return None


def _session_bus(variable: Callable[[str], str | None]) -> str | None:
    address = variable("DBUS_SESSION_BUS_ADDRESS")
    if address is None:
        runtime = variable("XDG_RUNTIME_DIR")
        # Where systemd puts it, also for a login without the variable (dbus-daemon(1)).
        if runtime and os.path.isabs(runtime) and os.path.exists(f"{runtime}/bus"):
            address = f"unix:path={runtime}/bus"
    return address


def _is_relative(address: str) -> bool:
    from credlatch.system.keyring.bus import path_of

    path = path_of(address)
    return path is not None and not path.startswith(("/", "\0"))


def only(service: str, username: str, secrets: list[Secret]) -> Secret | None:
    """The one secret; several equal ones are one.

    Raises:
        AmbiguousError: there are different ones, and nothing says which is meant.
    """
    if len(set(secrets)) > 1:
        raise AmbiguousError(
            f"the keyring holds {len(secrets)} different items for service {service!r}, "
            f"user {username!r}: delete all but one"
        )
    return secrets[0] if secrets else None
