"""What a client asks for, whatever its protocol."""

from __future__ import annotations

from credlatch import registry as registries
from credlatch import rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url


class Request:
    """One question.

    Attributes:
        url: where the credential will be sent; None when only a key is known.
        username: whose login counts, as the URL says; None: anybody's.
        keys: Docker's keys for the same place, the one that was asked for first.
        key_first: whether the client means the key, and the URL only stands for it.
        method: with which it will be sent.
        login: whether it wants a user name and password, and not headers.
        headers: whether it wants headers alone, for this very URL.
        own: under which name the client itself has its logins kept, which count first; or empty.
        registry: whether it asks for a registry, as Docker's clients do: which one, a Dockerfile
            says. What was kept for a host and port is an answer then, and nothing less.
        rule: what the user's settings say of it.
    """

    def __init__(
        self,
        url: Url | None,
        keys: tuple[str, ...],
        *,
        method: str = "GET",
        key_first: bool = False,
        login: bool = False,
        registry: bool = False,
    ) -> None:
        self.url = url
        self.username = None if url is None else url.username
        self.keys = keys
        self.method = method
        self.key_first = key_first
        self.login = login
        self.registry = registry
        self.headers = False
        self.own = ""
        self.rule = rules.NONE

    def of_user(self, username: str) -> Request:
        """The same question, for the login of one user."""
        from copy import copy

        asked = copy(self)
        asked.username = username
        theirs: tuple[str, ...] = ()
        if self.url is not None:
            asked.url = copy(self.url)
            asked.url.username = username
            theirs = for_login(asked.url).keys
            asked.key_first = True
        asked.keys = tuple(dict.fromkeys((*theirs, *self.keys)))
        return asked

    @property
    def may_be_for_a_repository(self) -> bool:
        """Whether it wants headers for a path as those of registries are: ``oci`` looks closer."""
        return self.headers and self.url is not None and self.url.path.startswith("/v2/")


def for_url(url: Url, *, login: bool = False) -> Request:
    """What a client asks that has a URL: Bazel, ``header``, ``secrets``.

    Args:
        url: which; with a user name, that user's login is meant, and looked for as by everybody.
        login: whether it wants a user name and password, and not headers.
    """
    if url.username is not None:
        asked = for_login(url, login=login)
    else:
        asked = Request(url, registries.spellings(url), login=login)
    asked.headers = not login
    return asked


def for_cargo(index: str, url: Url | None) -> Request:
    """What cargo asks for one of its registries.

    Args:
        index: where its index is, as cargo has it.
        url: the same, where that server's logins are for the registry; else None.
    """
    asked = Request(None, (index,)) if url is None else for_url(url)
    asked.headers = False  # of what it gets it sends Authorization alone, and for the whole index
    asked.own = registries.CARGO + index
    return asked


def for_login(url: Url, *, login: bool = False) -> Request:
    """What a client asks that sends a login: git, ``keyring``, ``token``.

    The most specific name under which a login is kept comes first; that of a user before that of
    the place, where another one's login may be, or a token.

    Args:
        url: which.
        login: as of ``for_url``; else it is asked for to make a header of it: so one that makes
            none is no answer, and one that must not travel there is refused.
    """
    places = (*registries.below(url), url.netloc)
    theirs = [f"{url.username}@{place}" for place in places] if url.username else []
    keys = dict.fromkeys((*theirs, *places[:-1], *registries.spellings(url)))
    return Request(url, tuple(keys), key_first=True, login=login)
