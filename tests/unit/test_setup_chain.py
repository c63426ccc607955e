"""Helpers that were there before us, asked when no other store has an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import answers, clients
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.credential import Basic, Secret
from credlatch.errors import ElsewhereError, StoreError
from credlatch.protocols import bazel, docker
from credlatch.resolve import Resolver
from credlatch.stores import chained, chained_answers, order
from credlatch.stores.chained import ChainedStore
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.chains import CHAIN, NOT_FOUND, Chained
from support.found import headers, login, secret, sure

if TYPE_CHECKING:
    from credlatch.resolve import Resolution
    from credlatch.stores import Entry
    from support.home import Home


def test_there_is_no_such_store_where_nothing_is_written_down_or_a_helper_asks_us(
    home: Home,
) -> None:
    assert order.chained(caller_of(home)) is None
    home.write(CHAIN, "{}")
    assert sure(order.chained(caller_of(home))).find(urls.parse("https://r.example/")) is None
    home.env[chained.MARK] = "1"
    assert order.chained(caller_of(home)) is None


def by_docker(chains: Chained, key: str) -> Resolution | None:
    return Resolver(caller_of(chains.home)).resolve(docker.parse_get(key.encode()))


@pytest.mark.parametrize(
    ("named", "key", "asked"),
    [
        ("r.example", "r.example", True),
        ("r.example", "https://r.example", True),
        ("r.example", "r.example:443", True),
        ("r.example", "r.example/ns/repo", True),
        ("r.example:5000", "r.example:5000", True),
        ("https://index.docker.io/v1/", "docker.io", True),
        ("docker.io", "https://index.docker.io/v1/", True),
        ("*", "any.example", True),
        ("r.example", "o.example", False),
        ("r.example", "r.example:5000", False),
        ("r.example", "sub.r.example", False),
    ],
)
def test_docker_s_helper_is_asked_by_the_client_s_own_key_for_its_hosts(
    chains: Chained, named: str, key: str, asked: bool
) -> None:
    chains.helper("docker-credential-other")
    chains.chain(docker={named: "other"})
    resolution = by_docker(chains, key)
    assert (resolution is not None) is asked
    assert chains.asked == ([f"get {key}"] if asked else [])
    if resolution is not None:
        assert (resolution.store, resolution.location) == ("chained", "docker-credential-other")
        assert login(resolution.entry) == ("u", "s3cret")


def test_ours_comes_first(chains: Chained) -> None:
    chains.helper("docker-credential-other")
    chains.chain(docker={"*": "other"})
    chains.home.write_rattler({"r.example": {"BasicHTTP": {"username": "o", "password": "p"}}})
    assert sure(by_docker(chains, "r.example")).store == "rattler"
    assert chains.asked == []


def get(chains: Chained, uri: str) -> dict[str, str] | None:
    request = bazel.parse(json.dumps({"uri": uri}).encode())
    return headers(Resolver(caller_of(chains.home)).resolve(request))


@pytest.mark.parametrize(("named", "asked"), [("r.example", True), ("*", False)])
def test_docker_s_helper_answers_bazel_for_a_host_it_is_named_for_and_not_for_all(
    chains: Chained, named: str, asked: bool
) -> None:
    chains.helper("docker-credential-other")
    chains.chain(docker={named: "other"})
    sent = {"Authorization": "Basic dTpzM2NyZXQ="} if asked else None
    assert get(chains, "https://r.example/v2/x") == sent
    assert chains.asked == (["get r.example"] if asked else [])


ANSWER = '{"headers":{"Authorization":["Bearer t"]}}'


@pytest.mark.parametrize(
    ("pattern", "url", "asked"),
    [
        ("a.example", "https://a.example/x?y=1", True),
        ("*.example", "https://a.b.example/", True),
        ("*.a.example", "https://a.example/", True),
        ("*", "https://a.example/", True),
        ("a.example", "https://b.a.example/", False),
        ("*.b.example", "https://a.example/", False),
        ("*.ample", "https://a.example/", False),
    ],
)
def test_bazel_s_helper_is_asked_by_bazel_s_rule(
    chains: Chained, pattern: str, url: str, asked: bool
) -> None:
    helper = chains.helper("helper", login=ANSWER)
    chains.chain(bazel={pattern: helper})
    assert get(chains, url) == ({"Authorization": "Bearer t"} if asked else None)
    assert chains.asked == ([f'get {{"uri":"{url}"}}'] if asked else [])


def test_the_nearest_pattern_counts(chains: Chained) -> None:
    ours = chains.helper("one", login=ANSWER)
    other = chains.helper("two", script="exit 1")
    chains.chain(bazel={"*": other, "*.example": other, "*.a.example": ours})
    assert get(chains, "https://x.a.example/") == {"Authorization": "Bearer t"}


def test_bazel_s_helper_is_not_asked_by_docker(chains: Chained) -> None:
    chains.chain(bazel={"*": chains.helper("helper", login=ANSWER)})
    assert by_docker(chains, "r.example") is None
    assert chains.asked == []


def told(chains: Chained, answer: str) -> Entry | None:
    """What is found where Bazel's helper says that for all hosts."""
    store = chains.chain(bazel={"*": chains.helper("helper", login=answer)})
    return store.find(urls.parse("https://a.example/"))


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        ('{"headers":{"Authorization":["Basic dTpw"]}}', {"Authorization": "Basic dTpw"}),
        ('{"headers":{"x-a":["1"],"x-b":["2","3"]}}', {"x-a": "1", "x-b": "2, 3"}),
        ('{"headers":{"x-a":[]}}', None),
        ('{"headers":{}}', None),
        ('{"headers":null}', None),
        ('{"headers":[]}', None),
        ("{}", None),
    ],
)
def test_what_bazel_s_helper_says_is_passed_on(
    chains: Chained, answer: str, sent: dict[str, str] | None
) -> None:
    assert headers(told(chains, answer)) == sent


def test_a_basic_header_is_a_login(chains: Chained) -> None:
    entry = told(chains, '{"headers":{"authorization":["basic  dTpwOnA="]}}')
    assert login(entry) == ("u", "p:p")
    assert headers(entry) == {"Authorization": "Basic dTpwOnA="}


@pytest.mark.parametrize("value", ["Basic dTpw dTpw", "Basic dXA=", "Basic /w==", "Digest x", "x"])
def test_another_authorization_is_none(chains: Chained, value: str) -> None:
    entry = told(chains, f'{{"headers":{{"Authorization":["{value}"]}}}}')
    assert headers(entry) == {"Authorization": value}
    with pytest.raises(ValueError, match="no user name and password"):
        login(entry)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"X-A": [""]}, "empty"),
        ({"X-Other": ["x"], "X-A": [" "]}, "empty"),
        ({"X-Other": ["x"], "X-A": ["a\nb"]}, "control"),
        ({"X-Other": ["x"], "X-A:": ["a"]}, "RFC 9110"),
        ({"X-A": ["a\r\nX-B: b"]}, "control"),
        ({"X-A": ["é"]}, "non-ASCII"),
        ({"X-A\r\nX-B": ["b"]}, "RFC 9110"),
        ({"": ["b"]}, "RFC 9110"),
        ({"X A": ["b"]}, "RFC 9110"),
        ({"Authorization": ["Bearer "]}, "empty"),
        ({"Authorization": ["Bearer a\nb"]}, "control"),
    ],
)
def test_names_and_values_that_no_header_has_are_refused(
    sent: dict[str, list[str]], why: str
) -> None:
    found, _ = chained_answers.headers(json.dumps({"headers": sent}).encode())
    with pytest.raises(ValueError, match=why):
        sure(found).headers()


def test_several_headers_are_no_login_and_show_nothing(chains: Chained) -> None:
    entry = sure(told(chains, '{"headers":{"x-a":["1"],"x-b":["s3cret"]}}'))
    with pytest.raises(ValueError, match="several headers"):
        login(entry)
    assert "s3cret" not in repr(entry.credential)


@pytest.mark.parametrize(
    ("protocol", "asked"),
    [
        ("bazel", b'{"uri":"https://a.example/"}'),
        ("git", b"protocol=https\nhost=a.example\n\n"),
        ("keyring", b"get\0https://a.example/\0__token__"),
        ("header", b"https://a.example/"),
        ("token", b"https://a.example/"),
        ("token", b"https://u@a.example/"),
    ],
)
@pytest.mark.parametrize("place", ["chain", "keyring"])
def test_whoever_asks_by_url_is_answered_from_the_last_stores_too(
    chains: Chained, protocol: str, asked: bytes, place: str
) -> None:
    keyring = FakeKeyring()
    if place == "keyring":
        user = "__token__" if b"__token__" in asked else "u"
        keyring.put("a.example", user, Secret("s3cret"))
    else:
        helper = chains.helper("h", login='{"headers":{"Authorization":["Bearer s3cret"]}}')
        chains.chain(bazel={"*": helper})
    answer = answers.get(clients.CLIENTS[protocol], asked, WithKeyring(chains.home, keyring))
    assert (answer.status, answer.err) == (0, b"")
    assert secret(answer.resolution) == "s3cret"


@pytest.mark.parametrize(
    ("expires", "seconds"),
    [
        ('"2030-01-01T00:00:00Z"', 1893456000),
        ('"2030-01-01T02:00:00+02:00"', 1893456000),
        ('"1970-01-01T00:00:00Z"', 0),
        ('"0001-01-01T00:00:00Z"', None),  # Go's way to write a moment that was never set
        ('"2030-01-01"', None),
        ('"soon"', None),
        ("5", None),
    ],
)
def test_it_says_until_when(chains: Chained, expires: str, seconds: int | None) -> None:
    entry = told(chains, f'{{"headers":{{"a":["b"]}},"expires":{expires}}}')
    assert sure(entry).expires == seconds


def test_a_process_that_serves_others_leaves_it_to_the_caller(chains: Chained) -> None:
    chains.helper("docker-credential-other")
    chains.chain(docker={"r.example": "other"})
    guest = Caller(dict(chains.home.env), str(chains.home.path), is_guest=True)
    assert ChainedStore(guest).look(docker.parse_get(b"o.example")) is None
    with pytest.raises(ElsewhereError):
        ChainedStore(guest).look(docker.parse_get(b"r.example"))
    assert chains.asked == []


def test_what_is_listed_is_what_it_would_be_asked_for(chains: Chained) -> None:
    listed = '{"r.example": "u", "o.example": "o", "x": 1}'
    chains.helper("docker-credential-one", listed=listed)
    chains.helper("docker-credential-two", listed='{"r.example": "no", "z.example": "z"}')
    chains.helper("docker-credential-bad", "echo locked; exit 1")
    store = chains.chain(docker={"r.example": "one", "*": "two", "b.example": "bad"})
    assert store.logins() == {"r.example": "u", "z.example": "z"}
    assert "list " in chains.asked


def test_a_helper_that_does_not_list_is_warned_of(chains: Chained) -> None:
    chains.helper("docker-credential-bad", "echo locked; exit 1")
    chains.chain(docker={"*": "bad"})
    caller = caller_of(chains.home)
    assert ChainedStore(caller).logins() == {}
    assert caller.warnings == [
        "docker-credential-bad does not list its logins: it is not a JSON object"
    ]


def test_what_is_erased_is_erased_there_too(chains: Chained) -> None:
    chains.helper("docker-credential-other")
    chains.chain(docker={"r.example": "other"}).delete("https://r.example/")
    chains.store().delete("o.example")
    assert chains.asked == ["erase https://r.example/"]


def test_what_is_not_erased_there_is_said(chains: Chained) -> None:
    chains.helper("docker-credential-none", f"echo '{NOT_FOUND}'; exit 1")
    chains.helper("docker-credential-bad", "echo locked; exit 1")
    store = chains.chain(docker={"a.example": "none", "b.example": "bad"})
    store.delete("a.example")
    with pytest.raises(StoreError, match=r"bad still has the login for b\.example: locked"):
        store.delete("b.example")


def test_a_helper_s_names_count_in_any_case_as_docker_s_clients_read_them() -> None:
    found = chained_answers.login(b'{"serverurl":"r","username":"bob","SECRET":"x","Secret":"s"}')
    assert found.login("r.example") == ("bob", Secret("s"))
    for odd in (b"[]", b"{", b"", b'{"Username":"u"}', b'{"Username":"u","Secret":1}', b"\xff"):
        with pytest.raises(ValueError, match=r"JSON object|no Username and Secret"):
            chained_answers.login(odd)


def test_an_identity_token_stays_one() -> None:
    found = chained_answers.login(b'{"Username":"<token>","Secret":"x"}')
    assert isinstance(found, Basic)
    with pytest.raises(ValueError, match="identity token"):
        found.headers()
