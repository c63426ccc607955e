"""What `dev` says of Pythons with which it cannot do what it is asked for: at once."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from devtools import commands, reproduce
from devtools.answering import see_that_it_answers

ROOT = Path(__file__).resolve().parents[2]


def version(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    numbers = tuple(map(int, text.split(".")))
    monkeypatch.setattr(sys, "version_info", (*numbers, "final", 0))
    monkeypatch.setattr(sys, "version", f"{text} (main)")


@pytest.mark.parametrize("python", ["2.7.18", "3.6.15", "3.10.13"])
def test_older_pythons_are_told_before_anything_is_imported(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "devtools.commands", raising=False)
    version(monkeypatch, python)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "dev"), run_name="__main__")
    assert ended.value.code == (
        f"dev: needs Python 3.11 or newer; this is {python}: run `PYTHON dev ...` with a newer one"
    )
    assert "devtools.commands" not in sys.modules


def program(folder: Path, does: str) -> Path:
    path = folder / "credlatch"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path


ANSWERS = 'cat >/dev/null; echo \'{"headers": {"Authorization": ["Basic d2hvOnA="]}}\''
DOES_NOT = "cat >/dev/null; echo 'credlatch: internal error: ModuleNotFoundError' >&2; exit 1"


def test_a_program_that_answers_is_built(tmp_path: Path) -> None:
    see_that_it_answers(program(tmp_path, f'test -s "$NETRC" && {ANSWERS}'))


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (DOES_NOT, "credlatch: internal error: ModuleNotFoundError"),
        ("cat >/dev/null; echo '{\"headers\": {}}'", '{"headers": {}}'),
        ("cat >/dev/null; exit 139", "Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_program_that_does_not_answer_is_told_in_one_line(
    does: str, why: str, tmp_path: Path
) -> None:
    broken = program(tmp_path, does)
    python = sys.version.split()[0]
    with pytest.raises(SystemExit) as ended:
        see_that_it_answers(broken)
    said = f"dev: {broken}, built with Python {python}, does not answer: {why}"
    assert ended.value.code == said


@pytest.mark.parametrize("broken", ["credlatch.d", "."])
def test_a_form_that_does_not_answer_is_not_built(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered: list[object] = []
    monkeypatch.setattr(commands, "DIST", tmp_path)
    monkeypatch.setattr(commands, "remember", lambda **changes: remembered.append(changes["built"]))
    for name in ("system", "environment", "must"):
        monkeypatch.setattr(commands, name, lambda *_, **__: Path(sys.executable))
    for form in ("credlatch.d", "."):
        program(tmp_path / form, DOES_NOT if form == broken else ANSWERS)
    with pytest.raises(SystemExit, match="ModuleNotFoundError"):
        commands.build([])
    assert remembered == [None]
    program(tmp_path / broken, ANSWERS)
    assert commands.build([]) == 0
    assert remembered[-1] == commands.built()


def test_a_build_that_is_not_the_same_twice_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reproduce, "_WORK", tmp_path / "work")
    for name in ("one", "another"):
        program(tmp_path / name / "credlatch.d", ANSWERS)
        (tmp_path / name / "credlatch.d" / "library").write_text("same")
        (tmp_path / name / "credlatch.cdx.json").write_text("{}")
    folders: list[Path] = []
    monkeypatch.setattr(reproduce, "_built", lambda *_: reproduce.contents(folders.pop()))

    def reproduced() -> tuple[int, list[str]]:
        folders[:] = [tmp_path / "one", tmp_path / "another"]
        return reproduce.reproduce("python"), capsys.readouterr().err.splitlines()

    assert reproduced() == (0, ["dev: all 3 files are the same in both"])
    (tmp_path / "one" / "credlatch.d" / "library").write_text("Same")
    (tmp_path / "one" / "credlatch.d" / "credlatch").chmod(0o600)
    (tmp_path / "another" / "more").write_text("")
    differing = ["credlatch.d/credlatch", "credlatch.d/library", "more"]
    assert reproduced() == (1, ["dev: not the same in both:", *differing])


def test_the_two_surroundings_differ_in_all_that_a_build_may_notice() -> None:
    one, another = reproduce._BOTH
    assert len(one.place.parts) != len(another.place.parts)
    assert one.umask != another.umask
    assert one.environ.keys() == another.environ.keys()
    assert not set(one.environ.items()) & set(another.environ.items())


LEAVES_A_DAEMON = """
import sys
from devtools.descendants import run_and_end_all
sys.exit(run_and_end_all("sh", "-c", "setsid sh -c 'sleep 1000; true' & exit 3"))
"""


def test_tests_that_leave_a_daemon_behind_end_all_the_same() -> None:
    words = [sys.executable, "-c", LEAVES_A_DAEMON]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=300)
    assert done.returncode == 3
    told = re.search(rb"^dev: ending what has been left running: (\w+) \(process ", done.stderr)
    assert told is not None, done.stderr
    assert told[1] in {b"sh", b"setsid"}  # which becomes the other, on a busy machine a bit later
