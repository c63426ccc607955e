"""Systems that are answered for with an identity that the caller has already: one file for each.

Such a file has three functions:

- ``claims(url)``: whether the URL is one of the system's. Pure; hosts are compared by whole labels.
- ``anonymous(url)``: whether that host also serves those who send nothing. There an identity that
  fails is a warning, and the answer is none.
- ``find(request, url, caller)``: the entry for a URL, or None where the caller has no identity for
  it; StoreError where there is one that cannot be had. ``request.rule`` has what settings say. It
  is also asked for what the file does not claim, where a rule, a variable or a file of its tool's
  may name another host: it makes sure of that itself.
"""

from __future__ import annotations

from credlatch.errors import StoreError
from credlatch.identities import table
from credlatch.stores import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.request import Request
    from credlatch.stores import Entry


class IdentityStore(Store):
    """What the caller's identities give: asked when no store has a login."""

    def look(self, request: Request) -> Entry | None:
        """The entry of the first system whose URL it is, and that the caller has an identity of."""
        url = request.url
        if url is None or url.host.startswith("*."):
            return None
        for name, named in table.systems(url, request.rule, self._caller):
            system = __import__(f"credlatch.identities.{name}", fromlist=["find"])
            if not (named or system.claims(url)):
                continue
            optional = system.anonymous(url)
            try:
                entry: Entry | None = system.find(request, url, self._caller)
            except StoreError as failure:
                if not optional:
                    raise
                self._caller.warn(str(failure))
                continue
            if entry is not None:
                entry.optional = optional
                return self._of_user(entry, request)
        return None
