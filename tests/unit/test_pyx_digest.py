"""The digests by which uv named pyx's files, as uv 0.12.6 itself computed them."""

from __future__ import annotations

import pytest

from credlatch import url as urls
from credlatch.stores.pyx import canonical, digest

API = "https://api.pyx.dev/"
LOCAL = "http://127.0.0.1:18765"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (API, "3859a629b26fda96"),
        (f"{LOCAL}/", "f7a7ac4f92bc76db"),
        (f"{LOCAL}/base", "d36cc516f489c348"),
        ("abc", "c4e845bd20b98b60"),
        ("pyx-sk-test", "15ae9040b21bcc16"),
    ],
)
def test_the_digests_of_the_binary(text: str, expected: str) -> None:
    assert digest(text) == expected


@pytest.mark.parametrize("length", range(18))
def test_every_length_of_the_last_word_gives_its_own_digest(length: int) -> None:
    # Zero bytes at the end are told from none, because the length counts.
    digests = {digest("\0" * each) for each in range(length + 1)}
    assert len(digests) == length + 1
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in digests)


def test_a_text_is_hashed_as_utf_8() -> None:
    assert digest("ü") != digest("u")
    assert len(digest("ü漢😀")) == 16


@pytest.mark.parametrize(
    ("url", "hashed"),
    [
        ("https://api.pyx.dev", API),
        ("https://api.pyx.dev/", API),
        ("https://API.pyx.dev:443/", API),
        ("https://user:word@api.pyx.dev/", API),
        (f"{LOCAL}/base", f"{LOCAL}/base"),
        (f"{LOCAL}/base/", f"{LOCAL}/base"),
        (f"{LOCAL}/base?x=1", f"{LOCAL}/base?x=1"),
        (f"{LOCAL}/base/?x=1/", f"{LOCAL}/base?x=1/"),
        (f"{LOCAL}/?x=1", f"{LOCAL}/?x=1"),
        (f"{LOCAL}#x", f"{LOCAL}/"),
    ],
)
def test_an_api_is_hashed_by_its_canonical_url(url: str, hashed: str) -> None:
    assert canonical(urls.parse(url)) == hashed
