"""AWS Signature Version 4 in headers, for S3 and for the services of AWS.

Source: "Create a signed AWS API request" in AWS's IAM documentation, and for S3 "Authenticating
Requests: Using the Authorization Header" in its API reference. A signature is for one method and
one URL, and a server takes it for 15 minutes before and after its date.

Nothing but hashing is imported: it is made within a call that a build tool waits for.
"""

from __future__ import annotations

from binascii import unhexlify
from time import gmtime, strftime

from credlatch.auth.sha256 import hmac, sha256
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.credential import AccessKey
    from credlatch.url import Url

UNSIGNED = "UNSIGNED-PAYLOAD"
S3 = "s3"
_ALGORITHM = "AWS4-HMAC-SHA256"
_END = "aws4_request"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_HEX = frozenset("0123456789abcdefABCDEF")


def signed(  # noqa: PLR0913 - what a signature covers, all but three by name
    url: Url,
    key: AccessKey,
    region: str,
    *,
    now: float,
    method: str = "GET",
    service: str = S3,
    payload: str = UNSIGNED,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Secret]:
    """The headers that sign a request, beside those that are signed with it.

    Args:
        url: exactly where it goes: the host's spelling, the path's dots and the query count.
        key: an access key; a session token that it has is sent and signed.
        region: of the endpoint.
        now: in seconds since 1970 UTC.
        method: of the request.
        service: as AWS's table of endpoints has it.
        payload: SHA-256 of the body in hexadecimal; for S3, UNSIGNED is for any body.
        headers: more headers that are signed, which the caller sends as they are.

    Raises:
        ValueError: the key's secret is no text.
    """
    date = strftime("%Y%m%dT%H%M%SZ", gmtime(now))
    made = {"x-amz-date": date}
    if service == S3:
        made["x-amz-content-sha256"] = payload
    if key.token is not None:
        made["x-amz-security-token"] = key.token.reveal()
    covered = {"host": url.netloc, **made}
    covered |= {name.lower(): " ".join(value.split()) for name, value in (headers or {}).items()}
    names = sorted(covered)
    path, _, query = url.target.partition("?")
    canonical = [
        method,
        _encoded(_decoded(path), "/") if service == S3 else _of_service(url.path),
        _query(query),
        *(f"{name}:{covered[name]}" for name in names),
        "",
        ";".join(names),
        payload,
    ]
    scope = f"{date[:8]}/{region}/{service}/{_END}"
    hashed = sha256("\n".join(canonical).encode()).hexdigest()
    try:
        secret = f"AWS4{key.secret.reveal()}".encode()
    except UnicodeEncodeError:
        raise ValueError("its secret is no text that can be encoded") from None
    for part in scope.split("/"):
        secret = hmac(secret, part.encode())
    text = f"{_ALGORITHM}\n{date}\n{scope}\n{hashed}"
    signature = hmac(secret, text.encode()).hex()
    value = (
        f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature}"
    )
    return {
        "Authorization": Secret(value),
        **{name: Secret(each) for name, each in made.items()},
    }


def _of_service(path: str) -> str:
    """A path as services but S3 have it: without dots and empty segments, and encoded twice."""
    kept = [part for part in path.split("/") if part]
    end = "/" if kept and path.endswith("/") else ""
    return _encoded(("/" + "/".join(kept) + end).encode(), "/")


def _query(query: str) -> str:
    """Names and values encoded once and sorted; what is between two ``&&`` is nothing."""
    pairs = []
    for each in query.split("&"):
        if each:
            name, _, value = each.replace("+", " ").partition("=")
            pairs.append((_encoded(_decoded(name)), _encoded(_decoded(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(data: bytes, also: str = "") -> str:
    """Every byte in percent signs but what RFC 3986 calls unreserved, and ``also``."""
    plain = _PLAIN | set(also.encode())
    if plain.issuperset(data):
        return data.decode("ascii")
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in data)


def _decoded(text: str) -> bytes:
    """What a text with percent signs means; one that begins no two digits is itself."""
    first, *others = text.split("%")
    parts = [first.encode()]
    for part in others:
        digits = part[:2]
        if len(digits) == 2 and _HEX.issuperset(digits):  # noqa: PLR2004 - two digits, one byte
            parts += (unhexlify(digits), part[2:].encode())
        else:
            parts += (b"%", part.encode())
    return b"".join(parts)
