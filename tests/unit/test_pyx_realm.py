"""pyx's tokens go to pyx and to nobody else; uv's own rule has sent them further."""

from __future__ import annotations

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.stores.pyx_realm import PyxRealm

OWNED = [
    "https://api.pyx.dev/simple/acme/main/", "https://api.pyx.dev:443/", "https://pyx.dev/",
    "https://api-static.pyx.dev/", "https://astralhosted.com/", "https://files.astralhosted.com/x",
    "https://files-static.astralhosted.com/x", "https://views-static.astralhosted.com/x",
    "https://a.b.astralhosted.com/x", "https://API.PYX.DEV./",
]  # fmt: skip

# The first three are what uv 0.12.6 was seen to send the token to.
NOT_OWNED = [
    "http://pyx.dev/", "https://api.pyx.dev:8443/", "https://dev/", "http://api.pyx.dev/",
    "https://www.pyx.dev/", "https://evil.pyx.dev/", "https://evilpyx.dev/",
    "https://api.pyx.dev.evil.example/", "https://pyx.dev:8443/", "https://com/",
    "https://evilastralhosted.com/", "http://files.astralhosted.com/",
    "https://files.astralhosted.com:8443/", "https://astralhosted.com.evil.example/",
    "https://index.example/", "https://astral.sh/", "https://*.pyx.dev/", "s3://api.pyx.dev/",
]  # fmt: skip


def owns(url: str, **variables: str) -> bool:
    return PyxRealm(Caller(variables, "/")).owns(urls.parse(url))


@pytest.mark.parametrize("url", OWNED)
def test_what_belongs_to_pyx(url: str) -> None:
    assert owns(url)


@pytest.mark.parametrize("url", NOT_OWNED)
def test_what_does_not_belong_to_pyx(url: str) -> None:
    assert not owns(url)


def test_an_api_of_one_s_own_owns_its_origin_and_nothing_of_astral_s() -> None:
    api = "http://127.0.0.1:18765/base"
    assert owns("http://127.0.0.1:18765/other", PYX_API_URL=api)
    assert [url for url in [*OWNED, "http://127.0.0.1:18766/"] if owns(url, PYX_API_URL=api)] == []


def test_an_api_over_plain_http_is_not_the_official_one() -> None:
    api = "http://api.pyx.dev/"
    assert [url for url in OWNED if owns(url, PYX_API_URL=api)] == []


def test_a_cdn_of_one_s_own_takes_the_place_of_astral_s() -> None:
    mine = {"PYX_API_URL": "https://pyx.corp.example/", "PYX_CDN_DOMAIN": "CDN.corp.example"}
    assert owns("https://cdn.corp.example/x", **mine)
    assert owns("https://a.cdn.corp.example/x", **mine)
    assert not owns("http://cdn.corp.example/x", **mine)
    assert not owns("https://evilcdn.corp.example/x", **mine)
    assert not owns("https://corp.example/x", **mine)
    assert not owns("https://files.astralhosted.com/", PYX_CDN_DOMAIN="cdn.corp.example")


@pytest.mark.parametrize("domain", [".", ".com", "*", "*.com", " "])
def test_a_cdn_that_is_no_domain_of_anybody_s_own_is_not_taken(domain: str) -> None:
    assert not owns("https://evil.com/", PYX_CDN_DOMAIN=domain)
    assert not owns("https://evil.example/", PYX_CDN_DOMAIN=domain)


@pytest.mark.parametrize(
    "url", ["ftp://api.pyx.dev/", "/api", "https://a b/", "https://127.1/", "pyx.dev"]
)
def test_an_api_that_is_no_url_is_an_error_that_names_the_variable(url: str) -> None:
    with pytest.raises(StoreError, match="PYX_API_URL"):
        PyxRealm(Caller({"PYX_API_URL": url}, "/"))


def test_an_empty_variable_counts_as_unset() -> None:
    assert owns("https://api.pyx.dev/", PYX_API_URL="", PYX_CDN_DOMAIN="")
