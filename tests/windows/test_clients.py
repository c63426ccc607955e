"""Every protocol of the Windows program, over a login in the Credential Manager or a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.logins import docker_refusal, refusal
from support.program import Answer
from support.wine import FORMS

if TYPE_CHECKING:
    from support.wine import Windows

SECRET = "pä ss€🔑"


def basic(answer: Answer) -> str:
    """The one header, which must be there; no line ends as on Windows."""
    assert b"\r" not in answer.out
    value = answer.authorization
    assert value is not None
    return value


def stored(windows: Windows, host: str, username: str = "bob", secret: str = SECRET) -> None:
    login = {"ServerURL": host, "Username": username, "Secret": secret}
    assert windows.docker("store", login) == (0, b"", "")


def test_docker_keeps_finds_lists_and_forgets_a_login(windows: Windows, host: str) -> None:
    missing = windows.docker("get", f"{host}\n")
    assert (missing.code, missing.out) == (1, b"credentials not found in native keychain\n")
    others = windows.docker("list").json()
    stored(windows, host)
    found = windows.docker("get", f"{host}\n").json()
    assert found == {"ServerURL": host, "Username": "bob", "Secret": SECRET}
    assert windows.docker("list").json() == {**others, host: "bob"}
    assert windows.docker("erase", f"{host}\n").code == 0
    assert windows.docker("list").json() == others
    assert windows.docker("get", f"{host}\n").code == 1


def test_all_logins_are_listed_and_none_of_another_program_s(windows: Windows, host: str) -> None:
    hosts = {f"{name}.{host}": f"user of {name}" for name in ("a", "b", "c")}
    for name, username in hosts.items():
        stored(windows, name, username)
    try:
        listed = windows.docker("list").json()
        assert {name: listed.get(name) for name in hosts} == hosts
        assert all(name in hosts for name in listed if name.endswith(host))
    finally:
        for name in hosts:
            assert windows.docker("erase", f"{name}\n").code == 0


def test_docker_s_name_speaks_docker(windows: Windows) -> None:
    docker = windows.copy_as("docker-credential-credlatch")
    try:
        said = docker("version")
        assert said.code == 0
        assert said.out.startswith(b"docker-credential-credlatch ")
        assert said.out == windows.docker("version").out
        wrong = docker("no-such-word")
        assert (wrong.code, wrong.err) == (1, "")
        assert wrong.out == b"Usage: docker-credential-credlatch <store|get|erase|list|version>\n"
    finally:
        docker.program.unlink()


def test_bazel_git_keyring_header_and_token_find_the_same_login(
    windows: Windows, host: str
) -> None:
    stored(windows, host, "bob", "p:w")
    url = f"https://{host}/simple/"
    try:
        header = basic(windows.bazel(url))
        assert header == "Basic Ym9iOnA6dw=="
        said = windows("header", url)
        assert (said.code, said.out) == (0, f"Authorization: {header}\n".encode())
        assert windows("token", url) == Answer(0, b"p:w\n", "")
        assert windows("token", "--user", url) == Answer(0, b"bob\n", "")
        assert windows("keyring", "get", url, "bob") == Answer(0, b"p:w\n", "")
        for end in (b"\n", b"\r\n"):
            asked = end.join([b"protocol=https", b"host=" + host.encode(), b"", b""])
            told = windows("git", "get", stdin=asked)
            assert told.code == 0, told
            assert b"\r" not in told.out
            assert {b"username=bob", b"password=p:w"} <= set(told.out.split(b"\n"))
    finally:
        assert windows.docker("erase", f"{host}\n").code == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_git_keeps_a_login_and_forgets_it(windows: Windows, host: str, end: str) -> None:
    lines = ["protocol=https", f"host={host}", "username=bob", "password=p w", "", ""]
    login = end.join(lines).encode()
    asked = end.join([*lines[:2], "", ""]).encode()
    assert windows("git", "store", stdin=login).code == 0
    assert b"password=p w\n" in windows("git", "get", stdin=asked).out
    assert windows("git", "erase", stdin=login).code == 0
    assert b"password" not in windows("git", "get", stdin=asked).out


def test_keyring_keeps_a_login_and_forgets_it(windows: Windows, host: str) -> None:
    url = f"https://{host}/simple/"
    assert windows("keyring", "set", url, "bob", stdin=b"p w\r\n").code == 0
    assert windows("keyring", "get", url, "bob").out == b"p w\n"
    assert windows("keyring", "del", url, "bob").code == 0
    gone = windows("keyring", "get", url, "bob")
    assert (gone.code, gone.out) == (1, b"")


def test_what_windows_cannot_keep_is_refused_in_one_line(windows: Windows, host: str) -> None:
    stored(windows, host, "bob", "x" * 1200)
    assert windows.docker("erase", f"{host}\n").code == 0
    login = {"ServerURL": host, "Username": "bob", "Secret": "x" * 1300}
    said = docker_refusal(windows.docker("store", login))
    assert "2560 bytes" in said
    assert "RATTLER_AUTH_FILE" in said
    assert "xxx" not in said


def test_a_miss_is_no_header(windows: Windows, host: str) -> None:
    assert windows.bazel(f"https://{host}/x").json() == {"headers": {}}


@pytest.mark.parametrize("stdin", [b"", b"{", b"\xff\xfe{\x00", json.dumps({"uri": 5}).encode()])
def test_a_request_that_is_none_is_told_in_one_line(folder: Windows, stdin: bytes) -> None:
    refusal(folder("bazel", "get", stdin=stdin))


def test_both_forms_say_the_same_of_themselves() -> None:
    from support.wine import Windows, WindowsHome

    home = WindowsHome()
    for words in (["--version"], ["--help"], ["keyring", "--help"], ["git", "--help"]):
        folder, single = (Windows(FORMS[form], home)(*words) for form in ("folder", "single"))
        assert folder.code == single.code == 0
        assert folder.out == single.out != b""
