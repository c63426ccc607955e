"""Entries of a netrc that never match, and nearly name what is asked for."""

from __future__ import annotations

from credlatch import near
from credlatch import url as urls
from credlatch.doctor import shell
from credlatch.errors import RequestError
from credlatch.near import hosts
from credlatch.stores import netrc, netrc_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores.steps import Step
    from credlatch.url import Url


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
        if entry.name is None or not hosts.may_be_near(asked, entry.name):
            continue
        meant = _meant(entry.name)
        if meant is None or hosts.distance(asked, meant.host) is None:
            continue
        line = text.count("\n", 0, places[number]) + 1
        name, host = entry.name, meant.host
        if name.lower().removesuffix(".").strip("[]") != host:
            what = "URLs" if "/" in name else "ports"
            # What stands before an @ may be a password.
            is_plain = "@" not in name and name.isprintable()
            fix = shell.replaced(path, line, name, host) if is_plain else shell.edited(path, line)
            never = NeverMatches(line, meant.netloc, host, f"netrc knows no {what}", fix)
            never.advice = f"write 'machine {host}'"
            yield never
        elif entry.login is None and not entry.cut:
            fix = shell.edited(path, line)
            never = NeverMatches(line, name, host, "it has no password", fix)
            never.advice = "add 'password' and the password"
            yield never


def _meant(name: str) -> Url | None:
    try:
        return urls.parse(name if "://" in name else f"https://{name}")
    except RequestError:
        return None


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
