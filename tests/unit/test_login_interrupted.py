"""Ctrl-C from the moment at which a provider gives tokens, and a browser that is elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest

from support.terminal import INTERRUPT, dialogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.home import Home
    from support.internet import Answer, Internet, Visit
    from support.terminal import Said

HOST = "pypi.example"
SSO = "sso.example"
ISSUER = f"https://{SSO}"
COMMAND = [sys.executable, "-c", "import sys; from credlatch.cli import main; sys.exit(main())"]
STORE = ".rattler/credentials.json"
WAITING = "Waiting for you"
HELD = "an answer is on its way"
PATIENCE = 100.0
SECRETS = ("access-secret", "refresh-secret")
TOKENS = {
    "access_token": SECRETS[0], "refresh_token": SECRETS[1], "token_type": "Bearer",
    "expires_in": 600,
}  # fmt: skip


class Provider:
    """A provider that has the code grant alone, and the host that takes its tokens.

    Attributes:
        metadata: what it says of itself.
        asked: set when it is asked for tokens.
        may_answer: it answers that when this is set.
        tried: set when the host is asked with a token.
        may_take: the host answers that when this is set.
        may_revoke: it answers that when this is set.
    revoked: the tokens that it was told to revoke.
        revoking: its status for that.
    """

    def __init__(self, internet: Internet) -> None:
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER, "token_endpoint": f"{ISSUER}/token",
            "authorization_endpoint": f"{ISSUER}/auth", "revocation_endpoint": f"{ISSUER}/revoke",
        }  # fmt: skip
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.tried, self.may_take = threading.Event(), threading.Event()
        self.may_answer.set()
        self.may_take.set()
        self.may_revoke = threading.Event()
        self.may_revoke.set()
        self.revoked: list[str] = []
        self.revoking = 200
        internet.hosts |= {SSO: self._answer, HOST: self._host}

    def _answer(self, visit: Visit) -> Answer:
        if visit.path == "/.well-known/openid-configuration":
            return 200, {}, self.metadata
        if visit.path == "/device":
            device = {
                "device_code": "d", "user_code": "U", "verification_uri": f"{ISSUER}/",
                "interval": 1,
            }  # fmt: skip
            return 200, {}, device
        if visit.path == "/token":
            self.asked.set()
            self.may_answer.wait(PATIENCE)
            return 200, {}, TOKENS
        if visit.path == "/revoke":
            self.revoked.append(visit.form["token"])
            self.may_revoke.wait(PATIENCE)
            return self.revoking, {}, b""
        return 404, {}, b""

    def _host(self, visit: Visit) -> Answer:
        if not visit.authorization:
            return 401, {"WWW-Authenticate": "Bearer"}, b""
        self.tried.set()
        self.may_take.wait(PATIENCE)
        return 200, {}, b""


@pytest.fixture
def sso(home: Home, internet: Internet) -> Provider:
    """A provider; who logs in has come by SSH."""
    home.env["PYTHONPATH"] = os.pathsep.join(sys.path)
    home.env["SSH_CONNECTION"] = "192.0.2.1 50000 192.0.2.2 22"
    return Provider(internet)


def log_in(home: Home, *steps: tuple[str, str | Callable[[str], str]], words: str = "") -> Said:
    said = dialogue([*COMMAND, "login", HOST, "--issuer", ISSUER, *words.split()], home, *steps)
    assert not [secret for secret in SECRETS if secret in said.screen]
    assert "Traceback" not in said.screen
    return said


def redirected(screen: str, more: str = "") -> str:
    """The URL that a browser elsewhere ends at, and cannot load."""
    url = next(word for word in screen.split() if word.startswith(f"{ISSUER}/auth"))
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    query = urllib.parse.urlencode({"code": "the-code", "state": asked["state"]})
    return f"{asked['redirect_uri']}/?{query}{more}"


def paste(screen: str) -> str:
    return f"{redirected(screen)}\r"


@pytest.mark.usefixtures("sso")
def test_over_ssh_the_url_that_a_browser_elsewhere_ends_at_is_pasted(
    home: Home, internet: Internet
) -> None:
    more = f"&a={'x' * 6_000}"  # more than a terminal's line has room for
    said = log_in(
        home,
        (WAITING, "http://127.0.0.1:1/?code=evil&state=other\r"),
        ("is not where this login's browser", lambda screen: f"\n{redirected(screen, more)}\n"),
    )  # fmt: skip
    assert said.code == 0, said.screen
    assert "copy its URL, which begins with http://, and paste it here." in said.screen
    (form,) = [visit.form for visit in internet.to(SSO) if visit.path == "/token"]
    assert form["code"] == "the-code"
    assert home.read_rattler()[HOST]["OAuth"]["refresh_token"] == SECRETS[1]


def test_a_browser_that_cannot_open_here_may_be_another_machine_s(
    home: Home, sso: Provider
) -> None:
    del home.env["SSH_CONNECTION"]
    home.env["BROWSER"] = "/bin/false"
    said = log_in(home, (WAITING, paste))
    assert said.code == 0, said.screen
    assert "No browser could be opened here." in said.screen
    assert sso.revoked == []


@pytest.mark.parametrize("words", ["", "--device"])
def test_ctrl_c_while_the_tokens_are_on_their_way_revokes_them(
    home: Home, sso: Provider, words: str
) -> None:
    if words:
        sso.metadata["device_authorization_endpoint"] = f"{ISSUER}/device"
    sso.may_answer.clear()

    def interrupt(_: str) -> str:
        assert sso.asked.wait(PATIENCE)
        return INTERRUPT

    def answer(_: str) -> str:
        sso.may_answer.set()
        return ""

    pasting = [] if words else [(WAITING, paste)]
    waiting = (WAITING if words else "code=the-code", interrupt)
    said = log_in(home, *pasting, waiting, (HELD, answer), words=words)
    assert said.code == 130, said.screen
    assert (
        f"credlatch: nothing was kept, and {ISSUER}/revoke has revoked what it gave" in said.screen
    )
    assert sso.revoked == [SECRETS[1]]
    assert not (home.path / STORE).exists()


def test_a_second_ctrl_c_waits_for_nothing(home: Home, sso: Provider) -> None:
    sso.may_answer.clear()

    def interrupt(_: str) -> str:
        assert sso.asked.wait(PATIENCE)
        return INTERRUPT

    said = log_in(home, (WAITING, paste), ("code=the-code", interrupt), (HELD, INTERRUPT))
    sso.may_answer.set()
    assert said.code == 130, said.screen
    assert "credlatch: nothing was kept\n" in said.screen


@pytest.mark.parametrize(
    ("status", "told"),
    [(200, "has revoked what it gave"), (503, "what was given may still be good")],
)
def test_ctrl_c_while_the_login_is_tried_revokes_it(
    home: Home, sso: Provider, status: int, told: str
) -> None:
    sso.may_take.clear()
    sso.revoking = status

    def interrupt(_: str) -> str:
        assert sso.tried.wait(PATIENCE)
        return INTERRUPT

    said = log_in(home, (WAITING, paste), ("code=the-code", interrupt))
    sso.may_take.set()
    assert said.code == 130, said.screen
    assert told in said.screen
    assert set(sso.revoked) == {SECRETS[1]}
    assert not (home.path / STORE).exists()


def test_a_place_that_keeps_nothing_is_noticed_before_a_browser_opens(
    home: Home, sso: Provider, internet: Internet
) -> None:
    home.write(STORE, "{not JSON")
    for words in ((), ("--device",), ("--posit",)):
        if words == ("--posit",):
            home.write(".ppm/tokens.toml", "[[not TOML")
        said = dialogue([*COMMAND, "login", HOST, *words], home)
        assert said.code == 1, said.screen
        assert "is not JSON" in said.screen or "tokens.toml" in said.screen
        assert "How do you" not in said.screen
    assert internet.to(SSO) == []
    assert not sso.asked.is_set()


def test_ctrl_c_at_a_logout_waits_until_what_was_removed_is_revoked(
    home: Home, sso: Provider
) -> None:
    content = {
        **TOKENS, "token_endpoint": f"{ISSUER}/token", "revocation_endpoint": f"{ISSUER}/revoke",
        "client_id": "rattler",
    }  # fmt: skip
    home.write_rattler({HOST: {"OAuth": content}})
    sso.may_revoke.clear()

    def interrupt(_: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while not sso.revoked:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return INTERRUPT

    def answer(_: str) -> str:
        sso.may_revoke.set()
        return ""

    said = dialogue(
        [*COMMAND, "logout", HOST], home, ("[y/N]", "y\r"), ("y", interrupt), (HELD, answer)
    )
    assert said.code == 130, said.screen
    assert "has revoked its token" in said.screen
    assert home.read_rattler() == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["asked", "tried"])
def test_who_is_ended_in_another_way_revokes_it_too(
    home: Home, sso: Provider, number: signal.Signals, when: str
) -> None:
    waiting, going_on = {
        "asked": (sso.asked, sso.may_answer), "tried": (sso.tried, sso.may_take)
    }[when]  # fmt: skip
    going_on.clear()
    sso.metadata["device_authorization_endpoint"] = f"{ISSUER}/device"
    command = [*COMMAND, "login", HOST, "--issuer", ISSUER, "--device"]
    with subprocess.Popen(
        command, env=home.env, cwd=home.path, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert waiting.wait(PATIENCE)
        process.send_signal(number)
        if when == "asked":
            assert process.stdout is not None
            while HELD not in process.stdout.readline():
                assert process.poll() is None
        else:
            process.wait(PATIENCE)
        going_on.set()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert set(sso.revoked) == {SECRETS[1]}
    assert not (home.path / STORE).exists()
