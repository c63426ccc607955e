"""Google's registries and storage with a machine's own service account: where a rule names ``gce``.

For Compute Engine, Kubernetes Engine, Cloud Run and Cloud Build, which all have the metadata
service. The rule's ``profile`` is a service account's address; else it is the machine's default.
"""

from __future__ import annotations

from credlatch.errors import RequestError, StoreError
from credlatch.identities.google import anonymous, claims, entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.url import Url

__all__ = ["anonymous", "claims", "find"]

_HOST = "169.254.169.254"  # by its address: a name would be asked of a name server
_VARIABLES = ("GCE_METADATA_HOST", "GCE_METADATA_ROOT")


def find(request: Request, _: Url, caller: Caller) -> Entry | None:
    """What the metadata service gives.

    Raises:
        StoreError: a variable names no host.
    """
    from credlatch import url as urls
    from credlatch.auth.google_machine import Instance

    name = next((name for name in _VARIABLES if caller.get(name)), "")
    host = caller.get(name) or _HOST
    try:
        place = urls.absolute(f"http://{host}")
    except RequestError as error:
        raise StoreError(f"{name} names no metadata service ({error}): unset {name}") from None
    if not set(host).isdisjoint("/?#@"):
        raise StoreError(f"{name} is no host and port: unset {name}")
    grant = Instance(f"http://{place.netloc}", request.rule.profile or "default")
    return entry(grant, f"the metadata service at {place.netloc}")
