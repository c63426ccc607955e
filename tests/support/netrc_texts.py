"""netrc files, made up at random and the same each time."""

from __future__ import annotations

import random

WORDS = (
    *("machine", "login", "password") * 4,
    *("user", "account", "default", "macdef", "Machine", "LOGIN", "odd", "#", '"', '"a', 'a"'),
    *(
        "a.example",
        "A.Example",
        "a.example.",
        "b.example",
        "u.",
        "u",
        "v",
        "S",
        "\u00a0",
        "\0",
        "\\",
    ),
)
ODD_SPACES = (" ", " ", " ", "\n", "\n", "\t", "\r\n", "\n\n", "", "\x1c", "\v", "\n \n")
PLAIN_SPACES = (" ", " ", "\n", "\t")


def made_up(seed: int, spaces: tuple[str, ...] = ODD_SPACES) -> str:
    """A netrc of well-formed entries, and of whatever words, with these between them."""
    chosen = random.Random(seed)  # noqa: S311 - to be the same each time
    parts: list[str] = []
    for _ in range(chosen.randrange(6)):
        if chosen.random() < 0.7:
            name, user, word = chosen.choice(WORDS[-11:]), chosen.choice("uv"), chosen.choice("pq")
            parts += ["machine", name, chosen.choice(("login", "user")), user, "password", word]
        else:
            parts += chosen.choices(WORDS, k=chosen.randrange(7))
    return "".join(part + chosen.choice(spaces) for part in parts)
