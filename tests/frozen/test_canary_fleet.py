"""The canary in a login that machines share: what a worker, and a renewer, tell whom.

All of it is marked: what logs in to the engine, what that gives for it, the refresh token, the
access token.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.canary import MARK, STDOUT, Canary, left, others
from support.fleets import ACCESS, LOGIN, URL
from support.loopback import Handler, Loopback
from support.marked import question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.loopback import Recorded
    from support.program import Program

_NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody is: nothing leaves this machine


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: Engine = self.server.owner
        path = request.path.removeprefix("/v1/")
        at = path.removeprefix("fleet/data/")
        if path == "auth/approle/login":
            auth = {"client_token": f"{MARK}-engine", "lease_duration": 600, "renewable": False}
            return self.send(200, {"auth": auth})
        if path == "sys/internal/ui/mounts/fleet":
            return self.send(200, {"data": {"type": "kv", "options": {"version": "2"}}})
        if request.path == "/token":
            return self.send(owner.status, owner.fresh())
        if request.method == "POST" and at in owner.kept:
            owner.kept[at] = request.json["data"]
            owner.version += 1
            return self.send(200, {"data": owner.metadata()})
        if at in owner.kept:
            return self.send(200, {"data": {"data": owner.kept[at], "metadata": owner.metadata()}})
        return self.send(404, {"errors": [MARK]})


class Engine(Loopback):
    """What keeps the login, and renews it as well.

    Attributes:
        kept: by path.
        version: of the last write.
        status: that the token server answers.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.version = 1
        self.status = 200
        ended = {"access_token": f"{MARK}-0", "refresh_token": f"{MARK}-r0", "expires_at": 1,
                 "client_id": "c", "token_endpoint": f"{self.url}/token"}  # fmt: skip
        self.kept: dict[str, Any] = {
            LOGIN: {"entry": {"OAuth": ended}, "gen": 1},
            ACCESS: {"access_token": f"{MARK}-0", "expires_at": int(time.time()) + 600, "gen": 1},
        }

    def metadata(self) -> dict[str, Any]:
        """Of the last version."""
        return {"version": self.version, "created_time": "2026-11-21T10:11:12Z"}

    def fresh(self) -> dict[str, Any]:
        """What comes for a refresh token; or a refusal, which repeats it."""
        if self.status != 200:
            return {"error": "invalid_grant", "error_description": f"{MARK}-r0"}
        return {"access_token": f"{MARK}-1", "refresh_token": f"{MARK}-r1", "expires_in": 600}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def canary(frozen: Program, engine: Engine, tmp_path: Path) -> Canary:
    home = frozen.home
    home.env |= {"HTTPS_PROXY": _NOWHERE, "CREDLATCH_TIMEOUT": "20", "NO_COLOR": "1"}
    secret = home.write("secret-id", MARK)
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "{URL}"\naddress = "{engine.url}"\nrole = "renewer"\n'
        f'access = "{ACCESS}"\nlogin = "{LOGIN}"\n'
        f'auth = {{method = "approle", role = "r", file = "{secret}"}}\n',
    )
    return Canary(frozen, tmp_path / "strace")


def where(engine: Engine) -> str:
    return engine.url.removeprefix("http://")


@pytest.mark.parametrize("client", ["bazel", "git", "keyring"])
def test_a_worker_tells_its_engine_and_who_asks(
    frozen: Program, canary: Canary, engine: Engine, client: str
) -> None:
    words, stdin = question(client, URL)
    answer, seen = canary(*words, stdin=stdin)
    assert MARK in answer.out.decode(), answer
    assert others(seen, STDOUT, where(engine)) == []
    assert where(engine) in {each.where for each in seen}
    assert left(frozen, canary, "secret-id") == set()


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_renewer_tells_its_engine_its_token_server_and_its_journal(
    frozen: Program, canary: Canary, engine: Engine, status: int
) -> None:
    engine.status = status
    answer, seen = canary("fleet", "renew", "--once")
    assert answer.code == (0 if status == 200 else 1), answer
    journal = f"{frozen.home.path}/.local/share/credlatch/fleet/"
    assert others(seen, where(engine), journal) == []
    assert where(engine) in {each.where for each in seen}
    assert MARK not in answer.said
    assert left(frozen, canary, "secret-id") == set()  # of the journal, too, when it is kept


@pytest.mark.parametrize("damage", ["entry", "client_id", "gen"])
def test_what_is_wrong_with_a_login_is_told_without_it(
    frozen: Program, canary: Canary, engine: Engine, damage: str
) -> None:
    value = engine.kept[LOGIN]
    inner = value["entry"]["OAuth"] if damage == "client_id" else value
    inner[damage] = [MARK]
    for words in (("fleet", "renew", "--once"), ("doctor",), ("explain", URL), ("list",)):
        answer, seen = canary(*words)
        assert others(seen, where(engine)) == [], answer
        assert MARK not in answer.said
    assert json.dumps(engine.kept[ACCESS]).count(MARK) == 1
    assert left(frozen, canary, "secret-id") == set()
