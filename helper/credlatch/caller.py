"""Whoever called: the environment and the folders that count for this call.

No other module of the quick path reads ``os.environ``: what a caller's environment says counts for
that caller, also when a process serves several.
"""

from __future__ import annotations

import os
import sys
import time

from credlatch.errors import ElsewhereError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from credlatch.renew.tokens import TokenMemory
    from credlatch.shared_cache import SharedCache
    from credlatch.system.keyring import Keyring
    from credlatch.url import Url

    T = TypeVar("T")

PATIENCE = 9.0  # seconds for a whole call: Bazel kills a helper after ten
TIMEOUT = "CREDLATCH_TIMEOUT"  # a variable: other seconds, for who has told Bazel others as well
LONGEST = 600.0  # seconds that it may say
APPLICATION_SUPPORT = "Library/Application Support"  # macOS' own folder, where a tool heeds it


class Caller:
    """The surroundings of one call, in one thread.

    Args:
        environ: the caller's environment, where that is not this process's.
        cwd: the caller's working directory, likewise; empty when it has been removed.
        shared: what earlier calls left, in a process that answers several: this one's own calls, or
            other processes'.
        began: when the call began, on the clock of ``time.monotonic``, if that is not now.
        is_guest: whether this process serves the call for another one.

    Attributes:
        environ: as above.
        is_guest: as above. Then what depends on this process's own surroundings (its network
            namespace, its session, its working directory) is not done here.
        warnings: lines for a person to read, gathered as the call goes on.
        deadline: on the clock of ``time.monotonic``, when the whole call must have ended: whatever
            waits (for a lock, a keyring, another program, a server) waits no longer than that. A
            command whose clients have no time limit may put it off.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        cwd: str | None = None,
        shared: SharedCache | None = None,
        began: float | None = None,
        *,
        is_guest: bool = False,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        self._cwd = cwd
        self._shared = shared
        self.is_guest = is_guest
        self.warnings: list[str] = []
        self._named: list[str] = []
        self._authors: dict[str, int] = {}
        self.deadline = (time.monotonic() if began is None else began) + self._patience()
        self._tokens: TokenMemory | None = None
        self._keyring: Keyring | None = None
        self._keyring_opened = False
        self._keyring_failure: StoreError | None = None

    def _patience(self) -> float:
        """The seconds for this call, as its environment has them."""
        text = self.get(TIMEOUT)
        if text is None:
            return PATIENCE
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if 0.0 < seconds <= LONGEST:
            return seconds
        self.warn(f"{TIMEOUT} is no number of seconds up to {LONGEST:.0f}: {PATIENCE:.0f} count")
        return PATIENCE

    @property
    def cwd(self) -> str:
        """The working directory, which relative paths start from; ``/`` when it was removed."""
        if self._cwd is None:
            try:
                self._cwd = os.getcwd()
            except OSError:
                self._cwd = ""
        return self._cwd or "/"

    def get(self, name: str) -> str | None:
        """A variable; an empty or blank one counts as unset, as CI templates leave them."""
        value = self.environ.get(name)
        return value if value and not value.isspace() else None

    def warn(self, line: str) -> None:
        """Say something that does not stop the call."""
        if line not in self.warnings:
            self.warnings.append(line)

    def left(self, most: float) -> float:
        """Seconds that one step of the call may take: what is left, and ``most`` at most."""
        return min(most, max(0.0, self.deadline - time.monotonic()))

    def may_send(self, url: Url) -> bool:
        """Whether a credential may travel to a URL: never in the clear, except within this machine.

        A name below ``localhost`` is this machine if it resolves to nothing else; only for such a
        URL with plain http is the resolver asked.

        Raises:
            ElsewhereError: the caller's own process may be told other addresses than this one.
        """
        if url.may_carry_credentials or not url.may_be_loopback:
            return url.may_carry_credentials
        from credlatch.system import addresses, network

        if self.is_guest and not network.same_network(self.environ):
            raise ElsewhereError("the caller's own settings count for its resolver")

        return addresses.is_loopback(url.host, self.left(addresses.PATIENCE))

    def put_off(self, seconds: float) -> None:
        """Take more time: for a command whose clients have no time limit of their own."""
        self.deadline = max(self.deadline, time.monotonic() + seconds)

    def absolute(self, path: str) -> str:
        """What a path means where the caller is.

        Raises:
            ElsewhereError: it means something to the caller's own process alone, as Windows'
                ``D:file`` does, which starts from that process's folder on that drive.
        """
        path = os.path.join(self.cwd, path)
        if self.is_guest and not os.path.isabs(path):
            raise ElsewhereError("a path that the caller's own process alone can follow")
        return path

    def path(self, name: str) -> str | None:
        """A variable that names a file or folder, made absolute; raises as ``absolute``."""
        value = self.get(name)
        if not value:
            return None
        path = self.absolute(value)
        if not name.startswith(("XDG_", "TMP")):  # a session sets those, and nobody for one file
            self._named.append(path)
        return path

    def named(self, path: str) -> Callable[[str], None] | None:
        """Whom to tell that every user may change a file: None, and it is refused.

        Whoever names a file in the environment, or the folder that it is in, means that file; with
        a umask of 0, as CI's containers have it, there is no other.
        """
        for name in self._named:
            if path == name or path.startswith(f"{name}/"):
                return self.warn
        return None

    @property
    def home(self) -> str:
        """The home directory, from the account when the environment names none."""
        home = self.get("USERPROFILE" if sys.platform == "win32" else "HOME")
        if home is None:
            return _account_home()
        return self.absolute(home)

    def in_home(self, *parts: str) -> str:
        """A path below the home directory."""
        return "/".join((self.home, *parts))

    def data(self, *parts: str) -> str:
        """A path below the folder where tools keep what lasts (XDG Base Directory, or APPDATA)."""
        return "/".join((self._base("XDG_DATA_HOME", "APPDATA", ".local/share"), *parts))

    def config(self, *parts: str) -> str:
        """A path below the folder where tools keep their settings."""
        return "/".join((self._base("XDG_CONFIG_HOME", "APPDATA", ".config"), *parts))

    def cache(self, *parts: str) -> str:
        """A path below the folder for what may be lost."""
        return "/".join((self._base("XDG_CACHE_HOME", "LOCALAPPDATA", ".cache"), *parts))

    def _base(self, xdg: str, windows: str, default: str) -> str:
        if sys.platform == "win32":
            folder = self.get(windows) or ""
            return self.absolute(folder) if os.path.isabs(folder) else self.in_home(default)
        # "All paths … must be absolute. If … relative … consider the path invalid and ignore it."
        value = self.get(xdg)
        return value if value and value.startswith("/") else self.in_home(default)

    def read(self, path: str) -> str | None:
        """The text of a store's file, or None without one; warns and raises as ``document``."""
        from credlatch.system import files

        return files.read(path, self.warn, named=self.named(path))

    def document(
        self,
        path: str,
        parse: Callable[[str, str], T],
        private: Callable[[T], bool] | None = None,
    ) -> T | None:
        """What a store's file says, or None if there is no file.

        A process that answers several calls reads a file again when it has changed, and only then.

        Args:
            path: the file.
            parse: makes something of its text and its path, which nobody changes afterwards: a
                function of a module, by which the result is found again.
            private: whether others' reading is to be warned of; None: in any case.

        Raises:
            StoreError: it is there and cannot be read, or ``parse`` raises it.
        """
        from credlatch.system import files

        file = files.opened(path, self.named(path))
        documents = None if self._shared is None else self._shared.documents
        if file is None:
            if documents is not None:
                documents.forget(path, parse)
            return None
        self._authors[path] = file.status.st_uid
        with file:
            if documents is None:
                content = parse(file.text(), path)
            else:
                content = documents.content(file, parse)
            if private is None or private(content):
                file.warn_if_open(self.warn)
        return content

    def author(self, path: str) -> int | None:
        """The user whose a ``document`` is, where that is neither the caller nor root."""
        from credlatch.system import owners

        return owners.other(self._authors[path]) if path in self._authors else None

    @property
    def tokens(self) -> TokenMemory:
        """Tokens that were fetched and no store holds: the process's, or else this call's own."""
        if self._tokens is None:
            from credlatch.renew.tokens import TokenMemory

            self._tokens = TokenMemory() if self._shared is None else self._shared.tokens
        return self._tokens

    def keyring(self) -> Keyring | None:
        """The keyring of the operating system, or None where there is none.

        Raises:
            StoreError: there is one, and it cannot be asked; it is tried once in a call.
        """
        if self._keyring_failure is not None:
            raise self._keyring_failure
        if not self._keyring_opened:
            from credlatch.system import keyring

            pool = None if self._shared is None else self._shared.keyrings
            try:
                self._keyring = keyring.open_keyring(
                    self.get, self.warn, self.left, pool, is_guest=self.is_guest
                )
            except StoreError as failure:
                self._keyring_failure = failure
                raise
            self._keyring_opened = True
        return self._keyring

    def close(self) -> None:
        """Give back what the call has borrowed, or close what it has opened."""
        keyring, self._keyring = self._keyring, None
        self._keyring_opened = False
        self._keyring_failure = None
        if keyring is not None:
            keyring.close()


def _account_home() -> str:
    """The home folder that the account has, and not this process; ``/`` for one without."""
    if sys.platform == "win32":
        return os.path.expanduser("~")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir or "/"
    except KeyError:
        return "/"  # a container's made-up user; "~" would be a folder of the working directory
