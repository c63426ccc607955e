"""S3's requests, signed without asking anybody; and where AWS has a bucket, which is asked."""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.credential import AccessKey
    from credlatch.request import Request

# Seconds, 30 more than clients are told (``renew.margin``). Servers take it for 900 after its date,
# and before it, by their clock.
LIFETIME = 630
REGION_KNOWN = 86_400  # seconds for which a bucket stays where it is
REGION_UNKNOWN = 60  # likewise, where nobody said
_REGION = "x-amz-bucket-region"


class S3Signature(Auth):
    """An access key, which signs a request.

    Attributes:
        key: the key.
        region: of the bucket.
        end: when the key itself ends, in seconds since 1970 UTC; None when it lasts.
    """

    single_use = False

    def __init__(
        self, key: AccessKey, server: str, region: str, end: int | None, remedy: str
    ) -> None:
        super().__init__(key.secret, server, remedy)
        self.key = key
        self.region = region
        self.end = end

    def cache_key(self, request: Request) -> None:
        """None: it is for one URL and one method."""

    def flow(self, request: Request, now: float) -> Flow:
        """Nothing is sent."""
        yield from ()
        from credlatch.auth import sigv4
        from credlatch.headers import Headers

        if request.url is None:
            raise ValueError("there is nothing to sign")
        headers = sigv4.signed(request.url, self.key, self.region, now=now, method=request.method)
        end = int(now) + LIFETIME
        return TokenResponse(
            headers["Authorization"],
            expires=end if self.end is None else min(end, self.end),
            credential=Headers(headers),
        )


class BucketRegion(Auth):
    """Where AWS has a bucket, as its global endpoint tells everybody who knows its name.

    The token that comes is the region's name. Where it cannot be had it is the default: then S3
    refuses what is signed for it, and names the right one.

    Attributes:
        bucket: which.
    """

    single_use = False
    anonymous = True
    patience = 2.0

    def __init__(self, bucket: str) -> None:
        super().__init__(Secret(""), "https://s3.amazonaws.com/", "name the region in the URL")
        self.bucket = bucket

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - of all requests to it
        """The bucket."""
        return self.bucket

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - it is asked as it is
        """One HEAD without a signature; whatever its status, the region is in a header."""
        from credlatch.errors import RenewalError
        from credlatch.s3_hosts import DEFAULT

        try:
            response = yield HttpRequest("HEAD", f"{self.server}{self.bucket}")
        except RenewalError:
            said, at = "", now
        else:
            said, at = response.headers.get(_REGION, ""), response.at
        is_one = said.isascii() and said.replace("-", "").isalnum()
        keep = REGION_KNOWN if is_one else REGION_UNKNOWN
        return TokenResponse(Secret(said if is_one else DEFAULT), expires=int(at) + keep)
