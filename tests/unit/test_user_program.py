"""A program of the user's that a flow has run: in time, with the caller's surroundings alone."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.auth import CommandRequest
from credlatch.auth.ci_tokens import ProgramToken
from credlatch.auth.exchanges import TokenExchange
from credlatch.caller import Caller
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError, StoreError
from credlatch.renew import user_program
from credlatch.renew.exchange import exchange
from credlatch.rules.exchange import Exchange
from support.answering import Answering
from support.flows import REQUEST
from support.jwt import make_jwt
from support.waiting import alive

if TYPE_CHECKING:
    from pathlib import Path

SOON = 60.0  # seconds: no test waits so long
LONG_WORD = "ey" + "J" * 60


class Place:
    """A folder with a program in it, and who calls it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"PATH": str(folder), "HOME": str(folder), "MINE": "of the caller"}

    def has(self, script: str) -> None:
        program = self.folder / "agent"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    @property
    def caller(self) -> Caller:
        return Caller(self.environ, str(self.folder))

    def ask(self, *words: str, seconds: float = SOON) -> bytes:
        asked = CommandRequest(("agent", *words), "see the agent", seconds)
        return user_program.ask(asked, self.caller, time.monotonic() + SOON).body


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_it_has_the_caller_s_words_environment_and_folder_and_no_input(place: Place) -> None:
    place.has('printf "%s|" "$@" "$MINE" "$PWD"; read -r line || printf end')
    assert place.ask("a b", "c") == f"a b|c|of the caller|{place.folder}|end".encode()


def test_one_that_hangs_is_killed_with_all_that_it_has_started(place: Place) -> None:
    place.has('/bin/sh -c "echo \\$\\$ >pid; exec /bin/sleep 300" & wait')
    with pytest.raises(RenewalError, match=r"has not answered.*: see the agent"):
        place.ask(seconds=2.0)
    assert not alive(int((place.folder / "pid").read_text()))


def test_one_that_fails_is_one_line_in_which_no_long_word_is_passed_on(place: Place) -> None:
    place.has(f'echo "no: {LONG_WORD}\tdenied" >&2; echo {LONG_WORD}; exit 3')
    with pytest.raises(RenewalError) as raised:
        place.ask()
    said = f"{place.folder}/agent ended with 3 (no: **** denied): see the agent"
    assert str(raised.value) == said


def test_one_that_is_not_there_or_only_in_a_relative_folder_is_not_run(place: Place) -> None:
    place.has("echo no")
    for path in (".", "", "/nowhere"):
        place.environ["PATH"] = path
        with pytest.raises(StoreError, match="agent is not on PATH: see the agent"):
            place.ask()


def test_we_do_not_ask_ourselves(place: Place) -> None:
    (place.folder / "agent").symlink_to(sys.executable)
    with pytest.raises(StoreError, match="is credlatch itself"):
        place.ask()


def test_an_answer_without_an_end_is_none(place: Place) -> None:
    place.has("head -c 300000 /dev/zero")
    place.environ["PATH"] += ":/usr/bin:/bin"
    with pytest.raises(RenewalError, match="300000 bytes"):
        place.ask()


def test_without_time_it_is_not_started(place: Place) -> None:
    place.has("echo >ran")
    asked = CommandRequest(("agent",), "see the agent")
    with pytest.raises(RenewalError, match="no time was left"):
        user_program.ask(asked, place.caller, time.monotonic() + 0.5)
    assert not (place.folder / "ran").exists()


@pytest.mark.parametrize("printed", ["", "two\nlines", "é"])
def test_a_token_that_is_none_is_sent_nowhere(place: Place, printed: str) -> None:
    place.has(f"printf '{printed}'")
    with Answering(lambda _: (200, {}, {"token": "t"})) as server:
        with pytest.raises(RenewalError, match="agent did not answer with a token"):
            exchange(minting(server.url), REQUEST, time.monotonic() + SOON, place.caller)
        assert server.requests == []


def test_a_token_for_others_is_sent_nowhere_and_the_right_one_is_exchanged(place: Place) -> None:
    with Answering(lambda _: (200, {}, {"token": "t"})) as server:
        place.has(f"echo {make_jwt(None, aud='other')}")
        with pytest.raises(LoginError, match="another audience"):
            exchange(minting(server.url), REQUEST, time.monotonic() + SOON, place.caller)
        assert server.requests == []
        right = make_jwt(int(time.time()) + 60, aud="a")
        place.has(f"echo {right}")
        fresh = exchange(minting(server.url), REQUEST, time.monotonic() + SOON, place.caller)
        assert fresh.token == Secret("t")
        assert [request.json for request in server.requests] == [{"token": right}]


def minting(url: str) -> TokenExchange:
    token = ProgramToken("Buildkite", Secret("job"), "a")
    token.words = ("agent",)
    return TokenExchange(token, Exchange(url=f"{url}/mint", kind="pyx"), "config.toml, rule 1")
