"""``credlatch explain URL``: why there is an answer, or none, and what to do."""

from __future__ import annotations

import time

import click

from credlatch import clock, streams
from credlatch.commands.hosts import Host
from credlatch.explain import clients, explain, model
from credlatch.explain.sources import SELDOM
from credlatch.lines import printable
from credlatch.people import terminal
from credlatch.people.command import Command, passes_caller
from credlatch.people.styles import BAD, DIM, GOOD, STRONG, WARN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.explain.model import Client, Explanation, Source, Wired
    from credlatch.people.terminal import Terminal
    from credlatch.people.texts import Cell

_NO_ANSWER = 1  # the exit status
_DAY = 86_400.0  # seconds
_INDENT = 2
_LONGEST = 2_000  # characters of a command
_STYLES = {
    model.FOUND: GOOD,
    model.SHADOWED: DIM,
    model.NEAR: WARN,
    model.FAILED: BAD,
    model.SKIPPED: DIM,
    model.NOTHING: DIM,
}
_SILENT = (model.NOTHING, model.SKIPPED)
# Which of setup's tools ask as a client does.
_TOOLS = {
    "bazel": ("bazel",),
    "docker": ("docker", "podman"),
    "keyring": ("pip", "uv", "pixi"),
    "git": ("git",),
    "goauth": ("go",),
}


@click.command(
    "explain",
    cls=Command,
    help="Why there is a credential for URL, or none: what each store has for it, in order; what "
    "would be sent, and where to; what each tool gets, and whether it asks; what nearly was the "
    "answer, and what to do. Nothing is renewed, and no secret is shown. Exit status 1: no answer.",
    examples=(
        "credlatch explain https://pypi.example.com/simple/",
        "credlatch explain --as docker reg.example.com:5000  # what docker gets, and if it asks",
        "credlatch explain --json https://pypi.example.com/simple/",
    ),
)
@click.argument("url", type=Host(), metavar="URL|KEY")
@click.option(
    "--as",
    "tool",
    type=click.Choice(list(clients.AS)),
    metavar="TOOL",
    help="What this tool gets, and whether it asks credlatch at all: "
    f"{', '.join(clients.AS)}. KEY is what it asks for: docker's is a registry.",
)
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
@passes_caller
def _run(caller: Caller, url: str, tool: str | None, *, as_json: bool) -> int:
    """Explain; the exit status: 0 there is an answer, 1 none.

    Raises:
        RequestError: it is no URL, or nothing that the tool asks for.
    """
    told = explain(url, tool or "", caller)
    screen = terminal.of(caller)
    if as_json:
        screen.json(told)
    else:
        _Shown(told, screen, caller.home).show()
    return 0 if told.answer else _NO_ANSWER


COMMAND = _run


class _Shown:
    """An explanation as a person reads it."""

    def __init__(self, told: Explanation, screen: Terminal, home: str) -> None:
        self._told = told
        self._screen = screen
        self._home = home.rstrip("/") + "/"

    def show(self) -> None:
        """All of it."""
        told, screen = self._told, self._screen
        verdict = (told.verdict, GOOD if told.answer else BAD)
        screen.table((), [((told.asked, STRONG), verdict)])
        if told.failure:
            screen.say(self._short(told.failure), BAD, indent=_INDENT)
        _gap()
        screen.table((), list(self._sources()), whole=(0, 1, 2), indent=_INDENT)
        facts = [*self._facts(), *self._clients(), *self._wired()]
        if facts:
            _gap()
            screen.table((), facts, indent=_INDENT)
        self._near()
        self._fixes()

    def _short(self, text: str) -> str:
        return text.replace(self._home, "~/")

    def _sources(self) -> Iterator[list[Cell]]:
        number = 0
        for each in self._told.sources:
            if each.store in SELDOM and each.word in _SILENT:
                continue
            number += 1
            style = _STYLES[each.word]
            quiet = DIM if each.word in _SILENT else ""
            what = self._short(self._what(each))
            yield [(str(number), DIM), each.store, (each.word, style), (what, quiet)]
            for line in each.more:
                yield ["", "", "", (self._short(line), "")]

    def _what(self, each: Source) -> str:
        parts = [each.location, each.what]
        if each.word == model.SHADOWED and self._told.store is not None:
            parts.append(f"(would be used without {self._told.store}'s)")
        return "   ".join(filter(None, parts))

    def _facts(self) -> Iterator[list[Cell]]:
        told = self._told
        if told.rule:
            yield ["rule", self._short(told.rule)]
        if told.forwarded:
            yield ["agent", told.forwarded]
        for header in told.sends:
            yield ["sends", f"{header.name}: {header.value}"]
        if told.answer and told.only_to:
            yield ["only to", told.only_to]
        if told.ends is not None:
            yield ["ends", self._ends(told.ends)]
        elif told.answer and told.renewal is not None:
            yield ["renewed", f"at {told.renewal.at}, when it is asked for"]
        if told.renewal is not None and told.renewal.failed_at is not None:
            ago = clock.span(max(0.0, time.time() - told.renewal.failed_at))
            yield ["renewal", (f"failed {ago} ago: {self._short(told.renewal.failed)}", BAD)]

    def _ends(self, ends: int) -> str:
        left = ends - time.time()
        when = f"in {clock.span(left)}" if left > 0 else f"{clock.span(-left)} ago"
        text = f"{when} ({_moment(ends)})"
        renewal = self._told.renewal
        if renewal is None:
            return f"{text}, and nothing renews it"
        if renewal.begins is None or renewal.begins <= time.time():
            return f"{text}, renewed when it is next asked for, at {renewal.at}"
        return f"{text}, renewed from {_moment(renewal.begins)} at {renewal.at}"

    def _clients(self) -> Iterator[list[Cell]]:
        told = self._told.clients
        if self._told.client == "url" and not any(each.gets for each in told):
            return  # what is said of the URL is said of all
        for each in told:
            gets = each.gets or each.failure or "nothing"
            expires = "" if each.expires is None else f", expires {_moment(each.expires)}"
            style = "" if each.gets else DIM
            is_of_url = self._told.client == "url" or each.failure
            about = "" if is_of_url else f" for {each.asks_for}"
            yield [each.tools, (f"{self._short(gets)}{expires}{about}{self._unwired(each)}", style)]

    def _unwired(self, client: Client) -> str:
        """Which of its tools do not ask us, when a URL is told about."""
        if self._told.client != "url":
            return ""
        names = _TOOLS.get(client.name, ())
        off = [each for each in self._told.wired if each.tool in names and not each.asks]
        tools = ", ".join(each.tool for each in off)
        return f"   ({tools} not wired: {off[0].fix})" if off else ""

    def _wired(self) -> Iterator[list[Cell]]:
        if self._told.client == "url":
            return
        for each in self._told.wired:
            yield ["asks us?", self._asks(each)]
            yield ["", self._short(each.why)]

    def _asks(self, each: Wired) -> Cell:
        if each.asks is None:
            return "nobody can tell", WARN
        return ("yes", GOOD) if each.asks else ("NO", BAD)

    def _near(self) -> None:
        misses = self._told.near_misses
        if not misses:
            return
        _gap()
        self._screen.say("near misses", WARN, indent=_INDENT)
        rows: list[list[Cell]] = []
        for each in misses:
            place = "" if each.location in {each.kept, each.store} else f" in {each.location}"
            rows.append([each.store, self._short(f"{each.kept}{place}")])
            rows += [["", each.why]]
            rows += [["", (each.advice, STRONG)]] if each.advice else []
        self._screen.table((), rows, indent=_INDENT * 2)

    def _fixes(self) -> None:
        fixes = self._told.fixes
        if fixes or self._told.warnings:
            _gap()
        for number, each in enumerate(fixes):
            # On one line, however long, so that it can be pasted.
            text = printable(each, _LONGEST)
            streams.answer(f"  {'' if number else 'fix':5}{text}\n".encode())
        for each in self._told.warnings:
            self._screen.say(f"also: {self._short(each)}", WARN, indent=_INDENT)


def _gap() -> None:
    streams.answer(b"\n")


def _moment(seconds: int) -> str:
    """A time of today, or a day, as this machine's clock has them."""
    near = abs(seconds - time.time()) < _DAY
    return time.strftime("%H:%M" if near else "%Y-%m-%d", time.localtime(seconds))
