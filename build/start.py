"""The folder's program: its script is run before PyInstaller's own start-up, which may never come.

A call that is answered from a file imports some forty modules of ours, and of Python's what is
built in or beside it. Those of ours that calls may need are here in one piece (own.py).
PyInstaller's start-up and the way to its archive cost such a call more than its answer: they come
when something else is imported first.
"""

import _frozen_importlib
import marshal
import sys

from credlatch_own import CODES, PACKAGES, SCRIPT, START_UP


class _Own:
    """Finds and loads what is here (a finder and loader of importlib)."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name not in CODES:
            return None
        spec = _frozen_importlib.ModuleSpec(name, _Own, is_package=name in PACKAGES)
        if name in PACKAGES:  # whose other modules are in PyInstaller's archive
            spec.submodule_search_locations.append(f"{sys._MEIPASS}/{name.replace('.', '/')}")
        return spec

    @staticmethod
    def create_module(_spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(marshal.loads(CODES.pop(module.__name__)), module.__dict__)  # noqa: S102, S302 - ours


class _Others:
    """Is asked last, for what nobody else has: PyInstaller's importer may."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        sys.meta_path.remove(_Others)
        sys.path.append(sys._MEIPASS)
        sys._pyinstaller_pyz = f"{sys._MEIPASS}/modules.pyz"  # as the loader says it, only later
        try:
            exec(marshal.loads(START_UP), {})  # noqa: S102, S302 - the build's own
        except BaseException:  # a disk that fails, or no descriptor is left: not for ever
            sys.path.remove(sys._MEIPASS)
            sys.meta_path.append(_Others)
            raise
        sys.path_importer_cache.clear()  # where nothing was to be found, it now may be
        return _frozen_importlib._find_spec(name, path, target)


def _run():
    """Run the script, and end as Python ends after one: the loader expects no module to end."""
    try:
        exec(marshal.loads(SCRIPT), sys.modules["__main__"].__dict__)  # noqa: S102, S302 - ours
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - it is shown as Python shows it
        sys.excepthook(*sys.exc_info())
        status = 1
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()

    import os

    os._exit(status)


# Until then a library's folder there, which has its shared libraries alone, would be taken for it.
sys.path.remove(sys._MEIPASS)
sys.meta_path.insert(0, _Own)
sys.meta_path.append(_Others)
_run()
