"""The launcher of Windows: whom it asks, what it hands on to the program, and how both end."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.logins import refusal
from support.matching import basic
from support.windows_python import words_for
from support.wine import TIMEOUT, Windows, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIN = basic("bob", "p")
STRANGER = "S-1-5-21-1-2-3-1001"

# Listens where this user's agent does, with whatever access list, hears a request, says something,
# and tells what it has heard.
LISTENER = """
from credlatch.agent import by_pipe, wire
from credlatch.system import windows_pipes, windows_users
own, descriptor = windows_users.own(), windows_users.Descriptor
if given["rule"]:
    windows_users.Descriptor = lambda _: descriptor(given["rule"].replace("OWN", own))
lock = by_pipe.locked(given["build"])  # so that no call starts an agent
listener = windows_pipes.Listener(by_pipe.name(given["build"]))
tell("listens")
def serve():
    while True:
        connection = listener.accept(3600.0)
        if connection is None:
            continue
        connection.settimeout(60.0)
        heard = b""
        try:
            left = wire.HEAD
            while left > 0:
                data = connection.recv(65536)
                if not data:
                    break
                heard += data
                whole = wire.head(heard[:wire.HEAD])[1] if len(heard) >= wire.HEAD else 0
                left = wire.HEAD + whole - len(heard)
            if heard:
                connection.sendall(bytes.fromhex(given["says"]))
        except OSError:
            pass
        tell(heard.hex())
        if not given["stays"]:
            connection.close()
        kept.append(connection)
kept = []
threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()
os._exit(0)
"""

# Has the pipe's only instance, and keeps it to itself.
BUSY = """
import _winapi
from credlatch.agent import by_pipe
lock, name = by_pipe.locked(given["build"]), by_pipe.name(given["build"])
pipe = _winapi.CreateNamedPipe(name, 0x80003, 0, 1, 4096, 4096, 0, 0)  # duplex, the first
end = _winapi.CreateFile(name, 0xC0000000, 0, 0, _winapi.OPEN_EXISTING, 0, 0)
tell("listens")
sys.stdin.read()
os._exit(0)
"""


class Listening:
    """What listens in the agent's place."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def heard(self) -> bytes:
        """The next request."""
        assert self._process.stdout is not None
        return bytes.fromhex(json.loads(self._process.stdout.readline()))

    def fields(self) -> list[bytes]:
        """Those of the next request."""
        data, fields = self.heard(), []
        assert data.startswith(b"CRED\x01G")
        at = 10
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            fields.append(data[at + 4 : at + 4 + length])
            at += 4 + length
        return fields


@contextlib.contextmanager
def listening(says: bytes, rule: str = "", *, stays: bool = False) -> Iterator[Listening]:
    """Something in the agent's place while the block lasts."""
    with running(LISTENER, says=says.hex(), rule=rule, stays=stays) as process:
        yield Listening(process)


@contextlib.contextmanager
def running(script: str, **given: object) -> Iterator[subprocess.Popen[bytes]]:
    """A script that listens, while the block lasts."""
    given["build"] = build()
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(words_for(script), **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(given).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == "listens"
            yield process
        finally:
            process.stdin.close()
            process.wait(TIMEOUT)


def answer(status: int, out: bytes, err: bytes) -> bytes:
    fields = b"".join(len(each).to_bytes(4, "big") + each for each in (bytes([status]), out, err))
    return b"=" + len(fields).to_bytes(4, "big") + fields


@pytest.fixture
def asking(folder: Windows, host: str) -> Windows:
    """The program, with a login for the host, and an agent to be asked."""
    folder.home.write("_netrc", f"machine {host} login bob password p\n")
    folder.env["CREDLATCH_AGENT"] = "on"
    return folder


def test_what_the_agent_says_is_the_answer_and_it_is_told_all_of_the_call(
    windows: Windows, host: str
) -> None:
    windows.env |= {"CREDLATCH_AGENT": "on", "XX": "ä €"}
    with listening(b".." + answer(7, b"o\xfft" * 100_000, b"e\r\n")) as agent:
        request = json.dumps({"uri": f"https://{host}/"}).encode()
        assert windows("get", stdin=request) == (7, b"o\xfft" * 100_000, "e\r\n")
        protocol, folder, session, asked, variables = agent.fields()
        assert (protocol, asked) == (b"", request)
        assert folder.decode().lower().endswith(f"\\users\\{windows.home.path.name}".lower())
        assert (len(session), int(session, 16) >= 0) == (16, True)
        assert "XX=ä €".encode() in variables.split(b"\0")
        assert not any(each.startswith(b"=") for each in variables.split(b"\0"))
        assert windows("token", "--user", "a b", 'q"\\').code == 7
        assert agent.fields()[3] == b'--user\0a b\0q"\\'


@pytest.mark.parametrize(
    ("says", "stays"),
    [
        (b"-", False),
        (b"", False),
        (b"X", False),
        (b"=\xff\xff\xff\xff", False),
        (answer(0, b"half", b"")[:-3], False),
        (b"", True),
    ],
)
def test_where_that_has_no_answer_the_program_reads_what_was_read(
    asking: Windows, host: str, says: bytes, *, stays: bool
) -> None:
    with listening(says, stays=stays) as agent:
        assert asking.bazel(f"https://{host}/x").authorization == LOGIN
        assert host.encode() in agent.fields()[3]


def test_too_long_a_request_is_handed_on_whole(asking: Windows) -> None:
    with listening(answer(0, b"", b"")):
        said = asking("get", stdin=b" " * 3_000_000)
    assert "standard input has 3000000 bytes" in refusal(said)


@pytest.mark.parametrize(
    "rule",
    [
        f"O:{STRANGER}D:P(A;;FA;;;OWN)",
        f"O:OWND:P(A;;FA;;;OWN)(A;;FA;;;{STRANGER})",
        "O:OWND:P(A;;FA;;;OWN)(A;;FA;;;WD)",
    ],
)
def test_a_pipe_that_is_another_user_s_or_open_to_others_is_told_nothing(
    asking: Windows, host: str, rule: str
) -> None:
    with listening(answer(0, b"false", b""), rule) as other:
        assert asking.bazel(f"https://{host}/x").authorization == LOGIN
        assert other.heard() == b""


def test_a_pipe_that_is_never_free_is_not_waited_for(asking: Windows, host: str) -> None:
    with running(BUSY):
        assert asking.bazel(f"https://{host}/x").authorization == LOGIN


@pytest.mark.parametrize("named", ["off", "/run/agent.sock", "\\\\.\\pipe\\mine"])
def test_no_other_agent_can_be_named(asking: Windows, host: str, named: str) -> None:
    asking.env["CREDLATCH_AGENT"] = named
    with listening(answer(0, b"false", b"")):
        said = asking.bazel(f"https://{host}/x")
    assert said.authorization == LOGIN
    assert ("on Windows it is on or off" in said.err) == (named != "off")


@pytest.mark.parametrize("name", ["keyring", "KEYRING", "docker-credential-x", "Git-Credential-Y"])
def test_a_name_means_a_client_in_whatever_case(windows: Windows, name: str) -> None:
    copy = windows.program.with_name(f"{name}.EXE")
    copy.write_bytes(windows.program.read_bytes())
    try:
        said = Windows(copy, windows.home)("--help")
        assert said.code == 0, said
        assert name.lower().partition("-cred")[0].encode() in said.out.lower()
    finally:
        copy.unlink()


@pytest.mark.parametrize("word", ["a b", "", 'q"q', "\\", "a\\\\", '\\"', "*", "ä€🔑", "^%PATH%"])
def test_each_word_comes_as_it_is(folder: Windows, word: str) -> None:
    said = refusal(folder(word), 2)
    assert said == f"credlatch: there is no command {word!r}: see credlatch --help\n"


def test_a_program_that_waits_ends_with_its_launcher(windows: Windows) -> None:
    with windows.start("get") as process:
        assert process.stdin is not None
        process.stdin.write(b" " * 300_000)  # more than a pipe holds: the program reads
        process.kill()
        assert process.communicate(timeout=TIMEOUT)[0] == b""


def test_the_folder_is_found_by_a_link_to_it(folder: Windows, tmp_path: Path) -> None:
    link = tmp_path / "docker-credential-credlatch.exe"
    link.symlink_to(folder.program)
    assert Windows(link, folder.home)("version").code == 0


def test_without_its_folder_it_says_what_it_needs(folder: Windows, tmp_path: Path) -> None:
    alone = tmp_path / "credlatch.exe"
    alone.write_bytes(folder.program.read_bytes())
    said = refusal(Windows(alone, folder.home)("--version"), 1)
    assert "_internal\\credlatch-program.exe cannot be run" in said
    assert "needs its whole folder" in said
