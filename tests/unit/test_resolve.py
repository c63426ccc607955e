"""The resolver asks the stores in order, and goes on where one fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth.oauth import OAuthRefresh
from credlatch.caller import Caller
from credlatch.credential import AccessKey, Basic, Bearer, Credential, Secret
from credlatch.errors import CredlatchError, LoginError, RefusedError, RenewalError, StoreError
from credlatch.protocols import docker
from credlatch.request import Request, for_login
from credlatch.resolve import Outcome, Resolver
from credlatch.stores import PORT, Entry, KeyedStore, RenewableStore, Store
from credlatch.stores.order import PROJECT
from support.callers import caller_of
from support.found import secret, sure

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.renew.cache import PendingWrite
    from support.home import Home

URL = "https://a.example/x"
BROKEN = StoreError("the first store is broken")


class Fake(Store):
    """A store that has one answer for everything, or one failure."""

    name = "fake"

    def __init__(self, answer: Entry | CredlatchError | None) -> None:
        self._answer = answer
        self.asked: list[str] = []

    def find(self, url: urls.Url) -> Entry | None:
        self.asked.append(url.text)
        if isinstance(self._answer, CredlatchError):
            raise self._answer
        return self._answer


class Keyed(Fake, KeyedStore):
    """One that keeps Docker's keys too."""

    def __init__(self, keys: dict[str, Entry], answer: Entry | None = None) -> None:
        super().__init__(answer)
        self._keys = keys

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        return next((self._keys[key] for key in keys if key in self._keys), None)


class Renewable(Fake, RenewableStore):
    """One whose entries could be written back, if there were room."""

    def __init__(self, answer: Entry, folder: Path) -> None:
        super().__init__(answer)
        self._folder = folder

    def lock_path(self, entry: Entry) -> str:  # noqa: ARG002 - one for all
        return str(self._folder / "x.lock")

    def prepare(self, entry: Entry) -> PendingWrite:
        raise OSError(28, f"No space left on device for {entry.location}")


def entry(
    token: str = "t", expires: int | None = None, credential: Credential | None = None
) -> Entry:
    return Entry(credential or Bearer(Secret(token)), f"store of {token}", expires=expires)


def resolver(*stores: Fake) -> tuple[Resolver, Caller]:
    caller = Caller({}, "/")
    order = tuple((each.name, lambda _, each=each: each) for each in stores)
    return Resolver(caller, order), caller


def told(outcome: Outcome) -> list[str]:
    """What came of asking each store, and why."""
    return [": ".join((step.came, *step.reasons())) for step in outcome.trace]


def bazel(url: str = URL) -> Request:
    return Request(urls.parse(url), ())


def test_the_first_answer_counts_and_no_later_store_is_asked() -> None:
    later = Fake(entry("second"))
    asking, caller = resolver(Fake(None), Fake(entry("first")), later)
    answer = sure(asking.resolve(bazel()))
    assert secret(answer) == "first"
    assert answer.location == "store of first"
    assert sure(answer.url).text == URL
    assert later.asked == []
    assert caller.warnings == []


@pytest.mark.parametrize("url", [URL, "http://a.example/"])
def test_where_no_store_has_an_answer_there_is_none_and_that_is_no_failure(url: str) -> None:
    asking, caller = resolver(Fake(None), Fake(None))
    assert asking.resolve(bazel(url)) is None
    assert caller.warnings == []


@pytest.mark.parametrize("error", [BROKEN, RenewalError("try again"), LoginError("log in")])
def test_a_broken_store_is_passed_over_with_a_warning(error: CredlatchError) -> None:
    asking, caller = resolver(Fake(error), Fake(entry("second")))
    assert secret(asking.resolve(bazel())) == "second"
    assert caller.warnings == [str(error)]


def test_where_nothing_else_answers_the_failure_is_the_answer() -> None:
    asking, caller = resolver(Fake(None), Fake(BROKEN), Fake(None), Fake(StoreError("another")))
    with pytest.raises(StoreError, match=str(BROKEN)):
        asking.resolve(bazel())
    assert caller.warnings == ["another"]


@pytest.mark.parametrize(
    "rest",
    [
        *("a.example/x", "10.0.0.1/x", "localhost.example/x", "127.x.dc1/x"),
        "user:hunter2@a.example/x?token=hunter2",
    ],
)
def test_plain_http_is_refused_when_there_is_something_to_send(rest: str) -> None:
    later = Fake(entry("second"))
    asking, _ = resolver(Fake(entry(credential=Bearer(Secret("hunter2")))), later)
    with pytest.raises(RefusedError, match="plain http") as raised:
        asking.resolve(bazel(f"http://{rest}"))
    assert later.asked == []
    assert "http://" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_plain_http_within_this_machine_is_served(host: str) -> None:
    assert secret(resolver(Fake(entry()))[0].resolve(bazel(f"http://{host}/"))) == "t"


@pytest.mark.parametrize(
    ("credential", "complaint"),
    [
        (Bearer(Secret("a\r\nb")), "control or non-ASCII"),
        (Bearer(Secret("")), "empty"),
        (Basic("<token>", Secret("t")), "identity token"),
        (Basic("a:b", Secret("t")), "colon"),
        (AccessKey("AK", Secret("t")), "signs requests"),
    ],
)
def test_a_credential_that_is_no_header_is_a_failure_like_any_other(
    credential: Credential, complaint: str
) -> None:
    asking, _ = resolver(Fake(entry(credential=credential)))
    with pytest.raises(StoreError, match=rf"store of t cannot be used.*{complaint}"):
        asking.resolve(bazel())
    asking, caller = resolver(Fake(entry(credential=credential)), Fake(entry("second")))
    assert secret(asking.resolve(bazel())) == "second"
    assert len(caller.warnings) == 1


def test_what_is_no_header_may_be_a_login() -> None:
    identity = entry(credential=Basic("<token>", Secret("identity")))
    request = docker.parse_get(b"a.example")
    assert secret(resolver(Fake(identity))[0].resolve(request)) == "identity"


# Docker's keys


@pytest.mark.parametrize(
    ("key", "otherwise"), [("a.example", "url"), ("my key", None), ("http://a.example", None)]
)
def test_docker_s_key_is_asked_for_and_then_the_url_that_it_stands_for_if_any(
    key: str, otherwise: str | None
) -> None:
    request = docker.parse_get(key.encode())
    store = Keyed({key: entry("key")}, entry("url"))
    assert secret(resolver(store)[0].resolve(request)) == "key"
    assert store.asked == []
    assert secret(resolver(Keyed({}, entry("url")), Fake(None))[0].resolve(request)) == otherwise


def test_a_url_is_asked_for_before_the_keys_that_stand_for_it() -> None:
    request = Request(urls.parse(URL), ("a.example",))
    store = Keyed({"a.example": entry("key")}, entry("url"))
    assert secret(resolver(store)[0].resolve(request)) == "url"
    assert secret(resolver(Keyed({"a.example": entry("key")}))[0].resolve(request)) == "key"


# Ends


def test_an_end_is_told_a_little_earlier() -> None:
    ends = int(time.time()) + 3600
    assert sure(resolver(Fake(entry(expires=ends)))[0].resolve(bazel())).expires == ends - 30


def test_a_token_that_nothing_renews_is_served_nearly_to_its_end() -> None:
    now = int(time.time())
    answer = sure(resolver(Fake(entry(expires=now + 100)))[0].resolve(bazel()))
    assert answer.expires is not None
    assert now + 90 <= answer.expires <= now + 95


def test_an_expired_token_that_nothing_renews_is_a_failure_with_both_times() -> None:
    ends = int(time.time()) - 1
    asking, _ = resolver(Fake(entry("hunter2", expires=ends)))
    with pytest.raises(StoreError, match=r"store of hunter2 expired at 20.*Z.*clock says 20.*Z"):
        asking.resolve(bazel())


def renewable(folder: Path, left: int) -> Renewable:
    kept = entry("old", expires=int(time.time()) + left)
    kept.grant = OAuthRefresh(Secret("refresh"), "https://auth.example", "c", "log in again")
    return Renewable(kept, folder)


def test_a_token_that_is_still_good_is_served_when_renewing_fails(tmp_path: Path) -> None:
    asking, caller = resolver(renewable(tmp_path, 100))
    answer = sure(asking.resolve(bazel()))
    assert secret(answer) == "old"
    assert answer.expires is not None
    assert answer.expires <= time.time() + 31
    (warning,) = caller.warnings
    assert "no space" in warning
    assert "still good" in warning


def test_an_expired_token_is_not_served_when_renewing_fails_but_a_later_store_s(
    tmp_path: Path,
) -> None:
    with pytest.raises(RenewalError, match="no space"):
        resolver(renewable(tmp_path, -1))[0].resolve(bazel())
    asking, caller = resolver(renewable(tmp_path, -1), Fake(entry("second")))
    assert secret(asking.resolve(bazel())) == "second"
    assert len(caller.warnings) == 1


def test_a_token_outside_the_margin_is_not_renewed(tmp_path: Path) -> None:
    asking, caller = resolver(renewable(tmp_path, 3600))
    assert secret(asking.resolve(bazel())) == "old"
    assert caller.warnings == []
    assert list(tmp_path.iterdir()) == []


# The trace


def test_the_trace_says_what_each_store_had_to_do_with_the_answer() -> None:
    def stores() -> list[Fake]:
        bob = entry("bob's", credential=Basic("bob", Secret("p")))
        return [Fake(None), Fake(BROKEN), Fake(bob), Fake(entry("t")), Fake(None), Fake(entry("2"))]

    request = bazel("https://alice@a.example/x")
    asking, caller = resolver(*stores())
    outcome = asking.outcome(request)
    assert secret(outcome.resolution) == "t"
    assert outcome.failure is None
    assert told(outcome) == [
        "nothing",
        f"broken: {BROKEN}",
        "near miss: store of bob's: it is not of the user who is asked for",
        "found",
        "not asked",
        "not asked",
    ]
    assert caller.warnings == [str(BROKEN)]
    later = Fake(StoreError("the last store is broken, too"))
    asking, caller = resolver(*stores(), later)
    every = asking.outcome(request, every=True)
    assert secret(every.resolution) == "t"
    assert told(every)[:4] == told(outcome)[:4]
    assert told(every)[4:] == ["nothing", "shadowed", "broken: the last store is broken, too"]
    assert caller.warnings == [str(BROKEN)]


@pytest.mark.parametrize(
    ("found", "url", "why"),
    [
        (entry(), "http://a.example/", "plain http"),
        (entry(expires=int(time.time()) - 1), URL, "expired"),
        (entry(credential=AccessKey("AK", Secret("t"))), URL, "signs requests"),
        (entry(credential=Basic("bob", Secret("p"))), "https://alice@a.example/", "of the user"),
    ],
)
def test_what_is_there_and_cannot_be_sent_is_a_near_miss(found: Entry, url: str, why: str) -> None:
    outcome = resolver(Fake(found))[0].outcome(bazel(url))
    assert outcome.resolution is None
    (line,) = told(outcome)
    assert line.startswith("near miss: ")
    assert why in line


def test_what_another_scheme_of_a_host_has_is_a_near_miss() -> None:
    found = entry()
    found.names = PORT
    outcome = resolver(Fake(found))[0].outcome(bazel())
    assert (outcome.resolution, outcome.failure) == (None, None)
    assert told(outcome) == [
        "near miss: store of t: it names another scheme, or no port, and so not this place"
    ]


def test_a_renewal_that_fails_is_a_broken_store_and_a_project_is_not_asked_then(
    tmp_path: Path,
) -> None:
    project = Fake(entry("of the project"))
    project.name = PROJECT
    asking, _ = resolver(renewable(tmp_path, -1), project)
    outcome = asking.outcome(bazel())
    assert [step.came for step in outcome.trace] == ["broken", "near miss"]
    assert outcome.trace[0].failure is outcome.failure
    assert "store before it may have" in told(outcome)[1]
    assert project.asked == []


def test_an_entry_stands_where_an_answer_would_come_from() -> None:
    ended = entry("ended", expires=int(time.time()) - 1)
    asking, caller = resolver(Fake(BROKEN), Fake(ended), Fake(entry("second")))
    assert asking.standing(bazel()) is ended
    assert resolver(Fake(None))[0].standing(bazel()) is None
    assert caller.warnings == []


def test_what_is_passed_over_is_told_once_and_beside_a_failure(home: Home) -> None:
    bob = {"BasicHTTP": {"username": "bob", "password": "p"}}
    path = home.write_rattler({"a.example": bob, "https://a.example": bob, "a.example:443": "???"})
    caller = caller_of(home)
    outcome = Resolver(caller).outcome(for_login(urls.parse("https://alice@a.example/x")))
    (step,) = [step for step in outcome.trace if step.store == "rattler"]
    passed, failure = step.reasons()
    assert passed == f"{path}: it is not of the user who is asked for"
    assert "damaged" in failure
    assert (step.came, step.failure) == ("broken", outcome.failure)
    assert step.failure is not None
    assert step.failure.__traceback__ is None
