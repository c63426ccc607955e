"""GitLab: which token goes to which server, and in which header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.headers import Headers
from credlatch.identities import gitlab
from credlatch.protocols import docker
from credlatch.resolve import Resolver
from credlatch.rules import Rule
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.identities import basic, entry, headers, look_alikes

if TYPE_CHECKING:
    from support.home import Home

FILE = ".config/glab-cli/config.yml"

# As GitLab's runner sets them for a job.
JOB = {
    "GITLAB_CI": "true",
    "CI_JOB_TOKEN": "glcbt-j",
    "CI_SERVER_PROTOCOL": "https",
    "CI_SERVER_HOST": "git.corp.example",
    "CI_SERVER_PORT": "443",
    "CI_SERVER_URL": "https://git.corp.example",
    "CI_API_V4_URL": "https://git.corp.example/api/v4",
    "CI_REGISTRY": "images.corp.example:5050",
    "CI_REGISTRY_USER": "gitlab-ci-token",
    "CI_REGISTRY_PASSWORD": "glcbt-j",
    "CI_DEPENDENCY_PROXY_SERVER": "git.corp.example:443",
    "CI_DEPENDENCY_PROXY_USER": "gitlab-ci-token",
    "CI_DEPENDENCY_PROXY_PASSWORD": "glcbt-j",
}
PACKAGES = "/api/v4/projects/7/packages"
JOB_HEADER = {"JOB-TOKEN": "glcbt-j"}
JOB_LOGIN = {"Authorization": basic("gitlab-ci-token", "glcbt-j")}

OF_A_JOB: dict[str, dict[str, str]] = {
    f"{PACKAGES}/generic/a/1/a.zip": JOB_HEADER,
    f"{PACKAGES}/maven/a/1/a.pom": JOB_HEADER,
    f"{PACKAGES}/npm/@a%2fb": JOB_HEADER,
    f"{PACKAGES}/pypi/simple/a/": JOB_LOGIN,
    "/api/v4/groups/g%2Fh/-/packages/pypi/simple/a/": JOB_LOGIN,
    f"{PACKAGES}/nuget/index.json": JOB_LOGIN,
    f"{PACKAGES}/go/a/@v/list": JOB_LOGIN,
    f"{PACKAGES}/packages": JOB_HEADER,
    PACKAGES: JOB_HEADER,
    "/api/v4/projects/packages/releases": JOB_HEADER,
    "/api/v4/projects/7/jobs/artifacts/main/download?job=b": JOB_HEADER,
    "/api/v4x/packages/pypi/": JOB_HEADER,
    "/g/p/-/archive/v1/p.tar.gz": JOB_HEADER,
    "/g/p.git/info/refs?service=git-upload-pack": JOB_LOGIN,
    "/g/p.git/gitlab-lfs/objects/1/2": JOB_LOGIN,
    "/v2/g/dependency_proxy/containers/alpine/manifests/3": JOB_LOGIN,
    "/jwt/auth?service=dependency_proxy": JOB_LOGIN,
}


@pytest.mark.parametrize(("path", "expected"), OF_A_JOB.items())
def test_each_path_has_the_header_that_takes_a_job_s_token(
    home: Home, path: str, expected: dict[str, str]
) -> None:
    home.env |= JOB
    assert headers(caller_of(home), f"https://git.corp.example{path}") == expected


ACCESS = {"PRIVATE-TOKEN": "glpat-p"}
OAUTH = "0123456789abcdef" * 4
SERVER, REGISTRY = "https://git.corp.example", "https://images.corp.example:5050"
DEPLOY = {"CI_DEPLOY_USER": "gitlab+deploy-token-1", "CI_DEPLOY_PASSWORD": "gldt-d"}
ENDS = {name: value for name, value in JOB.items() if name != "CI_JOB_TOKEN"}
TOKEN = {"GITLAB_TOKEN": "glpat-p"}
WHERE: list[tuple[dict[str, str], str, dict[str, str]]] = [
    # A token that a person has set is of the server that is meant: glab's rule, and one of them.
    (TOKEN, "https://gitlab.com/x", ACCESS),
    ({"GITLAB_ACCESS_TOKEN": "glpat-p"}, "https://gitlab.com/x", ACCESS),
    (TOKEN, "https://registry.gitlab.com/v2/a/manifests/1",
     {"Authorization": basic("oauth2", "glpat-p")}),
    (TOKEN, SERVER, {}),
    ({**TOKEN, "GITLAB_HOST": "git.corp.example"}, SERVER, ACCESS),
    ({**TOKEN, "GITLAB_HOST": "https://git.corp.example"}, SERVER, ACCESS),
    ({**TOKEN, "GITLAB_URI": "https://git.corp.example/"}, SERVER, ACCESS),
    ({**TOKEN, "GL_HOST": "GIT.corp.example"}, SERVER, ACCESS),
    ({**TOKEN, "GITLAB_HOST": "git.corp.example"}, "https://gitlab.com/x", {}),
    ({**TOKEN, "GITLAB_HOST": "git.corp.example"}, "https://registry.gitlab.com/v2/", {}),
    ({**TOKEN, "GITLAB_HOST": "http://git.corp.example"}, SERVER, {}),
    ({**TOKEN, "GITLAB_HOST": "git.corp.example:8443"}, SERVER, {}),
    ({**TOKEN, "GITLAB_HOST": "git.corp.example:8443"}, f"{SERVER}:8443/", ACCESS),
    ({**TOKEN, "GITLAB_HOST": "no host"}, "https://gitlab.com/x", {}),
    ({"GITLAB_TOKEN": OAUTH}, "https://gitlab.com/x", {"Authorization": f"Bearer {OAUTH}"}),
    ({"GITLAB_TOKEN": OAUTH}, "https://gitlab.com/a.git/info/refs",
     {"Authorization": basic("oauth2", OAUTH)}),
    ({"GITLAB_TOKEN": "glcbt-j"}, "https://gitlab.com/x", JOB_HEADER),
    # In a job it is of the server that the job runs on, and counts before the job's own.
    ({**JOB, **TOKEN}, SERVER, ACCESS),
    ({**JOB, **TOKEN}, "https://gitlab.com/x", {}),
    ({**JOB, **TOKEN, "GITLAB_HOST": "gitlab.com"}, "https://gitlab.com/x", ACCESS),
    ({**JOB, **TOKEN, "GITLAB_HOST": "gitlab.com"}, SERVER, JOB_HEADER),
    ({**JOB, **TOKEN}, f"{REGISTRY}/v2/a/manifests/1", JOB_LOGIN),
    ({**JOB, **TOKEN, "CI_REGISTRY_PASSWORD": "", "CI_JOB_TOKEN": ""}, f"{REGISTRY}/v2/a/tags/list",
     {"Authorization": basic("oauth2", "glpat-p")}),
    # A job's token, and to its server alone.
    (JOB, f"{REGISTRY}/v2/a/manifests/1", JOB_LOGIN),
    ({**JOB, "CI_REGISTRY_USER": ""}, f"{REGISTRY}/v2/a/manifests/1", JOB_LOGIN),
    (JOB, "https://images.corp.example/v2/a/manifests/1", {}),
    (JOB, "https://gitlab.com/api/v4/x", {}),
    (JOB, "https://registry.gitlab.com/v2/", {}),
    (JOB, "http://git.corp.example/x", {}),
    (JOB, "https://git.corp.example:8443/x", {}),
    ({**JOB, "CI_API_V4_URL": "http://git.corp.example/api/v4"}, SERVER, {}),
    ({"CI_JOB_TOKEN": "glcbt-j", "CI_SERVER_HOST": "git.corp.example"}, SERVER, JOB_HEADER),
    ({"CI_JOB_TOKEN": "glcbt-j", "CI_SERVER_URL": SERVER}, SERVER, JOB_HEADER),
    ({"CI_JOB_TOKEN": "glcbt-j", "CI_SERVER_HOST": "git.corp.example",
      "CI_SERVER_PROTOCOL": "http"}, SERVER, {}),
    ({"CI_JOB_TOKEN": "glcbt-j", "CI_SERVER_HOST": "git.corp.example",
      "CI_SERVER_PORT": "8443"}, f"{SERVER}:8443/x", JOB_HEADER),
    ({"CI_JOB_TOKEN": "glcbt-j"}, "https://gitlab.com/x", {}),
    # A server below a path has its own part of the host alone.
    ({**JOB, "CI_API_V4_URL": f"{SERVER}/gitlab/api/v4"}, f"{SERVER}/gitlab/api/v4/x", JOB_HEADER),
    ({**JOB, "CI_API_V4_URL": f"{SERVER}/gitlab/api/v4"},
     f"{SERVER}/gitlab{PACKAGES}/pypi/simple/a/", JOB_LOGIN),
    ({**JOB, "CI_API_V4_URL": f"{SERVER}/gitlab/api/v4"}, f"{SERVER}/other/x", {}),
    # A deploy token, where there is no other.
    ({**ENDS, **DEPLOY}, f"{SERVER}{PACKAGES}/generic/a/1/a", {"Deploy-Token": "gldt-d"}),
    ({**ENDS, **DEPLOY}, f"{SERVER}{PACKAGES}/pypi/simple/",
     {"Authorization": basic("gitlab+deploy-token-1", "gldt-d")}),
    ({**ENDS, **DEPLOY, "CI_REGISTRY_USER": ""}, f"{REGISTRY}/v2/a/manifests/1",
     {"Authorization": basic("gitlab+deploy-token-1", "gldt-d")}),
    ({**JOB, **DEPLOY}, SERVER, JOB_HEADER),
    ({**ENDS, **DEPLOY}, "https://gitlab.com/x", {}),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "url", "expected"), WHERE)
def test_no_token_goes_to_another_host(
    home: Home, variables: dict[str, str], url: str, expected: dict[str, str]
) -> None:
    home.env |= {name: value for name, value in variables.items() if value}
    caller = caller_of(home)
    assert headers(caller, url) == expected
    assert caller.warnings == []


def test_of_a_job_s_two_tokens_the_user_name_chooses(home: Home) -> None:
    home.env |= {**JOB, **DEPLOY}
    caller = caller_of(home)
    rule = Rule()
    rule.account = "gitlab+deploy-token-1"
    assert headers(caller, f"{SERVER}/api/v4/x", rule) == {"Deploy-Token": "gldt-d"}
    rule.account = "gitlab-ci-token"
    assert headers(caller, f"{SERVER}/api/v4/x", rule) == JOB_HEADER
    rule.account = "nobody"
    assert headers(caller, f"{SERVER}/api/v4/x", rule) == {}
    named = f"{SERVER}/g/p.git/info/refs".replace("//", "//gitlab%2Bdeploy-token-1@")
    assert headers(caller, named) == {"Authorization": basic("gitlab+deploy-token-1", "gldt-d")}
    # A job's login has one user name, and is no other user's.
    assert headers(caller, f"{SERVER}/g/p.git/info/refs".replace("//", "//ada@")) == {}
    assert headers(caller, f"{SERVER}/api/v4/x".replace("//", "//ada@")) == JOB_HEADER


def test_docker_gets_the_login_of_a_registry_and_of_the_dependency_proxy(home: Home) -> None:
    home.env |= JOB
    for key in (b"images.corp.example:5050", b"git.corp.example:443", b"git.corp.example"):
        request = docker.PROTOCOL.parse(key).request
        assert request is not None
        found = Resolver(caller_of(home)).resolve(request)
        assert found is not None
        username, password = found.credential.login("")
        assert (username, password.reveal()) == ("gitlab-ci-token", "glcbt-j")


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"{REGISTRY}/v2/a/manifests/1", f"{SERVER}/jwt/auth"),
        (f"{SERVER}/v2/a/dependency_proxy/containers/b/manifests/1", f"{SERVER}/jwt/auth"),
        ("https://images.salsa.example/v2/a/tags/list", "https://salsa.example/jwt/auth"),
        ("https://registry.gitlab.com/v2/a/tags/list", "https://gitlab.com/jwt/auth"),
        (f"{SERVER}/api/v4/x", None),
    ],
)
def test_a_registry_s_login_is_for_the_token_server_of_its_own_gitlab(
    home: Home, url: str, endpoint: str | None
) -> None:
    home.env |= JOB
    home.write(FILE, GLAB)
    found = entry(caller_of(home), url)
    assert found is not None
    assert found.endpoint == endpoint


def test_git_and_keyring_get_the_login_beside_a_header(home: Home) -> None:
    home.env |= JOB
    found = entry(caller_of(home), f"{SERVER}/g/p")
    assert found is not None
    assert isinstance(found.credential, Headers)
    username, password = found.credential.login("")
    assert (username, password.reveal()) == ("gitlab-ci-token", "glcbt-j")


# glab's file, with what its versions leave in it.
GLAB = """\
# What protocol to use when performing Git operations. Supported values: ssh, https.
git_protocol: ssh
editor:
check_update: true
host: gitlab.com
hosts:
    gitlab.com:
        # What protocol to use to access the API endpoint. Supported values: http, https.
        api_protocol: https
        token: !!null glpat-com
    salsa.example:
        token: glpat-salsa
        api_host: api.salsa.example:3443
        container_registry_domains: salsa.example,salsa.example:443,images.salsa.example
    web.example:
        is_oauth2: "true"
        oauth2_expiry_date: 13 Mar 33 15:47 UTC
        token: "oauth"
    old.example:
        is_oauth2: "true"
        oauth2_expiry_date: 13 Mar 23 15:47 UTC
        token: oauth
    below.example:
        subfolder: gitlab
        token: glpat-below
    list.example:
        token: glpat-list
        container_registry_domains:
            - registry.list.example
aliases:
    ci: pipeline ci
"""
IN_FILE: dict[str, dict[str, str]] = {
    "https://gitlab.com/x": {"PRIVATE-TOKEN": "glpat-com"},
    "https://registry.gitlab.com/v2/a/": {"Authorization": basic("oauth2", "glpat-com")},
    "https://salsa.example/api/v4/x": {"PRIVATE-TOKEN": "glpat-salsa"},
    "https://salsa.example/a.git/info/refs": {"Authorization": basic("oauth2", "glpat-salsa")},
    "https://api.salsa.example:3443/api/v4/x": {"PRIVATE-TOKEN": "glpat-salsa"},
    "https://api.salsa.example/api/v4/x": {},
    "https://images.salsa.example/v2/a/": {"Authorization": basic("oauth2", "glpat-salsa")},
    "https://registry.salsa.example/v2/a/": {},
    "https://web.example/x": {"Authorization": "Bearer oauth"},
    "https://below.example/gitlab/api/v4/x": {"PRIVATE-TOKEN": "glpat-below"},
    "https://below.example/api/v4/x": {},
    "https://list.example/x": {"PRIVATE-TOKEN": "glpat-list"},
    "https://registry.list.example/v2/": {},
    "https://other.example/x": {},
}


@pytest.mark.parametrize(("url", "expected"), IN_FILE.items())
def test_glab_s_login_of_the_host_that_is_asked(
    home: Home, url: str, expected: dict[str, str]
) -> None:
    home.write(FILE, GLAB)
    caller = caller_of(home)
    assert headers(caller, url) == expected
    assert caller.warnings == []


def test_an_oauth_token_that_glab_has_not_renewed_is_not_sent(home: Home) -> None:
    home.write(FILE, GLAB)
    caller = caller_of(home)
    request = docker.PROTOCOL.parse(b"old.example").request
    assert request is not None
    outcome = Resolver(caller).outcome(request)
    assert (outcome.resolution, outcome.failure) == (None, None)
    (warning,) = caller.warnings
    assert "2023-03-13T15:47:00Z" in warning
    assert "glab auth status --hostname old.example" in warning


NO_ENDS = ["", "soon", "13 Foo 23 15:47 UTC", "13 Mar 23 15:47 CET", "1:2",
           "13 Mar 99999999999999999999 15:47 UTC", "13 Mar 9999 15:47 UTC"]  # fmt: skip


@pytest.mark.parametrize("text", NO_ENDS)
def test_an_end_that_is_not_told_is_unknown(home: Home, text: str) -> None:
    home.write(FILE, f'hosts:\n  a.example:\n    is_oauth2: "true"\n    token: t\n'
                     f'    oauth2_expiry_date: "{text}"\n')  # fmt: skip
    found = entry(caller_of(home), "https://a.example/x")
    assert found is not None
    assert found.expires is None


def test_a_variable_is_of_the_host_that_glab_means(home: Home) -> None:
    home.write(FILE, "host: git.corp.example\nhosts:\n  git.corp.example:\n    user: a\n")
    home.env["GITLAB_TOKEN"] = "glpat-p"
    caller = caller_of(home)
    assert headers(caller, SERVER) == ACCESS
    assert headers(caller, "https://gitlab.com/x") == {}


@pytest.mark.parametrize("service", ["glab:a.example:token", "glab:a.example"])
def test_a_token_in_the_keyring(home: Home, service: str) -> None:
    home.write(FILE, 'hosts:\n  a.example:\n    use_keyring: "true"\n')
    caller = WithKeyring(home, FakeKeyring((service, "", "glpat-k")))
    assert headers(caller, "https://a.example/x") == {"PRIVATE-TOKEN": "glpat-k"}


def test_the_keyring_is_asked_for_a_host_of_glab_s_file_alone(home: Home) -> None:
    home.write(FILE, 'hosts:\n  a.example:\n    use_keyring: "true"\n')
    caller = WithKeyring(home, FakeKeyring(failure=StoreError("locked")))
    assert headers(caller, "https://b.example/x") == {}
    assert caller.warnings == []
    assert headers(caller, "https://a.example/x") == {}
    assert caller.warnings == ["locked"]


def test_look_alikes_get_nothing(home: Home) -> None:
    home.write(FILE, GLAB)
    home.env |= {**JOB, **DEPLOY, **TOKEN}
    caller = caller_of(home)
    hosts = [
        *("gitlab.com", "registry.gitlab.com", "git.corp.example", "images.corp.example"),
        *("salsa.example", "web.example"),
    ]
    for url in look_alikes(hosts, seed=12, count=1000):
        assert headers(caller, url) == {}, url
    assert not gitlab.claims(urls.parse("https://git.corp.example/"))
