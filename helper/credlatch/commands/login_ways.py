"""How a person logs in: as the words of ``credlatch login`` say, or as they choose when asked."""

from __future__ import annotations

from dataclasses import dataclass

from credlatch import streams
from credlatch import url as urls
from credlatch.commands.login_person import AtTerminal
from credlatch.errors import NotKeptError, RenewalError, RequestError, UsageError
from credlatch.lines import unmarked
from credlatch.login import given, keeping, oauth, posit
from credlatch.people import browser
from credlatch.people.styles import GOOD, STRONG, WARN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.credential import Secret
    from credlatch.login.given import Given
    from credlatch.login.oauth import Options
    from credlatch.login.provider import Granted, Metadata
    from credlatch.login.target import Target
    from credlatch.people.terminal import Terminal

    Way = tuple[str, Callable[[], Given]]

_TRIES = 3  # answers to one question
_ASK = "--token-stdin, --username NAME --password-stdin, --conda-token-stdin, or --device"


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the command line says of it.

    Attributes:
        token: whether a token comes on standard input; likewise ``conda_token`` and ``password``.
        username: whose password it is, or None.
        s3_key_id: the id of the S3 key whose secret comes on standard input, or None.
        oauth: whether a provider is to give a token.
        device: whether the person logs in there on another device.
        fleet: whether it is kept for many machines, which needs such a token.
        posit: whether the host is a Posit Package Manager, which gives one.
        issuer: the provider's URL; None: the host itself.
        options: what it is asked for.
    """

    token: bool
    conda_token: bool
    password: bool
    username: str | None
    s3_key_id: str | None
    oauth: bool
    device: bool
    fleet: bool
    posit: bool
    issuer: str | None
    options: Options

    def check(self, at: Target) -> None:
        """See that they go together.

        Raises:
            UsageError: they do not.
        """
        chosen = {
            "--token-stdin": self.token,
            "--conda-token-stdin": self.conda_token,
            "--password-stdin": self.password,
            "--s3-key-id": self.s3_key_id is not None,
            "--oauth": self.by_provider,
            "--posit": self.posit,
        }
        named = [name for name, is_chosen in chosen.items() if is_chosen]
        if self.fleet and named != ["--oauth"]:
            raise UsageError("--fleet keeps a login that is renewed: --oauth or --device")
        if len(named) > 1:
            raise UsageError(f"{' and '.join(named)}: only one of them at a time")
        if self.password and self.username is None and at.username is None:
            raise UsageError("--password-stdin is some user's: name them with --username")
        if self.username is not None and named and not self.password:
            raise UsageError(f"{named[0]} is for no user: leave --username out")
        if at.is_bucket and named not in ([], ["--s3-key-id"]):
            raise UsageError(f"{at.key} is a bucket, and takes S3 keys alone: --s3-key-id")

    @property
    def by_provider(self) -> bool:
        """Whether a provider gives the token."""
        return (
            self.oauth
            or self.device
            or self.fleet
            or self.issuer is not None
            or self.options.is_said
        )

    @property
    def on_stdin(self) -> bool:
        """Whether a secret comes on standard input."""
        return self.token or self.conda_token or self.password or self.s3_key_id is not None


def obtained(
    at: Target, words: Words, shown: Terminal, caller: Caller, arrived: list[Given]
) -> Given:
    """What the person gives.

    Args:
        at: for what.
        words: how they want to.
        shown: where they are asked.
        caller: who they are.
        arrived: takes what a provider gives, as soon as it is there.

    Raises:
        UsageError: it cannot be used, or nobody can be asked.
        NotKeptError: the provider gives nothing.
        StoreError: it could not be kept.
    """
    words.check(at)
    if words.by_provider:
        return _by_provider(at, words, AtTerminal(shown, caller, arrived))
    if words.posit:
        return _at_posit(at, AtTerminal(shown, caller, arrived))
    if not words.on_stdin:
        return _asked(at, words, AtTerminal(shown, caller, arrived))
    text = _stdin(caller)
    if words.token:
        return given.token(at, _one_word(text, "the token"))
    if words.conda_token:
        return given.conda_token(at, _one_word(text, "the conda token"))
    if words.password:
        password = _line(text, "the password")
        return given.password(at, words.username or at.username or "", password)
    secret, _, session = text.strip().partition("\n")
    token = _one_word(session, "the session token") if session.strip() else None
    return given.s3_key(at, words.s3_key_id or "", _one_word(secret, "the secret key"), token)


def _asked(at: Target, words: Words, person: AtTerminal) -> Given:
    shown = person.shown
    if not shown.interactive:
        needed = "--s3-key-id ID, with its secret on standard input" if at.is_bucket else _ASK
        raise UsageError(f"no terminal to ask on: {needed}")
    keeping.see_room(given.TOKEN, person.caller)
    if at.is_bucket:
        key = shown.ask("Access key ID:")
        secret = shown.secret("Secret access key (not shown):")
        return given.s3_key(at, key, secret, _optional("Session token", shown))
    if words.username is not None:
        return _login(at, words.username, shown)
    ways = _ways(at, words, person)
    shown.say(f"How do you log in to {at.shown}?", STRONG)
    for number, (way, _) in enumerate(ways, 1):
        shown.say(f"{number}  {way}", indent=2)
    for _ in range(_TRIES):
        answer = shown.ask(f"1 to {len(ways)} [1]:") or "1"
        if answer.isascii() and answer.isdecimal() and 0 < int(answer[:4]) <= len(ways):
            return ways[int(answer) - 1][1]()
    raise UsageError(f"none of 1 to {len(ways)} was chosen")


def _ways(at: Target, words: Words, person: AtTerminal) -> list[Way]:
    """What the host offers, and what any host may."""
    shown, caller = person.shown, person.caller
    ways: list[Way] = []
    issuer = _issuer(at, words)
    try:
        with shown.waiting(f"Asking {at.url.netloc} what it offers"):
            provider = oauth.discovered(issuer, caller)
    except RenewalError:
        provider = None  # the trial says what is wrong with the host
    if provider is not None and (provider.has_code_grant or provider.has_device_grant):
        found = provider
        way = "in a browser (it offers OpenID)"
        ways.append((way, lambda: _at_provider(found, words, person)))
    if _is_posit(at, caller):
        ways.insert(0, ("in a browser (Posit Package Manager)", lambda: _at_posit(at, person)))
    return [
        *ways,
        ("a token", lambda: given.token(at, shown.secret("Token (not shown):"))),
        ("a user name and password", lambda: _login(at, at.username, shown)),
        (
            "a conda token, of quetz or anaconda.org",
            lambda: given.conda_token(at, shown.secret("Conda token (not shown):")),
        ),
    ]


def _is_posit(at: Target, caller: Caller) -> bool:
    """Whether the environment says that it is a Package Manager."""
    try:
        return urls.absolute(caller.get("PACKAGEMANAGER_ADDRESS") or "").origin == at.url.origin
    except RequestError:
        return False


def _login(at: Target, username: str | None, shown: Terminal) -> Given:
    name = username or shown.ask("User name:")
    return given.password(at, name, shown.secret(f"Password of {name} (not shown):"))


def _optional(what: str, shown: Terminal) -> Secret | None:
    try:
        return shown.secret(f"{what} (not shown; Enter for none):")
    except RequestError:
        return None


def _issuer(at: Target, words: Words) -> str:
    return words.issuer or f"{at.url.scheme}://{at.url.netloc}"


def _by_provider(at: Target, words: Words, person: AtTerminal) -> Given:
    if not words.fleet:
        keeping.see_room(given.OAUTH, person.caller)
    issuer = _issuer(at, words)
    try:
        with person.shown.waiting(f"Asking {issuer} how to log in"):
            provider = oauth.discovered(issuer, person.caller)
    except RenewalError as error:
        raise NotKeptError(f"{error}: nothing was kept") from None
    if provider is None:
        more = "" if words.issuer else ": name the one that it belongs to with --issuer URL"
        raise NotKeptError(f"{issuer} is no OpenID provider{more}; nothing was kept")
    return _at_provider(provider, words, person)


def _at_posit(at: Target, person: AtTerminal) -> Given:
    """A login there, for the address that the environment has, where that is this server's."""
    caller = person.caller
    keeping.see_room(given.POSIT, caller)
    said = caller.get("PACKAGEMANAGER_ADDRESS")
    # To the letter, as posit-keyring compares it.
    address = said if said and _is_posit(at, caller) else f"{at.url.scheme}://{at.url.netloc}"
    try:
        return posit.by_device(address, person)
    except RenewalError as error:
        raise NotKeptError(f"{error}: nothing was kept") from None


def _at_provider(provider: Metadata, words: Words, person: AtTerminal) -> Given:
    is_here = browser.is_here(person.caller)
    by_device = words.device or not (provider.has_code_grant and is_here)
    if by_device and not provider.has_device_grant:
        if words.device or not provider.has_code_grant:
            more = ": leave --device out" if words.device and provider.has_code_grant else ""
            raise NotKeptError(
                f"{provider.issuer} has no device grant, for logins in a browser elsewhere{more}; "
                "nothing was kept"
            )
        by_device = False
    log_in = oauth.by_device if by_device else oauth.by_browser

    def got(granted: Granted) -> None:
        person.arrived.append(oauth.given(granted, provider, words.options))

    try:
        granted = log_in(provider, words.options, person, got)
    except RenewalError as error:
        raise NotKeptError(f"{error}: nothing was kept") from None
    if granted.who:
        person.shown.say(f"You are {granted.who} there.", GOOD)
    if granted.fresh.refresh_token is None:
        person.shown.say(
            "It cannot be renewed, as the provider gave no refresh token: --scope asks for what "
            "it wants for one.",
            WARN,
        )
    return person.arrived[-1]


def _stdin(caller: Caller) -> str:
    try:
        return unmarked(streams.read_stdin(caller)).decode()
    except UnicodeDecodeError:
        raise RequestError("standard input is not UTF-8") from None


def _line(text: str, what: str) -> Secret:
    """A password, which may have blanks; one newline at its end is not it."""
    from credlatch.credential import Secret

    if text.endswith("\n"):
        text = text[:-1].removesuffix("\r")
    if not text:
        raise RequestError(f"{what} comes on standard input, and nothing did: write it there")
    return Secret(text)


def _one_word(text: str, what: str) -> Secret:
    """A token, which has no blanks: those around it are not it."""
    return _line(text.strip(), what)
