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
    for environ in ({"LD_LIBRARY_PATH": "/x"}, {}):
        assert environment_without_loader(environ) == environ


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


@pytest.mark.parametrize(
    ("mode", "why"),
    [(0o644, "cannot be run: "), (0o755, "cannot be run: "), (None, "is not on PATH: install it")],
)
def test_what_cannot_be_run_is_one_line(home: Home, mode: int | None, why: str) -> None:
    name = "no-such-program"
    if mode is not None:
        name = str(home.write("x", "#!/no/such/interpreter\n", mode))
    with pytest.raises(ProgramError, match=f"{name} {why}"):
        programs.ask([name], b"", caller_of(home), 30.0)


def test_one_without_path_has_the_system_s() -> None:
    assert programs.found("sh", {}) in {f"{folder}/sh" for folder in os.defpath.split(":")}
