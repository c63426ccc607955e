"""JSON at the price of a C function.

``import json`` brings ``re`` with it, which costs more than everything else on the path of a call.
These are the scanner and the escaper that ``json`` itself calls, used the way ``json`` uses them;
the whole of ``json`` is imported where a call writes.
"""

from __future__ import annotations

from _json import encode_basestring_ascii, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SPACE = " \t\n\r"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class _Context:
    """What ``make_scanner`` reads of a ``json.JSONDecoder``."""

    strict = True
    object_hook = None
    object_pairs_hook: type[tuple[object, ...]] | None = None
    array_hook = None  # from Python 3.15 on
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse)


class _Pairs(_Context):
    object_pairs_hook = tuple


# typeshed calls the argument a scanner; any object with these attributes is one (Modules/_json.c).
_scan = make_scanner(_Context)  # type: ignore[arg-type]
_scan_pairs = make_scanner(_Pairs)  # type: ignore[arg-type]


def loads(text: str, *, pairs: bool = False) -> object:
    """The value of a JSON text (RFC 8259).

    Args:
        text: the text.
        pairs: whether an object is to be a tuple of all its names and values as they stand, and
            not a dict, in which a name is once.

    Raises:
        ValueError: it is not JSON, or nested deeper than the interpreter goes.
    """
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = (_scan_pairs if pairs else _scan)(text, start)
    except (StopIteration, SystemError):
        # Up to Python 3.12 the scanner finds its exception's class only if json is imported, and
        # raises SystemError where it is not. Now that there is time: let json say what is wrong.
        raise ValueError(_fault(text)) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text[end:].strip(_SPACE):
        raise ValueError("text after the JSON value")
    return value


def _fault(text: str) -> str:
    import json

    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    return "not JSON"


quote: Callable[[str], str] = encode_basestring_ascii
"""A string as a JSON string, in ASCII."""
