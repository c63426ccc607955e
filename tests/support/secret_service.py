"""A real Secret Service: gnome-keyring on a message bus of the test's own, without a desktop."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jeepney
import pytest
import secretstorage
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from support.components import need
from support.started import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home

PASSWORD = "made-up master password"
START = 60  # seconds that the daemons may take to come up, on a machine that is busy

# No <servicedir>: nothing is started on demand, so no prompt of the desktop can ever appear.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True)
class Item:
    """One item of the keyring, as any program on the bus sees it."""

    label: str
    attributes: dict[str, str]
    secret: str

    @property
    def names(self) -> dict[str, str]:
        """The attributes that its writer gave; the schema is libsecret's own addition."""
        return {k: v for k, v in self.attributes.items() if k != "xdg:schema"}


class SecretService:
    """A running message bus and keyring, and what a test does to it.

    Attributes:
        env: what a program needs in its environment to find this bus.
        socket: where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "bus"
        self.address = f"unix:path={self.socket}"
        self.env = {"DBUS_SESSION_BUS_ADDRESS": self.address}
        self._bus: subprocess.Popen[bytes]
        self._daemon: subprocess.Popen[bytes]
        self._stack = ExitStack()

    @contextmanager
    def running(self) -> Iterator[SecretService]:
        """Start both daemons, the keyring unlocked, and stop them at the end."""
        with self._stack:
            self.start_bus()
            self.start()
            yield self

    def start_bus(self) -> None:
        """Start the message bus."""
        dbus = need("dbus-daemon")
        config = self._folder / "bus.conf"
        config.write_text(_BUS.format(socket=self.socket))
        command = [dbus, f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
        self._bus = bus = self._start(command, {})
        assert bus.stdout is not None
        assert bus.stdout.readline(), "dbus-daemon did not start"

    def start(self) -> None:
        """Start the keyring, unlocked, with what it held before."""
        keyring = need("gnome-keyring-daemon")
        command = [keyring, "--foreground", "--unlock", "--components=secrets"]
        command.append(f"--control-directory={self._folder / 'control'}")
        places = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME"), str(self._folder))
        self._daemon = daemon = self._start(command, {**self.env, **places})
        assert daemon.stdin is not None
        daemon.stdin.write(PASSWORD.encode())
        daemon.stdin.close()
        self._await_unlocked(daemon)

    def _start(self, command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        """A daemon that is gone at the end."""
        pipe = subprocess.PIPE
        return self._stack.enter_context(
            started(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        )

    def _await_unlocked(self, daemon: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            assert daemon.poll() is None, "gnome-keyring-daemon ended at once"
            with closing(self.connect()) as bus:
                try:
                    if not secretstorage.get_collection_by_alias(bus, "default").is_locked():
                        return
                except secretstorage.SecretStorageException:
                    time.sleep(0.01)
        raise AssertionError("gnome-keyring-daemon did not unlock its collection in time")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The keyring is there and does not answer, as after a crash in its depths."""
        self._daemon.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._daemon.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End the keyring; the message bus goes on without it."""
        self._daemon.terminate()
        self._daemon.wait(START)

    def end_bus(self) -> None:
        """End the message bus, and with it the keyring."""
        self._bus.terminate()
        self._bus.wait(START)
        self.end()

    def restart(self, *, bus: bool = False) -> None:
        """End the keyring, and with ``bus`` the message bus too, and start it again."""
        if bus:
            self.end_bus()
            self.start_bus()
        else:
            self.end()
        self.start()

    def connections(self) -> int:
        """How many programs are on the bus, the keyring and this question among them."""
        with closing(self.connect()) as bus:
            reply = bus.send_and_get_reply(jeepney.message_bus.ListNames(), timeout=START)
            return sum(1 for name in reply.body[0] if name.startswith(":"))

    def connect(self) -> DBusConnection:
        """A connection of the test's own to the bus."""
        return open_dbus_connection(self.address)

    def items(self, **attributes: str) -> list[Item]:
        """All items that have these attributes, whatever else they have; unlocked only."""
        with closing(self.connect()) as bus:
            return [
                Item(item.get_label(), item.get_attributes(), item.get_secret().decode())
                for item in secretstorage.search_items(bus, attributes)
            ]

    def add(self, label: str, attributes: dict[str, str], secret: str) -> None:
        """Create an item, also when there is one with the same attributes already."""
        with closing(self.connect()) as bus:
            secretstorage.get_default_collection(bus).create_item(
                label, attributes, secret.encode(), replace=False
            )

    @contextmanager
    def silent_prompter(self) -> Iterator[SilentPrompter]:
        """Have the dialog that asks for the password, and nobody in front of it."""
        with closing(self.connect()) as bus:
            yield SilentPrompter(bus)

    def lock(self) -> None:
        """Lock the collection, as a screen saver or a logout does."""
        with closing(self.connect()) as bus:
            collection = secretstorage.get_default_collection(bus)
            collection.lock()
            assert collection.is_locked()

    def unlock(self) -> None:
        """Unlock the collection without a prompt, through gnome-keyring's own door for that."""
        with closing(self.connect()) as bus:
            collection = secretstorage.get_default_collection(bus)
            session = secretstorage.util.open_session(bus)
            secret = secretstorage.util.format_secret(session, PASSWORD.encode(), "text/plain")
            door = jeepney.DBusAddress(
                secretstorage.defines.SS_PATH,
                secretstorage.util.BUS_NAME,
                "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface",
            )
            call = jeepney.new_method_call(
                door,
                "UnlockWithMasterPassword",
                "o(oayays)",
                (collection.collection_path, secret),
            )
            bus.send_and_get_reply(call, timeout=START)
            assert not collection.is_locked()


class SilentPrompter:
    """A desktop's unlock dialog that nobody answers."""

    def __init__(self, bus: DBusConnection) -> None:
        self._bus = bus
        rule = jeepney.MatchRule(type="method_call", member="BeginPrompting")
        self._requests = bus.filter(rule, bufsize=100)
        reply = bus.send_and_get_reply(
            jeepney.message_bus.RequestName("org.gnome.keyring.SystemPrompter"), timeout=START
        )
        assert reply.body == (1,)

    def asked(self) -> int:
        """How often gnome-keyring has wanted to show the dialog."""
        # One exchange with the keyring: what it had sent before has then arrived here.
        secretstorage.get_default_collection(self._bus).is_locked()
        return len(self._requests.queue)


@pytest.fixture
def secret_service(home: Home) -> Iterator[SecretService]:
    """A Secret Service of the test's own, unlocked; the home's environment leads to it."""
    # The socket's path must be short: the system allows about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="ss-") as folder:
        service = SecretService(Path(folder))
        with service.running():
            home.env |= service.env
            yield service
