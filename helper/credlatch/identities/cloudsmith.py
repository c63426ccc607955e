"""Cloudsmith: the API key in its variable, and the one that its own program keeps."""

from __future__ import annotations

import sys

from credlatch.caller import APPLICATION_SUPPORT
from credlatch.credential import Basic, Secret
from credlatch.headers import Headers
from credlatch.identities.servers import is_below, value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

_HOST = "cloudsmith.io"
_USER = "token"
_FILE = "credentials.ini"


def claims(url: Url) -> bool:
    """Whether it is Cloudsmith's, and no file that is for all."""
    return is_below(url, _HOST) and not url.path.startswith("/public/")


def anonymous(url: Url) -> bool:  # noqa: ARG001 - everywhere
    """Open repositories are for all."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The variable's key, else that of the profile in the program's file."""
    own_domain = url.scheme == "https" and request.rule.names("cloudsmith")
    if not (own_domain or claims(url)):
        return None
    profile = request.rule.profile
    key, name = ("", "") if profile else value(caller, "CLOUDSMITH_API_KEY")
    location = f"the variable {name}"
    if not key:
        mine = f"profile:{profile or value(caller, 'CLOUDSMITH_PROFILE')[0]}"
        key, location = _of_file(caller, (mine,) if profile else (mine, "default"))
    if not key:
        return None
    login = Basic(request.username or _USER, Secret(key))
    if url.path.startswith("/v2/"):  # images: the key is the password for a registry's token
        return Entry(login, location, remedy="set a fresh one")
    return Entry(Headers({"X-Api-Key": Secret(key)}, login), location, remedy="set a fresh one")


def _of_file(caller: Caller, sections: tuple[str, ...]) -> tuple[str, str]:
    """The key of the first of these sections that has one, in the first file that there is."""
    for path in _paths(caller):
        keys = caller.document(path, _keys)
        if keys is not None:
            return next((keys[each] for each in sections if keys.get(each)), ""), path
    return "", ""


def _paths(caller: Caller) -> Iterator[str]:
    """Where the program looks; not in the working directory, which is a project's."""
    named = caller.path("CLOUDSMITH_CREDENTIALS_FILE")
    if named is not None:
        yield named
    if sys.platform == "darwin":
        yield caller.in_home(APPLICATION_SUPPORT, "cloudsmith", _FILE)
    else:
        yield caller.config("cloudsmith", _FILE)
    yield caller.in_home(".cloudsmith", _FILE)


def _keys(text: str, path: str) -> dict[str, str]:  # noqa: ARG001 - as Caller.document calls it
    """The ``api_key`` of each section."""
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1].strip()
        name, equals, rest = stripped.partition("=")
        if equals and name.strip().lower() == "api_key" and not stripped.startswith(("#", ";")):
            found.setdefault(section, rest.strip())
    return found
