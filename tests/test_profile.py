"""Profiles: what each event says, one time axis for GPU and host, nesting, threads, failures."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core

RNG = np.random.default_rng(9)


def normal(*shape: int) -> vt.Tensor:
    return vt.asarray(RNG.standard_normal(shape).astype(np.float32))


# ---- what a dispatch says ------------------------------------------------------------------------


def what(action) -> list[tuple[str, str, str, tuple[int, ...]]]:
    """(expression, operands, dtype, shape) of each launch."""
    with vt.profile() as p:
        vt.eval(action())
    return [(d.what, d.operands, d.dtype, d.shape) for d in p.dispatches]


def test_a_dispatch_tells_its_expression_operands_dtype_and_shape():
    a, b, row = normal(30, 40), normal(30, 40), normal(40)
    assert what(lambda: vt.sin(a) * b + vt.exp(-a)) == [
        (
            "sin(a)*b + exp(-a)",
            "a: float32[30, 40], b: float32[30, 40]",
            "float32",
            (30, 40),
        )
    ]
    assert what(lambda: a[3:7].T + 0.25) == [("a + 0.25", "a: float32[40, 4]", "float32", (40, 4))]
    assert what(lambda: (a + row) > 2) == [
        ("a + b > 2.0", "a: float32[30, 40], b: float32[40]", "bool", (30, 40))
    ]


def test_reductions_products_and_takes_tell_theirs():
    a, b = normal(30, 40), normal(40, 20)
    sums = what(lambda: vt.sum(a * 2, axis=1))
    assert set(sums) == {("sum(a*2.0)", "a: float32[30, 40]", "float32", (30,))}
    scans = what(lambda: vt.cumulative_sum(a, axis=0))
    assert {row[0] for row in scans} == {"cumulative_sum(a)"}
    operands = "a: float32[30, 40], b: float32[40, 20]"
    assert ("a @ b", operands, "float32", (30, 20)) in what(lambda: a @ b)
    index = vt.asarray([1, 5, 2])
    taken = what(lambda: vt.take(a, index, axis=0))
    assert ("take(a, b)", "a: float32[30, 40], b: int64[3]", "float32", (3, 40)) in taken


def test_many_operands_and_axes_fit_the_note():
    many = [normal(*(1,) * 15, 3 + 0 * i) for i in range(8)]
    rows = what(lambda: sum(many[1:], many[0]))
    assert rows[0][0] == "a + b + c + d + e + f + g + h"
    assert rows[0][1].endswith("...") and rows[0][3] == (1,) * 15 + (3,)


def test_scalars_of_every_dtype_are_shown():
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        x = vt.ones(3, dtype=getattr(vt, dtype)) * 1
        vt.eval(x)
        assert what(lambda x=x: x * 0.1)[0][0] == "a*0.1"
    y = vt.asarray(np.arange(3, dtype=np.int8))
    assert what(lambda: y - 3)[0][0] == "a - 3"


# ---- the other events ----------------------------------------------------------------------------


def test_transfers_waits_submits_and_memory_are_noted():
    host = np.ones((1024, 1024), np.float32)
    with vt.profile() as p:
        a = vt.asarray(host, copy=True)
        total = float(vt.sum(a))
        del a
        vt.empty_cache()
    assert total == host.size
    up = [t for t in p.transfers if t.name == "upload"]
    assert sum(t.bytes for t in up) >= host.nbytes and all(t.gb_per_s > 0 for t in up)
    down = sum(t.bytes for t in p.transfers if t.name == "download")
    assert down >= 4 or any(c.name == "download" for c in p.copies) or p.waits
    assert {w.name for w in p.waits} & {"read", "write"}
    assert p.submits and sum(s.n_commands for s in p.submits) >= len(p.dispatches)
    names = [m.name for m in p.memory]
    assert names[0] == "start" and names[-1] == "stop"
    assert "alloc" in names and "free" in names and "trim" in names
    alloc = next(m for m in p.memory if m.name == "alloc")
    assert alloc.bytes == host.nbytes and alloc.in_use >= host.nbytes
    assert p.memory[-1].in_use <= alloc.in_use - host.nbytes
    assert p.memory[-1].reserved == vt.memory_stats()["reserved"]


def test_sharing_numpys_memory_is_noted():
    with vt.profile() as p:
        mine = np.zeros(100_000, np.float32)
        shared = vt.from_numpy(mine, copy=False)
        vt.eval(shared + 1)
        del shared
    names = [m.name for m in p.memory if "import" in m.name]
    assert names == ["import", "unimport"]
    assert all(m.bytes == mine.nbytes for m in p.memory if "import" in m.name)
    assert not p.transfers


def test_a_compile_tells_its_parts_and_where_it_came_from(tmp_path):
    code = (
        "import vktensor as vt\n"
        "with vt.profile() as p: vt.eval(vt.sin(vt.ones(5)) * 3)\n"
        "c, = p.compiles\n"
        "assert c.name == p.dispatches[0].name and c.glslang_ns > 0 and c.driver_ns > 0\n"
        "assert c.glslang_ns + c.driver_ns <= c.ns\n"
        "assert 'glslang' in p.summary()\n"
        "print(c.spirv_cached)\n"
    )
    env = {"VKTENSOR_CACHE_DIR": str(tmp_path)}
    for cached in ("False", "True"):
        assert run(code, **env).strip() == cached


def run(code: str, **env: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- one time axis -------------------------------------------------------------------------------


def check_axis(events: list[dict], error_ns: int) -> int:
    """Commands run between the call of their submit and the end of a wait for it; the number
    checked."""
    submits = {e["submit"]: e for e in events if e["kind"] == "submit"}
    waits = [e for e in events if e["kind"] == "wait"]
    checked = 0
    for e in events:
        if e["kind"] not in ("dispatch", "copy"):
            continue
        submit = submits[e["submit"]]
        assert e["recorded_ns"] <= submit["start_ns"] + submit["ns"]
        assert e["start_ns"] >= submit["start_ns"] - error_ns
        for wait in waits:
            if wait["submit"] >= e["submit"]:
                assert e["start_ns"] + e["ns"] <= wait["start_ns"] + wait["ns"] + error_ns
                checked += 1
    return checked


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_gpu_works_between_a_submit_and_the_end_of_its_wait(calibrated):
    a = normal(400, 400)
    mark = _core.profile_start(None, calibrated)
    for _ in range(5):
        vt.eval(vt.sin(a) + 1)
        float(vt.sum(a @ a))
    record = _core.profile_stop(mark)
    features = vt.default_device().features
    assert record["calibrated"] is (calibrated and features["calibrated_timestamps"])
    assert check_axis(record["events"], record["clock_error_ns"] + 1000) >= 10
    commands = [e for e in record["events"] if e["kind"] in ("dispatch", "copy")]
    starts = [e["start_ns"] for e in commands]
    assert starts == sorted(starts)
    assert all(e["start_ns"] >= 0 and e["start_ns"] + e["ns"] <= record["ns"] for e in commands)


def test_a_profile_is_a_chrome_trace(tmp_path):
    a = normal(1000, 300)
    with vt.profile() as p:
        vt.eval(vt.sin(a) * 2)
        np.asarray(vt.sum(a, axis=0))
    p.save(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    gpu = [e for e in events if e["ph"] == "X" and e["pid"] == 2]
    assert [e["name"] for e in gpu] == [d.name for d in p.dispatches + p.copies]
    assert gpu[0]["args"]["expression"] == "sin(a)*2.0"
    assert gpu[0]["args"]["shape"] == [1000, 300]
    tracks = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert {"queue", "submit", "wait"} <= tracks
    assert any(e["ph"] == "C" and e["args"]["in use"] > 0 for e in events)
    arrows = [(e["id"], e["ph"]) for e in events if e["name"] == "submit" and e["ph"] in "sf"]
    assert len(arrows) == 2 * len({d.submit for d in p.dispatches + p.copies})
    for e in events:
        assert e["ph"] == "M" or e["ts"] >= 0


def test_the_summary_adds_up():
    a = normal(300, 300)
    with vt.profile() as p:
        for _ in range(3):
            vt.eval(vt.cos(a) * 0.5)
    kernel = p.dispatches[0].name
    lines = p.summary().splitlines()
    row = next(line for line in lines if line.startswith(kernel)).split()
    assert row[1] == "3"
    assert float(row[2]) == pytest.approx(sum(d.ns for d in p.dispatches) / 1e6, abs=1e-3)
    assert row[-1] == "100.0%"
    assert (
        "cos(a)*0.5" in p.summary() and "a: float32[300, 300] -> float32[300, 300]" in p.summary()
    )
    assert p.gpu_ns == sum(d.ns for d in p.dispatches) < p.ns
    for label in ("GPU", "waits", "submits", "memory"):
        assert any(line.startswith(label) for line in lines)


def test_an_empty_profile_is_fine(tmp_path):
    with vt.profile() as p:
        pass
    assert not (p.dispatches or p.copies or p.compiles or p.waits or p.submits)
    assert "busy 0.000 ms" in p.summary() and p.gpu_ns == 0
    p.save(tmp_path / "empty.json")


# ---- nesting, threads, failures ------------------------------------------------------------------


def test_profiles_nest_and_overlap():
    a = normal(100)
    first, second, third = vt.profile(), vt.profile(), vt.profile()
    first.__enter__()
    vt.eval(vt.sin(a))
    second.__enter__()
    vt.eval(vt.cos(a))
    with third:
        vt.eval(vt.exp(a))
    first.__exit__(None, None, None)
    vt.eval(vt.tan(a))
    second.__exit__(None, None, None)
    vt.eval(vt.log(a))
    texts = [[d.what for d in p.dispatches] for p in (first, second, third)]
    assert texts == [["sin(a)", "cos(a)", "exp(a)"], ["cos(a)", "exp(a)", "tan(a)"], ["exp(a)"]]
    assert all(d.ns > 0 for p in (first, second, third) for d in p.dispatches)
    assert third.dispatches[0].start_ns <= second.dispatches[1].start_ns


def test_a_profile_can_be_used_again_and_is_not_entered_twice():
    p = vt.profile()
    with pytest.raises(RuntimeError, match="not running"):
        p.__exit__(None, None, None)
    for _ in range(2):
        with p, pytest.raises(RuntimeError, match="running already"):
            vt.eval(vt.ones(3) + 1)
            p.__enter__()
        assert len(p.dispatches) == 1


def test_a_mark_serves_once():
    mark = _core.profile_start()
    _core.profile_stop(mark)
    with pytest.raises(RuntimeError, match="not running"):
        _core.profile_stop(mark)
    with pytest.raises(TypeError, match="mark"):
        _core.profile_stop(3)
    with vt.profile() as p:
        _core.profile_drop(mark)
        vt.eval(vt.ones(3) + 1)
    assert len(p.dispatches) == 1


def test_exceptions_pass_through_and_the_profile_is_filled():
    p = vt.profile()
    with pytest.raises(ZeroDivisionError), p:
        vt.eval(vt.ones(3) + 1)
        1 / 0
    assert len(p.dispatches) == 1
    with vt.profile() as after:
        pass
    assert not after.dispatches


def test_a_forgotten_profile_ends_with_its_object():
    p = vt.profile()
    p.__enter__()
    del p
    mark = _core.profile_start()
    assert mark[1] == 0  # the first of its time: nothing else is running
    _core.profile_stop(mark)


def test_a_profile_sees_the_work_of_all_threads():
    tensors = [normal(50_000) for _ in range(3)]
    seen: list[int] = []

    def work(x: vt.Tensor) -> None:
        with vt.profile() as own:
            for _ in range(20):
                vt.eval(vt.sqrt(x * x))
        seen.append(len(own.dispatches))

    with vt.profile() as p:
        threads = [threading.Thread(target=work, args=(x,)) for x in tensors]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert len(p.dispatches) == 60 and all(20 <= n <= 60 for n in seen)
    assert len({d.thread for d in p.dispatches}) == 3
    assert all(d.ns > 0 for d in p.dispatches)


def test_what_other_threads_do_lies_where_it_was(tmp_path):
    """Waits that were under way at the start begin before it, and nothing ends after the end: the
    boxes of a thread's track follow one another."""
    tensors = [normal(300_000) for _ in range(2)]
    going = threading.Event()

    def work(x: vt.Tensor) -> None:
        while not going.is_set():
            vt.eval(vt.sin(x) * vt.exp(x))

    threads = [threading.Thread(target=work, args=(x,)) for x in tensors]
    for t in threads:
        t.start()
    profiles = []
    for i in range(30):
        with vt.profile() as p:
            vt.eval(tensors[0] + i)
        profiles.append(p)
    going.set()
    for t in threads:
        t.join()
    for p in profiles:
        events = [*p.dispatches, *p.waits, *p.submits, *p.transfers, *p.memory]
        assert all(e.end_ns <= p.ns + p.clock_error_ns for e in events)
        p.save(tmp_path / "trace.json")
        trace = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        boxes = [e for e in trace if e["ph"] == "X" and e["cat"] == "wait"]
        for tid in {e["tid"] for e in boxes}:
            track = sorted((e["ts"], e["ts"] + e["dur"]) for e in boxes if e["tid"] == tid)
            assert all(a[1] <= b[0] + 1e-3 for a, b in zip(track, track[1:], strict=False))
        assert all(e["ts"] >= 0 and e.get("dur", 0) >= 0 for e in trace if "ts" in e)


def test_thousands_of_events_are_kept_and_timed():
    x = normal(8)
    with vt.profile() as p:
        for _ in range(5000):
            x = x + 1
            vt.async_eval(x)
    assert len(p.dispatches) == 5000 and p.dropped == 0
    assert all(d.ns > 0 for d in p.dispatches)
    starts = [d.start_ns for d in p.dispatches]
    assert starts == sorted(starts)


@pytest.mark.unwatched
def test_a_profile_outlives_fork_and_shutdown():
    code = (
        "import atexit, os, vktensor as vt\n"
        "def late():\n"
        "    try: p.__exit__(None, None, None)\n"
        "    except RuntimeError as e: print('late:', e)\n"
        "p = vt.profile(); p.__enter__(); vt.eval(vt.ones(3) + 1)\n"
        "import vktensor._core\n"
        "if os.fork() == 0:\n"
        "    try: p.__exit__(None, None, None)\n"
        "    except RuntimeError as e: print('child:', 'fork' in str(e), flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "p.__exit__(None, None, None); print(len(p.dispatches))\n"
        "q = vt.profile(); q.__enter__()\n"
    )
    assert run(code).split() == ["child:", "True", "1"]
