"""A program's system calls, one by one, and what may go wrong with each (strace).

They are listed in a first run. Then each of many runs has one of them fail, or interrupted.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.components import need
from support.program import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.program import Program
    from support.storm import Call

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
    "clone": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "fork": ("EAGAIN", "ENOMEM"),
    "vfork": ("EAGAIN", "ENOMEM"),
    "socket": ("EMFILE", "ENFILE", "ENOBUFS"),
    "connect": ("ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT", "EINTR"),
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
# There are many of these, one like the other: each fails once, with the next of its errors.
_LOOKS = {"fstat", "lseek", "lstat", "newfstatat", "readlink", "readlinkat", "stat", "statx"}
_OWN = 9  # of so many calls on the program's own files, which are alike too, one fails
# The first thing that our own code does: before are the system's loader and the interpreter.
_BEGIN = ("rt_sigaction", "SIGINT, {sa_handler=SIG_DFL")
# Not --seccomp-bpf: with it nothing is injected.
_OPTIONS = ("-f", "-qq", "-e", "signal=none")
_TRACE = f"trace={','.join(f'?{name}' for name in (*ERRORS, _BEGIN[0], 'execve'))}"
_LINE = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)", re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """One system call that fails.

    Attributes:
        name: which call.
        number: the how manieth of that name in its thread.
        error: what it fails with.
        text: what it was about, for a person.
    """

    name: str
    number: int
    error: str
    text: str

    @property
    def is_of_the_answer(self) -> bool:
        """Whether it is what is written to a client, which then cannot be told."""
        return self.name == "write" and self.text.startswith(("1<", "2<"))

    def __str__(self) -> str:
        return f"{self.error} at {self.name} {self.number}: {self.text[:160]}"


class Tracer:
    """Runs calls of a program, undisturbed or with a fault, under strace.

    Args:
        program: what is run.
        log: where strace writes.
    """

    def __init__(self, program: Program, log: Path) -> None:
        self._program = program
        self._own = str(Path(program.command[0]).parent)
        self._log = log
        self._strace = need("strace")

    def plain(self, call: Call, surroundings: Mapping[str, str] | None = None) -> Answer:
        """Run a call by itself, or with variables that make surroundings for it."""
        return self._run(self._program.command, call, surroundings)

    def faults(self, call: Call) -> tuple[Answer, list[Fault]]:
        """Run a call undisturbed; what it says, and all that may go wrong with it.

        What the system's loader and the interpreter do before our first line is run is left out.
        """
        answer = self._traced(call, "-y", "-e", _TRACE)
        seen: Counter[tuple[str, str]] = Counter()  # as strace counts: in each thread
        alike: Counter[str] = Counter()
        found = []
        before: Counter[tuple[str, str]] = Counter()
        has_begun = False
        others = _others(self._log.read_text(errors="replace"), self._own)
        for line in _LINE.finditer(self._log.read_text(errors="replace")):
            thread, name, rest = line["thread"], line["name"], line["rest"]
            seen[thread, name] += 1
            has_begun = has_begun or (name == _BEGIN[0] and rest.startswith(_BEGIN[1]))
            errors = ERRORS.get(name, ())
            if not has_begun:
                before = seen.copy()
                continue
            number = seen[thread, name]
            # Strace counts in each thread, and so it would hit the loader in the first one, too.
            if thread in others or any(before[each, name] >= number for each, _ in before):
                continue
            if name == "close" and ".so>" in rest:
                continue  # the system's loader, which crashes
            if "/_internal" in rest:
                alike["own"] += 1
                errors = () if alike["own"] % _OWN else errors
            elif name in _LOOKS:
                errors = (errors[alike[name] % len(errors)],)
                alike[name] += 1
            found += [Fault(name, number, error, rest) for error in errors]
        return answer, found

    def fail(self, call: Call, fault: Fault) -> Answer | None:
        """Run a call with a fault; None: it came to none, to several, or in another program."""
        inject = f"inject={fault.name}:error={fault.error}:when={fault.number}"
        answer = self._traced(call, "-e", f"trace={fault.name},execve", "-e", inject)
        log = self._log.read_text(errors="replace")
        hit = [line["thread"] for line in _LINE.finditer(log) if "(INJECTED)" in line["rest"]]
        return answer if len(hit) == 1 and hit[0] not in _others(log, self._own) else None

    def _traced(self, call: Call, *options: str) -> Answer:
        words = [self._strace, *_OPTIONS, "-o", str(self._log), *options, "--"]
        return self._run([*words, *self._program.command], call)

    def _run(
        self, words: Sequence[str], call: Call, surroundings: Mapping[str, str] | None = None
    ) -> Answer:
        home = self._program.home
        with subprocess.Popen(
            [*words, *call.args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**home.env, **call.env, **(surroundings or {})},
            cwd=home.path,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(call.stdin, LONGEST)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                return Answer(HUNG, out, err.decode(errors="replace"))
        return Answer(process.returncode, out, err.decode(errors="replace"))


def _others(log: str, own: str) -> set[str]:
    """The processes that have become another program."""
    execs = (line for line in _LINE.finditer(log) if line["name"] == "execve")
    return {line["thread"] for line in execs if own not in line["rest"].partition(",")[0]}
