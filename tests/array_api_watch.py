"""A plugin for the conformance suite's own pytest: no test of it may leave a message of the
validation layers or a hazard."""

from __future__ import annotations

import pytest

from hazards import hazards
from vktensor import _core


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _core.trace_start(None)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    found = hazards(_core.trace_stop(None))
    count, text = _core.validation_messages()
    assert count == 0, f"{count} validation messages, the last: {text}"
    assert not found, f"{len(found)} hazards, the first: {found[0]}"
