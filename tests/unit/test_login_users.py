"""Who uses what is kept for a host, by the tools' own settings, and who is still to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import SetupError
from credlatch.login import users
from credlatch.login.target import target
from credlatch.setup.asking import asks_us
from credlatch.setup.tools import TOOLS

if TYPE_CHECKING:
    from support.wiring import Wiring

HOST = "r.example"
BY_HOST = ("bazel", "docker", "podman", "git")
FOR_ALL = ("uv", "pip", "pixi", "cargo", "go")


def asking(wiring: Wiring, url: str = f"https://{HOST}/") -> set[str]:
    where = urls.parse(url)
    return {
        name
        for name, tool in TOOLS.items()
        if not tool.done_by and asks_us(tool, where, wiring.caller)
    }


def test_a_tool_that_was_set_up_asks_and_only_for_its_hosts(wiring: Wiring) -> None:
    assert asking(wiring) == set()
    done = set()
    for name in (*BY_HOST, *FOR_ALL):
        assert wiring(name, *(("--host", HOST, "--force") if name in BY_HOST else ())) == 0
        done.add(name)
        assert asking(wiring) == done
    assert asking(wiring, "https://other.example/") == set(FOR_ALL)
    # Docker's clients, and git, tell ports apart.
    assert asking(wiring, f"https://{HOST}:5000/") == {*FOR_ALL, "bazel"}


@pytest.mark.parametrize("name", BY_HOST)
def test_a_setting_for_all_hosts_counts_for_each(wiring: Wiring, name: str) -> None:
    assert wiring(name, "--all-hosts") == 0
    assert asking(wiring) == {name}


def test_another_helper_for_the_host_is_asked_in_our_place(wiring: Wiring) -> None:
    assert wiring("bazel", "--all-hosts") == 0
    path = wiring.home.path / ".bazelrc"
    path.write_text(path.read_text() + f"common --credential_helper={HOST}=/other\n")
    assert asking(wiring) == set()


def test_a_variable_outranks_the_file(wiring: Wiring) -> None:
    assert wiring("pip") == 0
    wiring.home.env["PIP_KEYRING_PROVIDER"] = "disabled"
    assert asking(wiring) == set()


def test_a_configuration_that_cannot_be_read_is_an_error(wiring: Wiring) -> None:
    wiring.home.write(".docker/config.json", "{")
    with pytest.raises(SetupError):
        asks_us(TOOLS["docker"], urls.parse(f"https://{HOST}/"), wiring.caller)


def test_only_tools_that_are_here_are_said_to_be_unwired(wiring: Wiring) -> None:
    wiring.home.env["PATH"] = str(wiring.bin)
    wiring.home.write(".docker/config.json", "{")
    caller = wiring.caller
    assert users.of(target(HOST, caller), HOST, caller) == ([], [])
    assert any("config.json" in line for line in caller.warnings)
    wiring.home.write(".docker/config.json", "{}")
    for name in ("pixi", "bazelisk", "docker"):
        wiring.program(name)
    assert wiring("docker", "--host", HOST, "--force") == 0
    at = target(HOST, caller)
    assert users.of(at, HOST, wiring.caller) == ([users.PIXI, "docker"], ["bazel", "pixi"])
    # Rattler's own tools look for no name with a port.
    at = target(f"{HOST}:8443", caller)
    assert users.of(at, at.key, wiring.caller)[0] == []
    bucket = target("s3://bucket", caller)
    assert users.of(bucket, bucket.key, wiring.caller) == ([users.PIXI], [])
