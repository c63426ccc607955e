"""SeaHash 4.1, by which uv named the files of pyx's token store.

Reference: docs.rs/seahash, ``reference`` module. uv hashes the text followed by a byte 0xFF and
writes the 64 bits as little-endian bytes in hexadecimal.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_PRIME = 0x6EED0E9DA4D94A4F
_SEED = (0x16F11FE89B0D677C, 0xB480A793D8E6C86C, 0x6FE2E5AAF078EBC9, 0x14F994A4C5259381)
_WORD = 8  # bytes


def _diffuse(x: int) -> int:
    x = x * _PRIME & _MASK
    x ^= (x >> 32) >> (x >> 60)
    return x * _PRIME & _MASK


def digest(text: str) -> str:
    """The 16 hexadecimal digits for a text."""
    # A variable may hold bytes that are no text, which Python keeps as surrogates.
    data = text.encode(errors="surrogateescape") + b"\xff"
    a, b, c, d = _SEED
    for at in range(0, len(data), _WORD):
        word = int.from_bytes(data[at : at + _WORD], "little")  # the last one counts as zero-padded
        a, b, c, d = b, c, d, _diffuse(a ^ word)
    return _diffuse(a ^ b ^ c ^ d ^ len(data)).to_bytes(_WORD, "little").hex()
