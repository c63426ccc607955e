"""The Windows program under Wine: how a test runs it, and where its home is.

`./dev windows` has set up Wine and built the program. Wine puts a home of its own in the place of
what the environment says, so tests share one, and each leaves it as it was.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from devtools import wine

from support.program import Answer

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / ".scratch" / "windows" / "dist"
FORMS = {"folder": DIST / "credlatch.d" / "credlatch.exe", "single": DIST / "credlatch.exe"}
TIMEOUT = 300  # seconds: Wine on a busy machine takes its time, and a hang must fail
_KEPT = ("PATH", "HOME", "WINEPREFIX", "WINEARCH", "WINEDEBUG", "WINEDLLOVERRIDES")
_UNPACKED = "credlatch"  # what the single file has unpacked: once for all tests


def build() -> str:
    """The identity of the Windows program."""
    told = json.loads((DIST.parent / "elsewhere" / "built.json").read_text(encoding="ascii"))
    return str(told["identity"])


class WindowsHome:
    """The home folder in Wine, as this system sees it."""

    def __init__(self) -> None:
        self.path, *_, self.drive = wine.folders()
        self._new = wine.new()

    def write(self, name: str, content: str) -> Path:
        """Write a file below the home, its folders made, and give its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
        return path

    def clean(self) -> None:
        """Remove what it did not have when it was new, also of a run that was killed."""
        for folder, names in self._new.items():
            for path in folder.iterdir():
                if path.name in names or (path.name == _UNPACKED and folder.name == "Local"):
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


class Windows:
    """A Windows program, run as Bazel and others run it: with pipes.

    Attributes:
        program: the executable.
        env: what is added to the environment; a test does as it likes.
        folder: where it is started; the home unless a test says another.
    """

    def __init__(self, program: Path, home: WindowsHome) -> None:
        self.program = program
        self.home = home
        self.folder = home.path
        # Wine reads what it is given by the locale's character set.
        self.env: dict[str, str] = {"LC_ALL": "C.UTF-8", "CREDLATCH_AGENT": "off"}

    def command(self, *args: str) -> list[str]:
        """What runs it."""
        return ["wine", str(self.program), *args]

    @property
    def surroundings(self) -> dict[str, str]:
        """The whole environment."""
        return {name: os.environ[name] for name in _KEPT if name in os.environ} | self.env

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start it, with pipes."""
        return subprocess.Popen(
            self.command(*args),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.surroundings,
            cwd=self.folder,
        )

    def __call__(self, *args: str, stdin: bytes = b"") -> Answer:
        """Run ``credlatch ARGS`` with ``stdin`` and wait for it: no traceback, whatever it says."""
        answer = finished(self.start(*args), stdin)
        assert "Traceback" not in answer.err, answer
        assert "internal error" not in answer.err, answer
        assert b"internal error" not in answer.out, answer
        return answer

    def bazel(self, uri: str) -> Answer:
        """``credlatch get`` as Bazel calls it."""
        return self("get", stdin=json.dumps({"uri": uri}).encode())

    def docker(self, action: str, stdin: str | dict[str, str] = "") -> Answer:
        """``credlatch docker ACTION``, with the end of line that Docker's clients send."""
        text = stdin if isinstance(stdin, str) else json.dumps(stdin) + "\n"
        return self("docker", action, stdin=text.encode())

    def found_on_path(self, *folders: Path) -> None:
        """Have Windows' PATH begin with these."""
        self.env["WINEPATH"] = ";".join(map(windows_path, folders))

    def at(self, program: Path) -> Windows:
        """The same surroundings for a copy elsewhere."""
        other = Windows(program, self.home)
        other.env = self.env
        return other

    def copy_as(self, name: str) -> Windows:
        """The same program by another name, beside it: Windows has no links for everybody."""
        other = self.program.with_name(f"{name}.exe")
        if not other.exists():
            shutil.copy(self.program, other)
        return Windows(other, self.home)


def finished(process: subprocess.Popen[bytes], stdin: bytes) -> Answer:
    """What a started program leaves behind.

    In Wine a process that it has left behind has its standard error, too, whatever it was given as
    its own: that is read as far as it goes when the program has ended.
    """
    err = process.stderr
    process.stderr = None
    assert err is not None
    with process, err:
        try:
            out, _ = process.communicate(stdin, TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        os.set_blocking(err.fileno(), False)
        said = err.read() or b""
    return Answer(process.returncode, out, said.decode())


class Vault:
    """The Credential Manager, as other programs write it: with Windows' own calls."""

    _SCRIPT = """
import json, sys
from win32ctypes.pywin32 import win32cred
does, target, user, secret = json.loads(sys.stdin.buffer.read())
if does == "put":
    win32cred.CredWrite({"Type": 1, "TargetName": target, "UserName": user,
        "CredentialBlob": secret, "Comment": "", "Persist": 3}, 0)
elif does == "get":
    blob = win32cred.CredRead(target, 1)["CredentialBlob"].decode("utf-16-le")
    sys.stdout.buffer.write(blob.encode())
else:
    win32cred.CredDelete(target, 1)
"""

    def put(self, target: str, user: str, secret: str) -> None:
        """Keep a generic credential of that name."""
        self._ask("put", target, user, secret)

    def get(self, target: str) -> str:
        """The secret of a credential."""
        return self._ask("get", target).decode()

    def delete(self, target: str) -> None:
        """Remove a credential, which must be there."""
        self._ask("delete", target)

    def _ask(self, does: str, target: str, user: str = "", secret: str = "") -> bytes:
        done = subprocess.run(
            ["wine", os.environ["WINDOWS_PYTHON"], "-c", self._SCRIPT],
            input=json.dumps([does, target, user, secret]).encode(),
            capture_output=True,
            timeout=TIMEOUT,
            check=True,
        )
        return done.stdout


def windows_path(path: Path) -> str:
    """What a path of this system is called in Windows."""
    return "Z:" + str(path).replace("/", "\\")
