"""``credlatch agent forward``: one machine's logins, used on another through ssh."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import wire
from support.home import Home
from support.program import TIMEOUT, Program
from support.sshd import forwarded
from support.started import started

if TYPE_CHECKING:
    from collections.abc import Iterator

MEBIBYTE = 1024 * 1024
ENTRIES = {host: {"BearerToken": f"t-{host}"} for host in ("a.example", "x.b.example", "c.example")}


class Laptop:
    """Where somebody has logged in, and forwards.

    Attributes:
        home: where its logins are.
        socket: what is forwarded.
        process: the running ``credlatch agent forward``.
    """

    def __init__(self, process: subprocess.Popen[str], path: Path, home: Path) -> None:
        self.process = process
        self.socket = path
        self.home = home

    def line(self) -> str:
        """The next line that it shows."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> str:
        """Press Ctrl-C; what it had still to show."""
        self.process.send_signal(signal.SIGINT)
        shown, _ = self.process.communicate(timeout=TIMEOUT)
        assert self.process.returncode == 0
        return shown


@contextmanager
def _forwarding(folder: Path, home: Home, runtime: str, *hosts: str) -> Iterator[Laptop]:
    home.write_rattler(ENTRIES)
    home.env["XDG_RUNTIME_DIR"] = runtime
    words: list[str] = [str(folder), "agent", "forward", *hosts]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with started(words, env=home.env, **pipes, text=True) as process:
        laptop = Laptop(process, Path(runtime) / "credlatch" / "forward.sock", home.path)
        assert laptop.line().startswith("forwarding a.example")
        assert str(laptop.socket) in laptop.line()
        assert "CREDLATCH_AGENT=" in laptop.line()
        yield laptop


@pytest.fixture
def laptop(folder: Path, tmp_path: Path) -> Iterator[Laptop]:
    # The path of a socket must be short.
    with (
        tempfile.TemporaryDirectory(prefix="cl-") as runtime,
        _forwarding(
            folder, Home(tmp_path / "laptop"), runtime, "a.example", "*.b.example"
        ) as there,
    ):
        yield there


@pytest.fixture(params=["ssh", "mounted"])
def tunnel(request: pytest.FixtureRequest, laptop: Laptop) -> Iterator[Path]:
    """The laptop's socket as the other machine sees it."""
    if request.param == "mounted":
        yield laptop.socket
        return
    with tempfile.TemporaryDirectory(prefix="cl-") as folder:
        path = Path(folder) / "c.sock"
        with forwarded(laptop.socket, path, Path(folder)):
            yield path


@pytest.fixture
def builder(frozen: Program, home: Home, tunnel: Path) -> Program:
    """The program on the other machine, which has no logins of its own."""
    home.env["CREDLATCH_AGENT"] = str(tunnel)
    return frozen


def test_a_builder_uses_the_logins_of_the_laptop(laptop: Laptop, builder: Program) -> None:
    assert builder.bazel("https://a.example/x").authorization == "Bearer t-a.example"
    assert "bazel a.example rattler answered" in laptop.line()
    assert builder.bazel("https://x.b.example/").authorization == "Bearer t-x.b.example"
    assert "bazel x.b.example rattler answered" in laptop.line()
    assert builder.docker("get", "a.example").json()["Secret"] == "t-a.example"
    assert "docker a.example rattler answered" in laptop.line()
    assert "t-" not in laptop.end()


def test_every_client_on_the_builder_uses_them(laptop: Laptop, builder: Program) -> None:
    git = b"protocol=https\nhost=a.example\n\n"
    for words, stdin, said in [
        (["header", "https://a.example/x"], b"", b"Authorization: Bearer t-a.example\n"),
        (["token", "https://a.example/x"], b"", b"t-a.example\n"),
        (["token", "--user", "https://a.example/x"], b"", b"__token__\n"),
        (["keyring", "get", "https://a.example/x", "ada"], b"", b"t-a.example\n"),
        (["git", "get"], git, b"username=oauth2\npassword=t-a.example\n"),
    ]:
        answer = builder(*words, stdin=stdin)
        assert answer == (0, said, "")
        assert f"{words[0]} a.example rattler answered" in laptop.line()


def test_a_user_that_is_named_counts_on_the_laptop(laptop: Laptop, builder: Program) -> None:
    home = Home(laptop.home)
    logins = {name: {"BasicHTTP": {"username": name, "password": f"{name}s"}} for name in "ab"}
    home.write_rattler({"a.example": logins["a"], "b@a.example": logins["b"]})
    for name, secret in [("a", b"as\n"), ("b", b"bs\n")]:
        assert builder("token", f"https://{name}@a.example/").out == secret
        assert builder("keyring", "get", "https://a.example/", name).out == secret
    assert builder("token", "https://c@a.example/").code == 1


@pytest.mark.parametrize("by", ["a header", "a login"])
def test_what_was_not_named_is_not_answered_to_any_client(
    laptop: Laptop, builder: Program, by: str
) -> None:
    words = ["header"] if by == "a header" else ["token"]
    assert builder(*words, "https://c.example/").code == 1
    assert f"{words[0]} - - left to the caller: c.example is not forwarded" in laptop.line()
    assert builder(*words, "nonsense").code == 1
    assert "what it asks for is not forwarded" in laptop.line()


@pytest.mark.parametrize("new", [True, False], ids=["a new git", "an old one"])
def test_what_git_has_from_the_laptop_is_not_kept_on_the_builder(
    laptop: Laptop, builder: Program, home: Home, *, new: bool
) -> None:
    asks = b"protocol=https\nhost=a.example\n"
    given = builder("git", "get", stdin=asks + (b"capability[]=state\n" if new else b"") + b"\n")
    assert b"t-a.example" in given.out
    assert builder("git", "store", stdin=asks + given.out + b"\n").code == 0
    assert not (home.path / ".rattler").exists()
    assert laptop.process.poll() is None
    # What a person types for a host that the laptop has nothing for is the builder's.
    typed = b"protocol=https\nhost=c.example\nusername=ada\npassword=own\n\n"
    assert builder("git", "store", stdin=typed).code == 0
    assert list(home.read_rattler()) == ["c.example"]


def test_hosts_that_were_not_named_are_not_answered(laptop: Laptop, builder: Program) -> None:
    assert builder.bazel("https://c.example/").authorization is None
    assert "c.example is not forwarded" in laptop.line()
    assert builder.bazel("https://b.example/").authorization is None
    assert "b.example is not forwarded" in laptop.line()


def test_what_the_builder_says_of_its_files_does_not_count(
    laptop: Laptop, builder: Program, home: Home
) -> None:
    stolen = home.write("elsewhere.json", '{"a.example":{"BearerToken":"another"}}')
    home.env["RATTLER_AUTH_FILE"] = str(stolen)
    home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "another"
    assert builder.bazel("https://a.example/").authorization == "Bearer t-a.example"
    assert "answered" in laptop.line()


def test_what_the_laptop_does_not_have_is_looked_for_on_the_builder(
    builder: Program, home: Home
) -> None:
    home.write(".netrc", "machine c.example login ada password own")
    assert builder.bazel("https://c.example/").authorization == "Basic YWRhOm93bg=="


def test_after_ctrl_c_the_builder_is_on_its_own(
    laptop: Laptop, builder: Program, home: Home
) -> None:
    home.write(".netrc", "machine a.example login ada password own")
    assert laptop.end() == ""
    assert not laptop.socket.exists()
    assert builder.bazel("https://a.example/").authorization == "Basic YWRhOm93bg=="


@pytest.mark.parametrize("asks_for", [wire.GET, wire.STATUS, wire.LOG, wire.STOP])
def test_nothing_else_is_answered(laptop: Laptop, asks_for: bytes) -> None:
    fields = [b"bazel", b"/", b"", b'{"uri":"https://a.example/"}', b""]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(laptop.socket))
        connection.settimeout(TIMEOUT)
        connection.sendall(wire.request(asks_for, *(fields if asks_for == wire.GET else [])))
        assert connection.recv(100) == wire.DECLINED
    assert laptop.process.poll() is None


def test_the_folder_of_the_socket_must_be_one_s_own(frozen: Program, home: Home) -> None:
    with tempfile.TemporaryDirectory(prefix="cl-") as runtime:
        home.env["XDG_RUNTIME_DIR"] = runtime
        (Path(runtime) / "credlatch").mkdir(mode=0o755)
        answer = frozen("agent", "forward", "a.example")
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, b"", 1)
    assert "cannot be made" in answer.err


def test_a_second_one_is_refused_and_the_first_goes_on(
    laptop: Laptop, frozen: Program, home: Home
) -> None:
    home.env["XDG_RUNTIME_DIR"] = str(laptop.socket.parent.parent)
    second = frozen("agent", "forward", "c.example")
    assert (second.code, second.out, second.err.count("\n")) == (1, b"", 1)
    assert f"process {laptop.process.pid} forwards at {laptop.socket} already" in second.err
    home.env["CREDLATCH_AGENT"] = str(laptop.socket)
    assert frozen.bazel("https://a.example/x").authorization == "Bearer t-a.example"


def test_after_one_was_killed_the_next_takes_its_place(
    laptop: Laptop, folder: Path, tmp_path: Path
) -> None:
    laptop.process.kill()
    laptop.process.wait()
    assert laptop.socket.exists()
    runtime = str(laptop.socket.parent.parent)
    with _forwarding(folder, Home(tmp_path / "again"), runtime, "a.example"):
        pass


def test_a_port_counts(folder: Path, frozen: Program, home: Home, tmp_path: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="cl-") as runtime,
        _forwarding(folder, Home(tmp_path / "laptop"), runtime, "a.example:8443") as laptop,
    ):
        home.env["CREDLATCH_AGENT"] = str(laptop.socket)
        assert frozen.bazel("https://a.example:8443/").authorization == "Bearer t-a.example"
        assert "answered" in laptop.line()
        assert frozen.bazel("https://a.example/").authorization is None
        assert "a.example is not forwarded" in laptop.line()
        assert frozen.bazel("https://a.example:8444/").authorization is None
        assert "a.example:8444 is not forwarded" in laptop.line()


@pytest.mark.parametrize("host", ["a.example/path", "a b", "u@a.example", "a.example:99999"])
def test_what_is_no_host_is_refused(frozen: Program, host: str) -> None:
    answer = frozen("agent", "forward", host)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, b"", 1)
    assert "HOST:PORT" in answer.err


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_many_large_requests_do_not_fill_the_memory(laptop: Laptop) -> None:
    """Five hundred at once, each as large as it may be, and none of them whole."""
    request = wire.request(wire.FORWARDED, b"bazel", b" " * MEBIBYTE)[:-1]
    with ExitStack() as stack:
        for _ in range(500):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(TIMEOUT)
            with suppress(OSError):  # let go
                connection.connect(str(laptop.socket))
                connection.sendall(request)
    status = Path(f"/proc/{laptop.process.pid}/status").read_text()
    (peak,) = (int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM"))
    assert peak * 1024 < 150 * MEBIBYTE
