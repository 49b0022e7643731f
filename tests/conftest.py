"""What holds after every test: no message from the validation layers, no hazard, nothing left
alive, nothing pending."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

import vktensor as vt
from hazards import hazards
from vktensor import _core

# SciPy reads it once, when the first test module imports it.
os.environ["SCIPY_ARRAY_API"] = "1"

FAILED = pytest.StashKey[bool]()
KEPT = ("blocks", "block_nbytes", "pending_submits")


def settled() -> dict[str, int]:
    """Counts of what lives on the default device once garbage is gone and work is finished."""
    gc.collect()
    vt.synchronize()
    counts = _core.live_counts(None)
    return {name: counts[name] for name in KEPT}


def pytest_report_header() -> str:
    device = vt.default_device()
    validated = "on" if os.environ.get("VKTENSOR_VALIDATE") == "1" else "off"
    return (
        f"device: {device.name} ({device.driver} {device.driver_version}); validation {validated}"
    )


def pytest_collection_finish() -> None:
    """Takes what the imports and pytest made out of the collector's sight: settled() walks the
    rest twice a test, and that was half the time of the suite."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[FAILED] = report.failed


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the test that leaked, raced, or made the validation layers speak."""
    if request.node.get_closest_marker("unwatched"):
        yield
        return
    before = settled()
    _core.validation_messages()
    _core.trace_start(None)
    try:
        yield
    finally:
        after = settled()
        events = _core.trace_stop(None)
    if request.node.stash.get(FAILED, False):
        return  # its traceback keeps tensors alive
    # Less than before: the traceback of an earlier failure let go.
    more = [name for name in KEPT if after[name] > before[name]]
    assert not more, f"left behind: {before} -> {after}"
    count, text = _core.validation_messages()
    assert count == 0, f"{count} validation messages, the last: {text}"
    found = hazards(events)
    assert not found, f"{len(found)} hazards, the first: {found[0]}"
