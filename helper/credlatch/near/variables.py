"""Variables of the environment that were meant for the host, and are not read."""

from __future__ import annotations

from credlatch import near
from credlatch.fixes import shell
from credlatch.stores import environment
from credlatch.url import DEFAULT_PORTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores.steps import Step
    from credlatch.url import Url

_KINDS = ("TOKEN", "USERNAME", "PASSWORD")
_PREFIX = "CREDLATCH_"


def found(request: Request, caller: Caller, _trace: Iterable[Step]) -> Iterator[NearMiss]:
    """What the environment has for the URL, but for its name or a value."""
    url = request.url
    host = None if url is None else environment.suffix(url)
    if url is None or host is None:
        return
    for name in sorted(caller.environ):
        kind = _kind(name)
        wanted = f"{_PREFIX}{kind}_{host}"
        if not kind:
            continue
        if name == wanted:
            why, fix = _half(kind, host, caller.environ)
        elif _loosely(name, url) == _loosely(wanted, url):
            why = _unlike(name, wanted)
            fix = shell.renamed(name, wanted)
        else:
            continue
        if why:
            yield near.NearMiss(
                "environment",
                kept=name,
                location="environment",
                why=why,
                fix=fix,
                rank=near.MEANT,
            )


def _kind(name: str) -> str:
    """Which of the three a variable's name seems to mean; empty: none."""
    upper = name.upper().replace("-", "_")
    return next((kind for kind in _KINDS if upper.startswith(f"{_PREFIX}{kind}_")), "")


def _half(kind: str, host: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Why a variable of the right name is no answer; empty: for no such reason."""
    name = f"{_PREFIX}{kind}_{host}"
    if not environ[name].strip():
        return "it is set, and empty", shell.asked_for(name, is_secret=kind != "USERNAME")
    other = f"{_PREFIX}PASSWORD_{host}"
    if kind == "USERNAME" and not environ.get(other, "").strip():
        return f"it is set without {other}", shell.asked_for(other, is_secret=True)
    return "", ""


def _loosely(name: str, url: Url) -> str:
    """A variable's name without what is easily written in another way."""
    parts = name.upper().replace("-", "_").replace(".", "_").split("_")
    plain = "_".join(filter(None, parts))
    return plain.removesuffix(f"_{url.port}" if url.port == DEFAULT_PORTS[url.scheme] else "\0")


def _unlike(name: str, wanted: str) -> str:
    """What is another in a name, in words."""
    if name.upper() == wanted:
        return f"it is not upper case: {wanted} is read"
    return f"{wanted} is read: a dot is _ there, a hyphen __, and the scheme's own port is left out"
