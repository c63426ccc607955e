"""Where the single file may unpack itself, and where it must not."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from credlatch.bundle import places
from credlatch.bundle.places import Place
from credlatch.caller import Caller

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
