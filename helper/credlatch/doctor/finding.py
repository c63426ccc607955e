"""What a check finds, and how it is mended."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.fixes.mending import Repair

OK, OFF, WARN, FAIL = "ok", "off", "warn", "fail"
"""As it should be; not in use; somebody may be surprised; something does not work."""


class Finding:
    """One line of a diagnosis.

    Args:
        severity: OK, OFF, WARN or FAIL.
        subject: what it is about, in one or two words.
        what: what there is, or what is wrong with it: for a person, without secrets.
        fix: what mends it, to be pasted into a shell; empty: nothing, or nobody can say.
        repair: does what is safe of that, and says what it did. It raises OSError or
            CredlatchError where it could not.
    """

    __slots__ = ("fix", "repair", "severity", "subject", "what")

    def __init__(
        self,
        severity: str,
        subject: str,
        what: str,
        fix: str = "",
        repair: Repair | None = None,
    ) -> None:
        self.severity = severity
        self.subject = subject
        self.what = what
        self.fix = fix
        self.repair = repair

    def __repr__(self) -> str:
        return f"Finding({self.severity}, {self.subject}: {self.what}; fix: {self.fix})"
