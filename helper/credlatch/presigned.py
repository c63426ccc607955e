"""URLs that carry their own signature: a credential beside it has them refused.

Servers want one way of authenticating and no second: S3 and MinIO answer 400 to such a URL with an
``Authorization``. Registries, forges and caches redirect to them all the time.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url

# What stands beside ``Signature``: of S3's version 2, of Google's and Alibaba's like it, and of
# CloudFront's policies.
_BESIDE_SIGNATURE = {"expires", "key-pair-id", "policy"}
# What stands beside ``sig`` in Azure's shared access signatures; on other hosts, with a version.
_BESIDE_SIG = {"se", "si"}
_AZURE = (".core.windows.net", ".core.chinacloudapi.cn", ".core.usgovcloudapi.net")
_X, _ENDS = "x-", ("-signature", "-algorithm")  # X-Amz-Signature, X-Goog-Algorithm …


def is_presigned(url: Url) -> bool:
    """Whether a URL's query is a signature (S3, Google, CloudFront, Azure), in any case."""
    query = url.target.partition("?")[2]
    names = {_name(pair) for pair in query.split("&")}
    if any(name.startswith(_X) and name.endswith(_ENDS) for name in names):
        return True
    if "signature" in names and names & _BESIDE_SIGNATURE:
        return True
    return "sig" in names and bool(
        names & _BESIDE_SIG and (url.host.endswith(_AZURE) or "sv" in names)
    )


def _name(pair: str) -> str:
    name = pair.partition("=")[0]
    if "%" in name:
        from urllib.parse import unquote

        name = unquote(name)
    return name.lower()
