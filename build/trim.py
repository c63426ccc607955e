"""What the frozen program leaves out, and why. credlatch.spec uses it.

A single file extracts all its shared libraries at every start, and a module that PyInstaller's own
start-up finds is imported at every start. So what nobody needs costs every call.
"""

from __future__ import annotations

import encodings
import pkgutil
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Toc = list[tuple[str, str, str]]

# Optional parts of libraries, which they do without.
_OPTIONAL = (
    # httpx: its command line, HTTP/2, SOCKS, compression, guessing of charsets, async back ends
    *("click", "rich", "pygments", "h2", "socksio", "brotli", "brotlicffi", "zstandard"),
    *("chardet", "charset_normalizer", "anyio", "trio", "sniffio"),
    # truststore: putting itself below other clients
    *("urllib3", "requests"),
    # filelock: locks for coroutines, and one kept in a database
    *("asyncio", "concurrent", "multiprocessing", "sqlite3"),
    # what is installed for building
    *("setuptools", "pkg_resources", "_distutils_hack", "distutils", "pip", "wheel"),
)

# Parts of the standard library that others import just in case, or for people.
_STANDARD = (
    *("tkinter", "turtle", "idlelib", "curses", "readline", "rlcompleter", "lib2to3"),
    *("unittest", "doctest", "test", "pdb", "bdb", "cmd", "code", "pydoc", "ensurepip", "venv"),
    *("ftplib", "xml", "xmlrpc", "plistlib", "tarfile", "bz2", "lzma", "_bz2", "_lzma"),
    *("_pydecimal", "_pyio", "pyexpat"),
)

# What reaches the keyrings and certificates of other systems. PyInstaller's own start-up imports
# ctypes whenever it is there.
_OF_OTHER_SYSTEMS = {
    "linux": ("ctypes", "keyring", "win32ctypes", "truststore._macos", "truststore._windows"),
    "darwin": ("jeepney", "secretstorage", "keyring.backends.Windows"),
    "win32": ("jeepney", "secretstorage", "keyring.backends.macOS"),
}
_OTHER_KEYRINGS = ("SecretService", "chainer", "kwallet", "libsecret")

# The frozen program always runs in UTF-8 mode. What is left is for HTTP, host names and JSON, and
# on Windows for the console.
_ENCODINGS = {
    *("aliases", "ascii", "latin_1", "utf_8", "utf_8_sig", "idna", "punycode", "unicode_escape"),
    *("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"),
    *("cp437", "cp850", "cp1252", "mbcs", "oem"),
}

# PyInstaller runs these before the program, each time.
_NEEDLESS_HOOKS = {
    "pyi_rth_inspect",  # sources for tracebacks: there are no sources, and we show no tracebacks
    "pyi_rth_pkgutil",  # lists the modules of a package: nothing here asks
    "pyi_rth_multiprocessing",  # not used
    "pyi_rth_setuptools",  # not there
    "pyi_rth_pkgres",  # likewise
    "pyi_rth_cryptography_openssl",  # OpenSSL's legacy algorithms: nothing here wants them
}


def excluded() -> list[str]:
    """The modules to leave out."""
    there = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return [
        *_OPTIONAL,
        *_STANDARD,
        *_OF_OTHER_SYSTEMS.get(sys.platform, ()),
        *(f"keyring.backends.{name}" for name in _OTHER_KEYRINGS),
        *(f"encodings.{name}" for name in sorted(there - _ENCODINGS)),
    ]


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


def data(found: Toc) -> Toc:
    """Python's own files only.

    Metadata of libraries is for entry points, which we do not use. Certificate authorities are the
    system's (truststore): certifi's list must not even be there to be used by mistake.
    """
    return [entry for entry in found if entry[0] == "base_library.zip"]


def options() -> Iterable[tuple[str, None, str]]:
    """How the interpreter is started."""
    return [("X utf8_mode=1", None, "OPTION")]
