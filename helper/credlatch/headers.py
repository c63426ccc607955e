"""A credential that is headers, and no login or token by itself."""

from __future__ import annotations

from credlatch.credential import Credential, check_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Secret


class Headers(Credential):
    """Headers as they are sent: several, or one that is no login's or token's.

    Args:
        headers: some.
        beside: as the attribute.
        of: whose headers are sent as well, and before: they are asked for when these are, as not
            every credential has some.

    Attributes:
        beside: what gives the login that clients get that know only those, or None.
    """

    __slots__ = ("_headers", "_of", "beside")

    def __init__(
        self,
        headers: dict[str, Secret],
        beside: Credential | None = None,
        *,
        of: Credential | None = None,
    ) -> None:
        super().__init__(next(iter(headers.values())) if of is None else of.secret)
        self._headers = headers
        self._of = of
        self.beside = beside

    def headers(self) -> dict[str, str]:
        """All of them."""
        for name, value in self._headers.items():
            check_token(value, name)
        sent = {} if self._of is None else self._of.headers()
        return {**sent, **{name: value.reveal() for name, value in self._headers.items()}}

    def login(self, host: str) -> tuple[str, Secret]:
        """The login beside it."""
        if self.beside is None:
            raise ValueError("it is several headers, or one that is no user name and password")
        return self.beside.login(host)

    @property
    def logs_in(self) -> bool:
        """Whether there is a login beside it."""
        return self.beside is not None and self.beside.logs_in

    @property
    def names_user(self) -> bool:
        """That of the login beside it is, where there is one of a user's."""
        return self.beside is not None and self.beside.names_user
