"""What a build says that it needs (build/needs.py), of files that are made up, and of real ones."""

from __future__ import annotations

import importlib.util
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.elf import AARCH64, Elf
from support.found import sure

if TYPE_CHECKING:
    from types import ModuleType

BUILD = Path(__file__).resolve().parents[2] / "build"
OLD = Elf(wants=(("libc.so.6", ("GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_2.3.4")),))
LIBM = Elf(
    needed=("libm.so.6", "libc.so.6"),
    wants=(("libm.so.6", ("GLIBC_2.29",)), ("libc.so.6", ("GLIBC_2.17",))),
)


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BUILD)
    spec = sure(importlib.util.spec_from_file_location("build_needs", BUILD / "needs.py"))
    module = importlib.util.module_from_spec(spec)
    sure(spec.loader).exec_module(module)
    return module


def folder(tmp_path: Path, **files: Elf) -> Path:
    inside = tmp_path / "program" / "_internal"
    inside.mkdir(parents=True)
    for name, elf in files.items():
        (inside / name).write_bytes(elf.content())
    (inside / "module.py").write_text("no program")
    return inside.parent


def test_the_floor_is_the_newest_glibc_that_any_file_asks_for(
    needs: ModuleType, tmp_path: Path
) -> None:
    program = folder(tmp_path, one=OLD, two=LIBM, static=Elf(needed=()))
    assert needs.of(program) == ("x86_64", (2, 29), ["_internal/two"], [], False)


def test_what_is_linked_with_musl_needs_no_glibc(
    needs: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = Elf(needed=("libc.so",))  # as linkers call it
    alpine = Elf(needed=("libone.so", "libc.musl-x86_64.so.1"))
    program = folder(tmp_path, alpine=alpine, **{"libone.so": named})
    assert needs.of(program) == ("x86_64", (), [], [], True)
    assert needs.main(["--musl", str(program)]) is None
    assert capsys.readouterr().out == f"{program}: x86_64, musl\n"
    assert needs.main([str(program)]).endswith(": it is linked with musl")


def test_what_is_linked_with_glibc_is_not_for_musl(needs: ModuleType, tmp_path: Path) -> None:
    program = folder(tmp_path, one=OLD)
    assert needs.main(["--musl", str(program)]).endswith(": it is not linked with musl")
    (program / "_internal" / "two").write_bytes(Elf(needed=("libc.so",)).content())
    assert needs.of(program).problems == ["it is linked with glibc and musl"]


def test_versions_are_numbers_and_no_texts(needs: ModuleType, tmp_path: Path) -> None:
    assert needs.of(folder(tmp_path, one=OLD)).glibc == (2, 14)


def test_the_versions_of_a_library_that_is_carried_are_not_glibc_s(
    needs: ModuleType, tmp_path: Path
) -> None:
    wants = (("libssl.so.3", ("OPENSSL_3.0.0",)), ("libc.so.6", ("GLIBC_2.4",)))
    program = folder(
        tmp_path, one=Elf(needed=("libssl.so.3", "libc.so.6"), wants=wants), **{"libssl.so.3": OLD}
    )
    assert needs.of(program) == ("x86_64", (2, 14), ["_internal/libssl.so.3"], [], False)


def test_a_program_that_needs_no_c_library_needs_no_glibc(
    needs: ModuleType, tmp_path: Path
) -> None:
    assert needs.of(folder(tmp_path, one=Elf(needed=()))) == ("x86_64", (), [], [], False)


PROBLEMS = {
    "another_machine": (Elf(AARCH64), "it is for aarch64 and x86_64"),
    "a_library_that_is_nowhere": (
        Elf(needed=("libcrypt.so.1",)),
        "_internal/bad needs libcrypt.so.1, which is not there",
    ),
    "a_folder_of_the_builder": (
        Elf(runpath="$ORIGIN/..:/home/build/lib"),
        "_internal/bad looks for libraries in /home/build/lib",
    ),
    "a_folder_that_only_looks_nearby": (
        Elf(runpath="$ORIGINAL/lib"),
        "_internal/bad looks for libraries in $ORIGINAL/lib",
    ),
    "the_current_folder": (
        Elf(runpath="$ORIGIN:"),
        "_internal/bad looks for libraries in the current folder",
    ),
    "what_one_glibc_alone_has": (
        Elf(wants=(("libc.so.6", ("GLIBC_PRIVATE",)),)),
        "_internal/bad needs what only one version of glibc has",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_must_not_be_is_told(needs: ModuleType, tmp_path: Path, name: str) -> None:
    elf, problem = PROBLEMS[name]
    program = folder(tmp_path, good=OLD, bad=elf)
    assert needs.of(program).problems == [problem]
    assert needs.main([str(program)]) == f"needs.py: {program}: {problem}"


def test_nearby_is_no_problem(needs: ModuleType, tmp_path: Path) -> None:
    program = folder(tmp_path, good=Elf(runpath="$ORIGIN/../lib:$ORIGIN"))
    assert needs.of(program).problems == []


def test_packed_relocations_take_a_glibc_that_knows_them(needs: ModuleType, tmp_path: Path) -> None:
    elf = Elf(wants=(("libc.so.6", ("GLIBC_2.2.5", "GLIBC_ABI_DT_RELR")),))
    assert needs.of(folder(tmp_path, one=elf)).glibc == (2, 36)


def test_the_most_that_it_may_need(
    needs: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = folder(tmp_path, one=OLD)
    for most in ("2.14", "2.17", "2.14.1"):
        assert needs.main(["--at-most", most, str(program)]) is None
    assert capsys.readouterr().out.startswith(f"{program}: x86_64, glibc 2.14: _internal/one\n")
    for most in ("2.13", "2.9", "2"):
        problem = f"needs.py: {program}: it needs glibc 2.14, and may need {most}"
        assert needs.main(["--at-most", most, str(program)]) == problem


@pytest.mark.parametrize(
    "words", [[], ["a", "b"], ["--at-most"], ["--at-most", "2.17"], ["--at-most", "x", "p"], ["-h"]]
)
def test_wrong_usage(needs: ModuleType, words: list[str]) -> None:
    assert needs.main(words) == "usage: needs.py [--at-most VERSION | --musl] PROGRAM"


def test_a_file_that_is_cut_off_or_changed_is_read_or_refused(needs: ModuleType) -> None:
    whole = LIBM.content()
    cut = [whole[:end] for end in range(6, len(whole))]
    changed = [
        whole[:at] + bytes([byte]) + whole[at + 1 :]
        for at in range(16, len(whole))
        for byte in (0, 1, 255)
    ]
    refused = 0
    for content in (*cut, *changed):  # no other error, and no hang
        try:
            needs.read(content)
        except ValueError:
            refused += 1
    assert len(cut) // 2 < refused < len(cut) + len(changed) // 2


@pytest.mark.parametrize("name", ["absent", "empty", "folder", "text"])
def test_what_is_no_program_is_told_in_one_line(
    needs: ModuleType, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("_internal/ is mentioned, and no more")
    said = needs.main([str(tmp_path / name)])
    assert said.startswith("needs.py: ")
    assert "\n" not in said


def test_a_single_file_is_seen_through(needs: ModuleType, tmp_path: Path) -> None:
    program = folder(tmp_path, one=OLD, two=LIBM)
    packed = needs.carry.payload(program, tmp_path).read_bytes()
    single = tmp_path / "single"
    # Another table of two files stands before it, which is no payload.
    launcher = Elf(needed=()).content() + struct.pack(">II?H", 2, 7, True, 11) + b"_internal/x"
    single.write_bytes(launcher + packed + b"what else the launcher has")
    assert needs.of(single) == ("x86_64", (2, 29), ["_internal/two"], [], False)


@pytest.mark.skipif(sys.platform != "linux", reason="ELF")
def test_this_python_is_read_as_it_is(needs: ModuleType) -> None:
    library = needs.read(Path(sys.executable).resolve().read_bytes())
    assert library.interpreter.rpartition("/")[2] in needs.GLIBCS
    assert "libc.so.6" in library.needed
    assert any(of in needs.GLIBCS for of, _ in library.versions)
