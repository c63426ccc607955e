"""Whatever is at the agent's socket: the call is answered rightly, quietly and in time."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import wire
from support.agent import bazel_get
from support.false_agent import ANSWER, FALSE, FalseAgent, Mad, as_nobody
from support.logins import ENDED, OAuthLogin, bearer, refusal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from support.agent import Agent
    from support.home import Home
    from support.token_server import TokenServer

HOST = "a.example"
URI = f"https://{HOST}/simple/"
TRUE = "Bearer yours"
SOON = 9.0  # seconds: less than a call takes that waits for its agent to the end
IN_TIME = 20.0  # seconds: a call has nine, and this machine may be busy

root = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be two users")


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.env["CREDLATCH_TIMEOUT"] = "9"  # as without it
    home.write_rattler({HOST: {"BearerToken": "yours"}})


def nothing(_: Mad) -> None:
    """Close at once, without reading: the client may still be sending."""


def read(mad: Mad) -> None:
    mad.read()


def never_read(mad: Mad) -> None:
    mad.linger()


def hang(mad: Mad) -> None:
    mad.read()
    mad.linger()


def hang_alive(mad: Mad) -> None:
    mad.read()
    mad.say(wire.PULSE)
    mad.linger()


def saying(data: bytes, *, stay: bool = False) -> Callable[[Mad], None]:
    def say(mad: Mad) -> None:
        mad.read()
        mad.say(data)
        if stay:
            mad.linger()

    return say


def fields(*each: bytes) -> bytes:
    body = wire.pack(*each)
    return wire.ANSWERED + len(body).to_bytes(4, "big") + body


def flood(mad: Mad) -> None:
    mad.read()
    mad.say(wire.ANSWERED + b"\xff\xff\xff\xff")
    while not mad.over.is_set():
        mad.say(bytes(65_536))


MADNESS: dict[str, Callable[[Mad], None]] = {
    "it closes at once": nothing,
    "it closes without an answer": read,
    "it never reads": never_read,
    "it says nothing": hang,
    "it says a word and no more": hang_alive,
    "garbage": saying(b"\0HTTP/1.1 400 Bad Request\r\n\r\n", stay=True),
    "it declines": saying(wire.DECLINED),
    "it is at work, and then declines": saying(wire.PULSE * 3 + wire.DECLINED),
    "half an answer": saying(ANSWER[: len(ANSWER) // 2]),
    "half an answer, and silence": saying(ANSWER[: len(ANSWER) // 2], stay=True),
    "a word of an answer": saying(ANSWER[:3]),
    "no field": saying(fields()),
    "a field too few": saying(fields(b"\0", b'{"headers":{}}\n')),
    "a field too many": saying(fields(b"\0", b'{"headers":{}}\n', b"", b"")),
    "no status": saying(fields(b"", b'{"headers":{}}\n', b"")),
    "a field that is cut off": saying(wire.ANSWERED + b"\0\0\0\5" + b"\0\0\0\1\0"),
    "a field longer than all": saying(wire.ANSWERED + b"\0\0\0\5" + b"\0\0\1\0\0"),
    "an enormous length": saying(wire.ANSWERED + b"\xff\xff\xff\xff" + b"x" * 9, stay=True),
    "an enormous answer": flood,
}
# What may happen while the caller still sends.
BUSY = ("it closes at once", "it never reads", "it says nothing", "garbage")


def impostor_at(agent: Agent) -> None:
    """Have a socket's place, and no agent there."""
    agent.warm()
    agent.kill()


@pytest.mark.parametrize(
    ("behave", "much"), [*((each, False) for each in MADNESS), *((each, True) for each in BUSY)]
)
def test_it_is_answered_without(agent: Agent, behave: str, *, much: bool) -> None:
    impostor_at(agent)
    for number in range(6 if much else 0):
        agent.home.env[f"FILLER_{number}"] = "x" * 100_000  # more than a socket holds
    assert agent.socket is not None
    with FalseAgent(agent.socket, MADNESS[behave]) as impostor:
        begin = time.monotonic()
        answer = agent.program.bazel(URI)
        took = time.monotonic() - begin
    assert (answer.authorization, answer.err) == (TRUE, "")
    assert impostor.asked == 1
    assert took < SOON


def test_signs_of_life_do_not_help_one_that_never_answers(agent: Agent) -> None:
    impostor_at(agent)
    assert agent.socket is not None
    with FalseAgent(agent.socket, lambda mad: mad.repeat(wire.PULSE)) as impostor:
        begin = time.monotonic()
        answer = agent.program.bazel(URI)
        took = time.monotonic() - begin
    assert (answer.authorization, answer.err) == (TRUE, "")
    assert impostor.asked == 1
    assert took < IN_TIME


def test_the_time_that_one_has_used_up_is_not_given_again(
    agent: Agent, home: Home, token_server: TokenServer
) -> None:
    """A renewal of six seconds after nine would not end before Bazel kills the helper."""
    login = OAuthLogin(home, token_server)
    login.write(ENDED)
    impostor_at(agent)
    assert agent.socket is not None
    with FalseAgent(agent.socket, lambda mad: mad.repeat(wire.PULSE)) as impostor:
        answer = agent.program.bazel(login.uri)
    assert impostor.asked == 1
    assert "no time was left" in refusal(answer)
    assert login.refresh_tokens() == []
    assert bearer(agent.program.bazel(login.uri)) == token_server.current_access_token


@pytest.mark.parametrize(("said", "is_awaited"), [("29", True), ("2", False), ("soon", False)])
def test_a_call_that_may_last_longer_waits_longer_for_its_agent(
    agent: Agent, said: str, is_awaited: bool
) -> None:
    """Else hundreds who wait for one renewal would go on by themselves after nine seconds."""

    def answer_late(mad: Mad) -> None:
        mad.read()
        end = time.monotonic() + 12
        while time.monotonic() < end and not mad.over.is_set():
            mad.say(wire.PULSE)
            time.sleep(0.1)
        mad.say(ANSWER)

    impostor_at(agent)
    agent.home.env["CREDLATCH_TIMEOUT"] = said
    assert agent.socket is not None
    with FalseAgent(agent.socket, answer_late):
        answer = agent.program.bazel(URI)
    assert answer.authorization == (FALSE.decode() if is_awaited else TRUE)


@pytest.mark.parametrize("pulses", [0, 1, 7])
def test_an_answer_of_this_user_s_is_believed(agent: Agent, pulses: int) -> None:
    """What the others of this file are refused for is what they are made to be."""
    impostor_at(agent)
    assert agent.socket is not None
    with FalseAgent(agent.socket, saying(wire.PULSE * pulses + ANSWER)):
        answer = agent.program.bazel(URI)
    assert answer.authorization == FALSE.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells whether it is stopped")
def test_an_agent_that_waits_for_a_processor_is_waited_for(agent: Agent) -> None:
    def answer_late(mad: Mad) -> None:
        mad.read()
        time.sleep(1.5)
        mad.say(ANSWER)

    impostor_at(agent)
    assert agent.socket is not None
    with FalseAgent(agent.socket, answer_late) as impostor:
        answer = agent.program.bazel(URI)
    assert answer.authorization == FALSE.decode()
    assert impostor.asked == 1


@root
@pytest.mark.parametrize("args", [["get"], ["bazel", "get"], ["agent", "status"]])
def test_another_user_s_is_never_believed(agent: Agent, args: list[str]) -> None:
    impostor_at(agent)
    assert agent.socket is not None

    def answer_unasked(mad: Mad) -> None:
        mad.say(ANSWER)
        mad.read()

    with FalseAgent(agent.socket, answer_unasked, nobodys=True) as impostor:
        answer = agent.program(*args, stdin=f'{{"uri":"{URI}"}}'.encode())
        # It is not asked; nor where all that can be looked at beforehand is as it should be.
        assert impostor.asked == 0
        os.chown(agent.socket, 0, 0)
        agent.folder.chmod(0o700)
        second = agent.program(*args, stdin=f'{{"uri":"{URI}"}}'.encode())
    assert impostor.asked == 1
    for each, why in (
        (answer, "is open to others: chmod 700"),
        (second, "is answered by another user: remove it"),
    ):
        assert FALSE not in each.out
        if args[-1] == "get":
            assert (each.authorization, each.err) == (TRUE, "")
        else:
            assert (each.code, each.err.count("\n")) == (1, 1)
            assert why in each.err


@pytest.mark.parametrize("how", ["the folder is open", "the folder is a link", "a link"])
@pytest.mark.parametrize("args", [["get"], ["agent", "status"]])
def test_the_environment_goes_to_no_other_service_of_the_user_s(
    agent: Agent, how: str, args: list[str]
) -> None:
    """Somebody else has made the folder, and put a link to another service into it."""
    impostor_at(agent)
    here = agent.socket
    assert here is not None
    elsewhere = agent.runtime / "another-service"
    elsewhere.mkdir(mode=0o700)
    at = elsewhere / here.name
    if how == "a link":
        here.unlink()
        here.symlink_to(at)
    elif how == "the folder is a link":
        agent.folder.rename(agent.runtime / "moved")
        agent.folder.symlink_to(elsewhere)
    else:
        agent.folder.chmod(0o755)
        at = here
    with FalseAgent(at, saying(ANSWER)) as impostor:
        answer = agent.program(*args, stdin=f'{{"uri":"{URI}"}}'.encode())
    assert impostor.asked == 0
    if args == ["get"]:
        assert (answer.authorization, answer.err) == (TRUE, "")
    else:
        why = {"a link": "is no socket of yours: remove it", "the folder is open": "chmod 700"}
        assert f" {why.get(how, 'is a link: have it removed')}" in answer.err


@root
@pytest.mark.parametrize(("mode", "believed"), [(0o755, True), (0o1777, False), (0o775, False)])
def test_root_believes_another_user_s_named_socket_where_only_root_can_have_put_it(
    agent: Agent, mode: int, *, believed: bool
) -> None:
    place = agent.runtime / "mounted"
    place.mkdir()
    agent.program.home.env["CREDLATCH_AGENT"] = str(place / "s")
    with FalseAgent(place / "s", saying(ANSWER), nobodys=True) as impostor:
        place.chmod(mode)
        answer = agent.program.bazel(URI)
    assert impostor.asked == 1
    assert answer.authorization == (FALSE.decode() if believed else TRUE)


@root
def test_another_user_is_never_answered(agent: Agent) -> None:
    pid = agent.warm()
    agent.runtime.chmod(0o777)
    agent.folder.chmod(0o777)
    assert agent.socket is not None
    agent.socket.chmod(0o777)
    get = bazel_get(URI, str(agent.home.path))
    for asks_for, *rest in (get, (wire.STATUS,), (wire.LOG,), (wire.STOP,)):
        with as_nobody():
            connection = agent.connected()
        with connection:
            assert told(connection, wire.request(asks_for, *rest)) == b""
        # It is for who asks, and not for what is asked.
        if asks_for != wire.STOP:
            assert agent.ask(asks_for, *rest) is not None
    assert agent.pid() == pid


def told(connection: socket.socket, request: bytes) -> bytes:
    try:
        connection.sendall(request)
        return connection.recv(65_536)
    except ConnectionError:
        return b""


def test_the_next_agent_takes_the_place_of_whatever_is_there(agent: Agent) -> None:
    impostor_at(agent)
    assert agent.socket is not None
    with FalseAgent(agent.socket, nothing):
        agent.may_start()
        assert agent.program.bazel(URI).authorization == TRUE
        agent.up()
        assert agent.call(URI).authorization == TRUE
