"""The frozen program's door."""

import _signal  # type: ignore[import-not-found]  # typeshed leaves it out

# Ctrl-C ends it, as it ends a C program: a write is atomic, and a traceback would help nobody.
# (`signal` itself imports enum, which costs more than this whole file.)
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from credlatch.cli import main  # noqa: E402 - after the signal is set

if __name__ == "__main__":
    raise SystemExit(main())
