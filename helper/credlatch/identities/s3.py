"""S3 with the keys of AWS that a caller has: a profile, a role, a job's identity.

A key that is stored for the bucket comes first (``stores.s3``). What everybody may read stays so:
where no identity is, or one that fails, nothing is signed.
"""

from __future__ import annotations

from credlatch import s3_hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.url import Url


def claims(url: Url) -> bool:
    """Whether it is a bucket of AWS's."""
    place = s3_hosts.place(url)
    return place is not None and place.is_aws and bool(place.bucket)


def anonymous(url: Url) -> bool:  # noqa: ARG001 - any bucket may be
    """Always: only the bucket knows whether everybody may read it."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The entry that signs with the caller's keys; raises StoreError as ``aws_keys.keys``.

    At other servers than AWS's own only where a rule names S3 and the server's endpoint.
    """
    from credlatch.identities import aws_keys
    from credlatch.stores import s3

    place = s3.of_rule(url, request.rule) or s3_hosts.place(url)
    if place is None or not place.bucket or not request.headers:
        return None
    if not (place.is_aws or (request.rule.names("s3") and request.rule.endpoint is not None)):
        return None
    entry = aws_keys.keys(caller, request.rule, place.region or s3_hosts.DEFAULT)
    if entry is None:
        return None
    s3.warn_of_cache(url, place, caller)
    return s3.signed(entry, request, place)
