"""The environment for the programs that are started from here."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBRARIES = "LD_LIBRARY_PATH"


def environment_without_loader(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment again, without what PyInstaller's loader has put into it.

    The loader puts its folder before what was there, which it also keeps under another name. That
    name is the caller's own where there was nothing: another frozen program may have called us.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("_PYI_")}
    libraries, former = kept.get(_LIBRARIES), kept.get(f"{_LIBRARIES}_ORIG")
    if libraries is None:
        return kept
    if libraries == getattr(sys, "_MEIPASS", None):
        del kept[_LIBRARIES]
    elif former is not None and libraries.endswith(f":{former}"):
        kept[_LIBRARIES] = kept.pop(f"{_LIBRARIES}_ORIG")
    return kept
