"""The command line: what is run, what it exits with, and on which stream it speaks."""

from __future__ import annotations

import json
import os
import platform
import re
import ssl
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

BAZEL = b'{"uri":"https://a.example/"}'
COMMAND = re.compile(r"^(?:usage:)? +credlatch (\w+)", re.MULTILINE)
NOT_FOUND = b"credentials not found in native keychain\n"


def run(
    source: Program, *words: str, stdout: int = subprocess.PIPE, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    options |= {"env": source.home.env, "timeout": 60}
    return subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, check=False, **options)


def test_without_an_argument_it_says_how_it_is_used_and_fails(source: Program) -> None:
    answer = source()
    assert answer.code == 2
    assert answer.out == b""
    assert answer.err.startswith("usage: credlatch ")
    assert len(answer.err.splitlines()) > 5
    assert max(len(line) for line in answer.err.splitlines()) < 120


VERSION = f"credlatch {__version__}\n".encode()


@pytest.mark.parametrize(
    ("option", "out"),
    [
        *((option, b"usage: credlatch ") for option in ("--help", "-h", "help")),
        *((option, VERSION) for option in ("--version", "-V", "-v")),
    ],
)
def test_help_and_the_version_are_answers(source: Program, option: str, out: bytes) -> None:
    answer = source(option)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(out)


@pytest.mark.parametrize("option", ["--version", "-V", "-v"])
def test_the_version_names_python_and_the_libraries_below_the_line_for_programs(
    source: Program, option: str
) -> None:
    first, *others = source(option).out.decode().splitlines()
    assert first == f"credlatch {__version__}"
    assert [line.partition(": ")[0] for line in others] == ["commit", "python", "libraries"]
    assert others[:2] == ["commit: unknown", f"python: {platform.python_version()}"]
    libraries = set(others[2].partition(": ")[2].split(", "))
    assert " ".join(ssl.OPENSSL_VERSION.split()[:2]) in libraries
    assert f"httpx {metadata.version('httpx')}" in libraries


COMMANDS = (
    ["get"], ["bazel"], ["bazel", "get"], ["docker"], ["git"], ["keyring"], ["goauth"], ["cargo"],
    ["header"], ["token"], ["agent"], ["agent", "status"], ["agent", "forward"], ["setup"],
    ["setup", "docker"], ["secrets"], ["config"], ["config", "check"], ["install"], ["uninstall"],
)  # fmt: skip


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_how_it_is_used(source: Program, words: list[str], option: str) -> None:
    answer = source(*words, option)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.lower().startswith(b"usage: ")
    assert {words[0] for words in COMMANDS} >= set(COMMAND.findall(source("--help").out.decode()))


@pytest.mark.parametrize(
    "args",
    [["nonsense"], ["get", "more"], ["bazel"], ["bazel", "put"], ["bazel", "get", "more"], [""]],
)
def test_what_it_does_not_know_is_wrong_usage(source: Program, args: list[str]) -> None:
    answer = source(*args, stdin=BAZEL)
    assert answer.code == 2
    assert answer.out == b""
    assert answer.err.startswith("credlatch: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("args", [[], ["nonsense"], ["get", "more"], ["-x"]])
def test_docker_s_wrong_usage_is_on_standard_output_with_1(
    source: Program, args: list[str]
) -> None:
    answer = source("docker", *args)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out == b"Usage: docker-credential-credlatch <store|get|erase|list|version>\n"


@pytest.mark.parametrize(
    ("words", "stdin", "code", "out"),
    [
        (["get"], BAZEL, 0, b'{"headers":{}}\n'),
        (["get"], b"\r\n " + BAZEL, 0, b'{"headers":{}}\n'),
        (["get"], b"a.example", 1, NOT_FOUND),
        (["get"], b"https://index.docker.io/v1/", 1, NOT_FOUND),
        (["bazel", "get"], BAZEL, 0, b'{"headers":{}}\n'),
        (["bazel", "get"], b"a.example", 1, b""),
        (["docker", "get"], BAZEL, 1, NOT_FOUND),
    ],
)
def test_get_tells_bazel_and_docker_apart_by_what_they_send_or_are_said_to_be(
    source: Program, words: list[str], stdin: bytes, code: int, out: bytes
) -> None:
    answer = source(*words, stdin=stdin)
    assert (answer.code, answer.out) == (code, out)


def test_a_byte_order_mark_is_no_part_of_what_a_client_says(home: Home, source: Program) -> None:
    """.NET and PowerShell begin a child's standard input with one, where a console is UTF-8's."""
    mark = b"\xef\xbb\xbf"
    home.write_rattler({"a.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    assert source("get", stdin=mark + BAZEL).out == source("get", stdin=BAZEL).out
    assert source("bazel", "get", stdin=mark + BAZEL).out == source("get", stdin=BAZEL).out
    answer = source("docker", "get", stdin=mark + b"a.example\r\n")
    assert json.loads(answer.out) == {"ServerURL": "a.example", "Username": "u", "Secret": "p"}
    assert source("get", stdin=mark + b"a.example").out == answer.out
    new = b'{"ServerURL":"b.example","Username":"v","Secret":"q"}'
    assert source("docker", "store", stdin=mark + new).code == 0
    assert source("docker", "erase", stdin=mark + b"a.example").code == 0
    assert json.loads(source("docker", "list").out) == {"b.example": "v"}
    git = source("git", "get", stdin=mark + b"protocol=https\r\nhost=b.example\r\n\r\n")
    assert b"password=q\n" in git.out
    assert source("keyring", "set", "https://c.example", "w", stdin=mark + b"secret\r\n").code == 0
    assert source("keyring", "get", "https://c.example", "w").out == b"secret\n"


@pytest.mark.parametrize("name", ["docker-credential-credlatch", "docker-credential-x.exe"])
@pytest.mark.parametrize(
    ("args", "code", "out"),
    [
        (["get"], 1, NOT_FOUND),
        (["list"], 0, b"{}\n"),
        (["--version"], 0, f"docker-credential-credlatch (credlatch) v{__version__}\n".encode()),
        (["-v"], 0, f"docker-credential-credlatch (credlatch) v{__version__}\n".encode()),
        (["--help"], 0, b"Usage: docker-credential-credlatch <store|get|erase|list|version>\n"),
        (
            ["bazel", "get"],
            1,
            b"Usage: docker-credential-credlatch <store|get|erase|list|version>\n",
        ),
    ],
)
def test_the_name_it_is_called_by_makes_it_docker_s(
    source: Program, tmp_path: Path, name: str, args: list[str], code: int, out: bytes
) -> None:
    program = tmp_path / name
    program.write_text("from credlatch.cli import main\nraise SystemExit(main())\n")
    done = run(source, sys.executable, str(program), *args, input=BAZEL)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, b"")


def test_a_closed_standard_input_is_an_error_and_no_hang(source: Program) -> None:
    done = run(source, "sh", "-c", 'exec "$@" <&-', "sh", *source.command, "get")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1


def test_list_does_not_wait_for_a_standard_input_that_stays_open(source: Program) -> None:
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "wb"):
        done = run(source, *source.command, "docker", "list", stdin=reading)
    assert (done.returncode, done.stdout) == (0, b"{}\n")


def test_a_reader_who_has_gone_is_no_traceback(source: Program) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb"):
        done = run(source, *source.command, "get", input=BAZEL, stdout=writing)
    assert b"Traceback" not in done.stderr


def test_warnings_go_to_standard_error_and_the_answer_stays_clean(
    source: Program, home: Home
) -> None:
    home.write_rattler({"a.example": {"BearerToken": "t"}}).chmod(0o644)
    answer = source("get", stdin=BAZEL)
    assert json.loads(answer.out) == {"headers": {"Authorization": ["Bearer t"]}}
    (line,) = answer.err.splitlines()
    assert line.startswith("credlatch: ")
    assert "chmod 600" in line


BREAK = """
import sys
from credlatch import cli
from credlatch.caller import Caller
def broken(*_):
    raise RuntimeError("hunter2")
Caller.get = broken
sys.argv[0] = sys.argv.pop(1)
raise SystemExit(cli.main())
"""


@pytest.mark.parametrize(
    ("words", "stdin", "stream"),
    [
        (["credlatch", "get"], BAZEL, "stderr"),
        (["credlatch", "docker", "get"], b"a.example", "stdout"),
        (["docker-credential-credlatch", "get"], b"a.example", "stdout"),
    ],
)
def test_a_defect_of_ours_is_one_line_without_details(
    source: Program, words: list[str], stdin: bytes, stream: str
) -> None:
    command = [sys.executable, "-c", BREAK, *words]
    done = run(source, *command, input=stdin)
    line = getattr(done, stream)
    assert done.returncode == 1
    assert done.stdout + done.stderr == line
    assert line.startswith(b"credlatch: internal error: RuntimeError")

    assert line.count(b"\n") == 1
    assert b"hunter2" not in line
    source.home.env["CREDLATCH_DEBUG"] = "1"
    assert b"Traceback" in run(source, *command, input=stdin).stderr


def test_what_the_system_refuses_where_nobody_thinks_of_it_is_no_defect_of_ours(
    source: Program,
) -> None:
    script = BREAK.replace('RuntimeError("hunter2")', 'OSError(24, "Too many open files", "/x")')
    answer = run(source, sys.executable, "-c", script, "credlatch", "get", input=BAZEL)
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.startswith(b"credlatch: the system refuses what is needed (Too many open")
    assert answer.stderr.count(b"\n") == 1


UNLOADABLE = """
import sys
from credlatch import cli
class Disk:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "credlatch.{module}":
            {fails}
sys.meta_path.insert(0, Disk)
sys.argv[0] = sys.argv.pop(1)
raise SystemExit(cli.main())
"""


@pytest.mark.parametrize("module", ["resolve", "stores.order", "protocols.bazel"])
@pytest.mark.parametrize(
    ("fails", "why"),
    [
        ("raise OSError(24, 'Too many open files', 'modules')", "Too many open files"),
        ("raise ImportError('x.so: cannot read file data')", "x.so: cannot read file data"),
        (
            "try: open('/nowhere')\n            except OSError as e: raise RuntimeError() from e",
            "No such file or directory",
        ),
    ],
)
def test_a_part_of_the_program_that_cannot_be_loaded_is_told_with_the_reason(
    source: Program, module: str, fails: str, why: str
) -> None:
    script = UNLOADABLE.format(module=module, fails=fails)
    answer = run(source, sys.executable, "-c", script, "credlatch", "get", input=BAZEL)
    said = f"a part of the program cannot be loaded ({why}): try again, or install it anew"
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr == f"credlatch: {said}\n".encode()


LINUX = sys.platform == "linux"


@pytest.mark.parametrize("call", ["cli.main()", "cli.forbid_cores()"])
@pytest.mark.parametrize(("hard", "soft"), [(0, 0), (1, int(LINUX)), (4096, int(LINUX))])
def test_no_core_is_dumped_with_secrets_in_it(
    source: Program, call: str, hard: int, soft: int
) -> None:
    """On Linux 1 keeps it also from a program that collects cores, which 0 does not."""
    script = (
        "import resource, sys\n"
        "from credlatch import cli\n"
        f"resource.setrlimit(resource.RLIMIT_CORE, ({hard}, {hard}))\n"
        "sys.argv = ['credlatch', '--version']\n"
        f"{call}\n"
        f"assert resource.getrlimit(resource.RLIMIT_CORE) == ({soft}, {hard})\n"
    )
    assert run(source, sys.executable, "-c", script).returncode == 0
