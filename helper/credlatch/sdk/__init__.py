"""SDKs of clouds, one file for each, imported in a process of its own: ``credlatch sdk NAME``.

Such a file has ``answer(asked, caller)``: a JSON object makes another one, or SdkError is raised.
It alone imports the SDK, at its top: one that is not installed is found out there.
"""

from __future__ import annotations

# What may be asked, and which extra of the package brings it.
EXTRAS = {"aws": "aws", "azure": "azure"}

ABSENT = "absent"  # there is no identity
LOGIN = "login"  # a person has to log in
PERMISSION = "permission"  # the identity is refused
TRANSIENT = "transient"  # the same may succeed later


class SdkError(Exception):
    """Why there is no answer.

    Args:
        kind: one of the above.
        line: for a person: what failed, where, and what to do. No secret is in it.
    """

    def __init__(self, kind: str, line: str) -> None:
        super().__init__(line)
        self.kind = kind
        self.line = " ".join(line.split())
