"""What one call may leave for the next, in a process that answers several.

Never what a store answered: files are looked at and the keyring is asked for each call.
"""

from __future__ import annotations

from credlatch.system.documents import Documents
from credlatch.system.keyring.pool import Pool


class Keep:
    """What is kept between calls; for any number of threads.

    Attributes:
        documents: files that were parsed.
        keyrings: connections to keyrings.
    """

    def __init__(self) -> None:
        self.documents = Documents()
        self.keyrings = Pool()

    def tidy(self) -> None:
        """Close what has not been used for long. Costs next to nothing."""
        self.keyrings.tidy()

    def close(self) -> None:
        """Let go of everything; what is still lent is let go when it is given back."""
        self.documents.clear()
        self.keyrings.close()
