"""``credlatch setup bazel`` where a workspace has the wrapper, a pattern, or another platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.errors import SetupError
from credlatch.setup import names, places
from credlatch.setup.tools import TOOLS

if TYPE_CHECKING:
    from support.wiring import Wiring


@pytest.fixture
def workspace(wiring: Wiring) -> Wiring:
    wiring.home.write("MODULE.bazel", "")
    wiring.home.write("tools/credlatch", "#!/bin/sh\n", 0o755)
    return wiring


def test_with_the_wrapper_nothing_needs_to_be_on_path_unless_it_cannot_be_run(
    workspace: Wiring,
) -> None:
    program = workspace.bin / "credlatch"
    program.rename(workspace.home.path / "credlatch")
    assert workspace("bazel", "--project", "--host", "r.example") == 0
    line = "common --credential_helper=r.example=%workspace%/tools/credlatch\n"
    assert workspace.read(".bazelrc") == line
    with pytest.raises(SetupError, match="credlatch is not on PATH"):
        workspace("git", "--host", "r.example")
    (workspace.home.path / ".bazelrc").unlink()
    (workspace.home.path / "credlatch").rename(program)
    (workspace.home.path / "tools/credlatch").chmod(0o644)
    assert workspace("bazel", "--project", "--host", "r.example") == 0
    assert workspace.read(".bazelrc") == "common --credential_helper=r.example=credlatch\n"


def test_a_pattern_around_a_known_host_is_one_to_wire(workspace: Wiring) -> None:
    workspace.home.write_rattler({"a.b.example": {"BearerToken": "t"}})
    for pattern in ("*.a.b.example", "*.b.example"):
        assert workspace("bazel", "--project", "--host", pattern) == 0
        assert f"={pattern}=" in workspace.read(".bazelrc")
    for pattern in ("*.xb.example", "*.c.a.b.example", "*.other"):
        with pytest.raises(SetupError, match="no store has a login for"):
            workspace("bazel", "--project", "--host", pattern)


def test_on_windows_bazel_is_told_the_program_s_whole_name(
    workspace: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places.bazel_project(workspace.caller)
    monkeypatch.setattr("sys.platform", "win32")
    value = TOOLS["bazel"].value(place)
    assert value == "credlatch.exe"
    assert names.is_credlatch(value)
