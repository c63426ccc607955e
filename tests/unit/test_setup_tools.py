"""Each tool's wiring as ``credlatch setup`` writes it, and again, and takes it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import UsageError
from credlatch.setup import names
from credlatch.setup.tools import TOOLS
from credlatch.system import programs
from support.wiring import refused

if TYPE_CHECKING:
    from credlatch.setup.formats import Value
    from support.wiring import Wiring

DOCKER = ".docker/config.json"
CONTAINERS = ".config/containers/auth.json"
LOGINS = {
    "*.example.com": {"BearerToken": "t"},
    "r.example": {"BasicHTTP": {"username": "u", "password": "p"}},
    "r.example:5000": {"BasicHTTP": {"username": "u", "password": "p"}},
    "https://index.docker.io/v1/": {"BasicHTTP": {"username": "u", "password": "p"}},
    "s3://bucket": {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}},
}
HELPERS = """{
\t"credHelpers": {
\t\t"%s": "credlatch",
\t\t"r.example": "credlatch",
\t\t"r.example:5000": "credlatch"
\t}
}
"""
BAZELRC = """\
common --credential_helper=*.example.com=credlatch
common --credential_helper=index.docker.io=credlatch
common --credential_helper=r.example=credlatch
"""
FOR_GIT = ("example.com", "*.example.com", "index.docker.io", "r.example", "r.example:5000")
GIT = '[credential "https://{}"]\n\thelper =\n\thelper = !credlatch git\n'
WRITTEN = {
    "docker": (DOCKER, HELPERS % "https://index.docker.io/v1/"),
    "podman": (CONTAINERS, HELPERS % "docker.io"),
    "bazel": (".bazelrc", BAZELRC),
    "git": (".gitconfig", "".join(map(GIT.format, FOR_GIT))),
    "go": (".config/go/env", "GOAUTH=credlatch goauth; netrc\n"),
    "uv": (".config/uv/uv.toml", 'keyring-provider = "subprocess"\n'),
    "pip": (".config/pip/pip.conf", "[global]\nkeyring-provider = subprocess\n"),
    "pixi": (".pixi/config.toml", '[pypi-config]\nkeyring-provider = "subprocess"\n'),
    "cargo": (
        ".cargo/config.toml",
        '[registry]\nglobal-credential-providers = ["cargo:token", "credlatch"]\n',
    ),
}


@pytest.fixture(autouse=True)
def _logins(wiring: Wiring) -> None:
    wiring.home.write_rattler(LOGINS)


@pytest.mark.parametrize("tool", WRITTEN)
def test_it_is_written_once_and_taken_back_without_a_trace(wiring: Wiring, tool: str) -> None:
    before = wiring.files()
    path, text = WRITTEN[tool]
    assert wiring(tool) == 0
    assert wiring.read(path) == text
    assert f"+++ {wiring.home.path / path}\n" in wiring.said
    assert all(f"+{line}\n" in wiring.said for line in text.splitlines())

    written = wiring.files()
    assert wiring(tool) == 0
    assert wiring.said.endswith(f"{wiring.home.path / path}: nothing to change\n")
    assert wiring.files() == written

    assert wiring(tool, "--undo") == 0
    assert wiring.files() == before
    assert not (wiring.home.path / path).parent.exists() or path.count("/") == 0
    assert wiring(tool, "--undo") == 0
    assert "nothing to undo" in wiring.said


@pytest.mark.parametrize("tool", WRITTEN)
def test_a_dry_run_shows_the_same_and_writes_nothing(wiring: Wiring, tool: str) -> None:
    before = sorted(wiring.home.path.rglob("*"))
    assert wiring(tool, "--dry-run") == 0
    shown = wiring.said
    assert sorted(wiring.home.path.rglob("*")) == before
    assert wiring(tool) == 0
    assert wiring.said.startswith(shown)
    assert wiring(tool, "--undo", "--dry-run") == 0
    assert wiring.read(WRITTEN[tool][0]) == WRITTEN[tool][1]


def test_all_tools_are_tested_here() -> None:
    assert {tool.name for tool in TOOLS.values() if not tool.done_by} == set(WRITTEN)


@pytest.mark.parametrize(
    ("tool", "host", "hint"),
    [
        ("docker", "*.a.example", "name the hosts themselves with --host, or wire all hosts with"),
        ("bazel", "localhost:81", "localhost:81: wire all hosts with --all-hosts"),
    ],
)
def test_where_nothing_could_be_wired_the_status_says_so(
    wiring: Wiring, tool: str, host: str, hint: str
) -> None:
    before = wiring.files()
    assert wiring(tool, "--host", host, "--force") == 1
    assert hint in wiring.said
    assert wiring.said.endswith(f"{wiring.home.path / WRITTEN[tool][0]}: nothing was written\n")
    assert wiring.files() == before


def test_hundreds_of_hosts_are_a_few_lines_and_git_is_asked_once_for_each(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{mark}h{n}.example" for n in range(100) for mark in ("", "*.")]
    wiring.home.write_rattler({name: {"BearerToken": "t"} for name in names})
    config = {"credHelpers": {f"h{n}.example": "pass" for n in range(50)}, "credsStore": "desktop"}
    wiring.home.write(DOCKER, json.dumps(config))
    assert wiring("docker") == 0
    lines = [
        line for line in wiring.said.splitlines() if ".example" in line and line[0] not in " +-"
    ]
    more = [int(line.partition(" and ")[2].partition(" more")[0]) for line in lines]
    assert more == [47, 97, 47, 47, 47]
    assert wiring("bazel") == 0
    assert wiring.read(".bazelrc").count("\n") == 100  # a pattern is for its parent too

    asked = []
    ask = programs.ask

    def counted(*args: object, **more: str) -> programs.Done:
        asked.append(args)
        return ask(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(programs, "ask", counted)
    assert wiring("git") == 0
    # Each section is read by git itself once it is there.
    assert len(asked) <= 200 + 2
    asked.clear()
    assert wiring("git") == 0
    assert len(asked) == 1
    assert wiring("git", "--undo") == 0
    assert len(asked) == 1


def test_what_a_tool_cannot_be_told_is_said_and_docker_s_store_offered_where_it_has_none(
    wiring: Wiring,
) -> None:
    assert wiring("docker") == 0
    assert "docker cannot be told *.example.com: name the hosts" in wiring.said
    assert "--all-hosts makes credlatch the credsStore" in wiring.said
    wiring("docker", "--undo")
    wiring("docker", "--all-hosts")
    assert wiring("docker") == 0
    assert "cannot be told" not in wiring.said
    wiring("docker", "--undo")
    wiring.home.write(DOCKER, '{"credsStore": "desktop"}')
    assert wiring("docker") == 0
    assert "makes credlatch the credsStore" not in wiring.said


def test_podman_is_known_by_what_its_configuration_is_called_too(wiring: Wiring) -> None:
    assert wiring("containers", "--host", "r.example") == 0
    assert "this is podman's wiring" in wiring.said
    assert json.loads(wiring.read(CONTAINERS)) == {"credHelpers": {"r.example": "credlatch"}}
    assert wiring("podman", "--undo") == 0
    assert not (wiring.home.path / CONTAINERS).exists()


def test_buildkit_is_wired_by_docker_s_configuration(wiring: Wiring) -> None:
    assert wiring("buildkit", "--host", "r.example") == 0
    assert "this is docker's wiring" in wiring.said
    assert json.loads(wiring.read(DOCKER)) == {"credHelpers": {"r.example": "credlatch"}}
    assert wiring("docker", "--host", "r.example") == 0
    assert "nothing to change" in wiring.said
    assert wiring("buildkit", "--undo") == 0
    assert not (wiring.home.path / DOCKER).exists()


@pytest.mark.parametrize(
    ("tool", "path", "text", "consequence"),
    [
        ("docker", DOCKER, '{\n\t"credsStore": "credlatch"\n}\n', "rattler's store"),
        ("bazel", ".bazelrc", "common --credential_helper=credlatch\n", "reads no netrc"),
        ("git", ".gitconfig", "[credential]\n\thelper =\n\thelper = !credlatch git\n",
         "rattler's store"),
        ("podman", ".config/containers/registries.conf.d/credlatch.conf",
         'credential-helpers = ["containers-auth.json", "credlatch"]\n', "rattler's store"),
    ],
)  # fmt: skip
def test_all_hosts_are_one_setting_whose_consequences_are_said(
    wiring: Wiring, tool: str, path: str, text: str, consequence: str
) -> None:
    before = wiring.files()
    assert wiring(tool, "--all-hosts") == 0
    assert wiring.read(path) == text
    assert consequence in wiring.said
    if path != ".config/containers/registries.conf.d/credlatch.conf":
        assert wiring(tool, "--host", "r.example") == 0
        assert "nothing to change" in wiring.said
    assert wiring(tool, "--undo") == 0
    assert wiring.files() == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["uv", "--host", "r.example"], "one setting for all hosts"),
        (["docker", "--host", "r.example", "--all-hosts"], "leave --host out"),
        (["uv", "--chain"], "has no --chain"),
        (["docker", "--undo", "--host", "r.example"], "name no hosts"),
        (["docker", "--undo", "--all-hosts"], "name no hosts"),
        (["docker", "--chain", "--replace"], "not allowed with"),
        (["docker", "--project"], "leave --project out"),
        (["svn"], "is not one of"),
        ([], "missing argument 'TOOL'"),
        (["docker", "--hosts", "r.example"], "no such option.*did you mean one of.*--host"),
    ],
)
def test_wrong_usage_is_one_line(wiring: Wiring, words: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        wiring(*words)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "docker", "podman", "bazel", "git"),
    [
        ("https://a.example", "a.example", "a.example", ["a.example"], ["https://a.example"]),
        ("https://a.b:81", "a.b:81", "a.b:81", ["a.b"], ["https://a.b:81"]),
        ("http://127.0.0.1:81", "127.0.0.1:81", "127.0.0.1:81", ["127.0.0.1"],
         ["http://127.0.0.1:81"]),
        ("https://docker.io", "https://index.docker.io/v1/", "docker.io", ["docker.io"],
         ["https://docker.io"]),
        ("https://localhost:81", "localhost:81", "localhost:81", [],
         ["https://localhost:81", "http://localhost:81"]),
        ("https://*.example", None, None, ["*.example"], ["https://example", "https://*.example"]),
        ("https://a_b.example", "a_b.example", "a_b.example", [], ["https://a_b.example"]),
        ("https://[::1]:81", "[::1]:81", "[::1]:81", [], ["https://[::1]:81", "http://[::1]:81"]),
        ("s3://bucket", None, None, [], ["s3://bucket"]),
    ],
)  # fmt: skip
def test_each_tool_has_its_own_names_for_a_host(
    url: str, docker: str | None, podman: str | None, bazel: list[str], git: list[str]
) -> None:
    host = urls.parse(url)
    assert names.docker_keys(host) == ((("credHelpers", docker),) if docker else ())
    assert names.containers_keys(host) == ((("credHelpers", podman),) if podman else ())
    assert names.bazel_keys(host) == tuple((pattern,) for pattern in bazel)
    assert names.git_keys(host) == tuple((each,) for each in git)


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        ("credlatch", True),
        ("/opt/x/credlatch", True),
        ("%workspace%/tools/credlatch", True),
        ("!credlatch git", True),
        (("!credlatch git", "store"), False),
        ("credlatch-other", False),
        ("/opt/credlatch/other", False),
        ("", False),
        ((), False),
    ],
)
def test_we_are_known_by_any_path(value: Value, ours: bool) -> None:
    assert names.is_credlatch(value) == ours


def test_without_a_login_there_is_nothing_to_wire(wiring: Wiring) -> None:
    wiring.home.write_rattler({})
    assert "no store has a login yet" in refused(wiring, "docker")
    assert wiring("uv") == 0  # it is one setting, whatever the hosts are
