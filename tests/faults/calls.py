"""A program's system calls, one by one, and what may go wrong with each (strace).

They are listed in a first run. Then each of many runs has one of them fail, or interrupted.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support import surroundings
from support.components import need
from support.program import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from faults.scenarios import Scenario
    from support.program import Program

LONGEST = 120.0  # seconds: a call that takes longer hangs, on the busiest machine
HUNG = 1000  # what there is then in the place of an exit status

_FULL = ("ENOSPC", "EDQUOT", "EROFS")
_DISK = ("EIO", "EINTR")
# What each may fail with (its manual page), where a program can do anything about it.
ERRORS: dict[str, tuple[str, ...]] = {
    "open": ("EMFILE", "EIO", "EACCES", "EINTR"),
    "openat": ("EMFILE", "EIO", "EACCES", "EINTR", "ELOOP"),
    "mkdir": (*_FULL, "EACCES"),
    "mkdirat": (*_FULL, "EACCES"),
    "symlink": (*_FULL, "EIO"),
    "symlinkat": (*_FULL, "EIO"),
    "mknod": (*_FULL, "EPERM"),
    "mknodat": (*_FULL, "EPERM"),
    "read": _DISK,
    "pread64": _DISK,
    "getdents64": ("EIO", "ENOENT"),
    "lseek": ("EIO",),
    "write": (*_FULL, *_DISK, "EFBIG"),
    "pwrite64": (*_FULL, *_DISK),
    "sendfile": (*_FULL, *_DISK, "EINVAL"),
    "copy_file_range": (*_FULL, *_DISK, "EXDEV"),
    "ftruncate": ("EIO", "ENOSPC", "EINTR"),
    "fallocate": ("ENOSPC", "EDQUOT", "EOPNOTSUPP", "EINTR", "EIO"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
    "rename": (*_FULL, "EIO", "EACCES", "EXDEV"),
    "renameat": (*_FULL, "EIO", "EACCES"),
    "renameat2": (*_FULL, "EIO", "EACCES"),
    "link": (*_FULL, "EMLINK"),
    "unlink": ("EROFS", "EIO", "EACCES"),
    "unlinkat": ("EROFS", "EIO", "EACCES"),
    "rmdir": ("EROFS", "EIO", "EACCES"),
    "flock": ("EINTR", "ENOLCK", "EIO"),
    "fcntl": ("EMFILE", "EINTR"),
    "dup": ("EMFILE",),
    "dup2": ("EMFILE", "EINTR"),
    "dup3": ("EMFILE", "EINTR"),
    "fstat": ("EIO", "ESTALE"),
    "newfstatat": ("EIO", "EACCES", "ESTALE"),
    "stat": ("EIO", "EACCES", "ESTALE"),
    "lstat": ("EIO", "EACCES", "ESTALE"),
    "statx": ("EIO", "EACCES"),
    "readlink": ("EIO", "EACCES"),
    "readlinkat": ("EIO", "EACCES"),
    "access": ("EIO", "EACCES"),
    "faccessat2": ("EIO", "EACCES"),
    "getxattr": ("EIO", "EOPNOTSUPP"),
    "chmod": ("EPERM", "EIO", "EROFS"),
    "fchmod": ("EPERM", "EIO", "EROFS"),
    "fchmodat": ("EPERM", "EIO", "EROFS"),
    "fchown": ("EPERM", "EIO", "EROFS"),
    "utimensat": ("EPERM", "EIO", "EROFS"),
    "close": ("EIO", "EINTR", "ENOSPC"),
    "getcwd": ("ENOENT", "EACCES"),
    "getrandom": ("EINTR", "ENOSYS"),
    "pipe2": ("EMFILE", "ENFILE"),
    "execve": ("EACCES", "ENOENT", "ENOMEM"),
    "clone": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "fork": ("EAGAIN", "ENOMEM"),
    "vfork": ("EAGAIN", "ENOMEM"),
    "socket": ("EMFILE", "ENFILE", "ENOBUFS"),
    # Not EINTR: after it the system goes on connecting, which strace does not.
    "connect": ("ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT"),
    "sendto": ("EPIPE", "ECONNRESET", "EINTR", "EAGAIN"),
    "sendmsg": ("EPIPE", "ECONNRESET", "EINTR"),
    "recvfrom": ("ECONNRESET", "ETIMEDOUT", "EINTR", "EAGAIN"),
    "recvmsg": ("ECONNRESET", "ETIMEDOUT", "EINTR"),
    "setsockopt": ("EINVAL", "ENOBUFS"),
    "getsockopt": ("EINVAL",),
    "getpeername": ("ENOTCONN",),
    "shutdown": ("ENOTCONN",),
    "poll": ("EINTR", "ENOMEM"),
    "ppoll": ("EINTR", "ENOMEM"),
    "select": ("EINTR",),
    "pselect6": ("EINTR",),
    "epoll_create1": ("EMFILE",),
    "epoll_wait": ("EINTR",),
    "wait4": ("EINTR",),
    "memfd_create": ("EMFILE", "ENOMEM"),
    "inotify_init1": ("EMFILE",),
    "prlimit64": ("EPERM",),
}
# There are many of these, one like the other: each fails once, with the next of its errors; and so
# does each call on the program's own files.
_LOOKS = {"fstat", "lseek", "lstat", "newfstatat", "readlink", "readlinkat", "stat", "statx"}
_HAVE = ("inotify_init1", "prlimit64")
# The kinds of calls: what is tried of a scenario has one of each.
KINDS = {
    "open": ("open", "openat"),
    "look": (*_LOOKS, "access", "faccessat2", "getcwd", "getdents64", "getxattr"),
    "read": ("read", "pread64", "getrandom"),
    "lock": ("flock",),
    "make": ("mkdir", "mkdirat", "symlink", "symlinkat", "mknod", "mknodat", "link"),
    "own": ("chmod", "fchmod", "fchmodat", "fchown", "utimensat"),
    "write": ("write", "pwrite64", "sendfile", "copy_file_range", "ftruncate", "fallocate"),
    "sync": ("fsync",),
    "rename": ("rename", "renameat", "renameat2"),
    "remove": ("unlink", "unlinkat", "rmdir"),
    "close": ("close",),
    "connect": ("socket", "connect", "setsockopt", "getsockopt", "getpeername", "shutdown"),
    "send": ("sendto", "sendmsg"),
    "receive": ("recvfrom", "recvmsg"),
    "wait": ("poll", "ppoll", "select", "pselect6", "epoll_wait", "wait4"),
    "have": ("pipe2", "dup", "dup2", "dup3", "fcntl", "epoll_create1", "memfd_create", *_HAVE),
    "start": ("clone", "clone3", "fork", "vfork", "execve"),
}
_KIND = {name: kind for kind, names in KINDS.items() for name in names}
# Calls of which a thread is not to make more than it has to: they do something, whatever is told.
_UNBURNT = {"fork", "vfork", "wait4"}
# A close that fails leaves nothing open; one that strace has fail does: the loader crashes then,
# and who reads a secret at a FIFO waits for its end.
_NOT_LEFT_OPEN = (".so>", "/credlatch-secrets-")
# The first thing that our own code does: before are the system's loader and the interpreter.
_BEGIN = ("rt_sigaction", "SIGINT, {sa_handler=SIG_DFL")
# Not --seccomp-bpf: with it nothing is injected.
_OPTIONS = ("-qq", "-e", "signal=none", "-s", "512")
_TRACE = f"trace={','.join(f'?{name}' for name in (*ERRORS, _BEGIN[0]))}"
_LINE = re.compile(r"^(?:(?P<thread>\d+) +)?(?P<name>\w+)\((?P<rest>.*)", re.MULTILINE)
_MADE = re.compile(r"=> \{parent_tid=\[(\d+)\]")
_DONE = re.compile(r"\) += 0(?: |$)")
_NAMED = re.compile(r'^(?:[^",]*, )?"(?P<named>[^"]*)"|^[^",]*?\d<(?P<held>/[^>]*)>')


@dataclass(frozen=True)
class Fault:
    """One system call that fails.

    Attributes:
        name: which call.
        number: the how manieth of that name in its thread.
        error: what it fails with.
        text: what it was about, for a person.
        path: what it was about; empty: no file.
        again: the how manieth that is the same but for its number.
        thread: who makes it: the first thread of the call, another one, or another process.
        burnt: in another thread, the how manieth that is, and how many such calls it is to make
            before all others.
    """

    name: str
    number: int
    error: str
    text: str
    path: str
    again: int
    thread: str
    burnt: tuple[int, int] | None = None

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return _KIND[self.name]

    @property
    def is_of_the_answer(self) -> bool:
        """Whether it is what is written to a client, which then cannot be told."""
        return self.name == "write" and self.text.startswith(("1<", "2<"))

    def __str__(self) -> str:
        return f"{self.error} at {self.name} {self.number}, {self.thread}: {self.text[:200]}"


class Tracer:
    """Runs calls of a program, undisturbed or with a fault, under strace.

    Strace counts calls in each thread. So the faults of the first thread are made with no other one
    traced, and for those of another that one makes more such calls, to no end, than all others
    do. Of other processes those are left out whose number the first thread reaches, too.

    Args:
        program: what is run.
        log: where strace writes.
    """

    def __init__(self, program: Program, log: Path) -> None:
        self._program = program
        self._own = (str(Path(program.command[0]).parent), str(program.home.path))
        self._log = log
        self._strace = need("strace")

    def plain(self, scenario: Scenario, variables: Mapping[str, str] | None = None) -> Answer:
        """Run a call by itself, or with variables that make surroundings for it."""
        return self._run(self._program.command, scenario, variables)

    def faults(self, scenario: Scenario) -> tuple[Answer, list[Fault]]:
        """Run a call undisturbed; what it says, and all that may go wrong with it.

        What the system's loader and the interpreter do before our first line is run is left out,
        and what the launcher does, or, where that is disturbed, the program.
        """
        follow = () if scenario.leaves_a_process else ("-f",)
        answer = self._traced(scenario, *follow, "-y", "-e", _TRACE)
        log = self._log.read_text(errors="replace")
        return answer, list(self._found(log, of_launcher=scenario.of_launcher))

    def _found(self, log: str, *, of_launcher: bool) -> Iterator[Fault]:
        lines = list(_LINE.finditer(log))
        first = lines[0]["thread"]
        others = _others(log, self._own)
        processes = {line["thread"] for line in lines if _is_start(line)}
        made = {thread: number for number, thread in enumerate(_MADE.findall(log), 1)}
        total = Counter(line["name"] for line in lines)
        in_first = Counter(line["name"] for line in lines if line["thread"] == first)
        counts: Counter[tuple[str, str]] = Counter()
        alike: Counter[str] = Counter()
        same: Counter[tuple[str, ...]] = Counter()
        started = 0
        has_begun: dict[str, bool] = {}
        for line in lines:
            thread, name, rest = line["thread"], line["name"], line["rest"]
            counts[thread, name] += 1
            if _is_start(line):
                started += thread == first
                has_begun[thread] = False
                continue
            if name == _BEGIN[0] and rest.startswith(_BEGIN[1]):
                has_begun[thread] = True
            if of_launcher != (started == 1) or not (
                of_launcher or has_begun.setdefault(thread, has_begun[first])
            ):
                continue
            number, errors, burnt = counts[thread, name], ERRORS.get(name, ()), None
            if not errors or thread in others:
                continue
            if name == "close" and any(mark in rest for mark in _NOT_LEFT_OPEN):
                continue
            where = "the first thread"
            if thread != first:
                where = "another process" if thread in processes else "another thread"
                if thread in made and name not in _UNBURNT:
                    burnt = made[thread], total[name]
                    number += total[name]
                elif in_first[name] >= number:
                    continue
            if "/_internal" in rest or name in _LOOKS:
                errors = (errors[alike[name] % len(errors)],)
                alike[name] += 1
            for error in errors:
                path = _path(rest)
                same[name, path, error] += 1
                again = same[name, path, error]
                yield Fault(name, number, error, rest, path, again, where, burnt)

    def fail(self, scenario: Scenario, fault: Fault) -> Answer | None:
        """Run a call with a fault; None: it came to none, or in another program."""
        inject = f"inject={fault.name}:error={fault.error}:when={fault.number}"
        options = ["-e", f"trace={fault.name},?execve", "-e", inject]
        if fault.thread != "the first thread":
            options.append("-f")
        if fault.burnt is not None:
            thread, count = fault.burnt
            for name, value in surroundings.burning(fault.name, count, thread).items():
                options += ["-E", f"{name}={value}"]
        answer = self._traced(scenario, *options)
        log = self._log.read_text(errors="replace")
        hit = {line["thread"] for line in _LINE.finditer(log) if "(INJECTED)" in line["rest"]}
        return answer if hit and not hit & _others(log, self._own) else None

    def _traced(self, scenario: Scenario, *options: str) -> Answer:
        words = [self._strace, *_OPTIONS, "-o", str(self._log), *options, "--"]
        return self._run([*words, *self._program.command], scenario)

    def _run(
        self, words: Sequence[str], scenario: Scenario, variables: Mapping[str, str] | None = None
    ) -> Answer:
        home, call = self._program.home, scenario.call
        with subprocess.Popen(
            [*words, *call.args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**home.env, **call.env, **(variables or {})},
            cwd=home.path,
            start_new_session=True,
        ) as process:
            scenario.meanwhile(process)
            try:
                out, err = process.communicate(call.stdin, LONGEST)
            except subprocess.TimeoutExpired:
                # Not only what traces; and nobody is waited for who still holds the streams.
                _end_session(process.pid)
                return Answer(HUNG, b"", "")
        return Answer(process.returncode, out, err.decode(errors="replace"))


def _end_session(session: int) -> None:
    """Kill all processes of a session, whoever is left of it."""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(ProcessLookupError):
            if os.getsid(int(name)) == session:
                os.kill(int(name), signal.SIGKILL)


def _is_start(line: re.Match[str]) -> bool:
    """Whether a process becomes a program by it."""
    return line["name"] == "execve" and _DONE.search(line["rest"]) is not None


def _others(log: str, own: tuple[str, ...]) -> set[str]:
    """The processes that have become another program."""
    paths = tuple(f'"{path}' for path in own)
    starts = filter(_is_start, _LINE.finditer(log))
    return {line["thread"] for line in starts if not line["rest"].startswith(paths)}


def _path(rest: str) -> str:
    """The path that a call names, or has open; empty: none."""
    found = _NAMED.search(rest)
    return "" if found is None else found["named"] or found["held"] or ""
