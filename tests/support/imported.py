"""What a module imports when it runs on a given system, read from sources: nothing is imported."""

from __future__ import annotations

import ast
import importlib.machinery
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    above, _, _ = name.rpartition(".")
    package = _spec(above) if above else None
    if above and (package is None or package.submodule_search_locations is None):
        return None
    folders = list(package.submodule_search_locations or ()) if package else None
    return importlib.machinery.PathFinder.find_spec(name, folders)


def source(name: str) -> Path | None:
    """The source of a module on this Python's path; None for what has none."""
    spec = _spec(name)
    path = Path(str(spec.origin)) if spec and spec.origin else None
    return path if path and path.suffix == ".py" else None


def reached(*roots: str, system: str, python: tuple[int, int]) -> set[str]:
    """All modules that importing the roots imports; those of the standard library are named only.

    Args:
        *roots: the modules to begin with.
        system: what ``sys.platform`` is there.
        python: the version.
    """
    found: set[str] = set()
    left = list(roots)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        left += [name.rpartition(".")[0]] if "." in name else []
        file = source(name)
        if file is not None and name.partition(".")[0] not in sys.stdlib_module_names:
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            left += _imports(ast.parse(file.read_bytes()), package, _World(system, python))
    return found


class _World(SimpleNamespace):
    """What conditions at the head of a module ask for."""

    def __init__(self, system: str, python: tuple[int, int]) -> None:
        name = "nt" if system == "win32" else "posix"
        told = SimpleNamespace(platform=system, version_info=python)
        super().__init__(sys=told, os=SimpleNamespace(name=name), TYPE_CHECKING=False)

    def holds(self, test: ast.expr) -> bool | None:
        """Whether a condition holds; None where that cannot be told."""
        try:
            code = compile(ast.Expression(test), "", "eval")
            return bool(eval(code, {"__builtins__": {}}, vars(self)))  # noqa: S307 - sources here
        except (NameError, AttributeError, TypeError):
            return None


def _imports(node: ast.AST, package: str, world: _World) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from _imported_from(node, package)
    elif isinstance(node, ast.If | ast.IfExp):
        holds = world.holds(node.test)
        for branch, wanted in ((node.body, True), (node.orelse, False)):
            if holds in {None, wanted}:
                for each in branch if isinstance(branch, list) else [branch]:
                    yield from _imports(each, package, world)
    elif isinstance(node, ast.Try) and any(_is_for_absence(each) for each in node.handlers):
        return  # it does without
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, package, world)


def _imported_from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    base = package.rsplit(".", node.level - 1)[0] if node.level else ""
    module = ".".join(filter(None, (base, node.module)))
    yield module
    yield from (
        name for alias in node.names if source(name := f"{module}.{alias.name}") is not None
    )


def _is_for_absence(handler: ast.ExceptHandler) -> bool:
    kind = ast.unparse(handler.type) if handler.type else "Exception"
    return any(each in kind for each in ("ImportError", "ModuleNotFoundError", "Exception"))
