"""Memory shared with others: who sees whose writes, how long it lives, what is refused."""

from __future__ import annotations

import _thread
import copy
import gc
import io
import pickle
import pickletools
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core

DTYPES = [np.dtype(name) if name != "bfloat16" else vt.bfloat16.dtype for name in _core.dtypes()]
UNIFIED = vt.default_device().features["unified_memory"]


class Array(np.ndarray):
    """An ndarray that can be referred to weakly."""


def filled(shape, dtype="float32"):
    """Small whole numbers of any dtype."""
    return (np.arange(np.prod(shape, dtype=int)) % 100).reshape(shape).astype(dtype)


def imports():
    """Blocks that live."""
    return _core.live_counts(None)["blocks"]


# ---- from_numpy ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_shared_array_is_the_same_memory_both_ways(dtype):
    a = filled((1000,), dtype)
    t = vt.from_numpy(a, copy=False)
    assert t.dtype == a.dtype and t.shape == a.shape
    if UNIFIED:
        assert np.shares_memory(t.numpy(), a) and np.shares_memory(a, t.numpy())
    assert np.array_equal(t.numpy(), a)
    a[3] = 1
    t[4] = 1
    assert t[3].item() == 1 and a[4] == 1
    assert np.array_equal(t.numpy(), a)


@pytest.mark.parametrize(
    "index",
    [np.s_[:], np.s_[3:], np.s_[::-1], np.s_[:, ::2], np.s_[1::3, 5::-2], np.s_[4], np.s_[:, 2:3]],
    ids=str,
)
@pytest.mark.parametrize("transposed", [False, True])
def test_any_strided_view_can_be_shared_read_and_written(index, transposed):
    a = filled((40, 30), "int32")
    view = a[index].T if transposed else a[index]
    expected = view.copy()
    t = vt.from_numpy(view, copy=False)
    assert np.array_equal((t * 3).numpy(), expected * 3)
    whole = a.copy()
    t += 5
    view += -5
    assert np.array_equal(a, whole)


def test_broadcast_zero_d_and_empty_arrays_can_be_shared():
    row = np.arange(6.0, dtype=np.float32)
    t = vt.from_numpy(np.broadcast_to(row, (4, 6)), copy=False)
    assert np.array_equal(vt.sum(t, axis=0).numpy(), row * 4)
    zero = np.array(2.5)
    s = vt.from_numpy(zero, copy=False)
    zero[()] = 3.5
    assert s.item() == 3.5
    assert vt.from_numpy(np.empty((3, 0)), copy=False).shape == (3, 0)


def test_each_side_sees_the_others_writes_at_once():
    a = np.zeros(5000, np.float32)
    t = vt.from_numpy(a, copy=False)
    for turn in range(20):
        a[:] = turn
        pending = t + 1  # the value of now, whatever comes later
        a[:] = -1
        assert vt.max(pending).item() == turn + 1
        t[:] = pending
        assert a[-1] == turn + 1
        t *= 2
        assert a[0] == 2 * (turn + 1)


def test_the_array_lives_as_long_as_a_tensor_of_it():
    a = filled((3000,)).view(Array)
    seen = weakref.ref(a)
    t = vt.from_numpy(a, copy=False)
    part = vt.reshape(t, (30, 100))[3:5]
    lazy = vt.exp(vt.zeros(3000)) * t
    del a, t
    gc.collect()
    assert seen() is not None
    assert np.array_equal(part.numpy().ravel(), filled((3000,))[300:500])
    del part
    assert np.array_equal(lazy.numpy(), filled((3000,)))
    assert seen() is None


def test_references_are_given_back():
    a = filled((3000,))
    before = sys.getrefcount(a), imports()
    for _ in range(5):
        t = vt.from_numpy(a, copy=False)
        u = vt.asarray(a, copy=False)
        assert imports() == before[1] + 1, "one import serves both"
        del t, u
    assert (sys.getrefcount(a), imports()) == before


def test_views_of_one_array_see_each_other():
    a = np.zeros(100, np.float32)
    left, whole = vt.from_numpy(a[:60], copy=False), vt.from_numpy(a, copy=False)
    right = vt.from_numpy(a[40:], copy=False)
    right[:] = vt.arange(60, dtype=vt.float32)
    assert np.array_equal(left.numpy(), a[:60]) and np.array_equal(whole.numpy(), a)


def test_an_overlapping_copy_between_two_imports_of_an_array_is_as_if_through_a_buffer():
    for n in (10, 1000, 50000):
        a = np.arange(n, dtype=np.float32)
        expected = a.copy()
        expected[1:] = expected[:-1].copy()
        low, high = vt.from_numpy(a[:-1], copy=False), vt.from_numpy(a[1:], copy=False)
        high[:] = low
        assert np.array_equal(a, expected)
        expected[:-1] = expected[1:][::-1].copy() * 2
        low[:] = vt.from_numpy(a[1:][::-1], copy=False) * 2
        assert np.array_equal(a, expected)


def test_neighbours_on_one_page_are_left_alone():
    page = np.zeros(4096, np.uint8)
    parts = [page[i * 64 : (i + 1) * 64] for i in range(64)]
    tensors = [vt.from_numpy(part, copy=False) for part in parts]
    for i in range(0, 64, 2):
        tensors[i] += i
    assert np.array_equal(page, np.repeat(np.arange(64) * (np.arange(64) % 2 == 0), 64))


def test_a_read_only_array_gives_a_read_only_tensor():
    a = filled((500,))
    a.flags.writeable = False
    t = vt.from_numpy(a, copy=False)
    assert np.array_equal((t + 1).numpy(), a + 1)
    assert not t.numpy().flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        t[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        t += 1
    assert memoryview(t).readonly
    assert t[0].item() == 0
    copied = vt.from_numpy(a)
    copied[0] = 9
    assert a[0] == 0


def test_what_cannot_be_shared_says_why():
    wide = np.zeros(10, [("x", "i1"), ("y", "<f8")])
    cases = {
        "byte order": np.arange(5, dtype=">i4"),
        "aligned": np.zeros(41, np.uint8)[1:].view(np.float64),
        "strides": np.zeros(10, [("y", "<f8"), ("x", "<f4")])["y"],
        "dimensions": np.zeros((1,) * 17),
    }
    for text, array in cases.items():
        with pytest.raises(ValueError, match=f"copy=False.*{text}"):
            vt.from_numpy(array, copy=False)
    with pytest.raises(TypeError, match="dtype"):
        vt.from_numpy(wide, copy=False)
    with pytest.raises(TypeError, match="dtype"):
        vt.from_numpy(np.array(["a"]))
    with pytest.raises(TypeError, match="NumPy array, got list"):
        vt.from_numpy([1, 2])
    assert np.array_equal(vt.from_numpy(cases["byte order"]).numpy(), np.arange(5))


def test_copy_true_copies():
    a = filled((50_000,))
    t = vt.from_numpy(a, copy=True)
    a[0] = 55
    assert t[0].item() == 0
    assert not np.shares_memory(t.numpy(), a)


@pytest.mark.parametrize("n", [1, 50_000])
def test_copy_none_shares_where_the_device_computes_on_host_memory(n):
    a = filled((n,))
    t = vt.from_numpy(a)
    a[0] = 55
    assert t[0].item() == (55 if UNIFIED else 0)


def test_asarray_without_a_copy_shares():
    a = filled((50_000,))
    t = vt.asarray(a, copy=False)
    a[1] = 77
    assert t[1].item() == 77
    assert vt.asarray(a, dtype="float32", copy=False)[1].item() == 77
    with pytest.raises(ValueError, match="dtype needs a copy"):
        vt.asarray(a, dtype="float64", copy=False)


def test_an_array_that_views_a_tensor_leads_back_to_it():
    t = vt.arange(1000, dtype=vt.float32) + 0
    a = t.numpy()
    back = vt.from_numpy(a[10:20], copy=False)
    back[0] = -5
    assert a[10] == -5
    if UNIFIED:
        assert t[10].item() == -5


def test_a_file_is_read_where_it_is_mapped(tmp_path):
    path = tmp_path / "numbers"
    np.arange(100_000, dtype=np.float32).tofile(path)
    mapped = np.memmap(path, np.float32, "r+")
    try:
        t = vt.from_numpy(mapped[500:], copy=False)
    except ValueError as refusal:  # NVIDIA's driver imports no mapped files
        assert "refused to import" in str(refusal) and vt.default_device().kind != "cpu"
        assert vt.max(vt.from_numpy(mapped[500:])).item() == 99_999
        return
    assert vt.max(t).item() == 99_999
    t[-1] = -1
    del t, mapped
    gc.collect()
    assert np.fromfile(path, np.float32)[-1] == -1


def test_an_interrupted_op_keeps_the_array_until_the_device_is_done():
    a = np.ones(1 << 22, np.float32).view(Array)
    seen = weakref.ref(a)
    t = vt.from_numpy(a, copy=False)
    del a
    timer = threading.Timer(0.2, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        while True:
            for _ in range(4):
                t[:] = vt.erf(vt.lgamma(vt.sinh(vt.cos(t))))
    del t
    vt.synchronize()
    assert seen() is None


def test_a_shared_array_is_free_as_soon_as_its_last_tensor_is_gone():
    a = np.zeros(1000, np.float32)
    before = sys.getrefcount(a)
    for _ in range(200):
        t = vt.from_numpy(a, copy=False)
        vt.eval(t + 1)
        del t
        assert sys.getrefcount(a) == before


def test_threads_may_share_one_array():
    a = np.zeros(8 * 1000, np.float32)
    errors = []

    def work(i):
        try:
            for turn in range(1, 30):
                part = a[i * 1000 : (i + 1) * 1000]
                t = vt.from_numpy(part, copy=False)
                t += 1
                assert part[0] == part[-1] == turn
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert np.all(a == 29)


@pytest.mark.unwatched
@pytest.mark.parametrize(
    "last", ["", "del a", "del t", "os._exit(0) if os.fork() == 0 else os.wait()"]
)
def test_a_process_ends_well_while_memory_is_shared(last):
    code = (
        "import os, numpy as np, vktensor as vt\n"
        "a = np.zeros(100000)\n"
        "t = vt.from_numpy(a, copy=False)\n"
        f"t += 1; view = t.numpy(); lazy = vt.exp(t)\n{last}\nprint(view[0])"
    )
    # Later interpreters warn of any fork beside threads; the driver has some.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["1.0"], "")


# ---- pickle and copy ----------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_pickle_to_equal_tensors(dtype, protocol):
    for shape in ((3, 4), (), (2, 0), (1,)):
        t = vt.asarray(filled(shape, dtype))
        back = pickle.loads(pickle.dumps(t, protocol))
        assert isinstance(back, vt.Tensor) and back.device == vt.default_device()
        assert back.dtype == t.dtype and back.shape == shape
        assert back.tobytes() == t.tobytes()
        assert "_core" not in str(pickletools.dis(pickle.dumps(t, protocol), io.StringIO()))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "bool"])
def test_elements_go_out_of_band(dtype):
    t = vt.asarray(filled((1000,), getattr(vt, dtype).dtype))
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(t, 5, buffer_callback=buffers.append)
    assert len(text) < 300 and len(buffers) == 1
    raw = buffers[0].raw()
    assert raw.nbytes == t.nbytes
    if UNIFIED:
        assert np.shares_memory(np.frombuffer(raw, np.uint8), t.numpy().view(np.uint8))
    for received in (buffers, [bytes(raw)], [bytearray(raw)]):
        back = pickle.loads(text, buffers=received)
        assert back.dtype == t.dtype and back.tobytes() == t.tobytes()
    back[:] = 0
    assert t.tobytes() == bytes(raw), "what is unpickled is a tensor of its own"


def test_views_pickle_only_their_elements():
    t = vt.zeros((1000, 1000))
    for view in (t[::100, ::100], t[5], t.T[3:5, 7:11], vt.broadcast_to(t[0, 0], (3, 4))):
        for protocol in (4, 5):
            text = pickle.dumps(view, protocol)
            assert len(text) < view.nbytes + 300
            assert pickle.loads(text).shape == view.shape


def test_a_pickle_of_the_wrong_size_is_refused():
    good = pickle.dumps(vt.zeros((2, 3)), 4)
    assert good.count(b"K\x03") == 1
    with pytest.raises(ValueError, match="reshape"):
        pickle.loads(good.replace(b"K\x03", b"K\x04"))


def test_copies_are_apart_and_a_memo_is_kept():
    t = vt.arange(6, dtype=vt.float32) + 0
    pair = copy.deepcopy([t, t[2:4]])
    assert np.array_equal(pair[0].numpy(), t.numpy())
    pair[0][:] = -1
    assert pair[1].tolist() == [2, 3] and t[0].item() == 0
    shallow = copy.copy(t)
    shallow[0] = 9
    assert t[0].item() == 0
    twice = copy.deepcopy([t, t])
    assert twice[0] is twice[1]
