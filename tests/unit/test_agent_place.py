"""Where the agent's socket is, and where its callers' paths lead."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import place

if TYPE_CHECKING:
    from pathlib import Path

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

    here = place.world()
    assert here == place.world()
    root = os.stat("/")
    assert here.endswith(b" %d %d" % (root.st_dev, root.st_ino))
    if sys.platform == "linux":
        assert here.startswith(b"mnt:[")
    inside = tmp_path.stat()
    monkeypatch.setattr(posix, "stat", lambda _: inside)
    assert place.world() != here
    monkeypatch.undo()

    def absent(_: bytes) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(posix, "readlink", absent)
    assert place.world() == b" %d %d" % (root.st_dev, root.st_ino)


def test_another_name_space_of_mounts_is_another_world(monkeypatch: pytest.MonkeyPatch) -> None:
    import posix

    monkeypatch.setattr(posix, "stat", lambda _: SimpleNamespace(st_dev=1, st_ino=2))
    worlds = set()
    for number in (1, 2):
        monkeypatch.setattr(posix, "readlink", lambda _, number=number: b"mnt:[%d]" % number)
        worlds.add(place.world())
    assert worlds == {b"mnt:[1] 1 2", b"mnt:[2] 1 2"}
