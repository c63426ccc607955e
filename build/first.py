"""The first thing that both forms of the program do: ask the agent.

credlatch.spec puts it into the executable behind the modules of the quick client and before those
of PyInstaller's own start-up, so that a call which the agent answers never comes to those.
"""

import _signal

# Ctrl-C ends it, as it ends a C program, unless our caller ignores it (nohup, and what a shell runs
# in the background). `signal` itself is not there yet.
if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from credlatch.agent.client import answer

answer()
