"""What a store or a resolver has found, as the tests look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from credlatch.resolve import Resolution
    from credlatch.stores import Entry

T = TypeVar("T")


def sure(value: T | None) -> T:
    """What must be there."""
    assert value is not None
    return value


def secret(found: Entry | Resolution | None) -> str | None:
    """The password or token; None: nothing was found, or nothing that has one yet."""
    return None if found is None or found.credential is None else found.credential.secret.reveal()


def headers(found: Entry | Resolution | None) -> dict[str, str] | None:
    """The headers that are sent; None: nothing was found."""
    return None if found is None else sure(found.credential).headers()


def header(found: Entry | Resolution | None) -> str | None:
    """The value of ``Authorization``; None: nothing was found."""
    said = headers(found)
    return None if said is None else said["Authorization"]


def login(found: Entry | Resolution | None) -> tuple[str, str] | None:
    """The user name and the password; None: nothing was found."""
    if found is None:
        return None
    username, password = sure(found.credential).login("")
    return username, password.reveal()
