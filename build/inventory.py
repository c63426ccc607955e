"""What the program is made of: each file and module that is packed, and whose it is.

credlatch.spec uses it. All is read from what PyInstaller packs, not from what is installed: a
wheel's name, version and licence from its metadata, a library's version from its own bytes, the
distribution's package from dpkg. What a wheel has linked in, it is asked for its own list (PEP 770)
and searched for the libraries of the table here. What nobody knows stops the build.
"""

from __future__ import annotations

import csv
import functools
import importlib.metadata
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import PyInstaller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "credlatch"  # ours
INTERNAL = "_internal"
_EXE = ".exe" if sys.platform == "win32" else ""
EXECUTABLE = f"{INTERNAL}/credlatch-program{_EXE}"
LAUNCHER = f"credlatch{_EXE}"


class Place(NamedTuple):
    """Where something is that is a part of a file.

    Attributes:
        file: by its name below the folder form.
        module: which of the file's modules it is; "": it is linked in.
    """

    file: str
    module: str = ""


class Library(NamedTuple):
    """A library that is not Python's.

    Attributes:
        files: how the names of its own files begin.
        licence: SPDX's expression.
        cpe: vendor and product (NVD's names), by which lists of vulnerabilities have it.
        version: its version, as every file says it that has the library linked in.
        own: as its own files alone say it.
        mark: what a file has that has it linked in; b"": what says the version is enough.
    """

    files: tuple[str, ...]
    licence: str
    cpe: str = ""
    version: bytes = b""
    own: bytes = b""
    mark: bytes = b""


_DOTTED = rb"\0(\d+\.\d+\.\d+)\0"
LIBRARIES = {
    "openssl": Library(
        ("libcrypto", "libssl"),
        "Apache-2.0",
        "openssl:openssl",
        version=rb"OpenSSL (\d+\.\d+\.\d+[a-z]*) +\d+ [A-Z][a-z]{2} \d{4}",
    ),
    "zlib": Library(
        ("libz.", "libz-", "zlib1."),
        "Zlib",
        "zlib:zlib",
        version=rb"(?:(?:in|de)flate |\0)(1\.\d+\.\d+(?:\.\d+)?)(?: Copyright|\0)",
        mark=b"incorrect header check",
    ),
    "expat": Library(
        ("libexpat",), "MIT", "libexpat_project:libexpat", version=rb"expat_(\d+\.\d+\.\d+)"
    ),
    "mpdecimal": Library(
        ("libmpdec",), "BSD-2-Clause", version=_DOTTED, mark=b"libmpdec: internal error"
    ),
    "libyaml": Library(
        ("libyaml",),
        "MIT",
        "pyyaml:libyaml",
        version=_DOTTED,
        mark=b"did not find expected <document start>",
    ),
    "libffi": Library(("libffi",), "MIT", own=_DOTTED, mark=b"ffi_prep_c"),
    "zstd": Library(("libzstd",), "BSD-3-Clause", "facebook:zstandard", own=_DOTTED),
    "util-linux": Library(("libuuid",), "BSD-3-Clause", "kernel:util-linux"),
    "gcc": Library(("libgcc_s",), "GPL-3.0-or-later WITH GCC-exception-3.1", "gnu:gcc"),
    "visual-c-runtime": Library(
        ("vcruntime", "msvcp", "ucrtbase", "api-ms-win-"), "LicenseRef-Microsoft-Visual-C-Runtime"
    ),
}
_DISTRIBUTIONS = ("pkg:apk/", "pkg:deb/", "pkg:rpm/")
_PACKAGES = {"libgcc": "gcc"}  # Alpine's and Fedora's, which auditwheel puts into wheels
# Which of a wheel's metadata do not say it in SPDX's words.
_LICENCES = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
# A wheel that has texts of much that is not in the program: what it links in is known by itself.
_TEXTS = {"ziglang": ("ziglang/LICENSE",)}
_NOTICE = re.compile(r"(?:licen[cs]es?|copying|copyright|notice|authors)\b[^/]*", re.IGNORECASE)
_SPDX = re.compile(r"[A-Za-z]+-?[A-Za-z0-9.-]*\d?(?: (?:AND|OR|WITH) \S+)*")
_CLASSIFIER = "License :: OSI Approved :: "
_NAMED = re.compile(r"(?:lib)?python3[\d.]*t?\.(?:so|dll|dylib)|Python$", re.IGNORECASE)
_FIXED = struct.pack(
    "<I", 0xFEEF04BD
)  # before the numbers of a Windows file's version (VS_FIXEDFILEINFO)


class Component:
    """Something that others make, or we do.

    Attributes:
        name: its own.
        version: likewise; "" if its files do not say it.
        licence: SPDX's expression.
        purl: a package URL.
        cpe: where lists of vulnerabilities have it; "" for a package of an index.
        files: its own, by their names below the folder form.
        parts: where it is a part of another's file.
        within: what it has linked in, as its maker's own list (CycloneDX) says it.
        needs: the names of the packages that it asks for.
        texts: files with its licence and notices, where it brings them along.
    """

    def __init__(self, name: str, version: str, licence: str, purl: str, cpe: str = "") -> None:
        self.name = name
        self.version = version
        self.licence = licence
        self.purl = purl
        self.cpe = cpe and f"cpe:2.3:a:{cpe}:{version or '*'}:*:*:*:*:*:*:*"
        self.files: set[str] = set()
        self.parts: set[Place] = set()
        self.within: list[dict[str, object]] = []
        self.needs: tuple[str, ...] = ()
        self.texts: tuple[Path, ...] = ()


class Inventory:
    """All components, and what is whose.

    Args:
        known: what another machine has found (elsewhere.py).
    """

    def __init__(self, known: Iterable[Component] = ()) -> None:
        self.components: dict[str, Component] = {each.purl: each for each in known}
        self.program = self._known(_ours())

    def take(self, found: Iterable[tuple[str, str, str]]) -> None:
        """Take files, and what they have linked in.

        Args:
            found: their names, where they come from, and PyInstaller's kinds.
        """
        for name, path, kind in found:
            source, file = Path(path), f"{INTERNAL}/{Path(name).as_posix()}"
            owner = self._owner(source)
            owner.files.add(file)
            if kind in ("BINARY", "EXTENSION"):
                self.search(source, file, owner)

    def modules(self, found: Iterable[tuple[str, str]], file: str) -> None:
        """Take the modules that a file of ours has in it.

        Args:
            found: their names, and where they come from: "-" for a package without any file.
            file: by its name below the folder form.
        """
        self.program.files.add(file)
        for name, source in found:
            owner = self._owner(Path(source)) if source != "-" else self.program
            if owner is not self.program:
                owner.parts.add(Place(file, name))

    def start_up(self, library: Path) -> None:
        """Take what Python imports before anything else, and where it is.

        Args:
            library: base_library.zip, as it is packed.
        """
        with zipfile.ZipFile(library) as packed:
            names = [name.removesuffix(".pyc").replace("/", ".") for name in packed.namelist()]
        modules = {name.removesuffix(".__init__") for name in names}
        self.modules([(name, str(os.__file__)) for name in modules], f"{INTERNAL}/{library.name}")

    def executable(self, modules: Mapping[str, Path]) -> None:
        """Take the folder's program: PyInstaller's loader, and the modules that it has in it."""
        loader = (
            Path(PyInstaller.__file__).parent / "bootloader" / PyInstaller.PLATFORM / f"run{_EXE}"
        )
        self.modules([(name, str(path)) for name, path in modules.items()], EXECUTABLE)
        owner = self._owner(loader)
        owner.parts.add(Place(EXECUTABLE))
        self.search(loader, EXECUTABLE, owner)

    def search(self, source: Path, file: str, owner: Component) -> None:
        """Find the libraries that a file has linked in.

        Args:
            source: where its bytes are.
            file: by its name below the folder form.
            owner: whose it is.
        """
        content = source.read_bytes()
        listed = {str(each["name"]) for each in owner.within}
        for name in LIBRARIES:
            if name not in listed and library_of(source.name) != name:
                version = linked(name, content)
                if version is not None:
                    self._known(_upstream(name, version)).parts.add(Place(file))

    def launcher(self, parts: Iterable[Component]) -> None:
        """Take the launcher, and what it has linked in."""
        self.program.files.add(LAUNCHER)
        for part in parts:
            self._known(part).parts.add(Place(LAUNCHER))

    def _owner(self, source: Path) -> Component:
        """Whose a file is.

        Raises:
            SystemExit: nobody knows.
        """
        near, name = Path(_place(source)), library_of(source.name)
        if near.is_relative_to(_ROOT / "helper") or near.is_relative_to(_ROOT / "build"):
            return self.program
        wheel = _wheels().get(str(near))
        if wheel is None and name is None and any(map(near.is_relative_to, _standard())):
            return self._known(_python())
        real = Path(os.path.realpath(source))
        wheel = wheel or _wheels().get(_place(real))
        if wheel is not None:
            return self._known(_packaged(wheel))
        name = name or library_of(real.name)
        if name is not None:
            # libssl does not say it, and libcrypto beside it does.
            beside = (
                each for each in sorted(real.parent.iterdir()) if library_of(each.name) == name
            )
            said = (version_of(name, each.read_bytes()) for each in (real, *beside))
            version = next(filter(None, said), "")
            return self._known(_distributed(name, source, version) or _upstream(name, version))
        if _NAMED.match(source.name) or any(map(real.is_relative_to, _standard())):
            return self._known(_python())
        raise SystemExit(f"build/inventory.py must say what {source} is")

    def _known(self, made: Component) -> Component:
        return self.components.setdefault(made.purl, made)


def of_launcher(target: str) -> list[Component]:
    """What Zig's compiler links into the launcher: a C library, and its own.

    Args:
        target: the machine and system that it is for, as Zig calls them.
    """
    zig = importlib.metadata.distribution("ziglang")
    library = _c_library(Path(str(zig.locate_file("ziglang"))), target)
    return [_packaged(zig), *([library] if library is not None else [])]


def told(one: Component, texts: Iterable[str] = ()) -> dict[str, object]:
    """A component as another machine reads it (JSON).

    Args:
        one: the component.
        texts: what its files with licences are called in the folder that both machines see.
    """
    lists = {"files": sorted(one.files), "parts": sorted(one.parts), "texts": list(texts)}
    return vars(one) | lists


def heard(said: dict[str, object], folder: Path) -> Component:
    """A component that another machine has told.

    Args:
        said: that.
        folder: the one that both machines see.
    """
    made = Component.__new__(Component)
    vars(made).update(said)
    made.files = set(made.files)
    made.parts = {Place(*part) for part in made.parts}
    made.texts = tuple(folder / name for name in made.texts)
    return made


def upstream(package: str) -> str:
    """What a library is called in the table of which a distribution makes a package."""
    return _PACKAGES.get(package, package)


def library_of(file: str) -> str | None:
    """The library of the table that a file is of, by its name; None: none."""
    lower = file.lower()
    return next((name for name, each in LIBRARIES.items() if lower.startswith(each.files)), None)


def version_of(name: str, content: bytes) -> str:
    """The version of a library of the table as one of its own files says it; "": it does not."""
    library = LIBRARIES[name]
    for pattern in filter(None, (library.version, library.own)):
        found = re.search(pattern, content)
        if found is not None:
            return found[1].decode()
    at = content.find(_FIXED)
    if at < 0 or not content.startswith(b"MZ"):
        return ""
    high, low = struct.unpack_from("<II", content, at + 8)
    numbers = f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"
    return numbers.removesuffix(".0")  # three numbers have a fourth there


def linked(name: str, content: bytes) -> str | None:
    """The version of a library of the table that a file of others has linked in; None: none.

    Returns:
        "" where nothing says which.
    """
    library = LIBRARIES[name]
    if not (library.mark or library.version) or library.mark not in content:
        return None
    if library.version:
        found = re.search(library.version, content)
        return None if found is None else found[1].decode()
    named = b"|".join(re.escape(each.encode()) for each in library.files)
    elsewhere = re.search(rb"(?:%s)[\w.-]*\.(?:so|dll|dylib)\b" % named, content)
    return None if elsewhere else ""


def licence(metadata: importlib.metadata.PackageMetadata) -> str:
    """What licence a wheel's metadata tell, as SPDX says it.

    Raises:
        SystemExit: none that is known.
    """
    name = str(metadata["Name"]).lower()
    classified = [
        _LICENCES.get(each.removeprefix(_CLASSIFIER))
        for each in metadata.get_all("Classifier") or ()
        if each.startswith(_CLASSIFIER)
    ]
    told = str(metadata.get("License") or "")
    said = metadata.get("License-Expression") or _LICENCES.get(name)
    said = said or (told if _SPDX.fullmatch(told) else _LICENCES.get(told))
    if said is None and len(classified) == 1:
        said = classified[0]
    if said is None:
        raise SystemExit(f"build/inventory.py must say what licence {name} has")
    return said


def _ours() -> Component:
    from credlatch import __version__

    purl = f"pkg:generic/{PROGRAM}@{__version__}"
    return Component(PROGRAM, __version__, "Apache-2.0", purl)


def _python() -> Component:
    version = platform.python_version()
    found = _distributed("cpython", Path(str(os.__file__)), version)
    cpe = "python:python"
    return found or Component(
        "cpython", version, "Python-2.0", f"pkg:generic/cpython@{version}", cpe
    )


def _upstream(name: str, version: str) -> Component:
    """A library of the table as its own makers give it."""
    purl = f"pkg:generic/{name}" + (f"@{version}" if version else "")
    return Component(name, version, LIBRARIES[name].licence, purl, LIBRARIES[name].cpe)


def _distributed(name: str, source: Path, version: str) -> Component | None:
    """Something as the system's distribution gives it, if that has put the file there."""
    found = _package(source)
    if found is None:
        return None
    binary, packaged, machine, origin = found
    system = platform.freedesktop_os_release()
    query = f"arch={machine}&distro={system.get('ID')}-{system.get('VERSION_ID', 'sid')}"
    purl = f"pkg:deb/{system.get('ID')}/{quote(binary)}@{quote(packaged)}?{query}"
    known = LIBRARIES.get(name)
    about = (known.licence, known.cpe) if known else ("Python-2.0", "python:python")
    upstream = version or packaged.rpartition(":")[2].rpartition("-")[0] or packaged
    return Component(name, upstream, about[0], f"{purl}&upstream={quote(origin)}", about[1])


@functools.cache
def _package(source: Path) -> tuple[str, str, str, str] | None:
    """Which Debian package has put a file there: its name, version, machine and source."""
    query = shutil.which("dpkg-query")
    if query is None:
        return None
    real = os.path.realpath(source)
    # Before /lib was a link to /usr/lib, packages had files there, and dpkg knows them by that.
    for path in {str(source), real, real.removeprefix("/usr"), f"/usr{source}"}:
        owner = _said(query, "--search", path).partition(": ")[0]
        if owner:
            fields = "${Package}\n${Version}\n${Architecture}\n${source:Package}"
            package, version, machine, origin = _said(
                query, "--show", f"--showformat={fields}", owner
            ).split("\n")
            return package, version, machine, origin
    return None


@functools.cache
def _packaged(wheel: importlib.metadata.Distribution) -> Component:
    """A distribution of an index, and what its maker says is linked in (PEP 770)."""
    name = re.sub(r"[-_.]+", "-", wheel.metadata["Name"]).lower()
    purl = f"pkg:pypi/{name}@{quote(wheel.version)}"
    made = Component(wheel.metadata["Name"], wheel.version, licence(wheel.metadata), purl)
    made.needs = tuple(wheel.requires or ())
    made.texts = _texts(wheel)
    for file in map(Path, _recorded(wheel)):
        if file.parent.name == "sboms" and file.suffix == ".json":
            said = json.loads(Path(str(wheel.locate_file(file))).read_text(encoding="utf-8"))
            made.within += parts_of(said, purl)
    return made


def _texts(wheel: importlib.metadata.Distribution) -> tuple[Path, ...]:
    """The files of a wheel's metadata that have its licence, and what else has to be told.

    Source: PEP 639; older wheels have them beside METADATA.
    """
    found = []
    for file in _recorded(wheel):
        place, _, name = file.partition(".dist-info/")
        within = name.removeprefix("licenses/")
        only = _TEXTS.get(os.path.basename(place).rpartition("-")[0])
        if "/" in place or not name:
            continue
        if (within in only) if only else (within != name or _NOTICE.match(name)):
            found.append(Path(str(wheel.locate_file(file))))
    return tuple(sorted(found))


def parts_of(said: dict[str, object], purl: str) -> list[dict[str, object]]:
    """The components of a maker's list that are in what it made, not only in the making.

    Args:
        said: the list.
        purl: of what it made, which auditwheel lists beside what it has put into it.
    """
    return [each for each in _required(said) if each["purl"] != purl]


def _required(said: dict[str, object]) -> Iterable[dict[str, object]]:
    listed = said.get("components")
    for each in listed if isinstance(listed, list) else ():
        if each.get("scope", "required") != "required":
            continue
        kept = {key: each[key] for key in ("type", "name", "version", "hashes") if key in each}
        kept["purl"] = str(each.get("purl", "")).partition("?")[0].partition("#")[0]
        # What has the library's name elsewhere, as a crate, is a way to it.
        is_library = str(kept["purl"]).startswith(("pkg:generic/", *_DISTRIBUTIONS))
        known = LIBRARIES.get(upstream(str(each["name"]))) if is_library else None
        if "licenses" in each:
            kept["licenses"] = each["licenses"]
        elif known is not None:
            kept["licenses"] = [{"expression": known.licence}]
        if known is not None and known.cpe:
            version = str(each["version"]).partition("-")[0]  # a distribution counts its own
            kept["cpe"] = f"cpe:2.3:a:{known.cpe}:{version}:*:*:*:*:*:*:*"
        yield kept


def _c_library(zig: Path, target: str) -> Component | None:
    """The C library that Zig links into a program; None: the system's own."""
    libraries = zig / "lib" / "libc"
    if target.endswith("-musl"):
        text = (libraries / "musl" / "src" / "internal" / "version.h").read_text("ascii")
        name, version, about = "musl", re.findall(r'VERSION "(.*)"', text), "musl-libc:musl"
        own = libraries / "musl" / "COPYRIGHT"
    elif target.endswith("-windows-gnu"):
        headers = libraries / "include" / "any-windows-any" / "_mingw_mac.h"
        text = headers.read_text("ascii")
        numbers = r"__MINGW64_VERSION_(?:MAJOR|MINOR|BUGFIX) (\d+)"
        name, version, about = "mingw-w64", [".".join(re.findall(numbers, text))], ""
        own = libraries / "mingw" / "COPYING"
    else:
        return None
    terms = {"musl": "MIT", "mingw-w64": "ZPL-2.1"}[name]
    made = Component(name, version[0], terms, f"pkg:generic/{name}@{version[0]}", about)
    made.texts = (own,)
    return made


@functools.cache
def _wheels() -> dict[str, importlib.metadata.Distribution]:
    """The installed distributions, by their files."""
    found: dict[str, importlib.metadata.Distribution] = {}
    for wheel in importlib.metadata.distributions():
        base = _folder(str(wheel.locate_file("")))
        for file in _recorded(wheel):
            found[os.path.normcase(os.path.normpath(os.path.join(base, file)))] = wheel
    return found


def _recorded(wheel: importlib.metadata.Distribution) -> list[str]:
    """The files of a distribution.

    `files` would look for each of them: under Wine that takes minutes.
    """
    record = wheel.read_text("RECORD")
    if record is None:
        return list(map(str, wheel.files or ()))
    return [row[0] for row in csv.reader(record.splitlines()) if row]


def _place(file: Path) -> str:
    """Where a file is, whatever links lead to its folder: folders are asked for once each."""
    return os.path.normcase(os.path.join(_folder(str(file.parent)), file.name))


@functools.cache
def _folder(path: str) -> str:
    return os.path.realpath(path)


@functools.cache
def _standard() -> tuple[str, ...]:
    """Python's own folders. What is installed in them is a wheel's."""
    named = [sysconfig.get_path(each) for each in ("stdlib", "platstdlib")]
    named += [sysconfig.get_config_var("DESTSHARED"), os.path.join(sys.base_prefix, "DLLs")]
    return tuple(os.path.realpath(each) for each in named if each)


def _said(*words: str) -> str:
    """What a program says; nothing if it fails."""
    done = subprocess.run(  # noqa: S603 - the system's own
        words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    return done.stdout if done.returncode == 0 else ""
