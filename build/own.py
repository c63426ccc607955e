"""The modules of ours that calls import, in one piece, for start.py. credlatch.spec uses it."""

from __future__ import annotations

import importlib
import marshal
import py_compile
from pathlib import Path

import PyInstaller.loader

TYPE_CHECKING = False
if TYPE_CHECKING:
    Toc = list[tuple[str, str, str]]

_PACKAGE = "credlatch"
# What commands for people alone import stays in the archive of all other modules: each call reads
# the whole of the one piece.
_FOR_PEOPLE = (
    *("doctor", "explain", "fixes", "install", "listing", "login", "near"),
    *("people", "secrets", "setup"),
)
_OF_CLIENTS = {  # of rooms that are for people otherwise
    *(f"{_PACKAGE}.{name}" for name in ("commands", "people", "people.typed")),
    *(f"{_PACKAGE}.commands.{name}" for name in ("cargo", "docker", "git", "keyring")),
    *(f"{_PACKAGE}.commands.{name}" for name in ("sdk", "serve", "version")),
}
_LOADER = Path(PyInstaller.loader.__file__).parent
# What PyInstaller's start-up runs and imports; of Python's own, what it and each of ours imports.
_START_UP = "pyiboot01_bootstrap"
_STANDARD = ("__future__", "struct")


def taken(found: Toc) -> Toc:
    """The modules of ours for calls, which the archive of all others then does not have."""
    ours = [entry for entry in found if _is_for_a_call(entry[0])]
    found[:] = [entry for entry in found if entry not in ours]
    return ours


def _is_for_a_call(module: str) -> bool:
    package, _, rest = module.partition(".")
    if package != _PACKAGE or module in _OF_CLIENTS:
        return package == _PACKAGE
    return rest.partition(".")[0] not in {"commands", *_FOR_PEOPLE}


def packed(ours: Toc) -> dict[str, Path]:
    """The modules that go in, ours and those that they and PyInstaller's start-up need."""
    files = {name: Path(path) for name, path, _ in sorted(ours)}
    files |= {name: _file(name) for name in _STANDARD}
    return files | {path.stem: path for path in sorted(_LOADER.glob("pyimod*.py"))}


def modules(ours: Toc, script: Path, build: Path, work: Path) -> Toc:
    """What the loader runs in the place of PyInstaller's start-up and of the program's script.

    Args:
        ours: the modules of ours, and where they are.
        script: the program's.
        build: this folder.
        work: where what is made of them goes.
    """
    files = packed(ours)
    codes = {
        name: _code(name, path, 0 if path.parent == _LOADER else 2) for name, path in files.items()
    }
    made = {
        "SCRIPT": _code("__main__", script),
        "START_UP": _code(_START_UP, _LOADER / f"{_START_UP}.py", 0),
        "PACKAGES": sorted(name for name, path in files.items() if path.stem == "__init__"),
        "CODES": codes,
    }
    work.mkdir(parents=True, exist_ok=True)
    own = work / "credlatch_own.py"
    own.write_text("".join(f"{name} = {value!r}\n" for name, value in made.items()), "ascii")
    toc = []
    for name, path in ((own.stem, own), ("credlatch_start", build / "start.py")):
        compiled = work / f"{name}.pyc"
        py_compile.compile(str(path), str(compiled), dfile=name, doraise=True, optimize=2)
        toc.append((name, str(compiled), "PYMODULE"))
    return toc


def _file(module: str) -> Path:
    return Path(str(importlib.import_module(module).__file__))


def _code(name: str, path: Path, optimize: int = 2) -> bytes:
    """A compiled module: ours without docstrings and assertions, PyInstaller's with them."""
    code = compile(path.read_bytes(), name, "exec", dont_inherit=True, optimize=optimize)
    return marshal.dumps(code)
