"""Go fetches modules from a protected proxy: by GOAUTH, and by git's helper."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.certificates import authority
from support.go import Go, publish
from support.guarded import Guarded
from support.logins import OAuthLogin
from support.matching import basic
from support.page import Page
from support.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

BOB = basic("bob", "p: w")


class Proxy(Guarded):
    """A module proxy over TLS."""

    def __init__(self, folder: Path) -> None:
        self.logins = {BOB}
        self.authority, context = authority(folder)
        super().__init__(lambda header: header in self.logins, context)
        publish(self)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    """A proxy that bob may use."""
    with Proxy(tmp_path / "authority") as proxy:
        yield proxy


@pytest.fixture
def go(home: Home, proxy: Proxy) -> Go:
    """Go in the test's home."""
    return Go(home, proxy.authority)


@pytest.fixture
def door(frozen: Program, tmp_path: Path) -> Recording:
    """Our program on PATH."""
    return Recording(frozen, "credlatch", tmp_path / "door")


def test_a_module_is_fetched_with_one_question(
    go: Go, proxy: Proxy, door: Recording, home: Home
) -> None:
    go.env["GOAUTH"] = "credlatch goauth; netrc"
    home.write_rattler({"127.0.0.1": {"BasicHTTP": {"username": "bob", "password": "p: w"}}})
    assert go.download(f"{proxy.url}/go") == ""
    first = f"{proxy.url}/go/example.com/priv/@v/v1.0.0.info"
    assert door.calls == [["goauth"], ["goauth", first]]
    assert len(proxy.refused) == 1
    assert {visit.authorization for visit in proxy.admitted} == {BOB}
    assert len(proxy.admitted) == 3


@pytest.mark.parametrize("by_setup", [True, False])
def test_it_is_wired_by_setup_or_by_the_readme_s_line(
    go: Go, proxy: Proxy, door: Recording, home: Home, frozen: Program, by_setup: bool
) -> None:
    home.env["GOENV"] = go.env["GOENV"]
    port = proxy.url.rpartition(":")[2]
    home.env[f"CREDLATCH_USERNAME_127_0_0_1_{port}"] = "bob"
    home.env[f"CREDLATCH_PASSWORD_127_0_0_1_{port}"] = "p: w"
    assert go("env", "-w", "GOPROXY=off").returncode == 0
    before = Path(go.env["GOENV"]).read_bytes()
    if by_setup:
        assert frozen("setup", "go", "--yes").code == 0
    else:
        (line,) = (block.text for block in Page("README.md").blocks["Go"])
        command, *words = shlex.split(line)
        assert (command, go(*words).returncode) == ("go", 0)
    assert go("env", "GOAUTH").stdout == "credlatch goauth; netrc\n"
    assert go.download(f"{proxy.url}/go") == ""
    assert {(call[0], len(call)) for call in door.calls[1:]} == {("goauth", 2)}
    if by_setup:
        assert frozen("setup", "go", "--undo", "--yes").code == 0
        assert Path(go.env["GOENV"]).read_bytes() == before


def test_a_path_s_login_does_not_leave_its_path(
    go: Go, proxy: Proxy, door: Recording, home: Home
) -> None:
    publish(proxy, "/other")
    go.env["GOAUTH"] = "credlatch goauth"
    home.write(
        ".local/share/uv/credentials/credentials.toml",
        f'[[credential]]\nservice = "{proxy.url}/go"\nusername = "bob"\npassword = "p: w"\n',
    )
    assert "401" in go.download(f"{proxy.url}/other")
    assert proxy.admitted == []
    assert {visit.authorization for visit in proxy.refused} == {""}
    assert go.download(f"{proxy.url}/go") == ""
    assert len([call for call in door.calls if "/go/" in call[-1]]) == 1


def test_an_expired_token_is_renewed_for_go(
    go: Go, proxy: Proxy, door: Recording, home: Home, token_server: TokenServer
) -> None:
    go.env["GOAUTH"] = "credlatch goauth"
    login = OAuthLogin(home, token_server, "127.0.0.1")
    login.write(left=-60)
    proxy.accepts = lambda header: header == f"Bearer {token_server.current_access_token}"
    assert go.download(f"{proxy.url}/go") == ""
    assert len(login.refresh_tokens()) == 1
    assert len(door.calls) == 2


def test_what_we_have_not_is_left_to_the_next(
    go: Go, proxy: Proxy, door: Recording, home: Home, tmp_path: Path
) -> None:
    host = proxy.url.removeprefix("https://")
    (tmp_path / "netrc").write_text(f"machine {host} login bob password p:w\n")
    proxy.logins = {basic("bob", "p:w")}
    # Ours looks at another netrc, and has nothing.
    script = door.script.read_text()
    door.script.write_text(script.replace("exec ", "NETRC=/dev/null exec "))
    home.env["NETRC"] = str(tmp_path / "netrc")
    go.env["GOAUTH"] = "credlatch goauth; netrc"
    assert go.download(f"{proxy.url}/go") == ""
    assert door.calls[0] == ["goauth"]


def test_a_dead_login_fails_and_go_says_why_when_asked(
    go: Go, proxy: Proxy, door: Recording, home: Home
) -> None:
    go.env["GOAUTH"] = "credlatch goauth"
    content = {
        "access_token": "a", "token_endpoint": proxy.url, "client_id": "c",
        "expires_at": 1, "refresh_token": None,
    }  # fmt: skip
    home.write_rattler({"127.0.0.1": {"OAuth": content}})
    assert "401" in go.download(f"{proxy.url}/go")
    go.env["GOPROXY"] = f"{proxy.url}/go"
    said = go("mod", "download", "-x", "example.com/priv@v1.0.0").stderr
    assert "log in again" in said
    assert door.calls


def test_git_s_helper_that_only_reads_keeps_a_path_s_login(
    go: Go, proxy: Proxy, door: Recording, home: Home
) -> None:
    """Go asks for the root with it, and has git's helper erase it where that is refused."""
    home.write(".gitconfig", "[credential]\n\thelper = !credlatch git --read-only\n")
    host = proxy.url.removeprefix("https://")
    key = {host: {"BasicHTTP": {"username": "bob", "password": "p: w"}}}
    home.write_rattler(key)
    go.env["GOAUTH"] = f"git {home.path}"
    proxy.closed.add("/")
    assert go.download(f"{proxy.url}/go") == ""
    assert ["git", "--read-only", "get"] in door.calls
    assert home.read_rattler() == key
