"""JSON as Go's ``encoding/json`` reads it into a struct: what Docker's clients and helpers do.

A field's name counts in any case. Of several values the last counts, and ``null`` is none.
"""

from __future__ import annotations

from credlatch import quick_json


def loads(text: str) -> object:
    """The value of a JSON text; an object is a tuple of its names and values.

    Raises:
        ValueError: it is not JSON.
    """
    return quick_json.loads(text, pairs=True)


def fields(value: object, *names: str) -> dict[str, object] | None:
    """Those of an object's fields that have a value, by ``names``; None for what is no object.

    Args:
        value: from ``loads``.
        names: in lower case.
    """
    if not isinstance(value, tuple):
        return None
    found = {}
    for name, each in value:
        folded = _folded(name)
        if folded in names and each is not None:
            found[folded] = each
    return found


def values(value: object, name: str) -> list[object]:
    """All the values that an object has for one of its fields, ``null`` among them.

    Args:
        value: from ``loads``.
        name: in lower case.
    """
    pairs = value if isinstance(value, tuple) else ()
    return [each for key, each in pairs if _folded(key) == name]


def _folded(name: str) -> str:
    # Go folds runes one by one; of those outside ASCII the long s and the Kelvin sign are letters.
    return name.replace("\u017f", "s").lower()
