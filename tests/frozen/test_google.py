"""The frozen program and Google's servers: each kind of file, for each client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support import bazel_client
from support.agent import agent_of
from support.answering import Answering
from support.google_servers import (
    ACTS,
    AWS,
    AWS_TYPE,
    EMAIL,
    SUBJECT,
    TARGET,
    Google,
    aws_source,
    federated_file,
    impersonating_file,
    metadata,
    service_account_file,
    user_file,
)
from support.google_user import program
from support.storm import at_once, bazel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home
    from support.internet import Internet
    from support.program import Program

HOST = "europe-docker.pkg.dev"
URL = f"https://{HOST}/v2/project/repo/image/manifests/latest"
BUCKET = "https://storage.googleapis.com/bucket/cache/ac/0"


@pytest.fixture
def google(internet: Internet) -> Google:
    return Google(internet)


def has(home: Home, file: dict[str, Any]) -> None:
    """Put a file where gcloud has it."""
    home.write(".config/gcloud/application_default_credentials.json", json.dumps(file))


def federated(home: Home) -> dict[str, Any]:
    home.write("subject", SUBJECT)
    source = {"file": str(home.path / "subject")}
    return federated_file(source, service_account_impersonation_url=ACTS)


def of_aws(home: Home) -> dict[str, Any]:
    home.env |= {
        "AWS_ACCESS_KEY_ID": AWS.id,
        "AWS_SECRET_ACCESS_KEY": AWS.secret.reveal(),
        "AWS_SESSION_TOKEN": AWS.token.reveal() if AWS.token else "",
        "AWS_REGION": "eu-west-1",
    }
    return federated_file(aws_source(), subject_token_type=AWS_TYPE)


FILES: dict[str, tuple[Callable[[Home], dict[str, Any]], str]] = {
    "authorized_user": (lambda _: user_file(), "user"),
    "service_account": (lambda _: service_account_file(), EMAIL),
    "external_account": (federated, TARGET),
    "external_account of AWS": (of_aws, "federated"),
    "impersonated_service_account": (lambda _: impersonating_file(service_account_file()), TARGET),
}


def clients(called: Program) -> set[str]:
    """The token that Bazel, Docker and pip get, by what each of them is told."""
    said = called.bazel(URL).json()
    (header,) = said["headers"]["Authorization"]
    assert bazel_client.EXPIRES.fullmatch(said["expires"])
    cached = called.bazel(BUCKET).authorization
    login = called.docker("get", HOST).json()
    assert login["Username"] == "oauth2accesstoken"
    pip = called("keyring", "get", "https://europe-python.pkg.dev/p/r/simple/", "oauth2accesstoken")
    return {
        header.removeprefix("Bearer "),
        (cached or "").removeprefix("Bearer "),
        login["Secret"],
        pip.out.decode().strip(),
    }


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_serves_bazel_docker_and_keyring(
    frozen: Program, google: Google, kind: str
) -> None:
    file, whose = FILES[kind]
    has(frozen.home, file(frozen.home))
    assert {google.issued(token) for token in clients(frozen)} == {whose}


def test_the_agent_serves_all_of_them_with_one_token_of_each(
    frozen: Program, google: Google
) -> None:
    with agent_of(frozen) as agent:
        agent.warm()
        for file, whose in FILES.values():
            has(frozen.home, file(frozen.home))
            with agent.answering(4):
                (token,) = clients(frozen)
            assert google.issued(token) == whose


def test_40_callers_share_one_token_and_a_denied_role_is_told_to_all(
    frozen: Program, google: Google, tmp_path: Path
) -> None:
    has(frozen.home, impersonating_file(user_file()))
    with agent_of(frozen) as agent:
        agent.warm()
        answers = at_once(frozen, [bazel(f"{URL}?{n}") for n in range(40)], tmp_path / "storm")
        assert len({answer.authorization for answer in answers}) == 1
        assert [visit.host for visit in google.internet.visits] == [
            "oauth2.googleapis.com",
            "iamcredentials.googleapis.com",
        ]
        google.denied = True
        has(frozen.home, impersonating_file(user_file(), delegates=["x"]))
        answers = at_once(frozen, [bazel(f"{BUCKET}?{n}") for n in range(20)], tmp_path / "denied")
        assert {answer.authorization for answer in answers} == {None}
        (said,) = {answer.err for answer in answers}
        assert said.count("\n") == 1
        assert "roles/iam.serviceAccountTokenCreator" in said
        assert len(google.internet.to("iamcredentials.googleapis.com")) == 2


def test_a_silent_server_ends_the_call_in_time_with_one_line(
    frozen: Program, google: Google
) -> None:
    google.internet.hosts["oauth2.googleapis.com"] = None
    has(frozen.home, service_account_file())
    frozen.home.env["CREDLATCH_TIMEOUT"] = "5"
    answer = frozen.bazel(BUCKET)
    assert answer.authorization is None
    assert answer.err.count("\n") == 1
    assert "oauth2.googleapis.com" in answer.err


def test_no_secret_is_in_anything_that_is_said(frozen: Program, google: Google) -> None:
    google.revoked = True
    for file, _ in FILES.values():
        made = file(frozen.home)
        has(frozen.home, made)
        answer = frozen.bazel(BUCKET)
        assert answer.err.count("\n") == 1
        for secret in ("BEGIN PRIVATE", "1//0refresh", "d-FL95Q19", SUBJECT, AWS.secret.reveal()):
            assert secret not in answer.said


def test_a_rule_has_gcloud_or_the_machine_asked_and_each_once_for_the_agent(
    frozen: Program, internet: Internet
) -> None:
    credential = {"access_token": "ya29.gcloud", "token_expiry": "2099-01-01T00:00:00Z"}
    noted = program(frozen.home, "bin/gcloud", f"echo '{json.dumps({'credential': credential})}'")
    rules = (f'url = "https://{HOST}/"\nuse = ["gcloud"]', f'url = "{BUCKET}"\nuse = ["gce"]')
    text = "\n".join(f"[[rule]]\n{rule}" for rule in rules)
    frozen.home.write(".config/credlatch/config.toml", text)
    with Answering(metadata) as machine, agent_of(frozen) as agent:
        frozen.home.env["GCE_METADATA_HOST"] = f"127.0.0.1:{machine.port}"
        agent.warm()
        for _ in range(3):
            assert agent.call(URL).authorization == "Bearer ya29.gcloud"
            assert agent.call(BUCKET).authorization == "Bearer ya29.instance"
        other = agent.call("https://gcr.io/v2/p/i/tags/list")
        assert other.authorization is None
        assert (len(noted.read_text().splitlines()), len(machine.requests)) == (1, 1)
    assert internet.visits == []
