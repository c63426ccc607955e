"""The frozen program's door."""

import _signal  # type: ignore[import-not-found]  # typeshed leaves it out

# Ctrl-C ends it, as it ends a C program: a write is atomic, and a traceback would help nobody.
# Unless our caller ignores it: nohup, and what a shell runs in the background.
# (`signal` itself imports enum, which costs more than this whole file.)
if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import sys

if hasattr(sys, "_MEIPASS"):
    # Who asks for the program means the launcher, which is called; it has become this one, or on
    # Windows runs it.
    launcher = "credlatch.exe" if sys.platform == "win32" else "credlatch"
    sys.executable = os.path.join(os.path.dirname(sys._MEIPASS), launcher)
    sys.argv[0] = os.environ.pop("_CREDLATCH_CALLED", sys.argv[0])  # without /proc

from credlatch.cli import main

if __name__ == "__main__":
    status = main()
    # All has been said and closed. To take an interpreter apart costs a call a tenth of its time,
    # and one that has sent a request a quarter.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)
