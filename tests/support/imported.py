"""What a module imports when it runs on a given system, read from sources: nothing is imported."""

from __future__ import annotations

import ast
import importlib.machinery
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


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


def source(name: str) -> Path | None:
    """The source of a module on this Python's path; None for what has none."""
    spec = _spec(name)
    path = Path(str(spec.origin)) if spec and spec.origin else None
    return path if path and path.suffix == ".py" else None


def reached(
    *roots: str,
    system: str,
    python: tuple[int, int],
    called: tuple[str, ...] = (),
    never: tuple[str, ...] = (),
) -> set[str]:
    """All modules that importing the roots imports, as far as sources tell.

    Args:
        *roots: the modules to begin with.
        system: what ``sys.platform`` is there.
        python: the version.
        called: packages whose functions run, too: what these import counts as well.
        never: modules that nothing imports there, though sources alone do not tell it.
    """
    world = _World(system, python)
    found = set(never)
    left = list(roots)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        left += [name.rpartition(".")[0]] if "." in name else []
        file = source(name)
        if file is not None:
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            runs = any(name == each or name.startswith(f"{each}.") for each in called)
            left += _Imports(package, world, functions=runs).of(_parsed(file))
    return found - set(never)


class _World(SimpleNamespace):
    """What conditions at the head of a module, or of a function, ask for."""

    def __init__(self, system: str, python: tuple[int, int]) -> None:
        windows = system == "win32"
        calls_itself = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system]
        super().__init__(
            sys=SimpleNamespace(platform=system, version_info=python),
            os=SimpleNamespace(name="nt" if windows else "posix"),
            platform=SimpleNamespace(system=lambda: calls_itself),
            typing=SimpleNamespace(TYPE_CHECKING=False),
            TYPE_CHECKING=False,
            _mswindows=windows,  # of subprocess
            __name__="imported",
        )

    def holds(self, test: ast.expr) -> bool | None:
        """Whether a condition holds; None where that cannot be told."""
        try:
            code = compile(ast.Expression(test), "", "eval")
            return bool(eval(code, {"__builtins__": {}}, vars(self)))  # noqa: S307 - sources here
        except (NameError, AttributeError, TypeError, SyntaxError):
            return None  # SyntaxError: it yields, or awaits, which is for functions


class _Imports:
    """What one module imports.

    Args:
        package: the one that it is in.
        world: where it runs.
        functions: whether its functions run, too.
    """

    def __init__(self, package: str, world: _World, *, functions: bool) -> None:
        self._package = package
        self._world = world
        self._functions = functions

    def of(self, node: ast.AST) -> Iterator[str]:
        """What a part of its source imports."""
        if getattr(node, "is_lazy", 0):
            return  # from Python 3.15 on: it is imported when it is used
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from self._imported_from(node)
        elif isinstance(node, ast.If | ast.IfExp):
            holds = self._world.holds(node.test)
            for branch, wanted in ((node.body, True), (node.orelse, False)):
                if holds in {None, wanted}:
                    yield from self._each([*branch] if isinstance(branch, list) else [branch])
        elif isinstance(node, ast.Try) and any(_is_for_absence(each) for each in node.handlers):
            return  # it does without
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not self._functions:
            return
        else:
            for _, value in ast.iter_fields(node):
                yield from self._each(value if isinstance(value, list) else [value])

    def _each(self, parts: list[ast.AST]) -> Iterator[str]:
        """What some parts import: statements that others follow, or parts of one."""
        for part in parts:
            if isinstance(part, ast.AST):
                yield from self.of(part)
            if isinstance(part, ast.If) and self._world.holds(part.test) and _ends(part.body):
                return

    def _imported_from(self, node: ast.ImportFrom) -> Iterator[str]:
        base = self._package.rsplit(".", node.level - 1)[0] if node.level else ""
        module = ".".join(filter(None, (base, node.module)))
        yield module
        yield from (
            name for alias in node.names if source(name := f"{module}.{alias.name}") is not None
        )


def _ends(block: list[ast.stmt]) -> bool:
    return isinstance(block[-1], ast.Return | ast.Raise)


def _is_for_absence(handler: ast.ExceptHandler) -> bool:
    kind = ast.unparse(handler.type) if handler.type else "Exception"
    return any(each in kind for each in ("ImportError", "ModuleNotFoundError", "Exception"))
