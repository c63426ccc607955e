"""``credlatch secrets``: what a command finds, and what is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.installed import for_a_stranger
from support.program import TIMEOUT, Program, run
from support.wrapped import (
    SECRET,
    TOKEN,
    URL,
    VARIABLE,
    one_line,
    token_in_the_environment,  # noqa: F401 - a fixture
    wrapped,
)

pytestmark = pytest.mark.usefixtures("logged_in")


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_a_script_finds_its_secrets_in_the_folder(
    each_form: Program, kind: tuple[str, ...]
) -> None:
    two = (*SECRET, "--secret", f"id=pip.conf,url={URL},as=pip.conf", *kind)
    answer = wrapped(each_form, "cd $CREDLATCH_SECRETS; ls -1; cat t t; echo; cat pip.conf", *two)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.decode().splitlines() == [
        "pip.conf",
        "t",
        TOKEN * 2,
        "[global]",
        f"index-url = https://__token__:{TOKEN}@packages.example.com/simple/",
    ]


def test_a_variable_is_there_for_what_reads_no_file_and_needs_no_folder(frozen: Program) -> None:
    option = ("--as-env", f"id=PIP_INDEX_URL,url={URL},as=url")
    answer = wrapped(frozen, 'echo "$PIP_INDEX_URL" "$CREDLATCH_SECRETS."', *option)
    assert answer.out.decode() == f"https://__token__:{TOKEN}@packages.example.com/simple/ .\n"
    assert (answer.code, answer.err) == (0, "")


def test_the_secret_is_in_no_argument_and_no_variable_unless_asked_for(frozen: Program) -> None:
    del frozen.home.env[VARIABLE]
    frozen.home.write_rattler({"packages.example.com": {"BearerToken": TOKEN}})
    script = (
        "cat $CREDLATCH_SECRETS/t >/dev/null; env; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '"
    )
    answer = wrapped(frozen, script)
    assert answer.code == 0
    assert b"CREDLATCH_SECRETS=" in answer.out
    assert TOKEN.encode() not in answer.out


def test_the_environment_of_the_command_is_ours_without_the_loaders(each_form: Program) -> None:
    each_form.home.env["LD_LIBRARY_PATH"] = "/mine"
    for expected in ("/mine", None):
        env = dict(
            line.split("=", 1)
            for line in wrapped(each_form, "env -0 | tr '\\0' '\\n'").out.decode().splitlines()
        )
        assert env.get("LD_LIBRARY_PATH") == expected
        assert not [name for name in env if "PYI" in name]
        assert env["DOCKER_BUILDKIT"] == "1"
        each_form.home.env.pop("LD_LIBRARY_PATH", None)
    # A signal that Python ignores ends `yes` quietly, as everywhere.
    quiet = wrapped(each_form, "yes | head -n 1; cat $CREDLATCH_SECRETS/t >/dev/null")
    assert (quiet.out, quiet.err) == (b"y\n", "")
    each_form.home.env["DOCKER_BUILDKIT"] = "0"
    assert wrapped(each_form, "echo $DOCKER_BUILDKIT").out == b"0\n"


def test_a_secret_that_nobody_reads_is_said(frozen: Program) -> None:
    two = (*SECRET, "--secret", f"id=u,url={URL}")
    answer = wrapped(frozen, "cat $CREDLATCH_SECRETS/u >/dev/null; exit 3", *two)
    said = one_line(answer, 3)
    assert "nobody has read the secret 't': what mounts it was cached, or names another id" in said


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            "--http-auth",
            "'HTTP_AUTH_HEADER_packages.example.com': nothing was fetched from there",
        ),
        ("--git-auth", "'GIT_AUTH_HEADER.packages.example.com': no git repository was fetched"),
    ],
)
def test_why_buildkit_may_not_have_read_what_it_asks_for_itself(
    frozen: Program, option: str, said: str
) -> None:
    answer = wrapped(frozen, "exit 1", option, "packages.example.com")
    assert f"nobody has read the secret {said}" in one_line(answer, 1)


def test_a_reader_who_goes_away_half_way_is_said_and_the_others_get_theirs(
    frozen: Program,
) -> None:
    frozen.home.env[VARIABLE] = "x" * 100_000  # more than a pipe holds
    said = frozen.home.path / "said"
    script = (
        "head -c 9 $CREDLATCH_SECRETS/t; cat $CREDLATCH_SECRETS/t | wc -c; "
        "until grep -q 'went away' said; do sleep 0.05; done"
    )
    with said.open("wb") as stderr:
        words = ["secrets", *SECRET, "--fifo", "--", "sh", "-c", script]
        done = run(frozen.home, [*frozen.command, *words], stderr=stderr)
    assert done.out == b"x" * 9 + b"100000\n"
    line = "credlatch: the reader of the secret 't' went away before it had all of it\n"
    assert said.read_text() == line


def test_a_users_limit_of_a_files_size_is_no_limit_of_a_secrets(frozen: Program) -> None:
    command = f"{frozen.command[0]} secrets {' '.join(SECRET)} -- sh -c 'cat $CREDLATCH_SECRETS/t'"
    done = run(frozen.home, ["sh", "-c", f"ulimit -f 1; exec {command}"])
    assert done == (0, TOKEN.encode(), "")


def test_of_a_held_file_who_goes_away_half_way_is_nobodys_business(frozen: Program) -> None:
    frozen.home.env[VARIABLE] = "x" * 100_000
    script = "head -c 9 $CREDLATCH_SECRETS/t; cat $CREDLATCH_SECRETS/t | wc -c"
    assert wrapped(frozen, script) == (0, b"x" * 9 + b"100000\n", "")


def test_who_reads_on_while_we_end_is_no_trouble_of_ours(frozen: Program) -> None:
    """The processes that a command leaves behind find no secret any more."""
    reader = "while cat $CREDLATCH_SECRETS/t; do :; done >/dev/null 2>&1 &"
    for _ in range(10):
        answer = wrapped(frozen, f"cat $CREDLATCH_SECRETS/t; {reader} sleep 0.05")
        assert (answer.code, answer.err) == (0, "")


def test_our_memory_is_not_for_other_programs_of_the_user(folder: Path) -> None:
    """What others of the user could read belongs to root."""
    place = Path(tempfile.mkdtemp(prefix="credlatch-"))
    try:
        command, user = for_a_stranger(folder, place)
        script = "stat -c %u /proc/$PPID/mem /proc/$$/mem; cat $CREDLATCH_SECRETS/t"
        env = {"PATH": os.environ["PATH"], "HOME": "/absent", VARIABLE: TOKEN}
        done = subprocess.run(
            [*command, "secrets", *SECRET, "--", "sh", "-c", script],
            env=env,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
        )
    finally:
        shutil.rmtree(place)
    assert done.stdout == f"0\n{user}\n{TOKEN}"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--secret", "id=t,url=https://unknown.example.com/"), 1, "no store has a credential for"),
        (("--http-auth", "unknown.example.com"), 1, "'HTTP_AUTH_HEADER_unknown.example.com'"),
        (("--git-auth", "unknown.example.com:8443"), 1, "https://unknown.example.com:8443/"),
        (("--as-env", "id=T,url=https://unknown.example.com/"), 1, "leave it out"),
        (("--secret", f"id=t,url={URL},as=jwt"), 2, "as=jwt: there is no such shape"),
        (("--as-env", f"id=t-u,url={URL}"), 2, "cannot be a variable's name"),
        (("--http-auth", ""), 2, "no host"),
        ((*SECRET, *SECRET), 2, "two secrets are called 't'"),
        ((), 2, "no secrets are asked for"),
        (("--secrets", "x"), 2, "no such option '--secrets'"),
        (("--secret",), 2, "there is no field '--'"),
        (("build",), 2, "no secrets are asked for"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_run(
    frozen: Program, options: tuple[str, ...], code: int, said: str
) -> None:
    answer = frozen("secrets", *options, "--", "touch", "ran")
    assert said in one_line(answer, code)
    assert not (frozen.home.path / "ran").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "there is no command"),
        (["absent-program", "build"], 127, "absent-program is not on PATH"),
        (["./no-program"], 127, "./no-program is not on PATH, or no program"),
        (["docker", "run", "x"], 2, "'docker run' takes no secrets"),
    ],
)
def test_what_is_wrong_with_the_command_is_one_line(
    frozen: Program, words: list[str], code: int, said: str
) -> None:
    frozen.home.write("no-program", "#!/bin/sh\n")
    links = frozen.home.write("bin/docker", "#!/bin/sh\n", mode=0o700).parent
    frozen.home.path_begins_with(links)
    assert said in one_line(frozen("secrets", *SECRET, "--", *words), code)
    # Before anything is asked of the stores.
    unknown = ("--secret", "id=t,url=https://unknown.example.com/")
    assert said in one_line(frozen("secrets", *unknown, *(["--", *words] if words else [])), code)


def test_a_command_that_the_system_cannot_run_is_one_line(frozen: Program) -> None:
    path = frozen.home.write("no-program", "no program\n", mode=0o700)
    assert "cannot be run: exec format error" in one_line(
        frozen("secrets", *SECRET, "--", str(path)), 1
    )


def test_a_secret_that_is_too_large_is_one_line(frozen: Program) -> None:
    frozen.home.write_rattler({"large.example.com": {"BearerToken": "x" * 512_001}})
    option = ("--secret", "id=t,url=https://large.example.com/")
    said = one_line(wrapped(frozen, "touch ran", *option), 1)
    assert "512001 bytes" in said
    assert "512000" in said
    assert not (frozen.home.path / "ran").exists()


def test_a_missing_credential_can_be_allowed(frozen: Program) -> None:
    missing = ("--secret", "id=u,url=https://unknown.example.com/", "--allow-missing")
    answer = wrapped(
        frozen, "ls -1 $CREDLATCH_SECRETS; cat $CREDLATCH_SECRETS/t", *SECRET, *missing
    )
    assert answer.out == f"t\n{TOKEN}".encode()
    assert "'u': no store has a credential" in one_line(answer, 0)
    assert "left out" in answer.err


def test_a_broken_store_is_one_line_and_stays_as_it_is(frozen: Program) -> None:
    broken = frozen.home.write(".rattler/credentials.json", '{"packages.example')
    option = ("--secret", "id=t,url=https://other.example.com/")
    assert str(broken) in one_line(wrapped(frozen, "touch ran", *option), 1)
    assert broken.read_text() == '{"packages.example'


def test_help_tells_the_shapes(frozen: Program) -> None:
    answer = frozen("secrets", "--help")
    assert (answer.code, answer.err) == (0, "")
    for word in (b"--http-auth", b"netrc", b".npmrc", b"credentials.json"):
        assert word in answer.out
