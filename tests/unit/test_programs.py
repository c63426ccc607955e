"""Programs are found on PATH, and nowhere else: the working directory may be somebody else's."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.errors import ProgramError
from credlatch.system import programs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody else's folder, where we are called, with programs of the names that we look for."""
    folder = tmp_path / "project"
    for name in ("helper", "helper.exe", "helper.cmd"):
        program(folder, name)
        program(folder / "bin", name)
    monkeypatch.chdir(folder)
    return folder


def program(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("path", ["", ".", "bin", os.pathsep, f".{os.pathsep}bin{os.pathsep}"])
def test_the_working_directory_is_not_looked_in(
    system: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    ours = program(tmp_path / "bin", "helper.exe" if system == "win32" else "helper")
    environ = {"PATHEXT": os.pathsep.join((".com", ".exe", ".cmd")), "PATH": path}
    assert programs.found("helper", environ) is None
    environ["PATH"] = f"{path}{os.pathsep}{tmp_path / 'bin'}"
    assert programs.found("helper", environ) == ours
    # Of a helper that a configuration names: its folder would be a project's.
    environ["PATH"] += f"{os.pathsep}{tmp_path}"
    for name in ("./helper", "bin/helper", "bin/../helper"):
        assert programs.found(name, environ) is None


@pytest.mark.usefixtures("project")
def test_on_windows_the_folder_counts_first_and_then_the_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    one, two = tmp_path / "one", tmp_path / "two"
    last, later = program(one, "helper.cmd"), program(two, "helper.exe")
    program(one, "helper")  # nothing that Windows starts
    endings = {"PATHEXT": os.pathsep.join((".com", ".exe", ".cmd", ""))}
    environ = {"PATH": f"{one}{os.pathsep}{two}", **endings}
    assert programs.found("helper", environ) == last
    first = program(one, "helper.exe")
    assert programs.found("helper", environ) == first
    assert programs.found("helper.cmd", environ) == last
    assert programs.found("helper", {**environ, "PATH": str(two)}) == later
    assert programs.found("absent", environ) is None


@pytest.mark.parametrize(
    "command",
    [["/bin/true\0"], ["/bin/true", "\0"], ["true\ud800"], ["/bin/true", "\ud800"]],
)
def test_what_no_program_is_called_or_told_is_refused(command: list[str]) -> None:
    with pytest.raises(ProgramError, match="no name of a program, or is told what is no text"):
        programs.ask(command, b"", Caller({"PATH": "/bin"}, "/"), 1.0)
