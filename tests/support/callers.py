"""Callers in a test's home, for tests that need no process: with a keyring in memory, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.credential import Secret
from credlatch.errors import AmbiguousError

if TYPE_CHECKING:
    from credlatch.system.keyring import Keyring
    from support.home import Home


def caller_of(home: Home) -> Caller:
    """Whoever calls in a test's home, with its environment and nothing else."""
    return Caller(dict(home.env), str(home.path))


class FakeKeyring:
    """A keyring in memory.

    Attributes:
        items: service, user name and secret of each item.
        failure: what it raises, whatever it is asked; None: it works.
    """

    def __init__(self, *items: tuple[str, str, str], failure: Exception | None = None) -> None:
        self.items = list(items)
        self.failure = failure

    def _work(self) -> None:
        if self.failure is not None:
            raise self.failure

    def get(self, service: str, username: str) -> Secret | None:
        self._work()
        found = [s for kept, name, s in self.items if (kept, name) == (service, username)]
        if len(set(found)) > 1:
            raise AmbiguousError(f"{len(found)} items for {service}")
        return Secret(found[0]) if found else None

    def find(self, service: str) -> list[tuple[str, Secret]]:
        self._work()
        return [(name, Secret(secret)) for kept, name, secret in self.items if kept == service]

    def usernames(self, service: str) -> list[str] | None:
        return [name for name, _ in self.find(service)]

    def put(self, service: str, username: str, secret: Secret) -> None:
        self.delete(service, username)
        self.items.append((service, username, secret.reveal()))

    def delete(self, service: str, username: str) -> bool:
        self._work()
        kept = [item for item in self.items if item[:2] != (service, username)]
        gone = len(kept) < len(self.items)
        self.items = kept
        return gone

    def see_that_it_is_open(self) -> None:
        self._work()

    def close(self) -> None:
        """Nothing is open."""


class WithKeyring(Caller):
    """A caller with a keyring of the test's own."""

    def __init__(self, home: Home, keyring: Keyring) -> None:
        super().__init__(dict(home.env), str(home.path))
        self._held = keyring

    def keyring(self) -> Keyring | None:
        return self._held


class InKeyring:
    """For the contract test of a store whose place is the keyring.

    Attributes:
        ITEM: service, user name and secret of what its tool writes there.
    """

    ITEM: tuple[str, str, str]

    @pytest.fixture(autouse=True)
    def _keyring(self) -> None:
        self.keyring = FakeKeyring()

    def caller(self, home: Home) -> Caller:
        return WithKeyring(home, self.keyring)

    def write(self, home: Home) -> None:  # noqa: ARG002 - into the keyring
        self.keyring.items.append(self.ITEM)
