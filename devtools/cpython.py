"""A Python for releases, compiled from sources for Linux: it needs an old glibc, and nothing else.

A program carries the libraries of the Python that builds it, and needs what they need of glibc.
Zig's compiler links for any glibc, and for musl, whatever the machine has that it runs on, and for
other machines. OpenSSL and zlib are shared libraries beside it; libffi is linked into what uses it.
The sources are upstream's, as Debian keeps them: pinned by digest, whoever they come from.
Each Python is kept in the user's cache under a digest of what it is made of.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

from devtools.cache import alone, cache_folder
from devtools.environment import IN_VENV, system
from devtools.steps import ask, must, say

GLIBC = "2.17"  # of 2012, and of wheels that are called manylinux2014
VERSION = "3.13.15"
NAME = "python" + VERSION.rpartition(".")[0]

# Debian's archive has what is current; its history has every version for ever.
_POOLS = (
    "https://deb.debian.org/debian/pool/main",
    "https://snapshot.debian.org/archive/debian/20261122T000000Z/pool/main",
)
_LIMIT = 120  # seconds without a byte of a download


class Source(NamedTuple):
    """One archive of sources.

    Attributes:
        path: where it is below a pool.
        sha256: its digest.
    """

    path: str
    sha256: str


SOURCES = {
    "Python": Source(
        f"p/{NAME}/{NAME}_{VERSION}.orig.tar.xz",
        "1e66a7945a48390ee4c2a4268a0e4185884059a13c4aab6d148aa208deea4a76",
    ),
    "OpenSSL": Source(
        "o/openssl/openssl_3.5.7.orig.tar.gz",
        "a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
    ),
    "libffi": Source(
        "libf/libffi/libffi_3.8.0.orig.tar.gz",
        "bf40d752d8f5fd4505bcd1c7d4208ea87fd12c91f087e359651c776748352dc0",
    ),
    "zlib": Source(
        "z/zlib/zlib_1.3.dfsg+really1.3.2.orig.tar.gz",
        "7b6903eb019983987b7112eccf90f1703f1c6c0e0cede36564bf611d19ca579d",
    ),
}

# TLS to today's servers, and nothing of what they have left behind, or that no client of ours does.
_NO_OPENSSL = (
    *("apps", "docs", "engine", "legacy", "module", "tests"),
    *("aria", "bf", "camellia", "cast", "idea", "md4", "mdc2", "ocb", "rc2", "rc4", "rmd160"),
    *("seed", "siphash", "sm2", "sm3", "sm4", "whirlpool"),
    *("cmp", "cms", "comp", "dsa", "dtls", "gost", "ml-dsa", "quic", "slh-dsa", "srp", "srtp"),
    *("ssl3", "ts"),
)
# Where authorities and openssl.cnf are on every Linux: OpenSSL looks there first, then truststore
# where distributions have them. It must never be a folder of the machine that builds.
_OPENSSL_FOLDERS = ("--prefix=/usr", "--libdir=lib", "--openssldir=/etc/ssl")

# What the program leaves out, or has no library for.
_NO_MODULES = (
    *("_bz2", "_curses", "_curses_panel", "_dbm", "_gdbm", "_lzma", "_sqlite3", "_tkinter"),
    *("_uuid", "readline"),
    # Character sets of East Asia: trim.py has those of the program.
    *(f"_codecs_{name}" for name in ("cn", "hk", "iso2022", "jp", "kr", "tw")),
)
_HARDENED = "-fstack-protector-strong"
# When it was compiled is part of what a Python says of itself, and so of what it builds.
_MOMENT = {"SOURCE_DATE_EPOCH": "315532800"}

_FFI_SOURCES = ("prep_cif.c", "types.c", "raw_api.c", "java_raw_api.c", "closures.c", "tramp.c")
# What libffi's configure finds out about either machine, with this compiler.
_FFI_CONFIG = """\
#define EH_FRAME_FLAGS "a"
#define FFI_EXEC_STATIC_TRAMP 1
#define HAVE_ALLOCA_H 1
#define HAVE_AS_X86_64_UNWIND_SECTION_TYPE 1
#define HAVE_AS_X86_PCREL 1
#define HAVE_HIDDEN_VISIBILITY_ATTRIBUTE 1
#define HAVE_INT128 1
#define HAVE_LONG_DOUBLE 1
#define HAVE_MEMCPY 1
#define HAVE_RO_EH_FRAME 1
#define SIZEOF_DOUBLE 8
#define SIZEOF_LONG_DOUBLE 16
#define SIZEOF_SIZE_T 8
#define STDC_HEADERS 1
#ifdef LIBFFI_ASM
#define FFI_HIDDEN(name) .hidden name
#else
#define FFI_HIDDEN __attribute__((visibility("hidden")))
#endif
"""

# One of Zig's tools; its linker knows a library's name by the long option only.
_TOOL = """\
#!/bin/sh
for word; do
    shift
    case $word in
        -Wl,-h*) word=-Wl,-soname,${{word#-Wl,-h}} ;;
    esac
    set -- "$@" "$word"
done
exec "{zig}" {does} "$@"
"""


class Machine(NamedTuple):
    """A kind of processor, by the names that others have for it, and a C library.

    Attributes:
        name: Linux's and Zig's.
        debian: Debian's.
        openssl: of OpenSSL's Configure.
        ffi: libffi's, the folder of its sources, and those.
        libc: gnu or musl.
    """

    name: str
    debian: str
    openssl: str
    ffi: tuple[str, str, tuple[str, ...]]
    libc: str = "gnu"

    @property
    def target(self) -> str:
        """Both in one word, as a release's files are called."""
        return f"{self.name}-musl" if self.libc == "musl" else self.name

    @property
    def host(self) -> str:
        """As configure scripts call it."""
        return f"{self.name}-linux-{self.libc}"

    @property
    def runs_here(self) -> bool:
        """Whether this system starts its programs without help."""
        return self.target == os.uname().machine


_X86 = ("ffi64.c", "unix64.S", "ffiw64.c", "win64.S")
_PROCESSORS = (
    Machine("x86_64", "amd64", "linux-x86_64", ("X86_64", "x86", _X86)),
    Machine("aarch64", "arm64", "linux-aarch64", ("AARCH64", "aarch64", ("ffi.c", "sysv.S"))),
)
MACHINES = {
    machine.target: machine
    for each in _PROCESSORS
    for machine in (each, each._replace(libc="musl"))
}


def python(machine: Machine) -> Path:
    """The folder of a Python for a machine: `bin`, and its libraries in `lib`.

    Its programs and libraries look for no others by themselves: LD_LIBRARY_PATH must name `lib`.
    """
    zig = _zig()
    made_of = (SOURCES, Path(__file__).read_bytes(), machine, ask(zig, "version")[1])
    cache = cache_folder() / "python"
    place = cache / hashlib.sha256(repr(made_of).encode()).hexdigest()
    if place.is_dir():
        return place
    # A Python for another machine is compiled with the help of one that runs.
    helper = None if machine.runs_here else python(MACHINES[os.uname().machine])
    system("make", "perl", "xz-utils")
    with alone(cache):
        if not place.is_dir():
            work = cache / "work"
            shutil.rmtree(work, ignore_errors=True)  # of one that was killed
            work.mkdir()
            _Compiling(machine, zig, work).python(work / place.name, helper)
            (work / place.name / "usr").rename(place)
            shutil.rmtree(work)
    return place


def _zig() -> Path:
    """Zig's program itself: a compilation starts it two thousand times."""
    status, said = ask(IN_VENV, "-c", "import ziglang; print(ziglang.__path__[0])")
    if status != 0:
        sys.exit(f"{said}\ndev: there is no Zig in {IN_VENV}")
    return Path(said.strip()) / "zig"


def _unpacked(name: str, work: Path) -> Path:
    """The sources of that name, fetched below a folder and checked.

    Raises:
        SystemExit: nobody has them.
    """
    source = SOURCES[name]
    archive = work / Path(source.path).name
    for pool in _POOLS:
        say(f"getting {archive.name}")
        try:
            with urllib.request.urlopen(  # noqa: S310 - of _POOLS, and checked
                f"{pool}/{source.path}", timeout=_LIMIT
            ) as answer:
                archive.write_bytes(answer.read())
        except OSError as error:
            say(f"{pool}: {error}")
            continue
        if hashlib.sha256(archive.read_bytes()).hexdigest() == source.sha256:
            break
        say(f"{pool}: is not what it was")
    else:
        sys.exit(f"dev: {archive.name} cannot be had")
    folder = work / f"{name}-sources"
    folder.mkdir()
    must(f"unpacking {archive.name}", "tar", "-xf", archive, "-C", folder, "--no-same-owner")
    (inner,) = folder.iterdir()
    return inner


class _Compiling:
    """How all of it is compiled for a machine."""

    def __init__(self, machine: Machine, zig: Path, work: Path) -> None:
        self._machine = machine
        self._work = work
        self._stage = work / "stage" / "usr"
        tools = work / "tools"
        tools.mkdir()
        # With musl it links everything statically unless it is told.
        libc = {"gnu": f".{GLIBC}", "musl": " -dynamic"}[machine.libc]
        target = f"cc -target {machine.host}{libc}"
        for name, does in {"cc": target, "ar": "ar", "ranlib": "ranlib"}.items():
            script = tools / name
            script.write_text(_TOOL.format(zig=zig, does=does))
            script.chmod(0o755)
        self._cc = tools / "cc"
        self._ar = tools / "ar"
        caches = {"ZIG_GLOBAL_CACHE_DIR": str(cache_folder() / "zig")}
        caches["ZIG_LOCAL_CACHE_DIR"] = str(work / "zig")
        self._env = {
            "CC": str(self._cc),
            "AR": str(self._ar),
            "RANLIB": str(tools / "ranlib"),
            # Nothing of the machine's own libraries.
            "PKG_CONFIG": "false",
            **_MOMENT,
            **caches,
        }
        self._make = ("make", "--silent", f"--jobs={os.cpu_count() or 1}")

    def python(self, target: Path, helper: Path | None) -> None:
        """Compile all of it, and put it into a folder's `usr`."""
        for name in ("lib", "include"):
            (self._stage / name).mkdir(parents=True)
        self._zlib()
        self._libffi()
        self._openssl()
        self._python(target, helper)
        for library in self._stage.glob("lib/*.so.*"):
            shutil.copy(library, target / "usr" / "lib")

    def _must(self, what: str, folder: Path, *words: str | Path, **more: str) -> None:
        for_what = f"{what} for {self._machine.target}"
        must(for_what, "env", f"--chdir={folder}", *words, env=self._env | more)

    def _built_in(self, name: str) -> Path:
        """A folder in which something is built, as its sources' neighbour."""
        folder = self._work / f"{name}-built"
        folder.mkdir()
        return folder

    def _zlib(self) -> None:
        sources, built = _unpacked("zlib", self._work), self._built_in("zlib")
        flags = f"-O3 -fPIC {_HARDENED}"
        configure = sources / "configure"
        how = {"CFLAGS": flags, "CHOST": self._machine.host}
        self._must("configuring zlib", built, configure, "--static", **how)
        self._must("compiling zlib", built, *self._make, "libz.a")
        # Its own way to a library that is shared asks for another linker.
        map_file = f"-Wl,--version-script={sources / 'zlib.map'}"
        whole = ("-Wl,--whole-archive", "libz.a", "-Wl,--no-whole-archive")
        options = ("-shared", "-Wl,-soname,libz.so.1", map_file, *whole)
        self._must("linking zlib", built, self._cc, *options, "-o", "libz.so.1")
        shutil.copy(built / "libz.so.1", self._stage / "lib")
        (self._stage / "lib" / "libz.so").symlink_to("libz.so.1")
        for header in (built / "zconf.h", sources / "zlib.h"):
            shutil.copy(header, self._stage / "include")

    def _libffi(self) -> None:
        """Compile what Python's ctypes needs, without libffi's configure: that takes autotools."""
        sources, built = _unpacked("libffi", self._work), self._built_in("libffi")
        target, folder, own = self._machine.ffi
        version = sources.name.rpartition("-")[2]
        number = "".join(f"{int(part):02}" for part in version.split("."))
        header = (sources / "include" / "ffi.h.in").read_text()
        for name, value in {
            "VERSION": version,
            "TARGET": target,
            "HAVE_LONG_DOUBLE": "1",
            "FFI_VERSION_STRING": version,
            "FFI_VERSION_NUMBER": number.lstrip("0"),
            "FFI_EXEC_TRAMPOLINE_TABLE": "0",
        }.items():
            header = header.replace(f"@{name}@", value)
        (built / "ffi.h").write_text(header)
        (built / "fficonfig.h").write_text(_FFI_CONFIG)
        src = sources / "src"
        headers = [f"-I{each}" for each in (built, sources / "include", src / folder)]
        options = ("-c", "-O2", "-fPIC", "-w", "-DHAVE_CONFIG_H", _HARDENED, *headers)
        files = [src / name for name in _FFI_SOURCES] + [src / folder / name for name in own]
        self._must("compiling libffi", built, self._cc, *options, *files)
        objects = sorted(built.glob("*.o"))
        self._must("packing libffi", built, self._ar, "rcs", "libffi.a", *objects)
        shutil.copy(built / "libffi.a", self._stage / "lib")
        for each in (built / "ffi.h", src / folder / "ffitarget.h"):
            shutil.copy(each, self._stage / "include")

    def _openssl(self) -> None:
        sources, built = _unpacked("OpenSSL", self._work), self._built_in("openssl")
        without = [f"no-{name}" for name in _NO_OPENSSL]
        options = (self._machine.openssl, "shared", *without, *_OPENSSL_FOLDERS)
        configure = sources / "Configure"
        flags = f"-O3 {_HARDENED}"  # in the place of its own
        self._must("configuring OpenSSL", built, "perl", configure, *options, CFLAGS=flags)
        self._must("preparing OpenSSL", built, *self._make, "build_generated")
        self._must("compiling OpenSSL", built, *self._make, "libcrypto.so", "libssl.so")
        headers = self._stage / "include" / "openssl"
        headers.mkdir()
        for folder in (sources, built):
            for header in (folder / "include" / "openssl").glob("*.h"):
                shutil.copy(header, headers)
        for name in ("crypto", "ssl"):
            library = shutil.copy(built / f"lib{name}.so.3", self._stage / "lib")
            (self._stage / "lib" / f"lib{name}.so").symlink_to(Path(library).name)

    def _python(self, target: Path, helper: Path | None) -> None:
        sources, built = _unpacked("Python", self._work), self._built_in("python")
        include, lib = f"-I{self._stage}/include", f"-L{self._stage}/lib"
        options = [
            *("--prefix=/usr", "--enable-shared", "--without-static-libpython"),
            *("--without-ensurepip", "--disable-test-modules", f"--with-openssl={self._stage}"),
            *(f"py_cv_module_{name}=n/a" for name in _NO_MODULES),
        ]
        more = {"LD_LIBRARY_PATH": f"{built}:{self._stage}/lib"}
        if self._machine.libc == "musl":
            # It knows musl by a header that Zig's compiler has another one for.
            triplet = f"#undef linux\nPLATFORM_TRIPLET={self._machine.host}\n"
            (sources / "Misc" / "platform_triplet.c").write_text(triplet)
        if helper is not None:
            own = os.uname().machine
            options += [f"--host={self._machine.host}", f"--build={own}-linux-gnu"]
            options += [f"--with-build-python={helper}/bin/{NAME}"]
            options += ["ac_cv_file__dev_ptmx=yes", "ac_cv_file__dev_ptc=no"]
            options += ["ac_cv_buggy_getaddrinfo=no"]
            more = {"LD_LIBRARY_PATH": f"{helper}/lib"}
        variables = {
            "CFLAGS": _HARDENED,
            "OPT": "-DNDEBUG -fwrapv -O3 -Wno-date-time",  # _MOMENT says which
            "LIBFFI_CFLAGS": include,
            "LIBFFI_LIBS": f"{lib} -lffi",
            "ZLIB_CFLAGS": include,
            "ZLIB_LIBS": f"{lib} -lz",
        }
        # Not by its whole path: that of the sources is compiled into it.
        configure = os.path.relpath(sources / "configure", built)
        self._must("configuring Python", built, configure, *options, **variables, **more)
        # Without the library for those who know no version: this linker makes none without code.
        make = (*self._make, "PY3LIBRARY=")
        self._must("compiling Python", built, *make, **more)
        self._must("installing Python", built, *make, "install", f"DESTDIR={target}", **more)
