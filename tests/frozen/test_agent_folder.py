"""Where the agent's socket is: a folder of this user alone, or no agent, and an answer always."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.agent import until
from support.mounts import fill, read_only, small_disk
from support.users import as_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.agent import Agent
    from support.home import Home

HOST = "a.example"
URI = f"https://{HOST}/simple/"
ANSWER = "Bearer made-up"
NOBODY = 65_534


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


def open_to_others(agent: Agent, _: ExitStack) -> None:
    agent.folder.mkdir()
    agent.folder.chmod(0o755)


def open_to_the_group(agent: Agent, _: ExitStack) -> None:
    agent.folder.mkdir()
    agent.folder.chmod(0o710)


def a_link(agent: Agent, _: ExitStack) -> None:
    (agent.runtime / "elsewhere").mkdir(mode=0o700)
    agent.folder.symlink_to("elsewhere")


def a_link_to_nothing(agent: Agent, _: ExitStack) -> None:
    agent.folder.symlink_to("elsewhere")


def a_file(agent: Agent, _: ExitStack) -> None:
    agent.folder.touch(0o700)


def another_users(agent: Agent, _: ExitStack) -> None:
    agent.folder.mkdir(mode=0o700)
    os.chown(agent.folder, NOBODY, NOBODY)


def in_another_users(agent: Agent, _: ExitStack) -> None:
    """As sudo leaves it: what root made there, that user could not use."""
    os.chown(agent.runtime, NOBODY, NOBODY)


def in_a_file(agent: Agent, _: ExitStack) -> None:
    agent.runtime.rmdir()
    agent.runtime.touch()


def in_nothing(agent: Agent, _: ExitStack) -> None:
    agent.home.env["XDG_RUNTIME_DIR"] = str(agent.runtime / "not/there")


def where_nothing_can_be_written(agent: Agent, stack: ExitStack) -> None:
    stack.enter_context(read_only(agent.runtime))


def where_nobody_can_write(agent: Agent, stack: ExitStack) -> None:
    agent.folder.mkdir(mode=0o700)
    stack.enter_context(read_only(agent.runtime))


def with_a_lock_that_is_a_link(agent: Agent, _: ExitStack) -> None:
    agent.warm()
    agent.kill()
    lock = agent.lock
    lock.unlink()
    lock.symlink_to("../precious")


BAD: list[Callable[[Agent, ExitStack], None]] = [
    open_to_others, open_to_the_group, a_link, a_link_to_nothing, a_file, in_a_file, in_nothing,
    with_a_lock_that_is_a_link,
]  # fmt: skip
BAD_FOR_ROOT = [
    another_users,
    in_another_users,
    where_nothing_can_be_written,
    where_nobody_can_write,
]


def there(folder: Path) -> dict[str, tuple[int, int, int]]:
    """All that is at and below a folder: mode, owner, size."""
    paths = [folder, *folder.rglob("*")]
    found = {str(path): path.lstat() for path in paths}
    return {name: (each.st_mode, each.st_uid, each.st_size) for name, each in found.items()}


@pytest.mark.parametrize(
    "spoil", [*BAD, *(pytest.param(each, marks=as_root) for each in BAD_FOR_ROOT)],
    ids=lambda spoil: spoil.__name__.replace("_", "-"),
)  # fmt: skip
def test_a_folder_that_is_not_as_it_should_be(
    agent: Agent, spoil: Callable[[Agent, ExitStack], None]
) -> None:
    with ExitStack() as stack:
        spoil(agent, stack)
        before = there(agent.runtime)
        for _ in range(2):
            answer = agent.program.bazel(URI)
            assert (answer.authorization, answer.err) == (ANSWER, "")
            status = agent.program("agent", "status")
            assert status.code == 1
            if spoil is not with_a_lock_that_is_a_link:
                assert b"the next get starts one" not in status.out
                assert str(agent.runtime) in status.out.decode() + status.err
        assert agent.everywhere() == set()
        after = there(agent.runtime)
    assert after == before
    if agent.runtime.is_file():
        agent.runtime.unlink()
        agent.runtime.mkdir()


@as_root
def test_a_full_disk(agent: Agent) -> None:
    with small_disk(agent.runtime):
        agent.folder.mkdir(mode=0o700)
        filler = fill(agent.runtime)
        for _ in range(2):
            answer = agent.program.bazel(URI)
            assert (answer.authorization, answer.err) == (ANSWER, "")
        assert agent.everywhere() == set()
        filler.unlink()
        agent.warm()
        assert agent.call(URI).authorization == ANSWER
        agent.kill()


def test_a_folder_that_is_put_right_is_used(agent: Agent) -> None:
    agent.folder.mkdir()
    agent.folder.chmod(0o755)
    assert agent.program.bazel(URI).authorization == ANSWER
    agent.folder.chmod(0o700)
    agent.warm()
    assert agent.call(URI).authorization == ANSWER


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="macOS has a temporary folder for each user")
@pytest.mark.parametrize("value", [None, "", "relative", "/run/" + "long/" * 12])
def test_without_a_runtime_folder_it_is_below_the_temporary_one(
    strangers: Agent, value: str | None
) -> None:
    program, user = strangers.program, strangers.runtime.stat().st_uid
    program.home.write_rattler({HOST: {"BearerToken": "made-up"}})
    os.chown(program.home.path / ".rattler/credentials.json", user, user)
    os.chown(program.home.path / ".rattler", user, user)
    del program.home.env["XDG_RUNTIME_DIR"]
    if value is not None:
        program.home.env["XDG_RUNTIME_DIR"] = value
    strangers.folder = Path(f"/tmp/credlatch-{user}")  # noqa: S108 - it is what is tested
    try:
        assert program.bazel(URI).authorization == ANSWER
        until(strangers.listening, "it does not come up")
        status = strangers.folder.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o700, user)
        assert program.bazel(URI).authorization == ANSWER
        assert program("agent", "log").out.count(b" answered (") == 2
    finally:
        strangers.kill()
        shutil.rmtree(strangers.folder)
