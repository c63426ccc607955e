"""Azure's systems, each at its real name in the tests' own network: what is sent, and to whom."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import CredlatchError, UnusableError
from credlatch.identities import acr, azure_artifacts, azure_blob, entra
from credlatch.protocols import bazel
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from support.azure_servers import (
    CLIENT,
    CLIENT_SECRET,
    DEVOPS,
    LOGIN,
    NOBODY,
    PACKAGES,
    REGISTRY,
    STORAGE,
    TENANT,
    Azure,
    Issuer,
    claims_of,
)
from support.found import sure

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.request import Request
    from support.internet import Internet

ENVIRON = {
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": CLIENT,
    "AZURE_CLIENT_SECRET": CLIENT_SECRET,
}
FEED = f"https://{PACKAGES}/org/_packaging/feed/pypi/simple/"
BLOB = "https://account.blob.core.windows.net/cache"
MANIFEST = f"https://{REGISTRY}/v2/team/one/manifests/latest"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def azure(internet: Internet, issuer: Issuer) -> Azure:
    return Azure(internet, issuer)


class Client:
    """One that asks in one environment; what earlier calls got is kept, as the agent keeps it."""

    def __init__(self, internet: Internet, **environ: str) -> None:
        self.environ = {"HOME": "/nowhere", **internet.environ, **environ}
        self.shared = SharedCache()
        self.warnings: list[str] = []

    def resolution(self, request: Request) -> Any:
        caller = Caller(self.environ, "/", self.shared)
        caller.put_off(60)  # for a machine that is busy
        try:
            return Resolver(caller).resolve(request)
        finally:
            self.warnings = caller.warnings

    def bazel(self, url: str) -> dict[str, Any]:
        """What Bazel gets."""
        request = bazel.parse(json.dumps({"uri": url}).encode())
        answer: dict[str, Any] = json.loads(bazel.render(self.resolution(request)))
        return answer

    def headers(self, url: str) -> dict[str, str]:
        """The headers, each of which has one value."""
        said = self.bazel(url)["headers"]
        return {name: value for name, (value,) in said.items()}

    def login(self, url: str) -> tuple[str, str] | None:
        """What Docker, git, pip and uv get."""
        parsed = urls.parse(url)
        resolution = self.resolution(requests.for_url(parsed, login=True))
        if resolution is None:
            return None
        user, secret = resolution.credential.login(parsed.host)
        return user, secret.reveal()


@pytest.fixture
def client(internet: Internet, azure: Azure) -> Client:  # noqa: ARG001 - it is there
    return Client(internet, **ENVIRON)


def bearer(headers: dict[str, str]) -> dict[str, Any]:
    """What the token in a header says."""
    scheme, _, token = headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    return claims_of(token)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# An identity's access token


def test_a_client_secret_is_one_request_for_each_system_and_all_calls(
    client: Client, internet: Internet
) -> None:
    for _ in range(2):
        assert bearer(client.headers(FEED))["aud"] == DEVOPS
        headers = client.headers(f"{BLOB}/ac/0")
        assert bearer(headers)["aud"] == STORAGE
        assert headers["x-ms-version"] >= "2017-11-09"
    assert len(internet.to(LOGIN)) == 2
    assert client.headers(f"{BLOB}-2/x") == headers
    sent = internet.to(LOGIN)[0]
    assert sent.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "scope": f"{DEVOPS}/.default",
    }
    assert sent.url == f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token"


def test_a_federated_token_s_file_is_read_anew_and_its_token_proves_the_identity(
    internet: Internet, azure: Azure, issuer: Issuer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(issuer.token() + "\n")
    client = Client(internet, **ENVIRON, AZURE_FEDERATED_TOKEN_FILE=str(file))
    del client.environ["AZURE_CLIENT_SECRET"]
    assert bearer(client.headers(FEED))["aud"] == DEVOPS
    assert "client_secret" not in internet.to(LOGIN)[0].form
    azure.ahead = 0
    file.write_text(issuer.token(sub="another"))
    assert client.headers(BLOB) == {}
    (said,) = client.warnings
    assert "AADSTS700213" in said
    assert "subject" in said
    file.write_text("")
    assert client.headers(BLOB) == {}
    assert "empty or missing" in client.warnings[0]


@pytest.mark.parametrize(
    ("narrowed", "way"),
    [
        ("prod", "secret"),
        ("EnvironmentCredential", "secret"),
        (" WorkloadIdentityCredential ", "assertion"),
        ("dev", None),
        ("AzureCliCredential", None),
        ("ManagedIdentityCredential", None),
    ],
)
def test_azure_token_credentials_narrows_which_identity_counts(
    internet: Internet,
    azure: Azure,  # noqa: ARG001 - it is there
    issuer: Issuer,
    tmp_path: Path,
    narrowed: str,
    way: str | None,
) -> None:
    file = tmp_path / "token"
    file.write_text(issuer.token())
    both = ENVIRON | {"AZURE_FEDERATED_TOKEN_FILE": str(file), "AZURE_TOKEN_CREDENTIALS": narrowed}
    assert bool(Client(internet, **both).headers(FEED)) is (way is not None)
    assert [f"client_{way}" in visit.form for visit in internet.visits] == [True] * (
        way is not None
    )


@pytest.mark.parametrize("name", ENVIRON)
def test_without_a_whole_identity_nobody_is_asked(
    client: Client, internet: Internet, name: str
) -> None:
    client.environ[name] = " "
    assert client.headers(FEED) == client.headers(BLOB) == {}
    assert client.warnings == []
    assert internet.asked == []
    assert client.headers(MANIFEST) == {}  # which the registry has for everybody, or not
    assert {visit.host for visit in internet.visits} == {REGISTRY}
    assert not any(visit.authorization for visit in internet.visits)


@pytest.mark.parametrize(
    "authority",
    [
        "https://login.microsoftonline.com.evil.example/",
        "https://evil-login.microsoftonline.com/",
        "http://login.microsoftonline.com/",
        "https://login.microsoftonline.com@evil.example/",
        "https://login.microsoftonline.com:8443/",
        "https://evil.example/login.microsoftonline.com",
        "https:///",
    ],
)
def test_a_secret_goes_to_no_authority_but_microsoft_s(
    client: Client, internet: Internet, authority: str
) -> None:
    internet.hosts["*"] = lambda _: (200, {}, {"access_token": "a", "expires_in": 60})
    client.environ["AZURE_AUTHORITY_HOST"] = authority
    with pytest.raises(CredlatchError, match="AZURE_AUTHORITY_HOST") as raised:
        client.headers(FEED)
    assert CLIENT_SECRET not in str(raised.value)
    assert internet.asked == []


@pytest.mark.parametrize(
    "authority", ["login.microsoftonline.us", "https://LOGIN.chinacloudapi.cn"]
)
def test_another_cloud_s_authority_is_asked(
    client: Client, internet: Internet, authority: str
) -> None:
    host = authority.lower().removeprefix("https://")
    internet.hosts[host] = internet.hosts[LOGIN]
    client.environ["AZURE_AUTHORITY_HOST"] = authority
    assert bearer(client.headers(FEED))["aud"] == DEVOPS
    assert [visit.host for visit in internet.visits] == [host]


@pytest.mark.parametrize("tenant", ["a/../b", "..", "t?x=", "t#", "https://evil.example/"])
def test_what_is_no_tenant_is_refused_before_anything_is_sent(
    client: Client, internet: Internet, tenant: str
) -> None:
    client.environ["AZURE_TENANT_ID"] = tenant
    with pytest.raises(CredlatchError, match="AZURE_TENANT_ID"):
        client.headers(FEED)
    assert internet.asked == []


# What goes wrong


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (7000222, ["client secret has expired", "az ad app credential reset"]),
        (7000215, ["not the client secret", "not its ID"]),
        (700016, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"]),
        (9999999, ["AADSTS9999999", "AZURE_CLIENT_SECRET"]),
    ],
)
def test_a_refusal_is_one_line_with_what_to_do_and_is_not_asked_for_again(
    client: Client, internet: Internet, azure: Azure, number: int, words: list[str]
) -> None:
    azure.secrets[CLIENT_SECRET] = number
    for _ in range(2):
        with pytest.raises(CredlatchError) as raised:
            client.headers(FEED)
        said = str(raised.value)
        assert f"AADSTS{number}" in said
        assert all(word in said for word in words)
        assert "repeated here" not in said
        assert "\n" not in said
    assert len(internet.to(LOGIN)) == 1


def test_another_tenant_s_number_is_told_as_well(client: Client) -> None:
    client.environ["AZURE_TENANT_ID"] = "another.onmicrosoft.com"
    with pytest.raises(CredlatchError, match=r"AADSTS900023.*no such tenant.*AZURE_TENANT_ID"):
        client.headers(FEED)


@pytest.mark.parametrize(
    "fails",
    [
        (429, {"Retry-After": "30"}, {"error": "temporarily_unavailable", "error_codes": [90055]}),
        (503, {}, {"error": "temporarily_unavailable", "error_codes": [90033]}),
        (200, {}, b"<html>Sign in to the network</html>"),
    ],
)
def test_where_an_answer_may_come_later_a_good_token_is_served_on(
    client: Client, azure: Azure, fails: Any
) -> None:
    azure.lifetime = 30
    first = client.headers(FEED)
    azure.fails = fails
    time.sleep(0.1)
    caller = Caller(client.environ, "/", client.shared)
    caller.put_off(60)
    request = requests.for_url(urls.parse(FEED))
    resolution = sure(Resolver(caller, ahead=20).resolve(request))
    assert resolution.credential.headers() == first
    client.shared = SharedCache()
    with pytest.raises(CredlatchError, match="try again"):
        client.headers(FEED)


def test_a_container_or_a_public_project_s_feed_is_a_warning_and_no_header(
    client: Client, azure: Azure
) -> None:
    azure.secrets.clear()
    for url in (BLOB, MANIFEST, f"https://{PACKAGES}/org/project/_packaging/feed/npm/registry/"):
        assert client.headers(url) == {}
        (said,) = client.warnings
        assert "AADSTS7000215" in said


# Azure Artifacts


def test_a_login_is_microsoft_s_own_user_name_and_the_token(client: Client) -> None:
    user, token = sure(client.login(FEED))
    assert user == "VssSessionToken"
    assert client.headers(FEED) == {"Authorization": f"Bearer {token}"}
    assert sure(client.login(FEED.replace("https://", "https://anybody@")))[1] == token


COLLECTION = {"SYSTEM_ACCESSTOKEN": "t", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/Org/"}
PREFIXES = {
    "VSS_NUGET_ACCESSTOKEN": "t",
    "VSS_NUGET_URI_PREFIXES": "x;https://pkgs.dev.azure.com/org",
}


def endpoints(*rows: tuple[str, str, str]) -> dict[str, str]:
    said = [dict(zip(("endpoint", "username", "password"), row, strict=True)) for row in rows]
    return {"VSS_NUGET_EXTERNAL_FEED_ENDPOINTS": json.dumps({"endpointCredentials": said})}


NUGET = "https://pkgs.dev.azure.com/org/_packaging/feed/nuget/v3/index.json"
TWO = endpoints((NUGET, "u", "t"), (NUGET.replace("feed", "feed2"), "v", "t2"))


@pytest.mark.parametrize(
    ("environ", "url", "user"),
    [
        ({"AZURE_DEVOPS_EXT_PAT": "t\n"}, FEED, "VssSessionToken"),
        ({"AZURE_DEVOPS_EXT_PAT": "t"}, "https://o.pkgs.visualstudio.com/_packaging/f/npm/", ""),
        (COLLECTION, FEED, ""),
        (COLLECTION, "https://org.pkgs.visualstudio.com/_packaging/f/npm/registry/", ""),
        (
            COLLECTION | {"SYSTEM_COLLECTIONURI": "https://org.visualstudio.com/"},
            "https://pkgs.dev.azure.com/ORG/_packaging/f/npm/",
            "",
        ),
        (PREFIXES, FEED, ""),
        (endpoints((NUGET, "u", "t")), FEED, "u"),
        (endpoints((NUGET, "", "t")), NUGET.replace("/feed/", "/Feed@Local/"), ""),
        (endpoints((NUGET, "u", "t")), "https://pkgs.dev.azure.com/org/1-2/_packaging/3-4/x", "u"),
        (TWO, FEED, "u"),
    ],
)
def test_a_token_of_the_environment_comes_first_and_goes_to_its_own_endpoint(
    client: Client, internet: Internet, environ: dict[str, str], url: str, user: str
) -> None:
    client.environ |= environ
    user = user or "VssSessionToken"
    assert client.headers(url) == basic(user, "t")
    assert client.login(url) == (user, "t")
    assert internet.asked == []


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (COLLECTION, "https://pkgs.dev.azure.com/organisation/_packaging/f/npm/"),
        (COLLECTION, "https://pkgs.dev.azure.com/"),
        (COLLECTION, "https://other.pkgs.visualstudio.com/org/_packaging/f/"),
        (COLLECTION | {"SYSTEM_COLLECTIONURI": ""}, FEED),
        (COLLECTION | {"SYSTEM_COLLECTIONURI": "http://dev.azure.com/org/"}, FEED),
        (COLLECTION | {"SYSTEM_COLLECTIONURI": "https://dev.azure.com.evil.example/org/"}, FEED),
        (COLLECTION | {"SYSTEM_COLLECTIONURI": "https://org.visualstudio.com.evil/"}, FEED),
        (PREFIXES, "https://pkgs.dev.azure.com/organisation/_packaging/f/npm/"),
        (PREFIXES | {"VSS_NUGET_URI_PREFIXES": ""}, FEED),
        (PREFIXES | {"VSS_NUGET_URI_PREFIXES": "https://pkgs.dev.azure.com/or"}, FEED),
        (endpoints((NUGET, "u", "t")), "https://pkgs.dev.azure.com/another/_packaging/feed/x"),
        (TWO, "https://pkgs.dev.azure.com/org/1-2/_packaging/3-4/nuget"),
        (endpoints(("http://pkgs.dev.azure.com/org/", "u", "t")), FEED),
    ],
)
def test_and_to_no_other(internet: Internet, environ: dict[str, str], url: str) -> None:
    assert Client(internet, **environ).headers(url) == {}
    assert internet.asked == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"endpointCredentials":[{"endpoint":1}]}', "[" * 9999]
)
def test_damaged_endpoints_are_told_of_and_not_repeated(internet: Internet, text: str) -> None:
    client = Client(internet, VSS_NUGET_EXTERNAL_FEED_ENDPOINTS=f"{text}secret")
    with pytest.raises(CredlatchError, match="VSS_NUGET_EXTERNAL_FEED_ENDPOINTS") as raised:
        client.headers(FEED)
    assert "secret" not in str(raised.value)


COLON = "https://pkgs.dev.azure.com/o/_packaging/f/npm/"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("AZURE_DEVOPS_EXT_PAT", "s3cret\udc80", "surrogates"),
        (
            "VSS_NUGET_EXTERNAL_FEED_ENDPOINTS",
            json.dumps(
                {
                    "endpointCredentials": [
                        {"endpoint": COLON, "username": "a:b", "password": "s3cret"}
                    ]
                }
            ),
            "colon",
        ),
    ],
)
def test_a_login_that_makes_no_header_is_told_of_and_goes_to_who_can_use_it(
    internet: Internet, name: str, text: str, why: str
) -> None:
    client = Client(internet, **{name: text})
    with pytest.raises(UnusableError, match=why) as raised:
        client.headers(COLON)
    assert "s3cret" not in str(raised.value)


# Azure Container Registry


def test_docker_gets_the_registry_s_own_refresh_token(client: Client, internet: Internet) -> None:
    for _ in range(2):
        user, token = sure(client.login(f"https://{REGISTRY}"))
        assert user == NOBODY
        assert (claims_of(token)["grant_type"], claims_of(token)["aud"]) == (
            "refresh_token",
            REGISTRY,
        )
    assert [visit.path for visit in internet.visits] == [
        f"/{TENANT}/oauth2/v2.0/token",
        "/oauth2/exchange",
    ]


def test_bazel_gets_a_token_for_the_repository_of_the_url(
    client: Client, internet: Internet
) -> None:
    first = client.headers(MANIFEST)
    assert bearer(first)["repository"] == "team/one"
    blob = client.headers(MANIFEST.replace("manifests/latest", "blobs/sha256:0"))
    assert blob == {"Authorization": first["Authorization"]}
    two = MANIFEST.replace("team/one", "team/blobs/two")
    assert bearer(client.headers(two))["repository"] == "team/blobs/two"
    assert first["Accept"].startswith("application/vnd.oci.image.index")
    tokens = [visit.target for visit in internet.visits if visit.path == "/oauth2/token"]
    assert [("team%2Fone%3Apull" in each, REGISTRY in each) for each in tokens] == [
        (True, True),
        (False, True),
    ]
    assert len(internet.to(LOGIN)) == 1
    ends = client.bazel(MANIFEST)["expires"]
    assert ends > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4_000))


def test_a_repository_that_is_refused_does_not_stand_in_the_way_of_another(
    client: Client, azure: Azure
) -> None:
    assert client.headers(MANIFEST.replace("one", "secret")) == {}
    assert "may not read it" in client.warnings[0]
    assert bearer(client.headers(MANIFEST))["repository"] == "team/one"
    azure.pulls.clear()
    assert bearer(client.headers(MANIFEST))["repository"] == "team/one"


def test_a_clock_that_is_off_is_told_of(client: Client, azure: Azure) -> None:
    azure.ahead = -100_000
    assert client.headers(MANIFEST) == {}
    assert "clock" in client.warnings[0]


# Whose hosts they are

SYSTEMS = {
    azure_artifacts: ("pkgs.dev.azure.com", "o.pkgs.visualstudio.com", "pkgs.codedev.ms"),
    acr: ("r.azurecr.io", "r-2.azurecr.cn", "r.azurecr.us", "r.azurecr.de"),
    azure_blob: ("a.blob.core.windows.net",),
}


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.__name__)
def test_a_system_s_hosts_in_every_cloud(system: Any) -> None:
    for host in SYSTEMS[system]:
        assert system.claims(urls.parse(f"https://{host}/x")), host


@pytest.mark.parametrize(
    "host", ["azurecr.io", "r.eu.data.azurecr.io", "a.b.blob.core.windows.net"]
)
def test_what_a_registry_serves_its_data_from_gets_nothing(client: Client, host: str) -> None:
    assert client.headers(f"https://{host}/v2/a/blobs/b") == {}


# What everybody may read


@pytest.mark.parametrize("blob", ["a/b.tar.gz", "missing"])
def test_a_public_container_gets_no_header_and_is_asked_once(
    client: Client, internet: Internet, azure: Azure, blob: str
) -> None:
    azure.public = {"shared"}
    for host in ("account", "another-company"):
        url = f"https://{host}.blob.core.windows.net/shared/{blob}"
        assert client.headers(url) == client.headers(f"{url}2") == {}
        (asked,) = internet.to(f"{host}.blob.core.windows.net")
        assert "authorization" not in asked.headers
    assert internet.to(LOGIN) == []
    assert client.warnings == []


def test_a_public_feed_gets_no_header(client: Client, internet: Internet, azure: Azure) -> None:
    azure.public = {"project/_packaging/open"}
    feed = f"https://{PACKAGES}/org/project/_packaging/open/npm/registry/"
    assert client.headers(f"{feed}a.tgz") == client.headers(f"{feed}x") == {}
    assert client.login(feed) is None
    (asked,) = internet.visits
    assert asked.path == "/org/project/_packaging/open/nuget/v3/index.json"
    assert bearer(client.headers(feed.replace("open", "closed")))["aud"] == DEVOPS
    assert client.warnings == []


def test_bazel_s_cache_has_a_header_also_where_everybody_may_read(
    client: Client, azure: Azure
) -> None:
    azure.public = {"cache"}
    assert bearer(client.headers(BLOB))["aud"] == STORAGE


def test_a_container_as_such_is_bazel_s_cache_and_its_blobs_are_said_to_be_such(
    client: Client,
) -> None:
    assert client.headers(BLOB)["x-ms-blob-type"] == "BlockBlob"
    assert client.headers(f"{BLOB}/")["x-ms-blob-type"] == "BlockBlob"
    assert set(client.headers(f"{BLOB}/a")) == {"Authorization", "x-ms-version"}


def test_an_account_that_does_not_answer_without_a_header_gets_one(
    client: Client, internet: Internet
) -> None:
    internet.hosts["account.blob.core.windows.net"] = lambda _: (500, {}, {})
    assert bearer(client.headers(f"{BLOB}/ac/0"))["aud"] == STORAGE
    del internet.hosts["account.blob.core.windows.net"]
    internet.hosts["*.blob.core.windows.net"] = lambda _: (302, {"Location": "https://a.b/"}, {})
    assert bearer(client.headers(f"{BLOB}-3/ac/0"))["aud"] == STORAGE


def test_a_shared_access_signature_has_all_that_it_needs(
    client: Client, internet: Internet
) -> None:
    assert client.headers(f"{BLOB}/a?sv=2021-12-02&se=2026&sp=r&sig=abc%3D") == {}
    assert internet.asked == []


@pytest.mark.parametrize(
    ("audience", "scope"),
    [
        (None, "usual"),
        ("https://management.azure.com", "https://management.azure.com/.default"),
        ("https://management.azure.com/", "https://management.azure.com/.default"),
        ("api://a/.default", "api://a/.default"),
    ],
)
def test_a_rule_s_audience_is_a_scope_of_entra_s(audience: str | None, scope: str) -> None:
    assert entra.scope(audience, "usual") == scope


def test_forty_pulls_of_two_repositories_at_once_are_one_login_and_two_tokens(
    client: Client, internet: Internet
) -> None:
    got: list[dict[str, str]] = []
    ready = threading.Barrier(40)
    urls = [MANIFEST, MANIFEST.replace("team/one", "team/blobs/two")] * 20

    def ask(url: str) -> None:
        ready.wait(60)
        got.append(client.headers(url))

    threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(got) == 40
    assert len({each["Authorization"] for each in got}) == 2
    paths = [visit.path for visit in internet.visits]
    assert sorted(paths[1:]) == ["/oauth2/exchange", "/oauth2/token", "/oauth2/token", "/v2/"]
