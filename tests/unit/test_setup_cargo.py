"""cargo's wiring: one more provider in a list that cargo asks from its end."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import UsageError
from support.wiring import refused

if TYPE_CHECKING:
    from support.wiring import Wiring

CONFIG = ".cargo/config.toml"


def providers(wiring: Wiring) -> list[str]:
    found: list[str] = tomllib.loads(wiring.read(CONFIG))["registry"]["global-credential-providers"]
    return found


@pytest.mark.parametrize(
    ("was", "option", "becomes"),
    [
        (["cargo:token"], "", ["cargo:token", "credlatch"]),
        (["cargo:libsecret"], "", ["cargo:libsecret", "credlatch"]),
        (["cargo:token", "/opt/other x"], "", ["cargo:token", "/opt/other x", "credlatch"]),
        (["cargo:token", "/opt/other x"], "--chain", ["cargo:token", "/opt/other x", "credlatch"]),
        (["cargo:token", "/opt/other x"], "--replace", ["cargo:token", "credlatch"]),
        ([], "", ["credlatch"]),
        (["credlatch", "cargo:token"], "", ["credlatch", "cargo:token"]),
        (["cargo:token", "credlatch --raw"], "", ["cargo:token", "credlatch --raw"]),
        # Nothing is at that path any more.
        (["/gone/credlatch --raw", "cargo:token"], "", ["credlatch --raw", "cargo:token"]),
    ],
)
def test_the_providers_that_are_there_stay_and_are_asked_after_us(
    wiring: Wiring, was: list[str], option: str, becomes: list[str]
) -> None:
    rows = "".join(f'    "{each}", # it\n' for each in was)
    text = f"# mine\n[registry]\nglobal-credential-providers = [\n{rows}]\ndefault = 'x'\n"
    wiring.home.write(CONFIG, text)
    assert wiring("cargo", *filter(None, [option])) == 0
    assert providers(wiring) == becomes
    assert wiring("cargo", *filter(None, [option])) == 0
    assert providers(wiring) == becomes
    assert wiring("cargo", "--undo") == 0
    assert wiring.read(CONFIG) == text


def test_where_cargo_s_configuration_is(wiring: Wiring) -> None:
    wiring.home.write(".cargo/config", "[net]\n")
    assert wiring("cargo") == 0
    assert "credlatch" in wiring.read(".cargo/config")
    wiring.home.env["CARGO_HOME"] = str(wiring.home.path / "elsewhere")
    assert wiring("cargo") == 0
    assert "credlatch" in wiring.read("elsewhere/config.toml")
    assert not (wiring.home.path / CONFIG).exists()


def test_registries_with_a_provider_of_their_own_are_named(wiring: Wiring) -> None:
    own = "[registries.{}]\nindex = 'sparse+https://h/'\ncredential-provider = {}\n"
    rows = [("a", "'cargo:token'"), ("b", "['/opt/x', 'y']"), ("c", "'credlatch cargo'"), ("d", 7)]
    wiring.home.write(CONFIG, "".join(own.format(*row) for row in rows))
    assert wiring("cargo") == 0
    said = [line for line in wiring.said.splitlines() if "of its own" in line]
    assert [line.split()[0] for line in said] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["registry = 1\n", "[registry]\nglobal-credential-providers = [1]\n", "[registry\n"]
)
def test_what_cargo_could_not_read_stays(wiring: Wiring, text: str) -> None:
    wiring.home.write(CONFIG, text)
    assert "cannot be changed as TOML" in refused(wiring, "cargo")


def test_what_is_no_list_stays_and_hosts_are_not_chosen(wiring: Wiring) -> None:
    wiring.home.write(CONFIG, '[registry]\nglobal-credential-providers = "cargo:token"\n')
    assert wiring("cargo") == 1
    assert "cargo:token stays" in wiring.said
    with pytest.raises(UsageError, match="one setting for all hosts"):
        wiring("cargo", "--host", "r.example")


def test_undo_names_the_tokens_that_stay(wiring: Wiring) -> None:
    assert wiring("cargo") == 0
    wiring.home.write_rattler(
        {
            "r.example": {"BasicHTTP": {"username": "u", "password": "s3cret"}},
            "cargo:sparse+https://r.example/": {"CondaToken": "s3cret"},
        }
    )
    assert wiring("cargo", "--undo") == 0
    stays = [line for line in wiring.said.splitlines() if " stays " in line]
    assert len(stays) == 1
    assert stays[0].startswith("a token for sparse+https://r.example/ stays in ")
    assert "s3cret" not in wiring.said
