"""Posit Package Manager's login: its device flow, and what is kept where posit-keyring looks."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import stat
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.caller import Caller
from credlatch.credential import Secret
from credlatch.errors import RenewalError, StoreError
from credlatch.login import keeping, posit, revoking, standing
from credlatch.login.target import target
from credlatch.stores.posit import PositStore

if TYPE_CHECKING:
    from support.home import Home
    from support.internet import Answer, Internet, Visit

HOST = "ppm.example"
ADDRESS = f"https://{HOST}"
STORE = ".ppm/tokens.toml"
DEVICE = {
    "device_code": "secret-device-code", "user_code": "ABCD-EFGH",
    "verification_uri": "https://idp.example/device", "interval": 5, "expires_in": 300,
}  # fmt: skip
PENDING: tuple[int, Any] = 400, {"error": "authorization_pending"}


class Bob:
    """A person who does at once what is wanted."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.waited: list[float] = []

    def at(self, url: str, code: str) -> None:
        self.seen.append((url, code))

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def is_gone(self) -> bool:
        return False

    def finishing(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def pasted(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def manager(internet: Internet, *access: tuple[int, Any]) -> list[tuple[str, dict[str, str]]]:
    """Have a Package Manager answer, and note what it is asked."""
    asked: list[tuple[str, dict[str, str]]] = []
    answers = {"device_access": list(access), "token": [(200, {"access_token": "ppm-1"})]}

    def answer(visit: Visit) -> Answer:
        asked.append((visit.path, visit.form))
        name = visit.path.removeprefix("/__api__/")
        status, body = (200, DEVICE) if name == "device" else answers[name].pop(0)
        return status, {}, body

    internet.hosts[HOST] = answer
    return asked


def connections(home: Home) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads((home.path / STORE).read_text())["connections"]
    return found


def test_the_flow_is_posit_keyring_s_with_the_verifier_s_hash_first(
    home: Home, internet: Internet
) -> None:
    asked = manager(internet, PENDING, (200, {"id_token": "identity-1"}))
    bob = Bob()
    given = posit.by_device(ADDRESS, bob)
    assert bob.seen == [("https://idp.example/device", "ABCD-EFGH")]
    assert bob.waited == [5.0, 5.0]
    (_, begun), (_, first), (_, second), (_, exchanged) = asked
    digest = hashlib.sha256(first["code_verifier"].encode()).digest()
    assert begun == {
        "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }
    assert first == second
    assert first["device_code"] == "secret-device-code"
    assert exchanged == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "identity-1",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    caller = Caller(home.env, str(home.path))
    at = target(HOST, caller)
    kept = keeping.keep(at, given, given.forms[0], caller)
    assert (kept.store, kept.key) == ("posit", ADDRESS)
    assert connections(home) == [{"address": ADDRESS, "token": "ppm-1", "auth_type": "sso"}]
    assert stat.S_IMODE((home.path / STORE).stat().st_mode) == 0o600
    assert keeping.answering(at.url, Caller(home.env, str(home.path))).first == "posit"


REFUSED: dict[str, tuple[tuple[int, Any], str]] = {
    "denied": ((400, {"error": "access_denied"}), "the login was denied"),
    "expired": ((400, {"error": "expired_token"}), "the code has expired"),
    "a server without it": ((404, b"<html>SECRET"), "it has no such login"),
}


@pytest.mark.parametrize(("answer", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_ends_it_is_one_line(internet: Internet, answer: tuple[int, Any], said: str) -> None:
    manager(internet, answer)
    with pytest.raises(RenewalError, match=said) as raised:
        posit.by_device(ADDRESS, Bob())
    assert "SECRET" not in str(raised.value)


def test_other_connections_stay_and_a_second_login_takes_the_place_of_the_first(home: Home) -> None:
    home.write(
        STORE,
        '# mine\n[[connections]]\naddress = "https://other"\ntoken = "o"\nauth_type = "sso"\n',
    )
    store = PositStore(Caller(home.env, str(home.path)))
    for token in ("one", "two"):
        store.keep(ADDRESS, Secret(token))
    other = {"address": "https://other", "token": "o", "auth_type": "sso"}
    assert connections(home) == [
        other, {"address": ADDRESS, "token": "two", "auth_type": "sso"}
    ]  # fmt: skip
    caller = Caller(home.env, str(home.path))
    (found,) = standing.there(target(HOST, caller), caller)
    assert (found.store, found.kind, found.key) == ("posit", "token", ADDRESS)
    assert revoking.removed(found).is_gone
    assert connections(home) == [other]
    assert (home.path / STORE).read_text().startswith("# mine\n")
    assert revoking.removed(found).is_gone is False


@pytest.mark.parametrize("text", ["connections = 1\n", "[connections]\na = 1\n", "[[", "\0"])
def test_a_file_that_is_something_else_is_left_as_it_is(home: Home, text: str) -> None:
    path = home.write(STORE, text)
    with pytest.raises(StoreError, match=r"tokens\.toml"):
        PositStore(Caller(home.env, str(home.path))).keep(ADDRESS, Secret("t"))
    assert path.read_text() == text
