"""GitHub and GitLab through the frozen program: as Bazel fetches, Docker and git log in."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from support.forges import FILE, OBJECTS, Asking, GitHub, GitLab, secrets_in

if TYPE_CHECKING:
    from support.home import Home
    from support.internet import Internet
    from support.program import Program

SERVER = "ghe.corp.example"
OURS, THEIRS = "gho_ours", "ghes_theirs"
HOSTS = f"""\
github.com:
    oauth_token: {OURS}
    user: monalisa
{SERVER}:
    oauth_token: {THEIRS}
    user: ada
"""
GITHUB_S = ("github.com", "api.github.com", "raw.githubusercontent.com", "codeload.github.com")
GIT = "https://github.com/o/private.git/info/refs?service=git-upload-pack"


@pytest.fixture
def asking(frozen: Program, internet: Internet) -> Asking:
    """Bazel, with both GitHubs in its reach."""
    GitHub(internet, {OURS})
    GitHub(internet, {THEIRS}, SERVER)
    return Asking(frozen, internet)


FETCHED = {
    "https://github.com/o/private/archive/v1.tar.gz": 200,
    "https://raw.githubusercontent.com/o/private/main/a": 200,
    "https://api.github.com/repos/o/private/releases/assets/42": 200,
    GIT: 200,
    # What GitHub gives for no token at all.
    "https://github.com/o/private/releases/download/v1/a.zip": 404,
    "https://github.com/o/public/releases/download/v1/a.zip": 200,
    f"https://{SERVER}/o/private/archive/v1.tar.gz": 200,
    f"https://raw.{SERVER}/o/private/main/a": 200,
    f"https://{SERVER}/api/v3/repos/o/private/releases/assets/42": 200,
}


def test_bazel_fetches_what_gh_s_logins_open_and_no_token_goes_to_another(
    home: Home, asking: Asking, internet: Internet
) -> None:
    home.write(".config/gh/hosts.yml", HOSTS)
    for url, status in FETCHED.items():
        got = asking.fetch(url)
        assert got[0] == status, url
        assert got[1] == FILE or status != 200, url
    for visit in internet.visits:
        sent = secrets_in(visit)
        assert (THEIRS in sent) <= visit.host.endswith(SERVER), visit
        assert (OURS in sent) <= (visit.host in GITHUB_S)
    assert {visit.host for visit in internet.visits if "authorization" not in visit.headers} == {
        "release-assets.githubusercontent.com"
    }


def test_a_public_repository_is_for_who_has_no_token(asking: Asking) -> None:
    assert asking.fetch("https://github.com/o/public/archive/v1.tar.gz") == (200, FILE)
    assert asking.fetch("https://github.com/o/private/archive/v1.tar.gz")[0] == 404


def test_git_and_docker_log_in_to_github(
    home: Home, frozen: Program, asking: Asking, internet: Internet
) -> None:
    home.env["GH_TOKEN"] = OURS
    description = b"protocol=https\nhost=github.com\npath=o/private.git\n\n"
    said = frozen("git", "get", stdin=description).out.decode()
    login = dict(line.split("=", 1) for line in said.splitlines())
    pair = b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    assert asking.send(GIT, {"Authorization": f"Basic {pair}"})[0] == 200
    expected = {"ServerURL": "ghcr.io", "Username": "x-access-token", "Secret": OURS}
    assert frozen.docker("get", "ghcr.io").json() == expected
    answer = frozen("keyring", "get", "https://maven.pkg.github.com/o", "ada")
    assert answer.out.decode() == f"{OURS}\n"
    assert internet.to("api.github.com") == []  # nobody was asked what the token is


def test_bazel_fetches_images_of_ghcr_with_a_token_and_public_ones_without(
    home: Home, frozen: Program, asking: Asking, internet: Internet
) -> None:
    for path in ("manifests/1", "blobs/sha256:1"):
        assert asking.fetch(f"https://ghcr.io/v2/o/public/{path}") == (200, FILE)
        assert asking.fetch(f"https://ghcr.io/v2/o/private/{path}")[0] == 401
    home.write(".config/gh/hosts.yml", HOSTS)
    for path in ("manifests/1", "blobs/sha256:1"):
        assert asking.fetch(f"https://ghcr.io/v2/o/private/{path}") == (200, FILE)
    assert {visit.host for visit in internet.visits} == {
        "ghcr.io",
        "pkg-containers.githubusercontent.com",
    }
    # A token with no right to packages, as gh's mostly are: public images are there all the same.
    home.write(".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_other\n")
    answer = frozen.bazel("https://ghcr.io/v2/o/public/manifests/1")
    assert answer.authorization == "Bearer of-public"
    assert "without a credential" in answer.err
    assert asking.fetch("https://ghcr.io/v2/o/public/blobs/sha256:1") == (200, FILE)
    assert frozen.docker("get", "ghcr.io").code != 0


GITLAB, REGISTRY = "git.corp.example", "images.corp.example"
DEPLOY = ("gitlab+deploy-token-1", "gldt-d")
JOB = {
    "CI_JOB_TOKEN": "glcbt-j",
    "CI_API_V4_URL": f"https://{GITLAB}/api/v4",
    "CI_REGISTRY": REGISTRY,
    "CI_REGISTRY_USER": "gitlab-ci-token",
    "CI_REGISTRY_PASSWORD": "glcbt-j",
}
WITH = {
    "a job": JOB,
    "a person": {"GITLAB_TOKEN": "glpat-p", "GITLAB_HOST": GITLAB},
    "a deployment": {
        "CI_API_V4_URL": f"https://{GITLAB}/api/v4",
        "CI_DEPLOY_USER": DEPLOY[0],
        "CI_DEPLOY_PASSWORD": DEPLOY[1],
    },
}
PLACES = [
    f"https://{GITLAB}/api/v4/projects/7/packages/generic/a/1/a.zip",
    f"https://{GITLAB}/api/v4/projects/7/packages/pypi/files/a.whl",
]


@pytest.fixture
def gitlab(frozen: Program, internet: Internet) -> Asking:
    """Bazel, with a GitLab in its reach."""
    GitLab(internet, GITLAB, REGISTRY, job="glcbt-j", access="glpat-p", deploy=DEPLOY)
    return Asking(frozen, internet)


@pytest.mark.parametrize("variables", WITH.values(), ids=WITH)
def test_bazel_fetches_what_a_token_of_gitlab_s_opens(
    home: Home, gitlab: Asking, internet: Internet, variables: dict[str, str]
) -> None:
    for url in PLACES:
        assert gitlab.fetch(url)[0] == 404
    home.env |= variables
    for url in PLACES:
        assert gitlab.fetch(url) == (200, FILE), url
    assert gitlab.fetch(f"https://{GITLAB}/o/p.git/info/refs") == (200, FILE)
    assert len(internet.to(OBJECTS)) == len(PLACES)


@pytest.mark.parametrize("variables", WITH.values(), ids=WITH)
def test_pip_logs_in_to_gitlab_s_index(
    home: Home, frozen: Program, gitlab: Asking, variables: dict[str, str]
) -> None:
    url = PLACES[1]
    home.env |= variables
    words = ("keyring", "--mode", "creds", "get", url)
    user, password = frozen(*words).out.decode().splitlines()
    pair = b64encode(f"{user}:{password}".encode()).decode()
    status, there, _ = gitlab.send(url, {"Authorization": f"Basic {pair}"})
    assert (status, there.startswith(f"https://{OBJECTS}/")) == (302, True)
    assert gitlab.send(url, {})[0] == 404


def test_a_token_of_gitlab_s_that_is_not_known_is_told_by_it(home: Home, gitlab: Asking) -> None:
    home.env |= {**JOB, "CI_JOB_TOKEN": "glcbt-old"}
    for url in PLACES:
        assert gitlab.fetch(url)[0] == 401


def test_bazel_fetches_an_image_of_a_job_s_registry(
    home: Home, gitlab: Asking, internet: Internet
) -> None:
    home.env |= JOB
    manifest = f"https://{REGISTRY}/v2/o/p/manifests/1"
    assert gitlab.fetch(manifest) == (200, FILE)
    (asked,) = [visit for visit in internet.to(GITLAB) if visit.path == "/jwt/auth"]
    assert "scope=repository%3Ao%2Fp%3Apull" in asked.target
    # A registry that sends its clients to somebody else is not given the login for that.
    realm = 'Bearer realm="https://evil.example/jwt/auth",service="container_registry"'
    internet.hosts[REGISTRY] = lambda _: (401, {"WWW-Authenticate": realm}, b"no")
    internet.hosts["evil.example"] = lambda _: (200, {}, {"token": "t"})
    assert gitlab.fetch(manifest)[0] == 401
    assert not any(visit.authorization for visit in internet.to("evil.example"))


def test_docker_logs_in_to_a_job_s_registry(home: Home, frozen: Program, gitlab: Asking) -> None:
    home.env |= JOB
    login = frozen.docker("get", REGISTRY).json()
    pair = b64encode(f"{login['Username']}:{login['Secret']}".encode()).decode()
    url = f"https://{GITLAB}/jwt/auth?service=container_registry&scope=repository:o/p:pull"
    assert gitlab.send(url, {"Authorization": f"Basic {pair}"})[0] == 200
    assert frozen.docker("get", "registry.gitlab.com").code != 0
