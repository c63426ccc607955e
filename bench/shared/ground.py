"""What a measurement stands on: a copy of what was built, homes, a keyring and agents of its own.

Nothing of the user's is touched, and nothing is left at the end.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.shared.agent import Agent

from support.home import Home
from support.secret_service import SecretService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeVar

    T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
FOLDER, SINGLE = "folder", "single file"
_IDLE = 300  # seconds: should this run be killed, its agents end soon
# What tests need and users have not: with the certificates' two, uv reads those at each start.
_UNCOMMON = ("CREDLATCH_AGENT", "CREDLATCH_TIMEOUT", "SSL_CERT_FILE", "SSL_CERT_DIR")
_DAEMONS = ("dbus-daemon", "gnome-keyring-daemon")


class Ground:
    """A temporary folder, and what runs in it.

    Attributes:
        path: the folder. Its name is short, as the path of a socket must be.
        forms: the program in each form, by its name: copies, as somebody may build meanwhile.
    """

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        self._keyring: SecretService | None = None
        built = ROOT / "dist"
        self.folder = path / "credlatch.d"
        self.forms = {FOLDER: self.folder / "credlatch", SINGLE: path / "credlatch"}
        shutil.copytree(built / "credlatch.d", self.folder, symlinks=True)
        shutil.copy2(built / "credlatch", self.forms[SINGLE])

    def home(self, name: str, *, agent: bool = False) -> Home:
        """A new home in which no keyring is visible, and credlatch may have an agent or not."""
        home = Home(self.path / name)
        home.env["CREDLATCH_AGENT_IDLE"] = str(_IDLE)
        for variable in _UNCOMMON:
            home.env.pop(variable, None)
        if not agent:
            home.env["CREDLATCH_AGENT"] = "off"
        return home

    def agent(self, form: str, home: Home) -> Agent:
        """The agent of a home, which is stopped at the end; call this before it may start."""
        agent = Agent(self.forms[form], home)
        self._stack.callback(agent.stop)
        return agent

    def at_end(self, stop: Callable[[], None]) -> None:
        """Have something done at the end."""
        self._stack.callback(stop)

    def running(self, server: AbstractContextManager[T]) -> T:
        """A server that runs until the end."""
        return self._stack.enter_context(server)

    def keyring(self) -> SecretService | None:
        """A Secret Service, started when it is first wanted; None when none is installed."""
        if any(shutil.which(name) is None for name in _DAEMONS):
            return None
        if self._keyring is None:
            folder = self.path / "bus"
            folder.mkdir(mode=0o700)
            self._keyring = self._stack.enter_context(SecretService(folder).running())
        return self._keyring


@contextmanager
def ground() -> Iterator[Ground]:
    """A ground to measure on; when it is left, all that ran on it has ended."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="clb-"))
        yield Ground(Path(folder), stack)
