"""The credential-helper protocol of Bazel (EngFlow/credential-helper-spec, ``spec.md``).

In: ``{"uri": "…"}``. Out: ``{"headers": {…}, "expires": "…Z"}``, with one value for each header,
since one of the protocol's clients fails on more, and always with ``headers``, since another needs
them.
"""

from __future__ import annotations

from credlatch import clock, quick_json
from credlatch import request as requests
from credlatch import url as urls
from credlatch.errors import RequestError
from credlatch.lines import unmarked
from credlatch.protocols import Protocol, Question, json_object, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.request import Request
    from credlatch.resolve import Resolution

USAGE = """\
usage: credlatch get, or credlatch bazel get

The request is on standard input, as Bazel writes it:
  echo '{"uri":"https://pypi.example.com/simple/"}' | credlatch get
"""
MAX_ANSWER = (
    65_536  # bytes: Bazel reads a helper's output after its end, so a pipe must hold it all
)


def parse(stdin: bytes) -> Request:
    """A request, from what Bazel writes.

    Raises:
        RequestError: it is no JSON object with a URL in ``uri``.
    """
    if not unmarked(stdin).strip():
        raise RequestError('nothing on standard input: a request is {"uri": "https://…"}')
    return requests.for_url(urls.parse(text(json_object(stdin), "uri")))


def render(resolution: Resolution | None) -> bytes:
    """The answer; for None the one that means: ask without credentials.

    Raises:
        RequestError: it is larger than Bazel reads.
    """
    if resolution is None:
        return b'{"headers":{}}\n'
    quote = quick_json.quote
    headers = ",".join(
        f"{quote(name)}:[{quote(value)}]" for name, value in resolution.credential.headers().items()
    )
    ends = (
        "" if resolution.expires is None else f',"expires":"{clock.timestamp(resolution.expires)}"'
    )
    answer = f'{{"headers":{{{headers}}}{ends}}}\n'.encode()
    if len(answer) > MAX_ANSWER:
        raise RequestError(
            f"the credential from {resolution.location} makes an answer of {len(answer)} bytes; "
            f"Bazel reads {MAX_ANSWER}"
        )
    return answer


PROTOCOL = Protocol(lambda stdin: Question(parse(stdin), render, missing=render(None)), USAGE)
