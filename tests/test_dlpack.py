"""DLPack both ways, with NumPy and with producers and consumers made by hand."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core

UNIFIED = vt.default_device().features["unified_memory"]
HOST = (1, 0)
DTYPES = [np.dtype(name) if name != "bfloat16" else vt.bfloat16.dtype for name in _core.dtypes()]
CODES = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6, "V": 4}
READ_ONLY, IS_COPIED = 1, 2


# ---- The structs and the capsule API, apart from the library's own ------------------------------


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Managed(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", DELETER)]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


def api(name, result, *arguments):
    function = getattr(ctypes.pythonapi, name)
    function.restype, function.argtypes = result, arguments
    return function


get_name = api("PyCapsule_GetName", ctypes.c_char_p, ctypes.py_object)
get_pointer = api("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
set_name = api("PyCapsule_SetName", ctypes.c_int, ctypes.py_object, ctypes.c_char_p)
new_capsule = api(
    "PyCapsule_New", ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
)
KINDS = {b"dltensor": Managed, b"dltensor_versioned": Versioned}


def opened(capsule):
    """What a capsule holds, without taking it."""
    name = get_name(capsule)
    return KINDS[name].from_address(get_pointer(capsule, name))


class Producer:
    """A library of its own: gives the memory of an array as it is told to."""

    def __init__(self, array, versioned=True, flags=0, strides=True, old_protocol=False, **changes):
        self.array, self.versioned, self.old_protocol = array, versioned, old_protocol
        self.flags, self.strides, self.changes = flags, strides, changes
        self.device = HOST
        self.deleted = 0
        self.asked: list[dict[str, object]] = []

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **asked):
        if self.old_protocol and asked:
            raise TypeError("no keywords here")
        self.asked.append(asked)
        self.managed = managed = (Versioned if self.versioned else Managed)()
        a, tensor = self.array, managed.tensor
        itemsize = a.itemsize or 1
        self.shape = (ctypes.c_int64 * 17)(*a.shape)
        self.steps = (ctypes.c_int64 * 17)(*(s // itemsize for s in a.strides))
        tensor.data, tensor.device_type, tensor.ndim = a.ctypes.data, 1, a.ndim
        tensor.code, tensor.bits, tensor.lanes = CODES[a.dtype.kind], 8 * itemsize, 1
        tensor.shape = ctypes.cast(self.shape, ctypes.POINTER(ctypes.c_int64))
        if self.strides:
            tensor.strides = ctypes.cast(self.steps, ctypes.POINTER(ctypes.c_int64))
        self.callback = managed.deleter = DELETER(self.delete)
        if self.versioned:
            managed.major, managed.minor, managed.flags = 1, 0, self.flags
        for name, value in self.changes.items():
            setattr(managed if hasattr(managed, name) else tensor, name, value)
        self.name = b"dltensor_versioned" if self.versioned else b"dltensor"
        return new_capsule(ctypes.addressof(managed), self.name, None)

    def delete(self, managed):
        assert managed == ctypes.addressof(self.managed)
        self.deleted += 1


def ramp(shape, dtype="float32"):
    return (np.arange(np.prod(shape, dtype=int)) % 100).reshape(shape).astype(dtype)


# ---- Giving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("max_version", [None, (0, 8), (1, 0), (1, 3), (2, 0)])
def test_a_capsule_says_what_the_tensor_is(dtype, max_version):
    t = vt.asarray(ramp((4, 6), dtype))[1:, ::-2]
    capsule = t.__dlpack__(max_version=max_version, dl_device=HOST)
    held = opened(capsule)
    assert get_name(capsule) == (
        b"dltensor" if (max_version or (0,))[0] < 1 else b"dltensor_versioned"
    )
    tensor = held.tensor
    assert (tensor.device_type, tensor.device_id, tensor.ndim) == (1, 0, 2)
    assert (tensor.code, tensor.bits, tensor.lanes) == (CODES[dtype.kind], 8 * dtype.itemsize, 1)
    assert tensor.shape[:2] == [3, 3] and tensor.byte_offset == 0
    expected = t.numpy()
    strides = tuple(s * dtype.itemsize for s in tensor.strides[:2])
    low = tensor.data + 2 * min(strides[1], 0)
    raw = ctypes.string_at(low, 2 * abs(strides[0]) + 2 * abs(strides[1]) + dtype.itemsize)
    got = np.ndarray((3, 3), dtype, raw, tensor.data - low, strides)
    assert np.array_equal(got, expected)
    if isinstance(held, Versioned):
        assert held.major == 1 and held.flags == (0 if UNIFIED else IS_COPIED)
    del got, expected, tensor, held


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 1, 3)], ids=str)
def test_strides_are_always_there_and_empty_tensors_have_no_data(shape):
    for max_version in (None, (1, 3)):
        capsule = vt.zeros(shape).__dlpack__(max_version=max_version, dl_device=HOST)
        tensor = opened(capsule).tensor
        assert bool(tensor.strides) and bool(tensor.data) == (0 not in shape)
        assert tuple(tensor.shape[: len(shape)]) == shape


def test_an_unused_capsule_releases_what_it_holds():
    t = vt.zeros(100)
    vt.eval(t)
    for options in ({}, {"max_version": (1, 0)}, {"copy": True}):
        before = _core.live_counts(None)["blocks"]
        capsule = t.__dlpack__(dl_device=HOST, **options)
        if options.get("copy"):
            assert _core.live_counts(None)["blocks"] == before + 1
        del capsule
        gc.collect()
        assert _core.live_counts(None)["blocks"] == before


@pytest.mark.parametrize("max_version", [None, (1, 0)])
@pytest.mark.parametrize("where", ["here", "thread", "without the lock"])
def test_a_used_capsule_is_released_by_its_deleter_from_any_thread(max_version, where):
    t = vt.ones(1000) * 3
    capsule = t.__dlpack__(max_version=max_version, dl_device=HOST)
    held = opened(capsule)
    set_name(capsule, b"used_" + get_name(capsule))
    address = ctypes.addressof(held)
    del t, capsule
    assert ctypes.c_float.from_address(held.tensor.data).value == 3, "the capsule is not the owner"
    deleter = ctypes.cast(held.deleter, ctypes.c_void_p).value
    # CFUNCTYPE drops the interpreter's lock for the call, PYFUNCTYPE keeps it.
    kind = ctypes.CFUNCTYPE if where == "without the lock" else ctypes.PYFUNCTYPE
    call = kind(None, ctypes.c_void_p)(deleter)
    if where == "here":
        call(address)
    else:
        thread = threading.Thread(target=call, args=(address,))
        thread.start()
        thread.join()
    vt.zeros(1)  # any release of ours delivers what other threads left


def test_overlapping_elements_are_read_only_and_unfit_for_old_capsules():
    t = vt.broadcast_to(vt.zeros(3), (4, 3))
    if UNIFIED:
        assert opened(t.__dlpack__(max_version=(1, 0))).flags == READ_ONLY
        with pytest.raises(BufferError, match="max_version"):
            t.__dlpack__()
    assert opened(t.__dlpack__(max_version=(1, 0), copy=True, dl_device=HOST)).flags == IS_COPIED
    assert opened(t.__dlpack__(copy=True, dl_device=HOST)).tensor.strides[:2] == [3, 1]


def test_what_cannot_be_given_is_a_buffer_error():
    t = vt.zeros(3)
    for options in (
        {"dl_device": (2, 0)},
        {"dl_device": (7, 0)},
        {"dl_device": (1, 1)},
        {"stream": 1},
    ):
        with pytest.raises(BufferError, match="__dlpack__"):
            t.__dlpack__(**options)
    for options in (
        {"dl_device": 1},
        {"max_version": 1},
        {"max_version": ("a", 0)},
        {"copy": "no"},
    ):
        with pytest.raises(TypeError):
            t.__dlpack__(**options)
    if not UNIFIED:
        with pytest.raises(BufferError, match="dl_device"):
            t.__dlpack__()
    t.__dlpack__(stream=-1, dl_device=HOST)


def test_the_device_is_the_host_where_it_can_view_the_memory():
    kind, index = vt.zeros(3).__dlpack_device__()
    assert (kind, index) == (HOST if UNIFIED else (7, vt.default_device().index))


def test_small_tensors_go_to_the_host_without_a_copy():
    t = vt.arange(1000, dtype=vt.float32)
    a = np.from_dlpack(vt.from_dlpack(t)) if UNIFIED else None
    capsule = t.__dlpack__(max_version=(1, 0), dl_device=HOST, copy=False)
    held = opened(capsule)
    assert held.flags == 0
    assert ctypes.c_float.from_address(held.tensor.data + 4 * 999).value == 999
    ctypes.c_float.from_address(held.tensor.data).value = 55
    assert vt.max(t * 1).item() == 999 and t[0].item() == 55
    assert a is None or a[0] == 55


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind != "V"], ids=str)
def test_numpy_takes_tensors(dtype):
    t = vt.asarray(ramp((5, 7), dtype))
    a = np.from_dlpack(t, device="cpu")
    assert a.dtype == dtype and np.array_equal(a, ramp((5, 7), dtype))
    if UNIFIED:
        assert np.shares_memory(a, t.numpy()) and a.flags.writeable
        a[2, 3] = 1
        assert t[2, 3].item() == 1
        t[:] = 0
        assert not a.any()
    assert not np.shares_memory(np.from_dlpack(t, device="cpu", copy=True), t.numpy())


# ---- Taking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind != "V"], ids=str)
@pytest.mark.parametrize("copy", [None, False, True])
def test_tensors_take_numpy(dtype, copy):
    a = ramp((6, 8), dtype)[::-1, 1::2]
    t = vt.from_dlpack(a, copy=copy)
    assert t.dtype == dtype and np.array_equal(t.numpy(), a)
    a[0, 0] = 1
    shares = copy is False or (copy is None and UNIFIED)
    assert t[0, 0].item() == (1 if shares else ramp((6, 8), dtype)[-1, 1])


def test_a_read_only_array_is_copied_or_shared_for_reading():
    a = ramp((10,))
    a.flags.writeable = False
    copied, shared = vt.from_dlpack(a), vt.from_dlpack(a, copy=False)
    copied[0] = 5
    assert a[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        shared[0] = 5


@pytest.mark.parametrize("copy", [None, False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"versioned": False},
        {"versioned": False, "old_protocol": True},
        {"strides": False},
        {"flags": READ_ONLY},
        {"flags": IS_COPIED},
        {"byte_offset": 16},
        {"device_type": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_any_producer_is_read_and_its_deleter_called_once(dtype, options, copy):
    array = ramp((4, 6), dtype)
    producer = Producer(array, **options)
    t = vt.from_dlpack(producer, copy=copy)
    skip = options.get("byte_offset", 0) // dtype.itemsize
    if not skip:
        assert t.dtype == dtype and np.array_equal(t.numpy(), array)
    else:
        assert t[0, 0].item() == array.flat[skip]
    writable = options.get("flags") != READ_ONLY
    shares = copy is False or (copy is None and UNIFIED and writable)
    assert producer.deleted == (0 if shares else 1)
    if not options.get("old_protocol"):
        asked = {"max_version": (1, 3)} | ({"copy": False} if copy is False else {})
        assert producer.asked == [asked]
    del t
    gc.collect()
    assert producer.deleted == 1


def test_capsules_themselves_are_taken_and_renamed():
    for versioned in (True, False):
        producer = Producer(ramp((3,)), versioned)
        capsule = producer.__dlpack__()
        t = vt.from_dlpack(capsule)
        assert get_name(capsule) == b"used_" + producer.name
        with pytest.raises(BufferError, match="not used before"):
            vt.from_dlpack(capsule)
        assert np.array_equal(t.numpy(), ramp((3,)))
        del t, capsule
        assert producer.deleted == 1


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"ndim": -1}, BufferError, "dimensions"),
        ({"ndim": 17}, BufferError, "dimensions"),
        ({"shape": None}, BufferError, "no shape"),
        ({"data": None}, BufferError, "no data"),
        ({"device_type": 2}, BufferError, "memory"),
        ({"lanes": 4}, TypeError, "4 lanes"),
        ({"bits": 128}, TypeError, "128 bits"),
        ({"code": 3, "bits": 64}, TypeError, "code 3"),
        ({"major": 2}, BufferError, "got 2"),
    ],
    ids=str,
)
def test_an_unsound_producer_is_refused_and_released(changes, error, text):
    producer = Producer(ramp((4,)), **changes)
    with pytest.raises(error, match=text):
        vt.from_dlpack(producer)
    gc.collect()
    assert producer.deleted == 1


@pytest.mark.parametrize(
    ("shape", "strides"),
    [
        ((-1,), (1,)),
        ((2**62,), (2**62,)),
        ((2, 2), (2**61, -(2**62))),
        ((2**32, 2**32), (1, 1)),
        ((2,), (-(2**63),)),
    ],
    ids=str,
)
def test_absurd_extents_are_refused(shape, strides):
    producer = Producer(ramp((4,)))
    make = producer.__dlpack__

    class Changed:
        def __dlpack__(self, **asked):
            capsule = make(**asked)
            tensor = producer.managed.tensor
            tensor.ndim = len(shape)
            producer.shape[: len(shape)], producer.steps[: len(shape)] = shape, strides
            return capsule

        def __dlpack_device__(self):
            return HOST

    for copy in (None, False, True):
        producer.deleted = 0
        with pytest.raises(BufferError, match="from_dlpack"):
            vt.from_dlpack(Changed(), copy=copy)
        gc.collect()
        assert producer.deleted == 1


def test_memory_elsewhere_is_asked_for_in_the_hosts():
    producer = Producer(ramp((4,)))
    producer.device = (2, 0)
    assert vt.from_dlpack(producer)[3].item() == 3
    assert producer.asked[0]["dl_device"] == HOST
    refusing = Producer(ramp((4,)), old_protocol=True)
    refusing.device = (2, 0)
    with pytest.raises(TypeError, match="no keywords"):
        vt.from_dlpack(refusing)


def test_objects_that_are_no_producers_are_refused():
    for thing in (3, [1.0], "text", object()):
        with pytest.raises(AttributeError, match="__dlpack__"):
            vt.from_dlpack(thing)


def test_a_misaligned_producer_is_copied_or_refused():
    raw = np.zeros(41, np.uint8)[1:]
    producer = Producer(raw.view(np.float32))
    assert vt.from_dlpack(producer).shape == (10,)
    with pytest.raises(ValueError, match="copy=False.*aligned"):
        vt.from_dlpack(producer, copy=False)


def test_tensors_are_taken_without_a_capsule():
    t = vt.arange(5, dtype=vt.float32) + 0
    u = vt.from_dlpack(t)
    u[0] = 9
    assert t[0].item() == 9
    v = vt.from_dlpack(t, copy=True)
    v[0] = 1
    assert t[0].item() == 9


@pytest.mark.unwatched
def test_a_deleter_may_come_after_the_end():
    code = (
        "import atexit, ctypes, sys\n"
        "sys.path.insert(0, 'tests')\n"
        "import vktensor as vt\n"
        "from test_dlpack import opened, set_name, get_name\n"
        "t = vt.ones(1000) * 3\n"
        "capsule = t.__dlpack__(dl_device=(1, 0))\n"
        "held = opened(capsule)\n"
        "set_name(capsule, b'used_' + get_name(capsule))\n"
        "address = ctypes.addressof(held)\n"
        "deleter = ctypes.cast(held.deleter, ctypes.c_void_p).value\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.__cxa_atexit.argtypes = [ctypes.c_void_p] * 3\n"
        "libc.__cxa_atexit(deleter, address, None)\n"
        "vt._core._shutdown()\n"
        "print(ctypes.c_float.from_address(held.tensor.data).value)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "3.0", "")
