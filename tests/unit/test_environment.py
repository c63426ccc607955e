"""Credentials in the environment: each host has a name of its own."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import RequestError, StoreError
from credlatch.stores.environment import EnvironmentStore, suffix
from support import found
from support.found import sure
from support.matching import basic
from support.stores_contract import SECRET, PortContract

if TYPE_CHECKING:
    from support.home import Home


class TestContract(PortContract):
    HEADER = ("Authorization", f"Bearer {SECRET}")

    def store(self, caller: Caller) -> EnvironmentStore:
        return EnvironmentStore(caller)

    def write(self, home: Home) -> None:
        home.env["CREDLATCH_TOKEN_HOST_EXAMPLE"] = SECRET


def header(url: str, **variables: str) -> str | None:
    return found.header(EnvironmentStore(Caller(variables, "/")).find(urls.parse(url)))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://pypi.example.com/", "PYPI_EXAMPLE_COM"),
        ("https://pypi.example.com:443/", "PYPI_EXAMPLE_COM"),
        ("https://my-host.lan:8443/", "MY__HOST_LAN_8443"),
        ("https://europe-docker.pkg.dev/", "EUROPE__DOCKER_PKG_DEV"),
        ("https://a--b.example/", "A____B_EXAMPLE"),
        ("https://bücher.example/", "XN____BCHER__KVA_EXAMPLE"),
        ("https://localhost/", "LOCALHOST"),
        ("http://localhost:8080/", "LOCALHOST_8080"),
        ("http://localhost:80/", "LOCALHOST"),
        ("https://localhost:80/", "LOCALHOST_80"),
        ("http://127.0.0.1:5000/", "127_0_0_1_5000"),
        ("https://127.0.0.1/", "127_0_0_1"),
        ("https://[::1]/", None),
        ("https://*.googleapis.com/", None),
        ("https://a_b.example/", None),
        ("https://-a.example/", None),
        ("https://a-.example/", None),
        ("s3://bucket/", None),
    ],
)
def test_the_name_of_a_host(url: str, name: str | None) -> None:
    assert suffix(urls.parse(url)) == name


def label(dice: random.Random) -> str:
    letters = "ab0-"
    return "".join(dice.choice(letters) for _ in range(dice.randrange(1, 5)))


def test_no_two_hosts_share_a_name() -> None:
    dice = random.Random(20_261_121)  # noqa: S311 - the same hosts each time
    owners: dict[str, tuple[str, int]] = {}
    for _ in range(60_000):
        host = ".".join(label(dice) for _ in range(dice.randrange(1, 5)))
        port = dice.choice(["", "", ":0", ":1", ":5000", ":80"])
        try:
            url = urls.parse(f"https://{host}{port}/")
        except RequestError:
            continue
        name = suffix(url)
        if name is not None:
            assert re.fullmatch(r"[A-Z0-9_]+", name)
            assert owners.setdefault(name, (url.host, url.port)) == (url.host, url.port), name
    assert len(owners) > 5_000


TOKEN = {"CREDLATCH_TOKEN_A_EXAMPLE": " t\r\n"}  # with the newline that CI leaves at the end
USER = {"CREDLATCH_USERNAME_A_EXAMPLE": "u"}
PASSWORD = {"CREDLATCH_PASSWORD_A_EXAMPLE": "p:ä"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (TOKEN, "Bearer t"),
        ({**USER, **PASSWORD}, basic("u", "p:ä")),
        ({**TOKEN, **USER, **PASSWORD}, "Bearer t"),
        (USER, None),
    ],
    ids=["token", "login", "token and login", "half a login"],
)
def test_a_token_is_a_bearer_token_and_comes_before_a_login(
    variables: dict[str, str], expected: str | None
) -> None:
    assert header("https://a.example/x", **variables) == expected


def test_a_password_alone_is_an_error_that_names_the_other_half() -> None:
    with pytest.raises(StoreError, match="CREDLATCH_USERNAME_A_EXAMPLE") as raised:
        header("https://a.example/", CREDLATCH_PASSWORD_A_EXAMPLE="hunter2")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("value", ["", " ", "\n", "\r\n"])
def test_a_value_of_nothing_counts_as_unset(value: str) -> None:
    assert header("https://a.example/", CREDLATCH_TOKEN_A_EXAMPLE=value) is None
    assert header("https://api.pyx.dev/", PYX_AUTH_TOKEN=value, UV_AUTH_TOKEN="t") == "Bearer t"


def test_the_variable_is_named_where_it_came_from() -> None:
    caller = Caller({"CREDLATCH_TOKEN_A_EXAMPLE": "t", "PYX_API_URL": "not a url"}, "/")
    entry = sure(EnvironmentStore(caller).find(urls.parse("https://a.example/")))
    assert entry.location == "the variable CREDLATCH_TOKEN_A_EXAMPLE"


def test_pyx_s_token_goes_to_pyx_verbatim_and_nowhere_else() -> None:
    assert header("https://api.pyx.dev/simple/", PYX_AUTH_TOKEN="t") == "Bearer t"
    assert header("https://files.astralhosted.com/x", UV_AUTH_TOKEN="t") == "Bearer t"
    both = {"PYX_AUTH_TOKEN": "pyx", "UV_AUTH_TOKEN": "uv"}
    assert header("https://api.pyx.dev/", **both) == "Bearer pyx"
    # A host's own variable comes before pyx's.
    assert header("https://api.pyx.dev/", CREDLATCH_TOKEN_API_PYX_DEV="a", **both) == "Bearer a"
    assert header("https://index.example/", PYX_AUTH_TOKEN="t") is None
    assert header("http://pyx.dev/", PYX_AUTH_TOKEN="t") is None
