"""What a client sees is the same to the byte, with the agent and without."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from support.program import Answer, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.agent import Agent
    from support.home import Home

HOST = "a.example"
BEARER = b'{"uri":"https://a.example/simple/"}'
LARGEST = 65_400  # bytes of a token whose answer a pipe still holds
MEBIBYTE = 1024 * 1024

EXPIRED = {
    "access_token": "t",
    "refresh_token": None,
    "expires_at": 1,
    "token_endpoint": "https://expired.example/token",
    "revocation_endpoint": None,
    "client_id": "rattler",
}

# The words and standard input; the exit status, and which of the two streams says something.
REQUESTS: dict[str, tuple[list[str], bytes, int, str]] = {
    "a hit": (["get"], BEARER, 0, "out"),
    "a hit, in words": (["bazel", "get"], BEARER, 0, "out"),
    "a hit with a user name": (["get"], b'{"uri":"https://basic.example/x"}', 0, "out"),
    "a miss": (["get"], b'{"uri":"https://b.example/"}', 0, "out"),
    "a host in capitals, and a port": (["get"], b'{"uri":"https://A.EXAMPLE:443/"}', 0, "out"),
    "with a mark and white space": (["get"], b" \r\n" + BEARER + b"\n", 0, "out"),
    "with words of a later version": (["get"], BEARER[:-1] + b',"new":[1]}', 0, "out"),
    "a large answer": (["get"], b'{"uri":"https://large.example/"}', 0, "out"),
    "an answer too large": (["get"], b'{"uri":"https://too-large.example/"}', 1, "err"),
    "a token that has expired": (["get"], b'{"uri":"https://expired.example/"}', 1, "err"),
    "nothing": (["get"], b"", 1, "err"),
    "no JSON": (["get"], b'{"uri":', 1, "err"),
    "a list": (["bazel", "get"], b"[]", 1, "err"),
    "Docker's key for this machine": (["get"], b"[::1]:5000", 0, "out"),
    "no address": (["get"], b"{}", 1, "err"),
    "an address that is a number": (["get"], b'{"uri":7}', 1, "err"),
    "no UTF-8": (["get"], b'{"uri":"https://\xff/"}', 1, "err"),
    "another protocol": (["get"], b'{"uri":"ftp://a.example/"}', 1, "err"),
    "plain http": (["get"], b'{"uri":"http://a.example/"}', 1, "err"),
    "a surrogate, and an escape": (["get"], b'{"uri":"https://\\ud800\\u001b[2J/"}', 1, "err"),
    "Docker's key": (["get"], HOST.encode(), 0, "out"),
    "Docker's key, in words": (["docker", "get"], b"basic.example", 0, "out"),
    "Docker's key with a new line": (["docker", "get"], b"https://a.example/v1/\n", 0, "out"),
    "Docker's miss": (["docker", "get"], b"b.example", 1, "out"),
    "Docker's key is empty": (["docker", "get"], b"", 1, "out"),
    "Docker's key is JSON": (["docker", "get"], BEARER, 1, "out"),
    "Docker's key is no text": (["docker", "get"], b"\xff\xfe", 1, "out"),
    "Bazel's request is a key": (["bazel", "get"], HOST.encode(), 1, "err"),
    "as much as may be asked": (["get"], BEARER + b" " * (MEBIBYTE - len(BEARER)), 0, "out"),
}


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler(
        {
            HOST: {"BearerToken": "made-up"},
            "basic.example": {"BasicHTTP": {"username": "zoë", "password": "pässwörd"}},
            "[::1]:5000": {"BasicHTTP": {"username": "six", "password": "p"}},
            "large.example": {"BearerToken": "x" * LARGEST},
            "too-large.example": {"BearerToken": "x" * (2 * LARGEST)},
            "expired.example": {"OAuth": EXPIRED},
        }
    )


def both(agent: Agent, command: list[str], stdin: bytes, *, served: int = 1) -> Answer:
    """What a command does without the agent; with it, it does the same."""
    agent.home.env["CREDLATCH_AGENT"] = "off"
    without = run(agent.home, command, stdin)
    del agent.home.env["CREDLATCH_AGENT"]
    with agent.answering(served):
        within = run(agent.home, command, stdin)
    assert (*within[:2], _timeless(within.err)) == (*without[:2], _timeless(without.err))
    return without


def _timeless(said: str) -> str:
    """A line without the moment at which it is said."""
    return re.sub(r"clock says \S+Z", "clock says now", said)


def test_every_request_has_the_same_answer(agent: Agent) -> None:
    agent.warm()
    for name, (args, stdin, code, stream) in REQUESTS.items():
        done = both(agent, [*agent.program.command, *args], stdin)
        told = (done.code, bool(done.out), bool(done.err))
        assert told == (code, stream == "out", stream == "err"), (name, done)


@pytest.mark.parametrize("args", [["get"], ["bazel", "get"], ["docker", "get"]])
@pytest.mark.parametrize("size", [MEBIBYTE + 1, MEBIBYTE + 65_536, 3 * MEBIBYTE])
def test_what_is_too_long_is_refused_by_the_process_itself(
    agent: Agent, args: list[str], size: int
) -> None:
    agent.warm()
    stdin = BEARER + b" " * (size - len(BEARER))
    done = both(agent, [*agent.program.command, *args], stdin, served=0)
    assert done.code == 1
    assert f"standard input has {size} bytes".encode() in done.said.encode()


def test_by_the_name_docker_calls_it(agent: Agent) -> None:
    agent.warm()
    name = "docker-credential-credlatch"
    program = str(agent.program.link_as(name) / name)
    for key, code in ((HOST, 0), ("b.example", 1), (f'{{"uri":"https://{HOST}/"}}', 1), ("", 1)):
        assert both(agent, [program, "get"], key.encode()).code == code
    agent.home.path_begins_with(agent.program.link_as(name))
    assert both(agent, [name, "get"], HOST.encode()).code == 0


def test_warnings_go_to_standard_error(agent: Agent) -> None:
    agent.warm()
    store = agent.home.path / ".rattler/credentials.json"
    store.chmod(0o644)
    for args, stdin in ((["get"], BEARER), (["docker", "get"], HOST.encode())):
        done = both(agent, [*agent.program.command, *args], stdin)
        assert done.code == 0
        assert done.out
        assert "can be read by other users" in done.err
    agent.home.write(".docker/config.json", '{"auths":{"b.example":')
    done = both(agent, [*agent.program.command, "get"], b'{"uri":"https://b.example/"}')
    assert (done.code, done.out) == (1, b"")
    assert done.err.count("\n") == 2


def test_a_store_that_is_broken(agent: Agent) -> None:
    agent.warm()
    for text in ("", "{", '{"a.example":7}', "\0", '{"a.example":{"BearerToken":"\\u001b[2J\\n"}}'):
        agent.home.write(".rattler/credentials.json", text)
        for args, stdin in ((["get"], BEARER), (["docker", "get"], HOST.encode())):
            both(agent, [*agent.program.command, *args], stdin)


def test_the_log_is_lines_whatever_is_in_a_message(agent: Agent) -> None:
    folder = agent.home.path / "x\x1b[2J\n2026-01-01T00:00:00Z bazel forged - answered"
    agent.home.env["RATTLER_AUTH_FILE"] = str(folder / "login.json")
    folder.mkdir()
    (folder / "login.json").write_text("{")
    agent.warm()
    both(agent, [*agent.program.command, "get"], BEARER)
    (line,) = agent.log()
    assert " failed: " in line
    assert line.isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "2>&1", "| true", "2>&1 | cat"])
def test_a_stream_for_people_that_is_closed_or_full(agent: Agent, streams: str) -> None:
    (agent.home.path / ".rattler/credentials.json").chmod(0o644)  # so that there is a warning, too
    agent.warm()
    script = f'"$1" get {streams}; echo status $?'
    done = both(agent, ["sh", "-c", script, "sh", *agent.program.command], BEARER)
    assert done.out.endswith(b"status 0\n")
    assert (b"made-up" in done.out) == ("true" not in streams)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.parametrize("streams", [">&-", ">/dev/full", ">&- 2>&-", "2>&1 >&-", "<&- >&-"])
def test_an_answer_that_cannot_be_written(agent: Agent, streams: str) -> None:
    (agent.home.path / ".rattler/credentials.json").chmod(0o644)  # so that there is a warning, too
    agent.warm()
    script = f'"$1" get {streams}; echo status $?'
    served = 0 if "<&-" in streams else 1  # the agent has answered: it is no longer its matter
    done = both(agent, ["sh", "-c", script, "sh", *agent.program.command], BEARER, served=served)
    assert done.out.endswith(b"status 1\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_reader_of_warnings_who_has_gone_does_not_cost_the_answer(agent: Agent) -> None:
    (agent.home.path / ".rattler/credentials.json").chmod(0o644)
    agent.warm()
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with agent.answering():
            done = run(agent.home, [*agent.program.command, "get"], BEARER, stderr=writer)
    finally:
        os.close(writer)
    assert done.authorization


def test_standard_input_that_is_a_file_or_a_terminal_s_end(agent: Agent, tmp_path: Path) -> None:
    agent.warm()
    question = tmp_path / "question"
    question.write_bytes(BEARER)
    for script in ('"$1" get <"$2"', '"$1" get </dev/null', '(sleep 0.2; cat "$2") | "$1" get'):
        command = ["sh", "-c", script, "sh", *agent.program.command, str(question)]
        both(agent, command, b"")
    both(agent, ["sh", "-c", '"$1" get <&-', "sh", *agent.program.command], b"", served=0)
