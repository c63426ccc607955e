"""The differences that several stores share. Each title is a row's in docs/stores.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from credlatch import url as urls
from credlatch.errors import RequestError
from differ.cases import Answer, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from differ.cases import Case, Difference


def userinfo(url: str) -> str | None:
    """What stands before the ``@`` of a URL; None without one."""
    before, at, _ = authority(url).rpartition("@")
    return before if at else None


def of_store(answer: Answer, url: str) -> Answer:
    """Without what a program has from the URL itself: its user name, with no password."""
    user = unquote(userinfo(url) or "")
    return Answer() if user and answer.sent == f"Basic {user}:" else answer


def after_scheme(url: str) -> str:
    """All of a URL but the scheme's name."""
    return url[url.index("://") :]


def authority(url: str) -> str:
    """User information, host and port, as they stand in a URL."""
    rest = url.partition("://")[2]
    return rest[: min((at for at in map(rest.find, "/?#\\") if at >= 0), default=len(rest))]


def host_of(url: str) -> str:
    """The host, as it stands in a URL."""
    host = authority(url).rpartition("@")[2]
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]


def with_authority(url: str, changed: str) -> str:
    """The URL with another authority."""
    return url.replace(f"://{authority(url)}", f"://{changed}", 1)


def asking(change: Callable[[str], str]) -> Callable[[Case], Case | None]:
    """The same store, asked about another URL."""

    def changed(case: Case) -> Case | None:
        (question,) = case.questions
        other = change(question)
        return case._replace(questions=(other,)) if other != question else None

    return changed


def rewritten(pattern: str, by: str) -> Callable[[Case], Case | None]:
    """The same question to a store with other words in its entries."""

    def changed(case: Case) -> Case | None:
        entries = tuple(re.sub(pattern, by, entry) for entry in case.entries)
        return case._replace(entries=entries) if entries != case.entries else None

    return changed


def saying(*words: str) -> Callable[[Difference], bool]:
    """We give no answer, and say so in these words."""
    return lambda difference: any(word in difference.ours.failed for word in words)


def _in_the_clear(difference: Difference) -> bool:
    if "plain http" in difference.ours.failed:
        return True
    # A netrc's `default` and the like are silently not for that.
    try:
        return not urls.parse(difference.question).may_carry_credentials
    except RequestError:
        return False


def _no_empty_name(url: str) -> str:
    return with_authority(url, authority(url)[1:]) if userinfo(url) == "" else url


def _no_last_dot(url: str) -> str:
    before, at, host = authority(url).rpartition("@")
    name, colon, port = (host, "", "") if host.endswith("]") else host.partition(":")
    return with_authority(url, f"{before}{at}{name.removesuffix('.')}{colon}{port}")


def _no_name(url: str) -> str:
    return with_authority(url, authority(url).rpartition("@")[2])


# A URL that is not read.
_NUMBER = "the URL's host is a number"
_ZONE = "the URL's IPv6 address has a zone"
_PORT = "the URL's port"
_CHARACTERS = ("the URL has no host", "not a valid internationalised name", "the URL contains a")
_SIX = ("IPv6 address is not",)
DOUBTFUL = (
    Rule("a host that is a number", refused=saying(_NUMBER)),
    Rule("an IPv6 address with a zone", refused=saying(_ZONE)),
    Rule("a port that is not between 1 and 65535", refused=saying(_PORT)),
    Rule("a host with other characters", refused=saying(*_CHARACTERS, *_SIX)),
)
PLAIN = Rule("plain http to another machine", refused=_in_the_clear)
EMPTY_NAME = Rule("an empty user name in a URL", instead=asking(_no_empty_name))
LAST_DOT = Rule("a dot at the end of a name", instead=asking(_no_last_dot))
# For a store whose owner makes a login of the URL's user name alone, and looks no further.
NO_NAME = Rule("a user name in a URL", instead=asking(_no_name))
EVERYWHERE = (*DOUBTFUL, PLAIN, EMPTY_NAME, LAST_DOT)
