"""Posit's ``tokens.toml``, as posit-keyring reads it.

Its backend is asked in this process, but for the request that tells whether a token still works,
and for the login that it begins when there is none: both need a Package Manager.
"""

from __future__ import annotations

import json
import re
from contextlib import redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING
from unittest import mock

from posit_keyring.backends import PackageManagerKeyring
from posit_keyring.token_file import TokenFileData

from credlatch import url as urls
from credlatch.errors import RequestError
from differ import ours
from differ.cases import Answer, Case, Difference, Rule
from differ.rules import EVERYWHERE, authority
from differ.words import Words
from support.home import Home

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_STORE = ".ppm/tokens.toml"
_USER = "__token__"


def _beside(difference: Difference) -> bool:
    """Whether the URL is not below the address; posit-keyring compares the host and port alone."""
    try:
        address, url = map(urls.parse, (difference.case.frame[0], difference.question))
    except RequestError:
        return True  # an address that programs read in different ways
    return not address.covers(url)


def _spelled(url: str) -> str:
    """A URL in small letters before its path, without user, final dot and a port that is known."""
    scheme = url.lower().partition("://")[0]
    before = authority(url).lower().rpartition("@")[2]
    known = "443" if scheme == "https" else "80"
    host = re.sub(rf":(0*{known})?$", "", before).removesuffix(".")
    return f"{scheme}://{host}{url[len(scheme) + 3 + len(authority(url)) :]}"


def _one_spelling(case: Case) -> Case | None:
    (address,), (question,) = case.frame, case.questions
    usual = _spelled(address)
    entries = tuple(entry.replace(f'"{address}"', f'"{usual}"') for entry in case.entries)
    changed = Case(entries, (_spelled(question),), (usual,))
    return changed if changed != case else None


def _three_fields(case: Case) -> Case | None:
    """Entries as posit-keyring wants them."""
    whole = (entry for entry in case.entries if "address = " in entry and "token = " in entry)
    plain = (entry.replace('extra = "x"\n', "") for entry in whole)
    typed = (e if "auth_type" in e else f'{e}auth_type = "sso"\n' for e in plain)
    changed = case._replace(entries=tuple(typed))
    return changed if changed != case else None


class Posit:
    """posit-keyring; the address that the environment names is the frame."""

    name = "posit"
    share = 0.5
    rules: tuple[Rule, ...] = (
        *EVERYWHERE,
        Rule("Posit: an unknown field, or no `auth_type`", instead=_three_fields),
        Rule("Posit: one server in several spellings", instead=_one_spelling),
        Rule("Posit: a URL that is not below the address", refused=_beside),
    )

    def __init__(self, folder: Path) -> None:
        self._home = Home(folder / self.name)

    def case(self, random: Random) -> Case:
        """A file, URLs, and mostly an address in the environment."""
        words = Words(random)
        entries = tuple(_entry(words, number) for number in range(random.randint(0, 5)))
        address = _address(words)
        return Case(entries, words.urls(), (address,))

    def _write(self, case: Case) -> Path:
        self._home.env["PACKAGEMANAGER_ADDRESS"] = case.frame[0]
        return self._home.write(_STORE, "\n".join(case.entries))

    def theirs(self, case: Case) -> list[Answer]:
        """What pip would be given for an index at each URL."""
        path = self._write(case)
        said = StringIO()
        with mock.patch.dict("os.environ", self._home.env, clear=True), redirect_stderr(said):
            try:
                backend = PackageManagerKeyring()
                file = TokenFileData(path)
            except ValueError as error:  # an address that urllib, as some Pythons have it, refuses
                return [Answer(failed=str(error))] * len(case.questions)
        if said.getvalue():
            return [Answer(failed=said.getvalue())] * len(case.questions)
        token = file.find_connection(case.frame[0])
        sent = f"Basic {_USER}:{token}" if token else ""

        def theirs(url: str) -> Answer:
            try:
                asks = backend._viable and backend._requirements_valid(url, _USER)
            except ValueError as error:  # likewise a URL
                return Answer(failed=str(error))
            return Answer(sent if asks else "")

        return [theirs(url) for url in case.questions]

    def ours(self, case: Case) -> list[Answer]:
        """As Bazel asks."""
        self._write(case)
        return [ours.bazel(self._home, url) for url in case.questions]


def _address(words: Words) -> str:
    """An address, as a person sets it."""
    path = words.one("", "", "/", "/a", "/a/")
    return f"{words.scheme(http=5)}://{words.host()}{words.port()}{path}"


def _entry(words: Words, number: int) -> str:
    fields = {"address": _address(words), "token": f"t{number}", "auth_type": "sso"}
    if words.odd():
        fields.pop(words.one(*fields))
    if words.odd():
        fields["extra"] = "x"
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["[[connections]]", *lines, ""])
