"""The name ``keyring``, by which uv, pip and pixi find us."""

from __future__ import annotations

import ntpath
import os
from typing import TYPE_CHECKING

import pytest

from credlatch.setup import links, record
from support.callers import caller_of
from support.wiring import refused

if TYPE_CHECKING:
    from support.wiring import Wiring


def test_it_is_made_beside_the_program_where_there_is_none_and_again_when_it_has_gone(
    wiring: Wiring,
) -> None:
    link = wiring.bin / "keyring"
    for _ in range(2):
        link.unlink(missing_ok=True)
        assert wiring("uv") == 0
        assert os.readlink(link) == "credlatch"
        assert f"+++ {link}\n@@ -0,0 +1 @@ symbolic link\n+credlatch\n" in wiring.said
    assert wiring("uv", "--undo") == 0
    assert f"--- {link}\n+++ /dev/null\n" in wiring.said
    assert not os.path.lexists(link)


def test_it_stays_for_as_long_as_one_tool_needs_it(wiring: Wiring) -> None:
    for tool in ("uv", "pip", "pixi"):
        assert wiring(tool) == 0
    link = wiring.bin / "keyring"
    for tool in ("uv", "pip"):
        assert wiring(tool, "--undo") == 0
        assert link.is_symlink()
    assert wiring("pixi", "--undo") == 0
    assert not os.path.lexists(link)


def test_one_that_somebody_has_made_is_used_and_stays(wiring: Wiring) -> None:
    (wiring.bin / "keyring").symlink_to(wiring.bin / "credlatch")
    assert wiring("uv") == 0
    assert "symbolic link" not in wiring.said
    assert wiring("uv", "--undo") == 0
    assert (wiring.bin / "keyring").is_symlink()


def another(wiring: Wiring, *, first: bool) -> str:
    other = wiring.home.write("other/keyring", "#!/bin/sh\n", 0o755)
    folders = [str(other.parent), wiring.home.env["PATH"]]
    wiring.home.env["PATH"] = os.pathsep.join(folders if first else folders[::-1])
    return str(other)


@pytest.mark.parametrize("tool", ["uv", "pip", "pixi"])
def test_another_program_of_that_name_stays_and_ours_is_put_before_it_when_told(
    wiring: Wiring, tool: str
) -> None:
    other = another(wiring, first=False)
    before = wiring.files()
    assert refused(wiring, tool) == (
        f"PATH finds another keyring, {other}: --replace puts credlatch's before it"
    )
    for words in (["--replace"], []):
        assert wiring(tool, *words) == 0
        assert (wiring.bin / "keyring").is_symlink()
    assert wiring(tool, "--undo") == 0
    assert wiring.files() == before


@pytest.mark.parametrize("options", [[], ["--replace"]])
def test_where_the_other_comes_first_path_must_change(wiring: Wiring, options: list[str]) -> None:
    other = another(wiring, first=True)
    assert refused(wiring, "uv", *options) == (
        f"PATH finds another keyring, {other}, before {wiring.bin}: "
        "put that folder first, and say --replace"
    )


@pytest.mark.parametrize("mode", [0o755, 0o644])
@pytest.mark.parametrize("options", [[], ["--replace"]])
def test_what_is_in_its_place_is_to_be_moved_away(
    wiring: Wiring, options: list[str], mode: int
) -> None:
    """As `pip install --user keyring` leaves it: no option puts ours before that."""
    wiring.home.write("bin/keyring", "#!/bin/sh\n", mode)
    assert refused(wiring, "uv", *options) == (
        f"{wiring.bin}/keyring is another program, in the place of credlatch's: move it away"
    )


def test_on_windows_a_name_of_ours_is_known_with_the_ending_that_path_finds_it_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "_EXE", ".exe")
    for function in ("basename", "normcase"):
        monkeypatch.setattr(os.path, function, getattr(ntpath, function))
    assert links.is_name_of_ours(r"C:\bin\keyring.exe", "credlatch.EXE")
    assert links.is_name_of_ours(r"C:\bin\keyring.exe", "credlatch.exe")
    assert not links.is_name_of_ours(r"C:\bin\keyring.exe", "another.exe")
    assert not links.is_name_of_ours(r"C:\bin\kubectl.exe", "credlatch.exe")


def test_a_record_is_not_beside_itself_however_its_folder_is_written(wiring: Wiring) -> None:
    for tool in ("uv", "pip"):
        assert wiring(tool) == 0
    folder = record.folder(caller_of(wiring.home))
    for written in (folder, f"{folder}/", f"{folder}//"):  # as Windows has / and \
        assert [each.path for each in record.others(f"{written}/uv.json")] == [f"{folder}/pip.json"]
