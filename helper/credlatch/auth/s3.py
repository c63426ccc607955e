"""Where AWS has a bucket: its region, which S3's signatures are for."""

from __future__ import annotations

from credlatch import clock
from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request

REGION_KNOWN = 86_400  # seconds for which a bucket stays where it is
REGION_UNKNOWN = 60  # likewise, where nobody said
_REGION = "x-amz-bucket-region"
SKEW = 840  # seconds: S3 takes a signature for 15 minutes before and after its date


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
        """One HEAD without a signature; whatever its status, the region is in a header.

        So is S3's clock.
        """
        from credlatch.errors import RenewalError
        from credlatch.s3_hosts import DEFAULT

        try:
            response = yield HttpRequest("HEAD", f"{self.server}{self.bucket}")
        except RenewalError:
            said, at = "", now
        else:
            said, at = response.headers.get(_REGION, ""), response.at
            off = clock.ahead(response.headers.get("date", ""), at)
            if abs(off) > SKEW:
                way = "ahead of" if off > 0 else "behind"
                raise RenewalError(
                    f"this machine's clock is {abs(off) / 60:.0f} minutes {way} S3's, which takes "
                    "no signature of that time: set the clock"
                )
        is_one = said.isascii() and said.replace("-", "").isalnum()
        keep = REGION_KNOWN if is_one else REGION_UNKNOWN
        return TokenResponse(Secret(said if is_one else DEFAULT), expires=int(at) + keep)
