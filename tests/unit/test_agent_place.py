"""Where the agent's socket is, and where its callers' paths lead."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import place
from support.bound import listening
from support.users import EVE, as_root, folder, owned

if TYPE_CHECKING:
    from collections.abc import Callable

BUILD = "0123456789abcdef"
LONGEST = 104  # bytes of a socket's path with its final zero, on the system that allows least
UID = 4_294_967_294


@pytest.mark.parametrize(
    ("runtime", "folder"),
    [
        (b"/run/user/1000", b"/run/user/1000/credlatch"),
        (b"/run/user/1000/", b"/run/user/1000/credlatch"),
        (b"/caf\xe9", b"/caf\xe9/credlatch"),
        (b"/" + b"x" * 58, b"/" + b"x" * 58 + b"/credlatch"),
        (b"/" + b"x" * 59, b"/tmp/credlatch-1000"),
        (b"", b"/tmp/credlatch-1000"),
        (b"run", b"/tmp/credlatch-1000"),
        (b"./run", b"/tmp/credlatch-1000"),
        (None, b"/tmp/credlatch-1000"),
    ],
)
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_the_runtime_folder(
    monkeypatch: pytest.MonkeyPatch, system: str, runtime: bytes | None, folder: bytes
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    environ = {} if runtime is None else {b"XDG_RUNTIME_DIR": runtime}
    assert place.folder(environ, 1000) == folder
    assert place.socket(environ, 1000, BUILD) == folder + b"/0123456789abcdef.sock"


@pytest.mark.parametrize(
    ("temporary", "folder"),
    [
        (b"/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/",
         b"/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/credlatch-501"),
        (b"/" + b"x" * 50, b"/tmp/credlatch-501"),
        (b"T", b"/tmp/credlatch-501"),
        (b"", b"/tmp/credlatch-501"),
    ],
)  # fmt: skip
def test_on_macos_each_user_has_a_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, temporary: bytes, folder: bytes
) -> None:
    environ = {b"TMPDIR": temporary}
    monkeypatch.setattr(sys, "platform", "darwin")
    assert place.folder(environ, 501) == folder
    monkeypatch.setattr(sys, "platform", "linux")
    assert place.folder(environ, 501) == b"/tmp/credlatch-501"


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("name", [b"XDG_RUNTIME_DIR", b"TMPDIR"])
def test_no_path_is_longer_than_a_socket_s_may_be(
    monkeypatch: pytest.MonkeyPatch, system: str, name: bytes
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    longest = max(
        len(place.socket({name: b"/" + b"x" * length}, UID, BUILD)) for length in range(200)
    )
    assert longest + len(b".new") < LONGEST  # the agent makes it by that name


def test_the_world_is_the_root_folder_and_the_mounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import posix

    here = place.mount_namespace()
    assert here == place.mount_namespace()
    root = os.stat("/")
    assert here.endswith(b" %d %d" % (root.st_dev, root.st_ino))
    if sys.platform == "linux":
        assert here.startswith(b"mnt:[")
    inside = tmp_path.stat()
    monkeypatch.setattr(posix, "stat", lambda _: inside)
    assert place.mount_namespace() != here
    monkeypatch.undo()

    def absent(_: bytes) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(posix, "readlink", absent)
    assert place.mount_namespace() == b" %d %d" % (root.st_dev, root.st_ino)


def test_another_name_space_of_mounts_is_another_world(monkeypatch: pytest.MonkeyPatch) -> None:
    import posix

    monkeypatch.setattr(posix, "stat", lambda _: SimpleNamespace(st_dev=1, st_ino=2))
    worlds = set()
    for number in (1, 2):
        monkeypatch.setattr(posix, "readlink", lambda _, number=number: b"mnt:[%d]" % number)
        worlds.add(place.mount_namespace())
    assert worlds == {b"mnt:[1] 1 2", b"mnt:[2] 1 2"}


def private(path: Path) -> bool:
    return place.is_private(os.fsencode(path), os.getuid())


def own(path: Path) -> bool:
    return place.is_own_socket(os.fsencode(path), os.getuid())


@pytest.mark.parametrize("mode", [0o700, 0o500, 0o710, 0o701, 0o770, 0o755, 0o1777])
def test_a_folder_is_private_when_it_is_closed_to_others(open_folder: Path, mode: int) -> None:
    path = open_folder / "credlatch"
    path.mkdir()
    path.chmod(mode)
    listening(path / "s")
    assert private(path) is own(path / "s") is (mode & 0o077 == 0)


@pytest.mark.parametrize(("mode", "holds"), [(0o777, False), (0o770, False), (0o1777, True)])
def test_a_folder_that_others_can_move_away_is_not_private(
    open_folder: Path, mode: int, *, holds: bool
) -> None:
    (open_folder / "credlatch").mkdir(mode=0o700)
    open_folder.chmod(mode)
    assert private(open_folder / "credlatch") is holds


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo])
def test_what_is_no_socket_is_none(open_folder: Path, make: Callable[[Path], None]) -> None:
    (open_folder / "credlatch").mkdir(mode=0o700)
    path = open_folder / "credlatch/s"
    make(path)
    assert not own(path)


def test_no_link_is_the_agent_s_folder_or_socket(open_folder: Path) -> None:
    (open_folder / "real").mkdir(mode=0o700)
    listening(open_folder / "real/s")
    (open_folder / "link").symlink_to("real")
    (open_folder / "real/link").symlink_to("s")
    assert own(open_folder / "real/s")
    assert not private(open_folder / "link")
    assert not own(open_folder / "link/s")
    assert not own(open_folder / "real/link")
    for look in (private, own):
        with pytest.raises(FileNotFoundError):
            look(open_folder / "gone")


@as_root
def test_another_user_s_folder_or_socket_is_not_the_caller_s(open_folder: Path) -> None:
    ours = folder(open_folder / "credlatch", 0, 0o700)
    theirs = folder(open_folder / "theirs", EVE, 0o700)
    assert not own(owned(listening(ours / "s"), EVE))
    assert not private(theirs)
    assert not own(listening(theirs / "s"))
    assert not private(folder(theirs / "credlatch", 0, 0o700))
