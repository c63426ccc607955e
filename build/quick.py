"""The quick client's place in an executable: before everything else. credlatch.spec uses it.

PyInstaller's loader runs the modules of an executable's table of contents one after the other, and
looks for the archive of all other modules only then. Those that come first have nothing to import
but what is built into the interpreter, extension modules, and each other.
"""

from __future__ import annotations

import ast
import py_compile
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Toc = list[tuple[str, str, str]]

# In the order in which they import each other.
_MODULES = ("clients", "agent.wire", "agent.place", "agent.client")
_PACKAGE = "credlatch"
_TABLE = f"{_PACKAGE}.clients"  # its functions import what later processes need
_FIRST = "credlatch_first"


def modules(source: Path, build: Path, work: Path) -> Toc:
    """What the loader runs first, compiled as all else is (without docstrings and assertions).

    Args:
        source: the folder of the package ``credlatch``.
        build: this folder.
        work: where the compiled modules go.
    """
    toc = []
    for name, file in _files(source, build).items():
        compiled = work / "quick" / f"{name}.pyc"
        py_compile.compile(str(file), str(compiled), dfile=name, doraise=True, optimize=2)
        toc.append((name, str(compiled), "PYMODULE"))
    return toc


def without(found: Toc) -> Toc:
    """The other modules: each is there once."""
    there = {f"{_PACKAGE}.{name}" for name in _MODULES}
    return [entry for entry in found if entry[0] not in there]


def see_that_all_is_there(source: Path, build: Path, libraries: Toc) -> None:
    """See that a form has what the quick client imports; it would just never be quick otherwise.

    Args:
        source: the folder of the package ``credlatch``.
        build: this folder.
        libraries: the shared libraries of the form, extension modules among them.

    Raises:
        SystemExit: something is missing.
    """
    if sys.platform == "win32":
        return  # there is no agent there
    files = _files(source, build)
    extensions = {Path(name).name.split(".")[0] for name, _, _ in libraries}
    there = {*sys.builtin_module_names, *extensions, *files}
    quick = [file for name, file in files.items() if name != _TABLE]
    missing = {name for file in quick for name in _imports(file)} - there
    if missing:
        raise SystemExit(f"build/trim.py leaves out what the quick client needs: {missing}")


def _files(source: Path, build: Path) -> dict[str, Path]:
    files = {f"{_PACKAGE}.{name}": source / f"{name.replace('.', '/')}.py" for name in _MODULES}
    return {**files, _FIRST: build / "first.py"}


def _imports(file: Path) -> Iterator[str]:
    """What a module imports when it runs: not what is there for the type checker only."""
    for node in ast.walk(_Running().visit(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


class _Running(ast.NodeTransformer):
    """Takes away what is there for the type checker only."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)
