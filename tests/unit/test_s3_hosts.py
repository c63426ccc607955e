"""Which hosts are S3's, which bucket and region they name, and which only look so."""

from __future__ import annotations

import random

import pytest

from credlatch import s3_hosts
from credlatch import url as urls
from credlatch.errors import RequestError

ACCOUNT = "0123456789abcdef" * 2

ROWS = {
    # AWS: in the path, in the host, dual-stack, FIPS, China, other partitions, access points.
    "s3.eu-west-1.amazonaws.com/b/k/x": ("b", "/k/x", "eu-west-1"),
    "b.s3.eu-west-1.amazonaws.com/k": ("b", "/k", "eu-west-1"),
    "b.with.dots.s3.eu-west-1.amazonaws.com/k": ("b.with.dots", "/k", "eu-west-1"),
    "s3.us-west-2.s3.us-east-1.amazonaws.com/k": ("s3.us-west-2", "/k", "us-east-1"),
    "b.s3-eu-west-1.amazonaws.com/k": ("b", "/k", "eu-west-1"),
    "s3-ap-southeast-2.amazonaws.com/b/k": ("b", "/k", "ap-southeast-2"),
    "b.s3.dualstack.eu-west-1.amazonaws.com/k": ("b", "/k", "eu-west-1"),
    "s3.dualstack.us-gov-west-1.amazonaws.com/b/": ("b", "/", "us-gov-west-1"),
    "b.s3-fips.us-east-2.amazonaws.com/k": ("b", "/k", "us-east-2"),
    "s3-fips.dualstack.us-east-2.amazonaws.com/b": ("b", "/", "us-east-2"),
    "s3-fips-us-gov-west-1.amazonaws.com/b/k": ("b", "/k", "us-gov-west-1"),
    "b.s3.cn-north-1.amazonaws.com.cn/k": ("b", "/k", "cn-north-1"),
    "s3.dualstack.cn-northwest-1.amazonaws.com.cn/b/k": ("b", "/k", "cn-northwest-1"),
    "b.s3.eusc-de-east-1.amazonaws.eu/k": ("b", "/k", "eusc-de-east-1"),
    "b.s3.us-iso-east-1.c2s.ic.gov/k": ("b", "/k", "us-iso-east-1"),
    "a-1234.s3-accesspoint.eu-west-1.amazonaws.com/k": ("a-1234", "/k", "eu-west-1"),
    "s3-external-1.amazonaws.com/b/k": ("b", "/k", "us-east-1"),
    # Its global endpoints name no region.
    "s3.amazonaws.com/b/k": ("b", "/k", ""),
    "b.s3.amazonaws.com/k?versionId=1": ("b", "/k", ""),
    "us-west-2.s3.amazonaws.com/k": ("us-west-2", "/k", ""),
    "b.s3-accelerate.amazonaws.com/k": ("b", "/k", ""),
    "b.s3-accelerate.dualstack.amazonaws.com/k": ("b", "/k", ""),
    # Others.
    f"{ACCOUNT}.r2.cloudflarestorage.com/b/k": ("b", "/k", "auto"),
    f"b.{ACCOUNT}.r2.cloudflarestorage.com/k": ("b", "/k", "auto"),
    f"b.{ACCOUNT}.eu.r2.cloudflarestorage.com/k": ("b", "/k", "auto"),
    f"{ACCOUNT}.fedramp.r2.cloudflarestorage.com/b/k": ("b", "/k", "auto"),
    "s3.eu-central-2.wasabisys.com/b/k": ("b", "/k", "eu-central-2"),
    "b.s3.wasabisys.com/k": ("b", "/k", "us-east-1"),
    "b.s3.us-west-004.backblazeb2.com/k": ("b", "/k", "us-west-004"),
    "storage.googleapis.com/b/k": ("b", "/k", "auto"),
    "b.with.dots.storage.googleapis.com/k": ("b.with.dots", "/k", "auto"),
    "b.fsn1.your-objectstorage.com/k": ("b", "/k", "fsn1"),
    "hel1.your-objectstorage.com/b/k": ("b", "/k", "hel1"),
    # What is written is what is sent: dots and slashes are the key's.
    "s3.eu-west-1.amazonaws.com/b/./x//y/../z": ("b", "/./x//y/../z", "eu-west-1"),
    "s3.eu-west-1.amazonaws.com/a/../b/k": ("a", "/../b/k", "eu-west-1"),
    "s3.eu-west-1.amazonaws.com/": ("", "/", "eu-west-1"),
    "s3.eu-west-1.amazonaws.com//b": ("", "/b", "eu-west-1"),
}


@pytest.mark.parametrize("url", ROWS)
def test_bucket_key_and_region_of_a_host(url: str) -> None:
    place = s3_hosts.place(urls.parse(f"https://{url}"))
    assert place is not None
    assert (place.bucket, place.path, place.region) == ROWS[url]
    assert place.is_aws == (".amazonaws." in url or ".ic.gov" in url)


@pytest.mark.parametrize(
    "url",
    [
        "http://b.s3.eu-west-1.amazonaws.com/k",
        "https://b.s3.eu-west-1.amazonaws.com:8443/k",
        "https://b.s3.eu-west-1.amazonaws.com.evil.example/k",
        "https://evilamazonaws.com/b/k",
        "https://s3.eu-west-1.evilamazonaws.com/b/k",
        "https://amazonaws.com/b/k",
        "https://b.s3.eu-west-1@evil.example/k",
        "https://s3.eu-west-1.amazonaws.com@evil.example/b/k",
        "https://b.s3-website-us-east-1.amazonaws.com/k",
        "https://b.s3-website.eu-central-1.amazonaws.com/k",
        "https://x.s3express-use1-az4.us-east-1.amazonaws.com/k",
        "https://a.s3-object-lambda.eu-west-1.amazonaws.com/k",
        "https://1.s3-control.eu-west-1.amazonaws.com/k",
        "https://sts.eu-west-1.amazonaws.com/",
        "https://api.ecr.eu-west-1.amazonaws.com/",
        "https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/",
        "https://s3.evil.amazonaws.com/b/k",
        "https://dualstack.eu-west-1.amazonaws.com/b/k",
        "https://xs3.eu-west-1.amazonaws.com/b/k",
        "https://b.s3.amazonaws.com.cn/k",
        "https://s3-accelerate.amazonaws.com/b/k",
        "https://b.notanaccount.r2.cloudflarestorage.com/k",
        f"https://{ACCOUNT}.mars.r2.cloudflarestorage.com/b/k",
        "https://wasabisys.com/b/k",
        "https://console.wasabisys.com/b/k",
        "https://f004.backblazeb2.com/file/b/k",
        "https://www.googleapis.com/b/k",
        "https://evilstorage.googleapis.com/b/k",
        "https://your-objectstorage.com/b/k",
        "https://www.your-objectstorage.com/b/k",
        "https://s3.eu-west-1.amazonaws.com/B%62/k",
        "s3://b/k",
    ],
)
def test_what_only_looks_so_is_nobody_s(url: str) -> None:
    assert s3_hosts.place(urls.parse(url)) is None


def test_a_thousand_look_alikes_are_nobody_s() -> None:
    made_up = random.Random(11)  # noqa: S311 - cases, the same each time
    tried = 0
    while tried < 1000:
        host = made_up.choice(list(ROWS)).partition("/")[0]
        at = made_up.randrange(len(host))
        letters = made_up.choice(["x", "-", "evil", "0", "xn--"])
        url = made_up.choice(
            [
                f"https://{host}.evil.example/b/k",
                f"https://{host}.evil{host}/b/k".replace(f".evil{host}", f"{letters}.example"),
                f"https://{host}@evil.example/b/k",
                f"https://user:{host}@evil.example/b/k",
                f"https://evil.example/{host}/b/k",
                f"https://evil.example?{host}/b/k",
                f"https://{host}:{made_up.randint(1, 442)}/b/k",
                f"http://{host}/b/k",
                f"https://{host.replace('.', '-')}/b/k",
                f"https://{'.'.join(host.split('.')[-2:])[: at or 1]}.example/b/k",
                f"https://{host.removesuffix('.com').removesuffix('.cn')}.co/b/k",
            ]
        )
        try:
            parsed = urls.parse(url)
        except RequestError:
            continue
        tried += 1
        assert s3_hosts.place(parsed) is None, url
