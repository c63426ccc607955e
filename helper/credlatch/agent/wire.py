"""The frames between a client and the agent, as docs/agent.md has them for other programs.

Nothing in them needs a parser: a length, then as many bytes. Numbers are big-endian.
"""

MAGIC = b"CRED\x01"  # the last byte is the version of all that is below
HEAD = len(MAGIC) + 1 + 4  # bytes before a request's fields: what it asks for, and their length
LONGEST = 4 * 1024 * 1024  # bytes of all fields together

# What a request asks for.
GET = b"G"  # fields: protocol, working directory, mount namespace, standard input, environment
FORWARDED = b"F"  # fields: protocol, standard input
STATUS = b"S"  # no fields
LOG = b"L"  # no fields
STOP = b"Q"  # no fields

# What an answer begins with.
PULSE = b"."  # still at work; more follows
DECLINED = b"-"  # serve it yourself; nothing follows
ANSWERED = b"="  # a length of four bytes, then the fields: status (one byte), stdout, stderr


def pack(*fields: bytes) -> bytes:
    """Fields one after the other, each behind its length in four bytes."""
    return b"".join([len(field).to_bytes(4, "big") + field for field in fields])


def unpack(body: bytes) -> list[bytes]:
    """What ``pack`` was given.

    Raises:
        ValueError: a field is cut off.
    """
    fields = []
    at = 0
    while at < len(body):
        begin = at + 4
        at = begin + int.from_bytes(body[at:begin], "big")
        if at > len(body) or begin > len(body):
            raise ValueError("a field is cut off")
        fields.append(body[begin:at])
    return fields


def request(asks_for: bytes, *fields: bytes) -> bytes:
    """A whole request."""
    body = pack(*fields)
    return MAGIC + asks_for + len(body).to_bytes(4, "big") + body


def head(data: bytes) -> tuple[bytes, int]:
    """What a request asks for, and the length of its fields in bytes.

    Raises:
        ValueError: this is no request, or one of another version.
    """
    length = int.from_bytes(data[-4:], "big")
    if len(data) != HEAD or not data.startswith(MAGIC) or length > LONGEST:
        raise ValueError("not a request of this version")
    return data[len(MAGIC) : len(MAGIC) + 1], length


def answer(status: int, out: bytes, err: bytes) -> bytes:
    """A whole answer: an exit status, standard output and standard error."""
    body = pack(bytes([status]), out, err)
    return ANSWERED + len(body).to_bytes(4, "big") + body
