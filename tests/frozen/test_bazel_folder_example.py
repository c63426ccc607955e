"""bazel/example is fetched from servers that want credentials, with the frozen program."""

from __future__ import annotations

import hashlib
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import bazel_example
from support.bazel_example import FOLDER, GREETING, HEADERS, LOGINS, REGISTRY, WORDS
from support.bazel_readme import rows
from support.bazel_web import STORAGE, web
from support.bazel_workspace import FetchError, Workspace
from support.logins import OAuthLogin
from support.program import Program

if TYPE_CHECKING:
    from support.bazel_web import Web
    from support.home import Home
    from support.token_server import TokenServer

__all__ = ["web"]
OPTION = "--remote_cache=https://cache.example.com/bazel"  # of the example, and the README
BLOCK = (FOLDER / "bazelrc").read_text()


@pytest.fixture
def company(web: Web) -> Web:
    """The servers, with all that the workspace asks for."""
    bazel_example.publish(web)
    return web


@pytest.fixture
def program(frozen: Program) -> Program:
    """The program, installed and not on PATH, with logins for three hosts."""
    home = frozen.home
    installed = home.path / ".local/bin/credlatch"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(frozen.command[0])
    home.write_rattler(LOGINS)
    return Program([str(installed)], home, home.path / "links")


def on_path(program: Program) -> None:
    """Put it on PATH, too."""
    folder = Path(program.command[0]).parent
    program.home.path_begins_with(folder)


def without_the_block(root: Path) -> Path:
    """The workspace before somebody has wired it."""
    rc = root / ".bazelrc"
    text = rc.read_text()
    assert BLOCK in text
    rc.write_text(text.replace(BLOCK, ""))
    return root


def copied(program: Program, company: Web, *configs: str) -> Workspace:
    """Bazel in a workspace that somebody has copied."""
    home = program.home
    return Workspace(bazel_example.copied(home), home.env, company, *configs)


def files(home: Home) -> dict[str, bytes]:
    """All that is in a home, but for what the program keeps for itself."""
    found = (path for path in home.path.rglob("*") if path.is_file())
    names = {path: str(path.relative_to(home.path)) for path in found}
    ours = (".local/share/credlatch", ".cache")
    return {name: path.read_bytes() for path, name in names.items() if not name.startswith(ours)}


def is_fetched(workspace: Workspace) -> bool:
    """Whether all is there that its build needs."""
    fetched = workspace.fetch()
    assert workspace.warnings == []
    return (
        fetched["greeting"]["greeting.txt"] == GREETING and fetched["words"]["words.txt"] == WORDS
    )


def test_as_it_is_copied(program: Program, company: Web) -> None:
    assert is_fetched(copied(program, company))


def test_nothing_of_it_can_be_had_without_a_login(program: Program, company: Web) -> None:
    program.home.write_rattler({})
    workspace = copied(program, company)
    with pytest.raises(FetchError, match="returned 401"):
        workspace.fetch()
    unwired = without_the_block(bazel_example.copied(program.home, "unwired"))
    program.home.write_rattler(LOGINS)
    with pytest.raises(FetchError, match="returned 401"):
        Workspace(unwired, program.home.env, company).fetch()


@pytest.mark.parametrize("project", [False, True], ids=["user", "project"])
@pytest.mark.parametrize("wrapper", [False, True], ids=["path", "wrapper"])
def test_after_setup_and_no_more_after_undo(
    program: Program, company: Web, *, project: bool, wrapper: bool
) -> None:
    home = program.home
    root = without_the_block(bazel_example.copied(home))
    if not (wrapper and project):
        on_path(program)
    if not wrapper:
        shutil.rmtree(root / "tools")
    words = ["setup", "bazel", "--yes", *(["--project"] if project else [])]
    before = files(home)
    assert program(*words, cwd=root).code == 0
    assert is_fetched(Workspace(root, home.env, company))
    written = (root if project else home.path) / ".bazelrc"
    named = "%workspace%/tools/credlatch" if wrapper and project else "credlatch"
    assert {f"common --credential_helper={host}={named}" for host in LOGINS} <= set(
        written.read_text().splitlines()
    )
    assert program(*words, "--undo", cwd=root).code == 0
    assert files(home) == before
    with pytest.raises(FetchError, match="returned 401"):
        Workspace(root, home.env, company).fetch()


def test_setup_writes_the_line_of_the_block(program: Program) -> None:
    root = without_the_block(bazel_example.copied(program.home))
    before = (root / ".bazelrc").read_text()
    words = ("setup", "bazel", "--project", "--host", "*.example.com", "--yes")
    assert program(*words, cwd=root).code == 0
    (line,) = (root / ".bazelrc").read_text().removeprefix(before).splitlines()
    assert line in BLOCK.splitlines()
    # And finds it, where it has been pasted.
    pasted = bazel_example.copied(program.home, "pasted")
    assert b"nothing to change" in program(*words, cwd=pasted).out


def test_each_hop_is_asked_for_and_no_host_sees_another_s_login(
    program: Program, company: Web
) -> None:
    root = bazel_example.copied(program.home)
    # All hosts, so that the helper is asked for the signed URL, too.
    rc = root / ".bazelrc"
    rc.write_text(rc.read_text().replace("=*.example.com=", "="))
    workspace = Workspace(root, program.home.env, company)
    assert is_fetched(workspace)
    assert workspace.helpers.calls == [
        f"{REGISTRY}/modules/greeting/1.2.0/MODULE.bazel",
        f"{REGISTRY}/modules/greeting/1.2.0/source.json",
        f"{REGISTRY}/bazel_registry.json",
        f"{REGISTRY}/modules/greeting/metadata.json",
        "https://files.example.com/greeting/greeting-1.2.0.tar",
        "https://cdn.example.com/greeting-1.2.0.tar",
        "https://files.example.com/words/words-2.0.tar",
        bazel_example.SIGNED,
    ]
    for host in (*HEADERS, "cdn.example.com", STORAGE):
        assert {visit.authorization for visit in company.to(host)} <= {HEADERS.get(host, "")}
    assert len(company.visits) == len(workspace.helpers.calls)


def test_the_pattern_leaves_other_hosts_alone(program: Program, company: Web) -> None:
    workspace = copied(program, company)
    assert is_fetched(workspace)
    assert bazel_example.SIGNED not in workspace.helpers.calls
    asked = {host: workspace.helpers.helper(host) is not None for host in ("example.com", STORAGE)}
    assert asked == {"example.com": True, STORAGE: False}


def test_a_cache_by_http(program: Program, company: Web) -> None:
    workspace = copied(program, company, "http-cache")
    content = b"an output"
    assert workspace.cached("GET", "cas", content) == (404, b"")
    assert workspace.cached("PUT", "cas", content)[0] == 200
    assert workspace.cached("GET", "cas", content) == (200, content)
    # The port is always there, and all entries are one URI.
    ((_, uri),) = [row for row in rows("Remote caches, execution, build events") if OPTION in row]
    assert workspace.helpers.calls == [uri]
    name = hashlib.sha256(content).hexdigest()
    assert {visit.url for visit in company.visits} == {
        f"https://cache.example.com/bazel/cas/{name}"
    }


def test_a_login_is_seen_when_the_block_s_five_minutes_are_over(
    program: Program, company: Web
) -> None:
    program.home.write_rattler({})
    workspace = copied(program, company)
    with pytest.raises(FetchError, match="returned 401"):
        workspace.fetch()
    program.home.write_rattler(LOGINS)
    with pytest.raises(FetchError, match="returned 401"):
        workspace.fetch()
    workspace.helpers.now += timedelta(minutes=5)
    assert is_fetched(workspace)


def test_a_cache_that_answers_401_sees_a_login_at_once(program: Program, company: Web) -> None:
    program.home.write_rattler({})
    workspace = copied(program, company, "http-cache")
    assert workspace.cached("GET", "cas", b"")[0] == 401
    program.home.write_rattler(LOGINS)
    assert workspace.cached("GET", "cas", b"")[0] == 404


def test_bazel_asks_again_when_the_token_is_renewed(
    program: Program, company: Web, token_server: TokenServer
) -> None:
    login = OAuthLogin(program.home, token_server, "cache.example.com")
    old = login.write(left=3600)
    company.accepts["cache.example.com"] = f"Bearer {old}"
    workspace = copied(program, company, "http-cache")
    assert workspace.cached("GET", "cas", b"")[0] == 404
    workspace.helpers.now += timedelta(minutes=59)
    assert workspace.cached("GET", "cas", b"")[0] == 404
    assert len(workspace.helpers.calls) == 1
    # Past the moment that Bazel was told. The program's clock stands still: the store is as then.
    nearly_over = login.write(left=20)
    workspace.helpers.now += timedelta(seconds=40)
    workspace.cached("GET", "cas", b"")
    assert len(workspace.helpers.calls) > 1
    renewed = login.kept()[0]
    assert renewed not in {old, nearly_over}
    company.accepts["cache.example.com"] = f"Bearer {renewed}"
    assert workspace.cached("GET", "cas", b"")[0] == 404


def test_a_helper_that_is_missing_ends_in_a_line_that_says_what_to_do(
    program: Program, company: Web
) -> None:
    Path(program.command[0]).unlink()
    workspace = copied(program, company)
    with pytest.raises(FetchError, match="returned 401"):
        workspace.fetch()
    (warning,) = workspace.warnings
    assert "process exited with code 1. stderr: tools/credlatch: credlatch is neither" in warning
