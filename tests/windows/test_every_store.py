"""Every store of the Windows program answers Bazel's clients, Docker's, and people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.every_store import STORES, URL
from support.wine import Vault, windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.wine import Windows

DATA = ".local/share"  # where Windows has AppData
HOST = "host.example"
LOGIN = "Basic Ym9iOnA="  # bob:p


class Stored:
    """The home of the Windows program, for what writes a store as its tool does."""

    def __init__(self, windows: Windows) -> None:
        self.env = windows.env
        self._home = windows.home

    def write(self, name: str, content: str, /) -> Path:
        """Write a file below the home, or below Windows' folder for what tools keep."""
        return self._home.write(name.replace(DATA, "AppData/Roaming", 1), content)

    def write_rattler(self, entries: dict[str, Any]) -> Path:
        """Write rattler's file."""
        return self.write(".rattler/credentials.json", json.dumps(entries))


@pytest.mark.parametrize("store", STORES)
def test_each_store_answers_bazel_docker_and_people(windows: Windows, store: str) -> None:
    kept = STORES[store]
    kept.write(Stored(windows))
    name, value = kept.header
    bazel = windows.bazel(URL)
    assert (bazel.err, bazel.json()["headers"]) == ("", {name: [value]})
    docker = windows.docker("get", f"{HOST}\n").json()
    login = {"Username": kept.username or "__token__", "Secret": kept.secret}
    assert docker == {"ServerURL": HOST, **login}
    assert windows("header", URL).out == f"{name}: {value}\n".encode()
    assert windows("token", URL).out == f"{kept.secret}\n".encode()


def test_a_login_in_the_credential_manager_answers_docker(windows: Windows, host: str) -> None:
    vault = Vault()
    vault.put(f"python.{host}", "bob", "p")  # of `keyring set`
    try:
        login = {"ServerURL": f"python.{host}", "Username": "bob", "Secret": "p"}
        assert windows.docker("get", f"python.{host}\n").json() == login
        assert windows.bazel(f"https://python.{host}/x").authorization == LOGIN
    finally:
        vault.delete(f"python.{host}")


def test_a_file_that_pixi_s_configuration_names(windows: Windows, host: str) -> None:
    file = windows.home.write("päck/auth.json", json.dumps({host: {"BearerToken": "tok"}}))
    said = f"authentication-override-file = {json.dumps(windows_path(file))}\n"
    windows.home.write(".pixi/config.toml", said)
    assert windows.bazel(f"https://{host}/x").authorization == "Bearer tok"


def helper(windows: Windows, folder: str, username: str) -> Path:
    """A helper of Docker's, which knows one user of every registry."""
    login = json.dumps({"ServerURL": "x", "Username": username, "Secret": "p"})
    return windows.home.write(f"{folder}/docker-credential-old.cmd", f"@echo {login}\r\n")


def test_the_helper_that_was_there_before_is_asked_and_none_of_the_folder_we_are_called_in(
    windows: Windows, host: str
) -> None:
    chain = json.dumps({"docker": {host: "old"}})
    windows.home.write("AppData/Roaming/credlatch/chain.json", chain)
    helper(windows, ".", "somebody else")  # where we are called
    answer = windows.docker("get", f"{host}\n")
    assert (answer.code, b"somebody" in answer.out) == (1, False)
    assert b"docker-credential-old is not on PATH" in answer.out
    windows.found_on_path(helper(windows, "hélpers", "bob").parent)
    login = {"ServerURL": host, "Username": "bob", "Secret": "p"}
    assert windows.docker("get", f"{host}\n").json() == login
    assert windows.bazel(f"https://{host}/v2/").authorization == LOGIN
