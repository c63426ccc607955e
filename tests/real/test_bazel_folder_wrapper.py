"""bazel/tools/credlatch finds the program, in each shell that may be /bin/sh, and becomes it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.bazel_client import HelperError, get_credentials
from support.bazel_example import FOLDER
from support.components import need
from support.program import TIMEOUT, run
from support.waiting import Waiting

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program

WRAPPER = FOLDER / "tools/credlatch"
SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
# Stands for the program: tells which one it is, its arguments and its standard input.
STAND_IN = '#!/bin/sh\nprintf "%s|" "$0" "$#" "$@" "$(cat)"\nexit 3\n'
NOWHERE = (
    "tools/credlatch: credlatch is neither on PATH nor in ~/.local/bin: "
    "get it and run './credlatch install', or set CREDLATCH to its path\n"
)


class Called:
    """The wrapper in a workspace, run by one shell, with a PATH of the test's own.

    Attributes:
        home: the home, with a space in its path.
        workspace: the workspace, likewise.
    """

    def __init__(self, home: Home, shell: tuple[str, ...], folder: Path) -> None:
        self.home = home
        self.workspace = home.path / "my ws"
        self.path = self.workspace / "tools/credlatch"
        self.path.parent.mkdir(parents=True)
        shutil.copy(WRAPPER, self.path)
        self._shell = (need(shell[0]), *shell[1:])
        folder.mkdir()
        (folder / "cat").symlink_to(need("cat"))
        self.path_entries: list[str] = [str(folder)]

    def __call__(self, *args: str, stdin: str = "") -> tuple[int, str, str]:
        """Run it; the PATH is what has been added. Its status, and what both streams say."""
        self.home.env["PATH"] = os.pathsep.join(self.path_entries)
        words = [*self._shell, str(self.path), *args]
        code, out, err = run(self.home, words, stdin.encode(), self.workspace)
        return code, out.decode(), err

    def stand_in(self, folder: str, *, on_path: bool = True, mode: int = 0o755) -> Path:
        """Put a program named credlatch below the home."""
        path = self.home.write(f"{folder}/credlatch", STAND_IN, mode)
        if on_path:
            self.path_entries.append(str(path.parent))
        return path

    def copy(self, folder: str) -> Path:
        """Put another copy of the wrapper on PATH."""
        path = self.home.path / folder / "credlatch"
        path.parent.mkdir()
        shutil.copy(WRAPPER, path)
        self.path_entries.append(str(path.parent))
        return path


@pytest.fixture(params=list(SHELLS))
def called(request: pytest.FixtureRequest, home: Home, tmp_path: Path) -> Called:
    return Called(home, SHELLS[request.param], tmp_path / "bin")


def found(called: Called) -> str:
    """The program that is run."""
    _, out, err = called("get")
    assert err == ""
    return out.partition("|")[0]


def test_arguments_input_and_status_are_the_program_s(called: Called) -> None:
    program = called.stand_in("a b")
    done = called("get", "", "c d", "*", stdin='{"uri":"x"}')
    assert done == (3, f'{program}|4|get||c d|*|{{"uri":"x"}}|', "")


def test_the_first_on_path_is_run(called: Called) -> None:
    called.path_entries += ["", "relative", "/none/such"]
    called.stand_in("not-executable", mode=0o644)
    (called.home.path / "folder/credlatch").mkdir(parents=True)
    called.path_entries.append(str(called.home.path / "folder"))
    first = called.stand_in("first")
    called.stand_in("second")
    assert found(called) == str(first)


def test_what_lies_in_the_working_folder_is_not_run(called: Called) -> None:
    for name in ("credlatch", "relative/credlatch"):
        called.home.write(f"my ws/{name}", STAND_IN, 0o755)
    called.path_entries += ["", ".", "relative"]
    assert called("get") == (1, "", NOWHERE)


def test_what_credlatch_install_has_put_there_is_found(called: Called) -> None:
    installed = called.stand_in(".local/bin", on_path=False)
    assert found(called) == str(installed)
    on_path = called.stand_in("first")
    assert found(called) == str(on_path)


def test_a_path_with_signs_in_it_is_not_expanded(called: Called) -> None:
    called.stand_in("xy")
    called.path_entries = [str(called.home.path / "*"), called.path_entries[0]]
    assert called("get") == (1, "", NOWHERE)


def test_without_home_or_path_it_says_so(called: Called) -> None:
    called.path_entries = []
    del called.home.env["HOME"]
    assert called("get") == (1, "", NOWHERE)


def test_the_variable_names_it(called: Called) -> None:
    called.stand_in("first")
    other = called.stand_in("a b", on_path=False)
    called.home.env["CREDLATCH"] = str(other)
    assert found(called) == str(other)
    called.home.env["CREDLATCH"] = ""
    assert found(called) != str(other)


@pytest.mark.parametrize("what", ["gone", "folder", "text", "itself", "link"])
def test_a_variable_that_is_wrong_is_said(called: Called, what: str) -> None:
    called.stand_in("first")
    place = called.home.path / "place"
    if what == "folder":
        place.mkdir()
    elif what == "text":
        place.write_text("")
    elif what in {"itself", "link"}:
        place = called.path if what == "itself" else place
        if what == "link":
            place.symlink_to(called.path)
    called.home.env["CREDLATCH"] = str(place)
    wrong = f"tools/credlatch: CREDLATCH={place} is not credlatch's program: "
    assert called("get") == (1, "", f"{wrong}set its path, or unset CREDLATCH\n")


@pytest.mark.parametrize("is_there", [True, False])
def test_it_never_calls_itself(called: Called, *, is_there: bool) -> None:
    links = called.home.path / "links"
    links.mkdir()
    (links / "first").symlink_to(called.path)
    (links / "credlatch").symlink_to("first")
    called.path_entries += [str(called.path.parent), str(links)]
    (called.home.path / ".local/bin").mkdir(parents=True)
    (called.home.path / ".local/bin/credlatch").symlink_to(links / "credlatch")
    program = called.stand_in("last") if is_there else None
    if program is None:
        assert called("get") == (1, "", NOWHERE)
    else:
        assert found(called) == str(program)


@pytest.mark.parametrize("is_there", [True, False])
def test_copies_of_it_do_not_call_each_other_for_ever(called: Called, *, is_there: bool) -> None:
    copies = [called.copy(name) for name in ("one", "two", "a b")]
    called.path_entries += [str(copy.parent) for copy in copies]  # a PATH says things twice
    program = called.stand_in("last") if is_there else None
    done = called("get", "a b", stdin="x")
    assert done == ((3, f"{program}|2|get|a b|x|", "") if program else (1, "", NOWHERE))


def test_a_build_within_a_build_finds_it_again(called: Called) -> None:
    # What the first has left in the environment is there when the program calls it again.
    called.home.write(
        "real/credlatch",
        f'#!/bin/sh\n[ "$1" = deeper ] && echo deep || exec "{called.path}" deeper\n',
        0o755,
    )
    called.path_entries.append(str(called.home.path / "real"))
    assert called("get") == (0, "deep\n", "")


@pytest.fixture
def wired(frozen: Program) -> Path:
    """The wrapper as Bazel starts it, and the frozen program where it is installed."""
    home = frozen.home
    home.env["PATH"] = os.defpath
    (home.path / ".local/bin").mkdir(parents=True)
    (home.path / ".local/bin/credlatch").symlink_to(frozen.command[0])
    home.write_rattler({"r.example": {"BearerToken": "t"}})
    return home.write("ws/tools/credlatch", WRAPPER.read_bytes(), 0o755)


def test_bazel_gets_its_answer_through_it(wired: Path, home: Home) -> None:
    got = get_credentials(wired, "https://r.example/x", home.env, wired.parent.parent)
    assert got.headers == {"Authorization": ["Bearer t"]}


def test_bazel_reads_why_there_is_no_answer(wired: Path, home: Home) -> None:
    (home.path / ".local/bin/credlatch").unlink()
    for _ in range(20):  # a pipe that is closed early fails now and then only
        with pytest.raises(HelperError) as raised:
            get_credentials(wired, "https://r.example/x", home.env, wired.parent.parent)
        assert str(raised.value) == f"process exited with code 1. stderr: {NOWHERE}"


def test_it_starts_no_other_process(wired: Path, home: Home, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    words = [need("strace"), "-f", "-qq", "-e", "trace=process", "-e", "signal=none", "-o"]
    done = subprocess.run(
        [*words, str(trace), str(wired), "--version"],
        env=home.env,
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"credlatch ")
    lines = [line.split(maxsplit=1) for line in trace.read_text().splitlines()]
    calls = [call for _, call in lines]
    executed = [json.loads(call[7:].partition(", ")[0]) for call in calls if "execve(" in call]
    assert executed[:2] == [str(wired), f"{home.path}/.local/bin/credlatch"]
    at = next(at for at, call in enumerate(calls) if ".local/bin/credlatch" in call)
    assert not [call for call in calls[:at] if "clone" in call or "fork" in call]


def test_a_signal_reaches_the_program(wired: Path, folder: Path, home: Home) -> None:
    with subprocess.Popen(
        [str(wired), "get"], env=home.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert Waiting(process).pid == process.pid
        assert Path(os.readlink(f"/proc/{process.pid}/exe")).is_relative_to(folder.parent)
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) in (-signal.SIGTERM, 143)


def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run(
        [
            Path(sys.executable).parent / "shellcheck",
            "--shell=sh",
            "--enable=all",
            "--exclude=SC2250,SC2310",
            WRAPPER,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)
