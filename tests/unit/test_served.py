"""One rule for what is served: each protocol and each shape asks for the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import answers, clients
from credlatch.errors import CredlatchError
from credlatch.secrets import shapes, wanted
from credlatch.secrets.source import Says, Source
from support.callers import caller_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.home import Home

HOST = "r.example"
URL = f"https://{HOST}/"
BAD = ["", " ", "a\nb", "a\r\nX-Injected: yes", "a\0b", "\x7f", "\t", "é", "a\u2028b", "\ud800"]


def _answered(protocol: str, stdin: bytes) -> Callable[[Home], bytes]:
    def ask(home: Home) -> bytes:
        answer = answers.get(clients.CLIENTS[protocol], stdin, caller_of(home))
        if answer.failure is not None:
            raise answer.failure
        return answer.out

    return ask


def _secret(shape: str) -> Callable[[Home], bytes]:
    def ask(home: Home) -> bytes:
        one = wanted.secret(f"id=t,url={URL},as={shape}")
        return Source(one, home.env, Says(lambda _: None)).find() or b""

    return ask


CLIENTS: dict[str, Callable[[Home], bytes]] = {
    "bazel": _answered("bazel", json.dumps({"uri": URL}).encode()),
    "docker": _answered("docker", HOST.encode()),
    "docker by URL": _answered("docker", f"{URL}v2/".encode()),
    "git": _answered("git", f"protocol=https\nhost={HOST}\n".encode()),
    "keyring": _answered("keyring", b"get\0%s\0--mode=creds" % URL.encode()),
    "keyring as JSON": _answered("keyring", b"get\0%s\0--mode=creds\0--output=json" % URL.encode()),
    "header": _answered("header", URL.encode()),
    "token": _answered("token", URL.encode()),
    **{f"secret as {shape}": _secret(shape) for shape in shapes.SHAPES},
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["BearerToken", "CondaToken", "OAuth"])
def test_a_token_that_no_header_can_carry_is_served_to_nobody(
    home: Home, client: str, kind: str
) -> None:
    for bad in BAD:
        oauth = {"access_token": bad, "token_endpoint": "https://t.example/", "client_id": "c"}
        home.write_rattler({HOST: {kind: oauth if kind == "OAuth" else bad}})
        with pytest.raises(CredlatchError, match=r"its token (is empty|contains a control)") as one:
            CLIENTS[client](home)
        assert bad.strip() == "" or bad not in str(one.value)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("user", "password", "why"),
    [("", "", "neither a user name nor a password"), ("u", "x\ud800", "no Unicode text")],
)
def test_a_login_of_nobody_or_half_a_character_is_served_to_nobody(
    home: Home, client: str, user: str, password: str, why: str
) -> None:
    home.write_rattler({HOST: {"BasicHTTP": {"username": user, "password": password}}})
    with pytest.raises(CredlatchError, match=why):
        CLIENTS[client](home)


def test_a_good_token_is_served_to_all(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "a-b.c_d~+/="}})
    for client, ask in CLIENTS.items():
        assert ask(home), client
