"""The doctor on the environment: variables that nothing reads, and files that are not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import credlatch
from credlatch import url as urls
from credlatch.doctor import variables
from credlatch.doctor.finding import FAIL, OK, WARN
from credlatch.stores.environment import EnvironmentStore, suffix
from support.callers import caller_of
from support.diagnosis import mended, only_problem, pasted, problems

if TYPE_CHECKING:
    from support.home import Home

ROOT = Path(credlatch.__file__).parent
CHECKOUT = ROOT.parents[1]
LOADER = CHECKOUT / "build" / "loader"


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("CREDLATCH_TOKEN_conda_example_com", "CREDLATCH_TOKEN_CONDA_EXAMPLE_COM"),
        ("credlatch_token_conda_example_com", "CREDLATCH_TOKEN_CONDA_EXAMPLE_COM"),
        ("CREDLATCH_TOKEN_conda.example.com", "CREDLATCH_TOKEN_CONDA_EXAMPLE_COM"),
        ("CREDLATCH_TOKEN_MY-HOST_LAN", "CREDLATCH_TOKEN_MY__HOST_LAN"),
        ("CREDLATCH_TOKEN_A_EXAMPLE_443", "CREDLATCH_TOKEN_A_EXAMPLE"),
        ("CREDLATCH_TOKENS_A_EXAMPLE_8443", "CREDLATCH_TOKEN_A_EXAMPLE_8443"),
        ("CREDLATCH_TOKE_A_EXAMPLE", "CREDLATCH_TOKEN_A_EXAMPLE"),
    ],
)
def test_a_variable_that_is_spelt_in_another_way_is_given_its_name(
    home: Home, name: str, right: str
) -> None:
    home.env[name] = "it's $a `secret`"
    found = mended(variables.check, home)
    assert found.severity == WARN
    assert found.what.startswith(f"{name} ")
    assert found.what.endswith(f": it is to be {right}")
    assert "secret" not in repr(found)
    assert home.env[right] == "it's $a `secret`"
    assert name not in home.env


@pytest.mark.parametrize(
    ("there", "missing", "typed", "severity"),
    [("PASSWORD", "USERNAME", "alice", FAIL), ("USERNAME", "PASSWORD", "p w", WARN)],
)
def test_half_a_login_is_asked_for_the_other_half(
    home: Home, there: str, missing: str, typed: str, severity: str
) -> None:
    home.env[f"CREDLATCH_{there}_A_EXAMPLE_8443"] = "x"
    found = mended(variables.check, home, types=typed)
    assert found.severity == severity
    assert found.what.endswith("no login for a.example:8443")
    assert home.env[f"CREDLATCH_{missing}_A_EXAMPLE_8443"] == typed
    entry = EnvironmentStore(caller_of(home)).find(urls.parse("https://a.example:8443/x"))
    assert entry is not None


@pytest.mark.parametrize(
    "name",
    [
        "CREDLATCH_TOKEN_", "CREDLATCH_TOKEN_A__", "CREDLATCH_TOKEN_HTTPS___A_EXAMPLE",
        "CREDLATCH_TOKEN_A_B_99999", "CREDLATCH_FOO", "CREDLATCH_TOKEN",
    ],
)  # fmt: skip
def test_a_variable_for_nothing_is_named_and_can_go(home: Home, name: str) -> None:
    home.env[name] = "x"
    assert mended(variables.check, home).severity == WARN
    assert name not in home.env


def test_what_others_leave_empty_and_what_is_right_is_no_problem(home: Home) -> None:
    home.env |= {
        "CREDLATCH_TOKEN_A_EXAMPLE": "x",
        "CREDLATCH_TOKEN_b_example": "",
        "CREDLATCH_USERNAME_C_D": "u",
        "CREDLATCH_PASSWORD_C_D": "p",
        "CREDLATCH_USERNAME_E_F": "u",
        "CREDLATCH_TOKEN_E_F": "t",
        "CREDLATCH_DEBUG": "1",
        "_CREDLATCH_ASKED": "1",
    }
    (found,) = variables.check(caller_of(home))
    assert (found.severity, found.what) == (OK, "variables for a.example, c.d, e.f")


def test_one_that_is_set_under_its_name_as_well_only_goes(home: Home) -> None:
    home.env |= {"CREDLATCH_TOKEN_A_EXAMPLE": "good", "CREDLATCH_TOKEN_a_example": "old"}
    mended(variables.check, home)
    assert home.env["CREDLATCH_TOKEN_A_EXAMPLE"] == "good"


@pytest.mark.parametrize("name", variables.NAMED)
def test_a_file_that_a_variable_names_and_that_is_not_there(home: Home, name: str) -> None:
    home.env[name] = str(home.path / "gone")
    found = only_problem(variables.check, home)
    assert found.fix == f"unset {name}"
    assert found.what.startswith(f"{name} is {home.path}/gone, which does not exist: ")
    home.env[name] = str(home.write("there", ""))
    assert problems(variables.check, home) == []


def test_a_relative_folder_of_xdg_counts_for_nothing(home: Home) -> None:
    home.env["XDG_CONFIG_HOME"] = "config"
    assert mended(variables.check, home).what.startswith("XDG_CONFIG_HOME is 'config'")


def test_what_a_shell_could_run_is_a_word_to_it(home: Home) -> None:
    home.env["CREDLATCH_TOKEN_a;touch oops;_example"] = "x"
    pasted(only_problem(variables.check, home).fix, home)
    assert not (home.path / "oops").exists()


def test_each_host_that_has_variables_is_known_by_its_name(home: Home) -> None:
    for host in ("a.example", "my-host.lan:8443", "localhost:8801", "127.0.0.1:8443", "intranet"):
        home.env = {"HOME": str(home.path)}
        name = suffix(urls.parse(f"https://{host}"))
        home.env[f"CREDLATCH_TOKEN_{name}"] = "x"
        (found,) = variables.check(caller_of(home))
        assert found.what == f"variables for {host}"


def test_every_variable_that_the_program_reads_is_known() -> None:
    sources = [*ROOT.rglob("*.py"), *LOADER.rglob("*.[ch]")]
    read = {
        name
        for path in sources
        if path.parent.name != "doctor"
        for name in re.findall(r"(?<![A-Za-z_])CREDLATCH_([A-Z_]*[A-Z])\b", path.read_text())
    }
    example = {"TOKEN_", "USERNAME_", "PASSWORD_"}
    assert {name for name in read if not name.startswith(tuple(example))} <= {
        *variables.KNOWN, "TOKEN", "USERNAME", "PASSWORD",
    }  # fmt: skip
    assert set(variables.KNOWN) <= read


def test_what_comes_with_the_program_is_known_as_well(home: Home) -> None:
    folders = ("packaging", "templates", "docker", "bazel", "action.yml")
    texts = [
        path.read_text(errors="replace").replace(r"\fB", " ")  # of the manual page: bold
        for name in folders
        for path in [CHECKOUT / name, *(CHECKOUT / name).rglob("*")]
        if path.is_file()
    ]
    named = {name for text in texts for name in re.findall(r"\bCREDLATCH_[A-Z_]*[A-Z]\b", text)}
    for name in named | {f"CREDLATCH_{each}" for each in variables.BESIDE}:
        home.env[name] = "x"
    assert problems(variables.check, home) == []


def test_several_folders_of_authorities_are_looked_for_one_by_one(home: Home) -> None:
    home.env["SSL_CERT_DIR"] = f"/gone:{home.path}"
    assert problems(variables.check, home) == []
