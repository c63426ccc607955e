"""Whose index gets its host's logins from cargo: an index says where the token is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import answers, clients
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home

INDEX = "sparse+https://host.example/a/index/"
NOT_FOUND = {"Err": {"kind": "not-found"}}
HOSTS_OWN = {"host.example": {"BearerToken": "of the host"}}


@pytest.fixture
def home(home: Home) -> Home:
    home.write_rattler(HOSTS_OWN)
    return home


def asked(home: Home, index: str = INDEX) -> tuple[Any, str]:
    """What cargo is answered, and what a person is told."""
    line = json.dumps({"v": 1, "registry": {"index-url": index}, "kind": "get"}).encode()
    answer = answers.get(clients.CLIENTS["cargo"], line, caller_of(home))
    assert answer.status == 0
    return json.loads(answer.out), answer.err.decode()


def is_served(home: Home, index: str = INDEX) -> bool:
    said, _ = asked(home, index)
    assert said == NOT_FOUND or said["Ok"]["token"] == "Bearer of the host"
    return bool(said != NOT_FOUND)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.toml", f'registries.team.index = "{INDEX}"'),
        ("config", f'[registries.team]\nindex = "{INDEX}"'),
        ("config.toml", f'[source.mirror]\nregistry = "{INDEX}"'),
        ("config.toml", '[registries.x]\nindex = "sparse+HTTPS://Host.example:443/a/index"'),
    ],
)
def test_an_index_of_the_user_s_own_configuration_gets_its_host_s_logins(
    home: Home, file: str, text: str
) -> None:
    home.write(f".cargo/{file}", text).chmod(0o644)
    assert is_served(home)
    assert asked(home)[1] == ""
    home.write(f"elsewhere/{file}", "")
    home.env["CARGO_HOME"] = str(home.path / "elsewhere")
    assert not is_served(home)
    home.write(f"elsewhere/{file}", text)
    assert is_served(home)


def test_an_index_of_the_environment_gets_them_too(home: Home) -> None:
    assert not is_served(home)
    home.env["CARGO_REGISTRIES_MY_TEAM_INDEX"] = INDEX
    assert is_served(home)


@pytest.mark.parametrize(
    "index",
    [
        "sparse+https://host.example/someone/index/", "sparse+https://host.example/",
        "sparse+https://host.example/a/index/../../someone/",
        "sparse+https://host.example/a/index/x", "sparse+https://host.example:8443/a/index/",
        "sparse+https://host.example./a/index/x", "sparse+https://other.host.example/a/index/",
        "sparse+https://ada@host.example/someone/", "sparse+https://host.example/a/index%2F",
        "https://host.example/a/index/",
    ],
)  # fmt: skip
def test_an_index_that_only_a_project_names_gets_none(home: Home, index: str) -> None:
    home.write(".cargo/config.toml", f'[registries.team]\nindex = "{INDEX}"')
    home.write("project/.cargo/config.toml", f'[registries.other]\nindex = "{index}"')
    assert not is_served(home, index)


def test_a_person_is_told_what_would_help_where_there_is_a_login(home: Home) -> None:
    said, told = asked(home)
    assert said == NOT_FOUND
    assert f"the login for host.example is not given to the index {INDEX}, which no" in told
    assert f"name it in {home.path}/.cargo/config.toml" in told
    assert asked(home, "sparse+https://nobody.example/") == (NOT_FOUND, "")


def test_the_index_s_own_token_goes_to_it_wherever_it_is_named(home: Home) -> None:
    home.write_rattler({**HOSTS_OWN, f"cargo:{INDEX}": {"CondaToken": "its own"}})
    said, told = asked(home)
    assert (said["Ok"]["token"], told) == ("its own", "")


@pytest.mark.parametrize(
    "text",
    [
        "[registries.team\n",
        "registries = 1",
        "registries.team = 1",
        "registries.team.index = 1",
        'registries.team.index = "sparse+nonsense"',
    ],
)
def test_a_configuration_that_says_nothing_names_none(home: Home, text: str) -> None:
    home.write(".cargo/config.toml", text)
    assert not is_served(home)
