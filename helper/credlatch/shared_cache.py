"""Caches and connections that the calls of one process share.

Never what a store answered: files are looked at and the keyring is asked for each call. A token
that was fetched with what a store has, and that none keeps, serves whoever has that.
"""

from __future__ import annotations

from credlatch.renew.tokens import TokenMemory
from credlatch.system.documents import Documents
from credlatch.system.keyring.pool import Pool


class SharedCache:
    """What is kept between calls; for any number of threads.

    Attributes:
        documents: files that were parsed.
        keyrings: connections to keyrings.
        tokens: that were fetched and no store holds.
    """

    def __init__(self) -> None:
        self.documents = Documents()
        self.keyrings = Pool()
        self.tokens = TokenMemory()

    def tidy(self) -> None:
        """Close what has not been used for long. Costs next to nothing."""
        self.keyrings.tidy()
        self.tokens.tidy()

    def close(self) -> None:
        """Let go of everything; what is still lent is let go when it is given back."""
        self.documents.clear()
        self.tokens.clear()
        self.keyrings.close()
