"""A CI's identity, from a real issuer, exchanged by the frozen program for whoever asks."""

from __future__ import annotations

import base64
import json
import re
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import yaml

from credlatch.agent import wire
from credlatch.agent.place import mount_namespace
from support import oidc
from support.agent import agent_of
from support.oidc import Ci, Issuer
from support.oidc_exchanges import KINDS, LASTS, Exchanges
from support.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home
    from support.internet import Answer, Internet
    from support.program import Program

HOST = "https://packages.example/"
URL = f"{HOST}simple/"
SERVER = "tokens.example"
CALLERS = 200
# The kind that a rule says, where that server is, and what a rule has to say besides.
PATHS = {
    "rfc8693": ("/oauth/token", {}),
    "posit": ("/__api__/token", {}),
    "artifactory": ("/access/api/v1/oidc/token", {"provider_name": "ci"}),
    "cloudsmith": ("/v2/openid/acme", {"service_slug": "builds"}),
    "pypi": ("/_/oidc/mint-token", {}),
    "pyx": ("/v1/trusted-access/acme", {}),
}
USERS = {"artifactory": "ci-reader", "cloudsmith": "token"}
BASIC = {"posit", "cloudsmith", "pypi"}
PYX = KINDS[PATHS["pyx"][0]].audience


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with oidc.issuer() as issuer:
        yield issuer


class Place:
    """A job's home, with a rule, a CI and a server on the internet of the test."""

    def __init__(self, home: Home, internet: Internet, issuer: Issuer) -> None:
        self.home = home
        self.issuer = issuer
        self.ci = Ci(issuer)
        self.server = Exchanges(issuer.url)
        self.internet = internet
        internet.hosts |= {
            Ci.GITHUB: self.ci.github,
            Ci.AZURE: self.ci.azure,
            SERVER: self.server,
        }

    def job(self, **environ: str) -> None:
        self.home.env |= environ

    def rule(self, kind: str, **more: str) -> None:
        """A rule for HOST; what is in ``more`` is TOML."""
        path, fields = PATHS[kind]
        said = {
            "url": f'"{HOST}"',
            "use": '["ci"]',
            "audience": f'"{KINDS[path].audience}"',
            **more,
        }
        rows = [f"{name} = {value}" for name, value in said.items()]
        added = ", ".join(f'{name} = "{value}"' for name, value in fields.items())
        rows += ["[rule.exchange]", f'kind = "{kind}"', f'url = "https://{SERVER}{path}"']
        rows += [f"fields = {{{added}}}"] * bool(fields)
        self.settings("\n".join(("[[rule]]", *rows)))

    def settings(self, text: str) -> None:
        self.home.write(".config/credlatch/config.toml", text)

    def program(self, name: str, token: str) -> None:
        """A program of the CI's, on PATH, that writes down its words, and prints a token."""
        folder = self.home.path / "bin"
        text = f'#!/bin/sh\nprintf "%s|" "$@" >>{folder}/ran\necho {token}\n'
        self.home.write(f"bin/{name}", text, 0o755)
        self.home.path_begins_with(folder)

    @property
    def token(self) -> str:
        """The last one that the server gave."""
        return self.server.issued[-1][1]


@pytest.fixture
def place(home: Home, internet: Internet, issuer: Issuer) -> Place:
    return Place(home, internet, issuer)


def basic(user: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


@pytest.mark.parametrize("kind", PATHS)
def test_each_kind_of_server_takes_the_identity_of_a_job_at_github(
    frozen: Program, place: Place, kind: str
) -> None:
    place.job(**place.ci.github_job)
    place.rule(kind)
    user = USERS.get(kind, "__token__")
    said = frozen.bazel(f"{URL}demo/").json()
    header = basic(user, place.token) if kind in BASIC else f"Bearer {place.token}"
    assert said["headers"] == {"Authorization": [header]}
    end = time.strptime(said["expires"], "%Y-%m-%dT%H:%M:%SZ")
    assert time.time() < time.mktime(end) - time.timezone <= time.time() + LASTS
    login = frozen.docker("get", HOST).json()
    assert (login["Username"], login["Secret"]) == (user, place.token)
    password = frozen("keyring", "get", URL, user)
    assert password.out.decode().strip() == place.token
    assert place.server.refused == []
    assert {path for path, _ in place.server.issued} == {PATHS[kind][0]}


def environment(place: Place, name: str) -> dict[str, str]:
    """What a job of a CI has, for pyx's audience."""
    token = place.issuer.token(PYX)
    if name == "github":
        return place.ci.github_job
    if name == "gitlab":
        return {"GITLAB_CI": "true", "PYX_TRUSTED_ACCESS_ID_TOKEN": token}
    if name == "bitbucket":
        return {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_STEP_OIDC_TOKEN": token}
    if name == "buildkite":
        place.program("buildkite-agent", token)
        return {"BUILDKITE": "true", "BUILDKITE_JOB_ID": "1"}
    assert name == "circleci"
    place.program("circleci", token)
    return {"CIRCLECI": "true", "CIRCLE_WORKFLOW_JOB_ID": "1"}


@pytest.mark.parametrize("name", ["github", "gitlab", "buildkite", "circleci", "bitbucket"])
def test_each_ci_s_job_gets_a_token(frozen: Program, place: Place, name: str) -> None:
    place.job(**environment(place, name))
    place.rule("pyx")
    assert frozen.bazel(URL).authorization == f"Bearer {place.token}"
    words = {
        "buildkite": f"oidc|request-token|--audience|{PYX}|",
        "circleci": f'run|oidc|get|--claims|{{"aud": "{PYX}"}}|--root-issuer|',
    }
    if name in words:
        assert (place.home.path / "bin" / "ran").read_text() == words[name]


def test_azure_s_pipeline_gets_a_token_for_the_audience_that_azure_has(
    frozen: Program, place: Place
) -> None:
    place.job(**place.ci.azure_job)
    place.server.audiences[PATHS["rfc8693"][0]] = "api://AzureADTokenExchange"
    place.rule("rfc8693", audience='"api://AzureADTokenExchange"')
    assert frozen.bazel(URL).authorization == f"Bearer {place.token}"


@pytest.mark.parametrize("where", ["file", "variable"])
def test_a_token_in_a_file_or_a_variable_is_exchanged(
    frozen: Program, place: Place, where: str
) -> None:
    token = place.issuer.token(PYX)
    place.home.write("run/token", f"{token}\n")
    place.job(MINE=token)
    said = {"file": '"~/run/token"', "variable": '"MINE"'}[where]
    place.rule("pyx", identity=f"{{{where} = {said}}}")
    assert frozen.bazel(URL).authorization == f"Bearer {place.token}"


def test_what_is_another_url_gets_nothing_of_it(frozen: Program, place: Place) -> None:
    place.job(**place.ci.github_job)
    place.rule("pyx", url=f'"{URL}"')
    for other in (
        HOST,
        f"{HOST}other/",
        f"{HOST}simpler/",
        "https://packages.example:8443/simple/",
        "https://packages.example.evil.example/simple/",
        "https://a.packages.example/simple/",
        f"https://{SERVER}/",
    ):
        assert frozen.bazel(other).json() == {"headers": {}}
    assert (place.ci.asked, place.server.visits) == ([], 0)


def test_two_hundred_callers_are_one_exchange(frozen: Program, place: Place) -> None:
    """Of the agent: a call that it is too busy for fetches a token of its own, in its process."""
    place.job(**place.ci.github_job)
    place.rule("pyx")
    with agent_of(frozen) as agent:
        agent.warm()
        mounts = mount_namespace()
        environ = "\0".join(f"{name}={value}" for name, value in place.home.env.items()).encode()

        def ask(number: int) -> object:
            stdin = json.dumps({"uri": f"{URL}{number}/"}).encode()
            answer = agent.ask(wire.GET, b"bazel", b"/", mounts, stdin, environ)
            assert answer is not None
            return json.loads(answer[1])["headers"]["Authorization"]

        with ThreadPoolExecutor(CALLERS) as pool:
            answers = list(pool.map(ask, range(CALLERS)))
        assert answers == [[f"Bearer {place.token}"]] * CALLERS
        assert (place.ci.asked, place.server.visits) == ([PYX], 1)
        assert frozen.bazel(URL).authorization == f"Bearer {place.token}"
        assert place.server.visits == 1


# What goes wrong


def lines(place: Place, frozen: Program) -> str:
    """What a call says that has no answer: one line, without anything secret."""
    answer = frozen.bazel(URL)
    assert (answer.code, answer.out) == (1, b"")
    said = answer.err.strip()
    assert "\n" not in said
    assert "of-the-job" not in said
    assert re.search(r"ey[A-Za-z0-9_-]{20}", said) is None
    assert place.server.issued == []
    return said


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"GITHUB_ACTIONS": "true"}, "`permissions: id-token: write`"),
        ({"GITLAB_CI": "true"}, "`id_tokens: {PYX_TRUSTED_ACCESS_ID_TOKEN:"),
        ({"BITBUCKET_BUILD_NUMBER": "1"}, "`oidc: true`"),
        ({"TF_BUILD": "True", "SYSTEM_OIDCREQUESTURI": "https://x.example/"}, "SYSTEM_ACCESSTOKEN"),
        ({"BUILDKITE": "true"}, "buildkite-agent is not on PATH"),
    ],
)
def test_a_job_without_the_permission_is_told_what_to_write(
    frozen: Program, place: Place, environ: dict[str, str], says: str
) -> None:
    place.job(**environ)
    place.rule("pyx")
    assert says in lines(place, frozen)


def test_a_token_for_others_or_that_has_ended_is_not_sent(frozen: Program, place: Place) -> None:
    place.job(**place.ci.github_job)
    place.rule("pyx")
    place.ci.audience = "https://elsewhere.example"
    assert "is for another audience" in lines(place, frozen)
    place.ci.audience = None
    place.home.write("old", place.issuer.token(PYX, oidc.BRIEF))
    place.rule("pyx", identity='{file = "~/old"}')
    time.sleep(2 * oidc.BRIEF)
    said = lines(place, frozen)
    assert "expired at" in said
    assert "this machine's clock says" in said
    assert place.server.visits == 0


def test_the_server_decides_by_the_issuer_s_keys_and_a_refusal_says_where_to_look(
    frozen: Program, place: Place
) -> None:
    head, claims, _ = place.issuer.token(PYX).split(".")
    place.job(MINE=f"{head}.{claims}.{place.issuer.token(PYX).split('.')[2]}")
    place.rule("pyx", identity='{variable = "MINE"}')
    said = lines(place, frozen)
    assert place.server.refused == ["its signature"]
    assert "does not take this job's identity (HTTP 401, invalid_grant)" in said
    assert "config.toml" in said


def test_an_identity_that_was_used_before_is_refused_by_the_server(
    frozen: Program, place: Place
) -> None:
    place.job(MINE=place.issuer.token(PYX))
    place.rule("pyx", identity='{variable = "MINE"}')
    assert frozen.bazel(URL).authorization is not None
    place.server.issued.clear()
    assert "does not take this job's identity" in lines(place, frozen)
    assert place.server.refused == ["jti, which was here before"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((403, {}, {"error": "access_denied"}), "(HTTP 403, access_denied)"),
        ((429, {"Retry-After": "30"}, {}), "(HTTP 429): try again"),
        ((503, {}, {"error": "temporarily_unavailable"}), "temporarily_unavailable): try again"),
        ((307, {"Location": "https://evil.example/token"}, {}), "redirects elsewhere"),
        ((200, {}, {"access_token": "t"}), "did not answer with a token"),
    ],
)
def test_an_exchange_that_gives_none_is_one_line(
    frozen: Program, place: Place, answer: Answer, says: str
) -> None:
    place.job(**place.ci.github_job)
    place.rule("pyx")
    place.internet.hosts["evil.example"] = place.server
    place.server.answer = answer
    assert says in lines(place, frozen)
    assert place.internet.to("evil.example") == []


@pytest.mark.parametrize("silent", [Ci.GITHUB, SERVER])
def test_who_says_nothing_is_given_up_in_time(frozen: Program, place: Place, silent: str) -> None:
    place.job(**place.ci.github_job, CREDLATCH_TIMEOUT="30")
    place.rule("pyx")
    place.internet.hosts[silent] = None
    begin = time.monotonic()
    assert silent in lines(place, frozen)
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    "url", ["http://run-actions-1.example/x?api-version=2.0", "http://169.254.169.254/", "nowhere"]
)
def test_an_identity_is_asked_for_over_https_alone(frozen: Program, place: Place, url: str) -> None:
    place.job(**{**place.ci.github_job, "ACTIONS_ID_TOKEN_REQUEST_URL": url})
    place.rule("pyx")
    assert "ACTIONS_ID_TOKEN_REQUEST_URL names" in lines(place, frozen)
    assert place.internet.asked == []


def test_another_host_in_a_job_s_variables_gets_the_job_s_own_token_and_no_more(
    frozen: Program, place: Place
) -> None:
    """Who sets a job's variables is that job; what it is sent there, it has set beside the URL."""
    place.internet.hosts["evil.example"] = lambda _: (200, {}, {"value": "not a token"})
    place.job(
        **{**place.ci.github_job, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://evil.example/?a=b"}
    )
    place.rule("pyx")
    assert "no JSON Web Token" in lines(place, frozen)
    (visit,) = place.internet.visits
    assert visit.authorization == "bearer of-the-job"
    assert place.server.visits == 0


@pytest.mark.parametrize("kind", ["rule", "identity", "http"])
def test_settings_that_could_send_an_identity_elsewhere_are_refused_with_their_line(
    frozen: Program, place: Place, kind: str
) -> None:
    place.job(**place.ci.github_job)
    place.rule("pyx", **({"identity": '{ci = "jenkins"}'} if kind == "identity" else {}))
    path = place.home.path / ".config/credlatch/config.toml"
    text = path.read_text()
    if kind == "http":
        text = text.replace(f"https://{SERVER}", f"http://{SERVER}")
    elif kind == "rule":
        text = text.replace("kind =", "kinds =")
    place.settings(text)
    assert "config.toml line" in lines(place, frozen)
    assert place.internet.asked == []


# What docs/clouds.md shows

BLOCKS = Page("docs/clouds.md").blocks["CI identity"]
RULES = [block.text for block in BLOCKS if block.kind == "toml"]
WORKFLOWS = [block.text for block in BLOCKS if block.kind == "yaml"]


@pytest.mark.parametrize("text", RULES, ids=lambda text: tomllib.loads(text)["rule"][0]["url"])
def test_a_rule_of_the_document_holds_as_it_stands(
    frozen: Program, place: Place, text: str
) -> None:
    (rule,) = tomllib.loads(text)["rule"]
    place.settings(text)
    token = place.issuer.token(rule.get("audience", PYX))
    named = rule.get("identity", {})
    if "variable" in named:
        place.job(**{named["variable"]: token})
    elif "file" in named:
        place.home.write(named["file"].removeprefix("~/"), token)
    elif rule.get("audience") == "api://AzureADTokenExchange":
        place.job(**place.ci.azure_job)
    else:
        place.job(**place.ci.github_job)
    if "exchange" not in rule:
        assert token in frozen.bazel(rule["url"]).json()["headers"][rule["header"]]
        return
    _, _, host, *path = rule["exchange"]["url"].split("/")
    place.internet.hosts[host] = place.server
    place.server.audiences["/" + "/".join(path)] = rule.get("audience", PYX)
    sent = _tokens(frozen.bazel(rule["url"]).json()["headers"])
    assert place.token in sent


def _tokens(headers: dict[str, list[str]]) -> list[str]:
    """The tokens in headers, also in Basic."""
    found = []
    for (value,) in headers.values():
        scheme, _, token = value.rpartition(" ")
        found.append(
            base64.b64decode(token).decode().partition(":")[2] if scheme == "Basic" else token
        )
    return found


def test_the_workflows_of_the_document_have_what_their_ci_needs(
    frozen: Program, place: Place
) -> None:
    github, gitlab, azure, bitbucket = (yaml.safe_load(text) for text in WORKFLOWS)
    assert github["permissions"]["id-token"] == "write"
    (step,) = [each for each in azure["steps"] if "env" in each]
    assert step["env"] == {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}
    steps = bitbucket["pipelines"]["default"]
    assert [each["step"]["oidc"] for each in steps] == [True]
    ((name, said),) = gitlab["build"]["id_tokens"].items()
    assert said["aud"] == PYX
    place.job(GITLAB_CI="true", **{name: place.issuer.token(said["aud"])})
    place.rule("pyx")
    assert frozen.bazel(URL).authorization == f"Bearer {place.token}"
