"""``credlatch --version``: which program this is, and what it is made of: for reports of bugs.

The first line is for programs that read it, and never changes its form. The others are those of
``versions.txt``, which the build has written (build/sbom.py), below the build's own; from a wheel,
the commit that it was built of (build/commit_hook.py), and what is installed.
"""

from __future__ import annotations

import os
import sys

from credlatch import __version__


def text() -> str:
    """All of its lines."""
    build = sys._xoptions.get("utf8 credlatch")
    first = f"credlatch {__version__}\n"
    if not isinstance(build, str):
        return f"{first}commit: {_commit()}\n{_installed()}"
    with open(os.path.join(sys._MEIPASS, "versions.txt"), encoding="utf-8") as file:  # type: ignore[attr-defined]  # PyInstaller's
        return f"{first}build: {build}\n{file.read()}"


def _commit() -> str:
    """What the wheel has been told; "unknown" in a checkout, and where nobody knew."""
    import pkgutil

    try:
        said = pkgutil.get_data("credlatch", "commit.txt")
    except OSError:
        said = None
    return said.decode().strip() if said else "unknown"


def _installed() -> str:
    """The Python, and what of the packages that we ask for is there."""
    import platform
    import re
    from importlib import metadata

    try:
        wanted = metadata.requires("credlatch") or []
    except metadata.PackageNotFoundError:  # a checkout that is not installed
        wanted = []
    found = []
    for name in {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted}:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:  # of another system, or an extra
            continue
    libraries = ", ".join([_openssl(), *sorted(found)])
    return f"python: {platform.python_version()}\nlibraries: {libraries}\n"


def _openssl() -> str:
    import ssl

    return " ".join(ssl.OPENSSL_VERSION.split()[:2])
