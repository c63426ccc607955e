"""An environment that is not as it should be: a clear line, or a miss, and no secret in either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Answer, Program
    from support.token_server import TokenServer

SECRET = "kept-from-everybody"
STORE = {"a.example": {"BearerToken": SECRET}}
LOGIN = {"ServerURL": "r.example", "Username": "bob", "Secret": "pw"}


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "nonsense"])
def test_a_keyring_that_is_announced_and_absent_is_warned_of(
    frozen: Program, home: Home, address: str
) -> None:
    home.write_rattler(STORE)
    home.env["DBUS_SESSION_BUS_ADDRESS"] = address
    answer = frozen.bazel("https://a.example/x")
    assert answer.authorization == f"Bearer {SECRET}"
    assert answer.err.count("\n") == 1
    assert "DBUS_SESSION_BUS_ADDRESS" in answer.err
    assert frozen.bazel("https://b.example/x").authorization is None
    assert frozen.docker("store", LOGIN).code == 0
    assert home.read_rattler().keys() == {"a.example", "r.example"}


def test_a_home_that_is_not_there_is_a_miss(frozen: Program, home: Home, tmp_path: Path) -> None:
    for name in list(home.env):
        if name.startswith("XDG_") or name == "HOME":
            home.env[name] = str(tmp_path / "gone")
    assert frozen("get", stdin=b'{"uri":"https://a.example/"}', cwd=tmp_path).authorization is None
    assert not (tmp_path / "gone").exists()


def failed_in_one_line(answer: Answer) -> bool:
    err = answer.err
    return (
        (answer.code, answer.out) == (1, b"")
        and err.count("\n") == 1
        and "internal error" not in err
        and SECRET not in err
    )


BAD_VALUES = ["\udcff", "é", "\x01", f"{SECRET}\r\nX-Injected: yes"]


@pytest.mark.parametrize("value", BAD_VALUES)
def test_a_token_in_the_environment_that_no_header_can_carry(
    frozen: Program, home: Home, value: str
) -> None:
    home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = value
    assert failed_in_one_line(frozen.bazel("https://a.example/"))


@pytest.mark.parametrize("value", BAD_VALUES)
def test_an_api_key_that_no_header_can_carry_is_not_sent(
    frozen: Program, home: Home, token_server: TokenServer, value: str
) -> None:
    home.env |= {"PYX_API_KEY": value, "PYX_API_URL": token_server.url}
    assert failed_in_one_line(frozen.bazel(f"{token_server.url}/simple/"))
    assert token_server.requests == []


@pytest.mark.parametrize("name", ["PYX_API_KEY", "PYX_AUTH_TOKEN", "CREDLATCH_TOKEN_127_0_0_1_9"])
def test_a_variable_of_white_space_is_none(frozen: Program, home: Home, name: str) -> None:
    home.env |= {name: " \n", "PYX_API_URL": "http://127.0.0.1:9/"}
    assert frozen.bazel("http://127.0.0.1:9/").authorization is None
