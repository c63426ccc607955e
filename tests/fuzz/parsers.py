"""The parser of each store's file by itself: of the same words, and quicker than a whole store.

What it raises is StoreError, without a secret; what it has made is looked through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credlatch import clock
from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.identities import anaconda, azure_artifacts, codeartifact, google_files, jfrog
from credlatch.stores import chained, pixi_s3, posit, pyx, rattler_backends, uv
from credlatch.stores.docker_auths import Auths, DamagedError
from fuzz.files import FILES
from fuzz.target import MARK, of_text, safe, target, told
from fuzz.texts import rattler_entry

if TYPE_CHECKING:
    from collections.abc import Callable

_URL = urls.parse("https://h.example/simple/x")
_FEED = urls.parse("https://pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/")


def _docker(text: str) -> None:
    auths = Auths(text, "path")
    assert set(auths.in_older_form().values()) <= set(auths.kept)
    for key in auths.kept:
        for read in (auths.of_docker, auths.of_containers):
            try:
                safe(read(key), "h.example")
            except DamagedError as error:
                told(error)


def _uv(text: str) -> None:
    for table in uv._Credentials(text, "path").about(""):
        try:
            match = uv._match(table, _URL, "path")
        except uv._DamagedError:
            continue
        if match is not None:
            safe(match.entry.credential, "h.example")
            assert match.entry.expires is None or 0 <= match.entry.expires <= clock.LATEST


def _posit(text: str) -> None:
    for table in posit._Connections(text, "path").about(""):
        address, token = posit._fields(table)
        assert (address is None) == (token is None)
        assert address is None or posit._covers(address, _URL) >= 0


def _rattler(text: str) -> None:
    for key, value in rattler_backends._parse(text, "path").items():
        entry = rattler_entry(value, key)
        if entry is None:
            continue
        assert MARK not in f"{entry.grant!r}"


def _chain(text: str) -> None:
    for chain in chained._parse(text, "path").values():
        assert all(isinstance(host, str) for host in chain)


def _jfrog(text: str) -> None:
    for server in jfrog._parse(text, "path")[0]:
        texts = (server.name, server.user, server.password, server.token, *server.addresses)
        assert all(isinstance(each, str) for each in texts)


def _pixi_config(text: str) -> None:
    for option in pixi_s3._of_config(text, "path").values():
        assert option
        assert not isinstance(option, str) or MARK not in option


def _codeartifact(text: str) -> None:
    sections: Any = codeartifact._parsed(text, "path")
    assert sections
    assert all(isinstance(value, str) for _, said in sections for value in said.values())


def _feeds(text: str) -> None:
    login = azure_artifacts._of_endpoint(text, _FEED)
    assert login is None or login.username


def _all_of(parse: Callable[[str, str], Any]) -> Callable[[str], None]:
    def check(text: str) -> None:
        assert parse(text, "path") is not None

    return check


PARSERS: dict[str, Callable[[str], None]] = {
    "docker": _docker,
    "uv": _uv,
    "posit": _posit,
    "rattler": _rattler,
    "pyx": _all_of(pyx._parse),
    "chain": _chain,
    "jfrog": _jfrog,
    "anaconda": _all_of(anaconda._items),
    "google_adc": _all_of(google_files.parse),
    "codeartifact": _codeartifact,
    "pixi_config": _pixi_config,
    "env_azure_feeds": _feeds,
}


def _add(name: str, check: Callable[[str], None]) -> None:
    @target(f"file_{name.removeprefix('env_')}", FILES[name].words, FILES[name].seeds)
    @of_text
    def _file(text: str) -> None:
        try:
            check(text)
        except StoreError as error:
            told(error)


for _name, _check in PARSERS.items():
    _add(_name, _check)
