"""A remote cache, remote execution and build events by gRPC, wired as bazel/example is.

gRPC is the real one; it makes the URIs that the helper is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import bazel_example
from support.bazel_example import LOGINS
from support.bazel_grpc import METHODS, remote
from support.bazel_readme import rows
from support.bazel_web import web
from support.bazel_workspace import Workspace

if TYPE_CHECKING:
    from support.bazel_grpc import Remote
    from support.bazel_web import Web
    from support.home import Home
    from support.program import Program

__all__ = ["remote", "web"]
# The README's table: an option, and what Bazel asks for.
TABLE = [row for row in rows("Remote caches, execution, build events") if "=grpcs://" in row[0]]
BES = "--bes_backend=grpcs://cache.example.com:8443"
UV = """
[[credential]]
service = "https://cache.example.com:8443"
username = "u"
password = "p"
"""


@pytest.fixture
def home(frozen: Program) -> Home:
    """A home with a copy of the example, and the program on PATH."""
    frozen.put_on_path("credlatch")
    bazel_example.copied(frozen.home)
    return frozen.home


def welcomed(home: Home, web: Web, remote: Remote, option: str) -> list[str]:
    """Speak to the server of an option; the URIs that the helper was asked for."""
    home.write("ws/user.bazelrc", f"build {option}\n")
    name = option.removeprefix("--").partition("=")[0]
    workspace = Workspace(home.path / "ws", home.env, web)
    assert remote.call(workspace, name) == ["welcome"] * len(METHODS[name])
    assert remote.refused == []
    services = [method.partition("/")[0] for method in METHODS[name]]
    assert [uri.rpartition("/")[2] for uri in workspace.helpers.calls] == services
    return workspace.helpers.calls


@pytest.mark.parametrize(("option", "uri"), TABLE)
def test_a_server_of_each_kind_lets_bazel_in(
    home: Home, web: Web, remote: Remote, option: str, uri: str
) -> None:
    home.write_rattler(LOGINS)
    remote.accepts = "Bearer for-the-cache"
    asked = welcomed(home, web, remote, option)
    if uri == ":443":  # is left out
        assert {parts.rpartition("/")[0] for parts in asked} == {"https://cache.example.com"}
    else:
        assert uri in asked


def test_all_options_are_in_the_table() -> None:
    options = [option.removeprefix("--").partition("=")[0] for option, _ in TABLE]
    assert options == list(METHODS)
    assert BES in dict(TABLE)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".netrc", "machine cache.example.com login u password p\n"),
        (".docker/config.json", '{"auths": {"cache.example.com:8443": {"auth": "dTpw"}}}'),
        (".local/share/uv/credentials/credentials.toml", UV),
    ],
    ids=["netrc", "docker", "uv"],
)
def test_a_login_for_the_port_is_found(
    home: Home, web: Web, remote: Remote, name: str, content: str
) -> None:
    home.write(name, content)
    remote.accepts = "Basic dTpw"
    assert welcomed(home, web, remote, BES)


def test_a_variable_names_the_port(home: Home, web: Web, remote: Remote) -> None:
    home.env["CREDLATCH_TOKEN_CACHE_EXAMPLE_COM_8443"] = "of-ci"
    remote.accepts = "Bearer of-ci"
    assert welcomed(home, web, remote, BES)
    workspace = Workspace(home.path / "ws", home.env, web)
    assert set(remote.call(workspace, "remote_cache")) == {"UNAUTHENTICATED: log in"}


def test_a_helper_that_fails_is_what_the_user_reads(home: Home, web: Web, remote: Remote) -> None:
    home.write(".rattler/credentials.json", "{")
    workspace = Workspace(home.path / "ws", home.env, web)
    said = set(remote.call(workspace, "remote_cache"))
    assert len(said) == 1
    assert "process exited with code 1. stderr: credlatch: " in said.pop()
