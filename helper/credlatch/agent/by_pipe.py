"""The agent's named pipe, on Windows: one for each user and build.

The launcher has the same in C (build/loader).
"""

from __future__ import annotations

import os
import sys

from credlatch.caller import Caller
from credlatch.errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credlatch.agent.transport import Connection, Listener

END_IT = "end its process, which the Task Manager has as credlatch-program"

if sys.platform == "win32":

    def name(build: str) -> str:
        r"""The pipe of the agent of one build, below ``\\.\pipe``, which has no folders.

        Raises:
            OSError: the system does not tell who this user is.
        """
        from credlatch.system import windows_users

        return rf"\\.\pipe\credlatch-{windows_users.own()}-{build}"

    def listen(build: str) -> Listener:
        """The agent's own.

        Raises:
            OSError: somebody has that name already, or it cannot be made.
        """
        from credlatch.system import windows_pipes

        return windows_pipes.Listener(name(build))

    def connect(build: str, seconds: float) -> Connection | None:
        """A connection to this user's agent; None: there is none.

        Args:
            build: whose agent.
            seconds: its time limit.

        Raises:
            AgentError: it is not to be believed; nothing has been sent.
            OSError: it does not answer.
        """
        from credlatch.system import windows_pipes

        try:
            connection = windows_pipes.connect(name(build), seconds)
        except PermissionError:
            raise AgentError(
                f"{name(build)} is another user's, who has to end what listens there"
            ) from None
        if connection is not None:
            connection.settimeout(seconds)
        return connection

    def listens(build: str) -> bool:
        """Whether somebody listens, and not only answers what was asked before.

        Raises:
            AgentError: who is not to be believed.
        """
        try:
            connection = connect(build, 0.0)
        except OSError:
            return False  # all instances are taken
        if connection is not None:
            connection.close()
        return connection is not None

    def locked(build: str) -> int:
        """The descriptor of the lock that an agent holds as long as it lives.

        Raises:
            BlockingIOError: somebody else has it.
            OSError: it cannot be had.
        """
        from credlatch.system import windows_locks

        folder = _folder()
        os.makedirs(folder, exist_ok=True)
        return windows_locks.at_once(os.path.join(folder, f"{build}.lock"))

    def inherited(word: str) -> int | None:
        """The descriptor of that lock, which the starter has handed on; None: the word is none."""
        import msvcrt

        return msvcrt.open_osfhandle(int(word), os.O_RDWR) if word.isdecimal() else None

    def spawn(words: Sequence[str], environ: Mapping[str, str], lock: int) -> None:
        """Run this program in a process of its own, with the lock and none of our streams.

        Raises:
            OSError: there can be none.
        """
        import msvcrt

        from credlatch.system import windows_processes

        # Not the launcher, which would stay beside it.
        path, handle = windows_processes.program(), msvcrt.get_osfhandle(lock)
        windows_processes.start(path, [*words, str(handle)], environ, handle)

    def namespace() -> bytes:
        """Where paths lead: drive letters are the logon session's."""
        from credlatch.system import windows_users

        return windows_users.logon_session()

    def why_not() -> str:
        """Why there can be no agent, in words for a person; empty where there can."""
        from credlatch.system.files import reason

        folder = _folder()
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            why = f"{folder} cannot be made ({reason(error)})"
            return f"{why}: set LOCALAPPDATA to a folder of your own"
        return ""

    def _folder() -> str:
        return Caller().cache("credlatch", "agent").replace("/", os.sep)
