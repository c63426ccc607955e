"""What the frozen program leaves out, and why. credlatch.spec uses it.

A module that PyInstaller's own start-up finds is imported at every start. So what nobody needs
costs every call.
"""

from __future__ import annotations

import encodings
import importlib.machinery
import importlib.metadata
import itertools
import pkgutil
import sys
import tomllib
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Toc = list[tuple[str, str, str]]

# Optional parts of libraries, which they do without.
_OPTIONAL = (
    # httpx: its command line, HTTP/2, SOCKS, compression, guessing of charsets, async back ends
    *("httpx._main", "h2", "socksio", "brotli", "brotlicffi", "zstandard"),
    *("chardet", "anyio", "trio", "sniffio"),
    # rich: programs and Markdown in colours, tracebacks, notebooks
    *("pygments", "markdown_it", "mdurl", "rich.markdown", "rich.syntax", "rich.traceback"),
    "IPython",
    # botocore and urllib3: AWS's own runtime, another TLS library
    *("awscrt", "OpenSSL"),
    # more_itertools (keyring's): pools of workers; a database
    *("multiprocessing", "sqlite3"),
    # what is installed for building
    *("setuptools", "pkg_resources", "_distutils_hack", "pip", "wheel"),
    # Python's own until 3.11. Later it is a part of setuptools, which PyInstaller sees to itself.
    *(() if sys.version_info >= (3, 12) else ("distutils",)),
)

# Parts of the standard library that others import just in case, or for people.
_STANDARD = (
    *("tkinter", "turtle", "idlelib", "curses", "readline", "rlcompleter", "lib2to3"),
    *("unittest", "doctest", "test", "pdb", "bdb", "cmd", "code", "pydoc", "ensurepip", "venv"),
    *("ftplib", "xml.dom", "xml.sax", "xmlrpc", "plistlib", "bz2", "lzma", "_bz2", "_lzma"),
    *("_pydecimal", "_pyio"),
)

# What reaches the keyrings and certificates of other systems. PyInstaller's own start-up imports
# ctypes whenever it is there.
_OF_OTHER_SYSTEMS = {
    "linux": (
        *("ctypes", "keyring", "win32ctypes", "truststore._macos", "truststore._windows"),
        "tarfile",  # which keyring imports
    ),
    "darwin": ("jeepney", "keyring.backends.Windows"),
    "win32": ("jeepney", "keyring.backends.macOS"),
}
_OTHER_KEYRINGS = ("SecretService", "chainer", "kwallet", "libsecret")

# The frozen program always runs in UTF-8 mode. What is left is for HTTP, host names and JSON, and
# on Windows for the console.
_ENCODINGS_TO_START = {"aliases", "ascii", "latin_1", "utf_8"} | (
    # The last is what `encodings` itself imports there, from Python 3.14 on.
    {"cp437", "cp850", "cp1252", "mbcs", "oem", "_win_cp_codecs"}
    if sys.platform == "win32"
    else set()
)
_ENCODINGS = {
    *_ENCODINGS_TO_START,
    *("utf_8_sig", "idna", "punycode", "unicode_escape"),
    *("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"),
}

# Of botocore's descriptions of 400 services, those that make keys; ours ask the others.
_AWS_SERVICES = ("sts", "sso", "sso-oidc", "signin")
_NOT_ASKED = ("paginators-", "waiters-", "examples-")

# PyInstaller runs these before the program, each time.
_NEEDLESS_HOOKS = {
    "pyi_rth_inspect",  # sources for tracebacks: there are no sources, and we show no tracebacks
    "pyi_rth_pkgutil",  # lists the modules of a package: nothing here asks
    "pyi_rth_multiprocessing",  # not used
    "pyi_rth_setuptools",  # not there
    "pyi_rth_pkgres",  # likewise
    "pyi_rth_cryptography_openssl",  # its wheels have OpenSSL inside
}


# What the loader and Python itself import before they find the archive of all other modules.
_EARLY = {
    *("_collections_abc", "abc", "codecs", "encodings", "genericpath", "io", "ntpath", "os"),
    *("posixpath", "stat"),
}

# Old names of parts of `re`: nobody asks for them.
_OLD_NAMES = {"sre_compile", "sre_constants", "sre_parse"}


def base_library(modules: Toc, data: Toc, work: Path) -> Toc:
    """Leave in base_library.zip only what cannot be anywhere else; the program's data files.

    Metadata of libraries is none of them: it is for entry points, which we do not use. Certificate
    authorities are the system's (truststore): certifi's list must not even be there to be used by
    mistake. Python reads the whole list of its contents at each start. What is frozen into the
    interpreter is not looked for there at all, and PyInstaller's archive gives the rest as well.

    Args:
        modules: what that archive takes: what is left out here is added.
        data: the data files that PyInstaller has found.
        work: where the new base_library.zip goes.
    """
    (path,) = [path for name, path, _ in data if name == "base_library.zip"]
    work.mkdir(parents=True, exist_ok=True)
    small = work / "base_library.zip"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(small, "w") as kept:
        for entry in sorted(whole.namelist()):
            name = entry.removesuffix(".pyc").replace("/", ".").removesuffix(".__init__")
            if name in _OLD_NAMES or importlib.machinery.FrozenImporter.find_spec(name):
                continue
            if name.split(".")[0] in _EARLY:
                kept.writestr(zipfile.ZipInfo(entry), whole.read(entry))
            else:
                modules.append((name, _source(name), "PYMODULE-2"))
    return [("base_library.zip", str(small), "DATA"), *filter(_is_needed, data)]


def _is_needed(entry: tuple[str, str, str]) -> bool:
    """Whether an SDK that is asked needs a data file."""
    parts = Path(entry[0]).parts
    if parts[:2] != ("botocore", "data") or parts[-1].startswith(_NOT_ASKED):
        return False
    return len(parts) == 3 or parts[2] in _AWS_SERVICES  # noqa: PLR2004 - a file beside them


def _source(name: str) -> str:
    """The file of a module.

    Not what ``importlib.util.find_spec`` tells of one that has been imported: some put another
    module in their own place (``collections.abc`` of Python 3.13.0: ``_collections_abc``).
    """
    package = name.rpartition(".")[0]
    folders = [str(Path(_source(package)).parent)] if package else None
    return str(importlib.machinery.PathFinder.find_spec(name, folders).origin)


def excluded() -> list[str]:
    """The modules to leave out."""
    return [
        *_OPTIONAL,
        *_STANDARD,
        *_OF_OTHER_SYSTEMS.get(sys.platform, ()),
        *(f"keyring.backends.{name}" for name in _OTHER_KEYRINGS),
        *_encodings_but(_ENCODINGS),
    ]


def uninvited() -> list[str]:
    """What is installed, for building, for tests or by chance, and nothing in the program asks for.

    Libraries import others if these are there. What is in the program must not depend on that.
    """
    asked = _asked_for()
    by_module = importlib.metadata.packages_distributions()
    return sorted(
        module
        for module, names in by_module.items()
        if not asked & {canonicalize_name(name) for name in names}
    )


def _asked_for() -> set[str]:
    """The distributions that the program is made of: pyproject.toml names them, or one of them."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = itertools.chain(*project["optional-dependencies"].values())
    rows = [(line, "") for line in (*project["dependencies"], *extras)]
    found: set[tuple[str, str]] = set()
    for line, extra in rows:  # which grow
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        for each in {(name, ""), *((name, more) for more in wanted.extras)} - found:
            found.add(each)
            needed = importlib.metadata.distribution(name).requires or ()
            rows += [(needs, each[1]) for needs in needed]
    return {"credlatch", *(name for name, _ in found)}


def _encodings_but(wanted: set[str]) -> list[str]:
    there = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return [f"encodings.{name}" for name in sorted(there - wanted)]


def scripts(found: Toc) -> Toc:
    """The program's own script, without what PyInstaller puts before it.

    Raises:
        SystemExit: there is a run-time hook that nobody has judged yet.
    """
    hooks = {name for name, _, _ in found if name.startswith("pyi_rth_")}
    unknown = sorted(hooks - _NEEDLESS_HOOKS)
    if unknown:
        raise SystemExit(f"build/trim.py must say whether we need {unknown}")
    return [entry for entry in found if entry[0] not in hooks]


def options(identity: str) -> Iterable[tuple[str, None, str]]:
    """How the interpreter is started, and what it can ask itself for: which build it is.

    One option is both. PyInstaller's loader takes one that begins with ``utf8`` and a blank for
    UTF-8 mode (bootloader/src/pyi_pyconfig.c), the interpreter takes all of it up to the ``=`` for
    a name of ours, and with Python 3.14 that loader (6.22.3) crashes over a second one.
    """
    return [(f"X utf8 credlatch={identity}", None, "OPTION")]
