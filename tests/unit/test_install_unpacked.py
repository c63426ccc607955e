"""Where single files unpack themselves, which `uninstall` has to know."""

from __future__ import annotations

import os
import sys

import pytest

from credlatch.caller import Caller
from credlatch.install import unpacked

UID = os.getuid()
TEMPORARY = f"/tmp/credlatch-{UID}/run"  # noqa: S108 - a name only


def order(**environ: str) -> list[str]:
    return [place.path for place in unpacked.places(Caller(environ, "/there"))]


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


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LOCALAPPDATA": "/l", "TEMP": "/t"}, ["/l/credlatch/run", "/t/credlatch/run"]),
        ({"USERPROFILE": "/h"}, ["/h/.cache/credlatch/run"]),
    ],
)
def test_on_windows_it_is_the_profile_s_folder_then_the_temporary_one(
    environ: dict[str, str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert order(**environ) == expected
