"""The canary: a marked secret in each place, and everything that a call writes, sends and starts.

It is seen where it belongs and nowhere else. The gate tries some, and ``./dev canary`` all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from credlatch.clients import CLIENTS as TABLE
from support import canary_suite
from support.canary import (
    AGENT,
    ARGUMENTS,
    ENVIRONMENT,
    MARK,
    MEMORY,
    PIPE,
    STDERR,
    STDOUT,
    Canary,
    in_files,
    kept,
    left,
    needles,
    others,
)
from support.logins import ENDED, OAuthLogin, PyxLogin
from support.loopback import Handler, Loopback
from support.marked import CLIENTS, HOST, PLACES, URL, Marked, question
from support.program import TIMEOUT
from support.raw_server import RawServer
from support.token_http import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.agent import Agent
    from support.loopback import Recorded
    from support.program import Program
    from support.token_server import TokenServer

T = TypeVar("T")
EVERY = os.environ.get("CREDLATCH_CANARY") == "all"
_NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody is: nothing leaves this machine


def some(rows: Sequence[T], step: int) -> Sequence[T]:
    """All, or for the gate one of so many."""
    return rows if EVERY else rows[::step]


@pytest.fixture
def canary(frozen: Program, tmp_path: Path) -> Canary:
    frozen.home.env |= {"HTTPS_PROXY": _NOWHERE, "CREDLATCH_TIMEOUT": "20", "NO_COLOR": "1"}
    return Canary(frozen, tmp_path / "strace")


def own(place: Marked) -> tuple[str, ...]:
    """A caller's variables are its own: what the launcher becomes has them, too."""
    return (ENVIRONMENT,) if place.env else ()


ASKED = [(place, client) for place in PLACES for client in CLIENTS]


def test_every_client_is_among_those_that_ask() -> None:
    assert set(CLIENTS) == set(TABLE)


@pytest.mark.parametrize(("name", "client"), some(ASKED, 11))
def test_a_secret_is_told_to_who_asks_for_it_and_to_nobody_else(
    frozen: Program, canary: Canary, name: str, client: str
) -> None:
    place = PLACES[name]
    place.put(frozen.home)
    words, stdin = question(client, place.url)
    answer, seen = canary(*words, stdin=stdin)
    told = (STDOUT,) if not place.signs else ()
    assert others(seen, *told, *own(place)) == []
    assert not place.signs or not any(each in answer.out for each in needles(canary.marks))
    assert left(frozen, canary, *place.files) == set()


@pytest.mark.parametrize("name", list(PLACES))
def test_in_each_place_the_secret_is_one_that_would_be_seen(frozen: Program, name: str) -> None:
    place = PLACES[name]
    place.put(frozen.home)
    marked = in_files([frozen.home.path], [MARK])
    assert marked or MARK in place.env.values()
    if not place.signs:
        clients = ("bazel", "docker") if EVERY or name == "docker" else ("bazel",)
        answers = [frozen(*words, stdin=stdin) for words, stdin in
                   (question(client, place.url) for client in clients)]  # fmt: skip
        found = [any(each in answer.out for each in needles([MARK])) for answer in answers]
        assert any(found) or name in {"docker identity", "chained helper"}, answers


# A file that is not as its tool has written it: cut off, or with something else in it.
DAMAGES = {
    "cut": lambda data: data[: data.rindex(needle(data)) + len(needle(data))],
    "begun anew": lambda data: data + b'\n{"[[\x00',
    "no UTF-8": lambda data: data.replace(b"\n", b"\n\xff", 1) + b"\xfe",
    "quoted otherwise": lambda data: data.replace(b'"', b"'"),
    "twice": lambda data: data + data,
    "without colons": lambda data: data.replace(b":", b" ").replace(b"=", b" "),
    "open to all": lambda data: data,
}
DAMAGED = [
    (place, how, client)
    for place, row in PLACES.items()
    if row.files
    for how in DAMAGES
    for client in ("bazel", "docker", "git")
]


def needle(data: bytes) -> bytes:
    return next(each for each in needles([MARK]) if each in data)


@pytest.mark.parametrize(("name", "how", "client"), some(DAMAGED, 67))
def test_what_is_wrong_with_a_file_is_told_without_its_secret(
    frozen: Program, canary: Canary, name: str, how: str, client: str
) -> None:
    place = PLACES[name]
    place.put(frozen.home)
    for file in place.files:
        path = frozen.home.path / file
        if MARK.encode() in path.read_bytes() or "auth" in file:
            path.write_bytes(DAMAGES[how](path.read_bytes()))
            path.chmod(0o666 if how == "open to all" else path.stat().st_mode & 0o777)
    words, stdin = question(client, place.url)
    _, seen = canary(*words, stdin=stdin)
    assert others(seen, STDOUT, *own(place)) == []
    assert left(frozen, canary, *place.files) == set()


_STORE = ".rattler/credentials.json"
_LOGIN = {"ServerURL": HOST, "Username": "bob", "Secret": MARK}
_INDEX = {"index-url": f"sparse+https://{HOST}/", "name": "a"}
_OF_CARGO = {"v": 1, "registry": _INDEX, "kind": "login", "token": MARK, "args": []}
_OF_GIT = f"protocol=https\nhost={HOST}\nusername=bob\npassword={MARK}\n\n".encode()
_ATTRIBUTES = f"protocol=https\nhost=a b\npassword={MARK}\ncredential={MARK}\n".encode()
_LOG_IN = ("login", HOST, "--no-check")
# What is told us: the words, standard input, and whether it is kept.
TOLD: dict[str, tuple[tuple[str, ...], bytes, bool]] = {
    "docker store": (("docker", "store"), json.dumps(_LOGIN).encode(), True),
    "docker store, cut": (("docker", "store"), json.dumps(_LOGIN).encode()[:-1], False),
    "docker store, no user": (
        ("docker", "store"),
        json.dumps(_LOGIN | {"Username": ""}).encode(),
        False,
    ),
    "docker store, a list": (
        ("docker", "store"),
        json.dumps(_LOGIN | {"Username": [MARK]}).encode(),
        False,
    ),
    "docker get": (("docker", "get"), f"https://bob:{MARK}@{HOST}/".encode(), False),
    "git store": (("git", "store"), _OF_GIT, True),
    "git store, half": (("git", "store"), _OF_GIT.replace(b"=https", b" https"), False),
    "git store, odd host": (("git", "store"), _ATTRIBUTES, False),
    "git erase": (("git", "erase"), _OF_GIT, False),
    "keyring set": (("keyring", "set", URL, "bob"), MARK.encode(), True),
    "keyring set, no user": (("keyring", "set", URL, ""), MARK.encode(), False),
    "cargo login": (("cargo",), json.dumps(_OF_CARGO).encode() + b"\n", True),
    "cargo login, wrong": (
        ("cargo",),
        json.dumps(_OF_CARGO | {"args": [MARK]}).encode() + b"\n",
        False,
    ),
    "bazel, in the URL": (
        ("get",),
        json.dumps({"uri": f"https://bob:{MARK}@{HOST}/x?token={MARK}"}).encode(),
        False,
    ),
    "bazel, no URL": (("get",), json.dumps({"uri": f"https://b:{MARK}@[x/"}).encode(), False),
    "bazel, no JSON": (("get",), f'{{"uri":"{MARK}'.encode(), False),
    "bazel, another key": (("get",), json.dumps({"url": MARK}).encode(), False),
    "login, a token": ((*_LOG_IN, "--token-stdin"), MARK.encode(), True),
    "login, a password": (
        (*_LOG_IN, "--username", "bob", "--password-stdin"),
        f"{MARK}\n".encode(),
        True,
    ),
    "login, a conda token": ((*_LOG_IN, "--conda-token-stdin"), MARK.encode(), True),
    "login, an S3 key": (
        ("login", "s3://bucket", "--s3-key-id", "A"),
        f"{MARK}\n{MARK}\n".encode(),
        True,
    ),
    "login, no token": ((*_LOG_IN, "--token-stdin"), f"{MARK} {MARK}\0".encode(), False),
    "login, two ways": (
        (*_LOG_IN, "--token-stdin", "--conda-token-stdin"),
        MARK.encode(),
        False,
    ),
    "login, nobody there": (("login", "127.0.0.1:9", "--token-stdin"), MARK.encode(), False),
    "an unknown word": (("docker", "put"), json.dumps(_LOGIN).encode(), False),
}


@pytest.mark.parametrize("name", some(list(TOLD), 4))
def test_what_is_told_is_kept_in_the_store_and_in_no_other_file_or_text(
    frozen: Program, canary: Canary, name: str
) -> None:
    words, stdin, keeps = TOLD[name]
    frozen.home.write(_STORE, "{}")
    answer, seen = canary(*words, stdin=stdin)
    store = str(frozen.home.path / _STORE)
    assert others(seen, MEMORY, *(kept(store) if keeps else [])) == []
    assert not any(each in answer.out for each in needles(canary.marks))
    assert left(frozen, canary, *([_STORE] if keeps else [])) == set()
    assert bool(in_files([frozen.home.path], [MARK])) == keeps, answer
    # And where it cannot be kept.
    if keeps and os.geteuid() != 0:
        (frozen.home.path / ".rattler").chmod(0o500)
    else:
        (frozen.home.path / _STORE).write_text("[1")
    answer, seen = canary(*words, stdin=stdin)
    assert others(seen, MEMORY) == [], answer


RENEWED = [(kind, fault) for kind in ("oauth", "pyx") for fault in ("NONE", *Fault.__members__)]


@pytest.mark.parametrize(("kind", "name"), some(RENEWED, 9))
def test_a_refresh_token_goes_to_its_server_and_its_store(
    frozen: Program, canary: Canary, token_server: TokenServer, kind: str, name: str
) -> None:
    login = (OAuthLogin if kind == "oauth" else PyxLogin)(frozen.home, token_server)
    token_server.fault = None if name == "NONE" else Fault[name]
    token_server.redirect_to = "http://127.0.0.1:9/elsewhere"
    canary.marks.append(login.write(ENDED, f"refresh-{MARK}").rpartition(".")[2])
    if "CREDLATCH_TIMEOUT" in frozen.home.env:
        frozen.home.env["CREDLATCH_TIMEOUT"] = "6"
    words, stdin = question("bazel", login.uri)
    _, seen = canary(*words, stdin=stdin)
    if token_server.current_access_token is not None:
        canary.marks.append(token_server.current_access_token.rpartition(".")[2])
        seen = canary.logs()
    server = token_server.url.removeprefix("http://")
    store = str(login.file)
    assert others(seen, STDOUT, server, *kept(store)) == []
    assert left(frozen, canary, store) == set()
    assert name != "NONE" or {each.where for each in seen} >= {STDOUT, server}


ECHOES = [
    b"HTTP/1.1 400 Bad\r\nContent-Length: 99\r\n\r\n" + body.ljust(99)
    for body in (
        f'{{"error":"{MARK}","error_description":"{MARK}"}}'.encode(),
        f'{{"error":"invalid_grant","error_description":"{MARK}"}}'.encode(),
        f"<html>{MARK}</html>".encode(),
    )
]
ECHOES += [
    f"HTTP/1.1 200 {MARK}\r\nContent-Length: 40\r\n\r\n{{'{MARK}'}}".encode().ljust(99),
    f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/{MARK}\r\n\r\n".encode(),
    f"HTTP/9.{MARK}\r\nX: {MARK}\r\n\r\n".encode(),
    f"{MARK}".encode(),
]


@pytest.mark.parametrize("number", range(len(ECHOES)) if EVERY else [0])
def test_what_a_server_repeats_is_told_to_nobody(
    frozen: Program, canary: Canary, number: int
) -> None:
    with RawServer(ECHOES[number]) as server:
        content = {
            "access_token": "old",
            "refresh_token": f"refresh-{MARK}",
            "expires_at": 1,
            "token_endpoint": f"{server.url}/token",
            "client_id": "rattler",
        }
        frozen.home.write(_STORE, json.dumps({HOST: {"OAuth": content}}))
        words, stdin = question("bazel", URL)
        answer, seen = canary(*words, stdin=stdin)
        asked = server.url.removeprefix("http://")
    assert answer.code == 1
    assert others(seen, asked) == []
    assert left(frozen, canary, _STORE) == set()


class _Provider(Handler):
    """A provider of marked tokens, on this machine, which are good for whoever has the code."""

    def respond(self, request: Recorded) -> None:
        url = self.server.owner.url
        said = {
            "/.well-known/openid-configuration": {
                "issuer": url,
                "token_endpoint": f"{url}/token",
                "device_authorization_endpoint": f"{url}/device",
                "revocation_endpoint": f"{url}/revoke",
            },
            "/device": {
                "device_code": f"device-{MARK}",
                "user_code": "AB-CD",
                "verification_uri": f"{url}/d",
                "interval": 1,
            },
            "/token": {
                "access_token": f"access-{MARK}",
                "refresh_token": f"refresh-{MARK}",
                "token_type": "Bearer",
                "expires_in": 600,
            },
            "/revoke": {},
        }.get(request.path)
        self.send(200 if said is not None else 401, said or {"error": MARK})


@pytest.mark.parametrize("keeps", [True, False])
def test_what_a_provider_gives_is_in_its_store_and_told_to_it_alone(
    frozen: Program, canary: Canary, *, keeps: bool
) -> None:
    frozen.home.write(_STORE, "{}")
    with Loopback(_Provider) as provider:
        place = provider.url.removeprefix("http://")
        # Where it is tried it is refused, and so given back.
        more = ("--no-check",) if keeps else ()
        answer, seen = canary("login", place, "--issuer", provider.url, "--device", *more)
        assert answer.code == (0 if keeps else 1), answer
        store = str(frozen.home.path / _STORE)
        assert others(seen, place, *(kept(store) if keeps else [])) == []
        assert left(frozen, canary, *([_STORE] if keeps else [])) == set()
        if keeps:
            answer, seen = canary("logout", place, "--yes")
            assert answer.code == 0, answer
            assert others(seen, place) == []
            assert left(frozen, canary) == set()


def everywhere(frozen: Program) -> tuple[str, ...]:
    """Put a secret in every place that is a file; the files."""
    files: list[str] = []
    for name, place in PLACES.items():
        if place.files and name not in {"rattler token", "conda token", "uv token"}:
            place.put(frozen.home)
            files += place.files
    return tuple(files)


def of_a_person(word: str) -> list[str]:
    """Words of a command, with blanks between them."""
    return word.split()


# Commands of a person's, and the files of other tools that they may write anew.
COMMANDS: dict[str, tuple[str, ...]] = {
    "config check": (),
    f"config check {URL}": (),
    "setup docker --dry-run --all-hosts": (),
    "setup docker --yes --all-hosts": (".docker/config.json",),
    "setup podman --yes --all-hosts": (".config/containers/auth.json",),
    "setup git --yes --all-hosts": (),
    "setup uv --yes": (),
    "setup pip --yes": (),
    "setup cargo --yes": (),
    "setup go --yes": (),
    "docker list": (),
    "list": (),
    "list --json --remove": (),
    f"explain {URL}": (),
    f"explain --json --as pip {URL}": (),
    f"explain --as docker {HOST}": (),
    f"logout {HOST} --dry-run": (),
    "completion bash": (),
    "doctor": (),
    "doctor --fix --json": (),
    "agent status": (),
    "agent log": (),
    "install --prefix $HOME/opt": (),
    "uninstall --prefix $HOME/opt": (),
    "--version": (),
    "nonsense": (),
}


@pytest.mark.parametrize("command", some(list(COMMANDS), 3))
def test_no_command_shows_or_copies_a_secret(frozen: Program, canary: Canary, command: str) -> None:
    files = everywhere(frozen)
    words = [word.replace("$HOME", frozen.home.env["HOME"]) for word in of_a_person(command)]
    answer, seen = canary(*words)
    written = [frozen.home.path / each for each in COMMANDS[command]]
    assert others(seen, *kept(*written)) == [], answer
    assert left(frozen, canary, *files) == set()


def test_secrets_for_a_build_are_in_memory_and_go_to_who_opens_them(
    frozen: Program, canary: Canary
) -> None:
    PLACES["netrc"].put(frozen.home)
    options = ("--secret", f"id=t,url={URL}", "--as-env", f"id=TOKEN,url={URL}")
    script = 'cat "$CREDLATCH_SECRETS/t" >/dev/null; test -n "$TOKEN"'
    answer, seen = canary("secrets", *options, "--", "sh", "-c", script)
    assert answer.code == 0, answer
    # In a variable, as was asked for; `cat` writes what it has read.
    folder = frozen.home.env["XDG_RUNTIME_DIR"]
    assert others(seen, ENVIRONMENT, MEMORY, PIPE, folder, "/dev/null", "/dev/shm") == []  # noqa: S108 - its name
    assert left(frozen, canary, ".netrc") == set()


@contextmanager
def traced(agent: Agent, canary: Canary, log: Path) -> Iterator[None]:
    """An agent that is traced from its start to its end, and started by a call without a secret."""
    words = canary.traced(log, *question("bazel", "https://warm.example/")[0])
    stdin = question("bazel", "https://warm.example/")[1]
    with subprocess.Popen(
        words,
        env=agent.home.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as tracer:
        assert tracer.stdin is not None
        tracer.stdin.write(stdin)
        tracer.stdin.close()
        try:
            agent.up()
            yield
        finally:
            agent.program("agent", "stop")
            tracer.wait(TIMEOUT)


def test_the_agent_keeps_secrets_to_itself(
    frozen: Program, agent: Agent, canary: Canary, tmp_path: Path
) -> None:
    place = PLACES["netrc"]
    place.put(frozen.home)
    frozen.home.env |= PLACES["gh variable"].env
    with traced(agent, canary, tmp_path / "strace" / "agent.strace"):
        asked = list(CLIENTS) if EVERY else ["bazel", "git"]
        for client in asked:
            words, stdin = question(client, place.url)
            _, seen = canary(*words, stdin=stdin)
            # To the agent goes the caller's environment, which has a token in it.
            assert others(seen, STDOUT, AGENT, ENVIRONMENT) == []
        status, log = canary("agent", "status"), canary("agent", "log")
        assert others(log[1], ENVIRONMENT) == others(status[1], ENVIRONMENT) == []
        assert HOST in log[0].out.decode(), log
        for answer in (status[0], log[0]):
            assert not any(each in answer.out for each in needles(canary.marks))
    assert others(canary.logs(), STDOUT, AGENT, ENVIRONMENT) == []
    assert left(frozen, canary, ".netrc") == set()


def test_what_would_be_seen_is_seen(canary: Canary, tmp_path: Path) -> None:
    # A program that does all of it, by a name of ours, since what others do is their own affair:
    # else the tests above would pass whatever is done.
    program = tmp_path / "credlatch-that-leaks"
    program.symlink_to(sys.executable)
    script = tmp_path / "leaks.py"
    script.write_text(
        "import base64, os, socket, subprocess, sys\n"
        f"mark = {MARK!r}\n"
        "print(base64.b64encode(f'bob:{mark}'.encode()).decode())\n"
        "print(mark.encode().hex(), file=sys.stderr)\n"
        f"open({str(tmp_path / 'copy')!r}, 'w').write(mark)\n"
        f"os.path.exists({str(tmp_path)!r} + '/' + mark)\n"
        "subprocess.run(['true', mark])\n"
        "subprocess.run(['true'], env={'A': mark})\n"
        "one, two = socket.socketpair()\n"
        "one.sendmsg([mark.encode()])\n"
        "os.write(os.memfd_create('x'), mark.encode('utf-16-le'))\n"
        "os.write(os.pipe()[1], mark.encode())\n"
    )
    leaking = Canary(canary.of([str(program), str(script)]), tmp_path / "leaks")
    _, seen = leaking()
    where = {each.where for each in seen}
    assert where >= {STDOUT, STDERR, ARGUMENTS, ENVIRONMENT, MEMORY, PIPE, str(tmp_path / "copy")}
    assert {each.call for each in seen} >= {"sendmsg", "execve"}
    assert any(MARK in each.text and each.where == "name" for each in seen)
    assert in_files([tmp_path], [MARK]) >= {str(tmp_path / "copy"), str(script)}


_ANSWERED = (
    '1 execve("/x/credlatch", ["credlatch", "get"], ["A=given-by-caller"]) = 0\n'
    r'1 write(1<pipe:[9]>, "{\"headers\":{\"Authorization\":[\"Bearer found-in-a-store\"]}}\n", 63)'
    "\n"
    r'1 write(1<pipe:[9]>, "password=given-by-caller\n", 25) = 25'
    "\n"
)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        ('openat(AT_FDCWD</x>, "/tmp/found-in-a-store", O_RDONLY) = 3', "name"),
        ('execve("/bin/x", ["x", "found-in-a-store"], ["A=b"]) = 0', ARGUMENTS),
        ('write(7</home/x/.cache/credlatch/log>, "found-in-a-store", 16) = 16', "/home/x/.cache/"),
        ('write(2<pipe:[1]>, "found-in-a-store", 16) = 16', STDERR),
        ('write(3</home/x/.docker/config.json>, "found-in-a-store", 16) = 16', ""),
        ('execve("/bin/x", ["x", "given-by-caller"], ["A=b"]) = 0', ""),
    ],
)
def test_a_secret_of_a_test_that_nobody_has_marked_is_seen_as_well(
    tmp_path: Path, call: str, where: str
) -> None:
    suite = canary_suite.Suite(tmp_path)
    (tmp_path / "1").write_text(f"{_ANSWERED}1 {call}\n")
    suite.look("a test")
    assert [at.startswith(where) for _, at in suite.leaks] == [True] * bool(where), suite.leaks
