"""Our keyring command beside Python's own, over the same items of a real keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.python_keyring import keyring, set_password

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program

pytestmark = pytest.mark.usefixtures("secret_service")

URL = "https://pypi.example/simple/"
PORT = "pypi.example:8443"
JSON = ("--output", "json")


@pytest.mark.parametrize(
    "args",
    [
        ("get", "pypi.example", "bob"),
        ("get", PORT, "alice"),
        ("get", URL, "--mode", "creds"),
        ("--mode=creds", "get", URL, "bob"),
        ("--mode=creds", "get", URL, "alice"),
        ("--mode=creds", "--output=json", "get", PORT),
        ("--mode", "creds", *JSON, "get", URL, "bob"),
        (*JSON, "get", PORT, "bob"),
        ("get", "other.example", "bob"),
        ("--mode=creds", "get", "other.example"),
    ],
)
def test_answers_and_exit_statuses_are_the_same(
    home: Home, frozen: Program, args: tuple[str, ...]
) -> None:
    for service in {URL, "pypi.example", PORT} & set(args):
        set_password(home, service, "bob", "p: ä\\w")
    ours, theirs = frozen.called("keyring")(*args), keyring(home, *args)
    assert (ours.code, ours.out) == (theirs.code, theirs.out)
    assert theirs.err == ""
    # Ours says what nearly was the answer, in one line, where another program may only be silent.
    near = "alice" in args
    assert ("is bob's, the URL names alice" in ours.err, ours.err.count("\n")) == (near, int(near))
    assert (ours.code == 0) == ("other.example" not in args and "alice" not in args)


@pytest.mark.parametrize(
    "args",
    [
        ["get"],
        ["get", URL],
        ["--mode=creds", "get"],
        ["put", URL, "bob"],
        ["get", URL, "bob", "more"],
        ["--mode=all", "get", URL, "bob"],
        ["--output=yaml", "get", URL, "bob"],
        ["--unknown", "get", URL, "bob"],
        [],
    ],
)
def test_wrong_usage_has_the_same_exit_status(home: Home, frozen: Program, args: list[str]) -> None:
    ours, theirs = frozen.called("keyring")(*args), keyring(home, *args)
    assert (ours.code, ours.out) == (theirs.code, theirs.out) == (2, b"")


def test_a_password_that_ours_keeps_is_found_by_ours_and_pixi_s_alone(
    home: Home, frozen: Program
) -> None:
    ours = frozen.called("keyring")
    assert ours("set", "pypi.example", "bob", stdin=b"pw\n").code == 0
    assert ours("get", URL, "bob").out == b"pw\n"
    assert keyring(home, "get", "pypi.example", "bob").code == 1
    item = keyring(home, "get", "rattler", "pypi.example")
    assert item.out == b'{"BasicHTTP":{"username":"bob","password":"pw"}}\n'
    assert ours("del", "pypi.example", "bob").code == 0
    assert keyring(home, "get", "rattler", "pypi.example").code == 1


def test_a_password_that_python_s_keeps_is_not_ours_to_delete(home: Home, frozen: Program) -> None:
    set_password(home, "pypi.example", "bob", "pw")
    answer = frozen.called("keyring")("del", "pypi.example", "bob")
    assert (answer.code, answer.out) == (1, b"")
    assert "no login of bob is kept" in answer.err
    assert keyring(home, "get", "pypi.example", "bob").out == b"pw\n"
