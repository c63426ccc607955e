"""The canary over other tests: all that the program writes, sends and starts while they run.

A plugin of pytest's, for ``./dev canary suite``. In the place of the frozen program is another one,
which has itself traced and becomes it (traced.c); what that starts is traced as well, and no other
program of a test. Nobody has marked the secrets of those tests: they are what answers have as a
password or a token, what is sent to servers as such, and what tests are known to put in stores.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.canary import (
    AGENT,
    ARGUMENTS,
    CLOSED,
    ENVIRONMENT,
    MARK,
    MEMORY,
    OPTIONS,
    PIPE,
    STDOUT,
    sightings,
    unescaped,
)
from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.canary import Sighting

ROOT = Path(__file__).resolve().parents[2]
_PLACE = ROOT / ".scratch" / "canary"
_LOGS = _PLACE / "logs"
_FORMS = ("credlatch", "credlatch.d/credlatch")
_IDENTITY = re.compile(rb"/[0-9a-f]{16}[.]sock\0")
_LONGEST = 200_000  # characters of a call that has something of a secret's form in it
_SHORTEST = 8  # characters: shorter texts are in others by chance
_TRACED_ALREADY = {
    *("test_canary", "test_canary_keyring", "test_kill", "test_quick_path", "test_setup_steps"),
    "test_store_faults",
}
_KNOWN = (
    *("kept-from-everybody", "t0k3n-of-these-tests", "a-token-of-the-repository-0123456789"),
    *("a~secret+of/the=application", "made-up master password", MARK),
)
_NAMES = (
    rb"authorization|secret|[\w-]{0,30}token|[\w-]{0,30}password|client_secret|secret_access_key|auth|"
    rb"assertion|credential"
)
_SAID = re.compile(
    rb'"(?:%b)"\s*:\s*\[?\s*"([^"\\]+)"|^(?:password|credential)=(.+)$|'
    rb"\b(?:%b)=([^&\s\"']+)|^authorization: *(.+?)\r?$".replace(b"%b", _NAMES),
    re.MULTILINE | re.IGNORECASE,
)
_NO_SECRETS = re.compile(
    rb"https?:|urn:|/|<token>|__token__|oauth2accesstoken|credlatch|refresh_token|access_token|"
    rb"bearer$|basic$|identity|provider|\*+$|\$|%\(",
    re.IGNORECASE,
)
_WRITES = re.compile(r"^\d+ +(?:p?writev?|pwrite64|send\w+)\(", re.MULTILINE)
# Where a secret belongs: to who asks, to servers, to keyrings, to the agent, and to memory; or it
# gets nowhere.
_BELONGS = re.compile(
    rf"(?:{STDOUT}|{AGENT}|{CLOSED}|{MEMORY}|{PIPE}|[\d.]+:\d+|\[[\d:a-f]+\]:\d+|.*/bus|UNIX.*)$"
)
# Stores of tools, and what is made beside one before it takes its place; secrets for a build.
_STORES = re.compile(
    r".*/(?:\.rattler/|\.docker/|containers/auth|auth\.json|credentials\.toml|pyx/|\.ppm/|\.netrc|"
    r"_netrc|credentials\.json|credlatch-secrets|secrets|keyrings/|\.anaconda/|gh/|glab-cli/|"
    r"\.?(?:logins|elsewhere)\.json)"  # as tests call one that a variable or a link leads to
)


class Suite:
    """What was seen so far.

    Args:
        logs: the folder in which strace writes.

    Attributes:
        counts: of tests, and of their calls of the program, processes, system calls, bytes looked
            at and secrets: of those that have passed, for what another one was to do was not done.
        failed: tests that have not: some wait for less time than strace takes.
        leaks: by test and place, of all.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.counts: Counter[str] = Counter()
        self.failed: set[str] = set()
        self.seen: Counter[str] = Counter()
        self.leaks: dict[tuple[str, str], Sighting] = {}

    def look(self, test: str, *, at_the_end: bool = False) -> None:
        """Look through what has ended, and have it away."""
        busy = set() if at_the_end else _busy()
        logs = [path for path in self._logs.iterdir() if str(path) not in busy]
        texts = [path.read_bytes().decode("latin-1") for path in logs]
        marks = {mark for text in texts for mark in _secrets(text)} | set(_KNOWN)
        counts: Counter[str] = Counter() if test in self.failed else self.counts
        counts["tests"] += not at_the_end
        counts["secrets"] += len(marks) - len(_KNOWN)
        for path, text in zip(logs, texts, strict=True):
            path.unlink()
            counts["calls of the program"] += 1
            counts["processes"] += len(set(re.findall(r"^\d+", text, re.MULTILINE)))
            counts["system calls"] += text.count("\n")
            counts["bytes"] += len(text)
            for each in _others(text, marks):
                self.seen[each.where] += 1
                if not _belongs(each):
                    self.leaks.setdefault((test, each.where), each)

    def report(self) -> Iterator[str]:
        """All of it, in lines."""
        yield "canary: " + ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        for test in sorted(self.failed):
            yield f"not counted, as it has not passed: {test}"
        for (test, where), each in self.leaks.items():
            yield f"{test}: a secret in {where}: {each.call} {each.text[:300]}"
        yield f"{len(self.leaks)} places where a secret does not belong"


def _others(text: str, marks: set[str]) -> Iterator[Sighting]:
    """All sightings but what the caller says itself: the words and variables of the first start."""
    start = text.find(" execve(")
    end = text.find("\n", start)
    given, rest = unescaped(text[start:end].encode("latin-1")), text[:start] + text[end:]
    for each in sightings(rest, marks):
        if each.where in {ARGUMENTS, ENVIRONMENT}:
            # What the caller has given is passed on.
            passed = [mark for mark in marks if mark.encode() in given]
            mine = list(sightings(f"1 {each.call}({each.text}", marks - set(passed)))
            if not mine:
                continue
        is_redirected = each.text.startswith(f"1<{each.where}>") and f'"{each.where}"' not in rest
        yield each._replace(where=STDOUT) if is_redirected else each


def _belongs(each: Sighting) -> bool:
    return bool(_BELONGS.match(each.where) or _STORES.match(each.where))


def _secrets(text: str) -> Iterator[str]:
    for start in _WRITES.finditer(text):
        line = text[start.end() : text.find("\n", start.end())]
        if len(line) > _LONGEST:
            continue  # the single file unpacks itself
        for found in _SAID.finditer(unescaped(line.encode("latin-1"))):
            value = next(filter(None, found.groups()), b"")
            scheme, blank, rest = value.partition(b" ")
            yield from _plain(rest if blank and scheme.isalpha() else value)


def _plain(value: bytes) -> Iterator[str]:
    """A secret; of a login in base64 the password."""
    try:
        _, colon, password = base64.b64decode(value, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        colon = b""
    else:
        value = password if colon else value
    if len(value) >= _SHORTEST and not _NO_SECRETS.match(value):
        try:
            yield value.decode("ascii")
        except UnicodeDecodeError:
            return


def _busy() -> set[str]:
    """Logs that are still written."""
    found: set[str] = set()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "comm").read_text() == "strace\n":
                found |= {os.readlink(each) for each in (process / "fd").iterdir()}
        except OSError:
            continue
    return found


def _wrapped(form: str) -> Path:
    """What stands in the place of one form of the program: see traced.c."""
    made = _PLACE / "dist" / form
    real = made.rename(made.with_name("itself"))
    options = "".join(f"{json.dumps(each)}, " for each in OPTIONS)
    texts = {"REAL": str(real), "STRACE": need("strace"), "LOGS": str(_LOGS)}
    defined = [f"-D{name}={json.dumps(text)}" for name, text in texts.items()]
    source = Path(__file__).with_name("traced.c")
    flags = ("-O1", "-Wall", "-Wextra", "-Werror", *defined, f"-DOPTIONS={options}")
    subprocess.run([need("gcc"), *flags, source, "-o", made], check=True)
    identity = _IDENTITY.search(real.read_bytes())
    with made.open("ab") as file:  # which build it is, tests read there
        file.write(identity[0] if identity else b"")
    return made


_suite = Suite(_LOGS)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the tests that trace the program themselves: nobody traces it twice."""
    return True if collection_path.stem in _TRACED_ALREADY else None


def pytest_collection_finish(session: pytest.Session) -> None:  # noqa: ARG001 - as pytest calls it
    """Have that program in the place of the frozen one."""
    shutil.rmtree(_PLACE, ignore_errors=True)
    shutil.copytree(ROOT / "dist", _PLACE / "dist", symlinks=True, copy_function=os.link)
    _LOGS.mkdir()
    conftest: Any = next(each for each in sys.modules.values() if hasattr(each, "each_form"))
    conftest.SINGLE, conftest.FOLDER = map(_wrapped, _FORMS)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Know which tests prove nothing."""
    if not report.passed:
        _suite.failed.add(report.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Look through what a test has left."""
    yield
    _suite.look(item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was seen."""
    _suite.look("the end", at_the_end=True)
    for line in _suite.report():
        terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A leak is a failure, whatever else has failed."""
    if _suite.leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
