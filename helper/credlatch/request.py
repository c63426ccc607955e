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
        registry: whether it asks for a registry, as Docker's clients do: which one, a Dockerfile
            says. What was kept for a host and port is an answer then, and nothing less.
    """

    __slots__ = ("key_first", "keys", "login", "registry", "url")

    def __init__(
        self,
        url: Url | None,
        keys: tuple[str, ...],
        *,
        key_first: bool = False,
        login: bool = False,
        registry: bool = False,
    ) -> None:
        self.url = url
        self.keys = keys
        self.key_first = key_first
        self.login = login
        self.registry = registry

    @property
    def text(self) -> str:
        """What to call it in a message."""
        return self.url.text if self.url is not None and not self.key_first else self.keys[0]
