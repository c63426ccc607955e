"""Google's registries and storage: which hosts, which of Google's files, and what goes wrong."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import request as requests
from credlatch import url as urls
from credlatch.auth import CommandRequest, HttpRequest, HttpResponse
from credlatch.auth.google_federation import AwsSubject
from credlatch.caller import Caller
from credlatch.errors import LoginError, RenewalError, StoreError
from credlatch.identities import google
from credlatch.protocols import bazel
from credlatch.renew.exchange import exchange
from credlatch.shared_cache import SharedCache
from support import google_servers as servers
from support.found import header, login, sure
from support.google_servers import (
    AWS,
    EMAIL,
    SUBJECT,
    TARGET,
    Google,
    aws_source,
    federated_file,
    impersonating_file,
    service_account_file,
    user_file,
)
from support.google_user import REGISTRY, GoogleUser
from support.internet import Visit
from support.users import EVE, as_root, owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credlatch.auth.google_federation import Finding
    from credlatch.request import Request
    from support.home import Home
    from support.internet import Internet

BUCKET = "https://storage.googleapis.com/bucket/a/b.tar.gz"
AWS_ENVIRON = {
    "AWS_ACCESS_KEY_ID": AWS.id,
    "AWS_SECRET_ACCESS_KEY": AWS.secret.reveal(),
    "AWS_SESSION_TOKEN": AWS.token.reveal() if AWS.token else "",
    "AWS_REGION": "eu-west-1",
}


@pytest.fixture
def servers_of_google(internet: Internet) -> Google:
    return Google(internet)


@pytest.fixture
def user(home: Home) -> GoogleUser:
    return GoogleUser(home)


# Which hosts

CLAIMED = [
    "europe-docker.pkg.dev", "us-python.pkg.dev", "asia-south1-maven.pkg.dev",
    "docker.europe-west3.rep.pkg.dev", "gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io",
    "marketplace.gcr.io", "storage.googleapis.com", "bucket.storage.googleapis.com",
    "my.dotted.bucket.storage.googleapis.com", "storage.me-central2.rep.googleapis.com",
    "US.GCR.IO", "gcr.io.",
]  # fmt: skip
OTHERS = [
    "pkg.dev", "evilpkg.dev", "pkg.dev.evil", "x.pkg.dev.evil.example", "evilgcr.io", "x.gcr.io",
    "k8s.gcr.io", "gcr.io.evil", "us.gcr.io.evil.example", "storage.googleapis.com.evil",
    "evilstorage.googleapis.com", "googleapis.com", "www.googleapis.com", "sts.googleapis.com",
    "bucket-storage.googleapis.com", "storage.evil.googleapis.com", "rep.googleapis.com",
    "sts.europe-west3.rep.googleapis.com", "storage.a.b.rep.googleapis.com", "10.0.0.1",
    "storage.rep.googleapis.com", "xn--pkg-dev.example", "pkg.devs",
]  # fmt: skip


@pytest.mark.parametrize("host", CLAIMED)
def test_google_s_registries_and_storage_are_claimed(host: str) -> None:
    url = urls.parse(f"https://{host}/a/b?c=d")
    assert google.claims(url)
    assert google.anonymous(url)


@pytest.mark.parametrize("host", OTHERS)
def test_hosts_that_look_alike_are_not(host: str) -> None:
    assert not google.claims(urls.parse(f"https://{host}/a"))


@pytest.mark.parametrize(
    "url",
    [
        "http://gcr.io/v2/",
        "https://gcr.io:5000/v2/",
        "http://storage.googleapis.com:443/b/o",
        "s3://storage.googleapis.com/b/o",
        "https://gcr.io@evil.example/v2/",
        "https://_json_key@gcr.io/v2/",
        "https://_json_key_base64@europe-python.pkg.dev/p/r/simple/",
        "https://evil.example/gcr.io/v2/",
        "https://evil.example/?x=https://gcr.io/",
        "https://evil.example#@gcr.io/",
    ],
)
def test_other_schemes_ports_and_user_names_are_not(url: str) -> None:
    assert not google.claims(urls.parse(url))


# The kinds of file


def federated(home: Home, **more: object) -> dict[str, Any]:
    home.write("subject", f"{SUBJECT}\n")
    return federated_file({"file": str(home.path / "subject")}, **more)


FILES: dict[str, tuple[Callable[[Home], dict[str, Any]], str]] = {
    "authorized_user": (lambda _: user_file(), "user"),
    "external_account_authorized_user": (
        lambda _: user_file(
            type="external_account_authorized_user",
            token_url="https://sts.googleapis.com/v1/oauthtoken",
        ),
        "user",
    ),
    "service_account": (lambda _: service_account_file(), EMAIL),
    "service_account, its token_uri an old one": (
        lambda _: service_account_file(token_uri="https://accounts.google.com/o/oauth2/token"),
        EMAIL,
    ),
    "external_account": (federated, "federated"),
    "external_account, impersonating": (
        lambda home: federated(home, service_account_impersonation_url=servers.ACTS),
        TARGET,
    ),
    "impersonated_service_account of a user": (lambda _: impersonating_file(user_file()), TARGET),
    "impersonated_service_account of a key": (
        lambda _: impersonating_file(service_account_file()),
        TARGET,
    ),
}


@pytest.mark.parametrize("url", [REGISTRY, BUCKET, "https://gcr.io/v2/p/i/tags/list"])
@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_gives_a_token_that_google_issued(
    user: GoogleUser, servers_of_google: Google, kind: str, url: str
) -> None:
    file, whose = FILES[kind]
    user.has(file(user.home))
    outcome = user.outcome(url)
    assert outcome.failure is None
    sent = sure(header(outcome.resolution))
    token = sent.removeprefix("Bearer ")
    assert servers_of_google.issued(token) == whose
    assert login(outcome.resolution) == ("oauth2accesstoken", token)
    assert sure(sure(outcome.resolution).expires) > time.time() + 3000
    assert user.warnings == []
    said = json.loads(bazel.render(outcome.resolution))
    types = said["headers"].pop("Accept", None)
    assert said["headers"] == {"Authorization": [sent]}
    # Bazel names no types of manifests, and a registry may then give an old one.
    assert (types is not None) == ("/manifests/" in url)


def test_the_file_that_a_variable_names_comes_first_and_then_gcloud_s_own_folder(
    user: GoogleUser, servers_of_google: Google
) -> None:
    user.has(user_file())
    key = user.home.write("key.json", json.dumps(service_account_file()))
    elsewhere = user.home.write(
        "gcloud/application_default_credentials.json", json.dumps(user_file())
    )
    user.home.env["GOOGLE_APPLICATION_CREDENTIALS"] = "key.json"
    assert servers_of_google.issued(sure(user.header())[7:]) == EMAIL
    user.says(profile=str(elsewhere))
    assert servers_of_google.issued(sure(user.header())[7:]) == "user"
    user.says()
    key.unlink()
    assert "key.json is not there" in user.warning()
    del user.home.env["GOOGLE_APPLICATION_CREDENTIALS"]
    user.has("{")
    user.home.env["CLOUDSDK_CONFIG"] = "gcloud"
    assert servers_of_google.issued(sure(user.header())[7:]) == "user"


def test_without_a_file_nothing_is_sent_to_anybody(
    user: GoogleUser, servers_of_google: Google
) -> None:
    assert user.header() is None
    assert (user.warnings, servers_of_google.internet.asked) == ([], [])


def test_one_token_is_for_all_hosts_and_is_fetched_once(
    user: GoogleUser, servers_of_google: Google
) -> None:
    user.has(user_file())
    user.shared = SharedCache()
    got = {user.header(url) for url in (REGISTRY, BUCKET, "https://gcr.io/v2/", REGISTRY)}
    assert len(got) == len(servers_of_google.tokens) == 1
    user.has(service_account_file())
    assert {user.header(), user.header(BUCKET)} & got == set()
    assert len(servers_of_google.tokens) == 2


def test_an_hmac_key_that_is_kept_for_a_bucket_signs_and_every_other_bucket_has_the_token(
    user: GoogleUser, servers_of_google: Google
) -> None:
    user.has(user_file())
    key = {"access_key_id": "GOOG1E", "secret_access_key": "s", "session_token": None}
    user.home.write_rattler({"s3://bucket": {"S3Credentials": key}})
    for url in (BUCKET, "https://bucket.storage.googleapis.com/a"):
        signed = sure(user.header(url, stores=True))
        assert signed.startswith("AWS4-HMAC-SHA256 Credential=GOOG1E/")
        assert "/auto/s3/aws4_request" in signed
    assert servers_of_google.internet.asked == []
    for url in (BUCKET.replace("/bucket/", "/other/"), "https://other.storage.googleapis.com/a"):
        assert servers_of_google.issued(sure(user.header(url, stores=True))[7:]) == "user"


# Where a federated identity comes from


def test_an_identity_may_be_in_a_field_of_a_file_s_json(
    user: GoogleUser, servers_of_google: Google
) -> None:
    user.home.write("subject.json", json.dumps({"token": SUBJECT}))
    field = {"type": "json", "subject_token_field_name": "token"}
    user.has(federated_file({"file": "subject.json", "format": field}))
    assert servers_of_google.issued(sure(user.header())[7:]) == "federated"


def test_an_identity_may_be_at_a_url_as_that_of_github_s_workflows(
    user: GoogleUser, internet: Internet, servers_of_google: Google
) -> None:
    url = "https://run.actions.githubusercontent.com/token?api-version=2&audience=a"
    internet.hosts["run.actions.githubusercontent.com"] = lambda visit: (
        (200, {}, {"value": SUBJECT})
        if visit.authorization == "Bearer r" and visit.url == url
        else (401, {}, {})
    )
    field = {"type": "json", "subject_token_field_name": "value"}
    headers = {"Authorization": "Bearer r"}
    user.has(federated_file({"url": url, "headers": headers, "format": field}))
    user.shared = SharedCache()
    assert servers_of_google.issued(sure(user.header())[7:]) == "federated"
    user.header()
    assert len(internet.visits) == 2
    assert "authorization" not in internet.to("sts.googleapis.com")[0].headers
    headers["Authorization"] = "Bearer other"
    user.has(federated_file({"url": url, "headers": headers, "format": field}))
    assert "gave no identity (HTTP 401)" in user.warning()


def test_an_identity_may_be_of_aws_and_is_not_sent_there(
    user: GoogleUser, internet: Internet, servers_of_google: Google
) -> None:
    user.home.env |= AWS_ENVIRON
    user.has(federated_file(aws_source(), subject_token_type=servers.AWS_TYPE))
    assert servers_of_google.issued(sure(user.header())[7:]) == "federated"
    assert internet.asked == ["sts.googleapis.com:443"]
    user.home.env["AWS_SECRET_ACCESS_KEY"] = "another"
    assert "no longer takes this login (HTTP 400, invalid_grant)" in user.warning()


def test_an_aws_machine_s_identity_is_its_role_s_by_the_metadata_service() -> None:
    source = aws_source()
    places = (source["region_url"], source["url"], source["imdsv2_session_token_url"])
    subject = AwsSubject(None, "", source["regional_cred_verification_url"], places)
    found = played(subject.find(servers.AUDIENCE, time.time()))
    assert servers.is_aws(found)


def played(flow: Finding) -> str:
    """What a flow finds that asks AWS's metadata service alone."""
    try:
        asked = next(flow)
        while True:
            assert isinstance(asked, HttpRequest)
            assert asked.metadata is not None
            url = urls.parse(asked.url)
            headers = {name.lower(): value for name, value in asked.headers.items()}
            visit = Visit(
                asked.method, url.path, url.path, headers, b"", url.scheme, url.host, url.port
            )
            status, _, body = servers.aws_metadata(visit)
            assert isinstance(body, bytes)
            asked = flow.send(HttpResponse(status, {}, body, time.time()))
    except StopIteration as end:
        found: str = end.value
        return found


def test_a_url_of_an_aws_identity_is_of_aws_s_own_sts(user: GoogleUser) -> None:
    user.home.env |= AWS_ENVIRON
    for url in (
        "https://evil.example/?Action=GetCallerIdentity",
        "https://sts.amazonaws.com.evil/",
    ):
        source = {**aws_source(), "regional_cred_verification_url": url}
        user.has(federated_file(source, subject_token_type=servers.AWS_TYPE))
        assert "another server than AWS's STS" in user.warning()


# What goes wrong


def test_a_key_that_was_revoked_is_told_with_the_command_that_helps(
    user: GoogleUser, servers_of_google: Google
) -> None:
    servers_of_google.revoked = True
    path = user.has(service_account_file())
    said = user.warning()
    assert "no longer takes this login (HTTP 400, invalid_grant)" in said
    assert f"gcloud iam service-accounts keys create {path} --iam-account={EMAIL}" in said
    user.has(user_file())
    assert "run gcloud auth application-default login" in user.warning()
    user.has(federated(user.home))
    assert "see that the provider" in user.warning()


@pytest.mark.parametrize("ahead", [-7200.0, 7200.0])
def test_a_clock_that_is_off_is_told_and_no_key_is_blamed(
    user: GoogleUser, servers_of_google: Google, ahead: float
) -> None:
    servers_of_google.clock = ahead
    user.has(service_account_file())
    said = user.warning()
    assert "set the clock" in said
    assert "keys create" not in said


def test_an_account_that_may_not_be_acted_as_is_told_with_the_role_that_is_missing(
    user: GoogleUser, servers_of_google: Google
) -> None:
    servers_of_google.denied = True
    user.has(impersonating_file(user_file()))
    said = user.warning()
    assert f"{TARGET} may not be acted as (HTTP 403)" in said
    assert "roles/iam.serviceAccountTokenCreator" in said


def test_a_refusal_names_the_server_that_refuses(
    user: GoogleUser, servers_of_google: Google
) -> None:
    internet = servers_of_google.internet
    internet.hosts["iamcredentials.googleapis.com"] = lambda _: (503, {}, {})
    user.has(impersonating_file(user_file()))
    assert "iamcredentials.googleapis.com/" in user.warning()


def test_being_throttled_is_passing_and_a_token_that_is_there_is_served(
    user: GoogleUser, servers_of_google: Google
) -> None:
    user.has(user_file())
    user.shared = SharedCache()
    there = user.header()
    servers_of_google.throttled = True
    assert user.header(BUCKET) == there
    user.shared = None
    assert "(HTTP 429): try again" in user.warning()


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "is no JSON object"),
        ("", "is not JSON"),
        ({}, "has no type"),
        ({"type": "gdch_service_account"}, "type that is not known here (gdch_service_account)"),
        (user_file(refresh_token=""), "has no refresh_token"),
        (user_file(refresh_token=7), "has no refresh_token"),
        (user_file(client_id="a\r\nb"), "has no client_id"),
        (service_account_file(private_key="x"), "the private key in"),
        (service_account_file(private_key=servers.pem()[:900]), "the private key in"),
        (service_account_file(client_email=""), "has no client_email"),
        (service_account_file(universe_domain="evil.example"), "another universe"),
        (impersonating_file({}), "has no type"),
        (impersonating_file(impersonating_file(user_file())), "source_credentials"),
        (impersonating_file(user_file(), delegates="x"), "has delegates that are none"),
        (federated_file({}), "names no credential_source"),
        (federated_file({"file": "/nowhere/x"}), "/nowhere/x is not there"),
        (federated_file({"url": "http://10.0.0.1/t"}), "is not https"),
        (federated_file({"url": "https://x.example/", "headers": {"a": "b\r\nc"}}), "headers"),
        (federated_file({"environment_id": "aws1"}), "set AWS_ACCESS_KEY_ID"),
        (federated_file({"environment_id": "aws2"}), "a version of AWS's identities"),
        (federated_file({**aws_source(), "url": "http://10.0.0.1/"}), "not AWS's metadata"),
        (
            federated_file(
                {"environment_id": "aws1", "regional_cred_verification_url": "https://evil.example"}
            ),
            "set AWS_ACCESS_KEY_ID",
        ),
    ],
)
def test_a_broken_file_is_told_in_one_line_and_nothing_is_sent(
    user: GoogleUser, servers_of_google: Google, file: dict[str, Any] | str, why: str
) -> None:
    path = user.has(file)
    said = user.warning()
    assert why in said
    if "nowhere" not in why:
        assert str(path) in said
    assert REGISTRY not in said
    assert servers_of_google.internet.asked == []


ODD: tuple[Any, ...] = (
    None,
    True,
    7,
    7.5,
    "",
    " ",
    [],
    ["x"],
    {},
    {"a": []},
    "a\r\nb",
    "\0",
    "é" * 70_000,
    "://",
)


def altered(file: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A file with each of its fields gone, or something else in its place."""
    for name, value in file.items():
        others: list[Any] = list(ODD)
        if isinstance(value, dict):
            others += altered(value)
        yield {each: file[each] for each in file if each != name}
        yield from ({**file, name: other} for other in others)


@pytest.mark.parametrize("kind", [*FILES, "external_account of AWS", "of a URL", "of a program"])
def test_whatever_is_in_a_file_it_is_usable_or_told_in_one_line(
    user: GoogleUser, kind: str
) -> None:
    user.home.env |= {**AWS_ENVIRON, "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}
    others = {
        "external_account of AWS": federated_file(
            aws_source(), subject_token_type=servers.AWS_TYPE
        ),
        "of a URL": federated_file(
            {"url": "https://x.example/", "headers": {"a": "b"}, "format": {"type": "text"}}
        ),
        "of a program": federated_file(
            {"executable": {"command": "/bin/x y", "timeout_millis": 5000, "output_file": "/x"}}
        ),
    }
    file = others[kind] if kind in others else FILES[kind][0](user.home)
    request = requests.for_url(urls.parse(REGISTRY))
    told = []
    for each in altered(file):
        user.has(each)
        caller = Caller(user.home.env, str(user.home.path))
        try:
            begin(request, caller)
        except (StoreError, RenewalError) as failure:
            told.append(str(failure))
    assert 0 < len(told) < len(list(altered(file)))
    assert [line for line in told if not line.isprintable()] == []


def begin(request: Request, caller: Caller) -> None:
    """Have a flow begin, up to what it asks for first."""
    grant = sure(sure(google.find(request, urls.parse(REGISTRY), caller)).grant)
    assert isinstance(grant.cache_key(request), str)
    try:
        asked = next(grant.flow(request, time.time()))
    except ValueError:  # as of a client's name that no header takes: it is told before any sending
        with pytest.raises(LoginError, match="is damaged"):
            exchange(grant, request, time.monotonic() + 5)
        return
    if isinstance(asked, HttpRequest):
        assert grant.trusts(urls.parse(asked.url))
    else:
        assert isinstance(asked, CommandRequest)


ELSEWHERE = [
    "https://evil.example/token",
    "https://oauth2.googleapis.com.evil.example/token",
    "https://oauth2.googleapis.com@evil.example/token",
    "https://evil@oauth2.googleapis.com/token",
    "http://oauth2.googleapis.com/token",
    "https://oauth2.googleapis.com:8443/token",
    "https://sts.storage.googleapis.com/token",
    "https://iamcredentials.storage.googleapis.com/x:generateAccessToken",
    "https://oauth2.storage.googleapis.com/token",
    "https://storage.googleapis.com/bucket/token",
    "https://bucket.storage.googleapis.com/token",
    "https://evilsts.googleapis.com/v1/token",
    "https://sts.us-east1.rep.googleapis.com.evil.example/v1/token",
    "oauth2.googleapis.com/token",
    "not a url",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_file_that_names_another_token_server_than_google_s_is_sent_nowhere(
    user: GoogleUser, servers_of_google: Google, url: str
) -> None:
    internet = servers_of_google.internet
    internet.hosts["*"] = lambda _: (200, {}, {"access_token": "x", "accessToken": "x"})
    for file in (
        service_account_file(token_uri=url),
        federated(user.home, token_url=url),
        federated(user.home, service_account_impersonation_url=url),
        impersonating_file(user_file(), service_account_impersonation_url=url),
        user_file(type="external_account_authorized_user", token_url=url),
    ):
        user.has(file)
        said = user.warning()
        assert "not Google's" in said or "has no " in said, said
    assert internet.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://sts.googleapis.com/v1/token",
        "https://sts.us-east1.googleapis.com/v1/token",
        "https://us-east-1.sts.googleapis.com/v1/token",
        "https://us-east-1-sts.googleapis.com/v1/token",
        "https://sts.us-east1.rep.googleapis.com/v1/token",
        "https://sts-mine.p.googleapis.com/v1/token",
    ],
)
def test_google_s_servers_of_a_region_or_a_network_are_google_s(
    user: GoogleUser, internet: Internet, servers_of_google: Google, url: str
) -> None:
    host = urls.parse(url).host
    internet.hosts[host] = internet.hosts["sts.googleapis.com"]
    user.has(federated(user.home, token_url=url))
    assert servers_of_google.issued(sure(user.header())[7:]) == "federated"
    assert internet.asked == [f"{host}:443"]


def test_a_rule_may_name_another_token_server_and_a_variable_another_universe(
    user: GoogleUser, servers_of_google: Google
) -> None:
    internet = servers_of_google.internet
    internet.hosts["tokens.example"] = internet.hosts["oauth2.googleapis.com"]
    user.says(endpoint="https://tokens.example/token")
    for file in (user_file(), service_account_file(token_uri="https://evil.example/")):
        user.has(file)
        assert user.header() is not None
    user.says()
    internet.hosts["oauth2.tpc.example"] = internet.hosts["oauth2.googleapis.com"]
    user.has(user_file(universe_domain="tpc.example"))
    user.home.env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"] = "tpc.example"
    assert user.header() is not None
    assert set(internet.asked) == {"tokens.example:443", "oauth2.tpc.example:443"}


@as_root
def test_a_file_of_another_user_s_is_believed_where_they_cannot_have_put_it_and_leads_nowhere(
    user: GoogleUser, servers_of_google: Google, open_folder: Path
) -> None:
    user.home.write("subject", SUBJECT)
    source = {"file": str(user.home.path / "subject")}
    key = open_folder / "key.json"
    user.home.env["GOOGLE_APPLICATION_CREDENTIALS"] = str(key)
    for file, mode, why in (
        (user_file(), 0o755, None),
        (federated_file(source), 0o755, "names an identity to be sent"),
        (user_file(), 0o1777, "belongs to another user"),
    ):
        key.write_text(json.dumps(file))
        key.chmod(0o600)
        owned(key, EVE)
        open_folder.chmod(mode)
        before = len(servers_of_google.internet.visits)
        if why is None:
            assert servers_of_google.issued(sure(user.header())[7:]) == "user"
        else:
            assert why in user.warning()
            assert len(servers_of_google.internet.visits) == before


def test_a_file_that_others_may_read_is_warned_of_where_it_has_a_secret(
    user: GoogleUser, servers_of_google: Google
) -> None:
    assert servers_of_google
    user.has(user_file(), mode=0o644)
    assert user.header() is not None
    assert ["can be read by other users" in line for line in user.warnings] == [True]
    user.has(federated(user.home), mode=0o644)
    assert user.header() is not None
    assert user.warnings == []
