"""Logins that machines share: ``fleet.toml`` says which, and which engine keeps each.

No login is here: a worker reads the access token that a renewer has put where workers may read.
"""

from __future__ import annotations

from functools import partial

from credlatch.errors import StoreError
from credlatch.fleet import settings
from credlatch.rules import places
from credlatch.stores import Entry, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.fleet.settings import Row
    from credlatch.request import Request
    from credlatch.stores import Listed
    from credlatch.url import Url


class FleetStore(Store):
    """The rows of ``fleet.toml``; a row's token is fetched when it is wanted."""

    def find(self, url: Url) -> Entry | None:
        """The entry of the most specific row whose place the URL is in; raises as ``look``."""
        return self._at(places.of_url(url))

    def look(self, request: Request) -> Entry | None:
        """Likewise, for what is asked by name, too.

        Raises:
            StoreError: the file is wrong, or the row's engine cannot be asked as it is.
        """
        place = places.of_request(request)
        return None if place is None else self._at(place)

    def entries(self) -> Iterable[Listed]:
        """Each place; none is asked for its token."""
        found = settings.believed(self._caller)
        for row in () if found is None else found.rows:
            for place in row.places:
                try:
                    yield place.text, self._entry(row)
                except StoreError:
                    yield place.text, None

    def files(self) -> Iterable[str]:
        """The file that says what is shared."""
        return (settings.path(self._caller),)

    def _at(self, place: places.Place) -> Entry | None:
        found = settings.believed(self._caller)
        row = None if found is None else found.held(place)
        return None if row is None else self._entry(row)

    def _entry(self, row: Row) -> Entry:
        from credlatch.auth.fleet import FleetToken
        from credlatch.fleet import opening, worker

        meant = opening.Target(row, self._caller)
        remedy = f"see that `credlatch fleet renew` runs for {row.where}, or credlatch doctor"
        ask = partial(worker.read, meant, self._caller)
        grant = FleetToken(meant.place, meant.server, meant.key, ask, remedy)
        return Entry(None, meant.place, grant=grant, remedy=remedy)
