"""Why there is no agent: what a person is told, and can do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import by_socket, place, trouble
from support.users import EVE, as_root, owned

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = "set XDG_RUNTIME_DIR to a folder of your own"


def said(path: Path) -> str:
    return trouble.with_folder(os.fsencode(path), os.getuid())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "Credlatch"
    path.mkdir(mode=0o700)
    return path


def test_of_what_is_as_it_should_be_nothing_is_said(folder: Path) -> None:
    assert said(folder) == ""
    assert said(folder / "not-yet") == ""


def test_a_folder_that_is_open_is_to_be_closed(folder: Path) -> None:
    folder.chmod(0o750)
    assert said(folder) == f"{folder} is open to others: chmod 700 {folder}"
    folder.chmod(0o700)
    folder.parent.chmod(0o777)
    assert said(folder) == f"others can put another in the place of {folder}: {ELSEWHERE}"


def test_what_is_no_folder_is_to_be_removed(folder: Path) -> None:
    (folder / "link").symlink_to("nothing")
    (folder / "file").touch()
    assert said(folder / "link").startswith(f"{folder}/link is a link: have it removed, or ")
    assert said(folder / "file").startswith(f"{folder}/file is no folder: have it removed, or ")


def test_where_none_can_be_made_another_place_is_named(folder: Path) -> None:
    why = said(folder / "not" / "there")
    assert why == f"{folder}/not cannot be looked at (no such file or directory): {ELSEWHERE}"
    (folder / "file").touch()
    assert said(folder / "file" / "x").startswith(f"{folder}/file/x cannot be looked at (not a ")


@as_root
def test_another_user_is_named(folder: Path) -> None:
    """In /tmp that user may be first; and su and sudo hand their own runtime folder on."""
    owned(folder, EVE)
    assert said(folder) == (
        f"{folder} is another user's (uid {EVE}): have its owner or root remove it, or {ELSEWHERE}"
    )
    assert said(folder / "x") == f"{folder} is another user's (uid {EVE}): {ELSEWHERE}"
    with pytest.raises(PermissionError) as failure:
        by_socket.private(os.fsencode(folder / "x"))
    assert failure.value.strerror == said(folder / "x")
    with pytest.raises(PermissionError) as failure:
        by_socket.private(os.fsencode(folder))
    assert failure.value.strerror == said(folder)


@pytest.mark.parametrize("mode", [0o700, 0o701, 0o710, 0o755, 0o777, 0o1777])
@pytest.mark.parametrize("above", [0o700, 0o755, 0o777, 0o1777])
def test_something_is_said_of_just_what_is_not_believed(
    folder: Path, mode: int, above: int
) -> None:
    folder.chmod(mode)
    folder.parent.chmod(above)
    assert bool(said(folder)) != place.is_private(os.fsencode(folder), os.getuid())
