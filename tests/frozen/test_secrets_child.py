"""``credlatch secrets`` and the command that it runs: signals, ends, and what is left."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.secrets.source import MAX_SIZE
from support.in_memory import until
from support.logins import oauth
from support.program import TIMEOUT, run
from support.started import started
from support.token_server import Fault
from support.wrapped import (
    NAPPING,
    SECRET,
    TOKEN,
    VARIABLE,
    running,
    token_in_the_environment,  # noqa: F401 - a fixture
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.program import Program
    from support.token_server import TokenServer

pytestmark = pytest.mark.usefixtures("logged_in")


@pytest.mark.parametrize("status", [0, 1, 2, 7, 127, 255])
def test_the_exit_status_is_the_commands(each_form: Program, status: int) -> None:
    answer = wrapped(each_form, f"cat $CREDLATCH_SECRETS/t; exit {status}")
    assert (answer.code, answer.out, answer.err) == (status, TOKEN.encode(), "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE])
def test_we_die_of_the_signal_that_the_command_died_of(
    each_form: Program, number: signal.Signals
) -> None:
    script = f"cat $CREDLATCH_SECRETS/t; kill -{number.value} $$"
    assert wrapped(each_form, script) == (-number, TOKEN.encode(), "")


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"])
def test_signals_go_to_the_command(each_form: Program, name: str) -> None:
    script = f"trap 'echo got {name}; exit 5' {name}; echo ready; {NAPPING}"
    with running(each_form, script) as process:
        process.send_signal(getattr(signal, f"SIG{name}"))
        out, _ = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (5, f"got {name}\n".encode())


def test_a_command_that_goes_on_after_a_signal_keeps_its_secrets(frozen: Program) -> None:
    script = (
        "trap 'echo ready' TERM; trap 'cat $CREDLATCH_SECRETS/t; exit 0' USR1; echo ready; "
        f"{NAPPING}"
    )
    with running(frozen, script) as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out, err) == (0, TOKEN.encode(), b"")


# Takes each SIGINT, one after the other: it says when it has, until none comes for half a second.
COUNTING = """
import signal, sys
mine = {signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, mine)
found, seconds = -1, 30
while found < 0 or signal.sigtimedwait(mine, seconds) is not None:
    found += 1
    print("ready", file=sys.stderr, flush=True)
    seconds = 30 if found < int(sys.argv[1]) else 0.5
open(sys.argv[2], "w").write(str(found))
sys.exit(6)
"""
TIMES = 20  # of two that come at once, the second may be lost


@contextmanager
def in_a_terminal(
    program: Program, *words: str
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[bytes], None]]]:
    """A command that has said that it is ready, in a terminal of its own, which we are led by.

    What is typed there; nothing: it hangs up.
    """
    leader, follower = os.openpty()
    ends = [leader, follower]

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def typed(keys: bytes) -> None:
        if keys:
            os.write(leader, keys)
        while not keys and ends:
            os.close(ends.pop())

    with started(
        [*program.command, "secrets", *SECRET, "--", *words],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        env=program.home.env,
        preexec_fn=take_terminal,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        yield process, typed
    typed(b"")


def test_ctrl_c_reaches_the_command_once(frozen: Program, tmp_path: Path) -> None:
    """The kernel sends SIGINT to all that run in the terminal's foreground."""
    counted = tmp_path / "counted"
    words = (sys.executable, "-c", COUNTING, str(TIMES), str(counted))
    with in_a_terminal(frozen, *words) as (process, typed):
        assert process.stderr is not None
        for _ in range(TIMES):
            typed(b"\x03")
            assert process.stderr.readline() == b"ready\n"
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 6
    assert counted.read_text() == str(TIMES)


def test_a_terminal_that_hangs_up_is_told_to_the_command(frozen: Program, tmp_path: Path) -> None:
    """The kernel tells the one who leads its session alone: us."""
    told = tmp_path / "told"
    script = f"trap 'echo told >{told}; exit 0' HUP; echo ready >&2; {NAPPING}"
    with in_a_terminal(frozen, "sh", "-c", script) as (process, typed):
        typed(b"")
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert told.read_text() == "told\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_our_caller_ignores_the_command_ignores_too(
    each_form: Program, number: signal.Signals
) -> None:
    """As of nohup(1), and of what a shell runs in the background."""
    words = ["secrets", *SECRET, "--", "sh", "-c", f"kill -{number.value} $$"]
    ignoring = partial(signal.signal, number, signal.SIG_IGN)
    assert run(each_form.home, [*each_form.command, *words], preexec_fn=ignoring).code == 0


def test_a_renewal_that_is_under_way_when_the_command_ends_is_not_lost(
    frozen: Program, token_server: TokenServer
) -> None:
    """Its refresh token is good for one use: without the answer there would be no login."""
    frozen.home.write_rattler({"127.0.0.1": oauth(token_server, 3600)})
    option = ("--secret", f"id=t,url={token_server.url}")
    script = "echo ready; read go; cat $CREDLATCH_SECRETS/t >/dev/null & read over; exit 4"
    with running(frozen, script, *option) as process:
        assert process.stdin is not None
        token_server.delay = 1.0
        frozen.home.write_rattler({"127.0.0.1": oauth(token_server, -60, "another")})
        process.stdin.write(b"\n")
        process.stdin.flush()
        until(lambda: token_server.posts("/token"))
        process.communicate(b"\n", TIMEOUT)
    assert process.returncode == 4
    kept = frozen.home.read_rattler()["127.0.0.1"]["OAuth"]
    assert kept["access_token"] == token_server.current_access_token
    assert kept["refresh_token"].startswith("rotated-")


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
@pytest.mark.parametrize("whom", ["us", "all of the group"])
def test_the_folder_goes_also_when_we_are_killed(
    each_form: Program, whom: str, kind: tuple[str, ...]
) -> None:
    script = f"echo ready; echo $CREDLATCH_SECRETS $PPID; {NAPPING}"
    with running(each_form, script, *SECRET, *kind) as process:
        assert process.stdout is not None
        folder, us = process.stdout.readline().decode().split()
        assert os.listdir(folder) == ["t"]
        if whom == "us":
            os.kill(int(us), signal.SIGKILL)  # of the single file, the process behind the loader
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)
        until(lambda: not os.path.exists(folder))


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_who_waits_for_a_secret_when_we_are_killed_gets_none_and_does_not_wait_for_ever(
    frozen: Program, token_server: TokenServer, kind: tuple[str, ...]
) -> None:
    frozen.home.write_rattler({"127.0.0.1": oauth(token_server, 3600)})
    option = ("--secret", f"id=t,url={token_server.url}", *kind)
    script = "echo ready; read go; cat $CREDLATCH_SECRETS/t; echo over"
    with running(frozen, script, *option) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        token_server.fault = Fault.HANG
        frozen.home.write_rattler({"127.0.0.1": oauth(token_server, -60, "another")})
        process.stdin.write(b"\n")
        process.stdin.flush()
        until(lambda: token_server.posts("/token"))
        process.kill()
        out = process.stdout.read()
    if kind:
        assert out == b"over\n"
    else:  # no build takes that much
        text = b"credlatch: this secret has not been answered\n"
        assert out == text.ljust(MAX_SIZE + 1, b"\0") + b"over\n"


def test_nothing_of_ours_runs_on_when_the_command_has_ended(frozen: Program) -> None:
    with running(frozen, "echo ready; read end") as process:
        assert _running(frozen)
        process.communicate(b"\n", TIMEOUT)
        until(lambda: not _running(frozen))


def _running(program: Program) -> list[str]:
    """The processes that run this program with this home: other tests may run it, too."""
    home = f"HOME={program.home.path}".encode()
    folder = f"{Path(os.path.realpath(program.command[0])).parent}/"
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(folder) and (
                home in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            ):
                found.append(pid)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_harm_neither_the_secrets_nor_the_folder(
    frozen: Program, tmp_path: Path, closed: str
) -> None:
    """A file that is opened later gets a closed stream's number: no warning may go there."""
    del frozen.home.env[VARIABLE]
    netrc = f"machine packages.example.com login u password {TOKEN}\n"
    frozen.home.write(".netrc", netrc, mode=0o644)
    copy = tmp_path / "copy"
    inner = f"cat $CREDLATCH_SECRETS/t >{copy}; cat $CREDLATCH_SECRETS/t >>{copy}"
    command = f"{frozen.command[0]} secrets {SECRET[0]} {SECRET[1]} -- sh -c '{inner}' {closed}"
    subprocess.run(["sh", "-c", command], env=frozen.home.env, check=True, timeout=TIMEOUT)
    assert copy.read_text() == TOKEN * 2


def test_in_a_terminal_a_line_is_said_again_when_the_command_has_drawn_over_it(
    frozen: Program,
) -> None:
    del frozen.home.env[VARIABLE]
    store = frozen.home.write_rattler({"packages.example.com": {"BearerToken": TOKEN}})
    script = f"rm {store}; cat $CREDLATCH_SECRETS/t >/dev/null; echo drawn >&2"
    leader, follower = os.openpty()
    words = [*frozen.command, "secrets", *SECRET, "--", "sh", "-c", script]
    subprocess.run(words, stderr=follower, env=frozen.home.env, check=True, timeout=TIMEOUT)
    os.close(follower)
    before, drawn, after, *_ = os.read(leader, 65_536).decode().split("\r\n")
    os.close(leader)
    assert before.startswith("credlatch: the secret 't': no store has a credential")
    assert (drawn, after) == ("drawn", before)


def test_a_command_has_an_exit_status_whatever_our_caller_ignores(frozen: Program) -> None:
    words = [*frozen.command, "secrets", *SECRET, "--", "sh", "-c", "exit 5"]
    ignoring = partial(signal.signal, signal.SIGCHLD, signal.SIG_IGN)
    assert run(frozen.home, words, preexec_fn=ignoring).code == 5
