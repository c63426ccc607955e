"""What is found in a netrc, beside what curl finds in it."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

from credlatch import url as urls
from credlatch.stores.netrc import NetrcStore
from support.callers import caller_of
from support.components import need
from support.loopback import Handler, Loopback, Recorded
from support.netrc_texts import PLAIN_SPACES, made_up
from support.program import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

HOSTS = ("a.example", "b.example", "u")


class Login(Handler):
    """Answers with the host that was asked, and the login that came along."""

    def respond(self, request: Recorded) -> None:
        login = base64.b64decode(request.authorization.removeprefix("Basic ")).decode()
        self.send(200, f"{request.headers['host'].partition(':')[0]} {login}\n".encode())


def curl_finds(netrc: Path, port: int) -> dict[str, str]:
    """The login that curl sends to each host; nothing where it sends none."""
    command = ["curl", "-sS", "-q", "--noproxy", "*", "--netrc-file", str(netrc)]
    for host in HOSTS:
        command += ["--resolve", f"{host}:{port}:127.0.0.1", f"http://{host}:{port}/"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT, env={}, check=False
    )
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


def test_no_host_is_sent_another_login_than_by_curl(home: Home) -> None:
    """For files of machines alone, in the words and the white space that curl knows.

    curl takes the first ``default`` before a machine that comes later, and has no ``user``.
    """
    need("curl")
    both = 0
    with Loopback(Login) as server:
        for seed in range(200):
            text = made_up(seed, PLAIN_SPACES).replace("user", "login")
            if "default" in text or "\0" in text or ". " in text or ".\n" in text:
                continue
            path = home.write(".netrc", text)
            curl = curl_finds(path, server.address[1])
            for host in HOSTS:
                entry = NetrcStore(caller_of(home)).find(urls.parse(f"https://{host}/"))
                if entry is None or entry.credential is None or not curl.get(host):
                    continue
                username, password = entry.credential.login("")
                ours = f"{username}:{password.reveal()}"
                assert curl[host] == ours or curl[host].endswith(":"), (seed, host, text)
                both += curl[host] == ours
    assert both > 20
