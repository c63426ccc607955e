"""Where AWS's own tools would send a call of a service."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.auth.aws_service import Place, ServiceCall
    from credlatch.caller import Caller
    from credlatch.credential import AccessKey
    from credlatch.rules import Rule
    from credlatch.stores import Entry

    Make = Callable[[AccessKey, Place, str, str], ServiceCall]

# Hosts that are served over IPv6, too: their domain, and that of the services.
DUAL_STACK = {
    "on.aws": "api.aws",
    "on.amazonwebservices.com.cn": "api.amazonwebservices.com.cn",
}


def exchanged(entry: Entry, server: str, region: str, caller: Caller, make: Make) -> Entry:
    """The keys' entry, of which a service's token is made.

    Args:
        entry: of the keys.
        server: the service's URL.
        region: of its endpoint.
        caller: whose CA bundle counts.
        make: makes the call.
    """
    authorities = caller.path("AWS_CA_BUNDLE")

    def then(fresh: Entry) -> Entry:
        from credlatch.auth.aws_service import Place
        from credlatch.credential import AccessKey
        from credlatch.errors import StoreError
        from credlatch.stores import Entry

        key = fresh.credential
        if not isinstance(key, AccessKey):
            raise StoreError(f"{fresh.location} has no keys of AWS: {fresh.remedy}")
        place = Place(server, region, authorities)
        grant = make(key, place, fresh.location, fresh.remedy)
        return Entry(None, fresh.location, grant=grant, remedy=fresh.remedy)

    entry.then = then
    return entry


def endpoint(caller: Caller, rule: Rule, name: str, default: str) -> str:
    """The URL of a service: a rule's, or as AWS's tools are told, or AWS's own.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html

    Args:
        caller: whose environment counts.
        rule: its ``endpoint`` comes first.
        name: of the service, as variables have it.
        default: AWS's own.
    """
    ignored = (caller.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or "").lower() == "true"
    variables = () if ignored else (f"AWS_ENDPOINT_URL_{name}", "AWS_ENDPOINT_URL")
    told = (rule.endpoint, *map(caller.get, variables))
    return next((each.strip().rstrip("/") for each in told if each), default)
