"""What the agent of another machine says, where CREDLATCH_AGENT names one: it is asked first."""

from __future__ import annotations

from credlatch.agent import asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

_VARIABLE = "CREDLATCH_AGENT"
_ON_STDIN = ("bazel", "docker", "git")  # clients whose question an agent can be asked from here


def answer(client: str, asked: bytes, caller: Caller) -> tuple[bool, str]:
    """Whether it has an answer, which then is the client's, and what it says, for a person.

    Args:
        client: whose question it is.
        asked: the question.
        caller: who asks.
    """
    path = caller.environ.get(_VARIABLE, "")
    if not path.startswith("/"):
        return False, ""
    if client not in _ON_STDIN:
        return False, f"{path} is asked first, and may have an answer"
    try:
        status, *_ = asking.ask(client, asked)
    except asking.UnansweredError as error:
        if error.warning is None:
            return False, f"{path} has none: this machine's own logins count"
        return False, f"{error.warning}: is `ssh -R` still up?"
    return status == 0, f"{path} answers, with a login of the machine that it leads to"
