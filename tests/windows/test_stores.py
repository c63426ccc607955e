"""Where the Windows program looks: each tool's own place there."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from support.wine import Vault, windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.wine import Windows

LOGIN = "Basic " + base64.b64encode(b"bob:p").decode()


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


def test_uv_s_logins_in_appdata(folder: Windows, host: str) -> None:
    folder.home.write(
        "AppData/Roaming/uv/credentials/credentials.toml",
        f'[[credential]]\nservice = "https://{host}/"\nusername = "bob"\n'
        'scheme = "basic"\npassword = "p"\n',
    )
    assert folder.bazel(f"https://{host}/simple/").authorization == LOGIN


@pytest.mark.parametrize("name", [".rattler/credentials.json", "elsewhere ü/auth.json"])
def test_rattler_s_file(folder: Windows, host: str, name: str) -> None:
    login = {"BasicHTTP": {"username": "bob", "password": "p"}}
    file = folder.home.write(name, json.dumps({host: login}))
    if "elsewhere" in name:
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


def test_docker_s_plain_logins(folder: Windows, host: str) -> None:
    auth = base64.b64encode(b"bob:p").decode()
    folder.home.write(".docker/config.json", json.dumps({"auths": {host: {"auth": auth}}}))
    assert folder.bazel(f"https://{host}/v2/").authorization == LOGIN


def test_posit_s_tokens(folder: Windows, host: str) -> None:
    folder.home.write(
        ".ppm/tokens.toml",
        f'[[connections]]\naddress = "https://{host}"\ntoken = "tok"\nauth_type = "sso"\n',
    )
    answer = folder.bazel(f"https://{host}/pypi/simple/")
    assert answer.authorization == "Basic " + base64.b64encode(b"__token__:tok").decode()


def test_a_variable_of_the_environment(folder: Windows, host: str) -> None:
    folder.env["CREDLATCH_TOKEN_" + host.upper().replace(".", "_").replace("-", "_")] = "tok"
    assert folder.bazel(f"https://{host}/x").authorization == "Bearer tok"


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_broken_store_is_told_in_one_line(folder: Windows, host: str, content: str) -> None:
    file = folder.home.write("auth.json", content)
    folder.env["RATTLER_AUTH_FILE"] = windows_path(file)
    answer = folder.bazel(f"https://{host}/x")
    assert (answer.code, answer.out) == (1, b"")
    assert "auth.json" in answer.err
    assert answer.err.count("\n") == 1


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
