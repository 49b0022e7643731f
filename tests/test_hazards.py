"""The hazard recorder: it is silent on what the library records, and it speaks when a barrier is
missing."""

from __future__ import annotations

import numpy as np
import pytest

import vktensor as vt
from hazards import hazards, without
from vktensor import _core


@pytest.fixture
def trace():
    """A program with dependencies of every kind, the host's included."""
    vt.synchronize()
    _core.trace_start(None)
    a = vt.asarray(np.arange(4096, dtype=np.float32))
    view = a[:]
    for _ in range(5):
        b = a * 2 + 1
        vt.async_eval(b)
        a[:] = b
        a[1:] += a[:-1]
    total = float(vt.sum(a))
    product = np.asarray(vt.reshape(view, (64, 64)) @ vt.reshape(a, (64, 64)))
    assert np.isfinite(total) and product.shape == (64, 64)
    vt.synchronize()
    events = _core.trace_stop(None)
    del a, b, view
    return events


@pytest.mark.unwatched
def test_the_recorded_program_has_no_hazard(trace):
    assert [e for e in trace if e["kind"] == "dispatch"]
    assert hazards(trace) == []


@pytest.mark.unwatched
def test_leaving_out_any_barrier_is_found(trace):
    barriers = [i for i, event in enumerate(trace) if event["kind"] == "barrier"]
    # The barrier that ends a submit is placed before it is known whether anybody will look.
    needed = [i for i in barriers if trace[i]["name"] == "order"]
    assert len(needed) >= 5
    silent = [i for i in needed if not hazards(without(trace, i))]
    assert not silent, f"{len(silent)} of {len(needed)} barriers could be left out"
    ending = [i for i in barriers if i not in needed]
    assert any(hazards(without(trace, i)) for i in ending)


@pytest.mark.unwatched
def test_leaving_out_a_wait_before_a_host_read_is_found(trace):
    reads = [i for i, event in enumerate(trace) if event["kind"] == "host_read"]
    assert reads
    no_waits = [{**event, "submit": 0} if "host" in event["kind"] else event for event in trace]
    no_waits = [event for event in no_waits if event["kind"] != "wait"]
    assert hazards(no_waits)
