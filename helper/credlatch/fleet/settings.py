"""``fleet.toml``: which logins machines share, where each is kept, and what this machine does."""

from __future__ import annotations

import tomllib
from os.path import exists, isabs

from credlatch.errors import StoreError
from credlatch.fleet import environment, schema
from credlatch.rules import places, rows
from credlatch.structs import converted, msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.rules.places import Place

VARIABLE = "CREDLATCH_FLEET"  # names another file
_ROW = "fleet"


class Row:
    """One login that machines share.

    Attributes:
        said: what the file says of it.
        where: the file and the line, for messages.
        places: what it is for.
    """

    def __init__(self, said: schema.Said, where: str) -> None:
        self.said = said
        self.where = where
        self.url = said.url if isinstance(said.url, str) else said.url[0]
        named = [said.url] if isinstance(said.url, str) else said.url
        self.places = [places.parse(each) for each in named]

    @property
    def name(self) -> str:
        """What it is called in messages: the path, or the Secret, without where its engine is."""
        said = self.said
        return self._named(said.login if said.one_path or said.access is None else said.access)

    @property
    def login_name(self) -> str:
        """Likewise, of the login."""
        return self._named(self.said.login)

    @property
    def renews(self) -> bool:
        """Whether this machine renews the login for others."""
        return self.said.role == schema.RENEWER

    def _named(self, path: str | None) -> str:
        is_whole = self.said.engine == schema.KUBERNETES
        return str(path) if is_whole else f"{self.said.mount}/{path}"


class Settings:
    """What the file says.

    Attributes:
        path: the file.
        rows: its rows; those that are wrong are not among them.
        problems: what is wrong, a line each.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[Row] = []
        self.problems: list[str] = []

    def held(self, place: Place) -> Row | None:
        """The most specific row for a place, of which there is one; None: there is none."""
        covering = [(each, row) for row in self.rows for each in row.places if each.covers(place)]
        found = max(covering, key=lambda each: each[0].weight, default=None)
        return None if found is None else found[1]


def path(caller: Caller) -> str:
    """The file; it is there or not."""
    return caller.path(VARIABLE) or caller.config("credlatch", "fleet.toml")


def there(caller: Caller) -> bool:
    """Whether there is anything to be read."""
    return caller.get(VARIABLE) is not None or exists(path(caller))


def read(caller: Caller) -> Settings | None:
    """What the file says, wrong or not; None without one.

    Raises:
        StoreError: it cannot be read, or not be believed.
    """
    named = path(caller)
    found = caller.document(named, parse, lambda _: False)  # there are no secrets in it
    author = caller.author(named)
    if author is not None:
        raise StoreError(
            f"{named} is another user's (uid {author}), who could have a login sent elsewhere: "
            f"sudo chown root {named}, or have {VARIABLE} name a file of your own"
        )
    if found is None and caller.get(VARIABLE) is not None:
        raise StoreError(f"{named} is not there, and {VARIABLE} names it: correct one of them")
    return found


def believed(caller: Caller) -> Settings | None:
    """What the file says, where nothing is wrong with it; raises as ``read``, and where it is."""
    found = read(caller)
    if found is not None and found.problems:
        more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
        raise StoreError(f"{found.problems[0]}{more}: see credlatch doctor")
    return found


def addresses(row: Row, caller: Caller) -> list[str]:
    """Where a row's engine answers: what the row says, or else the environment.

    A CI's job may set variables; what a file of the machine's says is not theirs to change.

    Raises:
        StoreError: neither says it, or not as a server's URL.
    """
    said = schema.addresses(row.said)
    if said or row.said.engine == schema.KUBERNETES:
        return said
    name, value = environment.address(caller.environ)
    if not value:
        raise StoreError(
            f"{row.where} does not say where its engine is, and neither BAO_ADDR nor VAULT_ADDR is "
            'set: add address = "https://…"'
        )
    if why := schema.address_complaint(value):
        raise StoreError(f"{name} cannot be used: {why}")
    return [value]


def namespace(row: Row, caller: Caller) -> str:
    """The namespace of a row's engine; empty: none."""
    if row.said.namespace is not None or row.said.engine == schema.KUBERNETES:
        return row.said.namespace or ""
    return environment.variable("NAMESPACE", caller.environ)[1]


def file_at(named: str, row: Row, caller: Caller) -> str:
    """The whole path of a file that a row names.

    Raises:
        StoreError: it is none.
    """
    path = caller.in_home(named[2:]) if named.startswith("~/") else named
    if not isabs(path):
        raise StoreError(f"{row.where}: {named} is not the whole path of a file: it begins with /")
    return path


def parse(text: str, path: str) -> Settings:
    """What a file's text says."""
    settings = Settings(path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        settings.problems.append(f"{path}: it is no TOML: {error}")
        return settings
    written = content.pop(_ROW, [])
    lines = text.splitlines()
    for key in content:
        line = rows.line_of(_ROW, key, lines, range(len(lines) + 1))
        settings.problems.append(_problem(path, line, key, "there is no such setting: [[fleet]]"))
    if not isinstance(written, list):
        settings.problems.append(f"{path}: fleet: write [[fleet]], with two brackets")
        return settings
    seen: dict[object, Row] = {}
    for row, where in zip(written, rows.ranges(_ROW, lines, len(written)), strict=True):
        try:
            said = converted(row, schema.Said)
            wrong = schema.complaint(said)
        except msgspec.ValidationError as error:
            wrong = rows.translated(str(error))
        if wrong is None:
            made = Row(said, f"{path} line {where.start}" if where.start else path)
            wrong = next(_doubles(made, seen), None)
            if wrong is None:
                settings.rows.append(made)
                continue
        line = rows.line_of(_ROW, wrong[0], lines, where)
        settings.problems.append(_problem(path, line, *wrong))
    return settings


def _doubles(row: Row, seen: dict[object, Row]) -> Iterator[tuple[str, str]]:
    """The places of a row that another one has, too."""
    for place in row.places:
        first = seen.setdefault((place.origin, place.segments), row)
        if first is not row:
            yield "url", f"{place.text} is the place of another row, too: {first.where}"


def _problem(path: str, line: int, key: str, text: str) -> str:
    return f"{path}{f' line {line}' if line else ''}: {key + ': ' if key else ''}{text}"
