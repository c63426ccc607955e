"""Hosts that look like a system's get nothing: a thousand for each row of the table."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import CredlatchError, RequestError
from credlatch.identities import table
from credlatch.protocols import bazel
from credlatch.renew import exchange
from credlatch.resolve import Resolver
from credlatch.stores.order import IDENTITY, ORDER
from support import lookalikes

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.home import Home

SYSTEMS = {each.name: each for each in table.SYSTEMS if each.hosts}
HOSTLESS = [each.name for each in table.SYSTEMS if not each.hosts]
IDENTITIES = tuple(row for row in ORDER if row[0] == IDENTITY)


def claims(name: str, url: urls.Url) -> bool:
    system = __import__(f"credlatch.identities.{name}", fromlist=["claims"])
    return bool(system.claims(url))


def made(name: str) -> list[str]:
    examples = lookalikes.claimed(SYSTEMS[name], lambda url: claims(name, url))
    return lookalikes.of(SYSTEMS[name], examples, SYSTEMS.values())


@pytest.fixture
def caller(home: Home, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Caller:
    """Somebody who has an identity of every kind, and nobody may send anything for it."""

    def sent(*_: object) -> None:
        raise AssertionError("something is fetched")

    monkeypatch.setattr(exchange, "exchange", sent)
    url = request.node.callspec.params.get("url")
    identities = lookalikes.identities(home, public=url not in lookalikes.NAMED)
    return Caller({**home.env, **identities}, str(home.path))


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_claims_no_host_that_only_looks_like_its_own(name: str) -> None:
    wrong = []
    for text in made(name):
        try:
            url = urls.parse(text)
        except RequestError:
            continue
        if claims(name, url):
            wrong.append(text)
    assert wrong == []


def answered(texts: list[str], caller: Caller) -> list[str]:
    """Which of them are given something, or tried to be."""
    wrong = []
    for text in texts:
        try:
            request = bazel.parse(json.dumps({"uri": text}).encode())
        except RequestError:
            continue
        try:
            found = Resolver(caller, IDENTITIES).resolve(request)
        except CredlatchError as failure:
            wrong.append(f"{text}: {failure}")
            continue
        if found is not None:
            wrong.append(f"{text}: {found.location}")
    return wrong + [each for each in caller.warnings if "can be read by other" not in each]


@pytest.mark.parametrize("name", SYSTEMS)
def test_who_asks_for_a_host_that_only_looks_like_a_system_s_gets_nothing(
    name: str, caller: Caller
) -> None:
    assert answered(made(name), caller) == []


@pytest.mark.parametrize("url", lookalikes.NAMED)
def test_nor_for_one_that_only_looks_like_a_server_that_variables_name(
    url: str, caller: Caller
) -> None:
    assert answered(lookalikes.of_host(url), caller) == []


@pytest.mark.parametrize("url", [*lookalikes.CLAIMED, *lookalikes.NAMED])
def test_who_asks_for_what_they_are_made_of_has_an_identity(url: str, caller: Caller) -> None:
    """Else nobody would be given anything anywhere."""
    asked = requests.for_url(urls.parse(url))
    assert Resolver(caller, IDENTITIES).standing(asked) is not None


@pytest.mark.parametrize("name", SYSTEMS)
def test_look_alikes_are_made_of_what_a_system_claims(name: str) -> None:
    """A row without such a URL: one belongs into CLAIMED, for what is made of it to be alike."""
    assert any(claims(name, urls.parse(each)) for each in lookalikes.CLAIMED)


@pytest.mark.parametrize("name", HOSTLESS)
def test_a_row_without_hosts_is_asked_where_one_is_named_and_claims_nothing_itself(
    name: str,
) -> None:
    (row,) = [each for each in table.SYSTEMS if each.name == name]
    assert row.opt_in or row.variables
    assert not any(claims(name, urls.parse(each)) for each in lookalikes.CLAIMED)


# What others have got wrong, each in its own way.
CARELESS: dict[str, Callable[[urls.Url], bool]] = {
    "an end without its dot": lambda url: url.host.endswith("pkg.dev"),
    "a beginning": lambda url: url.host.startswith("europe-docker.pkg.dev"),
    "a part": lambda url: "pkg.dev" in url.host,
    "a dot that is any letter": lambda url: re.search(r"(^|\.)pkg.dev$", url.host) is not None,
    "any scheme": lambda url: f".{url.host}".endswith(".pkg.dev") and url.default_port,
    "any port": lambda url: f".{url.host}".endswith(".pkg.dev") and url.scheme == "https",
    "any text": lambda url: "pkg.dev" in url.text,
    "a pattern of hosts": lambda url: url.origin[2] == 443 and url.text.find(".pkg.dev/") > 0,
}


@pytest.mark.parametrize("careless", CARELESS.values(), ids=CARELESS)
def test_a_careless_system_is_noticed(careless: Callable[[urls.Url], bool]) -> None:
    texts = lookalikes.of(table.System("pkg", "pkg.dev"), ["https://europe-docker.pkg.dev/v2/a"])
    assert len(set(texts)) == len(texts) == lookalikes.COUNT
    noticed = 0
    for text in texts:
        with contextlib.suppress(RequestError):
            noticed += careless(urls.parse(text))
    assert noticed > 0
