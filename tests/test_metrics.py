"""Counters count what was done, only grow, and cost nothing to ask for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core


def growth(action: Callable[[], Any]) -> dict[str, int]:
    """By how much each counter grows while `action` runs and its work finishes."""
    vt.synchronize()
    before = vt.metrics()
    action()
    vt.synchronize()
    after = vt.metrics()
    assert after.keys() == before.keys()
    return {name: after[name] - before[name] for name in after}


def test_counters_are_whole_numbers_with_a_meaning_each():
    counts = vt.metrics()
    assert counts and all(type(value) is int and value >= 0 for value in counts.values())
    meanings = _core.metric_meanings()
    assert meanings.keys() == counts.keys() and all(meanings.values())
    assert all(name in (vt.metrics.__doc__ or "") for name in counts)
    assert counts == vt.metrics(vt.default_device()) == vt.metrics(vt.default_device().index)


def test_counters_never_fall():
    last = vt.metrics()
    for n in (10, 300, 1 << 20):
        a = vt.asarray(np.ones(n, np.float32))
        assert float(vt.sum(a * 2)) == 2 * n
        del a
        vt.empty_cache()
        now = vt.metrics()
        assert all(now[name] >= last[name] for name in last)
        last = now


def test_an_expression_is_built_node_by_node_and_computed_once():
    a = vt.asarray(np.arange(1000, dtype=np.float32))
    vt.eval(a * 3 + 1)

    def work():
        b = a * 2 + 1
        assert growth(lambda: None)["dispatches"] == 0
        vt.eval(b)

    grown = growth(work)
    assert grown["dispatches"] == 1 and grown["submits"] == 1
    assert grown["expressions_built"] == 2 and grown["expressions_computed"] == 1
    assert grown["kernel_lookups"] == grown["kernels_found"] == 1
    assert grown["kernels_compiled"] == grown["pipelines"] == 0


def test_dropped_expressions_are_never_computed():
    a = vt.asarray(np.arange(8, dtype=np.float32))
    grown = growth(lambda: a * 2 + 1)
    assert grown["expressions_built"] == 2 and grown["expressions_computed"] == 0
    assert grown["dispatches"] == 0


def test_a_new_kernel_is_a_miss_and_a_pipeline():
    a = vt.asarray(np.arange(8, dtype=np.float32))

    def odd():
        return vt.eval(vt.sqrt(vt.cos(a) * vt.exp(a) - vt.tanh(a) / 3.25) - vt.floor(a) * vt.sin(a))

    grown = growth(odd)
    assert grown["kernel_lookups"] - grown["kernels_found"] == grown["pipelines"] == 1
    assert grown["kernels_compiled"] + grown["kernels_from_disk"] == 1
    assert grown["compile_ns"] > 0 and grown["pipelines_cached"] <= 1
    assert growth(odd)["pipelines"] == 0


def test_bytes_are_counted_both_ways():
    host = np.ones(5000, np.float32)
    grown = growth(lambda: vt.asarray(host, copy=True))
    assert grown["uploads"] == 1 and grown["bytes_uploaded"] == host.nbytes
    t = vt.asarray(host, copy=True)
    grown = growth(lambda: float(t[0]))
    assert grown["downloads"] == 1 and grown["bytes_downloaded"] == 4
    grown = growth(lambda: vt.eval(t.copy()))
    assert grown["bytes_copied"] in (0, host.nbytes)  # the rest are copies made by a kernel
    assert grown["copies"] + grown["dispatches"] == 1


def test_dependent_work_places_a_barrier():
    a = vt.asarray(np.ones(64, np.float32))

    def chain():
        vt.eval(vt.sum(a) * 2)

    def apart():
        vt.eval(vt.sum(a), vt.max(a))

    for work in (chain, apart):
        work()
    dependent, independent = growth(chain), growth(apart)
    assert dependent["dispatches"] == independent["dispatches"] == 2
    assert dependent["barriers"] == 2 and independent["barriers"] == 1  # one ends each submit


def test_the_pool_counts_what_it_reuses():
    def make():
        vt.eval(vt.zeros(3000) + 1)

    make()
    grown = growth(make)
    assert grown["blocks_allocated"] == grown["blocks_freed"] >= 1
    assert grown["blocks_reused"] == grown["blocks_allocated"]
    assert grown["bytes_allocated"] >= 12_000 and grown["driver_allocations"] == 0
    vt.empty_cache()
    grown = growth(lambda: vt.eval(vt.zeros(3 << 20) + 1))
    assert grown["driver_allocations"] >= 1
    assert grown["blocks_allocated"] > grown["blocks_reused"]
    assert growth(vt.empty_cache)["driver_frees"] >= 1


def test_the_peak_follows_the_largest_moment():
    room = vt.metrics()["bytes_peak"] - vt.memory_stats()["in_use"]
    grown = growth(lambda: vt.eval(vt.zeros((room + (8 << 20)) // 4)))
    assert grown["bytes_peak"] >= 8 << 20
    assert vt.metrics()["bytes_peak"] == vt.memory_stats()["peak"]


def test_waits_and_retries_are_counted():
    a = vt.asarray(np.ones(64, np.float32))
    assert growth(lambda: vt.eval(a + 1))["waits"] >= 1
    before = vt.metrics()["memory_retries"]
    with pytest.raises(vt.OutOfMemoryError):
        try:
            vt.set_memory_limit(32 << 20)
            vt.eval(vt.zeros(64 << 20) + 1)
        finally:
            vt.set_memory_limit(0)
    assert vt.metrics()["memory_retries"] > before


UNOPENED = """
import vktensor as vt
assert set(vt.metrics().values()) == {0}
print(any("libvulkan" in line for line in open("/proc/self/maps")))
assert set(vt.metrics(vt.default_device()).values()) == {0}
vt.eval(vt.ones(3, device=vt.default_device().index))
print(vt.metrics()["dispatches"] > 0)
"""


@pytest.mark.unwatched
def test_asking_opens_no_device():
    done = subprocess.run(
        [sys.executable, "-c", UNOPENED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match=r"metrics: there is no device 99"):
        vt.metrics(99)
