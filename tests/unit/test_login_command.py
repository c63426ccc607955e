"""``credlatch login`` and ``logout`` at a terminal, and without one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.commands import app
from credlatch.errors import CredlatchError
from support.login_servers import Protected
from support.matching import basic
from support.program import Answer
from support.terminal import INTERRUPT, dialogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.home import Home
    from support.internet import Internet
    from support.terminal import Said

    Call = Callable[..., Answer]

HOST = "pypi.example"
SECRET = "kept-from-everybody"
BEARER = f"Bearer {SECRET}"
EOT = "\x04"  # Ctrl-D
COMMAND = [sys.executable, "-c", "import sys; from credlatch.cli import main; sys.exit(main())"]
HOW = "1 to 3 [1]: "
TOKEN = "Token (not shown): "
STORE = ".rattler/credentials.json"


@pytest.fixture
def home(home: Home) -> Home:
    """A new user's: nothing in it, and no tool installed but ours."""
    home.env["PYTHONPATH"] = os.pathsep.join(sys.path)
    return home


def type_in(home: Home, words: str, *steps: tuple[str, str]) -> Said:
    said = dialogue([*COMMAND, *words.split()], home, *steps)
    assert SECRET not in said.screen
    return said


@pytest.fixture
def call(home: Home, capfd: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Runs the words in this process, without a terminal."""
    stdin = os.dup(0)

    def called(words: str, stdin: str = "") -> Answer:
        with tempfile.TemporaryFile() as file:
            file.write(stdin.encode())
            file.seek(0)
            os.dup2(file.fileno(), 0)
        caller = Caller(dict(home.env), str(home.path))
        capfd.readouterr()
        try:
            code, complaint = app.run(words.split(), caller), ""
        except CredlatchError as error:
            code, complaint = error.exit_status, f"credlatch: {error}\n"
        finally:
            caller.close()
        out, err = capfd.readouterr()
        assert SECRET not in f"{out}{err}{complaint}" or words.startswith("header")
        return Answer(code, out.encode(), err + complaint)

    yield called
    os.dup2(stdin, 0)
    os.close(stdin)


def one_line(said: Answer) -> str:
    """What is complained of."""
    assert said.err.startswith("credlatch: "), said
    assert said.err.count("\n") == 1, said
    return said.err


def test_a_new_user_logs_in_with_a_token_and_is_told_where_it_is(
    home: Home, internet: Internet
) -> None:
    internet.hosts[HOST] = Protected(BEARER)
    said = type_in(home, f"login {HOST}", (HOW, "1\r"), (TOKEN, f"{SECRET}\r"))
    assert said.code == 0, said.screen
    assert f"https://{HOST}/ takes it (HTTP 200; without: 401)." in said.screen
    assert f"Kept for {HOST} in ~/{STORE}" in said.screen
    assert home.read_rattler() == {HOST: {"BearerToken": SECRET}}
    assert stat.S_IMODE((home.path / STORE).stat().st_mode) == 0o600
    gone = type_in(home, f"logout {HOST}", ("[y/N] ", "y\r"))
    assert gone.code == 0
    assert "Removed" in gone.screen
    assert home.read_rattler() == {}


def test_a_wrong_password_is_said_to_be_and_not_kept(home: Home, internet: Internet) -> None:
    internet.hosts[HOST] = Protected(basic("alice", "another"))
    said = type_in(
        home, f"login {HOST}", (HOW, "2\r"), ("User name: ", "alice\r"),
        ("Password of alice (not shown): ", f"{SECRET}\r"),
    )  # fmt: skip
    assert said.code == 1
    assert f"credlatch: {HOST} does not take it (HTTP 401): nothing was kept" in said.screen
    assert not (home.path / STORE).exists()


PROMPTS = {
    "how": ("", [(HOW, INTERRUPT)]),
    "a token": ("", [(HOW, "\r"), (TOKEN, INTERRUPT)]),
    "a user name": ("", [(HOW, "2\r"), ("User name: ", INTERRUPT)]),
    "a password": ("--username alice", [("Password of alice (not shown): ", f"abc{INTERRUPT}")]),
    "a conda token": ("", [(HOW, "3\r"), ("Conda token (not shown): ", INTERRUPT)]),
}


@pytest.mark.parametrize(("words", "steps"), PROMPTS.values(), ids=PROMPTS.keys())
def test_ctrl_c_at_each_prompt_keeps_nothing_and_says_so(
    home: Home, internet: Internet, words: str, steps: list[tuple[str, str]]
) -> None:
    internet.hosts[HOST] = Protected(BEARER)
    said = type_in(home, f"login {HOST} {words}", *steps)
    assert said.code == 130
    assert "credlatch: nothing was kept" in said.screen
    assert "Traceback" not in said.screen
    assert not (home.path / STORE).exists()


@pytest.mark.parametrize(
    "steps",
    [[(HOW, EOT)], [(HOW, "2\r"), ("User name: ", EOT)], [(HOW, "1\r"), (TOKEN, EOT)]],
    ids=["how", "a user name", "a token"],
)
def test_who_types_no_more_chooses_nothing(home: Home, steps: list[tuple[str, str]]) -> None:
    said = type_in(home, f"login {HOST}", *steps)
    assert said.code == 1
    assert "credlatch: nothing was typed" in said.screen
    assert not (home.path / STORE).exists()


def test_ctrl_c_at_the_prompts_of_a_bucket_and_of_a_logout_changes_nothing(home: Home) -> None:
    key = ("Access key ID: ", "A\r")
    for steps in (
        [("Access key ID: ", INTERRUPT)],
        [key, ("Secret access key (not shown): ", INTERRUPT)],
        [key, ("Secret access key (not shown): ", "S\r"),
         ("Session token (not shown; Enter for none): ", INTERRUPT)],
    ):  # fmt: skip
        assert type_in(home, "login s3://bucket", *steps).code == 130
        assert not (home.path / STORE).exists()
    home.write_rattler({HOST: {"BearerToken": SECRET}})
    assert type_in(home, f"logout {HOST}", ("[y/N] ", INTERRUPT)).code == 130
    assert type_in(home, f"logout {HOST}", ("[y/N] ", "\r")).code == 1
    assert home.read_rattler() == {HOST: {"BearerToken": SECRET}}


def test_a_bucket_s_key_is_asked_for_in_its_parts(home: Home) -> None:
    said = type_in(
        home, "login s3://bucket", ("Access key ID: ", "A\r"),
        ("Secret access key (not shown): ", f"{SECRET}\r"),
        ("Session token (not shown; Enter for none): ", "\r"),
    )  # fmt: skip
    assert said.code == 0, said.screen
    kept = {"access_key_id": "A", "secret_access_key": SECRET, "session_token": None}
    assert home.read_rattler() == {"s3://bucket": {"S3Credentials": kept}}


def test_an_answer_that_is_none_is_asked_for_again_and_three_are_enough(
    home: Home, internet: Internet
) -> None:
    internet.hosts[HOST] = Protected(BEARER)
    again = type_in(
        home, f"login {HOST}", (HOW, "9\r"), (HOW, "x\r"), (HOW, "1\r"), (TOKEN, f"{SECRET}\r")
    )
    assert again.code == 0, again.screen
    never = type_in(home, f"login {HOST}", (HOW, "0\r"), (HOW, "²\r"), (HOW, "5\r"))
    assert never.code == 2


def test_without_a_terminal_the_options_are_named(home: Home, call: Call) -> None:
    said = call(f"login {HOST}")
    assert said.code == 2
    assert "--token-stdin" in one_line(said)
    assert "--s3-key-id" in one_line(call("login s3://bucket"))
    home.write_rattler({HOST: {"BearerToken": SECRET}})
    said = call(f"logout {HOST}")
    assert said.code == 2
    assert "--yes" in said.err


STDIN = {
    "a token": ("--token-stdin", f" {SECRET}\n", {"BearerToken": SECRET}),
    "a password, blanks and all": (
        "--username alice --password-stdin", f" {SECRET} \r\n",
        {"BasicHTTP": {"username": "alice", "password": f" {SECRET} "}},
    ),
    "a conda token": ("--conda-token-stdin", SECRET, {"CondaToken": SECRET}),
    "after a byte order mark": ("--token-stdin", f"\ufeff{SECRET}\r\n", {"BearerToken": SECRET}),
}  # fmt: skip


@pytest.mark.parametrize(("words", "stdin", "kept"), STDIN.values(), ids=STDIN.keys())
def test_a_secret_comes_on_standard_input(
    home: Home, call: Call, words: str, stdin: str, kept: dict[str, object]
) -> None:
    said = call(f"login {HOST} --no-check {words}", stdin)
    assert said.code == 0, said
    assert home.read_rattler() == {HOST: kept}


def test_an_s3_key_s_secret_and_its_session_s_come_in_two_lines(home: Home, call: Call) -> None:
    said = call("login s3://bucket --s3-key-id A", f"{SECRET}\nof-the-session\n")
    assert said.code == 0, said
    kept = {
        "access_key_id": "A", "secret_access_key": SECRET, "session_token": "of-the-session"
    }  # fmt: skip
    assert home.read_rattler() == {"s3://bucket": {"S3Credentials": kept}}


WRONG = {
    "nothing on standard input": (f"login {HOST} --token-stdin --no-check", "", 1),
    "no text": (f"login {HOST} --token-stdin --no-check", "a\x00b", 2),
    "two ways at once": (f"login {HOST} --token-stdin --conda-token-stdin", SECRET, 2),
    "a password of nobody's": (f"login {HOST} --password-stdin", SECRET, 2),
    "a token of somebody's": (f"login {HOST} --username a --token-stdin", SECRET, 2),
    "a token for a bucket": ("login s3://bucket --token-stdin", SECRET, 2),
    "a key for a host": (f"login {HOST} --s3-key-id A", SECRET, 2),
    "plain http": ("login http://pypi.example --token-stdin", SECRET, 1),
    "no host": ("login a:b:c --token-stdin", SECRET, 2),
    "another server's URL": (
        f"login {HOST} --check https://evil.example/ --token-stdin", SECRET, 2),
    "a trial that is none": (f"login {HOST} --check /x --no-check --token-stdin", SECRET, 2),
    "a host that is not there": (f"login {HOST} --token-stdin", SECRET, 1),
    "a provider that is not there": (f"login {HOST} --device", "", 1),
    "a browser that comes back elsewhere": (
        f"login {HOST} --redirect-uri https://evil.example/", "", 1),
    "no login": (f"logout {HOST} --yes", "", 1),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_done_keeps_nothing(
    home: Home, internet: Internet, call: Call, wrong: tuple[str, str, int]
) -> None:
    internet.hosts["evil.example"] = lambda _: (200, {}, b"")
    words, stdin, status = wrong
    said = call(words, stdin)
    assert said.code == status, said
    if not words.startswith("logout"):
        one_line(said)
    assert not (home.path / STORE).exists()
    assert internet.visits == []


def test_what_could_not_be_tried_is_kept_and_that_is_said(
    home: Home, internet: Internet, call: Call
) -> None:
    internet.hosts[HOST] = lambda _: (200, {}, b"")
    said = call(f"login {HOST} --token-stdin", SECRET)
    assert said.code == 0
    assert "answers everybody" in said.out.decode()
    assert "--check URL" in said.out.decode()
    assert home.read_rattler() == {HOST: {"BearerToken": SECRET}}


def test_two_logins_at_once_are_both_kept(home: Home) -> None:
    hosts = [f"h{number}.example" for number in range(3)]
    words = ["login", "--no-check", "--token-stdin"]
    running = [
        subprocess.Popen(
            [*COMMAND, *words, host], env=home.env, cwd=home.path, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )
        for host in hosts
    ]  # fmt: skip
    for host, process in zip(hosts, running, strict=True):
        process.communicate(f"token-of-{host}", 300)
        assert process.returncode == 0
    assert home.read_rattler() == {host: {"BearerToken": f"token-of-{host}"} for host in hosts}


def test_who_else_has_one_and_who_is_asked_first_is_told(home: Home, call: Call) -> None:
    home.write(".netrc", f"machine {HOST} login bob password p\n")
    said = call(f"login {HOST} --no-check --token-stdin", SECRET).out.decode()
    assert "netrc has a login for it too: this one is asked first." in said
    home.env["CREDLATCH_TOKEN_PYPI_EXAMPLE"] = "t"
    said = call(f"login {HOST} --no-check --token-stdin", SECRET).out.decode()
    assert "in the place of the token that was there" in said
    assert "environment has a login for it too, which is asked first" in said
    listed = call(f"logout {HOST} --dry-run").out.decode()
    for text in ("rattler", "bob", "netrc", "unset CREDLATCH_TOKEN_PYPI_EXAMPLE", "take it out of"):
        assert text in listed
    assert HOST in home.read_rattler()
    assert call(f"logout {HOST} --yes").code == 0
    assert home.read_rattler() == {}
    assert "bob" in (home.path / ".netrc").read_text()


def test_a_login_replaces_what_pixi_kept_and_the_others_stay(home: Home, call: Call) -> None:
    others = {"other.example": {"NewKind": {"a": 1}}, "*.example": {"BearerToken": "w"}}
    home.write_rattler({HOST: {"BasicHTTP": {"username": "u", "password": "p"}}, **others})
    said = call(f"login {HOST} --no-check --token-stdin", SECRET)
    assert "in the place of the password that was there" in said.out.decode()
    assert home.read_rattler() == {HOST: {"BearerToken": SECRET}, **others}
