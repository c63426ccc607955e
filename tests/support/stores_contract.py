"""What every store owes its caller, as classes of tests that the test class of a store inherits.

A test class takes the bases that fit the store and says what the store's tool wrote. A row that
does not apply to a store is in a base that the store does not take.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import TokenResponse
from credlatch.credential import Secret
from credlatch.errors import RefusedError, StoreError
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.system import locks
from support.callers import caller_of
from support.jwt import make_jwt

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.caller import Caller
    from credlatch.stores import Entry, RenewableStore, Store
    from support.home import Home

HOST = "host.example"
SECRET = "kept-from-everybody"


class StoreContract:
    """Every store.

    Attributes:
        URL: what it has an entry for.
        HEADER: the name and the value that the entry gives.
        ELSEWHERE: what its own rule gives nothing for, on other hosts.
        LISTED: whether what it has can be told without a question.
    """

    URL = f"https://{HOST}/simple/"
    HEADER: tuple[str, str]
    LISTED = True
    ELSEWHERE: tuple[str, ...] = (
        "https://other.example/simple/",
        f"https://below.{HOST}/simple/",
        f"https://not{HOST}/simple/",
        f"https://{HOST}.evil.example/simple/",
        "https://example/simple/",
        f"s3://{HOST}/simple/",
    )

    def store(self, caller: Caller) -> Store:
        """The store under test."""
        raise NotImplementedError

    def write(self, home: Home) -> None:
        """Put there what its tool writes."""
        raise NotImplementedError

    def caller(self, home: Home) -> Caller:
        """Whoever calls."""
        return caller_of(home)

    def find(self, home: Home, url: str = "") -> Entry | None:
        """What a fresh call finds."""
        return self.store(self.caller(home)).find(urls.parse(url or self.URL))

    def test_it_finds_what_its_tool_wrote(self, home: Home) -> None:
        self.write(home)
        entry = self.find(home)
        assert entry is not None
        assert entry.credential is not None
        assert entry.credential.headers() == dict([self.HEADER])

    def test_where_nothing_was_written_it_finds_nothing_and_leaves_nothing(
        self, home: Home
    ) -> None:
        before = sorted(home.path.rglob("*"))
        caller = self.caller(home)
        assert self.store(caller).find(urls.parse(self.URL)) is None
        assert caller.warnings == []
        assert sorted(home.path.rglob("*")) == before

    def test_it_has_nothing_for_other_hosts(self, home: Home) -> None:
        self.write(home)
        assert [url for url in self.ELSEWHERE if self.find(home, url) is not None] == []

    def test_it_lists_what_it_finds(self, home: Home) -> None:
        self.write(home)
        host = urls.parse(self.URL).host
        entries = self.store(self.caller(home)).entries()
        listed = {_told(entry) for key, entry in entries if host in key}
        assert listed == ({_told(self.find(home))} if self.LISTED else set())

    def test_a_file_that_it_answers_from_is_one_of_its_files(self, home: Home) -> None:
        self.write(home)
        store, entry = self.store(self.caller(home)), self.find(home)
        assert entry is not None
        assert not os.path.exists(entry.location) or entry.location in store.files()

    def test_it_never_answers_for_plain_http(self, home: Home) -> None:
        self.write(home)
        url = urls.parse(self.URL.replace("https://", "http://"))
        answer = None
        with suppress(RefusedError):
            answer = Resolver(self.caller(home), (("it", self.store),)).resolve(Request(url, ()))
        assert answer is None

    def test_what_is_found_does_not_show_its_secret(self, home: Home) -> None:
        self.write(home)
        entry = self.find(home)
        assert entry is not None
        shown = [repr(entry), entry.location, repr(entry.credential), entry.handle]
        shown += [f"{entry.credential}", repr(vars(type(entry))), repr(entry.grant)]
        assert [text for text in shown if SECRET in text] == []


def _told(entry: Entry | None) -> tuple[object, ...]:
    assert entry is not None
    assert entry.credential is not None
    return type(entry.credential), entry.credential.secret, entry.location, entry.expires


class PortContract(StoreContract):
    """Stores whose entries name a port, and not the host alone."""

    def at_port(self, port: int) -> str:
        """The URL that there is an entry for, at another port."""
        host = urls.parse(self.URL).host
        return self.URL.replace(host, f"{host}:{port}")

    def test_another_port_is_another_server(self, home: Home) -> None:
        self.write(home)
        assert self.find(home, self.at_port(8443)) is None

    def test_the_scheme_s_own_port_is_none(self, home: Home) -> None:
        self.write(home)
        assert self.find(home, self.at_port(443)) is not None


class OriginContract(PortContract):
    """Stores whose entries name the scheme too."""

    def test_http_is_another_scheme(self, home: Home) -> None:
        self.write(home)
        assert self.find(home, self.URL.replace("https://", "http://")) is None


class FileContract(StoreContract):
    """Stores that are a file.

    Attributes:
        FILE: its path below the home.
    """

    FILE: str

    def path(self, home: Home) -> Path:
        """The file, written."""
        self.write(home)
        return home.path / self.FILE

    def failure(self, home: Home) -> StoreError:
        """What a fresh call raises; one line that names the file, without a secret."""
        with pytest.raises(StoreError) as raised:
            self.find(home)
        shown = "".join(traceback.format_exception(raised.value))
        assert str(home.path / self.FILE) in str(raised.value)
        assert "\n" not in str(raised.value)
        assert SECRET not in shown
        return raised.value

    def test_a_folder_in_its_place(self, home: Home) -> None:
        path = self.path(home)
        path.unlink()
        path.mkdir()
        assert "is not a file" in str(self.failure(home))

    def test_a_fifo_in_its_place_is_an_error_and_no_hang(self, home: Home) -> None:
        path = self.path(home)
        path.unlink()
        os.mkfifo(path)
        assert "is not a file" in str(self.failure(home))

    def test_a_socket_in_its_place(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        path = self.path(home)
        path.unlink()
        monkeypatch.chdir(path.parent)  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
            assert "cannot be read" in str(self.failure(home))

    def test_a_file_that_cannot_be_opened(self, home: Home) -> None:
        path = self.path(home)
        path.unlink()
        path.symlink_to(path.name)  # to itself: root may open everything else
        assert "cannot be read" in str(self.failure(home))

    def test_not_utf_8(self, home: Home) -> None:
        path = self.path(home)
        path.write_bytes(path.read_bytes() + b"\xff\xfe")
        assert "UTF-8" in str(self.failure(home))

    def test_far_too_large(self, home: Home) -> None:
        os.truncate(self.path(home), 1 << 32)
        assert "larger than" in str(self.failure(home))

    def test_a_file_that_others_may_read_is_used_with_a_warning(self, home: Home) -> None:
        path = self.path(home)
        path.chmod(0o644)
        caller = self.caller(home)
        assert self.store(caller).find(urls.parse(self.URL)) is not None
        assert caller.warnings == [f"{path} can be read by other users: chmod 600 {path}"]

    def test_a_symbolic_link_to_it_is_followed(self, home: Home) -> None:
        path = self.path(home)
        kept = shutil.move(path, home.path / "kept elsewhere")
        path.symlink_to(kept)
        assert self.find(home) is not None

    def test_reading_changes_nothing(self, home: Home) -> None:
        path = self.path(home)
        before = path.read_bytes(), sorted(home.path.rglob("*"))
        self.find(home)
        assert (path.read_bytes(), sorted(home.path.rglob("*"))) == before


class StructuredContract(FileContract):
    """Stores in a file with a grammar, of which a part is seen to be a part."""

    def test_cut_off_in_the_middle_of_a_write(self, home: Home) -> None:
        path = self.path(home)
        data = path.read_bytes()
        at = data.index(SECRET.encode()) + len(SECRET) // 2
        path.write_bytes(data[:at])
        self.failure(home)

    def spoil(self, home: Home) -> None:
        """Add an entry, for another host, that no tool of today writes."""
        raise NotImplementedError

    def test_an_entry_of_a_future_version_does_not_spoil_the_others(self, home: Home) -> None:
        self.write(home)
        self.spoil(home)
        assert self.find(home) is not None


class RenewableContract(StoreContract):
    """Stores whose entries are renewed.

    Attributes:
        LOCK: the lock file that the store's own tool takes, below the home.
    """

    LOCK: str

    def write_renewable(self, home: Home) -> Path:
        """Put there an entry with a grant, and give the file that it is in."""
        raise NotImplementedError

    def renewable(self, caller: Caller) -> RenewableStore:
        """The store under test."""
        raise NotImplementedError

    def _found(self, home: Home) -> tuple[RenewableStore, Entry]:
        store = self.renewable(self.caller(home))
        entry = store.find(urls.parse(self.URL))
        assert entry is not None
        assert entry.grant is not None
        return store, entry

    def test_what_is_committed_is_what_the_next_call_finds(self, home: Home) -> None:
        path = self.write_renewable(home)
        store, entry = self._found(home)
        token = make_jwt(4_000_000_000)
        store.prepare(entry).commit(TokenResponse(Secret(token), Secret("next"), 4_000_000_000))
        _, renewed = self._found(home)
        assert renewed.credential is not None
        assert renewed.credential.secret == Secret(token)
        assert renewed.expires == 4_000_000_000
        assert renewed.location == entry.location
        assert path.stat().st_mode & 0o777 == 0o600

    def test_what_is_abandoned_leaves_no_trace(self, home: Home) -> None:
        path = self.write_renewable(home)
        before = path.read_bytes(), sorted(path.parent.iterdir())
        store, entry = self._found(home)
        pending = store.prepare(entry)
        assert path.read_bytes() == before[0]
        pending.abandon()
        assert (path.read_bytes(), sorted(path.parent.iterdir())) == before

    def test_its_lock_is_the_one_that_the_store_s_tool_takes(self, home: Home) -> None:
        self.write_renewable(home)
        store, entry = self._found(home)
        assert store.lock_path(entry) == str(home.path / self.LOCK)


class SettledContract(FileContract):
    """Stores whose tool writes in place, under its lock: readers wait until it is done.

    Attributes:
        LOCK: the lock file that the store's own tool takes, below the home.
    """

    LOCK: str

    def test_a_writer_is_waited_for_no_longer_than_what_is_left_of_the_call(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locks, "SETTLE", 60.0)
        path = self.path(home)
        data = path.read_bytes()
        path.write_bytes(data[: data.index(SECRET.encode())])
        caller = self.caller(home)
        caller.deadline = time.monotonic() + 0.2
        begin = time.monotonic()
        with open(home.write(self.LOCK, ""), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(StoreError, match="locked by a writer"):
                self.store(caller).find(urls.parse(self.URL))
        assert time.monotonic() - begin < 30
