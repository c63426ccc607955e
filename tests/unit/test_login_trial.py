"""A credential is tried where its host tells, there alone, and kept only if it may be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.credential import Basic, Bearer, Secret, Token
from credlatch.errors import RefusedError, RenewalError, UsageError
from credlatch.login import given, keeping
from credlatch.login.target import target
from support.login_servers import Protected
from support.matching import basic

if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.login.given import Given
    from credlatch.login.keeping import Kept
    from credlatch.login.target import Target
    from credlatch.login.trial import Verdict
    from support.home import Home
    from support.internet import Answer, Internet, Visit

HOST = "pypi.example"
SECRET = "kept-from-everybody"
BEARER = f"Bearer {SECRET}"


def caller_of(home: Home) -> Caller:
    return Caller(home.env, str(home.path))


def a_token(at: Target) -> Given:
    return given.token(at, Secret(SECRET))


def a_login(at: Target) -> Given:
    return given.password(at, "alice", Secret(SECRET))


def kept_token(at: Target, secret: str, caller: Caller) -> Kept:
    what = given.token(at, Secret(secret))
    return keeping.keep(at, what, what.forms[0], caller)


def trial(home: Home, make: Callable[[Target], Given], check: str = "") -> Verdict:
    caller = caller_of(home)
    at = target(HOST, caller)
    place = urls.parse(check) if check else at.url
    return keeping.tried(make(at), place, caller, only=bool(check))


def sent(internet: Internet, host: str = HOST) -> list[tuple[str, str]]:
    """The paths that were asked with something, and with what."""
    asked = [(visit.path, visit.authorization) for visit in internet.to(host)]
    return [(path, authorization) for path, authorization in asked if authorization]


TAKEN = {
    "a token, in a header of its own": (
        a_token, Protected(BEARER), Bearer, "HTTP 200; without: 401",
    ),
    "a token, as a password where it must be": (
        a_token, Protected(basic("__token__", SECRET)), Basic, "takes it",
    ),
    "a login": (a_login, Protected(basic("alice", SECRET)), Basic, "takes it"),
    "at an index, where the first page is for everybody": (
        a_login, Protected(basic("alice", SECRET), path="/simple/"), Basic, f"{HOST}/simple/ takes",
    ),
    "where others are sent to a page to log in": (
        a_token, Protected(BEARER, refused=302), Bearer, "without: 302",
    ),
    "where others are forbidden": (a_token, Protected(BEARER, refused=403), Bearer, "without: 403"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "server", "form", "said"), TAKEN.values(), ids=TAKEN.keys())
def test_what_is_taken_is_kept_in_the_form_in_which_it_was(
    home: Home,
    internet: Internet,
    make: Callable[[Target], Given],
    server: Callable[[Visit], Answer],
    form: type,
    said: str,
) -> None:
    internet.hosts[HOST] = server
    verdict = trial(home, make)
    assert verdict.taken
    assert type(verdict.form) is form
    assert said in verdict.said
    assert SECRET not in verdict.said


REFUSED = {
    "by a host that wants one": Protected("Bearer another"),
    "by an index": Protected("Bearer another", path="/simple/"),
    "by who takes it as a login alone, and another's": Protected(basic("__token__", "another")),
    "by who looks at what everybody may leave out": lambda visit: (
        (401, {}, b"") if visit.authorization else (200, {}, b"")
    ),
}


@pytest.mark.parametrize("server", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("make", [a_token, a_login])
def test_what_is_refused_is_kept_in_no_form(
    home: Home,
    internet: Internet,
    make: Callable[[Target], Given],
    server: Callable[[Visit], Answer],
) -> None:
    internet.hosts[HOST] = server
    verdict = trial(home, make)
    assert (verdict.form, verdict.taken) == (None, False)
    assert verdict.said == f"{HOST} does not take it (HTTP 401)"


UNSURE = {
    "who answers everybody": (lambda _: (200, {}, b""), "answers everybody"),
    "who knows no such page": (lambda _: (404, {}, b""), "says the same to everybody"),
    "who has trouble": (lambda _: (503, {}, b""), "does not say"),
    "who knows it and forbids": (
        lambda visit: (403 if visit.authorization else 401, {}, b""), "does not say",
    ),
    "who sends everybody elsewhere": (
        lambda _: (302, {"Location": "https://evil.example/"}, b""), "says the same",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("server", "said"), UNSURE.values(), ids=UNSURE.keys())
def test_a_host_that_does_not_tell_is_said_to_and_the_first_form_stands(
    home: Home, internet: Internet, server: Callable[[Visit], Answer], said: str
) -> None:
    internet.hosts[HOST] = server
    internet.hosts["evil.example"] = lambda _: (200, {}, b"")
    verdict = trial(home, a_token)
    assert not verdict.taken
    assert isinstance(verdict.form, Bearer)
    assert said in verdict.said
    assert internet.to("evil.example") == []


def test_a_host_that_is_not_there_is_a_failure_and_gets_nothing(
    home: Home, internet: Internet
) -> None:
    with pytest.raises(RenewalError, match="cannot be reached"):
        trial(home, a_token)
    assert internet.visits == []


def test_a_certificate_that_is_not_trusted_names_the_variable(
    home: Home, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.hosts[HOST] = Protected(BEARER)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(RenewalError, match="SSL_CERT_FILE"):
        trial(home, a_token)
    assert sent(internet) == []


def test_a_url_that_is_named_is_asked_and_no_other(home: Home, internet: Internet) -> None:
    internet.hosts[HOST] = Protected(BEARER, path="/private/")
    assert trial(home, a_token, f"https://{HOST}/private/x").taken
    assert {visit.path for visit in internet.visits} == {"/private/x"}


def registry(realm: str) -> Callable[[Visit], Answer]:
    return Protected(path="/v2/", wanted=f'Bearer realm="{realm}",service="reg"')


@pytest.mark.parametrize(("password", "taken"), [(SECRET, True), ("another", False)])
def test_a_registry_s_login_is_tried_at_its_own_token_server(
    home: Home, internet: Internet, password: str, taken: bool
) -> None:
    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return registry(f"https://{HOST}/token")(visit)
        return (200 if visit.authorization == basic("alice", password) else 401), {}, {"token": "t"}

    internet.hosts[HOST] = answer
    verdict = trial(home, a_login)
    assert verdict.taken is taken
    assert (verdict.form is not None) is taken
    assert sent(internet) == [("/token", basic("alice", SECRET))]
    assert internet.to(HOST)[-1].target == "/token?service=reg&account=alice"


def test_a_server_that_is_no_registry_may_have_a_realm_of_its_own(
    home: Home, internet: Internet
) -> None:
    realm = f'Bearer realm="https://{HOST}",error="invalid_request"'  # RFC 6750, 3
    internet.hosts[HOST] = Protected(BEARER, wanted=realm)
    assert trial(home, a_token).taken
    # A registry may take a token as it is, or its token server as a password.
    internet.hosts[HOST] = Protected(BEARER, path="/v2/", wanted=f'Bearer realm="https://{HOST}/t"')
    assert isinstance(trial(home, a_token).form, Bearer)


def test_a_token_server_of_somebody_else_s_gets_nothing(home: Home, internet: Internet) -> None:
    internet.hosts[HOST] = registry("https://evil.example/token")
    internet.hosts["evil.example"] = lambda _: (200, {}, {"token": "t"})
    verdict = trial(home, a_login)
    assert (verdict.taken, isinstance(verdict.form, Basic)) == (False, True)
    assert "could not be tried" in verdict.said
    assert internet.to("evil.example") == []
    assert sent(internet) == []


def test_a_conda_token_is_tried_in_its_server_s_own_header(home: Home, internet: Internet) -> None:
    internet.hosts[HOST] = Protected(SECRET, header="x-api-key")
    verdict = trial(home, lambda at: given.conda_token(at, Secret(SECRET)))
    assert verdict.taken
    assert isinstance(verdict.form, Token)
    internet.hosts["conda.anaconda.org"] = Protected(f"token {SECRET}")
    caller = caller_of(home)
    at = target("conda.anaconda.org", caller)
    assert keeping.tried(a_token(at), at.url, caller, only=False).taken


VIEWERS: dict[str, tuple[tuple[int, object], bool | None]] = {
    "whose it is": ((200, {"data": {"viewer": {"login": "alice"}}}), True),
    "nobody's": ((200, {"data": {"viewer": None}}), None),
    "refused": ((401, {}), None),
    "busy": ((503, {}), False),
}


@pytest.mark.parametrize(("answer", "taken"), VIEWERS.values(), ids=VIEWERS.keys())
def test_prefix_dev_is_asked_whose_a_token_is_as_pixi_does(
    home: Home, internet: Internet, answer: tuple[int, dict[str, object]], taken: bool | None
) -> None:
    internet.hosts["prefix.dev"] = lambda _: (answer[0], {}, answer[1])
    caller = caller_of(home)
    at = target("prefix.dev", caller)
    verdict = keeping.tried(a_token(at), at.url, caller, only=False)
    assert (verdict.form is None, verdict.taken) == (taken is None, bool(taken))
    (visit,) = internet.visits
    assert (visit.method, visit.path, visit.authorization) == ("POST", "/api/graphql", BEARER)
    assert visit.json == {"query": "query { viewer { login } }"}


# What is kept, and under which name, so that rattler's own tools look for it.
KEPT = {
    "pypi.example.com": "pypi.example.com",
    "PyPI.Example.com.": "pypi.example.com",
    "https://pypi.example.com/simple/": "pypi.example.com",
    "https://pypi.example.com:443": "pypi.example.com",
    "https://pypi.example.com:8443/x": "pypi.example.com:8443",
    "*.example.com": "*.example.com",
    "http://localhost:8801/simple": "localhost:8801",
    "127.0.0.1:8801": "127.0.0.1:8801",
    "[::1]:8801": "[::1]:8801",
    "intranet": "intranet",
    "prefix.dev": "*.prefix.dev",
    "docker.io": "https://index.docker.io/v1/",
}


@pytest.mark.parametrize(("text", "key"), KEPT.items())
def test_a_token_is_kept_as_rattler_has_it(home: Home, text: str, key: str) -> None:
    caller = caller_of(home)
    at = target(text, caller)
    kept = kept_token(at, SECRET, caller)
    assert (kept.key, kept.instead_of) == (key, "")
    assert home.read_rattler() == {key: {"BearerToken": SECRET}}
    assert kept.location.endswith("credentials.json")
    again = kept_token(at, "new", caller_of(home))
    assert again.instead_of == "token"
    assert home.read_rattler() == {key: {"BearerToken": "new"}}


def test_each_kind_is_what_rattler_writes(home: Home) -> None:
    caller = caller_of(home)
    host, bucket = target("a.example", caller), target("s3://bucket/part/", caller)
    kinds = [
        (host, given.password(host, "bob", Secret("p\nw"))),
        (host, given.conda_token(host, Secret("c"))),
        (bucket, given.s3_key(bucket, "A", Secret("S"), None)),
        (bucket, given.s3_key(bucket, "A", Secret("S"), Secret("T"))),
    ]
    written = []
    for at, what in kinds:
        kept = keeping.keep(at, what, what.forms[0], caller_of(home))
        written.append(home.read_rattler()[kept.key])
    assert written == [
        {"BasicHTTP": {"username": "bob", "password": "p\nw"}},
        {"CondaToken": "c"},
        {"S3Credentials": {
            "access_key_id": "A", "secret_access_key": "S", "session_token": None}},
        {"S3Credentials": {
            "access_key_id": "A", "secret_access_key": "S", "session_token": "T"}},
    ]  # fmt: skip
    assert set(home.read_rattler()) == {"a.example", "s3://bucket/part"}


WRONG = {
    "nothing": "",
    "two words": "a b",
    "a port that is none": "a.example:x",
    "an address in other letters": "127.1",
    "another scheme": "ftp://a.example",
    "a pattern with a port": "*.a.example:8080",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_host_is_wrong_usage(home: Home, text: str) -> None:
    with pytest.raises(UsageError):
        target(text, caller_of(home))


def test_nothing_is_kept_for_plain_http(home: Home) -> None:
    with pytest.raises(RefusedError, match="plain http"):
        target("http://pypi.example/", caller_of(home))


def test_what_no_header_can_carry_is_refused_before_it_is_sent_anywhere(home: Home) -> None:
    host, bucket = (target(text, caller_of(home)) for text in ("a.example", "s3://b"))
    wrong: tuple[Callable[[], Given], ...] = (
        lambda: given.token(host, Secret("a\r\nX-Injected: yes")),
        lambda: given.token(host, Secret("")),
        lambda: given.conda_token(host, Secret("é")),
        lambda: given.password(host, "a:b", Secret("p")),
        lambda: given.password(host, "", Secret("")),
        lambda: given.token(bucket, Secret("t")),
        lambda: given.s3_key(host, "A", Secret("S"), None),
        lambda: given.s3_key(bucket, "", Secret("S"), None),
    )
    for make in wrong:
        with pytest.raises(UsageError):
            make()


def test_who_answers_for_the_host_is_told_and_who_else_could(home: Home) -> None:
    home.write(".netrc", f"machine {HOST} login bob password p\n")
    caller = caller_of(home)
    at = target(HOST, caller)
    kept = kept_token(at, SECRET, caller)
    found = keeping.answering(at.url, caller_of(home))
    assert (found.first, found.location) == ("rattler", kept.location)
    assert found.others == ("netrc",)
    home.env["CREDLATCH_TOKEN_PYPI_EXAMPLE"] = "of this call"
    assert keeping.answering(at.url, caller_of(home)).first == "environment"
