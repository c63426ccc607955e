"""What ``./dev smoke FILE...`` does: every command and protocol of a program, wherever that runs.

For artefacts on the machine that they are for: nothing is needed but Python and this checkout. A
file is the single file, or the folder form, or an archive of that. All of it is in a temporary
home, with made-up secrets and a token server on loopback; no keyring is asked.
"""

# ruff: noqa: T201 - it prints for people

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from support.token_server import TokenServer, make_jwt

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST, CHANNEL, KEPT, PLAIN = (f"{name}.example.com" for name in ("netrc", "oauth", "kept", "tls"))
NETRC = f"machine {HOST} login who password p:w\n"
BASIC = "Basic " + base64.b64encode(b"who:p:w").decode()
URL = f"https://{HOST}/simple/"
INDEX = "sparse+https://nobody.example.com/index/"
CARGO = json.dumps({"v": 1, "registry": {"index-url": INDEX}, "kind": "get"})
LOGIN = json.dumps({"ServerURL": KEPT, "Username": "ada", "Secret": "pä ss€🔑"}, ensure_ascii=False)
HELP = (
    *("get", "bazel", "docker", "git", "keyring", "goauth", "cargo", "header", "token", "agent"),
    *("explain", "list", "login", "logout", "setup", "secrets", "config", "fleet"),
    *("install", "uninstall", "completion"),
)
ENDING = 60  # seconds that a process may take to end
LIMIT = 300  # seconds: the single file unpacks itself first, on a machine that may be busy
EXE = ".exe" if sys.platform == "win32" else ""
# What a process needs of the surroundings that it is started in; and no variable with a login.
_KEEPS = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "LANG", "LC_ALL")


class Call(NamedTuple):
    """One call, and what has to come of it.

    Attributes:
        words: the command line.
        says: what has to be in what it writes, on either stream.
        stdin: what it is told.
        code: its exit status.
    """

    words: tuple[str, ...]
    says: str
    stdin: str = ""
    code: int = 0


def bazel(host: str) -> str:
    """What Bazel writes."""
    return json.dumps({"uri": f"https://{host}/simple/"})


CALLS = (
    Call(("--version",), "credlatch "),
    Call(("--help",), "usage: credlatch "),
    Call(("no-such-command",), "no-such-command", code=2),
    *(Call((word, "--help"), "sage: ") for word in HELP),
    Call(("get",), json.dumps({"Authorization": [BASIC]}).replace(" ", "", 1), bazel(HOST)),
    Call(("bazel", "get"), '{"headers":{}}', bazel("nobody.example.com")),
    Call(("get",), "not JSON", '{"uri":', code=1),
    Call(("get",), '"Username":"who"', f"{HOST}\n"),
    Call(("docker", "version"), "docker-credential-credlatch "),
    Call(("docker", "store"), "", LOGIN),
    Call(("docker", "get"), json.dumps("pä ss€🔑"), KEPT),
    Call(("docker", "list"), json.dumps({KEPT: "ada"}).replace(" ", "")),
    Call(("docker", "erase"), "", KEPT),
    Call(("docker", "get"), "credentials not found in native keychain", KEPT, code=1),
    Call(("git", "get"), "password=p:w\n", f"protocol=https\nhost={HOST}\n\n"),
    Call(("git", "get"), "username=who\n", f"protocol=https\r\nhost={HOST}\r\n\r\n"),
    Call(("git", "store"), "", f"protocol=https\nhost={KEPT}\nusername=ada\npassword=l\n\n"),
    Call(("keyring", "get", f"https://{KEPT}/", "ada"), "l\n"),
    Call(("git", "erase"), "", f"protocol=https\nhost={KEPT}\nusername=ada\n\n"),
    Call(("keyring", "set", f"https://{KEPT}/", "ada"), "", "l\n"),
    Call(("token", "--user", f"https://{KEPT}/"), "ada\n"),
    Call(("keyring", "del", f"https://{KEPT}/", "ada"), ""),
    Call(("header", URL), f"Authorization: {BASIC}\n"),
    Call(("token", URL), "p:w\n"),
    Call(("goauth", URL), f"Authorization: {BASIC}\n"),
    Call(("--cargo-plugin",), '{"Err":{"kind":"not-found"}}', CARGO),
    Call(("explain", URL), "netrc"),
    Call(("explain", "https://nobody.example.com/"), "no credential", code=1),
    Call(("list",), "HOST "),
    Call(("login", KEPT, "--no-check", "--token-stdin"), "", "token\n"),
    Call(("token", f"https://{KEPT}/"), "token\n"),
    Call(("logout", KEPT, "--yes"), ""),
    Call(("completion", "bash"), "COMPREPLY"),
    Call(("config", "check"), "config.toml is not there"),
    Call(("fleet", "renew", "--once"), "fleet.toml is not there", code=2),
    Call(("doctor", "--offline"), "credlatch "),
    # Renewed over HTTP, by the schema library and the HTTP client, and written back.
    Call(("get",), '"expires":"', bazel(CHANNEL)),
    # OpenSSL is there, and finds that what answers does not speak TLS.
    Call(("get",), "SSL", bazel(PLAIN), code=1),
)
# The agent, which the first of these leaves behind.
START = Call(("get",), BASIC, bazel(HOST))
STATUS = Call(("agent", "status"), "")
AGENT = (START, Call(("agent", "log"), HOST), Call(("agent", "stop"), ""))


class DiffersError(Exception):
    """Something else came back than should have."""


class Smoke:
    """A home, and the program in it.

    Args:
        program: which.
        home: an empty folder.
        server: a token server.
    """

    def __init__(self, program: Path, home: Path, server: TokenServer) -> None:
        self._program = program
        self.home = home
        (home / "r").mkdir(mode=0o700)
        logins = {
            CHANNEL: {"OAuth": _ended(f"{server.url}/token")},
            PLAIN: {"OAuth": _ended(server.url.replace("http:", "https:") + "/token")},
        }
        self._write("netrc", NETRC)
        self._write("logins.json", json.dumps(logins))
        names = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP")
        self._env = {name: os.environ[name] for name in _KEEPS if name in os.environ}
        self._env |= dict.fromkeys(names, str(home))
        self._env |= {
            "XDG_RUNTIME_DIR": str(home / "r"),
            "NETRC": str(home / "netrc"),
            "RATTLER_AUTH_FILE": str(home / "logins.json"),
            "CREDLATCH_AGENT": "off",
            # Ten times what a call has: an emulated machine, or a busy one, needs it to renew.
            "CREDLATCH_TIMEOUT": "90",
        }

    def _write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text, encoding="utf-8")
        (self.home / name).chmod(0o600)

    def said(self, call: Call, program: Path | None = None) -> tuple[int, str]:
        """The exit status of a call, and what both streams say."""
        command = [str(program or self._program), *call.words]
        streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": LIMIT}
        asked = call.stdin.encode()
        done = subprocess.run(command, input=asked, env=self._env, check=False, **streams)
        return done.returncode, done.stdout.decode(errors="replace")

    def must(self, call: Call, program: Path | None = None) -> None:
        """Do it.

        Raises:
            DiffersError: something else comes of it.
        """
        code, said = self.said(call, program)
        # A line of Windows' own would be an answer that clients there do not understand.
        if code != call.code or call.says not in said or "\r" in said or "Traceback" in said:
            raise DiffersError(
                f"{' '.join(call.words)}: exit status {code} for {call.code}; "
                f"{call.says!r} is not all that it says: {said!r}"
            )

    def commands(self) -> None:
        """Every command and protocol, without an agent."""
        for call in CALLS:
            self.must(call)
        renewed = json.loads((self.home / "logins.json").read_bytes())[CHANNEL]["OAuth"]
        if renewed["refresh_token"] == "refresh-0":
            raise DiffersError("what was renewed has not been written back")

    def agent(self) -> None:
        """An agent, from the call that starts it to its end."""
        self._env.pop("CREDLATCH_AGENT")
        self.must(START)
        end = time.monotonic() + LIMIT
        while self.said(STATUS)[0] != 0:
            if time.monotonic() > end:
                raise DiffersError("no agent has been started")
            time.sleep(0.1)
        for call in AGENT:
            self.must(call)
        self._env["CREDLATCH_AGENT"] = "off"

    def installed(self) -> None:
        """Installed in a folder with a blank and an umlaut, run from there, and taken away."""
        prefix = self.home / "für alle"
        words = ("--prefix", str(prefix))
        self.must(Call(("install", *words), " is installed in "))
        self.must(Call(("install", *words), " is already installed in "))
        for name, word in (("credlatch", "--version"), ("docker-credential-credlatch", "version")):
            found = [
                path
                for place in ("bin", "lib/credlatch/*")
                for path in sorted(prefix.glob(f"{place}/{name}{EXE}"))
                if "current" not in path.parts
            ]
            self.must(Call((word,), "credlatch "), found[0])
        self._env["PATH"] = f"{found[0].parent}{os.pathsep}{self._env['PATH']}"
        self.must(Call(("setup", "bazel", "--host", HOST, "--yes"), f"={HOST}=credlatch"))
        self.must(Call(("setup", "bazel", "--undo", "--yes"), f"={HOST}=credlatch"))
        self.must(Call(("uninstall", *words), ""))
        for left in prefix.rglob("*credlatch*"):
            raise DiffersError(f"uninstall has left {left.name}")


def _ended(endpoint: str) -> dict[str, Any]:
    """What rattler keeps of a login by OAuth, whose token has ended."""
    end = int(time.time()) - 60
    return {
        "access_token": make_jwt(end, iss="mock", n=0),
        "refresh_token": "refresh-0",
        "expires_at": end,
        "token_endpoint": endpoint,
        "revocation_endpoint": None,
        "client_id": "rattler",
    }


def unpacked(file: Path, folder: Path) -> Path:
    """The program of an artefact, in a folder.

    Raises:
        DiffersError: an archive has none, or more than one folder.
    """
    if file.is_dir():
        shutil.copytree(file, folder, symlinks=True)
        return folder / f"credlatch{EXE}"
    folder.mkdir()
    if not file.name.endswith((".tar.gz", ".zip")):
        program = folder / f"credlatch{EXE}"
        shutil.copyfile(file, program)
        program.chmod(0o755)
        return program
    if file.suffix == ".zip":
        shutil.unpack_archive(file, folder)
    else:
        with tarfile.open(file) as tar:
            # Nothing outside, and nothing special; Pythons before 3.11.4 have no filter.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(folder)  # noqa: S202 - as its filter lets it
    programs = list(folder.glob(f"*/credlatch{EXE}"))
    if len(programs) != 1:
        raise DiffersError(f"{file.name} has no credlatch{EXE} in one folder")
    return programs[0]


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A folder for a while.

    On Windows nothing goes that a process has open, and an agent has said its last word before its
    process ends.
    """
    place = Path(tempfile.mkdtemp(prefix="c ö "))
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    end = time.monotonic() + ENDING
    while place.exists():
        if time.monotonic() > end:
            raise DiffersError(f"something still has a file of {place} open")
        shutil.rmtree(place, ignore_errors=True)
        time.sleep(0.1)


def smoke(file: Path) -> None:
    """Try an artefact.

    Raises:
        DiffersError: it is not what it should be.
    """
    with temporary() as place, TokenServer() as server:
        program = unpacked(file, Path(place, "program"))
        home = Path(place, "h")
        home.mkdir()
        tried = Smoke(program, home, server)
        tried.commands()
        tried.installed()
        tried.agent()
    print(f"{file.name}: {len(CALLS)} calls, installed, and an agent: all as it should be")


def main(files: list[str]) -> int:
    """Try each; the exit status."""
    if not files:
        print(
            "dev: smoke needs the files to try: a single file, folders or archives", file=sys.stderr
        )
        return 2
    for file in files:
        try:
            smoke(Path(file).absolute())
        except (DiffersError, OSError, subprocess.TimeoutExpired, tarfile.TarError) as error:
            print(f"dev: {file}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
