"""A token in a file or a variable that a rule names: for any server at all.

[[rule]]
url = "https://conda.example.com/"
use = ["token"]
identity = {variable = "CONDA_TOKEN"}
header = "X-API-Key"
"""

from __future__ import annotations

import os

from credlatch.credential import Bearer, Secret
from credlatch.errors import StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.rules.exchange import Identity
    from credlatch.url import Url


def claims(url: Url) -> bool:  # noqa: ARG001 - whatever it is
    """No URL by itself: a rule says which."""
    return False


def anonymous(url: Url) -> bool:  # noqa: ARG001 - likewise
    """False: a rule says that a token is wanted."""
    return False


def find(request: Request, url: Url, caller: Caller) -> Entry | None:  # noqa: ARG001 - the rule's
    """The token; None: the variable is not set."""
    rule = request.rule
    if rule.identity is None or rule.identity.ci is not None:
        raise StoreError(
            f"{rule.where} has token answer, and does not say where one is: "
            'add identity = {variable = "…"} or {file = "…"}'
        )
    held = read(rule.identity, caller)
    if held is None:
        caller.warn(f"{rule.where} names the variable {rule.identity.variable}, which is not set")
        return None
    place, token = held
    return Entry(Bearer(token), place, remedy=f"put a fresh token into {place}")


def read(meant: Identity, caller: Caller) -> tuple[str, Secret] | None:
    """What is in the file or the variable that a rule names, and which one; None: it is not set.

    Raises:
        StoreError: the file is not there, or must not be believed.
    """
    if meant.file is not None:
        return meant.file, Secret(_text(meant.file, caller))
    token = None if meant.variable is None else caller.get(meant.variable)
    return None if token is None else (str(meant.variable), Secret(token.strip()))


def _text(path: str, caller: Caller) -> str:
    from credlatch.system import files

    place = caller.in_home(path[2:]) if path.startswith("~/") else path
    if not os.path.isabs(place):
        raise StoreError(f"{path} is not the whole path of a file: begin with / or ~/")
    text = (files.read(place, named=caller.named(place)) or "").strip()
    if not text:
        raise StoreError(f"{path} is empty or missing: a token should be there")
    return text
