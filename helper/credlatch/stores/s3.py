"""S3 keys that rattler's store keeps for a bucket, and the signatures that they make.

A bucket is known by a rule's endpoint, by pixi's ``s3-options`` (``pixi_s3``), or by a host that is
S3's everywhere (``s3_hosts``). The key is kept under ``s3://bucket``, as rattler looks for it.
"""

from __future__ import annotations

from credlatch.credential import AccessKey
from credlatch.stores import NO_LOGIN, Entry, Store, pixi_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.rules import Rule
    from credlatch.s3_hosts import Place
    from credlatch.stores import Listed
    from credlatch.stores.pixi_s3 import Option
    from credlatch.stores.rattler import RattlerStore
    from credlatch.url import Url

# One of these is in every host that is S3's: nothing else is imported for others.
_MARKS = ("s3", "r2.cloudflare", "storage")
# Seconds, 30 more than clients are told (``renew.margin``). Servers take a signature for 900 after
# its date, and before it, by their clock.
LIFETIME = 630
ELSEWHERE = "is for a bucket that s3-options have at another endpoint"


class S3Store(Store):
    """Keys for buckets, which sign.

    Args:
        caller: whose they are.
        keys: where they are kept.
    """

    def __init__(self, caller: Caller, keys: RattlerStore) -> None:
        super().__init__(caller)
        self._keys = keys

    def look(self, request: Request) -> Entry | None:
        """The entry that signs a request."""
        url = request.url
        if url is None or url.scheme == "s3" or url.host.startswith("*."):
            return None
        place = self._place(url, request.rule)
        if place is None or not place.bucket:
            return None
        from credlatch import url as urls
        from credlatch.errors import RequestError

        try:
            kept = urls.parse(f"s3://{place.bucket}{place.path}")
        except RequestError:
            return None  # no bucket has such a name
        # Nor one that is another's in other letters, or with what follows it.
        found = self._keys.find(kept) if kept.host == place.bucket else None
        if found is None:
            return None
        if not request.headers:
            self.pass_over(NO_LOGIN, found.location)
            return None
        warn_of_cache(url, place, self._caller)
        return signed(found, request, place)

    def entries(self) -> list[Listed]:
        """The buckets that there are keys for."""
        return self._keys.buckets()

    def _place(self, url: Url, rule: Rule) -> Place | None:
        ruled = rule.endpoint is not None or rule.region is not None
        options: dict[str, Option] = {}
        if any(pixi_config.mentions_s3(self._caller)):
            from credlatch.stores import pixi_s3

            options = pixi_s3.options(self._caller, self.pass_over)
        elif not (ruled or any(mark in url.host for mark in _MARKS)):
            return None
        from credlatch import s3_hosts

        named = of_rule(url, rule) if ruled else None
        if named is not None:
            return named
        for bucket, option in options.items():
            path = option.below(url, bucket)
            if path is not None:
                return s3_hosts.Place(bucket, path, option.region)
        return self._known(url, options)

    def _known(self, url: Url, options: dict[str, Option]) -> Place | None:
        """The bucket at a host of S3's, unless it is said to be elsewhere."""
        from credlatch import s3_hosts

        place = s3_hosts.place(url)
        option = None if place is None else options.get(place.bucket)
        if place is None or option is None:
            return place
        there = s3_hosts.place(option.endpoint)
        if there is None or there.system != place.system:
            self.pass_over(ELSEWHERE, f"s3://{place.bucket}")
            return None
        place.region = place.region or option.region
        return place


def of_rule(url: Url, rule: Rule) -> Place | None:
    """The bucket that a URL is for, where a rule names its endpoint or its region; else None."""
    from credlatch import s3_hosts

    if rule.endpoint is None:
        place = None if rule.region is None else s3_hosts.place(url)
        if place is not None:
            place.region = rule.region or place.region
        return place
    from credlatch import url as urls

    endpoint = urls.absolute(rule.endpoint)
    if (url.scheme, url.port) != (endpoint.scheme, endpoint.port):
        return None
    base = endpoint.path.rstrip("/")
    if url.host == endpoint.host:
        bucket = url.target.partition("?")[0].removeprefix(f"{base}/").partition("/")[0]
    elif rule.path_style or not url.host.endswith(f".{endpoint.host}"):
        return None
    else:
        bucket = url.host.removesuffix(f".{endpoint.host}")
    path = s3_hosts.below(url, bucket, endpoint.host, base)
    if path is None:
        return None
    known = s3_hosts.place(url)
    region = rule.region or ("" if known is None else known.region) or s3_hosts.DEFAULT
    return s3_hosts.Place(bucket, path, region, "" if known is None else known.system)


def warn_of_cache(url: Url, place: Place, caller: Caller) -> None:
    """Say that a bucket is no remote cache of Bazel's, which asks once, for all that it has.

    Nobody else asks for a bucket itself: to list it takes a query.
    """
    if place.path == "/" and "?" not in url.text:
        caller.warn(
            f"{url.shown} is a bucket, and a signature is for one object in it, and for GET: "
            "S3 cannot be a remote cache of Bazel's through a credential helper (bazel-remote can)"
        )


def signed(entry: Entry, request: Request, place: Place) -> Entry:
    """The entry that is a request's signature, by the access key that an entry has, or will get.

    It is made here and now, as nobody is asked for it, and for the one request.

    Args:
        entry: its credential is the key; or what gets it is its grant.
        request: what is signed.
        place: which bucket, and in which region: AWS is asked for one that the host leaves out.
    """
    before = entry.then

    def signs(entry: Entry) -> Entry | None:
        fresh = entry if before is None else before(entry)
        if fresh is None or not isinstance(fresh.credential, AccessKey):
            return fresh
        return _made(fresh.credential, fresh, request, place)

    if entry.grant is None and before is None:
        return signs(entry) or entry
    entry.then = signs
    return entry


def _made(key: AccessKey, entry: Entry, request: Request, place: Place) -> Entry:
    from time import time

    url = request.url
    if url is None:
        raise ValueError("there is nothing to sign")

    def made(region: str) -> Entry:
        from credlatch.auth import sigv4
        from credlatch.headers import Headers

        now = time()
        try:
            headers = Headers(sigv4.signed(url, key, region, now=now, method=request.method))
        except ValueError as error:
            from credlatch.errors import StoreError

            raise StoreError(
                f"the key from {entry.location} cannot be used: {error}: {entry.remedy}"
            ) from None
        end = int(now) + LIFETIME
        expires = end if entry.expires is None else min(end, entry.expires)
        return Entry(headers, entry.location, expires=expires, remedy=entry.remedy)

    if place.region:
        return made(place.region)
    from credlatch.auth.s3 import BucketRegion

    asked = Entry(None, entry.location, grant=BucketRegion(place.bucket), remedy=entry.remedy)

    def known(fresh: Entry) -> Entry:
        return fresh if fresh.credential is None else made(fresh.credential.secret.reveal())

    asked.then = known
    return asked
