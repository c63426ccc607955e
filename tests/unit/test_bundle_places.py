"""Where the single file may unpack itself, and where it must not."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from credlatch.bundle import places
from credlatch.bundle.places import Place
from credlatch.caller import Caller
from support.users import ADA, as_root
from support.users import folder as make_folder

if TYPE_CHECKING:
    from pathlib import Path

UID = os.getuid()
TEMPORARY = f"/tmp/credlatch-{UID}/run"  # noqa: S108 - a name only


def order(**environ: str) -> list[str]:
    return [place.path for place in places.places(Caller(environ, "/there"))]


def test_the_cache_comes_first_then_the_runtime_folder_then_temporary_ones() -> None:
    found = order(HOME="/h", XDG_RUNTIME_DIR="/r", TMPDIR="/t")
    assert found == [
        "/h/.cache/credlatch/run", "/r/credlatch/run", f"/t/credlatch-{UID}/run", TEMPORARY
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "first"),
    [
        ({}, TEMPORARY),
        ({"HOME": "", "XDG_CACHE_HOME": ""}, TEMPORARY),
        ({"XDG_CACHE_HOME": "relative"}, TEMPORARY),
        ({"XDG_CACHE_HOME": "/c"}, "/c/credlatch/run"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "relative"}, "/h/.cache/credlatch/run"),
        ({"HOME": "h"}, "/there/h/.cache/credlatch/run"),
        ({"XDG_RUNTIME_DIR": "relative"}, TEMPORARY),
        ({"TMPDIR": "relative"}, TEMPORARY),
    ],
)
def test_what_names_no_folder_is_passed_over(environ: dict[str, str], first: str) -> None:
    assert order(**environ)[0] == first


def test_the_same_temporary_folder_is_tried_once() -> None:
    assert order(TMPDIR="/tmp") == [TEMPORARY]  # noqa: S108 - a name only


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "base"
    base.mkdir(mode=0o755)
    return base


def refused(place: Place) -> str:
    with pytest.raises(OSError, match=r".") as raised:
        place.secure()
    return raised.value.strerror or ""


def test_folders_of_ours_are_made_for_this_user_alone(base: Path) -> None:
    run = Place(str(base), "credlatch").secure()

    assert run == str(base.resolve() / "credlatch" / "run")
    for folder in (base / "credlatch", base / "credlatch" / "run"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(base.stat().st_mode) == 0o755  # which is not ours
    assert Place(str(base), "credlatch").secure() == run


def test_only_a_cache_is_made_and_never_a_home(base: Path) -> None:
    assert Place(str(base / ".cache"), "credlatch", make=True).secure()
    assert "no such file" in refused(Place(str(base / "runtime"), "credlatch")).lower()
    gone = Place(str(base / "home" / ".cache"), "credlatch", make=True)
    assert "no such file" in refused(gone).lower()
    assert not (base / "home").exists()


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_folder_that_others_may_change_is_refused(base: Path, mode: int) -> None:
    base.chmod(mode)
    assert "may change" in refused(Place(str(base), "credlatch"))
    below = base / "below"
    below.mkdir()
    assert str(base) in refused(Place(str(below), "credlatch"))


def test_a_sticky_folder_of_all_is_fine(base: Path) -> None:
    base.chmod(0o1777)
    assert Place(str(base), "credlatch").secure()


def test_what_is_another_user_s_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Place(str(base), "credlatch").secure()
    monkeypatch.setattr("os.getuid", lambda: UID + 1)
    if UID == 0:  # whom everybody trusts
        monkeypatch.setattr(places, "_see_that_only_we_change", lambda _: None)
    assert "another user's" in refused(Place(str(base), "credlatch"))


def test_links_are_followed_above_ours_and_not_in_it(base: Path) -> None:
    (base / "elsewhere").mkdir(mode=0o700)
    (base / "link").symlink_to("elsewhere")
    run = Place(str(base / "link"), "credlatch").secure()
    assert run == str(base.resolve() / "elsewhere" / "credlatch" / "run")

    (base / "credlatch").symlink_to("elsewhere")
    assert refused(Place(str(base), "credlatch"))
    (base / "ours").mkdir(mode=0o700)
    (base / "ours" / "run").symlink_to("../elsewhere")
    assert "not a folder" in refused(Place(str(base), "ours"))


def test_our_folder_is_closed_and_that_of_the_programs_must_be(base: Path) -> None:
    ours = base / "credlatch"
    ours.mkdir()
    ours.chmod(0o777)
    run = Place(str(base), "credlatch").secure()
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700

    os.chmod(run, 0o750)  # noqa: S103 - that is the point
    assert "not this user's alone" in refused(Place(str(base), "credlatch"))


def test_a_disk_on_which_nothing_may_run_is_refused(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Disk:
        f_flag = os.ST_NOEXEC

    monkeypatch.setattr("os.statvfs", lambda _: Disk)
    assert "noexec" in refused(Place(str(base), "credlatch"))


@as_root
def test_root_makes_no_cache_in_another_user_s_home(tmp_path: Path) -> None:
    home = make_folder(tmp_path / "home", ADA)
    with pytest.raises(PermissionError, match="another user's"):
        Place(str(home / ".cache"), "credlatch", make=True).secure()
    assert list(home.iterdir()) == []
