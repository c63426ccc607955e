"""The conversation that cargo has with a provider, line by line."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Self

from support.program import TIMEOUT

if TYPE_CHECKING:
    from support.program import Program

HELLO = {"v": [1]}
INDEX = "sparse+https://host.example/cargo/"
NAMED = {"CARGO_REGISTRIES_TEAM_INDEX": INDEX}  # an index that is the caller's own
CRATES_IO = "https://github.com/rust-lang/crates.io-index"
NOT_FOUND = {"Err": {"kind": "not-found"}}


def request(kind: str = "get", index: str = INDEX, **more: Any) -> dict[str, Any]:
    """A request as cargo writes it."""
    if kind == "get":
        more = {"operation": "read", **more}
    return {"v": 1, "registry": {"index-url": index, "name": "team"}, "kind": kind, **more}


def line(asked: dict[str, Any]) -> bytes:
    """The same as bytes."""
    return json.dumps(asked, separators=(",", ":")).encode() + b"\n"


class Plugin:
    """A provider, for as long as a block lasts, which is told what a test likes when it likes."""

    def __init__(self, program: Program) -> None:
        self._process = subprocess.Popen(
            [*program.command, "--cargo-plugin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**NAMED, **program.home.env},
            cwd=program.home.path,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def says(self) -> Any:
        """The next line that it says, before anything more is said to it."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.endswith(b"\n")
        assert not said.endswith(b"\r\n")
        return json.loads(said)

    def tell(self, data: bytes) -> None:
        """Say something to it, and nothing of an end."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def asked(self, kind: str = "get", index: str = INDEX, **more: Any) -> Any:
        """What it answers to one request."""
        self.tell(line(request(kind, index, **more)))
        return self.says()

    def end(self) -> str:
        """Say that there is no more: it must end well, and say no more; what it told a person."""
        out, err = self._process.communicate(timeout=TIMEOUT)
        assert (self._process.returncode, out) == (0, b""), err
        return err.decode()


def asked(program: Program, kind: str = "get", index: str = INDEX, **more: Any) -> Any:
    """What the program answers to one request, of which no person is told anything."""
    with Plugin(program) as plugin:
        assert plugin.says() == HELLO
        answer = plugin.asked(kind, index, **more)
        assert plugin.end() == ""
    return answer
