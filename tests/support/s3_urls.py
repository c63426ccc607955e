"""Made-up URLs of S3 objects, in all the spellings that people and programs have for one key."""

from __future__ import annotations

import random
from dataclasses import dataclass

# What needs no percent sign in a path (RFC 3986, 3.3), and what does.
_PLAIN = "abzABZ019-_.~!$&'()*+,;=:@"
_CODED = ' %"<>?#[]^`{|}é日\U0001f600'
# No dots: MinIO takes a value of dots alone for a name that it refuses.
_IN_QUERY = "abz019-_~!$'()*,:@/?"

ORDINARY, ODD, REPEATED = "ordinary", "dots and double slashes", "a repeated name in the query"


@dataclass(frozen=True)
class Made:
    """One URL's part after the bucket.

    Attributes:
        key: the object's.
        text: the path below the bucket and the query, as somebody has written them.
        kind: ORDINARY, ODD or REPEATED.
    """

    key: str
    text: str
    kind: str


def made(seed: int, count: int, keys: int) -> list[Made]:
    """So many URLs of so many objects; always the same."""
    made_up = random.Random(seed)  # noqa: S311 - cases, the same each time
    names = [_key(made_up, number) for number in range(keys)]
    found = []
    for _ in range(count):
        key = made_up.choice(names)
        kind = ODD if is_odd(key) else ORDINARY
        query = ""
        if made_up.random() < 0.4:
            query, repeated = _query(made_up)
            kind = REPEATED if repeated else kind
        found.append(Made(key, _spelt(made_up, key) + query, kind))
    return found


def is_odd(key: str) -> bool:
    """Whether a key has a segment that is empty or dots."""
    return any(part in {"", ".", ".."} for part in key.split("/"))


def _key(made_up: random.Random, number: int) -> str:
    letters = _PLAIN + _CODED
    first = f"{number}-{''.join(made_up.choices(letters, k=made_up.randint(0, 5)))}"
    parts = [first, *("".join(made_up.choices(letters, k=made_up.randint(2, 6))) for _ in "ab")]
    if made_up.random() < 0.05:
        parts.insert(1, made_up.choice(["", ".", ".."]))
    return "/".join(parts[: made_up.randint(1, len(parts))])


def _spelt(made_up: random.Random, key: str) -> str:
    """A key as a path; what must be encoded is, and some of the rest, in either case."""
    return "".join(_letter(made_up, letter, f"{_PLAIN}/") for letter in key)


def _letter(made_up: random.Random, letter: str, plain: str) -> str:
    raw = letter in plain or not letter.isascii()
    if raw and made_up.random() < 0.8:
        return letter
    form = made_up.choice(["%{:02X}", "%{:02x}"])
    return "".join(form.format(byte) for byte in letter.encode())


def _query(made_up: random.Random) -> tuple[str, bool]:
    """A query of names that no server knows, and whether one of them stands there twice.

    AWS sorts names as they are encoded, and these servers as they are meant: of names of letters
    and digits, as all of S3's own are, that is the same.
    """
    names = made_up.sample(["x", "y-1", "z.~", "a b", "A", "x2"], k=made_up.randint(1, 4))
    repeated = made_up.random() < 0.1
    if repeated:
        names.append(names[0])
    pairs = []
    for name in names:
        value = "".join(made_up.choices(f"{_IN_QUERY} %+&=é", k=made_up.randint(0, 6)))
        text = "".join(_of_query(made_up, letter) for letter in value)
        left = "".join(_of_query(made_up, letter) for letter in name)
        pairs.append(left if not text and made_up.random() < 0.5 else f"{left}={text}")
    between = made_up.choice(["&", "&", "&", "&&"])
    return "?" + made_up.choice(["", "", "&"]) + between.join(pairs), repeated


def _of_query(made_up: random.Random, letter: str) -> str:
    if letter == " " and made_up.random() < 0.5:
        return "+"
    return _letter(made_up, letter, _IN_QUERY)
