"""What a client asks for, whatever its protocol."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url


class Request:
    """One question.

    Attributes:
        url: where the credential will be sent; None when only a key is known.
        keys: Docker's keys for the same place, the one that was asked for first.
        key_first: whether the client means the key, and the URL only stands for it.
        login: whether it wants a user name and password, and not headers.
    """

    __slots__ = ("key_first", "keys", "login", "url")

    def __init__(
        self,
        url: Url | None,
        keys: tuple[str, ...],
        *,
        key_first: bool = False,
        login: bool = False,
    ) -> None:
        self.url = url
        self.keys = keys
        self.key_first = key_first
        self.login = login

    @property
    def text(self) -> str:
        """What to call it in a message."""
        return self.url.text if self.url is not None and not self.key_first else self.keys[0]
