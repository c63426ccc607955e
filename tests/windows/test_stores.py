"""Where the Windows program looks: each tool's own place there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.logins import refusal
from support.matching import basic
from support.wine import Vault, windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.wine import Windows

LOGIN = basic("bob", "p")


def netrc(host: str) -> str:
    return f"machine {host}\r\nlogin bob\r\npassword p\r\n"


@pytest.mark.parametrize("name", ["_netrc", ".netrc"])
def test_netrc_by_either_name(folder: Windows, host: str, name: str) -> None:
    folder.home.write(name, netrc(host))
    assert folder.bazel(f"https://{host}/x").authorization == LOGIN


def test_netrc_in_another_place_and_switched_off(
    folder: Windows, host: str, tmp_path: Path
) -> None:
    folder.home.write("_netrc", netrc(f"other.{host}"))
    named = tmp_path / "päss wörds"
    named.write_text(netrc(host))
    folder.env["NETRC"] = windows_path(named)
    assert folder.bazel(f"https://{host}/x").authorization == LOGIN
    for off in ("NUL", "nul", "\\\\.\\NUL"):
        folder.env["NETRC"] = off
        nothing = folder.bazel(f"https://other.{host}/x")
        assert nothing.json() == {"headers": {}}
        assert nothing.err == ""


def test_rattler_s_file_in_another_place(folder: Windows, host: str) -> None:
    login = {"BasicHTTP": {"username": "bob", "password": "p"}}
    file = folder.home.write("elsewhere ü/auth.json", json.dumps({host: login}))
    folder.env["RATTLER_AUTH_FILE"] = windows_path(file)
    assert folder.bazel(f"https://{host}/x").authorization == LOGIN


def test_a_login_goes_to_the_file_that_is_named_and_nothing_else_in_it_is_lost(
    folder: Windows, host: str
) -> None:
    other = {"BearerToken": "kept"}
    file = folder.home.write("auth.json", json.dumps({"other.example": other}))
    folder.env["RATTLER_AUTH_FILE"] = windows_path(file)
    login = {"ServerURL": host, "Username": "bob", "Secret": "p" * 3000}
    assert folder.docker("store", login).code == 0
    assert b"\r" not in file.read_bytes()
    kept = json.loads(file.read_bytes())
    assert kept["other.example"] == other
    assert folder.docker("get", f"{host}\n").json() == login
    assert folder.docker("list").json() == {host: "bob"}
    assert folder.docker("erase", f"{host}\n").code == 0
    assert json.loads(file.read_bytes()) == {"other.example": other}
    left = {path.name for path in file.parent.iterdir() if path.name.startswith(".auth")}
    assert left == set()


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_broken_store_is_told_in_one_line(folder: Windows, host: str, content: str) -> None:
    file = folder.home.write("auth.json", content)
    folder.env["RATTLER_AUTH_FILE"] = windows_path(file)
    assert "auth.json" in refusal(folder.bazel(f"https://{host}/x"))


def test_items_of_other_programs_in_the_credential_manager(folder: Windows, host: str) -> None:
    vault = Vault()
    value = json.dumps({"BasicHTTP": {"username": "bob", "password": "p"}})
    items = {
        f"rattler.{host}.rattler": (f"rattler.{host}", value),  # py-rattler's, pixi's
        f"python.{host}": ("bob", "p"),  # of `keyring set`
        f"bob@both.{host}": ("bob", "p"),  # likewise, when there are two users
        f"both.{host}": ("eve", "q"),
        f"bob.rust.{host}": ("bob", "p"),  # of a program with Rust's keyring
        f"not.{host}.rattler": ("somebody else", value),
    }
    for target, (user, secret) in items.items():
        vault.put(target, user, secret)
    try:
        for name in ("rattler", "python", "rust"):
            assert folder.bazel(f"https://{name}.{host}/x").authorization == LOGIN, name
        assert folder.bazel(f"https://bob@both.{host}/x").authorization == LOGIN
        two = folder.bazel(f"https://both.{host}/x")
        assert two.code == 1
        assert "bob, eve" in two.err
        assert folder.bazel(f"https://not.{host}/x").json() == {"headers": {}}
        listed = folder.docker("list").json()
        assert {name for name in listed if name.endswith(host)} == {f"rattler.{host}"}
    finally:
        for target in items:
            vault.delete(target)
