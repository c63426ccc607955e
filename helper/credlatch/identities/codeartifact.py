"""AWS CodeArtifact: AWS keys are exchanged for a domain's token, for repositories of every format.

The profile for a repository, and how long its token lives, may be in ``keyringrc.cfg``, as
keyrings.codeartifact reads it.
"""

from __future__ import annotations

import os
import sys

from credlatch.credential import AccessKey, Secret
from credlatch.errors import StoreError
from credlatch.identities import aws_keys
from credlatch.identities.aws_service import endpoint, exchanged
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.auth.aws_service import CodeArtifactToken, Place
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

    Sections = list[tuple[Mapping[str, str], Mapping[str, str]]]

_DOMAINS = {"amazonaws.com": "amazonaws.com", "on.aws": "api.aws"}  # and that of the service
_ACCOUNT = 12  # digits
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_BEARER = frozenset({"cargo", "npm"})  # formats whose tools send no login
_FIELDS = ("domain", "account", "region", "name")
_DURATIONS = (0, *range(900, 43_201))  # seconds; 0: as long as the identity


def claims(url: Url) -> bool:
    """A domain's host."""
    return url.scheme == "https" and url.default_port and _place(url.host) is not None


def anonymous(url: Url) -> bool:  # noqa: ARG001 - of none of them
    """No repository serves everybody."""
    return False


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The domain's token, for which keys are exchanged."""
    place = _place(url.host)
    if place is None or not claims(url):
        return None
    name, account, region, domain = place
    form, _, rest = url.path[1:].partition("/")
    wanted = dict(zip(_FIELDS, (name, account, region, rest.partition("/")[0]), strict=True))
    own = _settings(caller, wanted) if request.rule.profile is None else {}
    key_id, secret = own.get("aws_access_key_id"), own.get("aws_secret_access_key")
    if key_id and secret:
        entry: Entry | None = Entry(AccessKey(key_id, Secret(secret)), _path(caller))
    else:
        entry = aws_keys.keys(caller, request.rule, region, own.get("profile_name"))
    if entry is None:
        return None
    duration = _duration(own.get("token_duration"), caller)

    def make(key: AccessKey, at: Place, source: str, remedy: str) -> CodeArtifactToken:
        from credlatch.auth.aws_service import CodeArtifactToken

        grant = CodeArtifactToken(key, at, source, remedy)
        grant.domain, grant.duration, grant.bearer = (name, account), duration, form in _BEARER
        return grant

    api = f"https://codeartifact.{region}.{_DOMAINS[domain]}"
    server = endpoint(caller, request.rule, "CODEARTIFACT", api)
    return exchanged(entry, server, region, caller, make)


def _place(host: str) -> tuple[str, str, str, str] | None:
    """The domain's name, its account, its region, and the domain of AWS."""
    first, _, rest = host.partition(".")
    name, _, account = first.rpartition("-")
    region, _, domain = rest.removeprefix("d.codeartifact.").partition(".")
    fits = (
        rest.startswith("d.codeartifact.")
        and domain in _DOMAINS
        and len(account) == _ACCOUNT
        and account.isdigit()
        and all(text and _PLAIN.issuperset(text) for text in (name, region))
    )
    return (name, account, region, domain) if fits else None


def _duration(text: str | None, caller: Caller) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text) in _DURATIONS:
        return int(text)
    raise StoreError(
        f"{_path(caller)}: token_duration is no number of seconds from 900 to 43200, nor 0"
    )


def _path(caller: Caller) -> str:
    """Where keyring has its settings (keyring.util.platform_)."""
    if sys.platform == "win32":
        root = caller.get("LOCALAPPDATA") or caller.in_home("AppData", "Local")
        return os.path.join(root, "Python Keyring", "keyringrc.cfg")
    return caller.config("python_keyring", "keyringrc.cfg")


def _settings(caller: Caller, wanted: Mapping[str, str]) -> Mapping[str, str]:
    """What keyringrc.cfg says of a repository.

    Of sections that contradict nothing, the one that names most: keyrings.codeartifact takes the
    one that agrees in most, also where it names another domain or account.
    """
    sections = caller.document(_path(caller), _parsed, _has_secret) or []
    fitting = [
        (len(names), values)
        for names, values in sections
        if all(wanted[field] == value for field, value in names.items())
    ]
    return max(fitting, key=lambda each: each[0], default=(0, {}))[1]


def _parsed(text: str, path: str) -> Sections:
    """The sections: the repositories of each, and what it says; ``[codeartifact]`` for all."""
    from configparser import Error, RawConfigParser
    from re import finditer

    parser = RawConfigParser(
        default_section="codeartifact", inline_comment_prefixes=("#", ";"), strict=False
    )
    try:
        parser.read_string(text)
    except Error:
        raise StoreError(
            f"{path} is no file of sections and values: mend it, or move it away"
        ) from None
    found: Sections = [({}, dict(parser.defaults()))]
    for section in parser.sections():
        word, _, names = section.partition(" ")
        if word == "codeartifact":
            pairs = finditer(r"(\w+)=([\"']?)(.*?)\2(?: |$)", names)
            fields = {pair[1].lower(): pair[3] for pair in pairs}
            kept = {field: value for field, value in fields.items() if field in _FIELDS}
            found.append((kept, dict(parser[section])))
    return found


def _has_secret(sections: Sections) -> bool:
    return any("aws_secret_access_key" in values for _, values in sections)
