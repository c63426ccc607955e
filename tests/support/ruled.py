"""Settings with one rule, in a test's home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from credlatch import url as urls

if TYPE_CHECKING:
    from support.home import Home


def rule(home: Home, url: str, said: dict[str, object]) -> None:
    """Have a rule hold for all of a URL's server; no words: none is there."""
    path = home.path / ".config/credlatch/config.toml"
    path.unlink(missing_ok=True)
    if said:
        where = urls.parse(url)
        lines = [f"url = {json.dumps(f'{where.scheme}://{where.netloc}')}"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in said.items()]
        home.write(".config/credlatch/config.toml", "\n".join(["[[rule]]", *lines, ""]))
