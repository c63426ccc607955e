"""How the agent ends: idle, asked to, without its program, or where nobody can find it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.agent import Agent, agent_of, bazel_get, until
from support.gets import many
from support.logins import ENDED, FIRST, OAuthLogin
from support.program import Program

if TYPE_CHECKING:
    from support.home import Home
    from support.token_server import TokenServer

HOST = "a.example"
URI = f"https://{HOST}/simple/"
ANSWER = "Bearer made-up"


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


def test_it_ends_when_idle_and_the_next_call_starts_another(agent: Agent) -> None:
    agent.home.env["CREDLATCH_AGENT_IDLE"] = "2"
    first = agent.warm()
    until(lambda: agent.socket is None or None, "it does not end")
    agent.gone()
    assert agent.warm() != first


@pytest.mark.parametrize(
    ("value", "ends"),
    [
        ("0", "never"),
        ("90", "after 90 s more without a request"),
        *(
            (each, "after 1800 s more without a request")
            for each in ("soon", "-1", "nan", "inf", "")
        ),
    ],
)
def test_how_long_it_may_be_idle(agent: Agent, value: str, ends: str) -> None:
    agent.home.env["CREDLATCH_AGENT_IDLE"] = value
    agent.warm()
    assert agent.status()["ends"] == ends


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_tidily(agent: Agent, number: signal.Signals) -> None:
    os.kill(agent.warm(), number)
    agent.gone()
    assert agent.socket is None


@pytest.mark.parametrize("how", ["stop", signal.SIGTERM])
def test_asked_to_end_it_sees_a_renewal_through(
    agent: Agent, token_server: TokenServer, tmp_path: Path, how: str | signal.Signals
) -> None:
    """Its refresh token is good for one use, and has been sent: what is cut off costs a login."""
    login = OAuthLogin(agent.home, token_server)
    login.write(ENDED)
    token_server.delay = 1.5
    pid = agent.warm()
    with many(agent.program, [login.uri], 1, tmp_path / "call") as gets:
        until(lambda: login.refresh_tokens() or None, "it does not renew")
        if isinstance(how, str):
            assert agent.program("agent", how).code == 0
        else:
            os.kill(pid, how)
        until(lambda: agent.socket is None or None, "its socket stays")
        (got,) = gets.all()
    assert got.authorization == f"Bearer {token_server.current_access_token}"
    assert login.refresh_tokens() == [FIRST]
    agent.gone()


def test_a_terminal_that_is_closed_does_not_end_it(agent: Agent) -> None:
    """Its session is its own: the kernel's SIGHUP goes to the terminal's."""
    question = agent.home.write("question", f'{{"uri":"{URI}"}}')
    script = '"$1" get <"$2"; sleep 60'
    command = ["setsid", "--ctty", "sh", "-c", script, "sh", *agent.program.command, str(question)]
    ours, shells = os.openpty()
    with (
        os.fdopen(ours, "rb", 0) as screen,
        subprocess.Popen(
            command, stdin=shells, stdout=subprocess.PIPE, env=agent.home.env
        ) as shell,
    ):
        os.close(shells)
        assert shell.stdout is not None
        assert ANSWER.encode() in shell.stdout.readline()
        pid = agent.up()
        screen.close()
        assert shell.wait(10) == -signal.SIGHUP
    assert agent.up() == pid


def ask_until_gone(agent: Agent, path: Path) -> None:
    """Keep it from being idle, and see it end all the same.

    It looks around at least as often as it may be idle.
    """
    get = bazel_get(URI, "/nowhere")

    def has_ended() -> bool | None:
        try:
            agent.ask(*get, path=path)
        except OSError:
            return True
        return None

    until(has_ended, "it goes on")


def second_name(agent: Agent) -> Path:
    """Another way to its socket."""
    assert agent.socket is not None
    path = agent.runtime / "second"
    os.link(agent.socket, path)
    return path


def test_without_its_program_it_ends(agent: Agent, tmp_path: Path) -> None:
    """It was uninstalled: what is left behind must not answer for ever."""
    copy = tmp_path / "copy"
    shutil.copytree(Path(agent.program.command[0]).parent, copy, symlinks=True)
    agent.home.env["CREDLATCH_AGENT_IDLE"] = "1.5"
    with agent_of(Program([str(copy / "credlatch")], agent.home, tmp_path)) as copys:
        copys.warm()
        path = second_name(copys)
        assert agent.program.bazel(URI).authorization == ANSWER  # the same build, so the same agent
        assert copys.served == 1
        shutil.rmtree(copy)
        ask_until_gone(copys, path)
        copys.gone()
        assert copys.socket is None


def test_without_its_socket_it_ends(agent: Agent) -> None:
    agent.home.env["CREDLATCH_AGENT_IDLE"] = "1.5"
    agent.warm()
    path = second_name(agent)
    assert agent.socket is not None
    agent.socket.unlink()
    ask_until_gone(agent, path)
    agent.gone()


def test_one_whose_place_another_has_taken_ends_and_leaves_the_other(agent: Agent) -> None:
    """Somebody emptied the runtime folder, so that the next call found neither socket nor lock."""
    agent.home.env["CREDLATCH_AGENT_IDLE"] = "1.5"
    first = agent.warm()
    path = second_name(agent)
    for each in agent.folder.iterdir():
        each.unlink()
    agent.home.env["CREDLATCH_AGENT_IDLE"] = "0"
    second = agent.warm()
    assert second != first
    ask_until_gone(agent, path)
    until(lambda: agent.everywhere() == {second} or None, "the first does not end")
    assert agent.call(URI).authorization == ANSWER
