"""uv's ``credentials.toml``, in the versions of uv that matter."""

from __future__ import annotations

import json
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from credlatch import url as urls
from credlatch.errors import RequestError
from differ import ours
from differ.cases import Answer, Case, Rule, credential
from differ.rules import EVERYWHERE, LAST_DOT, rewritten, saying
from differ.words import Words
from support.home import Home
from support.uv import Uv

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_AT_ONCE = 2  # processes
_STORE = ".local/share/uv/credentials/credentials.toml"


def _without_doubt(case: Case) -> Case | None:
    """The entries whose service we read."""
    kept = tuple(entry for entry in case.entries if _is_read(entry))
    return case._replace(entries=kept) if kept != case.entries else None


def _one_each(case: Case) -> Case | None:
    """One login for each service: of two, uv says so or sees a longer path first, as it happens."""
    kept = tuple({_usual(entry): entry for entry in case.entries}.values())
    return case._replace(entries=kept) if kept != case.entries else None


def _service(entry: str) -> str:
    (table,) = tomllib.loads(entry)["credential"]
    return str(table.get("service", ""))


def _usual(entry: str) -> str:
    return urls.absolute(_service(entry)).text if _is_read(entry) else _service(entry)


def _is_read(entry: str) -> bool:
    try:
        urls.absolute(_service(entry))
    except RequestError:
        return False
    return True


class UvFile:
    """One version of uv, a process for each question."""

    share = 0.05
    rules: tuple[Rule, ...] = (
        *EVERYWHERE,
        Rule("uv: two logins for a place above the URL", instead=_one_each),
        Rule("uv: an entry whose host is in doubt", instead=_without_doubt),
        Rule("uv: an entry that uv would not read", refused=saying("has a damaged entry")),
        Rule(LAST_DOT.title, instead=rewritten(r"(://[^/:]*)\.(?=[/:\"])", r"\1")),
    )

    def __init__(self, version: str, folder: Path) -> None:
        self.name = f"uv-{version}"
        self._home = Home(folder / self.name)
        self._uv = Uv(version, self._home).preview("auth-helper")
        self._pool = ThreadPoolExecutor(_AT_ONCE)

    def case(self, random: Random) -> Case:
        """A file, and URLs."""
        words = Words(random)
        entries = tuple(_entry(words, number) for number in range(random.randint(0, 6)))
        return Case(entries, words.urls()[:12])

    def _write(self, case: Case) -> None:
        self._home.write(_STORE, "\n".join(case.entries))

    def theirs(self, case: Case) -> list[Answer]:
        """What ``uv auth helper`` says."""
        self._write(case)
        return list(self._pool.map(self._one, case.questions))

    def _one(self, url: str) -> Answer:
        answer = self._uv.bazel(url)
        if answer.code != 0:
            return Answer(failed=answer.err)
        headers = json.loads(answer.out)["headers"]
        return Answer(credential(headers["Authorization"][0]) if headers else "")

    def ours(self, case: Case) -> list[Answer]:
        """As Bazel asks."""
        self._write(case)
        return [ours.bazel(self._home, url) for url in case.questions]


def _entry(words: Words, number: int) -> str:
    scheme = "https"
    host = words.host()
    if words.odd():
        scheme = words.one("http", "HTTPS", "http", "ftp", "")
    service = f"{scheme}://{host}{words.port()}{words.path()}" if scheme else host
    if words.odd():
        service = service.replace("://", f"://{words.userinfo()}", 1)
    fields = {"service": service}
    if words.chance(15):
        fields |= {"scheme": "bearer", "token": f"t{number}"}
    else:
        fields["username"] = words.user()
        if words.chance(30):
            fields["scheme"] = "basic"
        if not words.chance(5):
            fields["password"] = words.secret(number)
    if words.odd():
        fields.pop(words.one(*_DAMAGED), None)
        if words.chance(30):
            fields[words.one("scheme", "extra", "realm")] = words.one("digest", "x", "bearer")
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["[[credential]]", *lines, ""])


_DAMAGED = ("service", "username", "password", "token", "scheme", "nothing")
