"""A rule, written as a person writes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home


def write_rule(home: Home, **said: object) -> Path:
    """Have a home's settings be one rule, which says this; None: not that."""
    rows = [f"{name} = {_toml(value)}\n" for name, value in said.items() if value is not None]
    return home.write(".config/credlatch/config.toml", "".join(("[[rule]]\n", *rows)))


def _toml(value: object) -> str:
    """A text, a list of texts, or a table of them."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {_toml(each)}' for name, each in value.items())}}}"
    return json.dumps(value)
