"""The calls that are disturbed: what each finds, and what it leaves where all goes well.

A scenario says what its files hold in a form that is the same in every run: a fault must leave that
as it was before the call, or as it is after an undisturbed one.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from support.logins import ENDED, Login, age_notes, claims
from support.program import Program
from support.storm import Call, bazel

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from faults.calls import Fault
    from support.program import Answer
    from support.token_server import TokenServer

SECRET = "kept-from-everybody"  # in all that is stored
FRESH = "typed-just-now"  # in all that is to be stored
INDEX = "sparse+https://cargo.example.com/index/"
OLD = {
    "old.example.com": {"BasicHTTP": {"username": "ada", "password": SECRET}},
    "gone.example.com": {"BasicHTTP": {"username": "ada", "password": SECRET}},
    "token.example.com": {"BearerToken": SECRET},
    f"cargo:{INDEX}": {"BearerToken": SECRET},
}
# The calls by which a request may be lost on its way, or its answer: nobody knows which.
_NETWORK = {"close", "poll", "recvfrom", "sendto"}
ABOVE = "above"  # the folders that a home is in, or the program
_LOCKS = (".lock", ".renewals", ".renewals.credlatch")


class Scenario(ABC):
    """One call, in a home of its own.

    Attributes:
        name: what it is called.
        call: the call.
        home: where it is made.
        writes: whether it changes anything.
        answers: whether what it says is for a program, and the same each time.
        readings: of the wall clock that count.
        of_launcher: whether the launcher is disturbed, and not the program.
        leaves_a_process: whether it starts one that goes on.
    """

    name: str
    call: Call
    writes = True
    answers = True
    readings = 1
    of_launcher = False
    leaves_a_process = False

    def __init__(self, program: Program) -> None:
        self.program = program
        self.home = program.home

    def place(self, path: str) -> str:
        """Which file it is, on every machine by the same name."""
        for folder, name in (
            (self.home.env["XDG_RUNTIME_DIR"], "runtime"),
            (str(self.home.path), "~"),
            (str(self.home.path.parent), "beside"),
            (os.path.dirname(self.program.command[0]), "program"),
        ):
            if path == folder or path.startswith(f"{folder}/"):
                return name + path.removeprefix(folder)
            if folder.startswith(f"{path.rstrip('/')}/") and path.startswith("/"):
                return ABOVE
        return path

    def begin(self, stack: ExitStack) -> None:  # noqa: B027 - for most there is nothing to do
        """Start what it needs, which ends with the stack."""

    def meanwhile(self, process: subprocess.Popen[bytes]) -> None:  # noqa: B027 - likewise
        """Something happens while it runs."""

    @abstractmethod
    def prepare(self) -> None:
        """Have everything as it is before the call."""

    @abstractmethod
    def state(self) -> object:
        """What there is."""

    def settle(self) -> None:  # noqa: B027 - for most there is nothing to do
        """Let time pass, so that what was noted is no reason to wait."""

    def is_right(self, left: object, before: object, after: object) -> bool:
        """Whether what a call has left that failed is one thing or the other."""
        return left in (before, after)

    def is_an_answer(self, answer: Answer, good: Answer) -> bool:
        """Whether what a call says that has not failed is one."""
        return answer.out == good.out

    def is_meant(self, fault: Fault) -> bool:  # noqa: ARG002 - of most none is
        """Whether a fault says something, and not that something has failed."""
        return False

    def may_lose(self, fault: Fault) -> bool:  # noqa: ARG002 - of most nothing can be lost
        """Whether a fault may cost the login: nobody can have what never came."""
        return False


def tree(*places: Path) -> dict[str, tuple[int, str]]:
    """What is below some folders: modes, and contents or where a link leads."""
    found = {}
    for path in _below(*places):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            found[str(path)] = (0, os.readlink(path))
        elif stat.S_ISREG(status.st_mode) and not path.name.endswith(_LOCKS):
            found[str(path)] = (stat.S_IMODE(status.st_mode), path.read_text())
    return found


def _below(*places: Path) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.rglob("*")) if place.is_dir() else ()


class Logins(Scenario):
    """A login is kept, forgotten or read in rattler's file."""

    def __init__(
        self,
        program: Program,
        name: str,
        args: tuple[str, ...],
        stdin: str | dict[str, object] = "",
        *,
        writes: bool = True,
    ) -> None:
        super().__init__(program)
        self.name = name
        self.writes = writes
        self.call = Call(args, (stdin if isinstance(stdin, str) else json.dumps(stdin)).encode())

    def prepare(self) -> None:
        shutil.rmtree(self.home.path / ".rattler", ignore_errors=True)
        self.home.write_rattler(OLD)

    def state(self) -> object:
        found = tree(self.home.path / ".rattler")
        store = str(self.home.path / ".rattler/credentials.json")
        mode, text = found.pop(store)
        return mode, json.loads(text), found


class Typed(Logins):
    """What a person says of a login, who is told more of it where more is known."""

    answers = False


class FirstLogin(Logins):
    """A login is kept where there has been none."""

    def prepare(self) -> None:
        shutil.rmtree(self.home.path / ".rattler", ignore_errors=True)

    def state(self) -> object:
        return tree(self.home.path / ".rattler")


class Renewal(Scenario):
    """A login that has ended is renewed; its refresh token is good for one use."""

    readings = 12

    def __init__(self, program: Program, name: str, login: Login, server: TokenServer) -> None:
        super().__init__(program)
        self.name = name
        self.call = bazel(login.uri)
        self._login = login
        self._server = server
        self._refresh = ""
        self._number = 0

    def prepare(self) -> None:
        for left in self._login.file.parent.glob("*"):
            left.unlink()
        self._number += 1
        self._refresh = f"{SECRET}-{self._number}"
        self._login.write(ENDED, self._refresh)
        self._server.replayed.clear()

    def state(self) -> object:
        mode = stat.S_IMODE(self._login.file.stat().st_mode)
        access, refresh = self._login.kept()
        assert self._login.refresh_tokens().count(self._refresh) <= 1, "it was sent twice"
        assert not self._server.replayed, "a token that was used up was sent again"
        beside = [
            path.name
            for path in self._login.file.parent.iterdir()
            if path != self._login.file and not path.name.endswith(_LOCKS)
        ]
        if refresh == self._refresh:
            return mode, "old", beside
        assert self._server.current_access_token is not None
        newest = claims(self._server.current_access_token)["n"]
        assert refresh == f"rotated-{newest}", "what came last is lost"
        if access != self._server.current_access_token:
            # The clock has jumped, so that what came was over when it came.
            assert claims(access)["n"] == 0
            return mode, "rotated", beside
        return mode, "new", beside

    def is_right(self, left: object, before: object, after: object) -> bool:
        return left in (before, after) or (isinstance(left, tuple) and left[1] == "rotated")

    def settle(self) -> None:
        age_notes(self.home, 60)

    def may_lose(self, fault: Fault) -> bool:
        return fault.name in _NETWORK and ("socket:" in fault.text or "TCP" in fault.text)


class Get(Scenario):
    """A credential is read."""

    writes = False

    def __init__(self, program: Program, name: str, call: Call, path: str, content: str) -> None:
        super().__init__(program)
        self.name = name
        self.call = call
        self._path = path
        self._content = content

    def prepare(self) -> None:
        self.home.write(self._path, self._content)

    def state(self) -> object:
        return (self.home.path / self._path).read_text()


_MORE = (".gitconfig", ".gitconfig.lock", "run/containers")


class Setup(Scenario):
    """A tool is wired, or that is taken back."""

    answers = False

    def __init__(self, program: Program, tool: str, files: dict[str, str], *more: str) -> None:
        super().__init__(program)
        self.name = f"setup-{tool}{'-undo' if '--undo' in more else ''}"
        self._files = files
        self._before: tuple[str, ...] | None = None
        words = ("setup", tool, *more, "--yes")
        if "--undo" in more:
            self._before = ("setup", tool, "--all-hosts", "--yes")
        self.call = Call(words, b"")

    def prepare(self) -> None:
        for name in (".config", ".local", ".docker", ".pixi", ".cargo", ".bazelrc", *_MORE):
            place = self.home.path / name
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        (self.home.path.parent / "links/keyring").unlink(missing_ok=True)
        for name, content in self._files.items():
            self.home.write(name, content)
        if self._before is not None:
            answer = self.program(*self._before)
            assert answer.code == 0, answer

    def state(self) -> object:
        """The tools' files; a record of what was done may be there too early, or too long."""
        found = tree(self.home.path, self.home.path.parent / "links")
        records = str(self.home.path / ".local/share/credlatch/setup")
        return {
            path: said
            for path, said in found.items()
            if not path.startswith((records, str(self.home.path / "bin")))
        }


class Install(Scenario):
    """The program is put in place, or taken away."""

    answers = False

    def __init__(self, program: Program, word: str) -> None:
        super().__init__(program)
        self.name = word
        self._prefix = self.home.path / "prefix"
        self.call = Call((word, "--prefix", str(self._prefix)), b"")

    def prepare(self) -> None:
        shutil.rmtree(self._prefix, ignore_errors=True)
        if self.name == "uninstall":
            answer = self.program("install", "--prefix", str(self._prefix))
            assert answer.code == 0, answer

    def is_right(self, left: object, before: object, after: object) -> bool:
        """The links go first, so that none leads nowhere; and the next ``uninstall`` ends it."""
        return super().is_right(left, before, after) or self.name == "uninstall"

    def state(self) -> object:
        """Whether it is there, and runs; and that nothing half-made is beside it."""
        names = sorted(
            str(path.relative_to(self._prefix))
            for path in (*self._prefix.glob("bin/*"), *self._prefix.glob("lib/credlatch/*"))
            if path.name != "lock" and not path.name.startswith((".old-", ".new-"))
        )
        program = self._prefix / "bin/credlatch"
        if not names or (self.name == "uninstall" and not os.path.lexists(program)):
            return names
        assert program.exists(), names
        version = Program([str(program)], self.home, self.home.path)("--version")
        assert version.code == 0, version
        return names


class Secrets(Scenario):
    """A build is given a secret in a file."""

    writes = False
    name = "secrets"

    def __init__(self, program: Program, *options: str) -> None:
        super().__init__(program)
        self.name = "-".join(["secrets", *(word.strip("-") for word in options)])
        secret = "id=s,url=https://token.example.com/"
        script = 'cat "$CREDLATCH_SECRETS/s"'
        words = ("secrets", *options, "--secret", secret, "--", "sh", "-c", script)
        self.call = Call(words, b"")

    def prepare(self) -> None:
        self.home.write_rattler(OLD)

    def is_an_answer(self, answer: Answer, good: Answer) -> bool:
        """Whether the command was given the secret, or what is none; why is told, where one can."""
        refused = answer.out.startswith(b"credlatch: ") or (not answer.out and answer.err)
        return super().is_an_answer(answer, good) or bool(refused)

    def state(self) -> object:
        """The store; and no folder of secrets is left."""
        left = [path.name for path in (self.home.path / "run").glob("credlatch*")]
        return tree(self.home.path / ".rattler"), left
