"""rattler's own store, and a netrc as its netrc-rs reads it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from differ import netrc, ours
from differ.cases import Answer, Case, Rule, credential
from differ.peers.lines import Lines
from differ.rules import EVERYWHERE, NO_NAME, after_scheme, of_store, saying
from differ.words import Words
from support.home import Home

if TYPE_CHECKING:
    from random import Random

    from differ.peers.echo import Echo

_SCRIPT = Path(__file__).parent / "peers" / "py_rattler.py"
_ENDS = (None, 4102444800, 9223372036854775807)
_KINDS = ("BearerToken", "BearerToken", "BearerToken", "BasicHTTP", "OAuth", "CondaToken")


class PyRattler(Lines):
    """py-rattler, with a proxy for all hosts.

    It is asked with ``http``: neither of its stores knows a scheme.
    """

    def __init__(self, home: Home, proxy: Echo) -> None:
        proxied = {"HTTP_PROXY": proxy.url, "http_proxy": proxy.url, "NO_PROXY": ""}
        super().__init__([sys.executable, str(_SCRIPT)], {**home.env, **proxied}, home.path)

    def sent(self, home: Home, urls: tuple[str, ...]) -> list[Answer]:
        """What it sends to each URL."""
        asked = [f"http{after_scheme(url)}" for url in urls]
        answers = map(_read, self.ask({"home": str(home.path), "urls": asked}))
        return [of_store(*each) for each in zip(answers, urls, strict=True)]


def _read(answer: dict[str, str]) -> Answer:
    if "failed" in answer:
        said = answer["failed"]
        # It asks for no URL that it does not understand.
        return Answer() if "Invalid URL" in said else Answer(failed=said)
    path = answer["target"].partition("://")[2].partition("/")[2].split("/")
    if path[0] == "t" and len(path) > 1:
        return Answer(f"conda token {unquote(path[1])}")
    sent = answer["authorization"]
    return Answer(credential(sent) if sent else "")


def _ours(home: Home, url: str) -> Answer:
    answer = ours.bazel(home, url)
    for header in ("token ", "X-API-Key: "):
        if answer.sent.startswith(header):
            return Answer(f"conda token {answer.sent.removeprefix(header)}")
    return answer


def _bare_keys(case: Case) -> Case | None:
    """The same store with its Docker keys as rattler spells them: the host alone. They count."""
    pattern = re.compile(r'^"(?:https?://)?((?:[^"/:\[]|\[[^]]*\])*)(?::\d+)?(?:/v[12])?/?"')
    bare = [pattern.sub(r'"\1"', entry) for entry in case.entries]
    pairs = sorted(zip(bare, case.entries, strict=True), key=lambda pair: pair[0] != pair[1])
    changed = case._replace(entries=tuple(entry for entry, _ in pairs))
    return changed if changed != case else None


class Rattler:
    """rattler's file."""

    name = "rattler"
    share = 1.0
    rules: tuple[Rule, ...] = (
        *EVERYWHERE,
        NO_NAME,
        Rule("keys as Docker spells them in rattler's store", instead=_bare_keys),
        Rule("a token that is empty, or has a control", refused=saying("empty", "non-ASCII")),
        Rule("a user name with a colon", refused=saying("contains a colon")),
        Rule("the user name `<token>`", refused=saying("identity token")),
    )

    def __init__(self, folder: Path, rattler: PyRattler) -> None:
        self._home = Home(folder / self.name)
        self._rattler = rattler

    def case(self, random: Random) -> Case:
        """A file, and URLs."""
        words = Words(random)
        entries = tuple(_entry(words, number) for number in range(random.randint(0, 6)))
        return Case(entries, words.urls())

    def _write(self, case: Case) -> None:
        text = ",".join(case.entries)
        self._home.write(".rattler/credentials.json", f"{{{text}}}")

    def theirs(self, case: Case) -> list[Answer]:
        """What py-rattler sends."""
        self._write(case)
        return self._rattler.sent(self._home, case.questions)

    def ours(self, case: Case) -> list[Answer]:
        """As Bazel asks."""
        self._write(case)
        return [_ours(self._home, url) for url in case.questions]


class NetrcOfRattler(Rattler):
    """A netrc, as rattler reads it."""

    name = "netrc-rattler"
    rules = netrc.OF_RATTLER

    def case(self, random: Random) -> Case:
        """A plain file without ``default``, and URLs.

        netrc-rs refuses what is odd, with all the rest of the file, and rattler knows no default.
        Most files have each host once, as people's have.
        """
        case = netrc.case(random, odd=0)
        found = [entry for entry in case.entries if not entry.startswith("default")]
        if random.random() < 0.8:
            found = list({entry.split()[1]: entry for entry in found if "::" not in entry}.values())
        return case._replace(entries=tuple(found))

    def _write(self, case: Case) -> None:
        self._home.write(".netrc", netrc.text(case))


def _entry(words: Words, number: int) -> str:
    host = words.host()
    key = words.one(host, host, f"*.{host}", f"*.{host.rpartition('.')[2]}")
    kind = words.one(*_KINDS)
    odd = words.odd()
    if odd:
        key = words.one(
            host.upper(), f"{host}:8443", f"https://{host}", f"{host}/a", "*", f"*{host}",
            f"{host}.", f"*.*.{host}", "", f" {host}", f"s3://{host}", f"https://{host}/v1/",
        )  # fmt: skip
    value = _value(words, kind, number)
    if odd and words.chance(40):
        return f"{json.dumps(key)}:{_damaged(words)}"
    return f"{json.dumps(key, ensure_ascii=words.chance(50))}:{value}"


def _value(words: Words, kind: str, number: int) -> str:
    token = f"t{number}"
    if words.odd():
        token = words.one("", f"t {number}", f"tä{number}", f"t\r\n{number}", f"t\x00{number}")
    content: object = token
    if kind == "BasicHTTP":
        user = words.one("u:v", "", "u\nv", "<token>") if words.odd() else words.user()
        content = {"username": user, "password": words.secret(number)}
    if kind == "OAuth":
        oauth: dict[str, object] = {
            "access_token": token,
            "token_endpoint": "http://127.0.0.1:9/t",
            "client_id": "c",
        }
        if words.chance(50):
            oauth |= {"refresh_token": None, "expires_at": words.random.choice(_ENDS)}
        if words.odd():
            oauth["audience"] = "a"
        content = oauth
    if words.odd():
        keys = {"access_key_id": "A", "secret_access_key": "S", "session_token": None}
        kind, content = "S3Credentials", keys
    return json.dumps({kind: content})


def _damaged(words: Words) -> str:
    return words.one(
        "null", "{}", '{"OfTheFuture":{}}', '{"BearerToken":1}', '{"BasicHTTP":{"username":"u"}}',
        '"t"', '{"BearerToken":"t","CondaToken":"c"}', "[]", '{"OAuth":{"access_token":"a"}}',
    )  # fmt: skip
