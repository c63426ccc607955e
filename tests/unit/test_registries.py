"""What a client that sends headers gets for a registry's URL: with a login, and without.

The resolver, the single flight and the sender are the program's own; the hosts are the test's.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch import oci
from credlatch import request as requests
from credlatch import url as urls
from credlatch.auth.oci import ANONYMOUS
from credlatch.caller import Caller
from credlatch.errors import CredlatchError, LoginError, RenewalError, UnusableError
from credlatch.protocols import bazel
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from support.loopback import Handler
from support.registry_tokens import SERVICE, RegistryTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.home import Home
    from support.internet import Answer, Internet, Visit

HOST = "registry.example"
URL = f"https://{HOST}/v2/team/app/blobs/sha256:0"
OTHER = f"https://{HOST}/v2/team/other/blobs/sha256:0"
SECRET = "sesame, öffne dich"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def challenging(realm: str, status: int = 401, kind: str = "Bearer") -> Callable[[Visit], Answer]:
    said = f'{kind} realm="{realm}",service="{SERVICE}",scope="repository:user/image:pull"'
    return lambda _: (status, {"WWW-Authenticate": said}, {"errors": []})


class Client:
    """One that asks as Bazel does, for a home with Docker's logins.

    Attributes:
        warnings: what the last call was told.
    """

    def __init__(self, home: Home, internet: Internet) -> None:
        self.home = home
        self.shared: SharedCache | None = SharedCache()
        self.environ = {"HOME": str(home.path), **internet.environ}
        self.warnings: list[str] = []

    def log_in(self, host: str, user: str, password: str) -> None:
        """Keep a login as docker login does; ``<token>`` for an identity token."""
        auth = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        if user == "<token>":
            auth = {"auth": base64.b64encode(b"u:").decode(), "identitytoken": password}
        self.home.write(".docker/config.json", json.dumps({"auths": {host: auth}}))

    def rule(self, text: str) -> None:
        """Have the settings say something of the registry."""
        rule = f'[[rule]]\nurl = "https://{HOST}"\n{text}\n'
        self.home.write(".config/credlatch/config.toml", rule)

    def headers(self, url: str = URL, *, ahead: float = 0.0) -> dict[str, list[str]]:
        caller = Caller(self.environ, "/", self.shared)
        caller.put_off(60)  # for a machine that is busy
        request = bazel.parse(json.dumps({"uri": url}).encode())
        resolution = Resolver(caller, ahead=ahead).resolve(request)
        self.warnings = caller.warnings
        said: dict[str, dict[str, list[str]]] = json.loads(bazel.render(resolution))
        return said["headers"]

    def refused(self, url: str = URL) -> str:
        """Why there is no answer."""
        with pytest.raises(CredlatchError) as raised:
            self.headers(url)
        assert SECRET not in str(raised.value)
        return str(raised.value)


@pytest.fixture(scope="module")
def _tokens() -> Iterator[RegistryTokens]:
    with RegistryTokens() as server:
        yield server


@pytest.fixture
def tokens(_tokens: RegistryTokens) -> RegistryTokens:
    _tokens.admit_only("u", SECRET)
    return _tokens


@pytest.fixture
def client(home: Home, internet: Internet, tokens: RegistryTokens) -> Client:
    """A client with a login for a registry whose token server is on its own host."""
    internet.hosts[HOST] = registry(tokens)
    client = Client(home, internet)
    client.log_in(HOST, "u", SECRET)
    return client


def registry(tokens: RegistryTokens) -> Callable[[Visit], Answer]:
    """A registry and, below ``/token``, its token server."""
    challenge = challenging(f"https://{HOST}/token")

    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return challenge(visit)
        said = tokens.answer(visit)
        return (200, {}, said) if said else (401, {}, {})

    return answer


def granted(headers: dict[str, list[str]]) -> list[str]:
    """What a token is for."""
    kind, _, token = headers["Authorization"][0].partition(" ")
    assert kind == "Bearer"
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return [
        f"{each['type']}:{each['name']}:{','.join(each['actions'])}" for each in claims["access"]
    ]


def sent(internet: Internet, host: str = HOST) -> list[str]:
    return [f"{visit.method} {visit.path}" for visit in internet.to(host)]


# With a login


def test_a_login_becomes_a_token_for_the_repository_of_the_path(
    client: Client, internet: Internet, tokens: RegistryTokens
) -> None:
    headers = client.headers(f"{URL}?x=/v2/other/blobs/y")
    assert list(headers) == ["Authorization"]
    assert granted(headers) == ["repository:team/app:pull"]
    assert sent(internet) == ["GET /v2/", "GET /token"]
    asking, exchanging = internet.visits
    assert asking.authorization == ""
    assert exchanging.authorization == basic("u", SECRET)
    (asked,) = tokens.requests
    assert "service=registry.test&scope=repository%3Ateam%2Fapp%3Apull" in asked.target


def test_a_second_repository_costs_one_request_and_the_same_one_none(
    client: Client, internet: Internet
) -> None:
    first = client.headers(URL)
    for path in ("blobs/sha256:1", "referrers/sha256:1", "tags/list"):
        assert client.headers(f"https://{HOST}/v2/team/app/{path}") == first
    assert granted(client.headers(OTHER)) == ["repository:team/other:pull"]
    assert sent(internet) == ["GET /v2/", "GET /token", "GET /token"]
    client.shared = None
    client.headers(URL)
    assert sent(internet)[3:] == ["GET /v2/", "GET /token"]


def test_a_token_is_renewed_before_its_end_and_its_end_is_told(client: Client) -> None:
    first = client.headers()
    assert client.headers(ahead=250) != first
    caller = Caller(client.environ, "/", client.shared)
    resolution = Resolver(caller).resolve(requests.for_url(urls.parse(URL)))
    assert resolution is not None
    assert resolution.expires is not None
    assert 200 < resolution.expires - time.time() <= 300


def test_two_repositories_with_different_rights_cost_200_callers_one_request_each(
    client: Client, internet: Internet, tokens: RegistryTokens
) -> None:
    tokens.allows = lambda user, name: bool(user) and name == "team/app"
    got: list[tuple[str, str]] = []
    ready = threading.Barrier(200)

    def ask(url: str) -> None:
        ready.wait(60)
        try:
            got.append((url, str(client.headers(url))))
        except LoginError as error:
            got.append((url, str(error)))

    threads = [threading.Thread(target=ask, args=(url,)) for url in (URL, OTHER) * 100]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(got) == 200
    said = dict(got)
    assert all(said[url] == each for url, each in got)
    assert "Bearer" in said[URL]
    assert "gives no token to read team/other (HTTP 401)" in said[OTHER]
    assert sorted(sent(internet)) == ["GET /token", "GET /token", "GET /v2/"]


def test_accounts_do_not_share_tokens(client: Client, tokens: RegistryTokens) -> None:
    first = client.headers()
    tokens.admit_only("v", "q")
    client.log_in(HOST, "v", "q")
    assert client.headers() != first
    client.log_in(HOST, "v", "wrong")
    assert "docker login registry.example" in client.refused()
    client.log_in(HOST, "u", SECRET)
    assert client.headers() == first


def test_an_identity_token_is_posted_and_no_more_refused(
    client: Client, internet: Internet, tokens: RegistryTokens
) -> None:
    identity = tokens.identity("u")
    client.log_in(HOST, "<token>", identity)
    assert granted(client.headers()) == ["repository:team/app:pull"]
    (asked,) = tokens.requests
    assert asked.form == {
        "grant_type": "refresh_token",
        "refresh_token": identity,
        "service": SERVICE,
        "scope": "repository:team/app:pull",
        "client_id": "credlatch",
    }
    assert sent(internet) == ["GET /v2/", "POST /token"]
    assert asked.authorization == ""


@pytest.mark.parametrize("status", [404, 405])
def test_a_token_server_that_knows_no_post_is_asked_by_get(
    client: Client, internet: Internet, status: int
) -> None:
    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return challenging(f"https://{HOST}/token")(visit)
        if visit.method == "POST":
            return status, {}, {}
        return 200, {}, {"token": "t"}

    internet.hosts[HOST] = answer
    client.log_in(HOST, "<token>", "identity")
    assert client.headers() == {"Authorization": ["Bearer t"]}
    assert internet.visits[-1].authorization == basic("<token>", "identity")


def test_docker_git_and_keyring_get_the_login_as_it_is(client: Client, internet: Internet) -> None:
    caller = Caller(client.environ, "/", client.shared)
    for request in (
        requests.for_login(urls.parse(URL)),
        requests.for_url(urls.parse(URL), login=True),
    ):
        resolution = Resolver(caller).resolve(request)
        assert resolution is not None
        assert resolution.credential.login(HOST)[1].reveal() == SECRET
    assert internet.visits == []


@pytest.mark.parametrize("path", ["/", "/v2/", "/v2/_catalog", "/v2/team/app", "/x/v2/a/blobs/y"])
def test_other_paths_of_a_registry_get_the_login_as_it_is(
    client: Client, internet: Internet, path: str
) -> None:
    assert client.headers(f"https://{HOST}{path}") == {"Authorization": [basic("u", SECRET)]}
    assert internet.visits == []


# What a registry may answer, beside a Bearer challenge, to which a login goes as it is.
AS_IT_IS: list[tuple[int, dict[str, str], bytes | dict[str, str]]] = [
    (401, {"WWW-Authenticate": 'Basic realm="r"'}, {}),
    (401, {"WWW-Authenticate": f'Bearer realm="https://{HOST}/token", Basic realm="r"'}, {}),
    (401, {"WWW-Authenticate": "Bearer"}, {}),
    (401, {"WWW-Authenticate": 'Bearer realm="'}, {}),
    (401, {"WWW-Authenticate": f'Bearer realm="https://{HOST}/token",x="{"y" * 9000}"'}, {}),
    (401, {}, {}),
    (200, {}, {}),
    (404, {"Content-Type": "text/html"}, b"<html>"),
    (302, {"Location": "https://elsewhere.example/"}, {}),
    (500, {}, b"x" * 300_000),
]


@pytest.mark.parametrize("answer", AS_IT_IS)
def test_only_a_bearer_challenge_makes_a_token_of_a_login(
    client: Client, internet: Internet, answer: Answer
) -> None:
    internet.hosts[HOST] = lambda _: answer
    for url in (URL, OTHER):
        assert client.headers(url) == {"Authorization": [basic("u", SECRET)]}
    assert set(sent(internet)) == {"GET /v2/"}
    assert len(internet.visits) <= 2  # one more try, where there was no answer
    assert not any(visit.authorization for visit in internet.visits)


def test_a_registry_that_is_not_reached_is_no_reason_to_fail(
    client: Client, internet: Internet
) -> None:
    del internet.hosts[HOST]
    assert client.headers() == {"Authorization": [basic("u", SECRET)]}
    (warning,) = client.warnings
    assert "cannot be reached" in warning
    assert "goes there as it is" in warning
    client.log_in(HOST, "<token>", "identity")
    assert "cannot be reached" in client.refused()


def test_an_identity_token_goes_to_no_registry(client: Client, internet: Internet) -> None:
    client.log_in(HOST, "<token>", "identity")
    internet.hosts[HOST] = lambda _: (200, {}, {})
    assert client.headers() == {}
    client.shared = None
    internet.hosts[HOST] = lambda _: (401, {"WWW-Authenticate": 'Basic realm="r"'}, {})
    with pytest.raises(UnusableError, match="only the registry's token server takes"):
        client.headers()


def test_a_stored_token_is_sent_as_it_is(client: Client, internet: Internet) -> None:
    (client.home.path / ".docker/config.json").unlink()
    client.home.write_rattler({HOST: {"BearerToken": "pixi's"}})
    assert client.headers() == {"Authorization": ["Bearer pixi's"]}
    assert internet.visits == []


def test_a_manifest_is_asked_for_in_all_its_types(client: Client, internet: Internet) -> None:
    blob = client.headers()
    for name in ("latest", "sha256:0"):
        headers = client.headers(f"https://{HOST}/v2/team/app/manifests/{name}")
        assert headers == {**blob, "Accept": [", ".join(oci.TYPES)]}
    assert sent(internet) == ["GET /v2/", "GET /token"]


# What a token server may say of a token's end: seconds from now.
ENDS: list[tuple[dict[str, object], float]] = [
    ({}, 60), ({"expires_in": 300}, 300), ({"expires_in": "300"}, 300), ({"expires_in": 0}, 60),
    ({"expires_in": -5}, 60), ({"expires_in": None}, 60), ({"expires_in": "soon"}, 60),
    ({"expires_in": 300, "issued_at": "2000-01-01T00:01:40Z"}, 200),
    ({"expires_in": 300, "issued_at": "2000-01-01T02:01:40.123456789+02:00"}, 200),
    ({"expires_in": 300, "issued_at": "2000-01-01T00:09:00Z"}, 300),
    ({"expires_in": 300, "issued_at": "0001-01-01T00:00:00Z"}, 300),
    ({"expires_in": 300, "issued_at": "yesterday"}, 300),
    ({"expires_in": 300, "issued_at": 17}, 300),
]  # fmt: skip


@pytest.mark.parametrize(("said", "seconds"), ENDS)
def test_a_token_ends_when_its_server_says_by_its_own_clock(
    client: Client,
    internet: Internet,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, object],
    seconds: float,
) -> None:
    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return challenging(f"https://{HOST}/token")(visit)
        return 200, {}, {"access_token": "t", **said}

    date = "Sat, 01 Jan 2000 00:03:20 GMT"
    monkeypatch.setattr(Handler, "date_time_string", lambda *_: date)
    internet.hosts[HOST] = answer
    caller = Caller(client.environ, "/", client.shared)
    before = time.time()
    resolution = Resolver(caller).resolve(requests.for_url(urls.parse(URL)))
    assert resolution is not None
    assert resolution.entry.expires is not None
    assert before + seconds - 2 <= resolution.entry.expires <= time.time() + seconds + 1


@pytest.mark.parametrize(
    "date", ["", "now", "Sat, 99999999999999999999 Jan 2000 00:03:20 GMT", "Sat, 01 Jan 2000"]
)
def test_a_server_s_clock_that_makes_no_sense_is_passed_over(
    client: Client, internet: Internet, monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return challenging(f"https://{HOST}/token")(visit)
        return 200, {}, {"access_token": "t", "issued_at": "2000-01-01T00:01:40Z"}

    monkeypatch.setattr(Handler, "date_time_string", lambda *_: date)
    internet.hosts[HOST] = answer
    with pytest.raises(RenewalError, match="already expired"):  # issued in 2000, by our clock
        client.headers(URL)


# A lying registry

ELSEWHERE = ["https://evil.example/token", f"http://{HOST}/token", f"https://u:p@{HOST}/token",
             "https://127.0.0.1/token", "file:///etc/passwd"]  # fmt: skip


@pytest.mark.parametrize("realm", ELSEWHERE)
@pytest.mark.parametrize("user", ["u", "<token>"])
def test_a_login_does_not_go_to_wherever_a_registry_says(
    client: Client, internet: Internet, realm: str, user: str
) -> None:
    internet.hosts[HOST] = challenging(realm)
    internet.hosts["*"] = lambda _: (200, {}, {"token": "t"})
    client.log_in(HOST, user, SECRET if user == "u" else "identity")
    said = client.refused()
    assert "identity" not in said
    assert [visit.url for visit in internet.visits] == [f"https://{HOST}/v2/"]


def test_a_rule_names_another_token_server(client: Client, internet: Internet) -> None:
    internet.hosts[HOST] = challenging("https://tokens.example/token")
    internet.hosts["tokens.example"] = lambda _: (200, {}, {"token": "t"})
    assert 'endpoint = "https://tokens.example"' in client.refused()
    client.rule('endpoint = "https://tokens.example"')
    assert client.headers() == {"Authorization": ["Bearer t"]}


def test_a_rule_says_who_answers_and_nobody_else_is_asked(
    client: Client, internet: Internet
) -> None:
    for rule in ("forbid = true", 'use = ["netrc"]', 'account = "another"'):
        client.rule(rule)
        assert client.headers() == {}
    assert internet.visits == []
    client.rule('use = ["docker"]\nheader = "X-Registry"\nscheme = "Token"')
    (token,) = client.headers()["X-Registry"]
    assert token.startswith("Token ey")


@pytest.mark.parametrize(
    ("host", "key", "server"),
    [
        ("registry-1.docker.io", "https://index.docker.io/v1/", "auth.docker.io"),
        ("index.docker.io", "https://index.docker.io/v1/", "auth.docker.io"),
        ("ghcr.io", "ghcr.io", "ghcr.io"),
        ("registry.gitlab.com", "registry.gitlab.com", "gitlab.com"),
    ],
)
def test_public_registries_token_servers_get_their_logins(
    client: Client, internet: Internet, host: str, key: str, server: str
) -> None:
    path = "/jwt/auth" if server == "gitlab.com" else "/token"

    def answer(visit: Visit) -> Answer:
        if visit.path != path:
            return challenging(f"https://{server}{path}")(visit)
        return 200, {}, {"token": visit.authorization.partition(" ")[2]}

    internet.hosts[host] = internet.hosts[server] = answer
    client.log_in(key, "u", "p")
    url = f"https://{host}/v2/library/alpine/blobs/sha256:0"
    assert client.headers(url) == {"Authorization": [f"Bearer {basic('u', 'p')[6:]}"]}


def test_a_token_server_that_redirects_is_not_followed(client: Client, internet: Internet) -> None:
    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return challenging(f"https://{HOST}/token")(visit)
        return 307, {"Location": "https://evil.example/"}, {}

    internet.hosts[HOST] = answer
    internet.hosts["evil.example"] = lambda _: (200, {}, {"token": "t"})
    assert "redirects elsewhere" in client.refused()
    assert internet.to("evil.example") == []


@pytest.mark.parametrize(
    "said",
    [{}, {"token": ""}, {"token": None}, {"token": 5}, {"token": "a\nb"}, b"<html>", b"[" * 99_999],
)
def test_what_is_no_token_is_none(
    client: Client, internet: Internet, said: bytes | dict[str, object]
) -> None:
    def answer(visit: Visit) -> Answer:
        if visit.path != "/token":
            return challenging(f"https://{HOST}/token")(visit)
        return 200, {}, said

    internet.hosts[HOST] = answer
    assert "answer" in client.refused()


# Without a login


@pytest.fixture
def nobody(client: Client) -> Client:
    """A client that has no login."""
    (client.home.path / ".docker/config.json").unlink()
    return client


def test_a_public_repository_s_token_is_asked_for_without_a_login(
    nobody: Client, internet: Internet, tokens: RegistryTokens
) -> None:
    tokens.allows = lambda _, name: name == "team/app"
    for _ in range(3):
        assert granted(nobody.headers()) == ["repository:team/app:pull"]
    assert nobody.warnings == []
    assert sent(internet) == ["GET /v2/", "GET /token"]
    assert nobody.headers(OTHER) == {}
    (warning,) = nobody.warnings
    assert "no token to read team/other (HTTP 401) without a login: docker login" in warning
    assert sent(internet) == ["GET /v2/", "GET /token", "GET /token"]
    assert nobody.headers(OTHER) == {}  # which is remembered, too
    assert len(internet.visits) == 3
    assert not any(visit.authorization for visit in internet.visits)


def test_any_token_server_with_a_name_is_asked_without_a_login(
    nobody: Client, internet: Internet
) -> None:
    internet.hosts[HOST] = challenging("https://tokens.example/token")
    internet.hosts["tokens.example"] = lambda _: (200, {}, {"token": "t"})
    assert nobody.headers() == {"Authorization": ["Bearer t"]}


@pytest.mark.parametrize("answer", [AS_IT_IS[0], *AS_IT_IS[2:]])
def test_what_is_no_registry_gets_nothing_and_is_not_asked_again(
    nobody: Client, internet: Internet, answer: Answer
) -> None:
    internet.hosts[HOST] = lambda _: answer
    for url in (URL, OTHER, URL):
        assert nobody.headers(url) == {}
        assert nobody.warnings == [] or answer[0] == 500
    assert sent(internet) == ["GET /v2/"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_registry_that_is_not_ready_is_told_of(
    client: Client, internet: Internet, status: int
) -> None:
    internet.hosts[HOST] = lambda _: (status, {}, {})
    assert client.headers() == {"Authorization": [basic("u", SECRET)]}
    (warning,) = client.warnings
    assert f"is not ready (HTTP {status})" in warning
    (client.home.path / ".docker/config.json").unlink()
    assert client.headers() == {}
    assert f"is not ready (HTTP {status})" in client.warnings[0]


@pytest.mark.parametrize("realm", [*ELSEWHERE[1:], "https://silent.example/token"])
def test_whatever_goes_wrong_is_a_warning(nobody: Client, internet: Internet, realm: str) -> None:
    internet.hosts[HOST] = challenging(realm)
    assert nobody.headers() == {}
    (warning,) = nobody.warnings
    assert "the request goes without a credential" in warning


def test_a_silent_host_keeps_nobody_waiting(nobody: Client, internet: Internet) -> None:
    internet.hosts[HOST] = None
    begin = time.monotonic()
    for url in (URL, OTHER, URL):
        assert nobody.headers(url) == {}
        assert "too slowly" in nobody.warnings[0] or "no answer" in nobody.warnings[0]
    assert time.monotonic() - begin < 2 * ANONYMOUS + 20  # for a machine that is busy
    assert len(internet.visits) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/v2/team/app/blobs/x",
        f"https://u@{HOST}/v2/team/app/blobs/x",
        f"https://*.{HOST}/v2/team/app/blobs/x",
        f"https://{HOST}/v2/",
        f"https://{HOST}/simple/",
    ],
)
def test_nobody_is_asked_in_the_clear_nor_for_another_or_for_what_is_no_registry_s(
    nobody: Client, internet: Internet, url: str
) -> None:
    assert nobody.headers(url) == {}
    assert internet.visits == []


def test_where_a_store_may_have_a_login_nobody_is_asked_without(
    client: Client, internet: Internet
) -> None:
    client.home.write(".docker/config.json", '{"auths":')
    with pytest.raises(CredlatchError, match="not JSON"):
        client.headers()
    assert internet.visits == []


def test_nothing_is_asked_for_an_explanation(nobody: Client, internet: Internet) -> None:
    caller = Caller(nobody.environ, "/", nobody.shared)
    outcome = Resolver(caller, renews=False).outcome(requests.for_url(urls.parse(URL)), every=True)
    assert outcome.resolution is None
    nobody.log_in(HOST, "u", SECRET)
    caller = Caller(nobody.environ, "/", nobody.shared)
    outcome = Resolver(caller, renews=False).outcome(requests.for_url(urls.parse(URL)))
    assert outcome.resolution is not None
    assert internet.visits == []
    assert isinstance(outcome.failure, RenewalError | None)
