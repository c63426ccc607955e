"""Environments: another process's, and that of the programs that are started from here."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

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


class AnyCase(dict[str, str]):
    """Variables as Windows has them, and as ``os.environ`` has them there: by names of any case.

    Args:
        pairs: names and values; of names that differ in case alone the first counts.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name.upper(), value)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.upper())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name.upper() if isinstance(name, str) else name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a variable."""
        return super().get(name.upper(), default)


def received(variables: bytes) -> Mapping[str, str]:
    """The variables of another process, as ``wire`` has them: a zero byte between two.

    Raises:
        UnicodeDecodeError: they are not from Windows, where they were to be.
    """
    pairs = (pair.partition(b"=") for pair in variables.split(b"\0"))
    named = [(os.fsdecode(name), os.fsdecode(value)) for name, _, value in pairs if name]
    return AnyCase(named) if sys.platform == "win32" else dict(named)
