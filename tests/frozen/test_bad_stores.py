"""A store that is broken: one clear line, never an anonymous request, and never a changed store.

Each store with each damage is what tests/support/stores_contract.py is about.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from support.every_store import STORES, URL
from support.logins import docker_refusal, refusal, warning
from support.matching import basic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home
    from support.program import Program

HOST = "host.example"
LOGIN = {"ServerURL": "r.example", "Username": "bob", "Secret": "pw"}
RATTLER = "a token of pixi's"
# Those that are files.
KINDS = [RATTLER, "uv", "pyx", "Posit", "netrc", "Docker"]


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
    os.truncate(path, path.stat().st_size * 2 // 3)


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


def write(home: Home, name: str) -> Path:
    """A store, and the file that it is."""
    STORES[name].write(home)
    (path,) = (path for path in home.path.rglob("*") if path.is_file())
    return path


def names(line: str, path: Path, name: str = RATTLER) -> bool:
    """Whether a line names a file, and nothing of what is in it."""
    return str(path) in line and STORES[name].secret not in line


@pytest.mark.parametrize(
    ("name", "damage"), [*((RATTLER, each) for each in DAMAGE), *((each, folder) for each in KINDS)]
)
def test_it_is_a_failure_in_both_protocols_and_stays_as_it_is(
    frozen: Program, home: Home, name: str, damage: Callable[[Path], None]
) -> None:
    path = write(home, name)
    damage(path)
    before = snapshot(home)
    assert names(refusal(frozen.bazel(URL)), path, name)
    key = HOST if name != "pyx" else URL
    assert names(docker_refusal(frozen.docker("get", key)), path, name)
    assert snapshot(home) == before


def test_one_that_others_may_read_is_used_with_a_warning(frozen: Program, home: Home) -> None:
    path = write(home, "netrc")
    path.chmod(0o644)
    answer = frozen.bazel(URL)
    assert answer.authorization is not None
    assert answer.err == f"credlatch: {path} can be read by other users: chmod 600 {path}\n"


def test_a_broken_one_does_not_hide_what_another_store_has(frozen: Program, home: Home) -> None:
    folder(write(home, "Docker"))
    home.env["CREDLATCH_TOKEN_HOST_EXAMPLE"] = "mine"
    answer = frozen.bazel(URL)
    assert (answer.authorization, answer.err) == ("Bearer mine", "")


def test_a_broken_first_store_is_passed_over_with_a_warning(frozen: Program, home: Home) -> None:
    path = write(home, RATTLER)
    truncated(path)
    STORES["netrc"].write(home)
    answer = frozen.bazel(URL)
    assert answer.authorization == basic("bob", "p: w")
    assert names(warning(answer), path)


FUTURE = {
    ".rattler/credentials.json": (
        '{"a.example":{"Passkey":{"key":"K"}},"b.example":{"BearerToken":"t"}}'
    ),
    ".local/share/uv/credentials/credentials.toml": (
        '[[credential]]\nservice = "https://a.example/"\nscheme = "passkey"\nkey = "K"\n\n'
        '[[credential]]\nservice = "https://b.example/"\nscheme = "bearer"\ntoken = "t"\n'
    ),
    ".docker/config.json": '{"auths":{"a.example":["K"],"b.example":{"registrytoken":"t"}}}',
}


@pytest.mark.parametrize("name", FUTURE)
def test_an_entry_of_a_future_version_fails_for_its_own_host_alone(
    frozen: Program, home: Home, name: str
) -> None:
    path = home.write(name, FUTURE[name])
    before = snapshot(home)
    assert frozen.bazel("https://b.example/x").authorization == "Bearer t"
    assert names(refusal(frozen.bazel("https://a.example/x")), path)
    assert snapshot(home) == before


def test_ambiguous_entries_are_an_error_that_says_what_to_do(frozen: Program, home: Home) -> None:
    path = write(home, "uv")
    path.write_text(path.read_text() + path.read_text().replace('"bob"', '"v"'))
    said = refusal(frozen.bazel(URL))
    assert names(said, path, "uv")
    assert "user name into the URL" in said
    assert frozen.bazel(URL.replace("//", "//v@")).authorization == basic("v", "p: w")


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
    path = write(home, RATTLER)
    damage(path)
    before = {k: v for k, v in snapshot(home).items() if k != str(path.parent)}
    answer = frozen.docker(action, LOGIN if action == "store" else "r.example")
    assert names(docker_refusal(answer), path)
    after = snapshot(home)
    assert {k: v for k, v in after.items() if k in before} == before
    assert set(after) - set(before) <= {str(path.parent), f"{path}.lock"}


def test_a_folder_that_cannot_be_made_is_a_clear_error(frozen: Program, home: Home) -> None:
    home.write(".rattler", "a file where the folder should be")
    said = docker_refusal(frozen.docker("store", LOGIN))
    assert names(said, home.path / ".rattler/credentials.json")
    assert (home.path / ".rattler").read_text() == "a file where the folder should be"
