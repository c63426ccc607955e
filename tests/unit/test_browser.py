"""A person's browser, as their environment names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.people import browser
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home

URL = "https://sso.example/auth?a=1&b=%s"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("{}", "{url}"),
        ("'{}' --new", "--new {url}"),
        ("'{}' -u %s -q &", "-u {url} -q"),
        ("no-such-browser:'un closed:'{}' x", "x {url}"),
    ],
)
def test_a_browser_is_started_with_the_url(home: Home, named: str, told: str) -> None:
    script = f"#!/bin/sh\nprintf %s \"$*\" > '{home.path}/told'\n"
    path = home.write("my bin/a browser", script, mode=0o755)
    home.env["BROWSER"] = named.format(path)
    assert browser.opened(URL, caller_of(home))
    assert (home.path / "told").read_text() == told.format(url=URL)


@pytest.mark.parametrize("named", ["no-such-browser", "relative/browser", "'", "false"])
def test_what_cannot_be_started_is_no_browser(home: Home, named: str) -> None:
    home.env["BROWSER"] = named
    assert not browser.opened(URL, caller_of(home))
