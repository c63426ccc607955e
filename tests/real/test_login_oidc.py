"""Logins at a certified OpenID provider, in a real browser; what is kept is renewed and revoked."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from support.oidc import provider
from support.opened import Opened
from support.terminal import INTERRUPT, dialogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.chromium import Chromium
    from support.home import Home
    from support.internet import Answer, Internet, Visit
    from support.program import Program
    from support.rattler import Rattler

HOST = "conda.example"
PATIENCE = 120.0
WAITING = "Waiting for you"
_URL = re.compile(r"^  (https?://\S+)$", re.MULTILINE)
_CODE = re.compile(r"shows the code (\S+),")


@pytest.fixture
def host(internet: Internet, sso: str) -> str:
    """A host that takes the provider's tokens, and asks it about each."""
    internet.hosts[HOST] = takes_tokens_of(sso)
    return HOST


def takes_tokens_of(sso: str) -> Callable[[Visit], Answer]:
    return lambda visit: (status(f"{sso}/me", visit.authorization), {}, b"")


def status(url: str, authorization: str = "", form: dict[str, str] | None = None) -> int:
    return asked(url, authorization, form)[0]


def asked(url: str, authorization: str = "", form: dict[str, str] | None = None) -> tuple[int, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if form is None else urllib.parse.urlencode(form).encode()
    headers = {"Authorization": authorization} if authorization else {}
    try:
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - the test's own server
        with opener.open(request, None, PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def started(frozen: Program, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*frozen.command, "login", *words], env=frozen.home.env, cwd=frozen.home.path, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def done(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, out


def expire(home: Home) -> None:
    """Have the token that is kept be one that has ended."""
    kept = home.read_rattler()
    kept[HOST]["OAuth"]["expires_at"] = 1
    home.write_rattler(kept)


def test_a_login_in_a_browser_is_renewed_by_all_and_revoked_in_the_end(
    home: Home, frozen: Program, rattler: Rattler, browser: Chromium, sso: str, host: str
) -> None:
    opened = Opened(home)
    process = started(frozen, host, "--oauth", "--issuer", sso)
    url = opened.url()
    assert "code_challenge_method=S256" in url
    assert "Back to the terminal" in browser.log_in(url, "alice")
    code, out = done(process)
    assert code == 0, out
    assert "You are alice there." in out
    assert f"https://{host}/ takes it (HTTP 200; without: 401)." in out
    kept = home.read_rattler()[host]["OAuth"]
    assert kept["token_endpoint"] == f"{sso}/token"
    assert kept["client_id"] == "rattler"
    first = f"Bearer {kept['access_token']}"
    assert frozen.bazel(f"https://{host}/x").authorization == first

    seen = {kept["refresh_token"]}
    expire(home)
    second = rattler.authorization(host)  # which renews it, and the refresh token is another
    seen.add(home.read_rattler()[host]["OAuth"]["refresh_token"])
    assert second != first
    assert frozen.bazel(f"https://{host}/x").authorization == second
    expire(home)
    third = frozen.bazel(f"https://{host}/x").authorization
    kept = home.read_rattler()[host]["OAuth"]
    seen.add(kept["refresh_token"])
    assert len({first, second, third}) == len(seen) == 3
    assert third == f"Bearer {kept['access_token']}"
    assert status(f"{sso}/me", third) == 200

    gone = frozen("logout", host, "--yes")
    assert gone.code == 0, gone
    assert "has revoked its token" in gone.out.decode()
    assert home.read_rattler() == {}
    assert frozen.bazel(f"https://{host}/x").authorization is None
    form = {
        "grant_type": "refresh_token", "refresh_token": kept["refresh_token"],
        "client_id": "rattler",
    }  # fmt: skip
    refused, said = asked(f"{sso}/token", form=form)
    assert (refused, said["error"]) == (400, "invalid_grant")
    assert status(f"{sso}/me", third) == 401


def test_a_person_at_a_terminal_without_a_browser_types_a_code_elsewhere(
    home: Home, frozen: Program, browser: Chromium, sso: str
) -> None:
    place = sso.removeprefix("http://")

    def log_in(screen: str) -> str:
        (url,), (code,) = _URL.findall(screen), _CODE.findall(screen)
        assert code in url
        assert "Success" in browser.log_in(url, "bob")
        return ""

    said = dialogue(
        [*frozen.command, "login", place, "--check", f"{sso}/me"], home,
        ("1  in a browser (it offers OpenID)", ""), ("1 to 4 [1]: ", "\r"), (WAITING, log_in),
    )  # fmt: skip
    assert said.code == 0, said.screen
    assert "You are bob there." in said.screen
    assert f"{sso}/me takes it" in said.screen
    assert home.read_rattler()[place]["OAuth"]["refresh_token"]
    assert frozen.bazel(f"{sso}/x").authorization is not None


def test_a_browser_that_cannot_open_is_said_not_to_and_the_url_is_there(
    home: Home, frozen: Program, browser: Chromium, sso: str, host: str
) -> None:
    home.env["BROWSER"] = "/bin/false:no-such-browser"

    def log_in(screen: str) -> str:
        assert "No browser could be opened here." in screen
        (url,) = _URL.findall(screen)
        assert "Back to the terminal" in browser.log_in(url, "alice")
        return ""

    said = dialogue(
        [*frozen.command, "login", host, "--issuer", sso], home, (WAITING, log_in)
    )  # fmt: skip
    assert said.code == 0, said.screen
    assert "OAuth" in home.read_rattler()[host]


@pytest.mark.parametrize("words", [(), ("--device",)])
def test_ctrl_c_while_a_person_is_waited_for_keeps_nothing(
    home: Home, frozen: Program, sso: str, host: str, words: tuple[str, ...]
) -> None:
    Opened(home)
    command = [*frozen.command, "login", host, "--issuer", sso, *words]
    said = dialogue(command, home, (WAITING, INTERRUPT))
    assert said.code == 130
    assert "credlatch: nothing was kept" in said.screen
    assert not (home.path / ".rattler/credentials.json").exists()


def test_who_denies_it_is_believed(
    home: Home, frozen: Program, browser: Chromium, sso: str, host: str
) -> None:
    opened = Opened(home)
    process = started(frozen, host, "--issuer", sso)
    browser.log_in(opened.url(), "carl", denies=True)
    code, out = done(process)
    assert code == 1
    assert "the login was denied (access_denied): nothing was kept" in out
    assert not (home.path / ".rattler/credentials.json").exists()


def test_two_logins_at_once_are_two(
    home: Home, frozen: Program, browser: Chromium, sso: str, internet: Internet
) -> None:
    hosts = ("a.example", "b.example")
    opened, running = Opened(home), []
    for name in hosts:
        internet.hosts[name] = takes_tokens_of(sso)
        running.append((started(frozen, name, "--issuer", sso), opened.url()))
    for _, url in reversed(running):
        assert "Back to the terminal" in browser.log_in(url, "alice")
    for process, _ in running:
        assert done(process)[0] == 0
    kept = home.read_rattler()
    assert set(kept) == set(hosts)
    for name in hosts:
        assert frozen.bazel(f"https://{name}/").authorization == (
            f"Bearer {kept[name]['OAuth']['access_token']}"
        )


def test_a_code_that_nobody_types_expires(home: Home, frozen: Program, internet: Internet) -> None:
    with provider(device=6) as sso:
        internet.hosts[HOST] = takes_tokens_of(sso)
        said = frozen("login", HOST, "--device", "--issuer", sso)
    assert said.code == 1
    assert "the code has expired before the login was done" in said.err
    assert "nothing was kept" in said.err
    assert not (home.path / ".rattler/credentials.json").exists()


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_token_that_is_not_kept_is_given_back(
    home: Home,
    frozen: Program,
    browser: Chromium,
    sso: str,
    internet: Internet,
    *,
    is_taken: bool,
) -> None:
    tokens: list[str] = []

    def answer(visit: Visit) -> Answer:
        tokens.append(visit.authorization)
        if visit.authorization:  # while it is tried, its place comes to be another
            (home.path / "folder/in-the-way").mkdir(parents=True, exist_ok=True)
        return 200 if is_taken and visit.authorization else 401, {}, b""

    internet.hosts[HOST] = answer
    home.env["RATTLER_AUTH_FILE"] = str(home.path / "folder")
    opened = Opened(home)
    process = started(frozen, HOST, "--issuer", sso, "--scope", "openid")
    browser.log_in(opened.url(), "alice")
    code, out = done(process)
    assert code == 1
    assert "gave no refresh token" in out
    why = "folder is not a file" if is_taken else "does not take it (HTTP 401): nothing was kept"
    assert why in out
    assert status(f"{sso}/me", tokens[-1]) == 401


def test_a_client_that_is_not_registered_is_named(
    home: Home, frozen: Program, sso: str, host: str
) -> None:
    said = frozen("login", host, "--issuer", sso, "--device", "--client-id", "nobody")
    assert said.code == 1
    assert "'nobody'" in said.err
    assert "--client-id" in said.err
    assert not (home.path / ".rattler/credentials.json").exists()
