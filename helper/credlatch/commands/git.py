"""``credlatch git OPERATION``, also by the name ``git-credential-credlatch``."""

from __future__ import annotations

from credlatch import logins, streams
from credlatch import request as requests
from credlatch.credential import Basic
from credlatch.errors import UsageError
from credlatch.protocols import git
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.resolve import Resolution
    from credlatch.url import Url

USAGE = """\
usage: credlatch git [--read-only] get|store|erase|capability

Git calls it: git config --global credential.helper '!credlatch git'
With --read-only, nothing is kept or forgotten: for use beside another helper that does so.
"""


def run(args: list[str], caller: Caller) -> int:
    """Do what git says; the exit status, which git does not look at.

    Raises:
        UsageError: there is no operation.
        CredlatchError: it cannot be done. Git then asks the next helper, or a person.
    """
    keeps = True
    if args[:1] == ["--read-only"]:
        args, keeps = args[1:], False
    match args:
        case ["store" | "erase" as operation] if keeps:
            try:
                (_store if operation == "store" else _erase)(caller)
            finally:
                streams.say_warnings(caller)
        case ["capability"]:
            streams.answer(git.CAPABILITIES)
        case ["--help" | "-h"]:
            streams.answer(USAGE.encode())
        case [operation] if not operation.startswith("-"):
            pass  # "silently ignore the request": it may be one of a later git's
        case _:
            raise UsageError("usage: credlatch git get, or store, erase, capability")
    return 0


def _store(caller: Caller) -> None:
    """Keep a login that a person has typed.

    Git says so after every success, whoever gave it the login. What we gave, what ends, and what
    another helper signs for one use must not become a login that lasts.
    """
    stdin = streams.read_stdin(caller)
    new = git.parse(stdin)
    if new.url is None or new.username is None or not new.password:
        return
    if new.given or new.ends or new.token is not None or _is_forwarded(stdin):
        return
    known = _known(caller, new.url)
    if known is None or not (known.credential.secret == new.password or _is_token(known)):
        logins.keep(caller, new.url, new.username, new.password)


def _is_forwarded(stdin: bytes) -> bool:
    """Whether another machine's agent answers for it: there it is kept, and stays."""
    from credlatch.agent import asking

    output = (b"protocol", b"host", b"path", b"username")
    rows = [row for row in stdin.split(b"\n") if row.partition(b"=")[0] in output]
    return asking.answers_elsewhere("git", b"\n".join(rows))


def _is_token(known: Resolution) -> bool:
    """Whether it may have been renewed, so that what git has is an older one of ours.

    Git before 2.46 does not say from whom it has a password.
    """
    return not isinstance(known.credential, Basic)


def _erase(caller: Caller) -> None:
    """Forget the login that a server has refused, if it is one that was kept here."""
    refused = git.parse(streams.read_stdin(caller))
    url = refused.url
    if url is None:
        return
    if refused.token is None and logins.forget(caller, url, refused.username, refused.password):
        return
    secret = refused.token or refused.password
    known = _known(caller, url) if secret else None
    if known is not None and known.credential.secret == secret:
        remedy = known.entry.remedy
        streams.say(f"{url.shown} refused the credential from {known.location}: {remedy}")


def _known(caller: Caller, url: Url) -> Resolution | None:
    """What ``get`` has answered, unless it has been renewed since."""
    outcome = Resolver(caller, renews=False).outcome(requests.for_login(url))
    caller.warnings.clear()  # said at ``get``
    return outcome.resolution
