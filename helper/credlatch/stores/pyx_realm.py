"""Where pyx's tokens belong: stricter than uv, which has sent them to ``http://pyx.dev``."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.errors import RequestError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

DEFAULT_API = "https://api.pyx.dev/"
_CDN = "astralhosted.com"
_API_HOSTS = ("api.pyx.dev", "api-static.pyx.dev")


class PyxRealm:
    """The hosts that one pyx login is for.

    Attributes:
        api: the API's URL, from PYX_API_URL.
    """

    def __init__(self, caller: Caller) -> None:
        text = caller.get("PYX_API_URL") or DEFAULT_API
        try:
            self.api = urls.absolute(text)
        except RequestError as error:
            raise StoreError(f"PYX_API_URL cannot be used: {error}") from None
        self._is_official = self.api.scheme == "https" and self.api.host in _API_HOSTS
        # Another API's tokens are not for Astral's hosts, unless its owner names a CDN.
        cdn = caller.get("PYX_CDN_DOMAIN") or (_CDN if self._is_official else "")
        self._cdn = cdn.lower()

    def owns(self, url: urls.Url) -> bool:
        """Whether the login's token may be sent to ``url``."""
        if url.origin == self.api.origin:
            return True
        if url.scheme != "https" or not url.default_port:
            return False
        if self._cdn and (url.host == self._cdn or url.host.endswith(f".{self._cdn}")):
            return True
        return self._is_official and url.host in {"pyx.dev", *_API_HOSTS}

    def hosts(self) -> list[str]:
        """Those hosts, as a pattern where they are many."""
        others = ["pyx.dev", *_API_HOSTS] if self._is_official else []
        cdn = [f"*.{self._cdn}"] if self._cdn else []
        return [f"{self.api.scheme}://{self.api.netloc}", *others, *cdn]
