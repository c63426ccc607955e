"""Other helpers that podman, buildah and skopeo ask: left alone, replaced, or asked after us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch.setup import precedence

if TYPE_CHECKING:
    from support.wiring import Wiring

CHAIN = ".config/credlatch/chain.json"
HOST = "r.example"


def test_podman_s_own_files_are_no_other_helper(wiring: Wiring) -> None:
    path = ".config/containers/registries.conf"
    wiring.home.write(path, 'credential-helpers = ["containers-auth.json"] # mine\n')
    assert wiring("podman", "--all-hosts") == 0
    both = 'credential-helpers = ["containers-auth.json", "credlatch"] # mine\n'
    assert wiring.read(path) == both


def test_podman_s_other_helper_is_chained_with_docker_s(wiring: Wiring) -> None:
    wiring.program("docker-credential-ecr-login")
    path = ".config/containers/auth.json"
    wiring.home.write(path, json.dumps({"auths": {}, "credHelpers": {HOST: "ecr-login"}}))
    assert wiring("podman", "--chain") == 0
    assert json.loads(wiring.read(path)) == {"auths": {}, "credHelpers": {HOST: "credlatch"}}
    assert json.loads(wiring.read(CHAIN)) == {"docker": {HOST: "ecr-login"}}


def test_podman_itself_asks_several_helpers_for_all_hosts(wiring: Wiring) -> None:
    path = ".config/containers/registries.conf"
    wiring.home.write(path, 'credential-helpers = ["containers-auth.json", "pass"] # mine\n')
    before = wiring.files()
    assert wiring("podman", "--all-hosts") == 1
    assert wiring("podman", "--all-hosts", "--chain") == 0
    assert wiring.read(path) == (
        'credential-helpers = ["containers-auth.json", "credlatch", "pass"] # mine\n'
    )
    assert not (wiring.home.path / CHAIN).exists()
    assert wiring("podman", "--undo") == 0
    assert wiring.files() == before


@pytest.mark.parametrize(
    ("system", "said", "helpers"),
    [
        (None, "", '["containers-auth.json", "credlatch"]'),
        ('credential-helpers = ["containers-auth.json"]\n', "",
         '["containers-auth.json", "credlatch"]'),
        ('credential-helpers = ["secretservice"]\n', "secretservice is not asked any more for all",
         '["containers-auth.json", "credlatch", "secretservice"]'),
        ("malformed", "", '["containers-auth.json", "credlatch"]'),
    ],
)  # fmt: skip
def test_the_system_s_helpers_of_podman_s_count_where_the_user_s_say_nothing(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, system: str | None, said: str, helpers: str
) -> None:
    path = wiring.home.path / "registries.conf"
    if system is not None:
        path.write_text(system)
    monkeypatch.setattr(precedence, "_SYSTEM_REGISTRIES", str(path))
    own = ".config/containers/registries.conf.d/credlatch.conf"
    assert wiring("podman", "--all-hosts") == 0
    assert ("is not asked any more" in wiring.said) == bool(said)
    assert said in wiring.said
    assert wiring("podman", "--undo") == 0
    assert wiring("podman", "--all-hosts", "--chain") == 0
    assert wiring.read(own) == f"credential-helpers = {helpers}\n"
