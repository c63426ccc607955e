"""The launcher's parts: what they make of words, environments, paths and agents' answers."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from devtools import fuzz

from credlatch import clients
from credlatch.agent import place
from support import launcher
from support.bound import listening
from support.components import need
from support.users import ADA, EVE, as_root, folder, owned

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = 50_000
CALLS = 20_000
WORDS = [
    "", "get", "set", "del", "store", "erase", "--", "-h", "--help", "--read-only", "https://a",
    "--cargo-plugin", "ü", "x y", *clients.CLIENTS,
]  # fmt: skip
NAMES = [
    "credlatch", "/usr/bin/credlatch.exe", "docker-credential-", "docker-credential-x.exe",
    "/a/git-credential-credlatch", "git-credential", "keyring", "keyring.exe", "./keyring", "",
    "keyringx", ".exe", "a/",
]  # fmt: skip


def test_made_up_answers_environments_and_words_break_nothing() -> None:
    done = launcher.run(str(CASES), "1")
    assert done.stdout == b"%d cases\n" % CASES


def test_it_takes_a_call_for_the_question_that_the_table_of_clients_has() -> None:
    chance = random.Random(10)  # noqa: S311 - to be repeated, not to be secret
    calls = [
        [chance.choice(NAMES), *chance.choices(WORDS, k=chance.randrange(5))] for _ in range(CALLS)
    ]
    said = launcher.run("words", stdin="".join("\t".join(call) + "\n" for call in calls).encode())
    for call, line in zip(calls, said.stdout.decode().split("\n"), strict=False):
        asked = clients.question(call)
        if asked is None:
            assert line == "-", call
            continue
        protocol, words = asked
        assert line.split(" ")[:2] == [protocol.decode(), "input" if words is None else "words"]
        if words is not None:
            assert line.split(" ")[2] == str(words.count(b"\0") + 1)


@pytest.mark.parametrize(
    "runtime",
    [
        b"/run/user/1000", b"/run/user/1000///", b"/caf\xe9", b"/" + b"x" * 58, b"/" + b"x" * 59,
        b"/", b"", b"run", b"./run", None,
    ],
)  # fmt: skip
def test_its_socket_is_where_the_agent_makes_it(runtime: bytes | None) -> None:
    environ = {} if runtime is None else {b"XDG_RUNTIME_DIR": runtime}
    said = launcher.run("socket", environ=environ).stdout
    assert said == place.socket(environ, os.getuid(), fuzz.BUILD) + b"\n"


def test_it_tells_where_its_paths_lead_as_the_agent_does() -> None:
    assert launcher.run("namespace").stdout == place.mount_namespace() + b"\n"


@pytest.mark.parametrize("mode", [0o700, 0o500, 0o710, 0o701, 0o770, 0o755, 0o1777])
def test_a_socket_is_the_agent_s_in_a_folder_closed_to_others(open_folder: Path, mode: int) -> None:
    path = open_folder / "credlatch"
    path.mkdir()
    path.chmod(mode)
    assert launcher.holds("own", listening(path / "s")) is (mode & 0o077 == 0)


@pytest.mark.parametrize(("mode", "holds"), [(0o777, False), (0o770, False), (0o1777, True)])
def test_nor_where_others_can_move_the_folder_away(
    open_folder: Path, mode: int, *, holds: bool
) -> None:
    (open_folder / "credlatch").mkdir(mode=0o700)
    open_folder.chmod(mode)
    assert launcher.holds("own", listening(open_folder / "credlatch/s")) is holds


def test_no_link_is_the_agent_s_folder_or_socket(open_folder: Path) -> None:
    (open_folder / "real").mkdir(mode=0o700)
    listening(open_folder / "real/s")
    (open_folder / "link").symlink_to("real")
    (open_folder / "real/link").symlink_to("s")
    assert launcher.holds("own", open_folder / "real/s")
    assert not launcher.holds("own", open_folder / "link/s")
    assert not launcher.holds("own", open_folder / "real/link")
    assert launcher.holds("named", open_folder / "real/link")


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo, None])
def test_what_is_no_socket_is_none(open_folder: Path, make: Callable[[Path], None] | None) -> None:
    (open_folder / "credlatch").mkdir(mode=0o700)
    path = open_folder / "credlatch/s"
    if make is not None:
        make(path)
    assert not launcher.holds("own", path)
    assert not launcher.holds("named", path)


@as_root
def test_another_user_s_folder_socket_or_link_is_not_the_caller_s(open_folder: Path) -> None:
    ours = folder(open_folder / "credlatch", 0, 0o700)
    theirs = folder(open_folder / "theirs", EVE, 0o700)
    assert not launcher.holds("own", owned(listening(ours / "s"), EVE))
    assert not launcher.holds("own", listening(theirs / "s"))
    inner = folder(theirs / "credlatch", 0, 0o700)
    assert not launcher.holds("own", listening(inner / "s"))
    (ours / "link").symlink_to(listening(ours / "t"))
    assert launcher.holds("named", ours / "link")
    assert not launcher.holds("named", owned(ours / "link", EVE))


@pytest.fixture
def for_all(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program where other users can run it."""
    copy = shutil.copy(fuzz.program(need("gcc")), open_folder / "launcher")
    monkeypatch.setattr(fuzz, "program", lambda _: Path(copy))


@as_root
@pytest.mark.usefixtures("for_all")
@pytest.mark.parametrize("caller", [0, ADA])
@pytest.mark.parametrize("listener", [0, ADA, EVE])
def test_who_may_listen_at_a_path_in_tmp(open_folder: Path, caller: int, listener: int) -> None:
    path = listening(folder(open_folder / "tmp", 0, 0o1777) / "s")
    believed = launcher.holds("believes", path, str(listener), uid=caller)
    assert believed is (listener in {caller, 0})


@as_root
@pytest.mark.usefixtures("for_all")
@pytest.mark.parametrize(
    ("owner", "mode", "believed"),
    [
        (0, 0o755, True),
        (0, 0o775, False),
        (EVE, 0o700, True),
        (EVE, 0o777, True),
        (ADA, 0o755, False),
    ],
)
def test_root_believes_another_user_where_only_they_or_root_can_have_put_it(
    open_folder: Path, owner: int, mode: int, *, believed: bool
) -> None:
    def holds(path: Path, uid: int = 0) -> bool:
        return launcher.holds("believes", path, str(EVE), uid=uid)

    path = listening(folder(open_folder / "run", owner, mode) / "s")
    assert holds(path) is believed
    assert not holds(path, ADA)
    tmp = folder(open_folder / "tmp", 0, 0o1777)
    assert holds(listening(folder(tmp / "run", owner, mode) / "s")) is (believed and owner == 0)
    (tmp / "link").symlink_to(open_folder / "run")
    owned(tmp / "link", EVE)
    assert not holds(tmp / "link/s")
