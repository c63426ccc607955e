"""How nearly the name of one host is that of another."""

from __future__ import annotations

_LETTERS_ALIKE = 4  # of a label, from which another letter in it is a slip and not another name
_LETTERS_MORE = 3  # likewise, of a label with one letter too many, too few, or two that are swapped
_LETTERS_TWO = 8  # likewise, of one with two slips
_LABELS = 2  # that a name has at least which one more is put before

# How far two names are apart, the smaller the nearer.
SAME, HERE, WWW, LABEL, TYPO = 0, 1, 2, 3, 4


def distance(asked: str, kept: str) -> int | None:
    """How far a host's name is from the one that was asked for; None: they are two names.

    Args:
        asked: the host, as ``Url.host`` has it.
        kept: another, or ``*.`` and a domain.
    """
    if kept.startswith("*."):
        domain = kept[2:]
        labels = asked.split(".")[-(domain.count(".") + 1) :]
        return TYPO if _is_slip(".".join(labels), domain) else None
    if asked == kept:
        return SAME
    if _is_here(asked) and _is_here(kept):
        return HERE
    one, other = asked.removesuffix("."), kept.removesuffix(".")
    if one == other:
        return HERE
    if _is_address(one) or _is_address(other):
        return None
    if one.removeprefix("www.") == other.removeprefix("www."):
        return WWW
    shorter, longer = sorted((one, other), key=len)
    if shorter.count(".") + 1 >= _LABELS and longer.partition(".")[2] == shorter:
        return LABEL
    return TYPO if _is_slip(one, other) else None


def may_be_near(asked: str, key: str) -> bool:
    """Whether what a store has under a key may be for nearly that host: a look at its text.

    Of ten thousand keys, hardly one is worth more.
    """
    if not key.isascii():
        return True
    rest = key.partition("://")[2] or key
    host = rest.partition("/")[0].rpartition("@")[2].lower()
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return "%" in host or ":" in host or distance(asked, host) is not None


def _is_here(host: str) -> bool:
    name = host.removesuffix(".")
    return host == "::1" or name == "localhost" or (_is_address(host) and host.startswith("127."))


def _is_address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdecimal()


def _is_slip(one: str, other: str) -> bool:
    """Whether two names differ by a slip of the keyboard, or by what stands between the words."""
    if one == other:
        return False
    if _run_together(one) == _run_together(other):
        return True
    pairs = list(zip(one.split("."), other.split("."), strict=False))
    if one.count(".") != other.count("."):
        return False
    unlike = [pair for pair in pairs if pair[0] != pair[1]]
    return len(unlike) == 1 and _is_slip_in_label(*unlike[0])


def _run_together(name: str) -> str:
    return name.replace(".", "").replace("-", "").replace("_", "")


def _is_slip_in_label(one: str, other: str) -> bool:
    # Machines are counted: reg1 and reg2 are two of them, and so are b and c.
    if _without_digits(one) == _without_digits(other):
        return False
    shorter = min(len(one), len(other))
    edits, replaced = _edits(one, other)
    if edits == 1:
        return shorter >= (_LETTERS_ALIKE if replaced else _LETTERS_MORE - 1)
    return edits == 2 and shorter >= _LETTERS_TWO  # noqa: PLR2004 - slips


def _without_digits(label: str) -> str:
    return "".join(each for each in label if not each.isdecimal())


def _edits(one: str, other: str) -> tuple[int, bool]:
    """The optimal string alignment distance, and whether one edit alone puts a letter for another.

    More than two are told as three.
    """
    if abs(len(one) - len(other)) > 2:  # noqa: PLR2004 - slips
        return 3, False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        above, row, before = before, [at], row
        for to, their in enumerate(other, 1):
            least = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != their))
            swapped = at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == their
            row.append(min(least, above[to - 2] + 1) if swapped else least)
    same_length = len(one) == len(other)
    swapped_alone = same_length and sorted(one) == sorted(other)
    return min(row[-1], 3), same_length and not swapped_alone
