"""Amazon ECR: AWS keys are exchanged for a registry's login.

Hosts are those of amazon-ecr-credential-helper (docs.aws.amazon.com/AmazonECR/latest/userguide/
Registries.html), in every partition; ``on.aws`` is dual-stack.
"""

from __future__ import annotations

from credlatch.identities import aws_keys
from credlatch.identities.aws_service import DUAL_STACK, endpoint, exchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth.aws_service import EcrToken, Place
    from credlatch.caller import Caller
    from credlatch.credential import AccessKey
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.url import Url

_PUBLIC = frozenset({"public.ecr.aws", "ecr-public.aws.com"})
_PUBLIC_REGION = "us-east-1"
_DOMAINS = frozenset(
    {
        "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "sc2s.sgov.gov", "c2s.ic.gov",
        "cloud.adc-e.uk", "csp.hci.ic.gov", *DUAL_STACK,
    }
)  # fmt: skip
_KINDS = {"dkr.ecr.": "", "dkr-ecr.": "", "dkr.ecr-fips.": "-fips", "dkr-ecr-fips.": "-fips"}
_ACCOUNT = 12  # digits
_IN_REGIONS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def claims(url: Url) -> bool:
    """A private registry's host, or the public one's."""
    at_home = url.scheme == "https" and url.default_port
    return at_home and (url.host in _PUBLIC or _registry(url.host) is not None)


def anonymous(url: Url) -> bool:
    """The public registry serves everybody, by its own token server."""
    return url.host in _PUBLIC


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The login of the registry, for which keys are exchanged."""
    if not claims(url):
        return None
    registry = _registry(url.host)
    region = _PUBLIC_REGION if registry is None else registry[1]
    entry = aws_keys.keys(caller, request.rule, region)
    if entry is None:
        return None
    name = "ECR_PUBLIC" if registry is None else "ECR"
    own = f"https://api.ecr-public.{region}.amazonaws.com" if registry is None else _api(*registry)
    server = endpoint(caller, request.rule, name, own)

    def make(key: AccessKey, place: Place, source: str, remedy: str) -> EcrToken:
        from credlatch.auth.aws_service import EcrPublicToken, EcrToken

        kind = EcrPublicToken if registry is None else EcrToken
        return kind(key, place, source, remedy)

    return exchanged(entry, server, region, caller, make)


def _registry(host: str) -> tuple[str, str, str] | None:
    """Of a private registry's host: ``-fips`` or nothing, the region, and the domain."""
    account, _, rest = host.partition(".")
    if len(account) != _ACCOUNT or not account.isdigit():
        return None
    for kind, fips in _KINDS.items():
        region, _, domain = rest.removeprefix(kind).partition(".")
        if rest.startswith(kind) and region and domain in _DOMAINS:
            return (fips, region, domain) if _is_region(region) else None
    return None


def _is_region(text: str) -> bool:
    return _IN_REGIONS.issuperset(text) and text[0] not in "-_"


def _api(fips: str, region: str, domain: str) -> str:
    """The service of a registry's own partition, over the addresses that its host is served by."""
    if domain in DUAL_STACK:
        return f"https://ecr{fips}.{region}.{DUAL_STACK[domain]}"
    return f"https://api.ecr{fips}.{region}.{domain}"
