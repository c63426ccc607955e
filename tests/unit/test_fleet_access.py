"""Logging in to OpenBao or Vault: what is sent, how long it lasts, and what a refusal says."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet import access
from credlatch.fleet.access import Access, Given, Login, approle, in_file
from credlatch.fleet.engine import EngineDownError, EngineError
from credlatch.fleet.server import Server
from credlatch.renew import http
from support.program import TIMEOUT
from support.scripted_bao import Answer, ScriptedBao

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROOF = "eyJ.the-proof.of-who-we-are"
DENIED = Answer(403, {"errors": ["permission denied"]})


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    http.close()
    yield
    http.close()


@pytest.fixture
def bao() -> Iterator[ScriptedBao]:
    with ScriptedBao() as bao:
        yield bao


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that are added to this machine's."""
    added, real = [0.0], time.monotonic
    monkeypatch.setattr(access.time, "monotonic", lambda: real() + added[0])  # type: ignore[attr-defined]
    return added


def token(text: str, life: int = 600, *, renewable: bool = False) -> Answer:
    """A login's answer."""
    kind = "service" if renewable else "batch"
    said = {"client_token": text, "lease_duration": life, "renewable": renewable}
    return Answer(200, {"auth": {**said, "token_type": kind, "accessor": ""}})


def jwt(bao: ScriptedBao, mount: str = "jwt") -> Access:
    return Access(Server((bao.url,)), Login(mount, "worker", lambda: Secret(PROOF), "the CI"))


def sent(bao: ScriptedBao) -> list[str | None]:
    """The tokens that the requests brought."""
    return [each.headers.get("x-vault-token") for each in bao.requests]


@pytest.mark.parametrize("mount", ["jwt", "kubernetes", "auth/gitlab-prod/", "ci/github"])
def test_a_login_names_its_role_and_proves_it_at_its_mount(bao: ScriptedBao, mount: str) -> None:
    bao.answers = [token("b.1")]
    assert jwt(bao, mount).token() == Secret("b.1")
    (request,) = bao.requests
    assert request.path == f"/v1/auth/{mount.removeprefix('auth/').strip('/')}/login"
    assert request.json == {"role": "worker", "jwt": PROOF}
    assert sent(bao) == [None]


def test_an_approle_is_called_otherwise(bao: ScriptedBao) -> None:
    bao.answers = [token("b.1")]
    who = approle("the-role-id", lambda: Secret("the-secret-id"), "a file")
    Access(Server((bao.url,)), who).token()
    assert bao.requests[0].json == {"role_id": "the-role-id", "secret_id": "the-secret-id"}


def test_one_login_serves_until_a_third_of_its_life_is_left(
    bao: ScriptedBao, now: list[float]
) -> None:
    bao.answers = [token("b.1"), Answer(200), Answer(200), token("b.2"), Answer(200)]
    who = jwt(bao)
    who.ask("GET", "a")
    now[0] += 380
    who.ask("GET", "a")
    now[0] += 30
    who.ask("GET", "a")
    assert sent(bao) == [None, "b.1", "b.1", None, "b.2"]


def test_a_token_that_lives_is_used_where_nothing_proves_us_any_more(
    bao: ScriptedBao, now: list[float]
) -> None:
    """A job's identity may end before the token that it gave."""
    ended = Answer(400, {"errors": ["error validating token: token is expired"]})
    bao.answers = [token("b.1"), ended, Answer(200), Answer(200), ended]
    who = jwt(bao)
    who.token()
    now[0] += 500
    for _ in range(2):
        who.ask("GET", "a")
    now[0] += 200
    with pytest.raises(EngineError, match="token is expired"):
        who.ask("GET", "a")
    assert sent(bao) == [None, None, "b.1", "b.1", None]


def test_a_token_that_is_refused_is_replaced_once_and_what_was_asked_is_asked_again(
    bao: ScriptedBao, now: list[float]
) -> None:
    bao.answers = [token("b.1"), Answer(200), DENIED, token("b.2"), Answer(200), DENIED]
    who = jwt(bao)
    who.ask("GET", "a")
    now[0] += 60
    assert who.ask("POST", "a", {"n": 1}).status == 200
    assert who.ask("GET", "a").status == 403  # of a token that is young
    assert sent(bao) == [None, "b.1", "b.1", None, "b.2", "b.2"]
    assert [each.json for each in bao.requests if each.path == "/v1/a" and each.body] == [
        {"n": 1}, {"n": 1},
    ]  # fmt: skip


def test_a_token_in_a_file_is_read_again_when_it_is_refused(
    bao: ScriptedBao, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text("s.1\n")
    reads = in_file(str(path))
    who = Access(Server((bao.url,)), Given(str(path), reads))
    bao.answers = [Answer(200), Answer(200), DENIED]
    who.ask("GET", "a")
    path.write_text("s.2\n")
    who.ask("GET", "a")
    assert who.ask("GET", "a").status == 403
    assert sent(bao) == ["s.1", "s.2", "s.2"]
    path.unlink()
    with pytest.raises(EngineError, match=r"no login for OpenBao or Vault: .*token is not there"):
        who.ask("GET", "a")


@pytest.mark.parametrize("text", ["two\nlines", "a\x00b", "é"])
def test_what_no_header_can_carry_is_no_token(bao: ScriptedBao, text: str) -> None:
    who = Access(Server((bao.url,)), Given("the file", lambda: Secret(text)))
    with pytest.raises(EngineError, match="what the file gives is no token"):
        who.token()
    bao.answers = [token(text)]
    with pytest.raises(EngineError, match="answers a login without a token"):
        jwt(bao).token()


def test_a_login_that_a_standby_does_not_know_yet_is_asked_of_its_leader(
    bao: ScriptedBao,
) -> None:
    """A secret id that was made a moment ago: a standby says that it is invalid."""
    unknown = Answer(400, {"errors": ["invalid role or secret ID"]})
    login = approle("role", lambda: Secret("secret"), "the test")
    with ScriptedBao(token("b.1"), unknown) as leader:
        leader.leader = {"ha_enabled": True, "is_self": True}
        bao.leader = {"ha_enabled": True, "is_self": False, "leader_address": leader.url}
        bao.answers = [unknown, unknown]
        assert Access(Server((bao.url, leader.url)), login).token() == Secret("b.1")
        with pytest.raises(EngineError, match="invalid role or secret ID"):
            Access(Server((bao.url, leader.url)), login).token()
    bao.leader = {"ha_enabled": True, "is_self": False}
    bao.answers = [unknown]
    with pytest.raises(EngineDownError, match="has no leader now"):
        Access(Server((bao.url,)), login).token()


def test_a_token_that_is_good_for_a_few_uses_is_replaced_before_the_next(bao: ScriptedBao) -> None:
    def few(text: str, uses: object) -> Answer:
        auth = {"client_token": text, "lease_duration": 600, "num_uses": uses}
        return Answer(200, {"auth": auth})

    bao.answers = [few("s.1", 2), Answer(200), Answer(200), few("s.2", 2), Answer(200)]
    who = jwt(bao)
    for _ in range(3):
        who.ask("GET", "a")
    assert sent(bao) == [None, "s.1", "s.1", None, "s.2"]
    # Whatever else it was used for.
    bao.answers = [DENIED, few("s.3", 0), *[Answer(200)] * 9]
    for _ in range(9):
        who.ask("GET", "a")
    assert sent(bao)[5:] == ["s.2", None, *["s.3"] * 9]


def test_who_waits_for_an_answer_keeps_nobody_else_waiting(bao: ScriptedBao) -> None:
    """Two logins that machines share, at one engine: one of its paths hangs."""
    bao.answers = [token("b.1"), Answer(200)]
    who = jwt(bao)
    who.token()
    held, asked = threading.Event(), who._server.ask

    def ask(method: str, path: str, *more: Any) -> Any:
        if path == "slow":
            held.set()
            assert over.wait(TIMEOUT)
        return asked(method, path, *more)

    over = threading.Event()
    who._server.ask = ask  # type: ignore[method-assign, assignment]
    slow = threading.Thread(target=who.ask, args=("GET", "slow"))
    slow.start()
    assert held.wait(TIMEOUT)
    assert who.ask("GET", "a").status == 200
    over.set()
    slow.join()


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"auth": null}', b'{"auth": {"client_token": 5}}', b'{"auth": []}'],
)
def test_an_answer_without_a_token_is_none(bao: ScriptedBao, body: bytes) -> None:
    bao.answers = [Answer(200, body)]
    with pytest.raises(EngineError, match="answers a login without a token"):
        jwt(bao).token()


def test_a_refusal_names_the_role_and_the_place_and_repeats_nothing(bao: ScriptedBao) -> None:
    bao.answers = [Answer(400, {"errors": [f'role "x" could not be found, you sent {PROOF}']})]
    with pytest.raises(EngineError) as caught:
        jwt(bao).token()
    said = str(caught.value)
    assert 'refuses the login at auth/jwt (HTTP 400, role "x" could not be found)' in said
    assert "role 'worker', its bound claims and what the CI gives" in said
    assert PROOF not in said
    assert not isinstance(caught.value, EngineDownError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_proof_of_who_we_are_follows_a_redirect(bao: ScriptedBao, status: int) -> None:
    with ScriptedBao(token("b.evil")) as other:
        bao.answers = [Answer(status, Location=f"{other.url}/v1/auth/jwt/login")]
        with pytest.raises(EngineError, match="redirects to"):
            jwt(bao).token()
        assert other.requests == []


@pytest.mark.parametrize("answer", [Answer(503), Answer(200, hangs_up=True), Answer(429)])
def test_a_login_that_is_not_answered_may_be_later(bao: ScriptedBao, answer: Answer) -> None:
    bao.answers = [answer]
    with pytest.raises(EngineDownError):
        jwt(bao).token()


def test_nobody_logs_in_where_nothing_proves_anything(bao: ScriptedBao) -> None:
    def fails() -> Secret:
        raise StoreError("the CI gives this job no identity token")

    with pytest.raises(EngineError, match="no login for OpenBao or Vault: the CI gives"):
        Access(Server((bao.url,)), Login("jwt", "worker", fails, "the CI")).token()
    assert bao.requests == []


def test_a_service_token_is_renewed_in_its_last_third(bao: ScriptedBao, now: list[float]) -> None:
    bao.answers = [token("s.1", renewable=True), token("s.1", renewable=True)]
    who = jwt(bao)
    who.keep_alive()
    now[0] += 300
    who.keep_alive()
    assert len(bao.requests) == 1
    now[0] += 110
    who.keep_alive()
    assert bao.requests[-1].path == "/v1/auth/token/renew-self"
    now[0] += 300
    bao.answers = [Answer(200)]
    who.ask("GET", "a")
    assert sent(bao) == [None, "s.1", "s.1"]


def test_a_token_that_may_not_renew_itself_is_told_of_and_another_got_in_the_end(
    bao: ScriptedBao, now: list[float]
) -> None:
    bao.answers = [token("s.1", renewable=True), DENIED, token("s.2", renewable=True)]
    who = jwt(bao)
    who.token()
    now[0] += 450
    who.keep_alive()
    assert who.misses_renewal
    assert who.token() == Secret("s.2")


def test_a_token_that_was_given_is_kept_alive_where_it_says_that_it_can_be(
    bao: ScriptedBao, now: list[float]
) -> None:
    data = {"ttl": 100, "creation_ttl": 600, "renewable": True}
    bao.answers = [Answer(200, {"data": data}), token("s.1", renewable=True)]
    who = Access(Server((bao.url,)), Given("BAO_TOKEN", lambda: Secret("s.1")))
    who.keep_alive()
    assert [each.path for each in bao.requests] == [
        "/v1/auth/token/lookup-self", "/v1/auth/token/renew-self",
    ]  # fmt: skip
    now[0] += 300
    who.keep_alive()
    assert len(bao.requests) == 2


def test_who_ends_gives_a_login_s_token_back_and_keeps_one_that_was_given(bao: ScriptedBao) -> None:
    bao.answers = [token("s.1", renewable=True), Answer(204)]
    who = jwt(bao)
    who.token()
    who.close()
    assert bao.requests[-1].path == "/v1/auth/token/revoke-self"
    before = len(bao.requests)
    given = Access(Server((bao.url,)), Given("BAO_TOKEN", lambda: Secret("s.1")))
    given.token()
    given.close()
    assert len(bao.requests) == before


def told(who: Any) -> str:
    return repr(vars(who))


def test_nothing_of_it_shows_a_secret(bao: ScriptedBao) -> None:
    bao.answers = [token("s.secret-token")]
    who = jwt(bao)
    who.token()
    assert "secret-token" not in told(who)
    assert PROOF not in told(who)
