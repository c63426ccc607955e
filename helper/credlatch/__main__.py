"""The frozen program's door."""

import _signal  # type: ignore[import-not-found]  # typeshed leaves it out

# Ctrl-C ends it, as it ends a C program: a write is atomic, and a traceback would help nobody.
# Unless our caller ignores it: nohup, and what a shell runs in the background.
# (`signal` itself imports enum, which costs more than this whole file.)
if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from credlatch.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
