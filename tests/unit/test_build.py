"""What the build checks of itself: build/ is source too, and PyInstaller runs it unseen."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import credlatch

if TYPE_CHECKING:
    from types import ModuleType

BUILD = Path(__file__).resolve().parent.parent.parent / "build"
SOURCE = Path(credlatch.__file__).parent
NEEDED = [("lib/_socket.so", "", "EXTENSION"), ("lib/resource.so", "", "EXTENSION")]


def part(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"build_{name}", BUILD / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_quick_client_has_all_that_it_imports() -> None:
    part("quick").see_that_all_is_there(SOURCE, BUILD, NEEDED)


@pytest.mark.parametrize("missing", range(len(NEEDED)))
def test_a_form_without_something_that_it_imports_is_not_built(missing: int) -> None:
    there = [entry for number, entry in enumerate(NEEDED) if number != missing]
    if Path(NEEDED[missing][0]).stem in sys.builtin_module_names:
        pytest.skip("this Python has it built in")
    with pytest.raises(SystemExit, match=Path(NEEDED[missing][0]).stem):
        part("quick").see_that_all_is_there(SOURCE, BUILD, there)


def test_a_module_that_nobody_put_in_first_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    for name in ("wire", "place", "peer", "client"):
        (tmp_path / "agent" / f"{name}.py").write_text("import sys\n")
    (tmp_path / "agent" / "peer.py").write_text(
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import typing\n"
        "def late():\n    from credlatch.agent.extra import x\n"
    )
    with pytest.raises(SystemExit, match=r"credlatch\.agent\.extra") as raised:
        part("quick").see_that_all_is_there(tmp_path, BUILD, NEEDED)
    assert "typing" not in str(raised.value)


def test_the_quick_client_is_not_there_twice() -> None:
    names = ["credlatch.agent", "credlatch.agent.client", "credlatch.agent.server", "credlatch.cli"]
    kept = part("quick").without([(name, "", "PYMODULE") for name in names])
    assert [name for name, _, _ in kept] == [
        "credlatch.agent", "credlatch.agent.server", "credlatch.cli"
    ]  # fmt: skip


def test_a_build_s_identity_changes_with_whatever_it_is_made_of(tmp_path: Path) -> None:
    carry = part("carry")
    file = tmp_path / "file"
    file.write_text("one")

    def identity(name: str = "name", pyinstaller: str = "6") -> str:
        return str(carry.identity(BUILD, pyinstaller, [(name, str(file), "BINARY")]))

    first = identity()
    assert len(first) == 16
    assert first == identity()
    file.write_text("two")
    assert len({first, identity(), identity("other"), identity(pyinstaller="7")}) == 4


def test_two_archives_of_the_same_files_are_equal(tmp_path: Path) -> None:
    carry = part("carry")
    archives = []
    for number in range(2):
        folder = tmp_path / str(number)
        (folder / "_internal").mkdir(parents=True)
        for name in ("b", "a")[:: 1 - 2 * number]:
            (folder / "_internal" / name).write_text(name)
        name, path, kind = carry.archive(folder, "0" * 16, folder.parent)
        assert (name, kind) == (f"{'0' * 16}.tar.gz", "PKG")
        archives.append(Path(path).read_bytes())
    assert archives[0] == archives[1]
