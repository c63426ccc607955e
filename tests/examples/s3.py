"""A signature: S3's requests, signed with AWS Signature Version 4 and without asking anybody."""

from __future__ import annotations

import hmac
from hashlib import sha256
from time import gmtime, strftime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from credlatch.auth import Auth, TokenResponse
from credlatch.credential import Credential, Secret
from credlatch.stores import Entry, Store

if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

LIFETIME = 300  # seconds for which S3 takes it: its clock and ours may differ by ten minutes more
_EMPTY = sha256(b"").hexdigest()
_NAMES = "host;x-amz-content-sha256;x-amz-date"


class Signature(Credential):
    """The headers that are signed, and the signature."""

    __slots__ = ("_headers",)

    def __init__(self, signature: Secret, headers: dict[str, str]) -> None:
        super().__init__(signature)
        self._headers = headers

    def headers(self) -> dict[str, str]:
        return {**self._headers, "Authorization": self.secret.reveal()}

    def login(self, host: str) -> tuple[str, Secret]:  # noqa: ARG002 - on no host
        raise ValueError("it is a signature, which is no login")


class S3Signature(Auth):
    """A secret access key.

    Attributes:
        key: the access key's id.
        region: where the bucket is.
    """

    __slots__ = ("key", "region")

    def __init__(self, secret: Secret, key: str, region: str) -> None:
        super().__init__(secret, "https://s3.amazonaws.com/", "set S3_SECRET to the key's secret")
        self.key = key
        self.region = region

    def cache_key(self, request: Request) -> None:
        """None: it is for one URL and one method."""

    def flow(self, request: Request, now: float) -> Flow:
        yield from ()
        if request.url is None:
            raise ValueError("there is nothing to sign")
        moment = strftime("%Y%m%dT%H%M%SZ", gmtime(now))
        signed = {"x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
        query = parse_qsl(urlsplit(request.url.text).query, keep_blank_values=True)
        pairs = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query))
        canonical = [
            request.method,
            request.url.path,
            "&".join(pairs),
            *(f"{name}:{value}" for name, value in {"host": request.url.netloc, **signed}.items()),
            "",
            _NAMES,
            _EMPTY,
        ]
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        hashed = sha256("\n".join(canonical).encode()).hexdigest()
        key = f"AWS4{self.secret.reveal()}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        value = (
            f"AWS4-HMAC-SHA256 Credential={self.key}/{scope},"
            f"SignedHeaders={_NAMES},Signature={signature}"
        )
        secret = Secret(value)
        return TokenResponse(
            secret, expires=int(now) + LIFETIME, credential=Signature(secret, signed)
        )


class S3Store(Store):
    """The key that the environment has."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, url: Url) -> Entry | None:
        key, secret = self._caller.get("S3_KEY"), self._caller.get("S3_SECRET")
        if key is None or secret is None or not url.host.endswith(".s3.amazonaws.com"):
            return None
        return Entry(None, "S3_SECRET", grant=S3Signature(Secret(secret), key, "us-east-1"))
