"""Every workflow and action of GitHub's that is here: for this project, and for others to copy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from support.page import ROOT, Page

_NOT_OURS = {".git", ".scratch", "dist"}


class Text(NamedTuple):
    """One of them.

    Attributes:
        name: where it stands, from the project's root: a file, or a page and its block's number.
        text: what it says.
        is_action: it is an action's definition, and no workflow.
    """

    name: str
    text: str
    is_action: bool

    @property
    def said(self) -> dict[str, Any]:
        """What it says, read. YAML 1.1, as PyYAML knows it, has ``on`` for True."""
        said: dict[str, Any] = yaml.safe_load(self.text)
        return said

    @property
    def is_own(self) -> bool:
        """It runs in this project's own name, or in the jobs of all who use the action."""
        return self.is_action or self.name.startswith(".github/")

    def used(self) -> list[tuple[str, dict[str, Any]]]:
        """Each action that it uses, as it is written with its comment, and what that is given."""
        lines = re.findall(r"^[ -]*uses: (.+)$", self.text, re.MULTILINE)
        steps = [step for each in _jobs(self.said) for step in each if "uses" in step]
        assert [line.partition(" #")[0] for line in lines] == [step["uses"] for step in steps]
        return [(line, step.get("with", {})) for line, step in zip(lines, steps, strict=True)]


def _jobs(said: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The steps of each job; an action's own are one."""
    if "runs" in said:
        return [said["runs"]["steps"]]
    return [job.get("steps", [job]) for job in said["jobs"].values()]


def _kind(text: str) -> str:
    """``workflow`` or ``action``; "" for what is neither."""
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:
        return ""
    if not isinstance(said, dict):
        return ""
    if isinstance(said.get("runs"), dict) and "using" in said["runs"]:
        return "action"
    jobs = said.get("jobs")
    jobs = jobs.values() if isinstance(jobs, dict) else []
    return "workflow" if any({"runs-on", "uses"} & set(job) for job in jobs) else ""


def _every() -> list[Text]:
    texts = {}
    tops = [path for path in ROOT.iterdir() if path.name not in _NOT_OURS]
    for path in sorted(file for top in tops for file in (top, *top.rglob("*")) if file.is_file()):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".yml", ".yaml"):
            texts[name] = path.read_text()
        elif path.suffix == ".md":
            blocks = Page(name).of_kind("yaml")
            texts |= {f"{name}.{number}.yml": text for number, text in enumerate(blocks)}
    kinds = {name: _kind(text) for name, text in texts.items()}
    return [Text(name, texts[name], kind == "action") for name, kind in kinds.items() if kind]


EVERY = _every()
