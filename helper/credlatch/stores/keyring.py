"""The system's keyring as pip and uv use it: the service is a URL or a host."""

from __future__ import annotations

from credlatch.credential import Basic
from credlatch.errors import AmbiguousError
from credlatch.stores import Entry, Store
from credlatch.system.keyring import only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url


RATTLER = "rattler"  # a service of rattler's own, which a host of that name must not get


class KeyringStore(Store):
    """Items that ``keyring set SERVICE USER`` made."""

    def find(self, url: Url) -> Entry | None:
        """The login under the full URL, then ``host[:port]``, then the origin: uv's order."""
        if url.scheme == "s3" or url.host.startswith("*."):
            return None
        keyring = self._caller.keyring()
        if keyring is None:
            return None
        services = dict.fromkeys((url.text, url.netloc, f"{url.scheme}://{url.netloc}"))
        services.pop(RATTLER, None)
        for service in services:
            location = f"the keyring (service {service})"
            if url.username is not None:
                secret = keyring.get(service, url.username)
                if secret is not None:
                    return Entry(Basic(url.username, secret), location)
                continue
            items = keyring.find(service)
            users = sorted({username for username, _ in items})
            if len(users) > 1:
                raise AmbiguousError(
                    f"{location} has logins of {', '.join(users)}: put the user name into the URL"
                )
            if items:
                secret = only(service, items[0][0], [secret for _, secret in items])
                if secret is not None:
                    return Entry(Basic(items[0][0], secret), location)
        return None
