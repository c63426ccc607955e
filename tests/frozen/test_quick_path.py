"""How much a call imports and opens: a build tool starts it for every URL, and pays.

The modules are asked of the source tree in a bare interpreter, because the frozen program is the
same modules in the same order, and cannot be asked. The system calls are the frozen program's.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import credlatch
from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.agent import Agent
    from support.home import Home

HELPER = Path(credlatch.__file__).parent.parent
SECRET = {"BearerToken": "t"}

UV = (
    ".local/share/uv/credentials/credentials.toml",
    '[[credential]]\nservice = "https://a.example"\nusername = "u"\npassword = "p"\n',
)

# Each costs more than all of ours together.
HEAVY = {
    "json", "re", "enum", "typing", "dataclasses", "contextlib", "pathlib", "argparse", "logging",
    "subprocess", "inspect", "base64", "urllib.parse", "ipaddress", "datetime", "tempfile",
    "tomllib", "tomlkit", "httpx", "msgspec", "keyring", "jeepney", "filelock",
    "truststore", "ssl", "idna", "hashlib", "fcntl",
}  # fmt: skip

# What nobody opens who is answered from a file: the archive of all libraries.
LIBRARIES = "modules.pyz"

ASKING = """
import sys
before = set(sys.modules)
sys.path[:0] = [sys.argv.pop(1)]
from credlatch.cli import main
sys.argv[0] = "credlatch"
status = main()
after = set(sys.modules) - before
import json, os
os.write(2, json.dumps([status, sorted(after)]).encode())
"""


def imported(home: Home, *args: str, stdin: bytes, before: str = "") -> tuple[bytes, set[str]]:
    """What a call answers, and what it imported for that."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", before + ASKING, str(HELPER), *args],
        input=stdin,
        env=home.env,
        capture_output=True,
        timeout=60,
        check=True,
    )
    status, modules = json.loads(done.stderr)
    assert status == 0, done
    return done.stdout, set(modules)


def bazel(host: str) -> bytes:
    return json.dumps({"uri": f"https://{host}/simple/"}, separators=(",", ":")).encode()


def few(modules: set[str], most: int) -> None:
    """No more than that, and none that costs more than all of ours together."""
    assert modules & HEAVY == set()
    assert len(modules) <= most, sorted(modules)


def test_a_token_from_rattler_s_file(home: Home) -> None:
    home.write_rattler({"a.example": SECRET})
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{"Authorization":["Bearer t"]}}\n'
    few(modules, 46)


def test_a_token_that_could_be_renewed_and_is_not_due(home: Home) -> None:
    token = {"access_token": "t", "refresh_token": "r", "expires_at": 4_000_000_000}
    server = {"token_endpoint": "https://b.example/token", "client_id": "c"}
    home.write_rattler({"a.example": {"OAuth": {**token, **server}}})
    _, modules = imported(home, "get", stdin=bazel("a.example"))
    few(modules, 49)


def test_a_token_from_the_environment(home: Home) -> None:
    home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "t"
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{"Authorization":["Bearer t"]}}\n'
    few(modules, 39)


@pytest.mark.parametrize("file", [".netrc", ".docker/config.json", ".rattler/credentials.json"])
def test_a_miss_after_all_stores(home: Home, file: str) -> None:
    contents = {
        ".netrc": "machine b.example login u password p\n",
        ".docker/config.json": '{"auths":{"b.example":{"auth":"dTpw"}}}',
        ".rattler/credentials.json": '{"b.example":{"BearerToken":"t"}}',
    }
    home.write(file, contents[file])
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{}}\n'
    few(modules, 60)


@pytest.mark.parametrize("token", ["t", None])
def test_a_machine_that_shares_no_login_imports_nothing_of_a_fleet(
    home: Home, token: str | None
) -> None:
    if token is not None:
        home.write_rattler({"a.example": SECRET})
    _, modules = imported(home, "get", stdin=bazel("a.example"))
    assert [name for name in modules if "fleet" in name] == []


def test_a_stored_login_comes_before_a_shared_one_which_is_not_looked_at(home: Home) -> None:
    home.write_rattler({"a.example": SECRET})
    home.write(".config/credlatch/fleet.toml", "[[")
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{"Authorization":["Bearer t"]}}\n'
    assert [name for name in modules if "fleet" in name] == []


def test_a_login_from_uv_s_file(home: Home) -> None:
    home.write(*UV)
    _, modules = imported(home, "get", stdin=bazel("a.example"))
    few(modules, 52)


def test_docker_s_key(home: Home) -> None:
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    answer, modules = imported(home, "docker", "get", stdin=b"r.example")
    assert json.loads(answer)["Username"] == "u"
    few(modules, 46)


def test_docker_s_list(home: Home) -> None:
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    answer, modules = imported(home, "docker", "list", stdin=b"")
    assert answer == b'{"r.example":"u"}\n'
    few(modules, 48)


def test_the_version(home: Home) -> None:
    home.write("versions.txt", "python: 3\n")
    frozen = f"import sys\nsys._xoptions['utf8 credlatch'] = 'b'\nsys._MEIPASS = {str(home.path)!r}"
    answer, modules = imported(home, "--version", stdin=b"", before=frozen)
    assert answer.decode() == f"credlatch {credlatch.__version__}\nbuild: b\npython: 3\n"
    few(modules, 20)


# All that the launcher asks of the system when the agent answers.
CALLS = {
    "execve", "arch_prctl", "set_tid_address",  # the start
    "prlimit64",  # no core files
    "lstat", "newfstatat", "stat", "getuid",  # whose the folder and the socket are
    "socket", "fcntl", "connect", "getsockopt", "sendto", "poll", "recvfrom", "close",
    "read", "getcwd", "readlink",  # the question
    "brk", "mmap", "munmap", "mprotect", "sched_getaffinity",  # room for it
    "rt_sigaction", "write", "exit_group",  # the answer
}  # fmt: skip


@pytest.mark.parametrize("args", [["get"], ["bazel", "get"]])
@pytest.mark.parametrize("form", ["folder", "single"])
def test_a_get_that_the_agent_answers_is_one_process_of_few_calls(
    agent: Agent, single: Path, form: str, args: list[str], tmp_path: Path
) -> None:
    agent.home.write_rattler({"a.example": SECRET})
    agent.warm()
    trace = tmp_path / "trace"
    program = str(single) if form == "single" else agent.program.command[0]
    with agent.answering():
        done = subprocess.run(
            [need("strace"), "-f", "-o", trace, program, *args],
            input=bazel("a.example"),
            env=agent.home.env,
            capture_output=True,
            check=True,
        )
    assert b"Bearer t" in done.stdout
    lines = [line.split(None, 1)[1] for line in trace.read_text().splitlines()]
    calls = [line.partition("(")[0] for line in lines if line[0].isalpha()]
    assert set(calls) <= CALLS
    assert len(calls) < 60
    assert calls.count("execve") == 1


def role(path: str) -> str:
    """What a file is, whatever the version: ``_socket.cpython-311-x86_64-linux-gnu.so``."""
    name = Path(path).name
    stem, dot, _ = name.partition(".so")
    return (
        re.sub(r"(\.cpython-.*|\.abi3|3\.\d+)$", "", stem) + dot if dot and stem != "ld" else name
    )


def opened(lines: Iterable[str], *, there: bool) -> set[str]:
    """The paths in a trace that were there, or that were looked for in vain."""
    calls = (re.search(r'\bopen(?:at)?\((?:AT_FDCWD, )?"([^"]+)".* = (-?\d+)', x) for x in lines)
    return {call[1] for call in calls if call and (int(call[2]) >= 0) == there}


def traced(command: list[str], env: dict[str, str], trace: Path) -> list[str]:
    """What a ``get`` does with files, as strace tells it."""
    done = subprocess.run(
        [need("strace"), "-f", "-e", "trace=%file", "-o", trace, *command, "get"],
        input=bazel("a.example"),
        env=env,
        capture_output=True,
        check=True,
    )
    assert b"Authorization" in done.stdout
    return trace.read_text().splitlines()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".rattler/credentials.json", '{"a.example":{"BearerToken":"t"}}'),
        (".netrc", "machine a.example login u password p\n"),
        (".docker/config.json", '{"auths":{"https://a.example":{"auth":"dTpw"}}}'),
        UV,
    ],
    ids=["rattler", "netrc", "docker", "uv"],
)
def test_a_call_that_is_answered_from_a_file_needs_no_library(
    folder: Path, home: Home, tmp_path: Path, file: str, text: str
) -> None:
    home.write(file, text)
    lines = traced([str(folder)], home.env, tmp_path / "trace")
    names = {role(path) for path in opened(lines, there=True)}
    assert "base_library.zip" in names
    assert LIBRARIES not in names
