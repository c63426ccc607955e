"""The agent's life: how it comes, what it inherits, what it says of itself, how it ends."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import wire
from support.agent import WARM, until
from support.users import as_root

if TYPE_CHECKING:
    from support.agent import Agent
    from support.home import Home
    from support.program import Program

HOST = "a.example"
URI = f"https://{HOST}/simple/"
SECRET = "kept-from-everybody"
ANSWER = f"Bearer {SECRET}"

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": SECRET}})


def test_the_first_call_answers_itself_and_starts_the_agent_for_the_next(agent: Agent) -> None:
    assert agent.program.bazel(URI).authorization == ANSWER
    agent.up()
    assert (agent.served, agent.declined) == (0, 0)
    assert agent.call(URI).authorization == ANSWER
    assert agent.served == 1


def test_both_forms_share_one(agent: Agent, each_form: Program) -> None:
    """The single file has none of its own: the one that it unpacks is the same build's."""
    assert each_form.bazel(URI).authorization == ANSWER
    pid = agent.up()
    with agent.answering(2):
        assert each_form.bazel(URI).authorization == ANSWER
        assert agent.program.bazel(URI).authorization == ANSWER
    status = each_form("agent", "status")
    assert f"pid: {pid}\n".encode() in status.out


def test_the_caller_ends_at_once_and_nothing_of_it_stays_open(agent: Agent) -> None:
    """Bazel and Go wait for the end of both streams, not of the process."""
    reader, writer = os.pipe()  # as a build tool's own, which a call inherits
    with subprocess.Popen(
        [*agent.program.command, "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=agent.home.env,
        pass_fds=[writer],
    ) as call:
        out, err = call.communicate(f'{{"uri":"{URI}"}}'.encode(), timeout=10)
    os.close(writer)
    assert ANSWER.encode() in out
    assert err == b""
    with os.fdopen(reader, "rb") as ours:
        agent.up()
        assert select.select([ours], [], [], 0)[0], "somebody has the other side"
        assert ours.read() == b""


@linux
@as_root
def test_it_has_nothing_of_its_starter(agent: Agent) -> None:
    agent.home.env |= {"CREDLATCH_TOKEN_A_EXAMPLE": SECRET, "PYX_API_KEY": SECRET}
    agent.home.env |= {"LD_LIBRARY_PATH": "/a/build/s", "OPENSSL_CONF": "/a/build/s/openssl.cnf"}
    process = Path("/proc") / str(agent.warm())
    links = {int(each.name): os.readlink(each) for each in (process / "fd").iterdir()}
    assert [links.pop(number) for number in range(4)] == [*["/dev/null"] * 3, str(agent.lock)]
    in_use, listener = sorted(links.values())
    assert in_use == str(Path(agent.program.command[0]).parent)  # which nobody removes meanwhile
    assert listener.startswith("socket:")
    assert os.readlink(process / "cwd") == "/"
    fields = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    assert fields["Umask"] == "0077"
    assert "PYX_API_KEY" not in (environ := (process / "environ").read_text())
    assert SECRET not in environ
    assert "/a/build/s" not in environ
    (core,) = [x for x in (process / "limits").read_text().splitlines() if "core file" in x]
    soft, hard = core.split()[4:6]
    assert soft == ("0" if hard == "0" else "1")  # see forbid_cores
    # Field 6 of proc_pid_stat(5); its leader, which has ended, was the starter's child.
    session = int((process / "stat").read_text().rpartition(")")[2].split()[3])
    assert session not in (os.getsid(0), 0)
    assert fields["PPid"] != str(os.getpid())


@linux
@as_root
def test_a_caller_without_streams_gives_it_its_lock_all_the_same(agent: Agent) -> None:
    """Files that are opened get the numbers of streams that are closed: the lock, too."""
    for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
        agent.may_start()
        call = f"{agent.program.command[0]} get {closed}"
        subprocess.run(["sh", "-c", call], env=agent.home.env, capture_output=True, check=False)
        process = Path("/proc") / str(agent.up())
        links = [os.readlink(process / "fd" / str(number)) for number in range(4)]
        assert links == [*["/dev/null"] * 3, str(agent.lock)], closed
        agent.kill()


@linux
def test_other_processes_of_the_same_user_cannot_look_into_it(strangers: Agent) -> None:
    user = strangers.program.command[:-1]
    strangers.program.bazel(URI)
    pid = until(strangers.listening, "it does not come up")
    with subprocess.Popen([*user, "sleep", "60"]) as plain:
        comm = Path("/proc") / str(plain.pid) / "comm"
        try:  # until then it is whoever makes it that user's
            until(lambda: comm.read_text() == "sleep\n", "it does not begin")
            # The first byte of a memory is not there to be read: another error.
            for name, readable in [("environ", 0), ("maps", 0), ("mem", 1)]:
                looked = [
                    subprocess.run(
                        [*user, "head", "-c1", f"/proc/{each}/{name}"],
                        capture_output=True,
                        check=False,
                    )
                    for each in (pid, plain.pid)  # the second says nothing about it
                ]
                assert [each.returncode for each in looked] == [1, readable]
                denied = [b"Permission denied" in each.stderr for each in looked]
                assert denied == [True, False]
        finally:
            plain.kill()


def test_on_disk_are_a_socket_and_a_lock_in_a_folder_of_this_user_alone(agent: Agent) -> None:
    agent.warm()
    agent.call(URI)
    assert {path.suffix for path in agent.folder.iterdir()} == {".sock", ".lock"}
    assert {path.stem for path in agent.folder.iterdir()} == {agent.status()["build"]}
    assert stat.S_IMODE(agent.folder.stat().st_mode) == 0o700
    for path in agent.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        if path.is_file():
            assert path.stat().st_size < 64
    agent.kill()
    agent.warm()  # also where the socket of a dead one is
    assert len(list(agent.folder.iterdir())) == 2


def test_what_people_see(agent: Agent) -> None:
    program = agent.program
    for word, code in [("status", 1), ("log", 1), ("stop", 0)]:
        answer = program("agent", word)
        assert (answer.code, answer.err) == (code, "")
        assert answer.out.startswith(b"no agent is running")
    assert not agent.folder.exists()  # to ask starts nothing

    pid = agent.warm()
    program.bazel(URI)
    program.docker("get", "b.example")
    program("get", stdin=b'{"uri":')
    status = program("agent", "status")
    assert (status.code, status.err) == (0, "")
    shown = dict(line.split(": ", 1) for line in status.out.decode().splitlines())
    assert shown["pid"] == str(pid)
    assert shown["socket"] == str(agent.socket)
    assert shown["build"] == Path(shown["socket"]).stem
    assert shown["requests"] == "3, 0 of them left to the caller"
    assert shown["memory"].endswith(" MB")
    assert shown["ends"].startswith("after 1")

    log = program("agent", "log")
    assert (log.code, log.err) == (0, "")
    lines = [line.split(" ", 1) for line in log.out.decode().splitlines()]
    texts = [text.rpartition(" (")[0] for _, text in lines]
    assert texts.pop(0) == f"bazel {WARM} - no credential"  # the call that has started it
    assert texts[0] == f"bazel {HOST} rattler answered"
    assert texts[1] == "docker b.example - no credential"
    assert texts[2].startswith("bazel - - failed: ")
    assert len(texts) == 3
    for when, text in lines:
        at = time.strptime(when, "%Y-%m-%dT%H:%M:%SZ")
        assert abs(time.mktime(at) - time.mktime(time.gmtime())) < 60
        assert text.endswith(" ms)")
    assert SECRET.encode() not in log.out + status.out

    assert program("agent", "stop") == (0, b"the agent has ended\n", "")
    agent.gone()
    assert agent.socket is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of status, log, start, stop, forward is needed"),
        (["begin"], "no such command 'begin'"),
        (["status", "now"], "got unexpected extra argument (now)"),
        (["forward"], "forward needs HOST"),
        (["forward", "--all"], "no such option '--all'"),
    ],
)
def test_words_that_it_does_not_know(agent: Agent, words: list[str], said: str) -> None:
    answer = agent.program("agent", *words)
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err.startswith(f"credlatch: {said}")
    assert ": see credlatch agent " in answer.err
    assert answer.err.endswith(" --help\n")
    assert answer.err.count("\n") == 1


def test_one_that_hangs_is_reported_to_people_in_one_line(agent: Agent) -> None:
    agent.warm()
    with agent.stopped():
        answer = agent.program("agent", "status")
    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.startswith("credlatch: the agent does not answer (")
    assert answer.err.count("\n") == 1


def test_off_means_neither_used_nor_started(agent: Agent) -> None:
    agent.home.env["CREDLATCH_AGENT"] = "off"
    assert agent.program.bazel(URI).authorization == ANSWER
    assert not agent.folder.exists()
    del agent.home.env["CREDLATCH_AGENT"]
    agent.warm()
    before = agent.served
    agent.home.env["CREDLATCH_AGENT"] = "off"
    assert agent.program.bazel(URI).authorization == ANSWER
    assert agent.served == before
    agent.home.env["CREDLATCH_AGENT"] = "on"
    assert agent.call(URI).authorization == ANSWER


def test_only_a_get_starts_it(agent: Agent) -> None:
    for words in (["docker", "list"], ["docker", "version"], ["--version"], ["agent", "status"]):
        agent.program(*words)
    assert not agent.folder.exists()


def test_people_start_it_without_a_call(agent: Agent) -> None:
    for said in (b"the agent has been started\n", b"the agent is running\n"):
        assert agent.program("agent", "start") == (0, said, "")
    assert agent.log() == []
    assert agent.program("agent", "stop").code == 0
    agent.gone()
    agent.program.home.env["CREDLATCH_AGENT"] = "off"
    answer = agent.program("agent", "start")
    assert (answer.code, answer.out) == (1, b"")
    assert answer.err == "credlatch: no agent is started: CREDLATCH_AGENT is set to 'off'\n"
    assert agent.everywhere() == set()


def test_asking_for_its_log_is_no_call(agent: Agent) -> None:
    agent.warm()
    for what in (wire.LOG, wire.STATUS):
        assert agent.ask(what) is not None
    assert (agent.served, agent.declined) == (0, 0)
