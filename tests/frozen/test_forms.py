"""Both frozen forms, wherever and however they are started."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from support.matching import basic
from support.program import Program, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

HOST = "packages.example.com"
URI = f"https://{HOST}/simple/"


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


@pytest.mark.parametrize(
    ("args", "stdin", "status", "out"),
    [
        (["get"], f'{{"uri":"{URI}"}}', 0, '{"headers":{"Authorization":["Bearer made-up"]}}'),
        (["get"], HOST, 0, f'{{"ServerURL":"{HOST}","Username":"__token__","Secret":"made-up"}}'),
        (["get"], "", 1, ""),
        (["bazel", "get"], '{"uri":"https://other.example/"}', 0, '{"headers":{}}'),
        (["docker", "get"], "other.example", 1, "credentials not found in native keychain"),
        (["docker", "store"], '{"ServerURL":"h","Username":"u","Secret":"s"}', 0, ""),
        (["docker", "erase"], "not-there.example", 0, ""),
        (["docker", "list"], "unused", 0, "{}"),
        (["docker", "version"], "", 0, None),
        (["docker"], "", 1, None),
        (["bazel"], "", 2, ""),
        (["--version"], "", 0, None),
        (["--help"], "", 0, None),
        (["no-such-command"], "", 2, ""),
        ([], "", 2, ""),
    ],
)
def test_every_command_answers_with_its_own_exit_status(
    each_form: Program, args: list[str], stdin: str, status: int, out: str | None
) -> None:
    answer = each_form(*args, stdin=stdin.encode())

    assert answer.code == status, answer
    if out is None:
        assert answer.out
    else:
        assert answer.out.decode().strip() == out
    assert "Traceback" not in answer.err
    assert "PYI" not in answer.err  # how PyInstaller reports an exception that nobody caught
    assert bool(answer.err) == (status != 0 and args[:1] != ["docker"])


def test_called_by_the_name_docker_looks_for_it_speaks_docker(each_form: Program) -> None:
    links = each_form.link_as("docker-credential-credlatch")
    again = links / "further" / "docker-credential-credlatch"
    again.parent.mkdir()
    again.symlink_to("../docker-credential-credlatch")

    for folder in (links, again.parent):
        env = each_form.home.env | {"PATH": str(folder)}
        done = run(each_form.home, ["docker-credential-credlatch", "get"], HOST.encode(), env=env)
        assert (done.code, done.err) == (0, "")
        assert b'"Username":"__token__"' in done.out


def test_the_folder_may_be_moved(folder: Path, home: Home, tmp_path: Path) -> None:
    moved = tmp_path / "Programme für Ada"
    shutil.copytree(folder.parent, moved, symlinks=True)

    program = Program([str(moved / folder.name)], home, tmp_path)

    assert program.bazel(URI).authorization == "Bearer made-up"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' folder form has no launcher")
def test_its_launcher_alone_says_what_is_missing(folder: Path, home: Home, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "credlatch"
    alone.parent.mkdir()
    shutil.copy(folder, alone)

    answer = Program([str(alone)], home, tmp_path)("--version")

    missing = f"credlatch: {alone.parent}/_internal/credlatch-program cannot be run"
    assert answer.code == 1
    assert answer.err.startswith(missing)
    assert answer.err.endswith("this program needs its whole folder\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no folder can be opened there as a file")
@pytest.mark.parametrize(
    ("args", "stream"), [(["get"], 2), (["docker", "get"], 1), (["--version"], 2)]
)
def test_a_folder_as_standard_input_is_told_in_one_line(
    each_form: Program, args: list[str], stream: int
) -> None:
    line = 'exec "$@" < /'
    done = run(each_form.home, ["sh", "-c", line, "sh", *each_form.command, *args], b"")

    said = done.out.decode() if stream == 1 else done.err
    assert (done.code, done.said) == (1, said)
    assert said == "credlatch: standard input is a folder: no request can be read from it\n"


def test_a_folder_that_is_gone_or_read_only_may_be_the_working_directory(
    each_form: Program, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    enter = 'cd "$1" && { [ "$1" = /proc ] || rmdir "$1"; } && shift && exec "$@"'
    login = b'{"ServerURL":"https://kept.example.com","Username":"ada","Secret":"made-up"}'

    for folder in (str(gone), "/proc"):
        words = ["sh", "-c", enter, "sh", folder, *each_form.command]
        done = run(each_form.home, [*words, "get"], f'{{"uri":"{URI}"}}'.encode())
        assert (done.code, done.err) == (0, "")
        assert b"Bearer made-up" in done.out
        gone.mkdir(exist_ok=True)
        done = run(each_form.home, [*words, "docker", "store"], login)
        assert (done.code, done.out) == (0, b"")
        assert "cannot be written" not in done.err


def test_without_a_home_in_the_environment_it_still_answers(each_form: Program) -> None:
    for name in [n for n in each_form.home.env if n.startswith("XDG_") or n == "HOME"]:
        del each_form.home.env[name]
    each_form.home.env["TMPDIR"] = str(each_form.home.path)  # where the single file unpacks itself
    each_form.home.env["CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"] = "from-the-environment"

    assert each_form.bazel(URI).authorization == "Bearer from-the-environment"


def test_pythons_variables_and_files_nearby_do_not_get_in(
    each_form: Program, tmp_path: Path
) -> None:
    intruder = tmp_path / "intruder"
    intruder.mkdir()
    for name in ("credlatch", "os", "encodings", "sitecustomize", "json", "_json"):
        (intruder / f"{name}.py").write_text("raise SystemExit('an intruder ran')\n")
    each_form.home.env |= {
        "PYTHONPATH": str(intruder),
        "PYTHONHOME": str(intruder),
        "PYTHONSTARTUP": str(intruder / "os.py"),
        "PYTHONINSPECT": "1",
    }

    answer = each_form("get", stdin=f'{{"uri":"{URI}"}}'.encode(), cwd=intruder)

    assert answer.authorization == "Bearer made-up"


def test_a_locale_without_utf_8_changes_nothing(each_form: Program, tmp_path: Path) -> None:
    home = each_form.home
    home.write_rattler({HOST: {"BasicHTTP": {"username": "zoë", "password": "pässwörd"}}})
    elsewhere = tmp_path / "zuhause-bei-zoë"
    shutil.copytree(home.path, elsewhere)
    home.env |= {"LC_ALL": "C", "HOME": str(elsewhere)}

    assert each_form.bazel(URI).authorization == basic("zoë", "pässwörd")


def test_the_single_file_leaves_nothing_behind(single: Path, home: Home, tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    home.env["TMPDIR"] = str(unpacked)

    assert Program([str(single)], home, tmp_path).bazel(URI).authorization == "Bearer made-up"
    assert os.listdir(unpacked) == []


@pytest.mark.parametrize("options", ["noexec", "size=64k", "ro"])
def test_the_single_file_needs_no_temporary_folder(
    single: Path, home: Home, tmp_path: Path, options: str
) -> None:
    home.write_rattler({"host.example": {"BearerToken": "made-up"}})
    (tmp_path / "tmp").mkdir()
    home.env["TMPDIR"] = str(tmp_path / "tmp")
    # A mount name space of its own: the mount is gone when the program is.
    script = 'mount -t tmpfs -o "$1" tmpfs "$TMPDIR" && exec "$2" get'

    done = run(
        home,
        ["unshare", "--mount", "sh", "-c", script, "sh", options, str(single)],
        b'{"uri":"https://host.example/"}',
    )

    assert (done.code, done.err) == (0, "")
    assert b"Bearer made-up" in done.out


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("name", ["credlatch", "docker-credential-credlatch"])
def test_a_chroot_without_proc_is_no_matter(each_form: Program, tmp_path: Path, name: str) -> None:
    home = each_form.home
    home.write_rattler({"host.example": {"BearerToken": "made-up"}})
    home.env |= {"CREDLATCH_AGENT": "off", "PATH": f"{tmp_path}/links:{os.defpath}"}
    (tmp_path / "links").mkdir(exist_ok=True)
    (tmp_path / "links" / name).symlink_to(each_form.command[0])
    words = [name, "get"] if name.startswith("docker") else [name, "docker", "get"]
    script = 'umount -l /proc && exec "$@"'

    done = run(home, ["unshare", "--mount", "sh", "-c", script, "sh", *words], b"host.example")

    assert b'"Secret":"made-up"' in done.out, done.err
