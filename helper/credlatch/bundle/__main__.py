"""The door of Windows' single file."""

from __future__ import annotations

import os
import sys

from credlatch.bundle import unpacked
from credlatch.bundle.places import places
from credlatch.bundle.windows_launch import run
from credlatch.caller import Caller
from credlatch.clients import chosen
from credlatch.commands import streams
from credlatch.errors import CredlatchError, PlaceError
from credlatch.system.environment import environment_without_loader
from credlatch.system.files import reason


def main() -> int:
    """Go on with the call in the folder form; its exit status."""
    try:
        return _run()
    except CredlatchError as error:
        line, status = str(error), error.exit_status
    except Exception as error:
        if "CREDLATCH_DEBUG" in os.environ:
            raise
        line, status = f"internal error: {type(error).__name__}; please report it", 1
    asking, _ = chosen(sys.argv)
    streams.say(line, descriptor=2 if asking is None else asking.stream)
    return status


def _run() -> int:
    """Unpack the program in the first place that lets us, unless it is there, and run it.

    Raises:
        PlaceError: there is no such place.
    """
    build = str(sys._xoptions["utf8 credlatch"])
    # The program's own loader must not take it for a part of this one (PyInstaller's manual).
    environ = {**environment_without_loader(os.environ), "PYINSTALLER_RESET_ENVIRONMENT": "1"}

    def unpack(folder: str) -> None:
        from credlatch.bundle import carried  # which costs more than all that is done otherwise

        carried.unpack(sys.executable, f"{build}.tar.gz", folder)

    failures = []
    for place in places(Caller()):
        try:
            folder, _ = unpacked.take(place.secure(), build, unpack)
            return run(os.path.join(folder, "credlatch.exe"), sys.argv, environ)
        except OSError as error:
            failures.append(f"{place.path}: {reason(error)}")
    raise PlaceError(
        f"the single file must unpack itself once, and cannot ({'; '.join(failures)}): set "
        "XDG_CACHE_HOME to a folder of yours on a disk with 40 MB of room that may hold programs"
    )


if __name__ == "__main__":
    raise SystemExit(main())
