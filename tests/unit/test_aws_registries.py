"""Amazon ECR and AWS CodeArtifact, by AWS keys; the services verify each signature."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import CredlatchError, LoginError, RenewalError, StoreError
from credlatch.identities import codeartifact, ecr
from support.aws_client import Client, basic
from support.aws_servers import Aws, in_environment
from support.certificates import Authority
from support.found import sure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home
    from support.internet import Internet

REGISTRY = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/a/manifests/1"
PUBLIC = "https://public.ecr.aws/v2/a/b/manifests/1"
PACKAGES = "https://team-123456789012.d.codeartifact.eu-west-1.amazonaws.com"


@pytest.fixture
def client(home: Home, aws: Aws) -> Client:
    """Somebody with keys in the environment."""
    return Client(home, in_environment(aws.key()))


def services(internet: Internet) -> list[str]:
    """Where signed calls went."""
    return [visit.host for visit in internet.visits if "x-amz-date" in visit.headers]


ECR = {
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com": "api.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr-ecr.eu-west-1.amazonaws.com": "api.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com": "api.ecr-fips.us-east-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn": "api.ecr.cn-north-1.amazonaws.com.cn",
    "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov": "api.ecr.us-iso-east-1.c2s.ic.gov",
    "123456789012.dkr-ecr.us-west-2.on.aws": "ecr.us-west-2.api.aws",
    "123456789012.dkr-ecr-fips.us-west-2.on.aws": "ecr-fips.us-west-2.api.aws",
}


@pytest.mark.parametrize(("host", "service"), ECR.items())
def test_each_form_of_a_registry_s_host_is_asked_of_its_own_service(
    host: str, service: str, client: Client, aws: Aws, internet: Internet
) -> None:
    region = host.split(".")[-3 if host.endswith((".amazonaws.com", ".on.aws")) else -4]
    assert client.header(f"https://{host}/v2/a/manifests/1") == basic("AWS", f"pw-user-{region}")
    assert services(internet) == [service]
    assert aws.calls == ["ecr"]


@pytest.mark.parametrize(
    "host",
    [
        "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
        "1234567890123.dkr.ecr.eu-west-1.amazonaws.com",
        "a23456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.amazonaws.com",
        "123456789012.dkr.ecr.a.b.amazonaws.com",
        "123456789012.dkr.ecr.-a.amazonaws.com",
        "123456789012.dkrxecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        "x.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "team-123456789012.d.codeartifact.amazonaws.com",
        "team-12345678901.d.codeartifact.eu-west-1.amazonaws.com",
        "-123456789012.d.codeartifact.eu-west-1.amazonaws.com",
        "team-123456789012.d.codeartifact.eu.west-1.amazonaws.com",
        "te_am-123456789012.d.codeartifact.eu-west-1.amazonaws.com",
        "team-123456789012.x.codeartifact.eu-west-1.amazonaws.com",
        "team-123456789012.d.codeartifact.eu-west-1.on.aws.evil.example",
        "x.public.ecr.aws",
        "ecr.aws",
    ],
)
def test_another_host_is_none_of_them(host: str, client: Client, aws: Aws) -> None:
    assert client.asks(f"https://{host}/v2/a/manifests/1") is None
    assert client.asks(f"https://{host}/a", use=("ecr", "codeartifact")) is None
    assert aws.calls == []


@pytest.mark.parametrize("url", [REGISTRY, f"{PACKAGES}/pypi/x/simple/"])
def test_neither_another_scheme_nor_another_port_is_claimed(url: str) -> None:
    host = url.split("/")[2]
    system = ecr if "ecr" in host else codeartifact
    assert system.claims(urls.parse(url))
    assert not system.claims(urls.parse(f"http://{host}/"))
    assert not system.claims(urls.parse(f"https://{host}:8443/"))


@pytest.mark.parametrize("host", ["public.ecr.aws", "ecr-public.aws.com"])
def test_the_public_registry_has_a_service_of_its_own(
    host: str, client: Client, aws: Aws, internet: Internet
) -> None:
    found = sure(client.asks(f"https://{host}/"))
    assert found.credential.login(host)[0] == "AWS"
    assert found.credential.login(host)[1].reveal() == "pw-user-public"
    assert services(internet)[0] == "api.ecr-public.us-east-1.amazonaws.com"
    assert aws.calls == ["ecr-public"]


def test_the_public_registry_takes_a_token_of_its_own_server_with_a_login_or_without(
    home: Home, client: Client, aws: Aws
) -> None:
    assert client.header(PUBLIC) == "Bearer token-of-pw-user-public"
    assert Client(home, {}).header(PUBLIC) == "Bearer token-of-nobody"
    aws.denied.add("user")
    denied = Client(home, client.environ)
    assert denied.header(PUBLIC) == "Bearer token-of-nobody"
    assert "ecr-public:GetAuthorizationToken" in denied.warnings[0]


def test_without_an_identity_no_registry_is_asked_for(home: Home, aws: Aws) -> None:
    nobody = Client(home, {})
    for url in (REGISTRY, "https://public.ecr.aws/", f"{PACKAGES}/pypi/x/simple/"):
        assert nobody.asks(url) is None
    assert aws.calls == []


def test_a_token_is_fetched_once_for_each_identity_and_region(client: Client, aws: Aws) -> None:
    first = client.header(REGISTRY)
    assert client.header(REGISTRY.replace("/v2/a/", "/v2/b/")) == first
    assert client.header(REGISTRY.replace("123456789012", "210987654321")) == first
    assert aws.calls == ["ecr"]
    client.header(REGISTRY.replace("eu-west-1", "us-east-1"))
    client.environ |= in_environment(aws.key("other", session=True))
    assert client.header(REGISTRY) == basic("AWS", "pw-other-eu-west-1")
    assert aws.calls == ["ecr"] * 3


def test_a_token_is_kept_until_shortly_before_its_end(client: Client) -> None:
    expires = sure(sure(client.asks(REGISTRY)).expires)
    assert 43_000 < expires - time.time() <= 43_200


FORMATS = ("pypi/x/simple/a/", "maven/x/a.jar", "nuget/x/v3/index.json", "generic/x/a", "ruby/x/a",
           "swift/x/a", "v2/a/manifests/1")  # fmt: skip


@pytest.mark.parametrize("domain", ["amazonaws.com", "on.aws"])
def test_a_domain_s_token_is_the_password_of_aws_for_every_format(
    domain: str, client: Client, aws: Aws, internet: Internet
) -> None:
    base = PACKAGES.replace("amazonaws.com", domain)
    token = "ca-user-eu-west-1-43200"
    for path in FORMATS:
        assert client.header(f"{base}/{path}") == basic("aws", token)
    assert aws.calls == ["codeartifact"]
    service = domain.replace("on.aws", "api.aws")
    assert services(internet)[0] == f"codeartifact.eu-west-1.{service}"
    for path in ("npm/x/a", "cargo/x/config.json"):
        found = sure(client.asks(f"{base}/{path}")).credential
        assert found.headers()["Authorization"] == f"Bearer {token}"
        assert found.login("a")[0] == "aws"


KEYRINGRC = """\
[codeartifact]
token_duration = 1800  # seconds
[codeartifact domain="team" account='123456789012']
profile_name = a
[codeartifact domain=team account=123456789012 name="own"]
aws_access_key_id = {id}
aws_secret_access_key = {secret}
[codeartifact domain="other" region="eu-west-1" account="123456789012"]
profile_name = nope
[something else]
profile_name = nope
"""


def test_keyringrc_names_the_keys_of_a_repository_and_the_token_s_life(
    home: Home, client: Client, aws: Aws
) -> None:
    own, other = aws.key("own"), aws.key("other")
    rc = KEYRINGRC.format(**vars(own))
    path = home.write(".config/python_keyring/keyringrc.cfg", rc)
    assert client.header(f"{PACKAGES}/pypi/own/simple/") == basic("aws", "ca-own-eu-west-1-1800")
    path.write_text(rc.replace("1800", "0"))
    assert client.header(f"{PACKAGES}/npm/own/a") == "Bearer ca-own-eu-west-1-0"
    home.write(
        ".aws/credentials",
        f"[a]\naws_access_key_id={other.id}\naws_secret_access_key={other.secret}\n",
    )
    assert client.header(f"{PACKAGES}/pypi/x/simple/") == basic("aws", "ca-other-eu-west-1-0")


@pytest.mark.parametrize("text", ["token_duration = 1", "[codeartifact]\ntoken_duration = 899"])
def test_keyringrc_that_is_none_is_an_error_that_names_it(
    text: str, home: Home, client: Client
) -> None:
    home.write(".config/python_keyring/keyringrc.cfg", text)
    with pytest.raises(StoreError, match=r"keyringrc\.cfg"):
        client.asks(f"{PACKAGES}/pypi/x/simple/")


def off(aws: Aws, _: Client) -> None:
    aws.clock = 3600.0


def behind(aws: Aws, _: Client) -> None:
    aws.clock = -900.0


def denied(aws: Aws, _: Client) -> None:
    aws.denied.add("user")


def unknown(aws: Aws, _: Client) -> None:
    aws.keys.clear()


def wrong(_: Aws, client: Client) -> None:
    client.environ["AWS_SECRET_ACCESS_KEY"] = "sesame"


def elsewhere(_: Aws, client: Client) -> None:
    for service, host in (("ECR", "api.ecr"), ("CODEARTIFACT", "codeartifact")):
        url = f"https://{host}.us-east-1.amazonaws.com"
        client.environ[f"AWS_ENDPOINT_URL_{service}"] = url


def throttled(aws: Aws, _: Client) -> None:
    aws.busy = True


FAULTS: dict[Callable[[Aws, Client], None], tuple[type[CredlatchError], str]] = {
    off: (RenewalError, "clock is 60 minutes behind AWS's"),
    behind: (RenewalError, "clock is 15 minutes ahead of AWS's"),
    denied: (LoginError, "may not get a token of"),
    unknown: (LoginError, "get new keys, and set AWS_ACCESS_KEY_ID"),
    wrong: (LoginError, "check the secret key, and that the region is eu-west-1"),
    elsewhere: (LoginError, "check the secret key, and that the region is eu-west-1"),
    throttled: (RenewalError, "asked too often"),
}


@pytest.mark.parametrize("url", [REGISTRY, f"{PACKAGES}/pypi/x/simple/"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_one_line_with_what_helps(
    fault: Callable[[Aws, Client], None], url: str, aws: Aws, client: Client
) -> None:
    fault(aws, client)
    kind, said = FAULTS[fault]
    with pytest.raises(kind) as raised:
        client.asks(url)
    line = str(raised.value)
    assert type(raised.value) is kind
    assert said in line
    if fault is denied:
        assert f"{'ecr' if url is REGISTRY else 'codeartifact'}:GetAuthorizationToken" in line
    assert "\n" not in line
    assert "sesame" not in line
    assert "secret/0" not in line


def test_a_domain_that_is_not_there_names_what_to_check(client: Client) -> None:
    with pytest.raises(LoginError, match="check its domain, account and region"):
        client.asks(f"{PACKAGES.replace('team-', 'teams-')}/pypi/x/simple/")


def test_a_region_that_is_none_has_no_server_and_is_named(
    client: Client, internet: Internet
) -> None:
    del internet.hosts["*.amazonaws.com"]
    for url in (REGISTRY, f"{PACKAGES}/pypi/x/simple/"):
        with pytest.raises(RenewalError, match=r"cannot be reached.*see that eu-wst-1 is the reg"):
            client.asks(url.replace("eu-west-1", "eu-wst-1"))


def test_what_fails_for_the_public_registry_is_a_warning(aws: Aws, client: Client) -> None:
    aws.denied.add("user")
    assert client.asks("https://public.ecr.aws/") is None
    assert "ecr-public:GetAuthorizationToken" in client.warnings[0]


def test_a_code_that_is_none_is_not_repeated(home: Home, internet: Internet) -> None:
    codes = ("Evil\u202eName", "a" * 80, "SESAME-42", "x y")
    left = list(codes)
    internet.hosts["*.amazonaws.com"] = lambda _: (400, {}, {"__type": left.pop(0)})
    for said in codes:
        with pytest.raises(RenewalError) as raised:
            Client(home, in_environment(Aws().key())).asks(REGISTRY)
        assert said not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"authorizationData": []}',
        b'{"authorizationData": [{"authorizationToken": "%"}]}',
        b'{"authorizationData": [{"authorizationToken": "bm8gY29sb24="}]}',
        b'{"authorizationData": [{"authorizationToken": "/////w=="}]}',
        b"<html>",
    ],
)
def test_an_answer_that_is_none_of_ecr_s_is_one_line(
    body: bytes, client: Client, internet: Internet
) -> None:
    internet.hosts["*.amazonaws.com"] = lambda _: (200, {}, body)
    with pytest.raises(RenewalError, match="did not answer with a token"):
        client.asks(REGISTRY)


def test_an_endpoint_is_the_rule_s_or_the_environment_s(
    client: Client, aws: Aws, internet: Internet
) -> None:
    for name in ("all", "ecr", "rule"):
        aws.also[f"{name}.vpce.amazonaws.com"] = ("ecr", "eu-west-1")
    client.environ["AWS_ENDPOINT_URL"] = "https://all.vpce.amazonaws.com/"
    client.header(REGISTRY)
    client.environ["AWS_ENDPOINT_URL_ECR"] = "https://ecr.vpce.amazonaws.com"
    client.header(REGISTRY)
    client.header(REGISTRY, endpoint="https://rule.vpce.amazonaws.com")
    client.environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
    client.header(REGISTRY)
    assert services(internet) == [
        "all.vpce.amazonaws.com",
        "ecr.vpce.amazonaws.com",
        "rule.vpce.amazonaws.com",
        "api.ecr.eu-west-1.amazonaws.com",
    ]
    assert aws.calls == ["ecr"] * 4


def test_keys_go_nowhere_in_the_clear(client: Client, internet: Internet) -> None:
    client.environ["AWS_ENDPOINT_URL"] = "http://api.ecr.eu-west-1.amazonaws.com"
    with pytest.raises(RenewalError, match="needs https"):
        client.asks(REGISTRY)
    assert internet.asked == []


def test_a_ca_bundle_of_aws_s_counts_beside_the_system_s(
    client: Client, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = Authority(tmp_path / "another")
    monkeypatch.setenv("SSL_CERT_FILE", str(another.file))
    with pytest.raises(RenewalError, match="cannot be reached"):
        client.asks(REGISTRY)
    client.environ["AWS_CA_BUNDLE"] = str(internet.authority)
    assert client.header(REGISTRY) == basic("AWS", "pw-user-eu-west-1")
    client.environ["AWS_CA_BUNDLE"] = str(tmp_path / "none")
    with pytest.raises(RenewalError, match="none has no certificate authorities"):
        client.asks(REGISTRY)
