"""How much a call imports and opens: a build tool starts it for every URL, and pays.

The modules are asked of the source tree in a bare interpreter, because the frozen program is the
same modules in the same order, and cannot be asked. The files are those that the frozen program
opens.
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

# All that a call imports which the agent answers, beside what Python itself has at its start: two
# extension modules, and the client with its neighbours.
QUICK = {"_socket", "resource"}
QUICK_OURS = 4

# And all the files that it opens. The program's own:
OWN = {
    "credlatch", "base_library.zip", "libpython.so", "libz.so", "lib-dynload", "_socket.so",
    "resource.so",
}  # fmt: skip
# And what of these nobody needs who is answered from a file: the archive of all libraries.
LIBRARIES = "modules.pyz"
# The system's: the loader's, and what the C library reads of the language and of the time zone.
SYSTEM = {
    "ld.so.cache", "libc.so", "libdl.so", "libm.so", "libpthread.so", "libz.so",
    "locale.alias", "locale-archive", "LC_CTYPE", "gconv-modules.cache", "localtime",
}  # fmt: skip

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


# As the frozen program's loader does it (build/quick.py): one module after the other, by its full
# name and without its package, before there is anything else.
LOADING = """
import sys
before = set(sys.modules)
folder = sys.argv.pop(1)
sys.argv[0] = "credlatch"
import posix

def end(status, really=posix._exit):
    posix.write(2, " ".join(sorted(set(sys.modules) - before)).encode())
    really(status)

posix._exit = end
for name in ("clients", "agent.wire", "agent.place", "agent.client"):
    module = type(sys)("credlatch." + name)
    sys.modules[module.__name__] = module
    with open(folder + name.replace(".", "/") + ".py") as source:
        exec(compile(source.read(), name, "exec"), module.__dict__)
sys.modules["credlatch.agent.client"].answer()
"""


def imported(home: Home, *args: str, stdin: bytes) -> tuple[bytes, set[str]]:
    """What a call answers, and what it imported for that."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASKING, str(HELPER), *args],
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
    few(modules, 45)


def test_a_token_that_could_be_renewed_and_is_not_due(home: Home) -> None:
    token = {"access_token": "t", "refresh_token": "r", "expires_at": 4_000_000_000}
    server = {"token_endpoint": "https://b.example/token", "client_id": "c"}
    home.write_rattler({"a.example": {"OAuth": {**token, **server}}})
    _, modules = imported(home, "get", stdin=bazel("a.example"))
    few(modules, 47)


def test_a_token_from_the_environment(home: Home) -> None:
    home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "t"
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{"Authorization":["Bearer t"]}}\n'
    few(modules, 38)


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
    few(modules, 56)


def test_a_login_from_uv_s_file(home: Home) -> None:
    home.write(*UV)
    _, modules = imported(home, "get", stdin=bazel("a.example"))
    few(modules, 50)


def test_docker_s_key(home: Home) -> None:
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    answer, modules = imported(home, "docker", "get", stdin=b"r.example")
    assert json.loads(answer)["Username"] == "u"
    few(modules, 45)


def test_docker_s_list(home: Home) -> None:
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    answer, modules = imported(home, "docker", "list", stdin=b"")
    assert answer == b'{"r.example":"u"}\n'
    few(modules, 47)


def test_the_version(home: Home) -> None:
    _, modules = imported(home, "--version", stdin=b"")
    few(modules, 20)


QUESTIONS = {
    "bazel": (["get"], bazel("a.example"), b'{"headers":{"Authorization":["Bearer t"]}}\n'),
    "a miss": (["bazel", "get"], bazel("b.example"), b'{"headers":{}}\n'),
    "docker": (
        ["docker", "get"],
        b"a.example",
        b'{"ServerURL":"a.example","Username":"__token__","Secret":"t"}\n',
    ),
}


@pytest.mark.parametrize(("args", "stdin", "out"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_get_that_the_agent_answers(
    agent: Agent, args: list[str], stdin: bytes, out: bytes
) -> None:
    agent.home.write_rattler({"a.example": SECRET})
    agent.warm()
    build = f"utf8 credlatch={agent.status()['build']}"
    folder = f"{HELPER}/credlatch/"
    with agent.answering():
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-X", build, "-c", LOADING, folder, *args],
            input=stdin,
            env=agent.home.env,
            capture_output=True,
            timeout=60,
            check=True,
        )
    assert done.stdout == out
    modules = set(done.stderr.decode().split())
    ours = {name for name in modules if name.startswith("credlatch.")}
    assert modules - ours == QUICK
    assert len(ours) <= QUICK_OURS, ours


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


def test_the_files_that_it_opens(agent: Agent, tmp_path: Path) -> None:
    agent.home.write_rattler({"a.example": SECRET})
    agent.home.env["LANG"] = "C.UTF-8"
    agent.warm()
    with agent.answering():
        lines = traced([*agent.program.command], agent.home.env, tmp_path / "trace")
    found, missed = opened(lines, there=True), opened(lines, there=False)
    folder = str(Path(agent.program.command[0]).parent)
    assert {role(path) for path in found if path.startswith(folder)} == OWN
    assert {role(path) for path in found if not path.startswith(folder)} <= SYSTEM
    # What is not there has been looked for beside us and in the system: nowhere else, as if this
    # were the machine that built it.
    known = (folder, "/etc/", "/lib", "/usr/")
    assert [path for path in found | missed if not path.startswith(known)] == []
