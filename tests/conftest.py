"""What every test may ask for: an isolated home, and the program run in it.

Nothing of the user's is touched: HOME and every XDG folder are the test's own, no D-Bus address is
inherited, and no variable of the surrounding shell reaches the program.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.home import Home
from support.in_memory import folder_in_memory, runtime_folder  # noqa: F401 - fixtures for every test
from support.installed import have_unpacked
from support.internet import Internet
from support.parallel import pytest_xdist_make_scheduler  # noqa: F401 - a hook of pytest-xdist
from support.program import Program
from support.skips import (  # noqa: F401 - in CI a skipped test fails
    pytest_make_collect_report,
    pytest_runtest_makereport,
)
from support.token_server import TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.aws_servers import Aws

ROOT = Path(__file__).resolve().parent.parent
SINGLE = ROOT / "dist" / "credlatch"
FOLDER = ROOT / "dist" / "credlatch.d" / "credlatch"


@pytest.fixture(scope="session", autouse=True)
def heard() -> None:
    """What a shell has its background jobs ignore, the programs of the tests do not."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        for number in (signal.SIGHUP, signal.SIGQUIT):
            if signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of the test's own, with nothing in it."""
    return Home(tmp_path / "home")


@pytest.fixture
def token_server() -> Iterator[TokenServer]:
    """A token server of the test's own."""
    with TokenServer() as server:
        yield server


@pytest.fixture
def internet(home: Home, tmp_path: Path) -> Iterator[Internet]:
    """A network of the test's own, which has no host yet; the home's programs go there."""
    with Internet(tmp_path / "internet") as internet:
        home.env |= internet.environ
        yield internet


def _built(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.relative_to(ROOT)} is not built: run ./dev build")
    return path


@pytest.fixture(scope="session")
def folder() -> Path:
    """The frozen program in its folder form."""
    return _built(FOLDER)


@pytest.fixture(scope="session")
def single() -> Path:
    """The frozen program as the single file."""
    return _built(SINGLE)


@pytest.fixture
def frozen(folder: Path, home: Home, tmp_path: Path) -> Program:
    """The frozen folder form, run in the isolated home. What most end-to-end tests use."""
    return Program([str(folder)], home, tmp_path / "links")


@pytest.fixture(scope="session")
def single_home(single: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the single file has unpacked itself."""
    home = Home(tmp_path_factory.mktemp("single-home"))
    program = Program([str(single)], home, home.path / "links")
    assert program("--version").code == 0
    return home


@pytest.fixture(params=["folder", "single"])
def each_form(request: pytest.FixtureRequest, home: Home, tmp_path: Path) -> Program:
    """Both frozen forms, one after the other; the single file has unpacked itself before."""
    path = _built({"folder": FOLDER, "single": SINGLE}[request.param])
    if path == SINGLE:
        have_unpacked(home, request.getfixturevalue("single_home"))
    return Program([str(path)], home, tmp_path / "links")


@pytest.fixture
def source(home: Home, tmp_path: Path) -> Program:
    """The source tree, run by this interpreter: for tests that need no frozen program."""
    home.env["PYTHONPATH"] = str(ROOT / "helper")
    return Program([sys.executable, "-m", "credlatch"], home, tmp_path / "links")


@pytest.fixture
def aws(internet: Internet) -> Aws:
    """AWS's services, at their own hosts."""
    from support.aws_servers import HOSTS, Aws  # botocore is for who needs it

    services = Aws()
    internet.hosts |= dict.fromkeys(HOSTS, services)
    return services
