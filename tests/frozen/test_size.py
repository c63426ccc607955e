"""The frozen program stays small: what it carries, and the memory that a call takes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.installed import PROGRAM
from support.logins import oauth
from support.peak import MEBIBYTE, peak

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

HOST = "packages.example.com"
UNWANTED = {
    *("setuptools", "pkg_resources", "_distutils_hack", "distutils", "pip"),  # of the build
    *(
        "httpx._main",
        "pygments",
        "markdown_it",
        "anyio",
        "awscrt",
        "OpenSSL",
    ),  # of libraries, optional
    *("tkinter", "unittest", "pydoc", "sqlite3", "lib2to3", "curses", "readline", "ctypes"),
    *("certifi/cacert.pem", "keyring.core", "posit_keyring"),
}


def _carried(executable: Path) -> set[str]:
    """The names of all that is in the archive, modules and files."""
    viewer = [sys.executable, "-m", "PyInstaller.utils.cliutils.archive_viewer"]
    said = subprocess.run(
        [*viewer, "--list", "--recursive", "--brief", executable],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {line.strip() for line in said.splitlines()}


def test_the_program_carries_nothing_that_nobody_needs(folder: Path) -> None:
    inside = folder.parent / "_internal"
    files = {str(path.relative_to(inside)) for path in inside.rglob("*")}
    names = _carried(inside / PROGRAM) | _carried(inside / "modules.pyz") | files

    assert {"credlatch_own", "httpx", "json"} <= names
    assert names & UNWANTED == set()
    assert {name for name in names if name.startswith("pyi_rth_")} == set()


def test_the_single_file_is_below_45_mb(single: Path) -> None:
    assert single.stat().st_size < 45e6


def test_of_aws_s_descriptions_of_services_it_has_what_makes_keys(folder: Path) -> None:
    data = folder.parent / "_internal" / "botocore" / "data"
    assert {"sts", "sso", "sso-oidc"} <= {path.name for path in data.iterdir() if path.is_dir()}
    assert sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) < 2 * MEBIBYTE


def _rattler(home: Home, entries: int) -> None:
    others = {f"h{n}.example.com": {"BearerToken": f"t{n}"} for n in range(entries - 1)}
    home.write_rattler({**others, HOST: {"BearerToken": "made-up"}})


def _uv(home: Home, entries: int) -> None:
    row = '[[credential]]\nservice = "https://{}/"\nscheme = "bearer"\ntoken = "t"\n'
    hosts = [*(f"h{n}.example.com" for n in range(entries - 1)), HOST]
    home.write(".local/share/uv/credentials/credentials.toml", "".join(map(row.format, hosts)))


@pytest.mark.parametrize("fill", [_rattler, _uv], ids=["rattler", "uv"])
@pytest.mark.parametrize("entries", [10, 10_000])
def test_a_get_takes_less_than_40_mb(
    each_form: Program, fill: Callable[[Home, int], None], entries: int
) -> None:
    fill(each_form.home, entries)

    assert peak(each_form, HOST) < 40 * MEBIBYTE


def test_a_get_that_renews_takes_less_than_40_mb(
    each_form: Program, token_server: TokenServer
) -> None:
    each_form.home.write_rattler({HOST: oauth(token_server, -60)})

    assert peak(each_form, HOST) < 40 * MEBIBYTE
    assert len(token_server.posts("/token")) == 1
