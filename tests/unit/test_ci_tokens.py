"""Which job is whose, what its CI is asked for an identity token, and what of one is checked."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import id as pypi_id
import pytest
from id._internal.oidc import ambient

from credlatch import clock
from credlatch.auth import CommandRequest, HttpRequest, HttpResponse
from credlatch.auth.ci_tokens import GitHubToken, IdentityToken
from credlatch.caller import Caller
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError, StoreError
from credlatch.identities.ci_variables import identity_token
from credlatch.rules import Rule
from credlatch.rules.exchange import Identity
from support.found import sure
from support.jwt import make_jwt

AUDIENCE = "pyx:trusted-access"
NOW = time.time()
GOOD = make_jwt(int(NOW) + 600, aud=AUDIENCE)
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.actions.example/idtoken?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
}
PROGRAMS = "PROGRAMS"  # in PATH: a folder with the CIs' programs
BUILDKITE = {"BUILDKITE": "true", "BUILDKITE_JOB_ID": "1", "PATH": PROGRAMS}
CIRCLECI = {"CIRCLECI": "true", "CIRCLE_WORKFLOW_JOB_ID": "1", "PATH": PROGRAMS}
GITLAB = {"GITLAB_CI": "true", "PYX_TRUSTED_ACCESS_ID_TOKEN": GOOD}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_OIDCREQUESTURI": "https://dev.azure.example/o/p/_apis/distributedtask/oidctoken",
    "SYSTEM_ACCESSTOKEN": "of-the-step",
}
BITBUCKET = {"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_STEP_OIDC_TOKEN": GOOD}


def without(environ: dict[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in environ.items() if each != name}


def token_of(
    environ: dict[str, str], audience: str | None = AUDIENCE, **meant: Any
) -> IdentityToken | None:
    rule = Rule()
    rule.where = "config.toml, rule 1"
    rule.identity = Identity(**meant) if meant else None
    return identity_token(rule, audience, Caller({"HOME": "/nowhere", **environ}, "/"))


def first(token: IdentityToken) -> HttpRequest | CommandRequest | str:
    """What it asks at first; or the token, where that is there."""
    try:
        return next(token.token(NOW))
    except StopIteration as end:
        secret: Secret = end.value
        return secret.reveal()


def told(token: IdentityToken, body: bytes, status: int = 200) -> str:
    """The token that it makes of an answer."""
    steps = token.token(NOW)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(HttpResponse(status, {}, body, NOW))
    secret: Secret = end.value.value
    return secret.reveal()


# The same as PyPI's id

JOBS = {
    "none": {},
    "github": GITHUB,
    "github, of whatever value": {**GITHUB, "GITHUB_ACTIONS": "false"},
    "github, no permission": {"GITHUB_ACTIONS": "true"},
    "github, no URL": without(GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL"),
    "github, no token": without(GITHUB, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    "github, an empty token": {**GITHUB, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""},
    "github, no mark": without(GITHUB, "GITHUB_ACTIONS"),
    "github, an empty mark": {**GITHUB, "GITHUB_ACTIONS": ""},
    "github, no query": {**GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.example/idtoken"},
    "github, an audience already": {
        **GITHUB,
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.example/t?audience=x&v=2",
    },
    "github before gitlab": {**GITHUB, **GITLAB},
    "buildkite": BUILDKITE,
    "buildkite, no agent": {**BUILDKITE, "PATH": "/nowhere"},
    "buildkite, no mark": without(BUILDKITE, "BUILDKITE"),
    "buildkite before gitlab": {**BUILDKITE, **GITLAB},
    "gitlab before circleci": {**GITLAB, **CIRCLECI},
    "circleci": CIRCLECI,
    "circleci, no program": without(CIRCLECI, "PATH"),
    "circleci, no mark": without(CIRCLECI, "CIRCLECI"),
    "gitlab": GITLAB,
    "gitlab, no token": {"GITLAB_CI": "true"},
    "gitlab, an empty token": {**GITLAB, "PYX_TRUSTED_ACCESS_ID_TOKEN": ""},
    "gitlab, no mark": without(GITLAB, "GITLAB_CI"),
    "gitlab, another audience": {"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": GOOD},
}


def as_id_has_it(monkeypatch: pytest.MonkeyPatch, audience: str = AUDIENCE) -> object:
    """What PyPI's id does in this process's environment, without the network."""
    asked: list[object] = []

    def request(method: str, url: str, *, headers: dict[str, str], **_: object) -> object:
        asked.append((method, url, headers["Authorization"]))
        return SimpleNamespace(status=200, json=lambda: {"value": GOOD})

    def no_file(_: str) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("id._internal.oidc.ambient.urllib3.request", request)
    monkeypatch.setattr(ambient, "_open", no_file)
    try:
        token = pypi_id.detect_credential(audience)
    except pypi_id.AmbientCredentialError:
        return "refused"
    ran = Path(os.environ.get("PATH", "/nowhere")) / "ran"
    if ran.exists():
        return tuple(ran.read_text().splitlines())
    return asked[0] if asked else token


def as_we_have_it(environ: dict[str, str], audience: str = AUDIENCE) -> object:
    try:
        token = token_of(environ, audience)
    except StoreError:
        return "refused"
    if token is None:
        return None
    asked = first(token)
    if isinstance(asked, str):
        return asked
    if isinstance(asked, CommandRequest):
        return asked.words
    return asked.method, asked.url, asked.headers["Authorization"]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the CIs' programs, which write down what they are told, and print a token."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("buildkite-agent", "circleci"):
        text = f"#!/bin/sh\nprintf '%s\\n' {name} \"$@\" >{folder}/ran\necho {GOOD}\n"
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_found_and_asked_for_as_id_does(
    job: str, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {name: value.replace(PROGRAMS, str(programs)) for name, value in JOBS[job].items()}
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    ours, theirs = as_we_have_it(environ), as_id_has_it(monkeypatch)
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and "https" in str(ours):
        assert query(ours[1]) == query(theirs[1])
        ours, theirs = (ours[0], ours[2]), (theirs[0], theirs[2])
    assert ours == theirs


def query(url: str) -> tuple[str, list[str]]:
    place, _, fields = url.partition("?")
    return place, sorted(fields.split("&"))


@pytest.mark.parametrize(
    "audience",
    ["sigstore", "http://test.audience", "1a", "É-x", "a b", "pyx:trusted-access", "_", "a_ID"],
)
def test_gitlab_s_variable_is_called_as_id_calls_it(
    audience: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError) as raised:
        token_of({"GITLAB_CI": "true"}, audience)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("GITLAB_CI", "true")
    with pytest.raises(pypi_id.AmbientCredentialError) as theirs:
        ambient.detect_gitlab(audience)
    (name,) = [word for word in str(theirs.value).split() if word.endswith("_ID_TOKEN")]
    assert f"{{{name}: {{aud: " in str(raised.value)


# What else we know


def test_github_s_token_goes_with_the_question_and_the_answer_s_value_is_it() -> None:
    token = sure(token_of(GITHUB))
    asked = first(token)
    assert isinstance(asked, HttpRequest)
    assert asked.url == (
        "https://run.actions.example/idtoken?api-version=2.0&audience=pyx%3Atrusted-access"
    )
    assert asked.headers == {"Authorization": "bearer of-the-job"}
    assert told(token, b'{"count": 1, "value": "%s"}' % GOOD.encode()) == GOOD


@pytest.mark.parametrize("connection", [None, "4b21-a&b"])
def test_azure_s_is_asked_by_a_post_for_the_pipeline_or_a_service_connection(
    connection: str | None,
) -> None:
    token = sure(token_of(AZURE, None, ci="azure", connection=connection))
    asked = first(token)
    assert isinstance(asked, HttpRequest)
    end = "" if connection is None else "&serviceConnectionId=4b21-a%26b"
    assert (asked.method, asked.url) == (
        "POST",
        f"{AZURE['SYSTEM_OIDCREQUESTURI']}?api-version=7.1{end}",
    )
    assert asked.headers["Authorization"] == "Bearer of-the-step"
    issued = make_jwt(int(NOW) + 600, aud="api://AzureADTokenExchange")
    assert told(token, b'{"oidcToken": "%s"}' % issued.encode()) == issued


def test_of_bitbucket_s_there_is_one_for_whoever_it_is_for() -> None:
    assert first(sure(token_of(BITBUCKET, None))) == GOOD


@pytest.mark.parametrize(
    ("environ", "remedy"),
    [
        ({"GITHUB_ACTIONS": "true"}, "`permissions: id-token: write`"),
        ({"GITLAB_CI": "true"}, "`id_tokens: {PYX_TRUSTED_ACCESS_ID_TOKEN: {aud: '"),
        (
            without(AZURE, "SYSTEM_ACCESSTOKEN"),
            "`env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`",
        ),
        (without(AZURE, "SYSTEM_OIDCREQUESTURI"), "SYSTEM_OIDCREQUESTURI is not set"),
        ({"BITBUCKET_BUILD_NUMBER": "7"}, "`oidc: true`"),
        ({"BUILDKITE": "true", "PATH": "/nowhere"}, "buildkite-agent is not on PATH"),
        ({"CIRCLECI": "true"}, "circleci is not on PATH"),
    ],
)
def test_a_job_that_may_not_have_one_is_told_what_to_write(
    environ: dict[str, str], remedy: str
) -> None:
    with pytest.raises(StoreError) as raised:
        token_of(environ)
    assert remedy in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_program_s_token_is_kept_for_its_job_alone(programs: Path) -> None:
    def key(**more: str) -> tuple[str, str]:
        token = sure(token_of({**BUILDKITE, "PATH": str(programs), **more}))
        return token.secret.reveal(), token.key

    assert key() == key(OTHER="x")
    assert key() != key(BUILDKITE_JOB_ID="2")
    assert key()[1] != sure(token_of({**CIRCLECI, "PATH": str(programs)})).key


@pytest.mark.parametrize("environ", [GITHUB, GITLAB])
def test_where_nobody_says_for_whom_it_is_it_is_not_asked(environ: dict[str, str]) -> None:
    with pytest.raises(StoreError, match=r"config.toml, rule 1 does not say for whom"):
        token_of(environ, None)


def test_a_rule_that_names_a_ci_means_that_one() -> None:
    both = {**GITHUB, **GITLAB}
    assert first(sure(token_of(both, ci="gitlab"))) == GOOD
    assert token_of(GITHUB, ci="gitlab") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://run.actions.example/idtoken",
        "http://169.254.169.254/x?y",
        "s3://bucket/x",
        "file:///etc/passwd",
        "run.actions.example/idtoken",
        "https://run.actions.example\\@evil.example/",
        "https://",
    ],
)
@pytest.mark.parametrize(
    ("environ", "name"),
    [(GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL"), (AZURE, "SYSTEM_OIDCREQUESTURI")],
)
def test_nothing_is_asked_in_the_clear_nor_at_what_is_no_server(
    environ: dict[str, str], name: str, url: str
) -> None:
    with pytest.raises(StoreError, match=name):
        token_of({**environ, name: url})


def test_a_user_name_in_the_url_is_no_host_and_is_not_sent() -> None:
    asked = first(
        sure(
            token_of({**GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://a.example@evil.example/x"})
        )
    )
    assert isinstance(asked, HttpRequest)
    assert asked.url.startswith("https://evil.example/x?")


# Files and variables


def test_a_file_or_a_variable_that_a_rule_names_has_the_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{GOOD}\n")
    file.chmod(0o600)
    assert first(sure(token_of({}, file=str(file)))) == GOOD
    assert first(sure(token_of({"HOME": str(tmp_path)}, file="~/token"))) == GOOD
    assert first(sure(token_of({"MY_TOKEN": f" {GOOD}\n"}, variable="MY_TOKEN"))) == GOOD
    assert token_of({"MY_TOKEN": " "}, variable="MY_TOKEN") is None
    assert first(sure(token_of({"MY_TOKEN": "opaque"}, None, variable="MY_TOKEN"))) == "opaque"


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_file_that_has_none_is_an_error_that_names_it(
    content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(StoreError, match=f"{file} is empty or missing"):
        token_of({}, file=str(file))


def test_a_file_is_named_with_its_whole_path() -> None:
    with pytest.raises(StoreError, match="whole path"):
        token_of({}, file="token")


# What is checked


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_an_audience_may_be_one_of_a_list(audience: object) -> None:
    issued = make_jwt(int(NOW) + 600, aud=audience)
    assert first(IdentityToken("X", Secret(issued), AUDIENCE)) == issued


@pytest.mark.parametrize("audience", ["other", ["other"], [], None, {AUDIENCE: 1}, f"{AUDIENCE}/"])
def test_a_token_for_others_is_not_sent(audience: object) -> None:
    issued = make_jwt(int(NOW) + 600, aud=audience)
    with pytest.raises(LoginError, match="from X is for another audience than pyx:") as raised:
        first(IdentityToken("X", Secret(issued), AUDIENCE))
    assert issued not in str(raised.value)
    with pytest.raises(LoginError):
        told(sure(token_of(GITHUB)), b'{"value": "%s"}' % issued.encode())


@pytest.mark.parametrize("seconds", [0, -1, -86_400])
def test_a_token_that_has_ended_is_not_sent_and_the_clock_is_shown(seconds: int) -> None:
    issued = make_jwt(int(NOW) + seconds, aud=AUDIENCE)
    with pytest.raises(LoginError) as raised:
        first(IdentityToken("X", Secret(issued), AUDIENCE))
    assert f"machine's clock says {clock.timestamp(int(NOW))}" in str(raised.value)


LIST = ".".join((GOOD.partition(".")[0], "W10", "s"))  # whose claims are []


@pytest.mark.parametrize("said", ["opaque", "a.b.c", "ey.ey.ey", "eyJ.e30.x.y", LIST])
def test_what_is_no_token_is_not_sent_where_its_audience_counts(said: str) -> None:
    with pytest.raises(LoginError, match="no JSON Web Token"):
        first(IdentityToken("X", Secret(said), AUDIENCE))


@pytest.mark.parametrize(
    ("status", "for_good"),
    [(400, True), (401, True), (403, True), (404, True), (429, False), (500, False), (302, False)],
)
def test_a_ci_that_gives_none_says_so_in_its_status(status: int, *, for_good: bool) -> None:
    steps = GitHubToken("GitHub Actions", Secret("t"), "a", "https://x.example/").token(NOW)
    next(steps)
    with pytest.raises(RenewalError, match=f"HTTP {status}") as raised:
        steps.send(HttpResponse(status, {}, b'{"value": "x"}', NOW))
    assert isinstance(raised.value, LoginError) is for_good


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"value": 1}', b'{"value": ""}', b"[" * 100_000]
)
def test_an_answer_without_a_token_is_no_answer(body: bytes) -> None:
    steps = GitHubToken("GitHub Actions", Secret("t"), "a", "https://x.example/").token(NOW)
    next(steps)
    with pytest.raises(ValueError, match=r"token in it|no JSON object"):
        steps.send(HttpResponse(200, {}, body, NOW))
