"""``CREDLATCH_AGENT`` names what nobody answers at: the call goes on, and says so in one line."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.false_agent import ANSWER, FALSE, FalseAgent, Mad
from support.program import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.home import Home
    from support.program import Program

URL = "https://a.example/simple/"
GIT = b"protocol=https\nhost=a.example\n\n"
CALLS: dict[str, tuple[list[str], bytes]] = {
    "bazel": (["get"], b'{"uri":"https://a.example/"}'),
    "docker": (["docker", "get"], b"a.example"),
    "git": (["git", "get"], GIT),
    "keyring": (["keyring", "get", URL, "ada"], b""),
    "header": (["header", URL], b""),
    "token": (["token", URL], b""),
}


@pytest.fixture
def place() -> Iterator[Path]:
    """Where the socket is said to be: its path must be short."""
    with tempfile.TemporaryDirectory(prefix="cl-", dir="/tmp") as folder:
        yield Path(folder) / "forward.sock"


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({"a.example": {"BasicHTTP": {"username": "ada", "password": "pw"}}})


def warned(program: Program, name: str, chosen: str) -> str:
    """The one line that a call says with it, which is otherwise the same."""
    words, stdin = CALLS[name]
    program.home.env["CREDLATCH_AGENT"] = "off"
    code, out, err = program(*words, stdin=stdin)
    assert (code, err) == (0, "")
    assert b"pw" in out or b"YWRhOnB3" in out
    program.home.env["CREDLATCH_AGENT"] = chosen
    again, same, said = program(*words, stdin=stdin)
    assert (again, same) == (code, out)
    assert said.count("\n") == 1, said
    assert said.startswith(f"credlatch: no answer from CREDLATCH_AGENT={chosen} (")
    return said


@pytest.mark.parametrize("name", CALLS)
def test_a_path_where_nothing_is(frozen: Program, name: str, place: Path) -> None:
    assert "No such file or directory" in warned(frozen, name, str(place))


def _dead(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))


def _file(place: Path) -> None:
    place.write_text("")


@pytest.mark.parametrize(
    ("make", "why"), [(_dead, "refused"), (_file, "no socket"), (Path.mkdir, "no socket")]
)
def test_what_nobody_listens_at(
    each_form: Program, place: Path, make: Callable[[Path], None], why: str
) -> None:
    make(place)
    assert why in warned(each_form, "docker", str(place))


@pytest.mark.parametrize("name", ["bazel", "docker", "header"])
@pytest.mark.parametrize("behave", [Mad.linger, Mad.read, lambda mad: mad.say(b"garbage")])
def test_one_that_hangs_or_ends_or_has_lost_its_mind(
    each_form: Program, place: Path, name: str, behave: Callable[[Mad], None]
) -> None:
    with FalseAgent(place, behave):
        warned(each_form, name, str(place))


def test_it_is_waited_for_once(single: Path, each_form: Program, place: Path) -> None:
    assert single
    with FalseAgent(place, Mad.linger) as silent:
        warned(each_form, "header", str(place))
        assert silent.asked == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_s_is_not_heard(frozen: Program, place: Path) -> None:
    frozen.home.path.chmod(0o755)
    place = place.parent / "theirs" / "forward.sock"
    place.parent.mkdir()

    def lie(mad: Mad) -> None:
        mad.read()
        mad.say(ANSWER)

    # The checkout may be in a folder that is closed to others.
    program = place.parent / "program"
    shutil.copytree(Path(frozen.command[0]).parent, program, symlinks=True)
    user = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", program / "credlatch"]
    with FalseAgent(place, lie, nobodys=True):
        frozen.home.env["CREDLATCH_AGENT"] = str(place)
        answer = run(frozen.home, [*map(str, user), "get"], CALLS["bazel"][1], Path("/"))
    assert FALSE not in answer.out
    assert f"no answer from CREDLATCH_AGENT={place} (" in answer.err


@pytest.mark.parametrize("chosen", ["forward.sock", "./x", "no", "0", "~/forward.sock"])
def test_a_word_that_means_nothing(frozen: Program, chosen: str) -> None:
    assert "neither on, off nor an absolute path" in warned(frozen, "bazel", chosen)


@pytest.mark.parametrize("words", [["docker", "list"], ["--version"], ["agent", "status"]])
def test_what_asks_for_no_credential_says_nothing_of_it(
    frozen: Program, place: Path, words: list[str]
) -> None:
    frozen.home.env["CREDLATCH_AGENT"] = str(place)
    assert frozen(*words).err == ""
