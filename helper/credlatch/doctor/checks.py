"""All checks, in their order."""

from __future__ import annotations

from typing import NamedTuple

from credlatch.caller import Caller
from credlatch.doctor import (
    agent,
    doubles,
    fleet,
    keyring,
    logins,
    places,
    programs,
    rules,
    servers,
    stores,
    variables,
    wiring,
)
from credlatch.doctor.finding import FAIL, Finding
from credlatch.errors import CredlatchError
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Check(NamedTuple):
    """One kind of check.

    Attributes:
        name: what it is about, for a person, where it fails itself.
        run: what it finds. It changes nothing, asks nobody a question, and ends in time.
        is_online: whether it sends anything to another machine.
    """

    name: str
    run: Callable[[Caller], Iterator[Finding]]
    is_online: bool = False


CHECKS = (
    Check("PATH", programs.check),
    Check("wiring", wiring.check),
    Check(keyring.SUBJECT, keyring.check),
    Check("stores", stores.check),
    Check("doubles", doubles.check),
    Check("environment", variables.check),
    Check("settings", rules.check),
    Check("folders", places.check),
    Check("agent", agent.check),
    Check(fleet.SUBJECT, fleet.check),
    Check("token servers", servers.check, is_online=True),
    Check("fleet's engines", fleet.check_engines, is_online=True),
)


def findings(caller: Caller, *, offline: bool = False) -> Iterator[Finding]:
    """What all checks find; one that fails itself says so, and the others go on.

    Args:
        caller: whose logins and tools.
        offline: whether nothing is sent to another machine.
    """
    kind = Caller
    for check in CHECKS:
        if offline and check.is_online:
            continue
        # Each has the whole time, and warnings of its own.
        own = kind(caller.environ, caller.cwd)
        try:
            for found in check.run(own):
                if found.subject == keyring.SUBJECT and found.severity == FAIL:
                    kind = logins.FilesOnly  # which has been waited for once
                yield found
        except CredlatchError as error:
            yield Finding(FAIL, check.name, str(error))
        except OSError as error:
            yield Finding(FAIL, check.name, f"this cannot be looked at: {reason(error)}")
        finally:
            own.close()
