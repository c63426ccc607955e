"""What each function of the mutated copy goes through: the chosen mutant is run, or itself.

It stands in that copy for mutmut's own, which a program that a test starts could not import.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MutantDict = dict[str, Any]  # in the generated annotations
chosen: dict[str, str] = {}  # module: the mutant that its function's callers get
called: set[str] = set()  # the functions that have been


def wrap_in_trampoline(
    mutants: MutantDict, is_classmethod: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function (mutmut 3's interface).

    Args:
        mutants: filled later: each mutant by its name, and the function itself.
        is_classmethod: whether it is to be looked up in the class that it is called for.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        module = function.__module__

        @functools.wraps(function)
        def trampoline(*args: Any, **kwargs: Any) -> Any:
            itself = mutants["_mutmut_orig"]
            called.add(f"{module}.{itself.__name__}")
            run: Any = mutants.get(chosen.get(module, ""), itself)
            if is_classmethod:
                return getattr(args[0], run.__name__)(*args[1:], **kwargs)
            return run(*args, **kwargs)

        return trampoline

    return decorate
