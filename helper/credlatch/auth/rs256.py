"""RS256, the signature of a JSON Web Token with an RSA key (RFC 7515, RFC 7518 3.3, RFC 8017 8.2).

Python's own integers do it: a signature once an hour costs a sixth of importing a library for it,
which would be the largest part of the program. The signature is the same in every bit, as its
padding is fixed, and it is checked before it leaves.
"""

from __future__ import annotations

import os
from binascii import a2b_base64, b2a_base64
from hashlib import sha256

from credlatch import quick_json

_SMALLEST, _LARGEST = 1024, 8192  # bits of a modulus; a larger one would take seconds
_EXPONENT = 64  # bits of a public exponent, likewise
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30  # tags of DER (X.690)
_LONG = 0x80
_PARTS = 9  # of an RSAPrivateKey with two primes: version, n, e, d, p, q, dP, dQ, qInv
_RSA = bytes.fromhex("06092a864886f70d010101")  # the object identifier rsaEncryption, as DER
# DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2, note 1).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
_NONE = "it is no RSA key with two primes, or a damaged one"
_NAMES = ("RSA PRIVATE KEY", "PRIVATE KEY")


class Key:
    """An RSA private key with two primes."""

    __slots__ = ("_d_p", "_d_q", "_e", "_n", "_p", "_q", "_q_inverse")

    def __init__(self, parts: list[int]) -> None:
        _, n, e, d, p, q, *_ = parts
        if not (_SMALLEST <= n.bit_length() <= _LARGEST and e.bit_length() <= _EXPONENT):
            raise ValueError(f"it is no RSA key of {_SMALLEST} to {_LARGEST} bits")
        if not (p > 1 and q > 1 and p * q == n):
            raise ValueError(_NONE)
        self._n, self._e, self._p, self._q = n, e, p, q
        self._d_p, self._d_q, self._q_inverse = d % (p - 1), d % (q - 1), _inverse(q, p)

    def sign(self, message: bytes) -> bytes:
        """The signature (RSASSA-PKCS1-v1_5 with SHA-256).

        Raises:
            ValueError: the parts of the key do not belong together, as in a damaged one.
        """
        n, p, q = self._n, self._p, self._q
        size = (n.bit_length() + 7) // 8
        tail = _SHA256 + sha256(message).digest()
        padded = b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail
        number = int.from_bytes(padded, "big")
        # Blinded, so that the time it takes tells nothing of the key.
        blind = int.from_bytes(os.urandom(size), "big") % (n - 2) + 2
        hidden = number * pow(blind, self._e, n) % n
        by_p, by_q = pow(hidden, self._d_p, p), pow(hidden, self._d_q, q)
        made = by_q + (by_p - by_q) * self._q_inverse % p * q
        made = made * _inverse(blind, n) % n
        # A fault in one half would give the key away to who sees the result.
        if pow(made, self._e, n) != number:
            raise ValueError(_NONE)
        return made.to_bytes(size, "big")


def _inverse(number: int, modulus: int) -> int:
    try:
        return pow(number, -1, modulus)
    except ValueError:
        raise ValueError(_NONE) from None


def body(pem: str) -> str:
    """What is between the lines of a PEM file with an RSA private key: base64, without spaces.

    Raises:
        ValueError: it is none, or is encrypted.
    """
    for name in _NAMES:
        _, begin, rest = pem.partition(f"-----BEGIN {name}-----")
        inside, end, _ = rest.partition(f"-----END {name}-----")
        if begin and end:
            if ":" in inside:  # Proc-Type: 4,ENCRYPTED
                raise ValueError("it is encrypted")
            return "".join(inside.split())
    raise ValueError("it is no private key in PEM form")


def key(text: str) -> Key:
    """The key in base64: PKCS #8 (RFC 5958) or PKCS #1 (RFC 8017, A.1.2), in DER.

    Raises:
        ValueError: it is no such key.
    """
    try:
        data = a2b_base64(text, strict_mode=True)
        outer = _inside(data, _SEQUENCE)
        if _elements(outer)[1][0] == _SEQUENCE:  # PKCS #8: the algorithm
            algorithm, octets = _elements(outer)[1][1], _inside(outer, _OCTETS, 2)
            outer = _inside(octets, _SEQUENCE) if algorithm.startswith(_RSA) else b""
        parts = [int.from_bytes(each, "big") for tag, each in _elements(outer) if tag == _INTEGER]
    except (IndexError, ValueError):
        raise ValueError(_NONE) from None
    if len(parts) != _PARTS or parts[0] != 0:
        raise ValueError(_NONE)
    return Key(parts)


def _inside(data: bytes, tag: int, at: int = 0) -> bytes:
    """The content of the element at a place; IndexError where that is another one or none."""
    found, content = _elements(data)[at]
    if found != tag:
        raise IndexError
    return content


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """The tags and contents that follow one another in DER."""
    found, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= _LONG:
            size = length - _LONG
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise IndexError
        found.append((tag, data[at : at + length]))
        at += length
    return found


def token(header: dict[str, str], claims: dict[str, str | int], signer: Key) -> str:
    """A JSON Web Token (RFC 7519), signed.

    Args:
        header: without ``alg`` and ``typ``.
        claims: what it says.
        signer: the key.
    """
    said = "{}.{}".format(
        *(_encoded(_json(each)) for each in ({"typ": "JWT", "alg": "RS256", **header}, claims))
    )
    return f"{said}.{_encoded(signer.sign(said.encode()))}"


def _json(values: dict[str, str | int] | dict[str, str]) -> bytes:
    pairs = (
        f"{quick_json.quote(name)}:{value if isinstance(value, int) else quick_json.quote(value)}"
        for name, value in values.items()
    )
    return f"{{{','.join(pairs)}}}".encode()


def _encoded(data: bytes) -> str:
    text = b2a_base64(data, newline=False).decode("ascii").rstrip("=")
    return text.translate({ord("+"): "-", ord("/"): "_"})
