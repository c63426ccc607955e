"""What people ask the Windows program: why, what there is, what is wrong; and how they log in."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from support.logins import refusal
from support.loopback import Handler, Loopback, Recorded
from support.wine import TIMEOUT, finished, windows_path

if TYPE_CHECKING:
    from support.wine import Windows

URL = re.compile(rb"^  (https?://\S+)$", re.MULTILINE)


def test_a_login_of_a_file_is_listed_and_explained(windows: Windows, host: str) -> None:
    windows.home.write("_netrc", f"machine {host}\r\nlogin bäb\r\npassword secret\r\n")
    listed = windows("list", "--json")
    assert (listed.code, b"secret" in listed.out) == (0, False), listed
    (login,) = [each for each in listed.json()["logins"] if each["host"] == host]
    assert (login["user"], login["store"]) == ("bäb", "netrc")
    assert login["location"].endswith("_netrc")
    plain = windows("list")
    assert re.search(rf"{host} .* netrc  +~.\_netrc\n", plain.out.decode()), plain
    why = windows("explain", f"https://{host}/x")
    assert (why.code, b"secret" in why.out) == (0, False), why
    assert "netrc" in why.out.decode()
    assert windows("explain", f"https://other.{host}/x").code == 1


def test_doctor_looks_at_windows_own_places(windows: Windows, host: str) -> None:
    windows.home.write("_netrc", f"machine {host} login bob password p\n")
    told = windows("doctor", "--offline", "--json")
    assert told.code in {0, 1}, told
    assert told.err == ""
    assert told.json()["program"]["system"].startswith("Windows")
    shown = windows("doctor", "--offline")
    assert shown.code == told.code
    assert b"\x1b" not in shown.out


def test_powershell_completes_commands_and_hosts(folder: Windows, host: str) -> None:
    script = folder("completion", "powershell")
    assert script.out.startswith(b"Register-ArgumentCompleter -Native -CommandName credlatch ")
    folder.home.write("_netrc", f"machine {host} login bob password p\n")
    folder.env |= {
        "_CREDLATCH_COMPLETE": "powershell_complete",
        "COMP_WORDS": f"credlatch logout {host[:4]}",
        "COMP_CWORD": "2",
    }
    said = folder()
    assert said.code == 0, said
    assert f"plain\n{host}\n" in said.out.decode()


def test_a_token_is_kept_used_and_taken_away(windows: Windows, host: str) -> None:
    kept = windows("login", host, "--no-check", "--token-stdin", stdin=b"t-1\r\n")
    assert (kept.code, b"keyring" in kept.out) == (0, True), kept
    assert windows.bazel(f"https://{host}/x").authorization == "Bearer t-1"
    shown = windows("logout", host, "--dry-run")
    assert (shown.code, host.encode() in shown.out) == (0, True), shown
    gone = windows("logout", host, "--yes")
    assert (gone.code, gone.err) == (0, ""), gone
    assert windows.bazel(f"https://{host}/x").authorization is None


def test_what_windows_cannot_keep_is_not_said_to_be_kept(folder: Windows, host: str) -> None:
    said = folder("login", host, "--no-check", "--token-stdin", stdin=b"x" * 1300)
    assert "2560 bytes" in refusal(said)
    file = folder.home.write("auth.json", "{}")
    folder.env["RATTLER_AUTH_FILE"] = windows_path(file)
    kept = folder("login", host, "--no-check", "--token-stdin", stdin=b"x" * 1300)
    assert (kept.code, "auth.json" in kept.out.decode()) == (0, True), kept
    assert json.loads(file.read_bytes())[host] == {"BearerToken": "x" * 1300}


class Provider(Loopback):
    """An OpenID provider, and a host that takes its tokens.

    Attributes:
        forms: what its token endpoint was sent.
    """

    def __init__(self) -> None:
        super().__init__(_Provider)
        self.forms: list[dict[str, str]] = []


class _Provider(Handler):
    def respond(self, request: Recorded) -> None:
        owner: Provider = self.server.owner
        if request.path.startswith("/.well-known/openid"):
            self.send(
                200,
                {
                    "issuer": owner.url,
                    "authorization_endpoint": f"{owner.url}/auth",
                    "token_endpoint": f"{owner.url}/token",
                    "code_challenge_methods_supported": ["S256"],
                },
            )
        elif request.path == "/token":
            owner.forms.append(request.form)
            tokens = {"access_token": "a-1", "refresh_token": "r-1", "token_type": "Bearer"}
            self.send(200, tokens | {"expires_in": 600})
        else:
            self.send(200 if request.authorization == "Bearer a-1" else 401)


# A browser that does nothing: by its path, as Windows has paths, and with an argument.
BROWSER = r"C:\windows\system32\cmd.exe /c exit 0 %s"


def test_a_browser_comes_back_with_a_login(windows: Windows) -> None:
    windows.env["BROWSER"] = BROWSER
    with Provider() as sso:
        process = windows.start("login", sso.url, "--oauth")
        assert process.stdout is not None
        said = b""
        while (found := URL.search(said)) is None:
            line = process.stdout.readline()
            assert line, (said, finished(process, b""))
            said += line
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(found[1].decode()).query))
        back = urllib.parse.urlencode({"code": "c-1", "state": asked["state"], "iss": sso.url})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{asked['redirect_uri']}?{back}", timeout=TIMEOUT) as page:
            assert b"Back to the terminal" in page.read()
        done = finished(process, b"")
        assert done.code == 0, done
        assert b"No browser could be opened" not in done.out
        assert b"takes it (HTTP 200; without: 401)" in done.out
        (form,) = sso.forms
        assert (form["code"], form["redirect_uri"]) == ("c-1", asked["redirect_uri"])
        assert windows("header", f"{sso.url}/x").out == b"Authorization: Bearer a-1\n"
        assert windows("logout", sso.url, "--yes").code == 0
