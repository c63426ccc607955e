"""The doctor on the keyring, the agent, settings, folders and token servers."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch import clock
from credlatch.agent import named
from credlatch.doctor import agent, checks, keyring, places, report, rules, servers
from credlatch.doctor.finding import FAIL, OFF, OK, WARN, Finding
from credlatch.errors import AbsentError, StoreError
from credlatch.fixes import mending
from credlatch.renew import http
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.diagnosis import mended, on_path, only_problem, pasted, problems
from support.rattler import oauth
from support.users import ADA, EVE, as_root, become, open_place, owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.caller import Caller
    from support.home import Home
    from support.internet import Internet
    from support.token_server import TokenServer


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose sockets have short paths."""
    with tempfile.TemporaryDirectory(prefix="cl-", dir="/tmp") as folder:
        yield Path(folder)


# The keyring.


@pytest.fixture
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody has a session, and that is no container."""
    monkeypatch.setattr(keyring, "_bus_of_session", str)
    monkeypatch.setattr(keyring, "_CONTAINERS", ())
    monkeypatch.setattr(keyring, "_KERNEL", os.devnull)


@pytest.mark.usefixtures("no_session")
@pytest.mark.parametrize(
    ("env", "where"),
    [
        ({"container": "podman"}, "a container"),
        ({"SSH_CONNECTION": "a", "TERM": "xterm"}, "a login by SSH"),
        ({}, "cron, a service or a CI job"),
        ({"TERM": "xterm"}, "no session's D-Bus"),
    ],
)
def test_no_keyring_is_no_problem_and_says_where_logins_are(
    home: Home, env: dict[str, str], where: str
) -> None:
    on_path(home)
    home.env |= env
    (found,) = keyring.check(caller_of(home))
    assert found.severity == OFF
    assert found.what.startswith(f"there is none ({where}")
    assert found.what.endswith(f"logins are kept in {home.path}/.rattler/credentials.json")
    assert found.fix == ""


@pytest.mark.usefixtures("no_session")
def test_who_logs_in_without_a_desktop_is_told_how_to_have_one(home: Home) -> None:
    on_path(home, "gnome-keyring-daemon", "dbus-run-session")
    home.env |= {"SSH_CONNECTION": "a", "TERM": "xterm"}
    (found,) = keyring.check(caller_of(home))
    assert found.fix.startswith("dbus-run-session -- bash -c 'read -rsp")
    home.env["container"] = "lxc"
    assert next(keyring.check(caller_of(home))).fix == ""


@pytest.mark.usefixtures("no_session")
@pytest.mark.parametrize("address", ["unix:path=/gone/bus", "nonsense", "unix:abstract=gone-bus"])
def test_a_bus_that_is_announced_and_not_there(home: Home, address: str) -> None:
    home.env["DBUS_SESSION_BUS_ADDRESS"] = address
    found = mended(keyring.check, home)
    assert found.severity == WARN
    assert found.fix == "unset DBUS_SESSION_BUS_ADDRESS"


def test_a_session_that_a_job_does_not_know_of(
    home: Home, monkeypatch: pytest.MonkeyPatch, short: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(f"{short}/bus")
        bus.listen()
        monkeypatch.setattr(keyring, "_bus_of_session", lambda: f"{short}/bus")
        found = only_problem(keyring.check, home)
        assert found.severity == WARN
        assert found.fix == f"export XDG_RUNTIME_DIR={short}"


@pytest.mark.parametrize(
    ("failure", "severity", "said"),
    [
        (None, OK, "it is open"),
        (StoreError("the keyring is locked: unlock it"), FAIL, "the keyring is locked"),
        (AbsentError("this D-Bus has no Secret Service"), OFF, "this D-Bus has no Secret Service"),
    ],
)
def test_what_a_keyring_says(
    home: Home, failure: Exception | None, severity: str, said: str
) -> None:
    (found,) = keyring.check(WithKeyring(home, FakeKeyring(failure=failure)))
    assert found.severity == severity
    assert found.what.startswith(said)


# The agent.


@pytest.fixture
def place(home: Home, short: Path) -> Path:
    """What CREDLATCH_AGENT names."""
    path = short / "forward.sock"
    home.env["CREDLATCH_AGENT"] = str(path)
    return path


def _dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def _file(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize(
    ("make", "state"),
    [(None, named.NOT_THERE), (_file, named.NO_SOCKET), (Path.mkdir, named.NO_SOCKET),
     (_dead, named.DEAD)],
)  # fmt: skip
def test_a_forwarded_agent_that_is_not_there(
    home: Home, place: Path, make: Callable[[Path], object] | None, state: str
) -> None:
    if make is not None:
        make(place)
    assert named.state(str(place), 1.0)[0] == state
    found = mended(agent.check, home)
    assert found.severity == FAIL
    assert found.what.startswith(f"no answer from CREDLATCH_AGENT={place} (")
    assert "CREDLATCH_AGENT" not in home.env
    assert place.exists() == (make in {_file, Path.mkdir})


def test_a_socket_that_its_ssh_has_left_is_removed_where_it_is_ours(
    home: Home, place: Path
) -> None:
    _dead(place)
    found = only_problem(agent.check, home)
    assert found.repair is not None
    assert found.repair() == f"rm {place}"
    assert not place.exists()


@as_root
def test_a_forwarded_agent_of_another_user(home: Home) -> None:
    with open_place() as folder, socket.socket(socket.AF_UNIX) as listener:
        folder.chmod(0o777)
        path = folder / "s"
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen()
        # Who listens is asked for where listen was called: as root, whom everybody believes.
        assert become(ADA, lambda: named.state(str(path), 0.1)[0]) == named.SILENT
        assert not named._may_answer(str(path), EVE)
        home.env["CREDLATCH_AGENT"] = str(path)
        assert only_problem(agent.check, home).severity == FAIL


@pytest.mark.parametrize("value", ["yes", "relative/sock", "1"])
def test_a_word_that_means_nothing(home: Home, value: str) -> None:
    home.env["CREDLATCH_AGENT"] = value
    assert mended(agent.check, home).fix == "unset CREDLATCH_AGENT"


def test_switched_off_is_no_problem(home: Home) -> None:
    (found,) = agent.check(caller_of(home))
    assert (found.severity, found.what) == (
        OFF, "CREDLATCH_AGENT is off: no agent is asked or started",
    )  # fmt: skip


def test_an_open_folder_of_the_agent_s_is_closed(short: Path) -> None:
    short.chmod(0o755)
    found = agent._broken(
        f"none can be started: {short} is open to others: chmod 700 {short}", WARN
    )
    assert found.fix == f"chmod 700 {short}"
    assert found.repair is not None
    found.repair()
    assert short.stat().st_mode & 0o777 == 0o700


def test_what_failed_lately_is_told(home: Home) -> None:
    del home
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = f"{now} docker a.example - failed: the login has ended (1.0 ms)"
    old = line.replace(now, "2020-01-01T00:00:00Z")
    assert list(agent._log(f"{old}\n")) == []
    (found,) = agent._log(f"{old}\n{line}\n{now} bazel b.example rattler answered (0.1 ms)\n")
    assert found.what == f"1 of its calls failed in the last hour, the last one: {line}"


# Settings.


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[rule]]\nurl = "https://a.example"\nuse = ["nope"]\n', 3, "there is no store or system"),
        ('[[rule]]\nurl = "a.example"\n', 2, "the URL is not absolute"),
        ("[[rule]\n", 1, "no TOML"),
        ('[[rule]]\nurl = "https://a.example"\nforbid = 1\n', 3, "true or false"),
    ],
)
@pytest.mark.parametrize("name", [".config/credlatch/config.toml", ".credlatch.toml"])
def test_settings_that_are_wrong_are_named_with_their_line(
    home: Home, name: str, text: str, line: int, said: str
) -> None:
    path = home.write(name, text)
    found = mended(rules.check, home, mends="import sys; open(sys.argv[1], 'w').close()")
    assert found.severity == (WARN if name == ".credlatch.toml" else FAIL)
    assert said in found.what
    assert found.fix == f"${{EDITOR:-vi}} +{line} {path}"


# Folders.


def test_a_home_that_is_not_there(home: Home) -> None:
    home.env["HOME"] = str(home.path / "gone")
    mended(places.check, home)


def test_a_file_in_the_place_of_a_folder(home: Home) -> None:
    home.write(".rattler", "")
    found = mended(places.check, home)
    assert found.what == f"{home.path}/.rattler is no folder: logins are kept there"


@pytest.mark.parametrize("mode", [0o500, 0o777])
def test_a_folder_whose_mode_is_wrong(home: Home, mode: int) -> None:
    folder = home.path / ".config/credlatch"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    found = mended(places.check, home)
    assert found.fix == f"chmod 700 {folder}"
    folder.chmod(mode)
    assert found.repair is not None
    found.repair()
    assert problems(places.check, home) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"f_bavail": 0}, "is full"), ({"f_flag": os.ST_RDONLY}, "a disk that is read-only")],
)
def test_a_disk_that_takes_no_more(
    home: Home, monkeypatch: pytest.MonkeyPatch, changed: dict[str, int], said: str
) -> None:
    real = os.statvfs(home.path)
    names = [name for name in dir(real) if name.startswith("f_")]

    class Disk:
        pass

    disk = Disk()
    vars(disk).update({name: getattr(real, name) for name in names} | changed)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    found = problems(places.check, home)
    assert found
    assert all(said in each.what and each.severity == FAIL for each in found)


@as_root
def test_a_folder_that_sudo_has_left(home: Home) -> None:
    del home
    from support.home import Home as AnyHome

    with open_place() as place:
        home = AnyHome(place / "home")
        (home.path / ".rattler").mkdir(mode=0o755)
        owned(home.path, ADA)

        def look() -> str:
            from credlatch.caller import Caller

            return "; ".join(each.fix for each in places.check(Caller(home.env, "/")))

        assert become(ADA, look) == f'sudo chown -R "$(id -un)" {home.path}/.rattler'


# Token servers.


@pytest.fixture
def renewable(home: Home, token_server: TokenServer) -> TokenServer:
    """The server of a login that is renewed."""
    home.write_rattler({"a.example": oauth(token_server, 4_000_000_000)})
    return token_server


def test_a_token_server_is_asked_for_nothing_and_sent_nothing(
    home: Home, renewable: TokenServer
) -> None:
    found = list(servers.check(caller_of(home)))
    assert [each.severity for each in found] == [OK, OK]
    (request,) = renewable.requests
    assert (request.method, request.path) == ("HEAD", "/")
    assert "authorization" not in request.headers
    assert b"r-0" not in request.body


def test_without_a_token_server_no_clock_is_compared(home: Home) -> None:
    home.write(".netrc", "machine a.example login u password p\n")
    (found,) = servers.check(caller_of(home))
    assert (found.severity, found.subject) == (OFF, "clock")


def test_a_token_server_that_is_not_there(home: Home, renewable: TokenServer) -> None:
    home.write_rattler({"a.example": oauth(renewable, 4_000_000_000)})
    text = (home.path / ".rattler/credentials.json").read_text()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        home.write(".rattler/credentials.json", text.replace(str(renewable.port), str(port)))
        found = only_problem(servers.check, home)
    assert found.severity == FAIL
    assert "cannot be reached" in found.what


@pytest.mark.parametrize(
    ("off", "severity", "said"),
    [(0, OK, "as"), (-120, WARN, "2 min ahead of"), (9000, FAIL, "2 h behind")],
)
def test_a_clock_that_is_off(off: int, severity: str, said: str) -> None:
    date = formatdate(time.time() + off, usegmt=True)
    ahead = clock.ahead(date, time.time())
    (found,) = servers.clock_of([(ahead, "sso.example.com")])
    assert found.severity == severity
    assert said in found.what
    assert bool(found.fix) == bool(off)


def _renewed_afar(home: Home, internet: Internet) -> None:
    """A login that is renewed at another machine's server."""
    internet.hosts["sso.example.com"] = lambda _: (200, {}, b"")
    entry = {"access_token": "a", "refresh_token": "r", "client_id": "c"}
    entry["token_endpoint"] = "https://sso.example.com/token"
    home.write_rattler({"a.example": {"OAuth": {**entry, "expires_at": 4_000_000_000}}})


def test_a_certificate_that_is_not_trusted(
    home: Home, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renewed_afar(home, internet)
    assert problems(servers.check, home) == []
    authority = home.env.pop("SSL_CERT_FILE")
    monkeypatch.delenv("SSL_CERT_FILE")
    home.env["REQUESTS_CA_BUNDLE"] = authority
    http.close()
    found = only_problem(servers.check, home)
    assert found.severity == FAIL
    assert "SSL_CERT_FILE" in found.what
    pasted(found.fix, home)
    monkeypatch.setenv("SSL_CERT_FILE", home.env["SSL_CERT_FILE"])
    assert problems(servers.check, home) == []


def test_a_proxy_that_is_not_there(
    home: Home, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    _renewed_afar(home, internet)
    home.env["ALL_PROXY"] = home.env["HTTPS_PROXY"]
    home.env["HTTPS_PROXY"] = "http://u:s3cret@127.0.0.1:9"
    for name in ("ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, home.env[name])
    found = only_problem(servers.check, home)
    assert found.severity == FAIL
    assert "s3cret" not in repr(found)
    pasted(found.fix, home)
    assert "HTTPS_PROXY" not in home.env
    monkeypatch.delenv("HTTPS_PROXY")
    assert problems(servers.check, home) == []


# All of them.


def test_offline_nothing_is_sent(home: Home, renewable: TokenServer) -> None:
    list(checks.findings(caller_of(home), offline=True))
    assert renewable.requests == []


def test_nothing_is_changed_without_fix(home: Home, renewable: TokenServer) -> None:
    del renewable
    home.write(".netrc", "machine a:1 login u password p\n", 0o644)
    (home.path / "CREDLATCH").mkdir()

    def state() -> dict[str, object]:
        return {
            str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns)
            for path in home.path.rglob("*")
        }

    before = state()
    list(checks.findings(caller_of(home)))
    assert state() == before


def test_what_is_safe_is_done_and_said(home: Home) -> None:
    path = home.write(".netrc", "machine a.example login u password p\n", 0o644)
    before = report.made(caller_of(home), offline=True, fix=False)
    assert [(each.fix, each.safe) for each in before.findings if each.subject == "netrc"] == [
        (f"chmod 600 {path}", True)
    ]
    after = report.made(caller_of(home), offline=True, fix=True)
    assert after.fixed == [f"chmod 600 {path}"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [each for each in after.findings if each.fix == f"chmod 600 {path}"]


def test_what_cannot_be_done_is_said_as_well(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write(".netrc", "machine a.example login u password p\n", 0o644)
    monkeypatch.setattr(os, "chmod", _refused)
    after = report.made(caller_of(home), offline=True, fix=True)
    assert after.fixed == []
    assert after.not_fixed == [f"chmod 600 {home.path}/.netrc: operation not permitted"]


def _refused(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_check_that_fails_itself_does_not_stop_the_others(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Caller) -> Iterator[Finding]:
        yield Finding(OK, "x", "before")
        raise PermissionError(13, "Permission denied")

    rest = [each for each in checks.CHECKS if each.name == "environment"]
    monkeypatch.setattr(checks, "CHECKS", (checks.Check("broken", broken), *rest))
    home.env["CREDLATCH_FOO"] = "x"
    found = list(checks.findings(caller_of(home)))
    assert [(each.severity, each.subject) for each in found] == [
        (OK, "x"), (FAIL, "broken"), (WARN, "environment"),
    ]  # fmt: skip


def test_a_keyring_that_fails_is_waited_for_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def failing(*_: object, **__: object) -> None:
        asked.append("it")
        raise StoreError("the Secret Service has not answered in time")

    monkeypatch.setattr("credlatch.system.keyring.open_keyring", failing)
    found = list(checks.findings(caller_of(home)))
    assert [each.subject for each in found if each.severity == FAIL] == [keyring.SUBJECT]
    assert len(asked) == 1


def test_a_fix_that_no_terminal_shows_is_not_printed(home: Home) -> None:
    home.env["NETRC"] = str(home.write("a\nb/.netrc", "machine r.example:1 login u password p\n"))
    found = report.made(caller_of(home), offline=True, fix=False).findings
    (wrong,) = [each for each in found if "never matches" in each.what]
    assert wrong.fix is None
    assert "\n" not in wrong.what


def test_a_link_s_target_is_not_ours_to_close(home: Home) -> None:
    target = home.write("elsewhere", "", 0o644)
    link = home.path / "link"
    link.symlink_to(target)
    assert mending.closed(str(link), 0o600)[1] is None
    assert sys.platform == "win32" or mending.closed(str(target), 0o600)[1] is not None
