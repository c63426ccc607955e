"""A login that machines share, put where those who renew it find it."""

from __future__ import annotations

from credlatch.errors import CredlatchError, NotKeptError, StoreError, UsageError
from credlatch.fleet import opening, settings
from credlatch.fleet import value as values
from credlatch.fleet.part import Part
from credlatch.rules import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.login.given import Given
    from credlatch.login.target import Target

_PATIENCE = 30.0  # seconds for the engine


class Shared:
    """The row of ``fleet.toml`` that a login is for.

    Attributes:
        place: where the login is kept, in words.
        access: where workers read its access token; empty: nowhere else.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self.place = part.login.place
        self.access = "" if part.access is None else part.access.place

    def see(self) -> None:
        """See that both paths can be read, before anybody has given a login for nothing.

        Raises:
            StoreError: one cannot be.
        """
        self._part.login.read()
        if self._part.access is not None:
            self._part.access.read()

    def keep(self, what: Given) -> str:
        """Keep it, whatever was there; a warning where workers do not have its token yet, or empty.

        Raises:
            NotKeptError: nothing would renew it.
            StoreError: the engine does not take it.
        """
        from credlatch.fleet import running

        entry = what.value
        if entry is None or values.login({"entry": entry}) is None:
            raise NotKeptError(
                "the provider gave no refresh token, and nothing could renew it: ask it for one, "
                "as with --scope offline_access; nothing was kept"
            )
        running.put(self._part.login, entry, self._part.access)
        try:
            self._part.settle(_PATIENCE)
        except CredlatchError as error:
            return str(error)
        return ""

    def is_kept(self, what: Given) -> bool:
        """Whether it has come to where it is kept."""
        try:
            value = self._part.login.read().value
        except StoreError:
            return False
        return value is not None and value.get("entry") == what.value


def shared(at: Target, caller: Caller) -> Shared:
    """The row for a host.

    Raises:
        UsageError: there is none, or it does not say where the login is.
        StoreError: the settings are wrong.
    """
    found = settings.believed(caller)
    path = settings.path(caller)
    if found is None:
        raise UsageError(f"--fleet: {path} is not there, and would say where: see docs/fleet.md")
    row = found.held(places.of_url(at.url))
    if row is None:
        raise UsageError(f"--fleet: {path} has no row for {at.shown}: see docs/fleet.md")
    if row.said.login is None:
        raise UsageError(f"--fleet: {row.where} does not say where the login is: add login")
    return Shared(Part(opening.Target(row, caller), caller))
