"""The documentation as a site: ``./dev docs`` builds it into ``dist/site``, strictly.

The pages are those of the checkout, as a forge shows them. Here each store and each cloud of a long
page gets a page of its own, and links lead to where things are on the site: a link into nothing, or
to a heading that is not there, ends the build. Nothing on a page is fetched from elsewhere.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from devtools.site_pages import REPOSITORY, Page, Places, pages, text
from devtools.steps import ROOT, SCRATCH

if TYPE_CHECKING:
    from pathlib import Path

SITE = ROOT / "dist" / "site"
_WORK = SCRATCH / "site"


def _navigation(all_pages: list[Page], places: Places) -> list[dict[str, Any]]:
    by_path = {page.path: page for page in all_pages}
    rest = dict(by_path)

    def one(path: str, title: str = "") -> dict[str, str]:
        del rest[path]
        return {title or places.titles[path]: path}

    def folder(name: str) -> list[dict[str, str]]:
        first = [one(f"{name}/index.md")]
        return first + [
            one(path) for path in by_path if path.startswith(f"{name}/") and path in rest
        ]

    start = [one("index.md", "Start")]
    tools = folder("tools")
    made: list[dict[str, Any]] = [
        *start,
        {"Tools": tools},
        {"Stores": folder("stores")},
        {"Clouds and forges": folder("clouds")},
        {
            "Commands": [
                one(f"{name}.md") for name in ("people", "setup", "rules", "secrets", "agent")
            ]
        },
        one("ci.md", "Jobs, dev containers"),
        one("troubleshooting.md"),
        one("security.md"),
        one("comparison.md"),
    ]
    return [*made, {"More": [one(path) for path in list(rest)]}]


def write(into: Path) -> None:
    """Write what the site's builder reads: pages, pictures, and its settings."""
    shutil.rmtree(into, ignore_errors=True)
    docs = into / "docs"
    all_pages = pages()
    places = Places(all_pages)
    for page in all_pages:
        target = docs / page.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text(page, places), encoding="utf-8")
    for picture in sorted((ROOT / "docs").glob("*.svg")):
        shutil.copyfile(picture, docs / picture.name)
    (docs / "site.css").write_text(_STYLE, encoding="utf-8")
    settings = {
        "site_name": "credlatch",
        "site_description": "One credential helper for every build tool.",
        "repo_url": REPOSITORY,
        "docs_dir": str(docs),
        "use_directory_urls": False,  # so that it can be read from a disk
        "strict": True,
        "nav": _navigation(all_pages, places),
        "theme": {
            "name": "material",
            "font": False,
            "palette": [
                {"media": f"(prefers-color-scheme: {scheme})", "scheme": name, "primary": "teal",
                 "toggle": {"icon": f"material/{icon}", "name": f"To {other}"}}
                for scheme, name, icon, other in (
                    ("light", "default", "weather-night", "dark"),
                    ("dark", "slate", "weather-sunny", "light"),
                )
            ],
            "features": ["navigation.sections", "navigation.indexes", "navigation.top",
                         "content.code.copy", "search.highlight"],
        },
        "extra_css": ["site.css"],
        "extra": {"generator": False},
        "plugins": ["search"],
        "markdown_extensions": [
            "tables", "sane_lists", "attr_list", {"toc": {"permalink": True}},
            "pymdownx.superfences", "pymdownx.highlight", "pymdownx.inlinehilite",
        ],
        "validation": {
            "nav": {"omitted_files": "warn", "not_found": "warn", "absolute_links": "warn"},
            "links": {"not_found": "warn", "anchors": "warn", "absolute_links": "warn",
                      "unrecognized_links": "warn"},
        },
    }  # fmt: skip
    (into / "mkdocs.yml").write_text(json.dumps(settings, indent=1), encoding="utf-8")


# Tables are as wide as they need, and each scrolls by itself on a telephone.
_STYLE = """
.md-typeset table:not([class]) { font-size: .7rem }
.md-typeset table:not([class]) code { word-break: normal }
.md-typeset img { max-width: 100% }
.md-typeset table:not([class]) thead:not(:has(th:not(:empty))) { display: none }
.md-grid { max-width: 66rem }
"""


def build(into: Path = SITE, work: Path = _WORK) -> None:
    """Build it.

    Raises:
        SystemExit: something on a page is not as it should be; it is said what.
    """
    from mkdocs.commands.build import build as made
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, BuildError

    try:
        write(work)
        settings = load_config(str(work / "mkdocs.yml"), site_dir=str(into))
        settings.plugins.on_startup(command="build", dirty=False)
        made(settings)
    except (Abort, BuildError, ValueError) as error:
        sys.exit(f"dev: the site is not built: {error}")


if __name__ == "__main__":
    build()
    print(SITE.relative_to(ROOT))
