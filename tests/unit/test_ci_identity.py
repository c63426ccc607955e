"""A CI's identity where a rule wants it exchanged: once for all who ask, never without a rule."""

from __future__ import annotations

import threading
import time
from collections import UserDict
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import LoginError, RefusedError, RenewalError, StoreError
from credlatch.request import for_url
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from support.answering import Answering
from support.found import headers, sure
from support.jwt import make_jwt
from support.rules import write_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.resolve import Resolution
    from support.answering import Answer
    from support.home import Home
    from support.loopback import Recorded

HOST = "https://index.example/"
URL = f"{HOST}simple/"
AUDIENCE = "pyx:trusted-access"


class Ci:
    """A CI on loopback that gives a job its identity, and a server that takes it.

    Args:
        home: of the job.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.answer: Answer | None = None  # of the server's, in place of a token
        self.audience = AUDIENCE
        self.lifetime = 300
        self.issuer = Answering(self._issue)
        self.server = Answering(self._exchange)

    def _issue(self, request: Recorded) -> Answer:
        if request.authorization != "bearer of-the-job":
            return 401, {}, {"message": "no"}
        number = len(self.issuer.requests)
        return 200, {}, {"value": make_jwt(int(time.time()) + self.lifetime, aud=self.audience,
                                           n=number)}  # fmt: skip

    def _exchange(self, request: Recorded) -> Answer:
        if self.answer is not None:
            return self.answer
        assert request.json["token"].startswith("ey")
        return 200, {}, {"token": f"t-{len(self.server.requests)}", "expires_in": 3600}

    @property
    def environ(self) -> dict[str, str]:
        """What a job has."""
        return {
            "HOME": str(self.home.path),
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.issuer.url}/token?v=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        }

    def rule(self, **said: object) -> None:
        """Have the job's settings say this, besides what is needed."""
        exchange = {"url": f"{self.server.url}/mint", "kind": "pyx"}
        write_rule(self.home, **{"url": HOST, "use": ["ci"], "exchange": exchange, **said})

    @property
    def asked(self) -> tuple[int, int]:
        """How often each of the two was."""
        return len(self.issuer.requests), len(self.server.requests)

    def resolve(
        self, url: str = URL, shared: SharedCache | None = None, ahead: float = 0.0
    ) -> Resolution | None:
        """What the job gets."""
        caller = Caller(self.environ, "/", shared)
        caller.put_off(60)
        return resolve(caller, url, ahead)


def resolve(caller: Caller, url: str = URL, ahead: float = 0.0) -> Resolution | None:
    return Resolver(caller, ahead=ahead).resolve(for_url(urls.parse(url)))


@pytest.fixture
def ci(home: Home) -> Iterator[Ci]:
    made = Ci(home)
    made.rule()
    with made.issuer, made.server:
        yield made


def token(found: Resolution | None) -> str:
    return sure(found).credential.secret.reveal()


def test_twenty_callers_are_one_question_to_the_ci_and_one_exchange(ci: Ci) -> None:
    shared = SharedCache()
    got: list[str] = []
    ready = threading.Barrier(20)

    def ask() -> None:
        ready.wait(60)
        got.append(token(ci.resolve(shared=shared)))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert got == ["t-1"] * 20
    assert ci.asked == (1, 1)


def test_a_stored_login_is_served_and_nothing_is_exchanged(ci: Ci) -> None:
    ci.home.write(".netrc", "machine index.example login u password stored")
    ci.rule(use=["ci", "netrc"])
    assert token(ci.resolve()) == "stored"
    assert ci.asked == (0, 0)
    ci.rule()
    assert token(ci.resolve()) == "t-1"


def test_each_exchange_is_of_a_fresh_identity(ci: Ci) -> None:
    shared = SharedCache()
    assert token(ci.resolve(shared=shared)) == "t-1"
    assert token(ci.resolve(shared=shared)) == "t-1"
    assert token(ci.resolve(shared=shared, ahead=3550)) == "t-2"
    sent = [request.json["token"] for request in ci.server.requests]
    assert len(set(sent)) == 2


def test_what_was_exchanged_is_served_to_its_end_where_the_ci_gives_no_more(ci: Ci) -> None:
    shared = SharedCache()
    ci.resolve(shared=shared)
    ci.issuer.answer = lambda _: (500, {}, {})
    assert token(ci.resolve(shared=shared, ahead=3550)) == "t-1"
    assert ci.asked == (2, 1)


def test_a_client_is_told_when_to_ask_again(ci: Ci) -> None:
    expires = sure(ci.resolve()).expires
    assert expires is not None
    assert time.time() + 3400 < expires < time.time() + 3600


# Nothing without a rule

JOB = {
    "GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
    "GITLAB_CI": "true", "PYX_TRUSTED_ACCESS_ID_TOKEN": "t",
    "TF_BUILD": "True", "SYSTEM_OIDCREQUESTURI": "t",
    "BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_STEP_OIDC_TOKEN": "t",
}  # fmt: skip


class Watched(UserDict[str, str]):
    """An environment that remembers what was looked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.looked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.looked.add(name)
        return super().get(name, default)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://api.pyx.dev/simple/acme/main/",
        "https://acme.jfrog.io/artifactory/api/pypi/main/simple/",
        "https://dl.cloudsmith.io/basic/acme/main/python/simple/",
        "https://pypi.org/simple/",
        "https://packagemanager.posit.co/client/simple",
    ],
)
@pytest.mark.parametrize("said", [None, {"audience": AUDIENCE}, {"use": ["netrc"]}])
def test_without_a_rule_nothing_is_looked_for_and_nothing_is_sent(
    ci: Ci, url: str, said: dict[str, object] | None
) -> None:
    environ = Watched({**JOB, **ci.environ})
    config = write_rule(ci.home, url=url, **(said or {}))
    if said is None:
        config.unlink()
    assert resolve(Caller(environ, "/"), url) is None
    assert environ.looked.isdisjoint(set(JOB) - {"SYSTEM_ACCESSTOKEN", "GITHUB_ACTIONS"})
    assert ci.asked == (0, 0)


def test_a_workspace_cannot_have_an_identity_exchanged(ci: Ci) -> None:
    exchange = f'exchange = {{url = "{ci.server.url}/mint", kind = "pyx"}}\n'
    said = f'[[rule]]\nurl = "{HOST}"\nuse = ["ci"]\n'
    (ci.home.path / ".config/credlatch/config.toml").unlink()
    for text in (said, said + exchange):
        ci.home.write("work/.credlatch.toml", text, 0o644)
        assert resolve(Caller(ci.environ, str(ci.home.path / "work"))) is None
    assert ci.asked == (0, 0)


def test_a_rule_without_an_exchange_sends_nothing_and_says_what_is_missing(ci: Ci) -> None:
    ci.rule(exchange=None)
    with pytest.raises(StoreError, match=r"config.toml line 1 .* exchange"):
        ci.resolve()
    assert ci.asked == (0, 0)


def test_who_is_no_job_gets_nothing_and_hears_why(ci: Ci) -> None:
    for identity, why in ((None, "no job of one"), ({"variable": "MINE"}, "variable MINE")):
        ci.rule(identity=identity)
        caller = Caller({"HOME": ci.environ["HOME"]}, "/")
        assert resolve(caller) is None
        (said,) = caller.warnings
        assert why in said
    assert ci.asked == (0, 0)


def test_a_token_does_not_travel_in_the_clear_and_then_none_is_asked_for(ci: Ci) -> None:
    ci.rule(url="http://index.example/")
    with pytest.raises(RefusedError):
        ci.resolve("http://index.example/simple/")
    assert ci.asked == (0, 0)


# What goes wrong


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {}, {"error": "invalid_grant"}), "does not take this job's identity (HTTP 401, "),
        ((403, {}, {"message": "of-the-job"}), "does not take this job's identity (HTTP 403)"),
        ((429, {"Retry-After": "1"}, {}), "(HTTP 429): try again"),
        ((307, {"Location": "https://evil.example/"}, {}), "redirects elsewhere"),
        ((200, {}, {"unexpected": 1}), "did not answer with a token but with something else"),
        ((200, {}, {"token": "t", "expires_in": 0}), "already expired"),
    ],
)
def test_an_exchange_that_fails_is_one_line_without_a_secret(
    ci: Ci, answer: Answer, said: str
) -> None:
    ci.answer = answer
    with pytest.raises(RenewalError) as raised:
        ci.resolve()
    line = str(raised.value)
    assert said in line
    assert "\n" not in line
    assert "of-the-job" not in line
    assert not any(request.json["token"] in line for request in ci.server.requests)


@pytest.mark.parametrize("wrong", [{"audience": "another"}, {"lifetime": -1}])
def test_an_identity_that_is_not_fit_is_not_sent(ci: Ci, wrong: dict[str, Any]) -> None:
    vars(ci).update(wrong)
    with pytest.raises(LoginError, match="the identity token from GitHub Actions"):
        ci.resolve()
    assert ci.asked == (1, 0)


def test_a_refusal_is_not_asked_for_again_by_all_the_others(ci: Ci) -> None:
    ci.answer = (403, {}, {})
    shared = SharedCache()
    said = set()
    for _ in range(3):
        with pytest.raises(LoginError) as raised:
            ci.resolve(shared=shared)
        said.add(str(raised.value))
    assert len(said) == 1
    assert ci.asked == (1, 1)


@pytest.mark.parametrize("location", ["https://evil.example/t", "/elsewhere"])
def test_a_ci_that_redirects_is_not_followed(ci: Ci, location: str) -> None:
    ci.issuer.answer = lambda _: (302, {"Location": location}, {})
    with pytest.raises(RenewalError, match="redirects elsewhere"):
        ci.resolve()
    assert ci.asked == (1, 0)


def test_an_identity_whose_exchange_got_no_answer_is_not_sent_again(ci: Ci) -> None:
    def hang_up(_: Recorded) -> Answer:
        raise ConnectionResetError

    usual, ci.server.answer = ci.server.answer, hang_up
    with pytest.raises(RenewalError, match=r"gave no answer .*: try again"):
        ci.resolve()
    assert ci.asked == (1, 1)
    ci.server.answer = usual
    assert token(ci.resolve()) == "t-2"
    first, second = (request.json["token"] for request in ci.server.requests)
    assert first != second


def test_a_ci_that_gave_no_answer_is_asked_again_in_the_same_call(ci: Ci) -> None:
    usual = ci.issuer.answer

    def hang_up_once(request: Recorded) -> Answer:
        if len(ci.issuer.requests) == 1:
            raise ConnectionResetError
        return usual(request)

    ci.issuer.answer = hang_up_once
    assert token(ci.resolve()) == "t-1"
    assert ci.asked == (2, 1)


@pytest.mark.parametrize("port", ["0", "1"])
def test_a_ci_or_a_server_that_is_not_there_is_one_line(ci: Ci, port: str) -> None:
    ci.rule(exchange={"url": f"http://127.0.0.1:{port}/mint", "kind": "pyx"})
    with pytest.raises((RenewalError, StoreError)) as raised:
        ci.resolve()
    assert "\n" not in str(raised.value)
    assert "config.toml" in str(raised.value) or "cannot be reached" in str(raised.value)


def test_another_job_has_another_token(ci: Ci) -> None:
    shared = SharedCache()
    ci.resolve(shared=shared)
    ci.issuer.answer = lambda _: (200, {}, {"value": make_jwt(int(time.time()) + 60, aud=AUDIENCE)})
    caller = Caller({**ci.environ, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "another"}, "/", shared)
    assert token(resolve(caller)) == "t-2"


# A token as it is

TOKEN: dict[str, Any] = {"url": HOST, "use": ["token"], "identity": {"variable": "MINE"}}


def test_a_token_in_a_variable_answers_where_a_rule_says_so_and_nowhere_else(home: Home) -> None:
    def asked(asked_for: str = URL, **said: object) -> dict[str, str] | None:
        write_rule(home, **{**TOKEN, **said})
        return headers(resolve(Caller({"HOME": str(home.path), "MINE": "t\n"}, "/"), asked_for))

    assert asked() == {"Authorization": "Bearer t"}
    assert asked(header="X-API-Key") == {"X-API-Key": "t"}
    assert asked("https://another.example/") is None
    assert asked(use=None) is None
    assert asked(use=["netrc"]) is None
    with pytest.raises(RefusedError):
        asked("http://index.example/simple/", url="http://index.example/")
    with pytest.raises(StoreError, match="does not say where one is"):
        asked(identity=None)


def test_a_variable_that_is_not_set_is_a_warning(home: Home) -> None:
    write_rule(home, **TOKEN)
    caller = Caller({"HOME": str(home.path)}, "/")
    assert resolve(caller) is None
    (said,) = caller.warnings
    assert said.endswith("config.toml line 1 names the variable MINE, which is not set")


def test_a_jwt_in_a_file_ends_when_it_says(home: Home) -> None:
    end = int(time.time()) + 600
    file = home.write("token", make_jwt(end))
    write_rule(home, **{**TOKEN, "identity": {"file": "~/token"}})
    caller = Caller({"HOME": str(home.path)}, "/")
    expires = sure(resolve(caller)).expires
    assert expires is not None
    assert time.time() < expires <= end
    file.write_text(make_jwt(end - 700))
    with pytest.raises(StoreError, match=r"expired at .*: put a fresh token into ~/token"):
        resolve(caller)
