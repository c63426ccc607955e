"""Everything that a call writes, sends or starts, by strace; and where a marked secret was in it.

A secret with MARK in it is put somewhere, a call is made, and each system call that has the mark,
in whatever encoding, is a sighting: of a place, which is one where it belongs, or is not.
"""

from __future__ import annotations

import base64
import codecs
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from support.components import need
from support.program import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from support.program import Answer, Program

MARK = "cAnArY7wJq2Zp9XkV4"
_CALLS = (
    *("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg"),
    *("execve", "execveat", "openat", "openat2", "open", "creat", "mkdir", "mkdirat", "rename"),
    *("renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"),
    *("connect", "setxattr", "fsetxattr", "prctl", "ioctl", "memfd_create", "mknodat", "stat"),
    *("newfstatat", "statx", "readlink", "access", "faccessat2", "chdir", "mq_timedsend", "msgsnd"),
    *("clone", "clone3", "fork", "vfork"),
)
OPTIONS = (
    *("-f", "-qq", "-yy", "-s", "1000000", "-e", "signal=none", "-e", "abbrev=none"),
    *("-e", f"trace={','.join(f'?{name}' for name in _CALLS)}"),
)
_LINE = re.compile(
    r"^(?P<thread>\d+) +(?:<\.\.\. )?(?P<call>\w+)(?:\(| resumed>)(?P<rest>.*)$", re.MULTILINE
)
_TARGET = re.compile(r"^(?P<number>-?\d+)<(?P<what>(?:->|[^<>]|<[^<>]*>)*)>")
_SOCKET = re.compile(
    r'\d+<UNIX[^[]*\[(?P<own>\d+)[^{]*\{sa_family=AF_UNIX, sun_path="(?P<path>[^"]*)'
)
_OWN = re.compile(r"^UNIX[^[]*\[(\d+).*")
_AGENTS = re.compile(r"/credlatch(-[0-9]+)?/[0-9a-f]{16}\.sock")
_ESCAPED = re.compile(rb"\\(x[0-9a-f]{2}|[0-7]{1,3}|.)")
_OURS = re.compile(r'[^"]*"(?:[^"]*/)?(?:itself|[^"/]*credlatch[^"/]*)"')
_DONE = re.compile(r"\) += 0$")
_STARTS = {"clone", "clone3", "fork", "vfork"}
_MADE = re.compile(r"\) += (\d+)$")  # a thread, or a process, which goes on as the same program
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}

# Where a secret may be seen.
STDOUT, STDERR, MEMORY, AGENT, PIPE = "stdout", "stderr", "memory", "agent", "pipe"
ARGUMENTS, ENVIRONMENT, NAME = "arguments", "environment", "name"
CLOSED = "closed"  # a descriptor that is none, or takes nothing: nobody gets it


class Sighting(NamedTuple):
    """A secret, in a system call.

    Attributes:
        where: STDOUT and the like; a server's address; or a file's path.
        call: the system call's name.
        text: the line that strace has written, up to where it is too long.
    """

    where: str
    call: str
    text: str


class Canary:
    """A program whose calls are looked through.

    Args:
        program: what is called.
        log: a folder for what strace writes.
        marks: texts that are in secrets; more may be added.

    Attributes:
        marks: likewise.
    """

    def __init__(self, program: Program, log: Path, *marks: str) -> None:
        self.marks = [MARK, *marks]
        self._program = program
        self._folder = log
        self._strace = need("strace")
        self._number = 0
        log.mkdir(parents=True, exist_ok=True)

    def __call__(self, *args: str, stdin: bytes = b"") -> tuple[Answer, list[Sighting]]:
        """Make a call; what came of it, and where its secrets were seen."""
        self._number += 1
        log = self._folder / f"{self._number}.strace"
        answer = run(self._program.home, self.traced(log, *args), stdin)
        seen = list(sightings(log.read_bytes().decode("latin-1"), self.marks))
        if any(needle in answer.err.encode() for needle in needles(self.marks)):
            seen.append(Sighting(STDERR, "write", answer.err))
        return answer, seen

    def traced(self, log: Path, *args: str) -> list[str]:
        """The words with which a call is traced, and what it starts as well, to its end."""
        return [self._strace, *OPTIONS, "-o", str(log), "--", *self._program.command, *args]

    def of(self, command: list[str]) -> Program:
        """Another program, in the same home."""
        return type(self._program)(command, self._program.home, self._folder / "links")

    def logs(self) -> list[Sighting]:
        """What all calls so far, and those whom they have left behind, were seen with."""
        return [
            each
            for log in sorted(self._folder.glob("*.strace"))
            for each in sightings(log.read_bytes().decode("latin-1"), self.marks)
        ]


def sightings(log: str, marks: Iterable[str]) -> Iterator[Sighting]:
    """The calls in what strace has written, as Latin-1, that have a mark in them.

    What a program does with a secret that it has been given, and that is not ours, is its own
    affair: a command that secrets are for, another helper. What it is started with is not.
    """
    whole = unescaped(log.encode("latin-1"))
    wanted = tuple(needle for needle in needles(marks) if needle in whole)
    if not wanted:
        return
    connected: dict[str, str] = {}  # sockets of this machine's, and whom they lead to
    others: set[str] = set()  # processes that have become another program
    begun: dict[str, str] = {}  # what a process is about to become, while another one makes calls
    for found in _LINE.finditer(log):
        call, rest, thread = found["call"], found["rest"], found["thread"]
        made = _MADE.search(rest) if call in _STARTS else None
        if made is not None:
            (others.add if thread in others else others.discard)(made[1])
        if call.startswith("exec"):
            named = rest if '"' in rest else begun.pop(thread, "")
            if _DONE.search(rest):
                (others.discard if _OURS.match(named) else others.add)(thread)
            elif rest.endswith("<unfinished ...>"):
                begun[thread] = named
        elif thread in others:
            continue
        socket = _SOCKET.match(rest)
        if call == "connect" and socket is not None:
            connected[socket["own"]] = socket["path"]
        plain = unescaped(rest.encode("latin-1"))
        if any(needle in plain for needle in wanted):
            where = _where(call, rest, wanted)
            peer = connected.get(_OWN.sub(r"\1", where), where)
            yield Sighting(AGENT if _AGENTS.search(peer) else peer, call, rest[:2000])


def needles(marks: Iterable[str]) -> tuple[bytes, ...]:
    """Each mark, as it may be written: as it is, in base64, in hexadecimal, in UTF-16, reversed."""
    found: list[bytes] = []
    for mark in marks:
        raw = mark.encode()
        found += [raw, raw.hex().encode(), raw.hex().upper().encode(), mark.encode("utf-16-le")]
        for before in range(3):
            # What is the same whatever stands before it, and after.
            whole = base64.b64encode(b"\0" * before + raw)
            begin = -(-before * 8 // 6)
            found.append(whole[begin : (before + len(raw)) * 8 // 6])
    return tuple(found)


def in_files(folders: Iterable[Path], marks: Iterable[str]) -> set[str]:
    """The files below some folders that have a mark in them, or in their names."""
    wanted = needles(marks)
    found: set[str] = set()
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                data = os.fsencode(path)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        data += file.read()
                if any(needle in data for needle in wanted):
                    found.add(path)
    return found


def _where(call: str, rest: str, wanted: tuple[bytes, ...]) -> str:
    if call.startswith("exec"):
        _, _, after = rest.partition(", [")
        arguments = after.partition("], ")[0].encode("latin-1")
        is_argument = any(needle in unescaped(arguments) for needle in wanted)
        return ARGUMENTS if is_argument else ENVIRONMENT
    if not call.startswith(("write", "pwrite", "send", "ioctl")):
        return NAME
    target = _TARGET.match(rest)
    if target is None or target["what"].startswith("/dev/full"):
        return CLOSED
    number, what = target["number"], target["what"]
    if what.startswith(("/memfd:", "memfd:")):
        return MEMORY
    if number in {"1", "2"} and not what.startswith("/"):
        return STDOUT if number == "1" else STDERR
    if what.startswith("pipe:"):
        return PIPE
    return what.rpartition("->")[2].rstrip("]") if what.startswith("TCP") else what


def unescaped(text: bytes) -> bytes:
    """What strace shows, as it was."""

    try:
        return codecs.escape_decode(text)[0]  # in C: a log may have a hundred million bytes
    except ValueError:
        return _ESCAPED.sub(_plain, text)


def _plain(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if code.startswith(b"x") and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code.isdigit():
        return bytes([int(code, 8) & 0xFF])
    return _SIMPLE.get(code, code)


def kept(*paths: Path | str) -> list[str]:
    """A store's files, and those that are made beside them until they are complete."""
    return [each for path in paths for each in (str(path), "/.".join(str(path).rsplit("/", 1)))]


def others(seen: list[Sighting], *belongs: str) -> list[Sighting]:
    """Where a secret was seen that it does not belong to; of files, by how their names begin."""
    files = tuple(each for each in belongs if each.startswith("/"))
    return [
        each
        for each in seen
        if each.where not in belongs and not (files and each.where.startswith(files))
    ]


def left(program: Program, canary: Canary, *belongs: str) -> set[str]:
    """The files with a secret in them that are none of those where it belongs."""
    folders = [program.home.path, program.home.path.parent / "links"]
    known = {str(program.home.path / each) for each in belongs}
    return in_files(folders, canary.marks) - known
