"""What a server wants of those who ask it: ``WWW-Authenticate`` (RFC 9110, 11.6.1)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH = 8_192  # characters of a header that takes some two hundred
_TOKEN = frozenset(  # RFC 9110, 5.6.2
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_TOKEN68 = frozenset("-._~+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_BLANK = " \t"


class Challenge:
    """One way of authenticating that a server takes.

    Attributes:
        scheme: its name, in lower case.
        parameters: what it says of it, by names in lower case.
        token68: what it says in one word instead; empty: it does not.
    """

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme.lower()
        self.parameters: dict[str, str] = {}
        self.token68 = ""


def parse(text: str) -> list[Challenge]:
    """The challenges in a header, or in several that were joined by commas.

    One that is not written as it should be, or says something twice, is left out: two programs
    would read it differently. A value without quotes may hold what only a quoted one should.
    """
    if len(text) > MAX_LENGTH:
        return []
    found: list[Challenge] = []
    damaged: set[Challenge] = set()
    for element in _elements(text):
        end = next((at for at, each in enumerate(element) if each not in _TOKEN), len(element))
        name, rest = element[:end], element[end:]
        following = rest.lstrip(_BLANK)
        if name and not following.startswith("=") and rest[:1] in {"", *_BLANK}:
            found.append(Challenge(name))
            said = following
        else:
            said = element
        if said and found and not _says(found[-1], said):
            damaged.add(found[-1])
    return [each for each in found if each not in damaged]


def _says(challenge: Challenge, element: str) -> bool:
    """Note one parameter, or the word in place of all; whether it is one."""
    if challenge.token68:
        return False
    word = element.rstrip("=")
    if word and not challenge.parameters and _TOKEN68.issuperset(word):
        challenge.token68 = element
        return True
    name, equals, value = element.partition("=")
    name, value = name.rstrip(_BLANK).lower(), value.lstrip(_BLANK)
    if not equals or not name or not _TOKEN.issuperset(name) or name in challenge.parameters:
        return False
    if value.startswith('"'):
        plain = _unquoted(value)
        if plain is None:
            return False
        value = plain
    elif not value or any(each in value for each in '" \t\\'):
        return False
    challenge.parameters[name] = value
    return True


def _elements(text: str) -> Iterator[str]:
    """What stands between the commas that are in no quotes; nothing that is empty."""
    begin, quoted, escaped = 0, False, False
    for at, each in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and each == "\\":
            escaped = True
        elif each == '"':
            quoted = not quoted
        elif each == "," and not quoted:
            if element := text[begin:at].strip(_BLANK):
                yield element
            begin = at + 1
    if element := text[begin:].strip(_BLANK):
        yield element


def _unquoted(value: str) -> str | None:
    """What a quoted text says; None where it does not end, or more follows."""
    plain: list[str] = []
    escaped = False
    for at, each in enumerate(value[1:], start=1):
        if escaped:
            escaped = False
        elif each == "\\":
            escaped = True
            continue
        elif each == '"':
            return "".join(plain) if at == len(value) - 1 else None
        plain.append(each)
    return None
