"""What a MODULE.bazel or a BUILD.bazel says, by a real interpreter of its language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import starlark

if TYPE_CHECKING:
    from pathlib import Path

# https://bazel.build/rules/lib/globals/module
_MODULE = """
def use_repo_rule(file, name):
    def rule(**attributes):
        said(name, dict(attributes, _file = file))
    return rule

def module(**attributes):
    said("module", attributes)

def bazel_dep(**attributes):
    said("bazel_dep", attributes)

def archive_override(**attributes):
    said("archive_override", attributes)

def use_extension(file, name):
    said("use_extension", {"file": file, "name": name})
    return struct(release = lambda **attributes: said("tag release", attributes))

def use_repo(extension, *names):
    said("use_repo", {"names": names})
"""
# https://bazel.build/reference/be/general#genrule, https://bazel.build/reference/be/functions
_BUILD = """
def genrule(**attributes):
    said("genrule", attributes)

def exports_files(names):
    said("exports_files", {"names": names})

def alias(**attributes):
    said("alias", attributes)
"""
Said = list[tuple[str, dict[str, Any]]]


def module_file(text: str, name: str = "MODULE.bazel") -> Said:
    """The directives of a MODULE.bazel, each with its attributes.

    Raises:
        starlark.StarlarkError: it is none.
    """
    return _run(_MODULE, text, name)


def build_file(path: Path) -> Said:
    """The rules of a BUILD.bazel, each with its attributes."""
    return _run(_BUILD, path.read_text(), path.name)


def _run(known: str, text: str, name: str) -> Said:
    said: Said = []
    module = starlark.Module()
    module.add_callable("said", lambda what, attributes: said.append((what, attributes)))
    standard = starlark.Globals.standard()
    extended = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
    starlark.eval(module, starlark.parse("known", known, starlark.Dialect.extended()), extended)
    # No functions, statements or loads of one's own are allowed in either file.
    dialect = starlark.Dialect.standard()
    dialect.enable_def = dialect.enable_lambda = dialect.enable_load = False
    dialect.enable_top_level_stmt = dialect.enable_f_strings = False
    starlark.eval(module, starlark.parse(name, text, dialect), standard)
    return said
