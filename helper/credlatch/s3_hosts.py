"""Whose bucket a URL is for, by its host: the forms of AWS and of others that speak S3.

Hosts are compared by whole labels, https and its own port only. A bucket is in the host (virtual
hosting) or the first segment of the path; its name may have dots.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.url import Url

    Read = Callable[[list[str]], tuple[list[str], str] | None]

# By AWS's partitions (botocore's endpoints.json).
AWS = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
)
OTHERS = (
    "r2.cloudflarestorage.com",
    "wasabisys.com",
    "backblazeb2.com",
    "storage.googleapis.com",
    "your-objectstorage.com",
)
# Whose region is asked for, where it is not in the host: the others have no such hosts.
GLOBAL = AWS[0]
AUTO = "auto"  # the region of those that have one only
DEFAULT = "us-east-1"
_SERVICES = ("s3", "s3-fips", "s3-accesspoint", "s3-accesspoint-fips")
_JURISDICTIONS = ("eu", "us", "fedramp")
_BUCKET = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_HEX = frozenset("0123456789abcdef")
_ACCOUNT = 32  # letters of an account at Cloudflare


class Place:
    """A bucket, and what is asked of it.

    Attributes:
        bucket: its name; empty: none, as where buckets are listed.
        path: below the bucket, as it was written; at least ``/``.
        region: which signatures are for; empty: the host does not say.
        system: within which no two buckets have one name; empty: the server is none of these.
    """

    def __init__(self, bucket: str, path: str, region: str, system: str = "") -> None:
        self.bucket = bucket
        self.path = path
        self.region = region
        self.system = system

    @property
    def is_aws(self) -> bool:
        """Whether it is AWS's own."""
        return self.system in AWS


def place(url: Url) -> Place | None:
    """The bucket that a URL is for, where its host is one of these; else None."""
    if url.scheme != "https" or not url.default_port:
        return None
    for suffix in AWS:
        if url.host.endswith(f".{suffix}"):
            found = _aws(url.host.removesuffix(f".{suffix}").split("."))
            if found is None or not (found[1] or suffix == GLOBAL):
                return None
            return _placed(url, suffix, *found)
    for suffix, read in _READERS.items():
        if url.host == suffix or url.host.endswith(f".{suffix}"):
            labels = url.host.removesuffix(suffix).split(".")[:-1]
            found = read(labels)
            if found is None:
                return None
            # At the first and the last of them names are an account's and a location's own.
            own = labels[len(found[0]) :] if suffix in {OTHERS[0], OTHERS[-1]} else []
            return _placed(url, ".".join((*own, suffix)), *found)
    return None


def below(url: Url, bucket: str, host: str, base: str = "") -> str | None:
    """What a URL asks of a bucket, as it was written; None where it is for another.

    Args:
        url: which; its scheme and port have been compared.
        bucket: its name.
        host: of the server: then the bucket is in the path; with the bucket before it, in the host.
        base: what the server's own address has for a path, without a slash at its end.
    """
    path = url.target.partition("?")[0]
    if url.host == host:
        base = f"{base}/{bucket}"
    elif url.host != f"{bucket}.{host}":
        return None
    rest = path.removeprefix(base)
    if len(rest) + len(base) != len(path) or (rest and not rest.startswith("/")):
        return None
    return rest or "/"


def _placed(url: Url, system: str, labels: list[str], region: str) -> Place | None:
    path = url.target.partition("?")[0]
    bucket = ".".join(labels)
    if not labels:
        bucket, _, rest = path[1:].partition("/")
        path = f"/{rest}"
    return Place(bucket, path, region, system) if _BUCKET.issuperset(bucket) else None


def _aws(labels: list[str]) -> tuple[list[str], str] | None:
    *rest, last = labels
    if last == "s3" or (last == "s3-accelerate" and rest):
        return rest, ""
    if last == "dualstack" and rest[-1:] == ["s3-accelerate"] and rest[1:]:
        return rest[:-1], ""
    if last == "s3-external-1":
        return rest, DEFAULT
    for begin in ("s3-fips-", "s3-"):
        if last.startswith(begin) and _is_region(last.removeprefix(begin)):
            return rest, last.removeprefix(begin)
    if rest[-1:] == ["dualstack"]:
        rest.pop()
    return (rest[:-1], last) if rest and rest[-1] in _SERVICES and _is_region(last) else None


def _r2(labels: list[str]) -> tuple[list[str], str] | None:
    if labels and labels[-1] in _JURISDICTIONS:
        labels = labels[:-1]
    is_account = bool(labels) and len(labels[-1]) == _ACCOUNT and _HEX.issuperset(labels[-1])
    return (labels[:-1], AUTO) if is_account else None


def _of_region(labels: list[str]) -> tuple[list[str], str] | None:
    if labels[-2:-1] == ["s3"] and _is_region(labels[-1]):
        return labels[:-2], labels[-1]
    return None


def _wasabi(labels: list[str]) -> tuple[list[str], str] | None:
    return (labels[:-1], DEFAULT) if labels[-1:] == ["s3"] else _of_region(labels)


def _google(labels: list[str]) -> tuple[list[str], str]:
    return labels, AUTO


def _hetzner(labels: list[str]) -> tuple[list[str], str] | None:
    location = labels[-1] if labels else ""
    is_one = len(location) == len("fsn1") and location[:3].isalpha() and location[3].isdecimal()
    return (labels[:-1], location) if is_one else None


_READERS: dict[str, Read] = dict(
    zip(OTHERS, (_r2, _wasabi, _of_region, _google, _hetzner), strict=True)
)


def _is_region(text: str) -> bool:
    """Whether it is a region's name, as ``us-gov-west-1``: not what else begins with ``s3-``."""
    first, *words = text.split("-")
    return (
        len(words) in {2, 3}
        and len("us") <= len(first) <= len("eusc")
        and first.isalpha()
        and all(word.isalpha() for word in words[:-1])
        and words[-1].isdecimal()
    )
