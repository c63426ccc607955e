"""A store that is broken: one clear line, never an anonymous request, and never a changed store."""

from __future__ import annotations

import json
import os
import stat
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support.jwt import make_jwt
from support.matching import basic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home
    from support.program import Program

SECRET = "kept-from-everybody"
AUTH = b64encode(f"u:{SECRET}".encode()).decode()
LOGIN = {"ServerURL": "r.example", "Username": "bob", "Secret": "pw"}


@dataclass(frozen=True)
class Kind:
    """A kind of store: where it is, what its tool writes for a host, and which host that is."""

    file: str
    content: str
    host: str = "a.example"


PYX = ".local/share/pyx/credentials/3859a629b26fda96/tokens.json"
KINDS = {
    "rattler": Kind(".rattler/credentials.json", f'{{"a.example":{{"BearerToken":"{SECRET}"}}}}'),
    "uv": Kind(
        ".local/share/uv/credentials/credentials.toml",
        f'[[credential]]\nservice = "https://a.example/"\nusername = "u"\npassword = "{SECRET}"\n',
    ),
    "pyx": Kind(
        PYX,
        json.dumps({"access_token": make_jwt(4_000_000_000), "refresh_token": SECRET}),
        "api.pyx.dev",
    ),
    "posit": Kind(
        ".ppm/tokens.toml",
        f'[[connections]]\naddress = "https://a.example"\ntoken = "{SECRET}"\nauth_type = "sso"\n',
    ),
    "netrc": Kind(".netrc", f"machine a.example login u password {SECRET}\n"),
    "docker": Kind(
        ".docker/config.json",
        json.dumps({"auths": {"a.example": {"username": "u", "password": SECRET}}}),
    ),
    "containers": Kind(
        ".config/containers/auth.json",
        # The secret in the clear as well, which containers' programs pass over.
        json.dumps({"auths": {"a.example": {"auth": AUTH, "password": SECRET}}}),
    ),
}


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def unreadable(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)  # to itself: root may read everything else


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def truncated(path: Path) -> None:
    """Cut off in the middle of its secret."""
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(SECRET.encode()) + len(SECRET) // 2])


def half_written(path: Path) -> None:
    """A shorter content written over a longer one, and not cut to its length."""
    data = path.read_bytes()
    path.write_bytes(data + data[-5:])


def not_utf_8(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\xff\xfe")


def huge(path: Path) -> None:
    os.truncate(path, 1 << 33)


DAMAGE: list[Callable[[Path], None]] = [
    folder, unreadable, fifo, truncated, half_written, not_utf_8, huge
]  # fmt: skip
# netrc is a list of words without an end: a part of one is one.
CASES = [
    pytest.param(kind, damage, id=f"{name} {damage.__name__}")
    for name, kind in KINDS.items()
    for damage in DAMAGE
    if name != "netrc" or damage not in (truncated, half_written)
]

Snapshot = dict[str, tuple[int, int, object]]


def snapshot(home: Home) -> Snapshot:
    """Every file below the home, with its kind, mode and content."""
    found: Snapshot = {}
    for path in sorted(home.path.rglob("*")):
        status = path.lstat()
        small = stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20
        content: object = path.read_bytes() if small else status.st_size
        found[str(path)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def clear(line: str, path: Path) -> bool:
    return (
        line.startswith("credlatch: ")
        and line.count("\n") == 1
        and str(path) in line
        and "Traceback" not in line
        and "internal error" not in line
        and SECRET not in line
    )


def write(home: Home, kind: Kind) -> Path:
    return home.write(kind.file, kind.content)


@pytest.mark.parametrize(("kind", "damage"), CASES)
def test_it_is_a_failure_in_both_protocols_and_stays_as_it_is(
    frozen: Program, home: Home, kind: Kind, damage: Callable[[Path], None]
) -> None:
    path = write(home, kind)
    damage(path)
    before = snapshot(home)

    bazel = frozen.bazel(f"https://{kind.host}/x")
    assert (bazel.code, bazel.out) == (1, b""), bazel
    assert clear(bazel.err, path), bazel

    docker = frozen.docker("get", kind.host)
    assert (docker.code, docker.err) == (1, ""), docker
    assert clear(docker.out.decode(), path), docker

    assert snapshot(home) == before


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_good_one_is_read_and_stays_as_it_is(frozen: Program, home: Home, kind: Kind) -> None:
    write(home, kind)
    before = snapshot(home)
    assert frozen.bazel(f"https://{kind.host}/x").authorization is not None
    assert frozen.docker("get", kind.host).code == 0
    assert snapshot(home) == before


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_one_that_others_may_read_is_used_with_a_warning(
    frozen: Program, home: Home, kind: Kind
) -> None:
    path = write(home, kind)
    path.chmod(0o644)
    answer = frozen.bazel(f"https://{kind.host}/x")
    assert answer.authorization is not None
    assert answer.err == f"credlatch: {path} can be read by other users: chmod 600 {path}\n"


@pytest.mark.parametrize("name", [name for name in KINDS if name != "rattler"])
def test_a_broken_one_does_not_hide_what_another_store_has(
    frozen: Program, home: Home, name: str
) -> None:
    path = write(home, KINDS[name])
    folder(path)
    host = KINDS[name].host
    home.env[f"CREDLATCH_TOKEN_{host.upper().replace('.', '_')}"] = "mine"
    assert frozen.bazel(f"https://{host}/x").authorization == "Bearer mine"
    assert frozen.bazel(f"https://{host}/x").err == ""


def test_a_broken_first_store_is_passed_over_with_a_warning(frozen: Program, home: Home) -> None:
    path = write(home, KINDS["rattler"])
    truncated(path)
    write(home, KINDS["netrc"])
    answer = frozen.bazel("https://a.example/x")
    assert answer.authorization == basic("u", SECRET)
    assert clear(answer.err, path)


FUTURE = {
    "rattler": '{"a.example":{"Passkey":{"key":"K"}},"b.example":{"BearerToken":"t"}}',
    "uv": '[[credential]]\nservice = "https://a.example/"\nscheme = "passkey"\nkey = "K"\n\n'
    '[[credential]]\nservice = "https://b.example/"\nscheme = "bearer"\ntoken = "t"\n',
    "docker": '{"auths":{"a.example":["K"],"b.example":{"registrytoken":"t"}}}',
}


@pytest.mark.parametrize("name", FUTURE)
def test_an_entry_of_a_future_version_fails_for_its_own_host_alone(
    frozen: Program, home: Home, name: str
) -> None:
    path = home.write(KINDS[name].file, FUTURE[name])
    before = snapshot(home)
    assert frozen.bazel("https://b.example/x").authorization == "Bearer t"
    answer = frozen.bazel("https://a.example/x")
    assert (answer.code, answer.out) == (1, b"")
    assert clear(answer.err, path)
    assert snapshot(home) == before


def test_ambiguous_entries_are_an_error_that_says_what_to_do(frozen: Program, home: Home) -> None:
    kind = KINDS["uv"]
    path = home.write(kind.file, kind.content + kind.content.replace('"u"', '"v"'))
    answer = frozen.bazel("https://a.example/x")
    assert (answer.code, answer.out) == (1, b"")
    assert clear(answer.err, path)
    assert "user name into the URL" in answer.err
    assert frozen.bazel("https://v@a.example/x").authorization == basic("v", SECRET)


def test_what_a_killed_writer_left_is_not_read(frozen: Program, home: Home) -> None:
    home.write(".rattler/.credentials.json.credlatch", '{"a.example":{"BearerToken":"half')
    assert frozen.bazel("https://a.example/x").authorization is None
    assert frozen.docker("store", LOGIN).code == 0
    assert home.read_rattler().keys() == {"r.example"}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("action", ["store", "erase", "list"])
def test_a_broken_store_is_never_written(
    frozen: Program, home: Home, action: str, damage: Callable[[Path], None]
) -> None:
    path = write(home, KINDS["rattler"])
    damage(path)
    before = {k: v for k, v in snapshot(home).items() if k != str(path.parent)}
    answer = frozen.docker(action, LOGIN if action == "store" else "r.example")
    assert (answer.code, answer.err) == (1, ""), answer
    assert clear(answer.out.decode(), path), answer
    after = snapshot(home)
    assert {k: v for k, v in after.items() if k in before} == before
    assert set(after) - set(before) <= {str(path.parent), f"{path}.lock"}


def test_a_folder_that_cannot_be_made_is_a_clear_error(frozen: Program, home: Home) -> None:
    home.write(".rattler", "a file where the folder should be")
    answer = frozen.docker("store", LOGIN)
    assert (answer.code, answer.err) == (1, "")
    assert clear(answer.out.decode(), home.path / ".rattler/credentials.json")
    assert (home.path / ".rattler").read_text() == "a file where the folder should be"
