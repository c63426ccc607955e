"""The documentation as a site: built strictly, a page for each thing, and commands that are."""

from __future__ import annotations

import contextlib
import re
import shlex
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click
import pytest
from devtools import site
from devtools.site_pages import Page, Places, linked, on_a_forge, on_the_site, pages, text

from credlatch import clients
from credlatch.commands import app
from credlatch.identities.table import SYSTEMS
from credlatch.setup.tools import TOOLS

if TYPE_CHECKING:
    from pathlib import Path

PAGES = pages()
PLACES = Places(PAGES)
SHELL = re.compile(r"^```(sh|console|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Seen(HTMLParser):
    """What a browser finds in a page.

    Attributes:
        links: where links lead.
        loaded: what is fetched with it.
        names: what a link can lead to.
    """

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "a" and said.get("href"):
            self.links.append(said["href"] or "")
        for name in ("src", "href") if tag != "a" else ():
            if said.get(name) and said.get("rel") not in ("canonical", "prev", "next"):
                self.loaded.append(said[name] or "")
        self.names |= {said[name] or "" for name in ("id", "name") if said.get(name)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site."""
    into: Path = tmp_path_factory.mktemp("site")
    site.build(into / "site", into / "work")
    return into / "site"


def test_each_link_leads_to_something_and_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    seen = {page: Seen(page) for page in built.rglob("*.html") if page.name != "404.html"}
    assert len(seen) == len(PAGES)
    gone = []
    for page, found in seen.items():
        assert [each for each in found.loaded if urlsplit(each).scheme] == []
        for link in found.links:
            to = urlsplit(link)
            target = (page.parent / unquote(to.path)).resolve() if to.path else page
            if to.scheme or link == ".":
                continue
            names = seen[target].names if target in seen else set()
            if not target.exists() or (to.fragment and to.fragment not in names):
                gone.append((page.relative_to(built), link))
    assert gone == []


def test_each_tool_store_and_system_has_a_page() -> None:
    paths = {page.path for page in PAGES}
    for tool in TOOLS:
        name = {"buildkit": "buildkit", "containers": "podman"}.get(tool, tool)
        assert f"tools/{name}.md" in paths, tool
    for store in ("environment", "rattler-and-pixi", "uv", "pyx", "netrc", "the-systems-keyring"):
        assert f"stores/{store}.md" in paths, store
    clouds = "".join("\n".join(page.lines) for page in PAGES if page.path.startswith("clouds/"))
    for system in SYSTEMS:
        assert f"`{system.name}`" in clouds, system.name
    assert {"security.md", "troubleshooting.md", "ci.md", "comparison.md", "bench.md"} <= paths


@pytest.mark.parametrize("link", ["nothing.md", "people.md#nothing", "../nothing/", "#nothing"])
def test_a_link_into_nothing_ends_the_build(link: str) -> None:
    page = Page("a.md", "docs/people.md", [f"[x]({link})"])
    with pytest.raises(ValueError, match="leads to nothing"):
        text(page, PLACES)


LINKS = {
    "another page": ("people.md", "docs/ci.md", "ci.md", "people.md"),
    "a section that is a page": ("stores.md#netrc", "docs/ci.md", "ci.md", "stores/netrc.md"),
    "from there": ("stores.md#uv", "docs/stores.md", "stores/netrc.md", "uv.md"),
    "a heading": ("people.md#credlatch-list-what-there-is", "docs/ci.md", "ci.md",
                  "people.md#credlatch-list-what-there-is"),
    "a section of its own": ("#netrc", "docs/stores.md", "stores/uv.md", "netrc.md"),
    "another folder's": ("../SECURITY.md", "docs/ci.md", "tools/x.md", "../security.md"),
    "what is not on the site": ("../build/README.md", "docs/ci.md", "ci.md",
                                "https://github.com/credlatch/credlatch/blob/main/build/README.md"),
    "a picture": ("list.svg", "docs/people.md", "people.md", "list.svg"),
    "elsewhere": ("https://a.example/x#y", "docs/ci.md", "ci.md", "https://a.example/x#y"),
}  # fmt: skip


@pytest.mark.parametrize(("link", "source", "path", "meant"), LINKS.values(), ids=LINKS.keys())
def test_a_link_of_the_checkout_leads_to_the_same_on_the_site(
    link: str, source: str, path: str, meant: str
) -> None:
    assert linked(link, Page(path, source, []), PLACES) == meant


def test_a_heading_s_fragment_is_a_forge_s_or_the_site_s() -> None:
    heading = "`ADD https://…` and git"
    assert (on_a_forge(heading), on_the_site(heading)) == ("add-https-and-git",) * 2


def commands() -> list[str]:
    """Each call of ours in the blocks of the pages."""
    found = []
    for page in PAGES:
        for kind, block in SHELL.findall("\n".join(page.lines) + "\n"):
            typed = "$ credlatch " if kind == "console" else "credlatch "
            lines = [line.strip() for line in block.replace("\\\n", " ").splitlines()]
            found += [line.removeprefix("$ ") for line in lines if line.startswith(typed)]
    return sorted(set(found))


@pytest.mark.parametrize("line", commands())
def test_a_command_that_a_page_shows_is_one(line: str) -> None:
    words = shlex.split(line.replace("…", "x"), comments=True)[1:]
    words = words[
        : next(
            (at for at, word in enumerate(words) if word in {"|", "&&", ";", ">", "<", "--"}),
            len(words),
        )
    ]
    if words[0] in {*clients.CLIENTS, *clients.ALSO, "--version"}:
        return
    command: click.Command | None = app.APP
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None, line
    with contextlib.suppress(click.exceptions.Exit):  # --help
        command.make_context("credlatch", words)
