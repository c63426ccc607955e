"""AWS's systems through the frozen program: as Bazel, Docker, pip and the agent ask it."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from support.aws_client import basic
from support.aws_servers import ACCOUNT, SSO, in_environment, in_profile, log_in_by_sso
from support.program import TIMEOUT
from support.waiting import alive

if TYPE_CHECKING:
    from support.agent import Agent
    from support.aws_servers import Aws
    from support.home import Home
    from support.program import Program

HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
BLOB = f"https://{HOST}/v2/team/one/blobs/sha256:{64 * chr(48)}"
PACKAGES = f"https://team-{ACCOUNT}.d.codeartifact.eu-west-1.amazonaws.com/pypi/x/simple/"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"


def served(who: str) -> str:
    return basic("AWS", f"pw-{who}-eu-west-1")


def process(home: Home, script: str) -> None:
    """A profile whose keys a program gives."""
    home.write("program", f"#!/bin/sh\n{script}\n", 0o700)
    home.write(".aws/config", f"[default]\ncredential_process = {home.path}/program\n")


def test_bazel_docker_and_pip_are_answered_with_keys_of_the_environment(
    each_form: Program, aws: Aws
) -> None:
    each_form.home.env |= in_environment(aws.key("ci", session=True))
    answer = each_form.bazel(BLOB).json()
    assert answer["headers"] == {"Authorization": [served("ci")]}
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) < answer["expires"]
    login = each_form.docker("get", HOST).json()
    assert (login["Username"], login["Secret"]) == ("AWS", "pw-ci-eu-west-1")
    keyring = each_form("keyring", "--mode=creds", "get", PACKAGES)
    assert keyring.out.decode().split() == ["aws", "ca-ci-eu-west-1-43200"]
    password = each_form("keyring", "get", PACKAGES, "aws")
    assert password.out == b"ca-ci-eu-west-1-43200\n"
    public = each_form.bazel("https://public.ecr.aws/v2/a/b/manifests/1")
    assert public.authorization == "Bearer token-of-pw-ci-public"


def test_each_source_of_the_chain_answers_bazel(frozen: Program, home: Home, aws: Aws) -> None:
    home.write(".aws/config", f"{SSO}[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n")
    home.write(".aws/credentials", in_profile("base", aws.key("base")))
    log_in_by_sso(home, 3600.0)
    job = home.write("token", "jwt-of-a-job")
    web = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(job)}
    sources = [
        ({"AWS_PROFILE": "base"}, "base"),
        ({"AWS_PROFILE": "role"}, "base>Reader"),
        ({"AWS_PROFILE": "dev"}, f"sso>{ACCOUNT}>Reader"),
        (web, "jwt-of-a-job>Reader"),
    ]
    plain = dict(home.env)
    for environ, who in sources:
        home.env = {**plain, **environ}
        assert frozen.bazel(BLOB).authorization == served(who)


def test_the_agent_asks_once_for_many_calls_and_tells_callers_apart(
    agent: Agent, home: Home, aws: Aws
) -> None:
    home.write(".aws/config", SSO)
    home.write(".aws/credentials", in_profile("base", aws.key("base")))
    log_in_by_sso(home, 3600.0)
    agent.warm()
    home.env["AWS_PROFILE"] = "dev"
    got = {agent.program.bazel(BLOB).authorization for _ in range(8)}
    assert got == {served(f"sso>{ACCOUNT}>Reader")}
    home.env["AWS_PROFILE"] = "base"
    assert agent.program.bazel(BLOB).authorization == served("base")
    del home.env["AWS_PROFILE"]
    assert agent.program.bazel(BLOB).authorization is None
    assert aws.calls == ["sso", "ecr", "ecr"]


def test_the_caller_s_surroundings_count_in_the_sdk_s_process_and_cores_are_forbidden(
    agent: Agent, home: Home, aws: Aws
) -> None:
    key = aws.key("caller")
    said = json.dumps({"Version": 1, "AccessKeyId": key.id, "SecretAccessKey": "$SECRET"})
    process(
        home,
        f'pwd > {home.path}/folder; grep core /proc/$PPID/limits > {home.path}/cores\n'
        f"cat <<END\n{said}\nEND",
    )  # fmt: skip
    agent.warm()
    home.env |= {"SECRET": key.secret, "AWS_REGION": "eu-west-1"}
    (home.path / "project").mkdir()
    stdin = json.dumps({"uri": BLOB}).encode()
    answer = agent.program("get", stdin=stdin, cwd=home.path / "project")
    assert answer.authorization == served("caller")
    assert (home.path / "folder").read_text() == f"{home.path}/project\n"
    assert (home.path / "cores").read_text().split()[4] in {"0", "1"}


def test_what_hangs_in_the_chain_is_killed_in_time(frozen: Program, home: Home) -> None:
    process(home, f"ps -o sid= -p $$ > {home.path}/session; sleep 1000")
    for seconds in ("4", "15", "60"):  # a busy machine may take its time to come so far
        home.env["CREDLATCH_TIMEOUT"] = seconds
        answer = frozen.bazel(BLOB)
        assert (answer.code, answer.err.count("\n")) == (1, 1)
        assert "has not answered for" in answer.err
        if (home.path / "session").exists():
            break
    session = int((home.path / "session").read_text())
    deadline = time.monotonic() + 30
    while alive(session):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_sso_login_is_renewed_once_by_two_processes_at_once(
    frozen: Program, home: Home, aws: Aws
) -> None:
    home.write(".aws/config", SSO)
    log_in_by_sso(home, -60.0)
    aws.slow = 2.0  # in which both would ask
    home.env["AWS_PROFILE"] = "dev"
    pipe = subprocess.PIPE
    command = [*frozen.command, "get"]
    calls = [subprocess.Popen(command, stdin=pipe, stdout=pipe, env=home.env) for _ in range(2)]
    stdin = json.dumps({"uri": BLOB}).encode()
    for each in calls:
        assert each.stdin is not None
        each.stdin.write(stdin)
        each.stdin.close()
        each.stdin = None
    headers = [json.loads(each.communicate(timeout=TIMEOUT)[0])["headers"] for each in calls]
    assert headers == [{"Authorization": [served(f"sso>{ACCOUNT}>Reader")]}] * 2
    assert aws.calls.count("sso-oidc") == 1
    assert not [call for call in aws.calls if call.startswith("sso-oidc:")]


@pytest.mark.parametrize("protocol", ["bazel", "docker", "keyring"])
def test_an_sso_login_that_has_ended_is_one_line_for_every_client(
    protocol: str, frozen: Program, home: Home, aws: Aws
) -> None:
    home.write(".aws/config", SSO)
    home.env["AWS_PROFILE"] = "dev"
    if protocol == "bazel":
        answer = frozen.bazel(BLOB)
    elif protocol == "docker":
        answer = frozen.docker("get", HOST)
    else:
        answer = frozen("keyring", "get", PACKAGES, "aws")
    assert answer.code == 1
    assert "run `aws sso login --profile dev`" in answer.said
    assert answer.said.count("\n") == 1
    assert aws.calls == []
