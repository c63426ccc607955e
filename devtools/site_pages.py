"""The pages of the site: those of the checkout, taken apart, with links that lead to each other."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from devtools.steps import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPOSITORY = "https://github.com/credlatch/credlatch"
_FRONT = ("Install", "Set up", "Ask", "See why", "Try it", "How fast", "Where it looks")
# Pages as they are; long ones of which each section becomes a page, in a folder.
WHOLE = {
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changes.md",
    "bazel/README.md": "tools/bazel-workspace.md",
    "docker/README.md": "tools/images.md",
}
SPLIT = {"docs/stores.md": "stores", "docs/clouds.md": "clouds"}
_LINKED = re.compile(r"\]\((?P<link>[^)\s]+)\)")
_NAMED = re.compile(r"\[(?P<name>[\w./-]+\.md)\]\((?P<link>[^)\s]+)\)")
_TITLES = {
    "tools/bazel-workspace.md": "Bazel, for everybody of a workspace",
    "tools/images.md": "Images and builds",
}
_HEAD = re.compile(r"(#{1,6}) (.+)")
_ITEM = re.compile(r"(- |\d+\. )")
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})")


class Page(NamedTuple):
    """A page of the site.

    Attributes:
        path: where it is on the site.
        source: the file that it is made of, from the checkout's root.
        lines: its text.
    """

    path: str
    source: str
    lines: list[str]

    @property
    def title(self) -> str:
        """What it is called."""
        return plain(
            next((_HEAD.match(line) or [""] * 3)[2] for line in self.lines if _HEAD.match(line))
        )


def plain(heading: str) -> str:
    """A heading's text."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip()


def on_a_forge(heading: str) -> str:
    """The fragment that a forge makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def on_the_site(heading: str) -> str:
    """The one that the site makes of it, as Python-Markdown does."""
    letters = unicodedata.normalize("NFKD", plain(heading)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", letters).strip().lower())


def pages() -> list[Page]:
    """All of them, their links still those of the checkout."""
    found = [Page("index.md", "README.md", _front())]
    for path in sorted((ROOT / "docs").rglob("*.md")):
        source = path.relative_to(ROOT).as_posix()
        if source in SPLIT:
            found += _split(source, SPLIT[source])
        else:
            found.append(Page(source.removeprefix("docs/"), source, _lines(source)))
    return found + [Page(to, source, _lines(source)) for source, to in WHOLE.items()]


def _lines(source: str) -> list[str]:
    return (ROOT / source).read_text(encoding="utf-8").splitlines()


def _front() -> list[str]:
    """The README without what is a tool's, which has a page."""
    made: list[str] = []
    wanted = True
    for line, is_text in _told(_lines("README.md")):
        if is_text and line.startswith("## "):
            wanted = line[3:] in _FRONT
        made += [line] if wanted else []
    return made


def _told(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is text: not in a block of code."""
    fence = ""
    for line in lines:
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[2]
            yield line, False
        elif fence:
            if line.strip().startswith(fence):
                fence = ""
            yield line, False
        else:
            yield line, True


def _split(source: str, folder: str) -> list[Page]:
    """What stands before the first section, and each section."""
    made = [Page(f"{folder}/index.md", source, [])]
    for line, is_text in _told(_lines(source)):
        if is_text and line.startswith("## "):
            name = on_the_site(line[3:])
            made.append(Page(f"{folder}/{name}.md", source, [line[1:]]))
        elif is_text and line.startswith("### "):
            made[-1].lines.append(line[1:])
        else:
            made[-1].lines.append(line)
    return made


class Places:
    """Where things of the checkout are on the site.

    Args:
        all_pages: the site's.

    Attributes:
        titles: of each page, by its path.
    """

    def __init__(self, all_pages: list[Page]) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self.titles = {page.path: _TITLES.get(page.path, page.title) for page in all_pages}
        for page in all_pages:
            self._found.setdefault((page.source, ""), page.path)
            heads = [_HEAD.fullmatch(line) for line, is_text in _told(page.lines) if is_text]
            for at, head in enumerate(filter(None, heads)):
                fragment = f"#{on_the_site(head[2])}" if at else ""
                self._found.setdefault((page.source, on_a_forge(head[2])), page.path + fragment)
        # The README's sections about tools are not on the site: their pages say it at more length.
        for line in _lines("README.md"):
            if line.startswith("## ") and line[3:] not in _FRONT:
                self._found.setdefault(("README.md", on_a_forge(line[3:])), "tools/index.md")

    def has(self, source: str) -> bool:
        """Whether a file is on the site."""
        return (source, "") in self._found

    def of(self, link: str, page: Page) -> tuple[str, str, str]:
        """The file and the fragment that a link means, and where on the site that is."""
        path, _, fragment = link.partition("#")
        here = posixpath.dirname(page.source)
        source = posixpath.normpath(posixpath.join(here, path)) if path else page.source
        if source.startswith("docs/") and source.endswith(".svg"):
            return source, fragment, source.removeprefix("docs/")
        return source, fragment, self._found.get((source, fragment), "")


def linked(link: str, page: Page, places: Places) -> str:
    """A link of the checkout, as it is from a page of the site.

    Raises:
        ValueError: it leads to nothing.
    """
    if re.match(r"[a-z]+:", link):
        return link
    source, fragment, to = places.of(link, page)
    if to:
        target, _, at = to.partition("#")
        if target == page.path:
            return f"#{at}" if at else posixpath.basename(target)
        return posixpath.relpath(target, posixpath.dirname(page.path) or ".") + (at and f"#{at}")
    place = ROOT / source
    if places.has(source) or not place.exists():
        raise ValueError(f"{page.source}: {link} leads to nothing")
    kind = "tree" if place.is_dir() else "blob"
    return f"{REPOSITORY}/{kind}/main/{source}" + (fragment and f"#{fragment}")


def _title(found: re.Match[str], page: Page, places: Places) -> str:
    """What a link says that says a file's name."""
    to = "" if ":" in found["link"] else places.of(found["link"], page)[2]
    return places.titles.get(to.partition("#")[0], found["name"])


def text(page: Page, places: Places) -> str:
    """A page's text, as the site's builder reads it."""
    made: list[str] = []
    for whole, is_text in _told(page.lines):
        if not is_text:
            made.append(whole)
            continue
        # A forge lets a list begin below a line of text.
        above = made[-1] if made else ""
        if _ITEM.match(whole) and above.strip() and not _ITEM.match(above) and above[0] != " ":
            made.append("")
        # What a forge's reader knows by its file, the site's knows by its title.
        line = _NAMED.sub(lambda found: f"[{_title(found, page, places)}]({found['link']})", whole)
        made.append(_LINKED.sub(lambda found: f"]({linked(found['link'], page, places)})", line))
    return "\n".join(made) + "\n"
