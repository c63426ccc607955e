"""Stores in a process that serves several calls: what is unchanged is not parsed twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.credential import Basic, Secret
from credlatch.errors import StoreError
from credlatch.shared_cache import SharedCache
from credlatch.stores import netrc as netrc_store
from credlatch.stores import pixi_config, rattler_format, toml_tables
from credlatch.stores.docker import DockerStore
from credlatch.stores.netrc import NetrcStore
from credlatch.stores.posit import PositStore
from credlatch.stores.rattler import RattlerStore
from credlatch.stores.uv import UvStore
from credlatch.system import documents, files, locks
from credlatch.system.atomic_write import AtomicWrite
from support.callers import caller_of
from support.found import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credlatch.stores import Store
    from support.home import Home

HOST = "a.example"
URL = urls.parse(f"https://{HOST}/simple/")


def rattler(secret: str, host: str = HOST) -> str:
    return json.dumps({host: {"BearerToken": secret}})


def uv(secret: str, host: str = HOST) -> str:
    return f'[[credential]]\nservice = "https://{host}/"\nscheme = "bearer"\ntoken = "{secret}"\n'


def posit(secret: str, host: str = HOST) -> str:
    return f'[[connections]]\naddress = "https://{host}"\ntoken = "{secret}"\nauth_type = "sso"\n'


def netrc(secret: str, host: str = HOST) -> str:
    return f"machine {host} login u password {secret}\n"


def docker(secret: str, host: str = HOST) -> str:
    return json.dumps({"auths": {host: {"username": "u", "password": secret}}})


UV = ".local/share/uv/credentials/credentials.toml"
Kind = tuple["Callable[[Caller], Store]", str, "Callable[..., str]"]  # it, its file, its text
KINDS: dict[str, Kind] = {
    "rattler": (RattlerStore, ".rattler/credentials.json", rattler),
    "uv": (UvStore, UV, uv),
    "posit": (PositStore, ".ppm/tokens.toml", posit),
    "netrc": (NetrcStore, ".netrc", netrc),
    "docker": (DockerStore, ".docker/config.json", docker),
}
EACH = pytest.mark.parametrize("each", KINDS.values(), ids=KINDS)


class Process:
    """A process that serves callers of one home.

    Attributes:
        read: the files that were read, call after call.
    """

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[str] = []
        self.keep = SharedCache()
        self._home = home
        real = files.Reading.text

        def text(reading: files.Reading, limit: int = files.MAX_SIZE) -> str:
            self.read.append(reading.path.rpartition("/")[2])
            return real(reading, limit)

        monkeypatch.setattr(files.Reading, "text", text)
        monkeypatch.setattr(documents, "SETTLED", -1.0)

    def caller(self, **environ: str) -> Caller:
        return Caller({**self._home.env, **environ}, str(self._home.path), self.keep)

    def get(self, kind: Callable[[Caller], Store], url: urls.Url = URL) -> str | None:
        """The secret that one call gets."""
        return secret(kind(self.caller()).find(url))


@pytest.fixture
def process(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    process = Process(home, monkeypatch)
    yield process
    process.keep.close()


@EACH
def test_an_unchanged_file_is_read_once_for_all_calls(
    home: Home, process: Process, each: Kind
) -> None:
    kind, file, write = each
    home.write(file, write("s"))
    assert [process.get(kind) for _ in range(3)] == ["s"] * 3
    other = urls.parse("https://other.example/")
    assert [process.get(kind, other) for _ in range(2)] == [None, None]
    assert process.read == [file.rpartition("/")[2]]


@EACH
def test_what_another_tool_writes_is_what_the_very_next_call_gets(
    home: Home, process: Process, each: Kind
) -> None:
    kind, file, write = each
    for number in range(20):
        home.write(file, write("s" * (number + 1)))
        assert process.get(kind) == "s" * (number + 1)
    (home.path / file).unlink()
    assert process.get(kind) is None
    home.write(file, b"\xff")
    for _ in range(2):
        with pytest.raises(StoreError, match="UTF-8"):
            process.get(kind)
    home.write(file, write("mended"))
    assert process.get(kind) == "mended"


def warnings(process: Process, kind: Callable[[Caller], Store]) -> list[str]:
    """What each of two calls is told."""
    callers = [process.caller() for _ in range(2)]
    for caller in callers:
        kind(caller).find(URL)
    assert callers[0].warnings == callers[1].warnings
    return callers[0].warnings


@EACH
def test_a_file_that_others_may_read_is_warned_of_in_each_call(
    home: Home, process: Process, each: Kind
) -> None:
    kind, file, write = each
    path = home.write(file, write("s"), 0o644)
    assert warnings(process, kind) == [f"{path} can be read by other users: chmod 600 {path}"]
    path.chmod(0o600)
    assert warnings(process, kind) == []


def test_what_is_odd_is_warned_of_in_each_call_and_what_has_no_secret_is_not(
    home: Home, process: Process
) -> None:
    home.write(".netrc", f"odd machine {HOST} login u password s\n")
    (warning,) = warnings(process, NetrcStore)
    assert "not understood" in warning
    home.write(".docker/config.json", '{"auths": {"a.example": {}}}', 0o644)
    assert warnings(process, DockerStore) == []


@pytest.mark.parametrize("each", [KINDS["uv"], KINDS["posit"]])
def test_tables_are_parsed_once_for_each_host(
    home: Home, process: Process, monkeypatch: pytest.MonkeyPatch, each: Kind
) -> None:
    import tomllib

    parsed: list[str] = []
    real = tomllib.loads

    def loads(text: str) -> dict[str, object]:
        parsed.append(text)
        return real(text)

    monkeypatch.setattr(tomllib, "loads", loads)
    kind, file, write = each
    number = "more = 1\n"  # with which a table is not read but by the parser
    home.write(file, write("a") + number + write("b", "b.example") + number)
    for _ in range(3):
        assert process.get(kind) == "a"
        assert process.get(kind, urls.parse("https://b.example/x")) == "b"
    assert len(parsed) == 2
    # A file that is not written plainly is parsed whole, and once as well.
    home.write(file, write("a") + "\n[other]\n")
    parsed.clear()
    for host in ("a.example", "b.example", "c.example") * 2:
        process.get(kind, urls.parse(f"https://{host}/"))
    assert len(parsed) == 1


def test_the_tables_of_so_many_hosts_are_remembered_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(toml_tables.Tables, "array", "credential", raising=False)
    tables = toml_tables.Tables(uv("s"), "/file")
    for number in range(toml_tables._MOST * 3):
        assert tables.about(f"{number}.example") == []
    assert len(tables._parsed) <= toml_tables._MOST
    assert len(tables.about(HOST)) == 1


def test_pixi_s_configuration_is_parsed_once(home: Home, process: Process) -> None:
    setting = 'authentication-override-file = "{}"\n'
    home.write(".pixi/config.toml", setting.format("~/one.json"))
    for _ in range(2):
        assert pixi_config.override_file(process.caller())[0] == str(home.path / "one.json")
    assert process.read == ["config.toml"]
    home.write(".pixi/config.toml", setting.format("/two.json"))
    assert pixi_config.override_file(process.caller())[0] == "/two.json"


def test_what_a_call_changes_in_rattler_s_file_is_not_changed_in_what_others_have(
    home: Home, process: Process
) -> None:
    home.write_rattler({HOST: {"BearerToken": "s"}, "kept.example": {"BearerToken": "k"}})
    earlier = RattlerStore(process.caller())
    assert earlier.find(URL) is not None
    login = Basic("bob", Secret("p"))
    store = RattlerStore(process.caller())
    assert store.find(URL) is not None
    store.save("new.example", login)
    # The call that began before sees what it saw; the next one sees what is there.
    assert earlier.find_key(("new.example",)) is None
    assert RattlerStore(process.caller()).find_key(("new.example",)) is not None
    assert sorted(home.read_rattler()) == [HOST, "kept.example", "new.example"]
    assert RattlerStore(process.caller()).delete("new.example")
    assert RattlerStore(process.caller()).find_key(("new.example",)) is None


def test_a_write_that_fails_leaves_what_is_remembered_as_the_file_is(
    home: Home, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_rattler({HOST: {"BearerToken": "s"}})
    store = RattlerStore(process.caller())
    assert store.find(URL) is not None

    def fail(_self: object, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AtomicWrite, "commit", fail)
    with pytest.raises(StoreError, match="no space"):
        store.save("new.example", Basic("bob", Secret("p")))
    assert RattlerStore(process.caller()).find_key(("new.example",)) is None
    stored = rattler_format.stored(Basic("bob", Secret("p")))
    assert stored not in home.read_rattler().values()


def test_a_lock_of_uv_s_is_awaited_also_for_a_file_that_is_remembered(
    home: Home, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write(UV, uv("s"))
    awaited: list[str] = []
    monkeypatch.setattr(locks, "settle", lambda path, _: awaited.append(path))
    assert [process.get(UvStore) for _ in range(2)] == ["s", "s"]
    assert awaited == [str(home.path / f"{UV}.lock")] * 2


def test_netrc_s_default_and_users_are_told_apart_when_they_are_remembered(
    home: Home, process: Process
) -> None:
    bob = f"machine {HOST} login bob password of-bob\n"
    home.write(
        ".netrc", f"{bob}machine {HOST} login eve password of-eve\ndefault login d password d\n"
    )
    for _ in range(2):
        assert process.get(NetrcStore) == "of-bob"
        assert process.get(NetrcStore, urls.parse(f"https://eve@{HOST}/")) == "of-eve"
        assert process.get(NetrcStore, urls.parse("https://other.example/")) == "d"
        assert process.get(NetrcStore, urls.parse("http://other.example/")) is None
    assert process.read == [".netrc"]


def test_a_netrc_is_looked_through_once_for_each_host(
    home: Home, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    real = netrc_store.entries

    def entries(*args: Any) -> object:
        looked.append(args)
        return real(*args)

    monkeypatch.setattr(netrc_store, "entries", entries)
    home.write(".netrc", netrc("a") + netrc("b", "b.example"))
    for _ in range(3):
        assert process.get(NetrcStore) == "a"
        assert process.get(NetrcStore, urls.parse("https://b.example/x")) == "b"
    assert len(looked) == 2


def test_nothing_stays_of_a_file_that_has_gone(home: Home, process: Process) -> None:
    path = home.write_rattler({HOST: {"BearerToken": "s"}})
    assert process.get(RattlerStore) == "s"
    assert len(process.keep.documents._kept) == 1
    path.unlink()
    assert process.get(RattlerStore) is None
    assert len(process.keep.documents._kept) == 0


def test_each_caller_s_own_environment_counts(home: Home, process: Process) -> None:
    home.write_rattler({HOST: {"BearerToken": "of the home"}})
    path = home.write("other.json", rattler("of the variable"))
    for name in ("", str(path), "other.json", ""):
        found = RattlerStore(process.caller(RATTLER_AUTH_FILE=name)).find(URL)
        assert secret(found) == ("of the variable" if name else "of the home")


@pytest.mark.parametrize("forgets", [True, False], ids=["closed", "not shared"])
def test_what_was_closed_or_is_not_shared_is_read_again(
    home: Home, process: Process, *, forgets: bool
) -> None:
    home.write_rattler({HOST: {"BearerToken": "s"}})
    for _ in range(2):
        caller = process.caller() if forgets else caller_of(home)
        assert secret(RattlerStore(caller).find(URL)) == "s"
        process.keep.close()
    assert process.read == ["credentials.json"] * 2


def test_two_names_of_one_file_are_each_read(home: Home, process: Process, tmp_path: Path) -> None:
    def get(name: Path) -> str | None:
        return secret(RattlerStore(process.caller(RATTLER_AUTH_FILE=str(name))).find(URL))

    path = home.write_rattler({HOST: {"BearerToken": "s"}})
    link = tmp_path / "link.json"
    link.symlink_to(path)
    assert get(path) == get(link) == "s"
    link.unlink()
    link.write_text(rattler("other"))
    assert get(link) == "other"
