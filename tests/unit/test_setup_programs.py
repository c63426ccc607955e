"""Other programs: found on PATH, and run with the surroundings that the caller has."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import ProgramError
from credlatch.system import programs
from credlatch.system.environment import environment_without_loader
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        ({"KEPT": "\udcff ü"}, {"KEPT": "\udcff ü"}),
        ({"LD_LIBRARY_PATH": "/mei:/x:/y", "LD_LIBRARY_PATH_ORIG": "/x:/y"},
         {"LD_LIBRARY_PATH": "/x:/y"}),
        ({"LD_LIBRARY_PATH": "/mei:", "LD_LIBRARY_PATH_ORIG": ""}, {"LD_LIBRARY_PATH": ""}),
        ({"LD_LIBRARY_PATH": "/mei"}, {}),
        ({"LD_LIBRARY_PATH": "/mine"}, {"LD_LIBRARY_PATH": "/mine"}),
        ({"LD_LIBRARY_PATH": "/mei4:/a"}, {"LD_LIBRARY_PATH": "/mei4:/a"}),
        # The same program's, in another folder: the agent has its caller's environment.
        ({"LD_LIBRARY_PATH": "/mei2:/x", "LD_LIBRARY_PATH_ORIG": "/x"}, {"LD_LIBRARY_PATH": "/x"}),
        # Another frozen program's, that has called us: not ours to take away.
        ({"LD_LIBRARY_PATH": "/mei", "LD_LIBRARY_PATH_ORIG": "/x"}, {"LD_LIBRARY_PATH_ORIG": "/x"}),
        ({"LD_LIBRARY_PATH_ORIG": "/x"}, {"LD_LIBRARY_PATH_ORIG": "/x"}),
        ({"_PYI_ARCHIVE_FILE": "/x", "_PYI_": ""}, {}),
    ],
)  # fmt: skip
def test_what_belongs_to_our_own_start_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], given: dict[str, str]
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", "/mei", raising=False)
    before = dict(environ)
    assert environment_without_loader(environ) == given
    assert environ == before


def test_run_from_source_nothing_is_taken_for_ours() -> None:
    assert environment_without_loader({"LD_LIBRARY_PATH": "/x"}) == {"LD_LIBRARY_PATH": "/x"}
    assert environment_without_loader({}) == {}


def test_it_gets_the_caller_s_variables_folder_and_input(home: Home) -> None:
    home.env["GREETING"] = "hello"
    script = home.write("bin/say", '#!/bin/sh\necho "$GREETING $MORE $PWD $1 $(cat)"\n', 0o755)
    home.env["PATH"] = f"{script.parent}:{home.env['PATH']}"
    done = programs.ask(["say", "x"], b"input", caller_of(home), 30.0, MORE="more")
    assert done.status == 0
    assert done.out.decode() == f"hello more {home.path} x input\n"


def test_the_last_line_of_standard_error_is_for_a_person(home: Home) -> None:
    script = home.write("say", "#!/bin/sh\nprintf 'a\\nb\\tc\\n\\n' >&2; exit 3\n", 0o755)
    done = programs.ask([str(script)], b"", caller_of(home), 30.0)
    assert (done.status, done.out, done.said) == (3, b"", "b c")


def test_one_that_does_not_read_its_input_is_no_error(home: Home) -> None:
    done = programs.ask(["true"], bytes(1_000_000), caller_of(home), 30.0)
    assert done.status == 0


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_what_cannot_be_run_is_one_line(home: Home, mode: int) -> None:
    script = home.write("x", "#!/no/such/interpreter\n", mode)
    with pytest.raises(ProgramError, match="cannot be run: "):
        programs.ask([str(script)], b"", caller_of(home), 30.0)


def test_what_is_not_on_path_is_one_line(home: Home) -> None:
    with pytest.raises(ProgramError, match="no-such-program is not on PATH: install it"):
        programs.ask(["no-such-program"], b"", caller_of(home), 30.0)


@pytest.mark.parametrize("path", [".", "", "bin", ".:bin:"])
def test_path_counts_from_the_root_only(
    home: Home, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write("bin/x", "", 0o755)
    home.write("x", "", 0o755)
    monkeypatch.chdir(home.path)
    assert programs.found("x", {"PATH": path}) is None
    assert programs.found("x", {"PATH": f"{path}:{home.path}/bin"}) == f"{home.path}/bin/x"


def test_one_without_path_has_the_system_s() -> None:
    assert programs.found("sh", {}) in {f"{folder}/sh" for folder in os.defpath.split(":")}


@pytest.mark.parametrize("name", ["tools/helper", "x/../tools/helper", "./tools/helper"])
def test_a_name_with_a_folder_in_it_is_on_no_path(
    home: Home, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of a helper that a configuration names: its folder would be a project's."""
    (home.path / "x").mkdir()
    home.write("tools/helper", "#!/bin/sh\n", 0o755)
    monkeypatch.chdir(home.path)
    assert programs.found(name, {"PATH": str(home.path)}) is None
    assert programs.found("helper", {"PATH": str(home.path / "tools")}) is not None
