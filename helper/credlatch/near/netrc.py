"""Entries of a netrc that never match, and nearly name what is asked for."""

from __future__ import annotations

from credlatch import near
from credlatch.fixes import shell
from credlatch.near import hosts, netrc_names
from credlatch.stores import netrc, netrc_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores.steps import Step


class NeverMatches:
    """An entry that is for nobody.

    Attributes:
        line: its line, from 1.
        kept: how it stands there.
        host: the host that seems to be meant.
        why: why it is for nobody.
        advice: what to write, in words.
        fix: the command that mends it.
    """

    def __init__(self, line: int, name: str, host: str, why: str, fix: str) -> None:
        self.line = line
        self.kept = f"'machine {name}'"
        self.host = host
        self.why = why
        self.advice = ""
        self.fix = fix


def entries_for_nobody(text: str, path: str, asked: str) -> Iterator[NeverMatches]:
    """Such entries of a netrc, whose host nearly is the one that is asked for."""
    places: list[int] = []

    def fields() -> Iterator[tuple[str, str | None]]:
        for keyword, value, at in netrc_text.placed(text):
            if keyword == "default" or (keyword == "machine" and value is not None):
                places.append(at)
            yield keyword, value

    for number, entry in enumerate(netrc.entries(fields(), lambda _: None)):
        if entry.name is None:
            continue
        name, host = entry.name, _meant(entry.name, asked)
        if not host:
            continue
        line = text.count("\n", 0, places[number]) + 1
        if not netrc_names.is_found(name, host):
            # What stands before an @ may be a password.
            is_plain = "@" not in name and name.isprintable()
            fix = shell.replaced(path, line, name, host) if is_plain else shell.edited(path, line)
            why = f"netrc knows no {netrc_names.strange(name)}"
            never = NeverMatches(line, _without_path(name), host, why, fix)
            never.advice = f"write 'machine {host}'"
            yield never
        elif entry.login is None and not entry.cut:
            fix = shell.edited(path, line)
            never = NeverMatches(line, name, host, "it has no password", fix)
            never.advice = "add 'password' and the password"
            yield never


def _without_path(name: str) -> str:
    """As much of a name as a person is shown: a user's may be a password."""
    return (name.partition("://")[2] or name).partition("/")[0].rpartition("@")[2]


def _meant(name: str, asked: str) -> str:
    """The host that a name is meant to be, where it nearly is the one that is asked for."""
    if name.startswith("*."):
        return asked if asked.endswith(name[1:].lower()) else ""
    host = netrc_names.meant(name) if hosts.may_be_near(asked, name) else ""
    return host if host and hosts.distance(asked, host) is not None else ""


def found(request: Request, caller: Caller, _trace: Iterable[Step]) -> Iterator[NearMiss]:
    """Those whose host is, or nearly is, the one that is asked for."""
    path, url = netrc.NetrcStore(caller).path, request.url
    text = caller.read(path)
    for each in entries_for_nobody(text, path, url.host) if text and url is not None else ():
        far = hosts.distance(url.host, each.host) if url is not None else None
        yield near.NearMiss(
            "netrc",
            kept=f"line {each.line}, {each.kept}",
            location=path,
            why=each.why,
            advice=each.advice,
            fix=each.fix,
            rank=near.MEANT + (far or 0) + 1,
        )
