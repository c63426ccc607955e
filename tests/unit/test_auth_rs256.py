"""RS256 signatures, held against a library's."""

from __future__ import annotations

import base64
import functools
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from credlatch.auth import rs256

PKCS8 = serialization.PrivateFormat.PKCS8
PKCS1 = serialization.PrivateFormat.TraditionalOpenSSL


@functools.cache
def made(bits: int, exponent: int = 65_537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: serialization.PrivateFormat = PKCS8,
    password: bytes | None = None,
) -> str:
    lock: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def read(text: str) -> rs256.Key:
    return rs256.key(rs256.body(text))


@pytest.mark.parametrize("form", [PKCS8, PKCS1], ids=["PKCS8", "PKCS1"])
@pytest.mark.parametrize(
    ("bits", "exponent"), [(2048, 65_537), (1024, 65_537), (1032, 3), (3072, 65_537)]
)
def test_a_signature_is_the_library_s_in_every_bit(
    bits: int, exponent: int, form: serialization.PrivateFormat
) -> None:
    key = made(bits, exponent)
    ours = read(pem(key, form))
    for message in (b"", b"a.b", bytes(range(256)) * 9):
        assert ours.sign(message) == key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def test_a_token_says_what_it_was_given_and_is_verified_by_the_public_half() -> None:
    key = made(2048)
    token = rs256.token({"kid": "k"}, {"iss": 'a"é', "iat": 7}, read(pem(key)))
    head, claims, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
    )
    assert json.loads(head) == {"typ": "JWT", "alg": "RS256", "kid": "k"}
    assert json.loads(claims) == {"iss": 'a"é', "iat": 7}
    signed = token.rpartition(".")[0].encode()
    key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    assert "=" not in token


def test_lines_of_any_end_and_text_around_them_are_no_matter() -> None:
    text = pem(made(2048))
    assert rs256.body(f"Bag Attributes\n{text}") == rs256.body(text.replace("\n", "\r\n"))
    assert rs256.body(text.replace("\n", "")) == rs256.body(text)


def damaged(text: str, at: int) -> str:
    data = bytearray(base64.b64decode(rs256.body(text)))
    data[at] ^= 0xFF
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "key",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(made(2048), password=b"x"),
        pem(made(2048), PKCS1, password=b"x"),
    ],
)
def test_what_is_no_rsa_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is (no RSA key|no private key|encrypted)"):
        read(text)


def test_a_key_that_is_cut_off_or_changed_anywhere_signs_nothing() -> None:
    text = pem(made(1024))
    data = base64.b64decode(rs256.body(text))
    for length in range(0, len(data), 7):
        with pytest.raises(ValueError, match=r"."):
            rs256.key(base64.b64encode(data[:length]).decode())
    good = made(1024).sign(b"m", padding.PKCS1v15(), hashes.SHA256())
    for at in range(0, len(data), 5):
        try:  # what is not used (dP, dQ, qInv) may be anything
            assert rs256.key(damaged(text, at)).sign(b"m") == good
        except ValueError:
            continue


def test_a_modulus_that_would_take_minutes_is_refused() -> None:
    p, q = 3**5_000, 5**4_000
    with pytest.raises(ValueError, match="1024 to 8192 bits"):
        rs256.Key([0, p * q, 65_537, 1, p, q, 1, 1, 1])
