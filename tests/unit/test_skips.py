"""In CI a skipped test fails the run, and says why."""

from __future__ import annotations

from typing import Any

import pytest

from support import skips

HOOKS = [skips.pytest_runtest_makereport, skips.pytest_make_collect_report]
WHERE = ("test_x.py", 3, "Skipped: dockerd is absent")  # as a skip is told, but for one in a file


def seen(hook: Any, monkeypatch: pytest.MonkeyPatch, ci: str, *, expected: bool = False) -> Any:
    """What becomes of a report that says that a test was skipped."""
    monkeypatch.setenv("CI", ci)
    report = pytest.TestReport("x", ("test_x.py", 3, "x"), {}, "skipped", WHERE, "call")
    if expected:
        report.wasxfail = "not mended yet"
    running = hook()
    next(running)
    with pytest.raises(StopIteration) as end:
        running.send(report)
    return end.value.value


@pytest.mark.parametrize("hook", HOOKS)
def test_in_ci_a_test_or_file_that_is_skipped_fails_and_says_why(
    hook: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = seen(hook, monkeypatch, "true")
    assert report.failed
    assert report.longrepr == "CI may skip nothing: Skipped: dockerd is absent"


@pytest.mark.parametrize("hook", HOOKS)
def test_elsewhere_it_is_skipped(hook: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(hook, monkeypatch, "").skipped


def test_what_is_expected_to_fail_is_no_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(HOOKS[0], monkeypatch, "true", expected=True).skipped


@pytest.mark.parametrize("hook", HOOKS)
def test_pytest_asks_it_once_what_was_expected_to_fail_is_known(
    hook: Any, request: pytest.FixtureRequest
) -> None:
    plugins = getattr(request.config.hook, hook.__name__).get_hookimpls()
    of_ours = next(n for n, each in enumerate(plugins) if each.function is hook)
    # Wrappers are listed from the innermost on.
    assert "skipping" not in [each.plugin_name for each in plugins[of_ours:]]
