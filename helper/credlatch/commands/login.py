"""``credlatch login HOST``: a login is asked for, tried, and kept where pixi keeps its own."""

from __future__ import annotations

import click

from credlatch import streams
from credlatch.commands.hosts import Host
from credlatch.commands.login_ways import Words, obtained
from credlatch.errors import CredlatchError, NotKeptError, RenewalError, StoreError, UsageError
from credlatch.lines import printable
from credlatch.login import keeping, revoking, users
from credlatch.login import target as targets
from credlatch.login.oauth import Options
from credlatch.login.provider import CLIENT
from credlatch.people import interrupts, terminal
from credlatch.people.command import Command, passes_caller
from credlatch.people.places import from_home
from credlatch.people.styles import DIM, GOOD, WARN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.login.given import Given
    from credlatch.login.keeping import Kept
    from credlatch.login.sharing import Shared
    from credlatch.login.target import Target
    from credlatch.people.terminal import Terminal
    from credlatch.url import Url

_INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended


@passes_caller
def login(caller: Caller, /, host: str, **said: Any) -> int:
    """Log in to a host.

    Raises:
        UsageError: the words do not go together, or nobody can be asked.
        NotKeptError: the login is refused, or could not be tried.
        StoreError: it cannot be kept.
    """
    interrupts.raised(ends=True)
    shown = terminal.of(caller)
    check, is_wanted = said.pop("check"), not said.pop("no_check")
    asked = (said.pop(name) for name in ("client_id", "scopes", "audience", "redirect_uri"))
    words = Words(options=Options(*asked), **said)
    at = targets.target(host, caller)
    trial = _Trial(at, check, is_wanted=is_wanted, shown=shown, caller=caller)
    shared = _shared(at, caller) if words.fleet else None
    arrived: list[Given] = []  # from a provider, which may have given it for nothing
    try:
        what = obtained(at, words, shown, caller, arrived)
        form = trial.of(what)
        if shared is None:
            kept = keeping.keep(at, what, form, caller)
        else:
            unread = shared.keep(what)
    except KeyboardInterrupt:
        streams.say(_stopped(at, arrived, caller, shared))
        return _INTERRUPTED
    except CredlatchError:
        for each in arrived:
            revoking.revoked(each.value)
        raise
    if shared is None:
        _tell(kept, at, shown, caller)
    else:
        _tell_shared(shared, unread, at, shown)
    streams.say_warnings(caller)
    return 0


def _shared(at: Target, caller: Caller) -> Shared:
    """Where machines share it, if this one may have it kept there; raises why it may not."""
    from credlatch.login import sharing

    found = sharing.shared(at, caller)
    found.see()
    return found


def _tell_shared(shared: Shared, unread: str, at: Target, shown: Terminal) -> None:
    shown.say(f"Kept for {printable(at.shown, 200)} in {shared.place}.", GOOD)
    if unread:
        shown.say(f"{unread}. credlatch fleet renew has it read, once that is mended", WARN)
    elif shared.access:
        shown.say(f"Workers read its token in {shared.access}.")


def _stopped(at: Target, arrived: list[Given], caller: Caller, shared: Shared | None) -> str:
    """What has become of a login that Ctrl-C has ended; what is not kept is revoked."""
    for each in arrived:
        if shared is not None and shared.is_kept(each):
            return f"it was kept before that, in {shared.place}"
        if shared is None and keeping.is_kept(at, each, caller):
            return f"it was kept before that: credlatch logout {at.shown} removes it"
        try:
            done = revoking.revoked(each.value)
        except KeyboardInterrupt:
            return "nothing was kept; what the provider gave is not revoked, and ends by itself"
        if done.revoked:
            return f"nothing was kept, and {done.revoked} has revoked what it gave"
        if done.failure:
            return f"nothing was kept; what was given may still be good: {done.failure}"
    return "nothing was kept"


class _Trial:
    """Where, and whether, a login is tried.

    Args:
        at: what it is for.
        check: the URL where the person wants it tried, or None.
        is_wanted: whether it is tried.
        shown: where the person reads what came of it.
        caller: whose login it is.

    Raises:
        UsageError: that URL is at another server.
    """

    def __init__(
        self, at: Target, check: str | None, *, is_wanted: bool, shown: Terminal, caller: Caller
    ) -> None:
        self._place: Url | None = None if at.is_bucket or not is_wanted else at.url
        self._only = check is not None
        self._shown = shown
        self._caller = caller
        if check is None:
            return
        if not is_wanted:
            raise UsageError("--check and --no-check: it is tried, or it is not")
        place = targets.target(check, caller).url
        if place.origin != at.url.origin:
            raise UsageError(f"--check {place.shown} is at another server than {at.shown}")
        self._place = place

    def of(self, what: Given) -> Credential:
        """In which form it is kept.

        Raises:
            NotKeptError: in none.
        """
        if self._place is None:
            return what.forms[0]
        try:
            with self._shown.waiting(f"Trying {self._place.shown}"):
                verdict = keeping.tried(what, self._place, self._caller, only=self._only)
        except RenewalError as error:
            raise NotKeptError(
                f"{error}. Nothing was kept; --no-check keeps a login without a trial"
            ) from None
        if verdict.form is None:
            raise NotKeptError(f"{verdict.said}: nothing was kept")
        if verdict.taken:
            self._shown.say(f"{verdict.said}.", GOOD)
        else:
            self._shown.say(f"{verdict.said}. Kept all the same; --check URL tries another.", WARN)
        return verdict.form


def _tell(kept: Kept, at: Target, shown: Terminal, caller: Caller) -> None:
    """Where it is kept, who uses it, and which store is asked first."""
    where = from_home(kept.location, caller)
    chosen = "keyring" in where or caller.get("RATTLER_AUTH_FILE") or kept.store != keeping.RATTLER
    if not chosen and not _keyring(caller):
        where += " (no keyring answers here)"
    instead = f", in the place of the {kept.instead_of} that was there" if kept.instead_of else ""
    shown.say(f"Kept for {printable(kept.key, 200)} in {where}{instead}.", GOOD)
    used, unwired = users.of(at, kept.key, caller)
    if kept.store != keeping.RATTLER:
        used.insert(0, "posit-keyring")
    if used:
        shown.say(f"Used by: {', '.join(used)}.")
    if unwired:
        shown.say(f"Not yet by {', '.join(unwired)}: credlatch setup {unwired[0]}", DIM)
    if at.is_bucket or at.key.startswith("*."):
        return
    found = keeping.answering(at.url, caller)
    others = [name for name in found.others if name != kept.store]
    if found.first == kept.store and others:
        shown.say(f"{', '.join(others)} has a login for it too: this one is asked first.", DIM)
    elif found.first not in {"", kept.store}:
        place = from_home(found.location, caller)
        shown.say(f"{found.first} has a login for it too, which is asked first: {place}", WARN)


def _keyring(caller: Caller) -> bool:
    try:
        return caller.keyring() is not None
    except StoreError:
        return True


_HIDDEN = "comes on standard input."

COMMAND = Command(
    "login",
    callback=login,
    help="Log in to a host. The login is tried there, and kept where pixi keeps its own: in the "
    "system's keyring, or in ~/.rattler/credentials.json. Without options you are asked. No secret "
    "stands on the command line.",
    params=[
        click.Argument(["host"], type=Host(), metavar="HOST"),
        click.Option(["--token-stdin", "token"], is_flag=True, help=f"A token {_HIDDEN}"),
        click.Option(["--username"], metavar="NAME", help="Whose password it is."),
        click.Option(
            ["--password-stdin", "password"], is_flag=True, help=f"The password {_HIDDEN}"
        ),
        click.Option(
            ["--conda-token-stdin", "conda_token"],
            is_flag=True,
            help=f"A token of anaconda.org or quetz {_HIDDEN}",
        ),
        click.Option(
            ["--s3-key-id"],
            metavar="ID",
            help="A key for s3://BUCKET: its secret comes on standard input, a session token in a "
            "second line.",
        ),
        click.Option(
            ["--oauth"],
            is_flag=True,
            help="Log in in a browser, at the OpenID provider that the host is, or --issuer names.",
        ),
        click.Option(
            ["--device"],
            is_flag=True,
            help="Likewise, but in a browser on another machine: you type a code there.",
        ),
        click.Option(
            ["--posit"],
            is_flag=True,
            help="Likewise, at a Posit Package Manager; kept where posit-keyring keeps it.",
        ),
        click.Option(["--issuer"], metavar="URL", help="The OpenID provider."),
        click.Option(
            ["--client-id"], metavar="ID", help=f"Who asks it, as registered there ({CLIENT})."
        ),
        click.Option(
            ["--scope", "scopes"], metavar="SCOPE", multiple=True, help="What it is asked for."
        ),
        click.Option(["--audience"], metavar="WHOM", help="For whom the token is to be."),
        click.Option(
            ["--redirect-uri"],
            metavar="URL",
            help="Where the browser comes back to, where one is registered there: on this machine.",
        ),
        click.Option(
            ["--check"], metavar="URL", help="Try it there; else at the host's first page, or API."
        ),
        click.Option(
            ["--fleet"],
            is_flag=True,
            help="Keep it where machines share it, as fleet.toml says for HOST; in a browser.",
        ),
        click.Option(["--no-check"], is_flag=True, help="Keep it without a trial."),
    ],
    examples=(
        "credlatch login pypi.example.com",
        "credlatch login reg.example.com:5000 --username alice --password-stdin < password",
        "credlatch login conda.example.com --device --issuer https://sso.example.com",
        "credlatch login s3://bucket --s3-key-id AKIA... < secret",
    ),
)
