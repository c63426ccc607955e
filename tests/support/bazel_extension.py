"""bazel/'s module extension, repository rule and rule, run by a real interpreter of their language.

What Bazel gives them is Starlark as well, with Python where it reaches out: a context's functions.
https://bazel.build/rules/lib/globals/bzl, https://bazel.build/rules/lib/builtins/repository_ctx
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import starlark

from support import bazel_starlark
from support.bazel_example import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_KNOWN = """
repositories, targets, extensions = {}, {}, {}

def _checked(what, attrs, given):
    whole = {}
    for name in given:
        if name not in attrs:
            fail("%s has no attribute %s" % (what, name))
    for name, kind in attrs.items():
        if name not in given and kind.get("mandatory"):
            fail("missing value for mandatory attribute %s of %s" % (name, what))
        whole[name] = given.get(name, kind.get("default", ""))
    return struct(**whole)

attr = struct(string = lambda **known: known, label = lambda **known: known)

def tag_class(attrs, doc = ""):
    return attrs

def repository_rule(implementation, attrs, doc = ""):
    def repository(name, **given):
        repositories[name] = (implementation, _checked("repository rule", attrs, given))
    return repository

def module_extension(implementation, tag_classes, doc = ""):
    def extend(modules):
        made = []
        for module in modules:
            tags = {name: [] for name in tag_classes}
            for name, given in module["tags"]:
                tags[name].append(_checked("tag " + name, tag_classes[name], given))
            made.append(struct(is_root = module["is_root"], tags = struct(**tags)))
        metadata = lambda reproducible: said("metadata", {"reproducible": reproducible})
        implementation(struct(modules = made, extension_metadata = metadata))
    return extend

def rule(implementation, attrs, executable = False, doc = ""):
    def target(name, visibility = [], args = [], **given):
        targets[name] = (implementation, _checked("rule", attrs, given), args)
    return target

def exports_files(names):
    said("exports_files", {"names": names})

def DefaultInfo(executable):
    return executable

def fetch(name, os, arch):
    implementation, attributes = repositories[name]
    implementation(struct(
        attr = attributes,
        os = struct(name = os, arch = arch),
        download = lambda **given: download(given),
        read = read,
        file = lambda name, text, executable: write(name, text),
        path = lambda path: struct(exists = exists(path)),
    ))

def run(name):
    implementation, attributes, args = targets[name]
    extension = "exe" if attributes.program.endswith(".exe") else ""
    ctx = struct(
        label = struct(name = name),
        file = struct(program = struct(extension = extension, path = attributes.program)),
        actions = struct(
            declare_file = lambda name: name,
            symlink = lambda output, target_file, is_executable: link(output, target_file.path),
        ),
    )
    return implementation(ctx) + args
"""


class DownloadError(Exception):
    """A file is not there, or another one."""


class Bazel:
    """A Bazel with a workspace that depends on the module.

    Args:
        machine: os.name and os.arch, as Java says them.
        files: what is at each URL.
        folder: for repositories; it is empty.
        libraries: which of the paths that are asked for are there.

    Attributes:
        asked: the URLs that were downloaded from.
        said: what the extension said of itself.
    """

    def __init__(
        self,
        machine: tuple[str, str],
        files: Mapping[str, bytes],
        folder: Path,
        libraries: tuple[str, ...] = (),
    ) -> None:
        self.asked: list[str] = []
        self.said: list[tuple[str, dict[str, Any]]] = []
        self._machine = machine
        self._files = files
        self._folder = folder
        self._libraries = libraries
        self._globals = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
        self._module = starlark.Module()
        reached: tuple[tuple[str, Callable[..., Any]], ...] = (
            ("said", lambda what, attributes: self.said.append((what, attributes))),
            ("download", self._download),
            ("read", lambda name: (folder / name).read_text()),
            ("write", lambda name, text: (folder / name).write_text(text) and None),
            ("exists", lambda path: path in self._libraries),
            ("link", lambda name, program: (folder / name).symlink_to(program)),
        )
        for name, function in reached:
            self._module.add_callable(name, function)
        self._eval(_KNOWN, "known", starlark.Dialect.extended())
        for name in ("defs.bzl", "extensions.bzl"):
            self._eval((FOLDER / name).read_text(), name)

    def _eval(self, text: str, name: str, dialect: starlark.Dialect | None = None) -> object:
        parsed = starlark.parse(name, text, dialect or starlark.Dialect.standard())
        return starlark.eval(self._module, parsed, self._globals)

    def _download(self, given: dict[str, Any]) -> None:
        """``repository_ctx.download``: what comes is there only if it has the hash."""
        url = given["url"]
        self.asked.append(url)
        if url not in self._files:
            raise DownloadError(f"GET returned 404 Not Found: {url}")
        digest = hashlib.sha256(self._files[url]).hexdigest()
        if digest != given["sha256"]:
            raise DownloadError(f"Checksum was {digest} but wanted {given['sha256']}")
        path = self._folder / given["output"]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self._files[url])
        path.chmod(0o755 if given.get("executable") else 0o644)

    def resolve(self, *modules: str) -> None:
        """Evaluate the extension for MODULE.bazel files, of which the first is the workspace's."""
        rows = []
        for number, text in enumerate(modules):
            said = bazel_starlark.module_file(text)
            tags = [
                (what.removeprefix("tag "), given) for what, given in said if what[:4] == "tag "
            ]
            rows.append({"is_root": number == 0, "tags": [list(tag) for tag in tags]})
        self._module["given"] = rows
        self._eval("credlatch(given)", "resolve")

    def run(self, target: str) -> list[str]:
        """Fetch the repository and build a target; the command that ``bazel run`` starts then.

        Raises:
            starlark.StarlarkError: it cannot be had.
        """
        os, arch = self._machine
        self._eval(f"fetch('credlatch_program', {os!r}, {arch!r})", "fetch")
        build = starlark.parse("BUILD.bazel", (self._folder / "BUILD.bazel").read_text())
        (load,) = build.loads()
        assert load.module_id == "@credlatch//:defs.bzl"
        text = (self._folder / "BUILD.bazel").read_text()
        self._eval(text.replace(text.splitlines()[0], ""), "BUILD.bazel")
        said = self._eval(f"run({target!r})", "run")
        assert isinstance(said, list)
        return [str(self._folder / said[0]), *said[1:]]
