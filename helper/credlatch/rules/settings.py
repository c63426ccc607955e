"""What a file of settings says: its rules, and what is wrong with it, each with its line."""

from __future__ import annotations

import tomllib

from credlatch.rules import Rule, places, rows, schema
from credlatch.structs import converted, msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.rules.places import Place

_ROW = "rule"  # what [[…]] is called


class Problem:
    """Something that is wrong.

    Attributes:
        line: of the file, from 1; 0 where it is not known.
        rule: which one, from 0; None: none of them.
        key: what of it; empty: all.
        text: what is wrong, in words for a person.
    """

    def __init__(self, line: int, rule: int | None, key: str, text: str) -> None:
        self.line = line
        self.rule = rule
        self.key = key
        self.text = text

    def shown(self, path: str) -> str:
        """One line: where, and what."""
        line = f" line {self.line}" if self.line else ""
        rule = f" rule {self.rule + 1}:" if self.rule is not None and not self.line else ""
        return f"{path}{line}:{rule} {self.key + ': ' if self.key else ''}{self.text}"


class Settings:
    """A file's rules.

    Attributes:
        path: the file.
        rules: each with its place; those that are wrong are not among them.
        problems: what is wrong, but for names in ``use``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.rules: list[tuple[Place, Rule, int]] = []
        self.problems: list[Problem] = []

    def held(self, place: Place) -> tuple[Place, Rule] | None:
        """The most specific rule for a place, of which there is one; None: there is none."""
        covering = [(each, rule) for each, rule, _ in self.rules if each.covers(place)]
        return max(covering, key=lambda each: each[0].weight, default=None)

    def divides(self, place: Place) -> bool:
        """Whether a rule is for a part of what is at or below a place."""
        return any(each.is_within(place) for each, *_ in self.rules)

    def narrowed(self) -> Settings:
        """The same rules, as far as they narrow: they name no file, no server and no system."""
        settings = Settings(self.path)
        settings.problems = self.problems
        for place, said, line in self.rules:
            rule = Rule()
            rule.where, rule.forbidden, rule.account = said.where, said.forbidden, said.account
            rule.only = said.use or None
            settings.rules.append((place, rule, line))
        return settings

    def all_problems(self, names: Iterable[str]) -> list[Problem]:
        """What is wrong, and what names a store or a system that is none of these."""
        known = set(names)
        unknown = [
            Problem(line, None, "use", f"there is no store or system {name[:40]!r}: {listed}")
            for _, rule, line in self.rules
            for name in rule.use or rule.only or ()
            if name not in known
            for listed in [", ".join(sorted(known))]
        ]
        return sorted([*self.problems, *unknown], key=lambda problem: problem.line)


def parse(text: str, path: str) -> Settings:
    """What the user's own file says."""
    return _parsed(text, path, schema.Said)


def parse_workspace(text: str, path: str) -> Settings:
    """What a workspace's file says, as far as it may."""
    return _parsed(text, path, schema.Narrowing)


def _parsed(text: str, path: str, kind: type[schema.Said | schema.Narrowing]) -> Settings:
    settings = Settings(path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        settings.problems.append(Problem(0, None, "", f"it is no TOML: {error}"))
        return settings
    written = content.pop(_ROW, [])
    lines = text.splitlines()
    for key in content:
        line = rows.line_of(_ROW, key, lines, range(len(lines) + 1))
        settings.problems.append(
            Problem(line, None, key, "there is no such setting: only [[rule]]")
        )
    if not isinstance(written, list):
        settings.problems.append(Problem(0, None, "rule", "write [[rule]], with two brackets"))
        return settings
    ranges = rows.ranges(_ROW, lines, len(written))
    seen: dict[object, tuple[int, Rule]] = {}
    for number, row in enumerate(written):
        source = lines, ranges[number]
        added = _add(settings, number, row, kind, source)
        if added is None:
            continue
        place, rule = added
        first, before = seen.setdefault((place.origin, place.segments), (number, rule))
        if first == number:
            settings.rules.append((place, rule, rows.line_of(_ROW, "use", *source)))
            continue
        before.forbidden = True  # of two nobody knows which is meant
        wrong = f"{place.text} is the place of another rule, too: {before.where}"
        settings.problems.append(Problem(rows.line_of(_ROW, "url", *source), number, "url", wrong))
    return settings


def _add(
    settings: Settings,
    number: int,
    row: object,
    kind: type[schema.Said | schema.Narrowing],
    source: tuple[list[str], range],
) -> tuple[Place, Rule] | None:
    """One rule and its place, or None where it is wrong, which is noted.

    One that narrows, and cannot be understood, lets nothing answer: it was to forbid something.
    """

    def wrong(key: str, text: str) -> None:
        settings.problems.append(Problem(rows.line_of(_ROW, key, *source), number, key, text))

    if kind is schema.Narrowing and isinstance(row, dict):
        known = {field.encode_name for field in msgspec.structs.fields(kind)}
        for key in [key for key in row if key not in known]:
            wrong(key, "a workspace may not say that: only url, use, forbid and account")
            del row[key]
    line = source[1].start
    where = f"{settings.path} line {line}" if line else f"{settings.path}, rule {number + 1}"
    try:
        said = converted(row, kind)
        complaint = schema.complaint(said)
    except msgspec.ValidationError as error:
        complaint = rows.translated(str(error))
    if complaint is None:
        return places.parse(said.url), _rule(said, where)
    wrong(*complaint)
    url = row.get("url") if isinstance(row, dict) else None
    if kind is schema.Said or not isinstance(url, str):
        return None
    try:
        return places.parse(url), _rule(schema.Narrowing(url, forbid=True), where)
    except ValueError:
        return None


def _rule(said: schema.Said | schema.Narrowing, where: str) -> Rule:
    rule = Rule()
    for name in said.__struct_fields__:
        if name not in {"url", "use", "forbid"}:
            setattr(rule, name, getattr(said, name))
    rule.where, rule.use, rule.forbidden = where, tuple(said.use or ()), said.forbid
    return rule
