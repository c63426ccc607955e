"""What Azure's own SDK finds: certificates at once, and all else where a rule asks for it."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import CredlatchError
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from support.azure_servers import (
    CLIENT,
    DEVOPS,
    LOGIN,
    NOBODY,
    PACKAGES,
    REGISTRY,
    SESSIONS,
    STORAGE,
    TENANT,
    Azure,
    claims_of,
)
from support.certificates import builder
from support.found import sure

if TYPE_CHECKING:
    from pathlib import Path

    from support.internet import Internet

BLOB = "https://account.blob.core.windows.net/cache"
FEED = f"https://{PACKAGES}/org/_packaging/feed/pypi/simple/"
METADATA = "169.254.169.254"


class Client:
    """One whose rule names a system; nothing is on PATH but what a test puts there."""

    def __init__(self, internet: Internet, home: Path, **environ: str) -> None:
        self.home = home
        (home / "bin").mkdir(parents=True)
        path = {"HOME": str(home), "PATH": f"{home / 'bin'}:/usr/bin:/bin"}
        self.environ = {**path, **internet.environ, **environ}
        self.shared = SharedCache()
        self.use: tuple[str, ...] = ()
        self.warnings: list[str] = []

    def credential(self, url: str, *, login: bool = False) -> Any:
        """What is given for a URL; None: nothing."""
        caller = Caller(self.environ, str(self.home), self.shared)
        caller.put_off(60)  # for a machine that is busy
        request = requests.for_url(urls.parse(url), login=login)
        config = self.home / ".config" / "credlatch" / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        rule = f'[[rule]]\nurl = "https://{urls.parse(url).host}"\nuse = {json.dumps(self.use)}\n'
        config.write_text(rule if self.use else "")
        try:
            resolution = Resolver(caller).resolve(request)
        finally:
            self.warnings = caller.warnings
        return None if resolution is None else resolution.credential

    def token(self, url: str) -> dict[str, Any]:
        """What the access token for a URL says."""
        scheme, _, token = self.credential(url).headers()["Authorization"].partition(" ")
        assert scheme == "Bearer"
        return claims_of(token)

    def program(self, name: str, script: str) -> None:
        """A program of the caller's."""
        path = self.home / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def azure(internet: Internet) -> Azure:
    return Azure(internet)


@pytest.fixture
def client(internet: Internet, azure: Azure, tmp_path: Path) -> Client:  # noqa: ARG001 - it is there
    return Client(internet, tmp_path / "caller")


def az(client: Client, token: str, more: str = "") -> None:
    """An ``az`` that is logged in, and notes how it was called."""
    client.program(
        "az",
        f'echo "$@" >> {client.home}/called\n{more}\n'
        f'echo \'{{"accessToken": "{token}", "expires_on": {int(time.time()) + 3000}}}\'',
    )


def test_without_a_rule_no_program_is_started_and_no_metadata_asked(
    client: Client, internet: Internet, azure: Azure
) -> None:
    az(client, azure.token(STORAGE))
    internet.hosts[METADATA] = azure.metadata
    for url in (BLOB, FEED, f"https://{REGISTRY}/v2/team/one/manifests/1"):
        assert client.credential(url) is None
    assert not any(METADATA in each for each in internet.asked)
    assert not (client.home / "called").exists()


def test_with_a_rule_a_machine_s_own_identity_counts(
    client: Client, internet: Internet, azure: Azure
) -> None:
    internet.hosts[METADATA] = azure.metadata
    client.use = ("azure_blob",)
    for _ in range(2):
        assert client.token(BLOB)["aud"] == STORAGE
    asked = len(internet.visits)
    assert {visit.host for visit in internet.visits} == {METADATA}
    client.use = ("acr",)
    user, secret = client.credential(f"https://{REGISTRY}/", login=True).login(REGISTRY)
    assert (user, claims_of(secret.reveal())["aud"]) == (NOBODY, REGISTRY)
    client.use = ("azure_blob",)
    client.token(BLOB)
    assert internet.visits[-1].host == REGISTRY
    assert asked <= 2  # whether there is one, and for the token


def test_with_a_rule_the_login_of_az_counts_until_another_one_is_logged_in(
    client: Client, azure: Azure
) -> None:
    client.use = ("azure_blob",)
    profile = client.home / ".azure" / "azureProfile.json"
    profile.parent.mkdir()
    for account in ("one", "another"):
        profile.write_text(f"{account}")
        az(client, azure.token(STORAGE, upn=account, scp="user_impersonation"))
        for _ in range(2):
            assert client.token(BLOB)["upn"] == account
    called = (client.home / "called").read_text().splitlines()
    assert len(called) == 2
    assert all("account get-access-token" in line and STORAGE in line for line in called)


def test_azure_token_credentials_narrows_the_chain(
    client: Client, internet: Internet, azure: Azure
) -> None:
    az(client, azure.token(STORAGE, upn="of az"))
    internet.hosts[METADATA] = azure.metadata
    client.use = ("azure_blob",)
    client.environ["AZURE_TOKEN_CREDENTIALS"] = "AzureCliCredential"
    assert client.token(BLOB)["upn"] == "of az"
    assert internet.asked == []
    client.environ["AZURE_TOKEN_CREDENTIALS"] = "prod"
    assert "upn" not in client.token(BLOB)


def test_metadata_that_is_silent_is_given_up_and_the_chain_goes_on(
    client: Client, internet: Internet, azure: Azure
) -> None:
    internet.hosts[METADATA] = None
    client.use = ("azure_artifacts",)
    with pytest.raises(CredlatchError, match="az login"):
        client.credential(FEED)
    az(client, azure.token(STORAGE))
    client.use = ("azure_blob",)
    assert client.token(BLOB)["aud"] == STORAGE


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("ERROR: Please run 'az login' to setup account.", "run `az login`"),
        (
            "ERROR: AADSTS70043: The refresh token has expired. run: az login --scope x",
            "AADSTS70043",
        ),
        ("Traceback: a-secret", "found no identity"),
    ],
)
def test_what_az_says_is_one_line_with_what_to_do(client: Client, said: str, words: str) -> None:
    client.program("az", f'echo "{said}" >&2; exit 1')
    client.use = ("azure_artifacts",)
    with pytest.raises(CredlatchError) as raised:
        client.credential(FEED)
    assert words in str(raised.value)
    assert "a-secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.fixture
def certified(client: Client, azure: Azure) -> Client:
    """Somebody whose application has a certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    azure.certificate = key.public_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "application")])
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem += (
        builder(name, name, key).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    file = client.home / "certificate.pem"
    file.write_bytes(pem)
    client.environ |= {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    client.environ |= {"AZURE_CLIENT_CERTIFICATE_PATH": str(file), "AZURE_CLIENT_SECRET": " "}
    return client


def test_a_certificate_proves_an_application_without_a_rule(
    certified: Client, internet: Internet
) -> None:
    for _ in range(2):
        assert certified.token(FEED)["aud"] == DEVOPS
    posts = [visit for visit in internet.to(LOGIN) if visit.method == "POST"]
    assert len(posts) == 1
    assert {visit.host for visit in internet.visits} == {LOGIN}


def test_a_certificate_that_is_another_s_or_is_none_is_one_line(
    certified: Client, azure: Azure
) -> None:
    azure.certificate = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    with pytest.raises(CredlatchError, match=r"AADSTS700027.*AZURE_TENANT_ID"):
        certified.credential(FEED)
    for text in ("", "-----BEGIN CERTIFICATE-----\nnone"):
        (certified.home / "certificate.pem").write_text(text)
        with pytest.raises(CredlatchError, match="AZURE_CLIENT_CERTIFICATE_PATH"):
            certified.credential(FEED)
    os.unlink(certified.home / "certificate.pem")
    with pytest.raises(CredlatchError, match="AZURE_CLIENT_CERTIFICATE_PATH"):
        certified.credential(FEED)


def test_a_certificate_goes_to_no_authority_but_microsoft_s(
    certified: Client, internet: Internet
) -> None:
    certified.environ["AZURE_AUTHORITY_HOST"] = "https://login.microsoftonline.com.evil.example"
    certified.use = ("azure_artifacts",)
    internet.hosts["*"] = lambda _: (200, {}, {})
    with pytest.raises(CredlatchError, match="AZURE_AUTHORITY_HOST"):
        sure(certified.credential(FEED))
    assert internet.asked == []


# A user's token for packages


def user(azure: Azure) -> str:
    return azure.token(DEVOPS, idtyp="user", scp="user_impersonation", upn="me")


def test_a_user_s_token_is_exchanged_for_one_that_is_for_packages(
    client: Client, internet: Internet, azure: Azure
) -> None:
    az(client, user(azure))
    client.use = ("azure_artifacts",)
    for _ in range(2):
        name, secret = client.credential(FEED, login=True).login(PACKAGES)
        assert (name, claims_of(secret.reveal())["aud"]) == ("VssSessionToken", "sessions")
        assert client.credential(FEED).headers()["Authorization"].startswith("Basic ")
    assert [visit.host for visit in internet.visits] == [PACKAGES, SESSIONS]
    assert "authorization" not in internet.visits[0].headers
    assert f"--tenant {TENANT}" in (client.home / "called").read_text()


def test_an_application_s_token_is_sent_as_it_is(
    client: Client, internet: Internet, azure: Azure
) -> None:
    az(client, azure.token(DEVOPS))
    client.use = ("azure_artifacts",)
    assert client.token(FEED)["aud"] == DEVOPS
    assert internet.to(SESSIONS) == []


LYING = [
    {"WWW-Authenticate": f"Bearer authorization_uri=https://evil.example/{TENANT}"},
    {"WWW-Authenticate": f'bearer authorization_uri="http://{LOGIN}/{TENANT}"'},
    {"WWW-Authenticate": f"Bearer authorization_uri=https://{LOGIN}.evil.example/{TENANT}"},
    {"WWW-Authenticate": f"Bearer authorization_uri=https://{LOGIN}@evil.example/{TENANT}"},
    {"WWW-Authenticate": f"Bearer authorization_uri=https://{LOGIN}/a%2f..%2fb"},
    {"WWW-Authenticate": f"Bearer authorization_uri=https://{LOGIN}:8443/{TENANT}"},
    {"X-VSS-AuthorizationEndpoint": "https://evil.example/org/"},
    {"X-VSS-AuthorizationEndpoint": f"http://{SESSIONS}/org/"},
    {"X-VSS-AuthorizationEndpoint": f"https://{SESSIONS}.evil.example/org/"},
    {"X-VSS-AuthorizationEndpoint": f"https://{SESSIONS}@evil.example/org/"},
    {"X-VSS-AuthorizationEndpoint": f"https://{SESSIONS}:444/org/"},
    {"X-VSS-AuthorizationEndpoint": "https://evilvssps.visualstudio.com/"},
    {"X-VSS-AuthorizationEndpoint": f"https://{SESSIONS}/?x="},
    {"X-VSS-AuthorizationEndpoint": f"//{SESSIONS}/"},
]


@pytest.mark.parametrize("lie", LYING, ids=str)
def test_a_challenge_that_names_others_gets_nothing_sent_to_anybody(
    client: Client, internet: Internet, azure: Azure, lie: dict[str, str]
) -> None:
    azure.challenge |= lie
    internet.hosts["*"] = lambda _: (200, {}, {"token": "t"})
    az(client, user(azure))
    client.use = ("azure_artifacts",)
    with pytest.raises(CredlatchError, match="none of"):
        client.credential(FEED)
    assert [visit.host for visit in internet.visits] == [PACKAGES]
    assert not (client.home / "called").exists()


def test_a_session_that_is_refused_is_one_line(client: Client, azure: Azure) -> None:
    az(client, user(azure)[:-2])
    client.use = ("azure_artifacts",)
    with pytest.raises(CredlatchError, match=f"{SESSIONS}.*az login"):
        client.credential(FEED)


@pytest.mark.parametrize("host", ["vssps.visualstudio.com", "app.vssps.visualstudio.com"])
def test_each_of_microsoft_s_servers_may_exchange(
    client: Client, internet: Internet, azure: Azure, host: str
) -> None:
    internet.hosts[host] = azure.sessions
    azure.challenge["X-VSS-AuthorizationEndpoint"] = f"https://{host}/org"
    az(client, user(azure))
    client.use = ("azure_artifacts",)
    assert client.credential(FEED) is not None
    assert len(internet.to(host)) == 1


def test_a_host_that_a_rule_names_is_answered_for_like_azure_s_own(
    client: Client, azure: Azure
) -> None:
    az(client, azure.token(STORAGE))
    client.use = ("azure_blob",)
    assert client.token("https://blobs.company.example/cache")["aud"] == STORAGE
    client.use = ("azure_artifacts",)
    assert client.credential("https://devops.company.example/tfs/_packaging/f/npm/") is None
    client.environ["AZURE_DEVOPS_EXT_PAT"] = "pat"
    found = client.credential("https://devops.company.example/tfs/_packaging/f/npm/", login=True)
    assert found.login("")[1].reveal() == "pat"


def test_an_az_in_the_working_directory_neither_runs_nor_hides_the_caller_s_own(
    client: Client, azure: Azure
) -> None:
    az(client, "of the project")
    (client.home / "bin" / "az").rename(client.home / "az")
    az(client, azure.token(STORAGE))
    client.environ["PATH"] = f".::{client.environ['PATH']}"
    client.use = ("azure_blob",)
    assert client.token(BLOB)["aud"] == STORAGE
    assert len((client.home / "called").read_text().splitlines()) == 1
