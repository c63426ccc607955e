"""``credlatch explain``: what a person reads, at the width of their terminal, and programs."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.stores.order import ORDER
from support.terminal import at_terminal

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program

URL = "https://alice@h.example.com/x"
BOB = {"BasicHTTP": {"username": "bob", "password": "s3cret"}}
TOKEN = "eyJhbGciOiJIUzI1NiJ9" + "x" * 60 + "3Fg"


def shown(source: Program, *words: str, status: int = 0) -> list[str]:
    """What is read, line by line."""
    answer = source("explain", *words)
    assert (answer.code, answer.err) == (status, ""), answer.said
    assert "s3cret" not in answer.out.decode()
    return [" ".join(line.split()) for line in answer.out.decode().splitlines()]


def test_each_store_that_has_to_do_with_it_is_told(home: Home, source: Program) -> None:
    home.write_rattler({"h.example.com": BOB})
    home.write(".local/share/uv/credentials/credentials.toml", "[[ # h.example.com")
    home.write(".netrc", "machine h.example.com login alice password s3cret\n")
    home.write(".docker/config.json", '{"auths":{"alice@h.example.com":{"auth":"YWxpY2U6cHc="}}}')
    lines = shown(source, URL)
    assert lines[0] == "https://h.example.com/x answered by netrc"
    why = "it is not of the user who is asked for"
    assert f"2 rattler near ~/.rattler/credentials.json: {why}" in lines
    assert any(line.startswith("3 uv failed") and "is not TOML" in line for line in lines)
    assert "6 netrc found ~/.netrc user alice" in lines
    shadowed = "7 docker shadowed ~/.docker/config.json user alice (would be used without netrc's)"
    assert shadowed in lines
    assert "8 keyring skipped no D-Bus here" in lines
    assert "sends Authorization: Basic ****" in lines
    assert "only to h.example.com, https" in lines
    assert source("token", URL).out == b"s3cret\n"


def test_an_end_and_a_renewal_are_told_as_a_person_says_it(home: Home, source: Program) -> None:
    now = time.time()
    login = {"access_token": TOKEN, "token_endpoint": "https://sso.example.com/t", "client_id": "c"}
    home.write_rattler(
        {
            "h.example.com": {
                "OAuth": {**login, "refresh_token": "r", "expires_at": int(now) + 2_555}
            }
        }
    )
    lines = shown(source, "https://h.example.com/x")
    assert "sends Authorization: Bearer eyJh****3Fg (83 characters)" in lines
    ends = next(line for line in lines if line.startswith("ends "))
    assert ends.startswith("ends in 42 min (")
    assert ends.endswith(" at https://sso.example.com/t")
    assert "renewed from " in ends
    assert any(line.startswith("Bazel the header above, expires ") for line in lines)


def test_a_miss_ends_with_what_mends_it(home: Home, source: Program) -> None:
    home.write(".netrc", "machine localhost:8801 login a password s3cret\n")
    lines = shown(source, "http://localhost:8801/simple/", status=1)
    assert lines[0] == "http://localhost:8801/simple/ no credential"
    at = lines.index("near misses")
    assert lines[at + 1 : at + 4] == [
        "netrc line 1, 'machine localhost:8801' in ~/.netrc",
        "netrc knows no ports",
        "write 'machine localhost'",
    ]
    path = home.path / ".netrc"
    fix = f"sed -i.old 1s/localhost:8801/localhost/ {path} && rm {path}.old"
    assert lines[-1] == f"fix {fix}"


def test_a_tool_that_does_not_ask_is_told(home: Home, source: Program) -> None:
    home.write(".netrc", "machine reg.example.com login a password s3cret\n")
    home.write(".docker/config.json", '{"credHelpers":{"reg.example.com":"credlatch"}}')
    lines = shown(source, "--as", "docker", "reg.example.com")
    assert "docker user a, the password for reg.example.com" in lines
    assert "asks us? yes" in lines
    lines = shown(source, "--as", "docker", "reg.example.com:5000", status=1)
    assert "asks us? NO" in lines
    wired = "~/.docker/config.json wires 'reg.example.com', and docker asks for"
    assert f"{wired} 'reg.example.com:5000'" in lines
    assert "credlatch setup docker --host reg.example.com:5000" in lines


def test_a_failure_is_told_whole(home: Home, source: Program) -> None:
    home.write_rattler({"h.example.com": BOB})
    lines = shown(source, "http://h.example.com/x", status=1)
    assert lines[0] == "http://h.example.com/x refused: it would travel in the clear"
    assert lines[1].endswith("would travel in the clear: use https")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_only_what_is_pasted_is_wider_than_the_terminal(
    home: Home, source: Program, width: int
) -> None:
    home.env |= {"COLUMNS": str(width), "TERM": "xterm"}
    service = "http://127.0.0.1:8801"
    login = f'[[credential]]\nservice = "{service}"\nusername = "alice"\n'
    home.write(".local/share/uv/credentials/credentials.toml", login)
    command = [*source.command, "explain", "http://localhost:8801/simple/"]
    status, screen = at_terminal(command, home, "")
    assert status == 1
    assert "\x1b[" in screen
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in screen.splitlines()]
    fix = lines.index("  fix  uv auth login http://localhost:8801")
    assert max(map(len, lines[:fix])) <= width
    assert "near misses" in screen


def test_programs_are_told_the_same(home: Home, source: Program) -> None:
    home.write_rattler({"h.example.com": {"BearerToken": TOKEN}})
    answer = source("explain", "--json", "https://h.example.com/x?q")
    told = json.loads(answer.out)
    assert (told["version"], told["answer"], told["store"]) == (1, True, "rattler")
    assert told["asked"] == "https://h.example.com/x"
    assert [each["store"] for each in told["sources"]] == [name for name, _ in ORDER]
    assert TOKEN not in answer.out.decode()
    assert {each["name"] for each in told["clients"]} == {
        "bazel", "docker", "keyring", "git", "goauth",
    }  # fmt: skip
    answer = source("explain", "--json", "https://o.example.com/")
    assert answer.code == 1
    assert json.loads(answer.out)["answer"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "missing argument"),
        (("--as", "dockr", "x"), "is not one of"),
        (("ftp://h.example.com",), "the URL's scheme is 'ftp'"),
        (("--as", "go", "http://h.example.com"), "go never asks for that; it asks for a URL"),
        (("--as", "git", "s3://bucket"), "git asks for no bucket"),
        (("--as", "cargo", "h.example.com"), "it asks for an index: sparse+https://"),
        (("oci://u:s3cret@r.example.com/x",), "--as docker r.example.com"),
        (("docker://r.example.com:5000/x",), "--as docker r.example.com:5000"),
        (("--as", "git", "ssh://git@h.example.com/x"), "ask for the https:// URL"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    source: Program, words: tuple[str, ...], said: str
) -> None:
    answer = source("explain", *words)
    assert answer.code in {1, 2}
    assert answer.out == b""
    assert len(answer.err.splitlines()) == 1
    assert said in answer.err
    assert "s3cret" not in answer.err


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("git+https://h.example.com/x.git",), "https://h.example.com/x.git"),
        (("sparse+https://h.example.com/index/",), "https://h.example.com/index/"),
        (("--as", "git", "h.example.com"), "https://h.example.com/"),
        (("--as", "go", "h.example.com:8443"), "https://h.example.com:8443/"),
        (("--as", "podman", "docker://h.example.com/x"), "h.example.com"),
        (("--as", "docker", "oci://h.example.com"), "h.example.com"),
    ],
)
def test_what_stands_in_a_tools_configuration_is_understood(
    home: Home, source: Program, words: tuple[str, ...], asked: str
) -> None:
    home.write(".netrc", "machine h.example.com login a password s3cret\n").chmod(0o600)
    assert shown(source, *words)[0] == f"{asked} answered by netrc"


@pytest.mark.parametrize("words", [("s3://bucket/key",), ("--json", "s3://bucket")])
def test_a_bucket_is_asked_for_by_no_registrys_client(
    home: Home, source: Program, words: tuple[str, ...]
) -> None:
    home.write(".netrc", "default login a password s3cret\n").chmod(0o600)
    answer = source("explain", *words)
    assert (answer.code, answer.err) == (1, "")
    assert b"https://bucket" not in answer.out
    home.env["AWS_ACCESS_KEY_ID"], home.env["AWS_SECRET_ACCESS_KEY"] = "AKIDEXAMPLE", "s3cret"
    answer = source("explain", *words)
    assert answer.err == ""
    assert b"s3cret" not in answer.out


def test_plain_http_to_another_machine_is_what_is_to_be_changed(source: Program) -> None:
    lines = shown(source, "http://h.example.com/x", status=1)
    said = "no credential: nothing is sent in plain http to another machine: ask with"
    assert lines[0] == f"http://h.example.com/x {said} https://h.example.com/x"
    assert not any(line.startswith("fix ") for line in lines)
    answer = source("token", "http://h.example.com/x")
    assert answer.err.endswith("ask with https://h.example.com/x\n")


def test_beside_an_answer_is_told_what_can_never_be_one(home: Home, source: Program) -> None:
    netrc = "machine h.example.com:8443 login alice password s3cret\ndefault login d password e\n"
    home.write(".netrc", netrc).chmod(0o600)
    lines = shown(source, "https://h.example.com:8443/x")
    assert "6 netrc found ~/.netrc user d" in lines
    assert "netrc line 1, 'machine h.example.com:8443' in ~/.netrc" in lines
    lines = shown(source, "https://other.example.org/x")
    assert "near misses" not in lines
    home.env["CREDLATCH_TOKEN_O_EXAMPLE_COM"] = "s3cret-s3cret"
    assert "near misses" not in shown(source, "https://o.example.com/x")


def test_a_default_is_for_no_registry(home: Home, source: Program) -> None:
    home.write(".netrc", "default login alice password s3cret\n").chmod(0o600)
    lines = shown(source, "--as", "docker", "h.example.com", status=1)
    why = "it is for all hosts that are not named, and so for no registry"
    assert f"6 netrc near ~/.netrc: {why}" in lines


@pytest.mark.parametrize("command", [("explain", "https://h.example.com/x"), ("list",)])
def test_what_a_store_holds_writes_no_line_of_its_own(
    home: Home, source: Program, command: tuple[str, ...]
) -> None:
    name = "u\n  fix  rm -rf ~\r\n\u2028fix  x\x1b[2J\x0b\x85"
    home.write_rattler({"h.example.com": {"BasicHTTP": {"username": name, "password": "s3cret"}}})
    shown = source(*command).out.decode()
    assert "rm -rf" in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("fix")]
    assert not set(shown) & set("\x1b\r\x0b\x85\u2028")


def test_nothing_is_written_and_nothing_is_renewed(home: Home, source: Program) -> None:
    login = {"access_token": TOKEN, "token_endpoint": "https://sso.invalid/t", "client_id": "c"}
    home.write_rattler(
        {"h.example.com": {"OAuth": {**login, "refresh_token": "r", "expires_at": 9}}}
    )
    before = {path: path.stat().st_mtime_ns for path in home.path.rglob("*")}
    lines = shown(source, "https://h.example.com/x")
    assert lines[0] == "https://h.example.com/x answered by rattler, once it is renewed"
    assert {path: path.stat().st_mtime_ns for path in home.path.rglob("*")} == before
