"""NumPy arrays born in pinned memory, copies into arrays that are there, copies through staging."""

from __future__ import annotations

import asyncio
import gc
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core

SHARES = vt.default_device().features["unified_memory"]
LARGE = (300, 200)
TESTS = pathlib.Path(__file__).parent


def born(shape=LARGE, dtype="float32"):
    """An array in pinned memory, of small whole numbers."""
    with vt.host_memory():
        return (np.arange(np.prod(shape, dtype=int)) % 100).reshape(shape).astype(dtype)


def blocks():
    gc.collect()
    return _core.live_counts(None)["blocks"]


# ---- host_memory --------------------------------------------------------------------------------


def test_arrays_born_in_host_memory_are_ordinary_arrays():
    with vt.host_memory():
        a = np.zeros(LARGE)
        b = np.ones(LARGE)
        a += b * 2
        c = np.concatenate([a, b])
        c.resize((10, 10), refcheck=False)
        c.resize((900, 100), refcheck=False)
    assert a.flags.owndata and np.all(a == 2)
    assert np.array_equal(np.sort(a.ravel()), np.full(a.size, 2.0))
    assert c.sum() == 200 and c[1:].sum() == 0


def test_memory_goes_back_to_the_pool_when_the_array_dies():
    before = blocks()
    arrays = [born() for _ in range(5)]
    assert blocks() == before + 5
    del arrays[1:]
    assert blocks() == before + 1
    view = arrays[0][5:, ::2]
    arrays.clear()
    assert blocks() == before + 1, "a view keeps the memory"
    del view
    assert blocks() == before


def test_small_arrays_are_allocated_as_always():
    before = blocks()
    with vt.host_memory():
        small, large = np.zeros(8191), np.zeros(8192)
        assert blocks() == before + 1
    del small, large


def test_zeros_are_zeros_when_memory_is_reused():
    a = born()
    a += 7
    del a
    with vt.host_memory():
        assert not np.zeros(LARGE, np.float32).any()


@pytest.mark.parametrize("index", [np.s_[:], np.s_[::-1, 3::2], np.s_[7]], ids=str)
def test_asarray_of_such_an_array_shares_or_copies_fast(index):
    a = born()
    expected = a[index] + 1
    t = vt.asarray(a[index])
    assert np.shares_memory(t.numpy(), a) == SHARES
    t += 1
    assert np.array_equal(t.numpy(), expected)
    assert np.array_equal(a[index], expected) == SHARES
    assert not np.shares_memory(vt.asarray(a[index], copy=True).numpy(), a)
    assert np.array_equal(vt.asarray(a[index], copy=True).numpy(), a[index])
    assert vt.asarray(a[index], dtype="float64")[-1].dtype == np.float64


def test_a_tensor_keeps_the_memory_of_its_array():
    before = blocks()
    a = born()
    t = vt.asarray(a)
    view = t[1:3]
    del a, t
    assert np.array_equal(view.numpy(), (np.arange(400) % 100 + 0).reshape(2, 200))
    del view
    assert blocks() == before


def test_the_setting_belongs_to_the_context():
    before = blocks()
    seen = []

    async def outside(started, done):
        await started.wait()
        seen.append(np.zeros(LARGE))
        done.set()

    async def inside(started, done):
        with vt.host_memory():
            started.set()
            await done.wait()
            return np.zeros(LARGE)

    async def both():
        started, done = asyncio.Event(), asyncio.Event()
        return (await asyncio.gather(outside(started, done), inside(started, done)))[1]

    kept = asyncio.run(both())
    assert blocks() == before + 1
    with vt.host_memory():
        thread = threading.Thread(target=lambda: seen.append(np.zeros(LARGE)))
        thread.start()
        thread.join()
        # Threads take over the context they are started in only where the interpreter says so.
        inherits = getattr(sys.flags, "thread_inherit_context", False)
    assert blocks() == before + 1 + inherits
    assert len(seen) == 2 and kept.shape == LARGE


def test_blocks_nest_and_end_by_exceptions():
    before = blocks()
    with pytest.raises(ZeroDivisionError), vt.host_memory():
        with vt.host_memory():
            inner = np.zeros(LARGE)
        outer = np.zeros(LARGE)
        assert blocks() == before + 2
        del inner, outer
        1 / 0
    plain = np.zeros(LARGE)
    assert blocks() == before
    del plain


def test_without_pinned_memory_left_arrays_are_allocated_as_always():
    vt.empty_cache()
    before = blocks()
    vt.set_memory_limit(1 << 20)
    try:
        with vt.host_memory():
            a = np.ones((4 << 20,), np.uint8)
        assert a.sum() == 4 << 20
        if SHARES:
            assert blocks() == before
    finally:
        vt.set_memory_limit(0)


def test_threads_may_allocate_and_free_at_once():
    before = blocks()
    errors = []

    def work(i):
        try:
            with vt.host_memory():
                for turn in range(50):
                    a = np.full(20_000 + 1000 * i, turn, np.float32)
                    b = a * 2
                    assert vt.asarray(b)[-1].item() == 2 * turn
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    del threads
    assert blocks() == before


@pytest.mark.unwatched
@pytest.mark.parametrize(
    "last",
    [
        "",
        "vt._core._shutdown()",
        "if os.fork() == 0:\n b = np.zeros(100000); del a, b; os._exit(0)\n"
        "assert os.wait()[1] == 0",
        "manager = vt.host_memory(); manager.__enter__()",
        "t = vt.asarray(a); del a",
    ],
)
def test_a_process_ends_well_with_arrays_in_host_memory(last):
    code = (
        "import os, numpy as np, vktensor as vt\n"
        "with vt.host_memory():\n a = np.zeros(100000)\n"
        f"{last}\nprint('good')"
    )
    # Later interpreters warn of any fork beside threads; the driver has some.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["good"], "")


# ---- to_numpy -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "bfloat16"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (300, 200)], ids=str)
@pytest.mark.parametrize("pinned", [False, True])
def test_to_numpy_copies_into_an_array(dtype, shape, pinned):
    dtype = getattr(vt, dtype).dtype
    expected = (np.arange(np.prod(shape, dtype=int)) % 2).reshape(shape).astype(dtype)
    t = vt.asarray(expected, copy=True)
    out = born(shape, dtype) if pinned else np.empty(shape, dtype)
    assert vt.to_numpy(t, out=out) is out
    assert np.array_equal(out, expected)
    assert np.array_equal(vt.to_numpy(t), expected)
    lazy = vt.where(t == t, t, t)
    out[...] = 0
    assert np.array_equal(vt.to_numpy(lazy, out=out), expected)


@pytest.mark.parametrize("pinned", [False, True])
def test_to_numpy_fills_any_strides(pinned):
    whole = born() if pinned else np.zeros(LARGE, np.float32)
    whole[:] = -1
    t = vt.reshape(vt.arange(100 * 50, dtype=vt.float32), (100, 50))
    vt.to_numpy(t.T, out=whole[50:100, 100:][::-1])
    expected = np.full(LARGE, -1, np.float32)
    expected[50:100, 100:][::-1] = np.arange(5000).reshape(100, 50).T
    assert np.array_equal(whole, expected)


def test_to_numpy_may_copy_over_itself():
    a = born((100_000,))
    t = vt.asarray(a)
    expected = a[:-1].copy()
    vt.to_numpy(t[:-1], out=a[1:])
    assert np.array_equal(a[1:], expected)
    b = np.arange(100_000.0)
    vt.to_numpy(vt.from_numpy(b, copy=False)[:-3], out=b[3:])
    assert np.array_equal(b[3:], np.arange(100_000.0)[:-3])


def test_to_numpy_refuses_what_does_not_fit():
    t = vt.zeros((2, 3))
    fixed = np.zeros((2, 3), np.float32)
    fixed.flags.writeable = False
    for out, error, text in (
        (np.zeros((3, 2), np.float32), ValueError, r"shape \(2, 3\)"),
        (np.zeros((2, 3)), TypeError, "float64"),
        ([[0.0] * 3] * 2, TypeError, "list"),
        (fixed, ValueError, "read-only"),
    ):
        with pytest.raises(error, match=text):
            vt.to_numpy(t, out=out)


# ---- Staging ------------------------------------------------------------------------------------

STAGED = """
import threading, numpy as np, vktensor as vt
from vktensor import _core
from hazards import hazards
rng = np.random.default_rng(0)
_core.trace_start(None)
def copy_both_ways(n):
    a = rng.integers(0, 255, n, dtype=np.uint8)
    t = vt.asarray(a, copy=True)
    assert np.array_equal(vt.to_numpy(t, out=np.empty(n, np.uint8)), a), n
    rest = np.empty(n - 1, np.uint8)
    assert np.array_equal(vt.to_numpy(t[1:] + 1, out=rest), a[1:] + np.uint8(1))
for n in (1, 257, 65536, 65537, 256 << 10, (256 << 10) * 17 + 5, 4 << 20, (4 << 20) * 35 + 1):
    copy_both_ways(n)
threads = [threading.Thread(target=copy_both_ways, args=(3_000_000 + i,)) for i in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
vt.synchronize()
found = hazards(_core.trace_stop(None))
assert not found, found[0]
assert _core.validation_messages()[0] == 0
assert _core.live_counts(None)["blocks"] == 0
print("good")
"""


@pytest.mark.unwatched
@pytest.mark.parametrize("file", ["test_exchange.py", "test_dlpack.py", "test_hostmem.py"])
def test_with_a_bus_between_the_same_tests_pass(file):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", TESTS / file]
        + ["--deselect", "tests/test_hostmem.py::test_with_a_bus_between_the_same_tests_pass"],
        capture_output=True,
        text=True,
        cwd=TESTS.parent,
        env={**os.environ, "VKTENSOR_TRANSFERS": "staged"},
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.unwatched
def test_copies_through_staging_are_whole_and_ordered():
    environment = {
        **os.environ,
        "VKTENSOR_TRANSFERS": "staged",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", STAGED], capture_output=True, text=True, timeout=300, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "good\n", "")


@pytest.mark.unwatched
def test_a_process_may_end_in_the_middle_of_a_staged_copy():
    code = (
        "import threading, time, numpy as np, vktensor as vt\n"
        "a = np.zeros(100_000_000, np.uint8)\n"
        "vt.eval(vt.zeros(3))\n"
        "def work():\n"
        " try:\n"
        "  while True: vt.asarray(a, copy=True)\n"
        " except RuntimeError: pass\n"  # shut down
        "for _ in range(2): threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    environment = {**os.environ, "VKTENSOR_TRANSFERS": "staged"}
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.unwatched
def test_ctrl_c_leaves_a_staged_copy():
    code = (
        "import _thread, threading, numpy as np, vktensor as vt\n"
        "a = np.ones(50_000_000, np.uint8)\n"
        "threading.Timer(0.3, _thread.interrupt_main).start()\n"
        "try:\n"
        " while True: vt.asarray(a, copy=True)\n"
        "except KeyboardInterrupt: pass\n"
        "print(int(vt.sum(vt.asarray(a, copy=True))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "VKTENSOR_TRANSFERS": "staged"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "50000000\n", "")
