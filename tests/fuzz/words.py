"""What a person, a setting or a variable names: places, secrets, patterns."""

from __future__ import annotations

import os

from credlatch import request as requests
from credlatch import url as urls
from credlatch.agent import asked
from credlatch.errors import RequestError, UsageError
from credlatch.rules import places
from credlatch.secrets import wanted
from credlatch.setup.formats.git_urls import Pattern
from fuzz.target import MARK, SPLIT, of_text, target, told

_URL = (
    "https:// http:// h.example *.example *.h.example a.h.example /a /a/ /a/b /.. /. %2e%2e %2F "
    "%61 // : :443 :8443 @ bob@ ? # docker.io index.docker.io [::1] * é ␟"
)


@target(
    "rule_places",
    _URL,
    [
        f"https://h.example/a{SPLIT}https://h.example/a/b?c",
        f"https://*.example/{SPLIT}https://a.h.example:443/x/../y",
        f"https://docker.io{SPLIT}https://registry-1.docker.io/v2/a",
    ],
)
@of_text
def _rule_places(text: str) -> None:
    """A rule holds for whatever is at or below its place, however the URL is written."""
    ruled, _, asked_for = text.partition(SPLIT)
    try:
        place = places.parse(ruled)
    except ValueError as error:
        told(error)
        return
    assert place.covers(place)
    assert not place.is_within(place)
    try:
        url = urls.parse(asked_for)
    except RequestError:
        return
    there = places.of_request(requests.for_url(url))
    assert there is not None
    if urls.parse(ruled).covers(url):
        assert place.covers(there), (ruled, url)
    if place.covers(there):
        assert there.origin[1].endswith(place.origin[1].removeprefix("*"))
        assert not there.is_within(place) or place.covers(there)


@target(
    "git_patterns",
    _URL,
    [f"https://*.example{SPLIT}https://h.example/a", f"{SPLIT}https://bob@h.example:8443/a/b"],
)
@of_text
def _git_patterns(text: str) -> None:
    """What is covered is covered in part; nothing but a star in a label's place stands for more."""
    one, _, other = (part for part in text.partition(SPLIT))
    ours, theirs = Pattern(one), Pattern(other)
    assert ours.covers(ours)
    if ours.covers(theirs):
        assert ours.covers(theirs, in_part=True)
        assert not ours.labels or len(ours.labels) == len(theirs.labels)
    if ours.covers(theirs) and theirs.covers(ours) and "*" not in text:
        assert (ours.labels, ours.path) == (theirs.labels, theirs.path)
        assert ours.port == theirs.port or not ours.labels  # which means nothing without a host


@target(
    "secrets_wanted",
    _URL + " id= url= as= index= , token netrc uv.env -- - _ A 0 ␀ ␊ ␣ \\",
    ["id=t,url=https://h.example/simple/,as=netrc", "h.example:8443", "id=A,url=https://h.example"],
)
@of_text
def _secrets_wanted(text: str) -> None:
    """What is wanted has a name that a file or a variable can have, and no other."""
    for read in (wanted.secret, wanted.variable, wanted.for_http, wanted.for_git):
        try:
            found = read(text)
        except UsageError as error:
            told(error)
            continue
        assert found.id
        assert os.path.basename(found.id) == found.id
        assert not found.id.startswith(".")
        assert found.id.isprintable()
        assert found.url.scheme in {"https", "http"}


@target(
    "agent_asked",
    "0 1 9 . e inf nan - ␣ 111 99999999999999999999 \u0661 no␣answer",
    ["12.5 111", "1e9 it is another user's"],
)
@of_text
def _agent_asked(text: str) -> None:
    """What the launcher has learnt, or whoever has set its variable."""
    os.environ[asked.ASKED] = text.replace("\0", "")
    began, warning = asked.take()
    assert asked.ASKED not in os.environ
    assert began is None or isinstance(began, float)
    assert warning is None or MARK not in warning
