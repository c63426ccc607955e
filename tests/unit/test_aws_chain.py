"""AWS's chain: each source gives a registry's token, by services that verify what they are sent."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import CredlatchError, LoginError, RenewalError
from support.aws_client import Client, basic
from support.aws_servers import ACCOUNT, SSO, Aws, in_environment, in_profile, log_in_by_sso
from support.certificates import Authority
from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.aws_servers import Key
    from support.home import Home
    from support.internet import Internet

REGISTRY = f"https://{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/v2/a/manifests/1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"
PROFILE = f"[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n"


def served(who: str) -> str:
    return basic("AWS", f"pw-{who}-eu-west-1")


def failure(client: Client, kind: type[CredlatchError] = RenewalError) -> str:
    with pytest.raises(kind) as raised:
        client.header(REGISTRY)
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.fixture
def role(home: Home, aws: Aws) -> Client:
    """Somebody whose profile assumes a role."""
    home.write(".aws/config", PROFILE)
    home.write(".aws/credentials", in_profile("base", aws.key("base")))
    return Client(home, {"AWS_PROFILE": "role"})


def test_a_role_is_assumed_with_a_profile_s_keys_once(role: Client, aws: Aws) -> None:
    assert role.header(REGISTRY) == served("base>Reader")
    assert role.header(REGISTRY.replace("/a/", "/b/")) == served("base>Reader")
    assert aws.calls == ["sts", "ecr"]


def test_a_role_is_assumed_with_keys_of_the_environment(home: Home, aws: Aws) -> None:
    home.write(".aws/config", f"[default]\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    environ = in_environment(aws.key("ci"))
    assert Client(home, environ).header(REGISTRY) == served("ci")
    client = Client(home, environ)
    assert client.header(REGISTRY, use=["ecr"], profile="default") == served("ci>Reader")


@pytest.mark.usefixtures("aws")
def test_a_job_s_identity_token_is_exchanged_without_a_signature(home: Home) -> None:
    token = home.write("token", "jwt-of-a-job")
    environ = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    assert Client(home, environ).header(REGISTRY) == served("jwt-of-a-job>Reader")
    token.write_text("another-jwt")
    said = failure(Client(home, environ))
    assert "has ended or is not known (InvalidIdentityToken from AssumeRoleWithWeb" in said
    token.unlink()
    assert f"cannot be used (no such file or directory: {token})" in failure(Client(home, environ))


def test_a_ca_bundle_of_aws_s_counts_for_the_chain_too(
    role: Client, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = str(Authority(tmp_path / "another").file)
    monkeypatch.setenv("SSL_CERT_FILE", another)
    role.environ["SSL_CERT_FILE"] = another
    assert "AWS did not answer" in failure(role)
    role.environ["AWS_CA_BUNDLE"] = str(internet.authority)
    assert role.header(REGISTRY) == served("base>Reader")


def denied(aws: Aws) -> None:
    aws.denied.add("base>Reader")


def off(aws: Aws) -> None:
    aws.clock = 3600.0


def busy(aws: Aws) -> None:
    aws.busy = True


def unknown(aws: Aws) -> None:
    aws.keys.clear()


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (denied, LoginError, "AccessDenied from AssumeRole): check role_arn and the role's trust"),
        (off, RenewalError, "is this machine's clock right?"),
        (busy, RenewalError, "asked too often"),
        (unknown, RenewalError, "has ended or is not known (UnrecognizedClientException"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_each_fault_of_a_role_is_one_line_with_what_helps(
    fault: object, kind: type[CredlatchError], said: str, role: Client, aws: Aws
) -> None:
    assert callable(fault)
    fault(aws)
    assert said in failure(role, kind)


# SSO


@pytest.fixture
def sso(home: Home, aws: Aws) -> Client:
    """Somebody with a profile of SSO's."""
    aws.sso = ("at-0", "rt-0")
    home.write(".aws/config", SSO)
    return Client(home, {"AWS_PROFILE": "dev"})


SSO_ROLE = served(f"sso>{ACCOUNT}>Reader")


def test_an_sso_login_gives_keys(home: Home, sso: Client, aws: Aws) -> None:
    log_in_by_sso(home, 3600.0)
    assert sso.header(REGISTRY) == SSO_ROLE
    assert aws.calls == ["sso", "ecr"]


def test_an_sso_login_that_has_ended_is_renewed_and_written_back(
    home: Home, sso: Client, aws: Aws
) -> None:
    log_in_by_sso(home, -60.0)
    assert sso.header(REGISTRY) == SSO_ROLE
    assert aws.calls == ["sso-oidc", "sso", "ecr"]
    (kept,) = (home.path / ".aws/sso/cache").glob("*.json")
    assert (read := json.loads(kept.read_text()))["refreshToken"] == "rt-1"
    assert read["accessToken"] == "at-1"
    assert kept.stat().st_mode & 0o077 == 0


def test_an_sso_login_is_renewed_by_one_of_two_processes(home: Home, sso: Client, aws: Aws) -> None:
    log_in_by_sso(home, -60.0)
    aws.slow = 2.0  # in which all of them would ask
    others = [Client(home, {"AWS_PROFILE": "dev"}) for _ in range(3)]
    got: list[str] = []
    asking = [
        threading.Thread(target=lambda each=each: got.append(each.header(REGISTRY)))
        for each in (sso, *others)
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert got == [SSO_ROLE] * 4
    assert [call for call in aws.calls if call.startswith("sso-oidc")] == ["sso-oidc"]


def test_without_an_sso_login_the_command_is_named_and_helps_at_once(
    home: Home, sso: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "the SSO login of AWS profile dev has ended: run `aws sso login --profile dev`"
    assert failure(sso) == says
    log_in_by_sso(home, -60.0, ("at-x", "rt-x"))  # revoked
    assert failure(Client(home, {"AWS_PROFILE": "dev"})) == says
    log_in_by_sso(home, 3600.0, ("at-x", "rt-x"))
    assert failure(Client(home, {"AWS_PROFILE": "dev"})) == says
    log_in_by_sso(home, 3600.0)
    monkeypatch.setattr("credlatch.renew.attempts.STORM", 0.0)
    assert sso.header(REGISTRY) == SSO_ROLE


def test_a_role_that_sso_denies_is_named(home: Home, sso: Client, aws: Aws) -> None:
    log_in_by_sso(home, 3600.0)
    aws.denied.add("Reader")
    assert "ForbiddenException from GetRoleCredentials): check" in failure(sso, LoginError)


# Metadata


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: Metadata = self.server.owner
        owner.requests.append(request)
        if owner.is_silent:
            owner.stopping.wait()
            self.close_connection = True
            return
        owner.respond(self, request)


class Metadata(Loopback):
    """An instance's metadata service, version 2, and a container's (``/role``)."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.requests: list[Recorded] = []
        self.is_silent = False
        self.stopping = threading.Event()
        super().__init__(_Handler)

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        super().__exit__(*error)

    def respond(self, handler: Handler, request: Recorded) -> None:
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        names = ("AccessKeyId", "SecretAccessKey", "Token")
        keys = dict(zip(names, (self.key.id, self.key.secret, self.key.token), strict=True))
        said = {**keys, "Expiration": end, "Code": "Success", "Type": "AWS-HMAC"}
        base = "/latest/meta-data/iam/security-credentials/"
        if request.path == "/role":
            handler.send(200 if request.authorization == "of-the-pod" else 401, said)
        elif (request.method, request.path) == ("PUT", "/latest/api/token"):
            assert request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
            handler.send(200, b"imds-token")
        elif request.headers.get("x-aws-ec2-metadata-token") != "imds-token":
            handler.send(401, b"")
        elif request.path == base:
            handler.send(200, b"instance-role")
        elif request.path == f"{base}instance-role":
            handler.send(200, said)
        else:
            handler.send(404, b"")


@pytest.fixture
def metadata(aws: Aws) -> Iterator[Metadata]:
    with Metadata(aws.key("machine", session=True)) as service:
        yield service


def test_an_instance_s_role_counts_where_a_rule_says_so(home: Home, metadata: Metadata) -> None:
    client = Client(home, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url})
    assert client.asks(REGISTRY) is None
    assert metadata.requests == []
    assert client.header(REGISTRY, use=["ecr"]) == served("machine")


def test_a_container_s_role_counts_where_its_variable_is_set(
    home: Home, metadata: Metadata
) -> None:
    token = home.write("pod-token", "of-the-pod")
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{metadata.url}/role",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
    }
    assert Client(home, environ).header(REGISTRY) == served("machine")
    token.write_text("of-another")
    failure(Client(home, environ))
    elsewhere = {**environ, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/role"}
    assert "cannot be used (ValueError)" in failure(Client(home, elsewhere))


def test_a_silent_metadata_service_is_given_up_after_two_requests(
    home: Home, metadata: Metadata, internet: Internet
) -> None:
    metadata.is_silent = True
    environ = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
    client = Client(home, environ)
    began = time.monotonic()
    with pytest.raises(RenewalError, match="there are no keys for AWS"):
        client.asks(REGISTRY, use=["ecr"])
    # Half a second each; the rest is what a busy machine takes to start the process.
    assert len(metadata.requests) <= 2
    assert time.monotonic() - began < 20
    assert client.asks("https://public.ecr.aws/", use=["ecr"]) is None
    assert "the request goes without a credential" in client.warnings[-1]
    container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{metadata.url}/role"}
    metadata.requests.clear()
    failure(Client(home, container))
    assert len(metadata.requests) == 1
    assert internet.visits == []
