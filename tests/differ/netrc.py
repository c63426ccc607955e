"""A netrc, as curl reads it and as rattler's netrc-rs does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from credlatch import url as urls
from credlatch.errors import RequestError
from differ import ours
from differ.cases import Answer, Case, Difference, Rule
from differ.peers.curl import Curl
from differ.rules import (
    EVERYWHERE,
    LAST_DOT,
    NO_NAME,
    after_scheme,
    host_of,
    of_store,
    rewritten,
    userinfo,
)
from differ.words import Words
from support.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from differ.peers.echo import Echo

FRAMES = ("BOM", "CRLF", "no newline at the end")


def chunk(words: Words, number: int) -> str:
    """A piece of a netrc: an entry, mostly."""
    between = words.one(" ", " ", " ", "\n", "\n  ", "\t", "  ")
    odd = words.odd()
    kind = words.random.randrange(12) if odd else -1
    if kind == 0:
        return words.one("# a comment", "#", "# machine a.example login c password c")
    if kind == 1:
        return f"macdef m\nmachine a.example login m password m{number}\n\n"
    if kind == 2:
        return words.one("login", "password p9", "login w", "machine")
    if kind == 3:
        return words.one("machne", "secret", "Machne a.example", "port 80")
    host = words.host().strip("[]")
    start = f"machine{between}{host}"
    if kind == 4:
        start = f"{words.one('MACHINE', 'Machine')}{between}{host}"
    if kind == 5 or (not odd and words.chance(4)):
        start = "default"
    fields = [f"login{between}{words.user() or 'u'}", f"password{between}{_value(words, number)}"]
    if kind == 6:
        fields = words.random.sample(fields, 1)
    if kind == 7:
        fields.reverse()
    if kind == 8:
        fields.insert(words.random.randrange(3), f"account{between}acc{number}")
    if kind == 9:
        fields += words.random.sample(fields, 1)
    if kind == 10:
        fields[0] = f"{words.one('LOGIN', 'Login', 'user')}{between}{words.user() or 'u'}"
    if kind == 11:
        fields.insert(words.random.randrange(3), words.one("x", "# note", "port 1", "Password"))
    return between.join([start, *fields])


def _value(words: Words, number: int) -> str:
    value = words.one(f"p{number}", f"p{number}", f"p:{number}", f"p#{number}", f"pä{number}")
    if words.odd():
        value = words.one(
            f'"q {number}"', f'"q\\"{number}"', f'"q\\\\{number}"', f'"q\\n{number}"',
            f'"q{number}', f'q"{number}', f"q\\{number}", '""', f"'q{number}'", f"#{number}",
            f'"#{number}"',
        )  # fmt: skip
    return value


def case(random: Random, odd: int = 10) -> Case:
    """A file, odd in so many of a hundred things, and URLs."""
    words = Words(random, odd)
    entries = tuple(chunk(words, number) for number in range(random.randint(0, 6)))
    frame = tuple(each for each in FRAMES if words.chance(0.4 * odd))
    return Case(entries, words.urls(), frame)


def text(case: Case) -> bytes:
    """The file."""
    whole = "\n".join(entry for entry in case.entries)
    if FRAMES[2] not in case.frame:
        whole += "\n"
    if FRAMES[1] in case.frame:
        whole = whole.replace("\n", "\r\n")
    return ("\ufeff" if FRAMES[0] in case.frame else "").encode() + whole.encode()


def _default_last(case: Case) -> Case | None:
    others = [entry for entry in case.entries if not entry.startswith("default")]
    defaults = [entry for entry in case.entries if entry.startswith("default")]
    changed = case._replace(entries=(*others, *defaults))
    return changed if changed != case else None


def _no_default(case: Case) -> Case | None:
    """The same file without a ``default``, where it names the host."""
    host = re.escape(host_of(case.questions[0]).strip("[]"))
    if not any(re.match(rf"(?i)machine\s+{host}\s", entry) for entry in case.entries):
        return None
    kept = tuple(entry for entry in case.entries if not entry.startswith("default"))
    return case._replace(entries=kept) if kept != case.entries else None


def _another_user(difference: Difference) -> bool:
    """The URL names a user, and curl sends them the password of an entry that does not."""
    user = unquote(userinfo(difference.question) or "")
    sent, _, password = difference.theirs.sent.partition(":")
    of_password = [entry for entry in difference.case.entries if password[-2:] in entry]
    names = re.findall(r'(?i)(?:login|user)\s+"?([^"\s]*)', "\n".join(of_password))
    return bool(user) and sent == f"Basic {user}" and user not in names


# A word that is not understood, a comment that takes the rest of an entry, a value that is missing.
_ODD_WORD = re.compile(
    r"(?i)(^|\s)(x|port|machne|secret|# note)(\s|$)|(login|user)\s+(password|account)\s"
    r"|password\s+p\w+\s|^(login|password)\b|^machine$"
)
_ODD = "netrc: a word that is not understood"


def _behind_an_odd_word(difference: Difference) -> bool:
    """Curl passes over such a word and goes on with the same entry."""
    password = difference.theirs.sent.partition(":")[2]
    odd = [entry for entry in difference.case.entries if _ODD_WORD.search(entry)]
    return any(password in entry for entry in odd)


def _without_odd_entries(case: Case) -> Case | None:
    kept = tuple(entry for entry in case.entries if not _ODD_WORD.search(entry))
    return case._replace(entries=kept) if kept != case.entries else None


def _behind_a_hash(difference: Difference) -> bool:
    """Curl takes what stands on the next line for the value."""
    return any(re.search(r"\s#\d", entry) for entry in difference.case.entries)


def _one_form(written: str) -> Callable[[Case], Case | None]:
    """Addresses in one form everywhere: both programs compare them as they stand."""

    def shortest(text: str, written: str) -> str:
        try:
            return written.format(urls.ipv6(text.removeprefix("[").removesuffix("]")))
        except RequestError:
            return text

    def changed(case: Case) -> Case | None:
        (question,) = case.questions
        host = host_of(question)
        entries = tuple(
            re.sub(r"(machine\s+)(\S*:\S*)", lambda it: it[1] + shortest(it[2], written), entry)
            for entry in case.entries
        )
        asked = question.replace(host, shortest(host, "[{}]"), 1) if host else question
        other = case._replace(entries=entries, questions=(asked,))
        return other if other != case else None

    return changed


def _without(odd: str) -> Callable[[Case], Case | None]:
    def changed(case: Case) -> Case | None:
        if odd not in case.frame:
            return None
        return case._replace(frame=tuple(each for each in case.frame if each != odd))

    return changed


def _without_open_quotes(case: Case) -> Case | None:
    kept = tuple(entry for entry in case.entries if not re.search(r'\s"q\d+$', entry))
    return case._replace(entries=kept) if kept != case.entries else None


_DEFAULT = "netrc: a `default` before a `machine`, or beside one"


def _its_own(case: Case) -> Case | None:
    """The entries of the host alone, where one of them names no user."""
    host = re.escape(host_of(case.questions[0]).strip("[]"))
    own = [e for e in case.entries if re.match(rf"(?i)machine\s+{host}\s", e)]
    if all(re.search(r"(?i)\s(login|user)\s", entry) for entry in own):
        return None
    changed = case._replace(entries=tuple(own))
    return changed if changed != case else None


def _nameless(case: Case) -> Case | None:
    """The entries that name no user: curl goes on to a later one of the same host that does."""
    kept = tuple(e for e in case.entries if not re.search(r"(?i)\s(login|user)\s", e))
    return case._replace(entries=kept) if kept and kept != case.entries else None


OF_CURL: tuple[Rule, ...] = (
    *EVERYWHERE,
    Rule(LAST_DOT.title, instead=rewritten(r"(?i)(machine\s+\S+)\.(?=\s)", r"\1")),
    Rule(_DEFAULT, instead=_default_last),
    Rule(_DEFAULT, instead=_no_default),
    Rule("netrc: a user name that no entry of the host has", refused=_another_user),
    Rule("netrc: a byte order mark", instead=_without(FRAMES[0])),
    Rule("netrc: lines that end in CR LF", instead=_without(FRAMES[1])),
    Rule("netrc: `user`", instead=rewritten(r"(?<=\s)user(?=\s)", "login")),
    Rule(_ODD, refused=_behind_an_odd_word),
    Rule(_ODD, instead=_without_odd_entries),
    Rule("netrc: an entry without a user name", instead=_its_own),
    Rule("netrc: an entry without a password", refused=lambda one: one.theirs.sent.endswith(":")),
    Rule("netrc: an IPv6 address", instead=_one_form("{}")),
    Rule("netrc: a quote that is not closed", instead=_without_open_quotes),
    Rule("netrc: a value that begins with `#`", refused=_behind_a_hash),
    Rule("netrc: a value that begins with `#`", instead=rewritten(r"(?<=\s)(#\d+)", r'"\1"')),
    Rule("netrc: an entry without a user name", instead=_nameless),
)


def _last_first(case: Case) -> Case | None:
    """The other way round, and of the URL's user alone, where it names one."""
    user = unquote(userinfo(case.questions[0]) or "")
    pattern = rf"\slogin\s+{re.escape(user)}\s" if user else ""
    kept = (entry for entry in reversed(case.entries) if re.search(pattern, entry))
    changed = case._replace(entries=tuple(kept))
    return changed if changed != case else None


OF_RATTLER: tuple[Rule, ...] = (
    *EVERYWHERE,
    Rule("netrc: an IPv6 address", instead=_one_form("[{}]")),
    Rule("netrc: two entries for one host", instead=_last_first),
    NO_NAME,
)


class NetrcOfCurl:
    """curl."""

    name = "netrc-curl"
    share = 1.0
    rules: tuple[Rule, ...] = OF_CURL

    def __init__(self, folder: Path, proxy: Echo) -> None:
        self._home = Home(folder / self.name)
        self._curl = Curl(self._home, proxy)

    def case(self, random: Random) -> Case:
        """A file, and URLs."""
        return case(random)

    def theirs(self, case: Case) -> list[Answer]:
        """Asked with http, which a netrc knows nothing of."""
        path = self._home.write(".netrc", text(case))
        found = self._curl.ask(path, [f"http{after_scheme(url)}" for url in case.questions])
        return [of_store(*each) for each in zip(found, case.questions, strict=True)]

    def ours(self, case: Case) -> list[Answer]:
        """As Bazel asks."""
        self._home.write(".netrc", text(case))
        return [of_store(ours.bazel(self._home, url), url) for url in case.questions]
