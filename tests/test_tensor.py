"""The Tensor as a Python object: conversions, exports, operators beside NumPy, repr."""

from __future__ import annotations

import copy
import gc
import operator
import weakref

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core

FORMATS = {"bool": "?", "int8": "b", "int16": "h", "int32": "i", "int64": "l", "uint8": "B"}
FORMATS |= {
    "uint16": "H",
    "uint32": "I",
    "uint64": "L",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}


def host_cached() -> bool:
    """Whether device memory can be viewed by NumPy: always on CPU drivers."""
    return vt.default_device().kind in ("cpu", "integrated")


def test_attributes():
    t = vt.ones((2, 3), dtype=vt.float32)
    assert (t.shape, t.ndim, t.size, t.nbytes, t.itemsize) == ((2, 3), 2, 6, 24, 4)
    assert t.dtype == np.float32 and t.dtype == vt.float32 and t.dtype in {vt.float32}
    assert t.device == vt.default_device()
    assert t.T.shape == (3, 2) and vt.ones((4, 2, 3)).mT.shape == (4, 3, 2)
    assert not hasattr(t, "no_such_attribute")


def test_scalars_convert():
    assert float(vt.asarray(2.5)) == 2.5
    assert int(vt.asarray(7.9)) == 7
    assert bool(vt.asarray(True)) and not bool(vt.asarray(0.0))
    assert operator.index(vt.asarray(3)) == 3
    assert [10, 20, 30][vt.asarray(1)] == 20
    assert complex(vt.asarray(1.5)) == 1.5
    with pytest.raises(TypeError):
        operator.index(vt.asarray(3.0))
    for convert in (float, int, bool):
        with pytest.raises((TypeError, ValueError)):
            convert(vt.ones(2))


def test_item_and_tolist():
    t = vt.asarray([[1, 2], [3, 4]])
    assert t.tolist() == [[1, 2], [3, 4]] and t[1, 0].item() == 3 and t.item(3) == 4
    assert type(t[0, 0].item()) is int and type(vt.ones(1).item()) is float
    assert vt.asarray(5).tolist() == 5
    with pytest.raises(ValueError, match="item"):
        t.item()


def test_iteration_length_and_containment():
    t = vt.asarray([[1, 2], [3, 4], [5, 6]])
    assert len(t) == 3
    assert [row.tolist() for row in t] == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(TypeError):
        len(vt.asarray(1))
    with pytest.raises(TypeError):
        iter(vt.asarray(1))


@pytest.mark.parametrize("dtype", FORMATS)
def test_buffer_protocol(dtype):
    if not host_cached():
        with pytest.raises(BufferError):
            memoryview(vt.ones(3, dtype=dtype))
        return
    a = np.arange(12).reshape(3, 4).astype(dtype)
    t = vt.asarray(a)
    for got, expected in ((t, a), (t.T, a.T), (t[::2, 1:], a[::2, 1:]), (t[::-1], a[::-1])):
        view = memoryview(got)
        assert view.format == FORMATS[dtype]
        assert view.shape == expected.shape and view.strides == expected.strides
        np.testing.assert_array_equal(np.asarray(view), expected)
        del view


def test_buffer_of_bfloat16_is_refused():
    with pytest.raises(BufferError):
        memoryview(vt.ones(3, dtype=vt.bfloat16))


def test_asarray_shares_memory_where_the_host_may_look():
    t = vt.asarray(np.arange(10, dtype=np.float32))
    a = np.asarray(t)
    if not host_cached():
        with pytest.raises(ValueError, match="copy"):
            np.asarray(t, copy=False)
        return
    assert np.shares_memory(a, np.asarray(t))
    a[3] = 99
    assert float(t[3]) == 99
    t[4] = 77
    assert a[4] == 77
    t += 1
    assert a[4] == 78


def test_copy_true_is_a_copy():
    t = vt.asarray(np.arange(10))
    a = np.array(t, copy=True)
    a[0] = 5
    assert int(t[0]) == 0


def test_array_takes_a_dtype():
    t = vt.asarray([1.7, 2.2])
    a = np.asarray(t, dtype=np.float64)
    assert a.dtype == np.float64
    np.testing.assert_array_equal(np.asarray(t, dtype=np.int32), [1, 2])


def test_numpy_array_outlives_the_tensor():
    t = vt.asarray(np.arange(1000)) * 2
    a = t.numpy()
    expected = np.arange(1000) * 2
    del t
    gc.collect()
    vt.empty_cache()
    for _ in range(10):
        vt.asarray(np.zeros(1000, np.int64))
    np.testing.assert_array_equal(a, expected)


def test_lazy_work_on_an_exported_tensor_is_finished_at_once():
    t = vt.asarray(np.zeros(5, np.float32))
    a = np.asarray(t)
    if not np.shares_memory(a, np.asarray(t)):
        return
    later = t + 1
    a[:] = 100
    np.testing.assert_array_equal(np.asarray(later), np.ones(5))


def test_operators_beside_numpy_give_tensors():
    a = np.arange(3, dtype=np.float32)
    t = vt.asarray(a)
    for left, right in ((t, a), (a, t), (t, np.float32(2)), (np.float32(2), t), (t, 2), (2, t)):
        for op in (
            operator.add,
            operator.sub,
            operator.mul,
            operator.truediv,
            operator.lt,
            operator.eq,
        ):
            got = op(left, right)
            assert isinstance(got, vt.Tensor), op
            with np.errstate(all="ignore"):
                expected = op(np.asarray(left), np.asarray(right))
            np.testing.assert_allclose(np.asarray(got), expected)


def test_every_operator_equals_numpy():
    a, b = np.array([7, -7, 3], np.int32), np.array([2, 3, -2], np.int32)
    x, y = vt.asarray(a), vt.asarray(b)
    for op in (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod):
        np.testing.assert_array_equal(np.asarray(op(x, y)), op(a, b))
        np.testing.assert_array_equal(np.asarray(op(x, 3)), op(a, 3))
        np.testing.assert_array_equal(np.asarray(op(3, x)), op(3, a))
    for op in (operator.and_, operator.or_, operator.xor):
        np.testing.assert_array_equal(np.asarray(op(x, y)), op(a, b))
    np.testing.assert_array_equal(np.asarray(x << 2), a << 2)
    np.testing.assert_array_equal(np.asarray(x >> 1), a >> 1)
    np.testing.assert_array_equal(np.asarray(~x), ~a)
    np.testing.assert_array_equal(np.asarray(-x), -a)
    np.testing.assert_array_equal(np.asarray(+x), a)
    np.testing.assert_array_equal(np.asarray(abs(x)), abs(a))
    np.testing.assert_array_equal(np.asarray(x**2), a**2)
    np.testing.assert_allclose(np.asarray(2.0**x), 2.0**a, rtol=1e-6)
    q, r = divmod(x, y)
    np.testing.assert_array_equal(np.asarray(q), a // b)
    np.testing.assert_array_equal(np.asarray(r), a % b)


def test_in_place_operators_keep_dtype_and_identity():
    t = vt.asarray([1, 2, 3])
    same = t
    t += 5
    t *= 2
    t -= vt.asarray([1, 1, 1])
    t //= 3
    assert same is t and t.tolist() == [3, 4, 5] and t.dtype == np.int64
    with pytest.raises(TypeError):
        t += 1.5
    with pytest.raises(ValueError, match="shape|broadcast"):
        t += vt.ones((2, 3), dtype=vt.int64)
    assert t.tolist() == [3, 4, 5]


def test_comparison_with_something_else():
    t = vt.ones(2)
    assert (t == "text") is False
    assert (t != "text") is True
    with pytest.raises(TypeError):
        t < "text"
    with pytest.raises(TypeError):
        t + "text"
    with pytest.raises(TypeError):
        hash(t)


def test_repr_is_like_numpys():
    assert repr(vt.asarray([1, 2])) == "Tensor([1, 2], dtype=int64)"
    assert repr(vt.asarray(1.5)) == "Tensor(1.5, dtype=float32)"
    assert repr(vt.zeros((2, 2))) == "Tensor([[0., 0.],\n        [0., 0.]], dtype=float32)"
    assert str(vt.asarray([1, 2])) == "[1 2]"
    assert f"{vt.asarray(2.5):.2f}" == "2.50"


@pytest.mark.parametrize("shape", [(1001,), (2000, 3), (40, 50), (3, 30, 40), (0, 5), (0,)])
def test_repr_of_long_tensors_reads_only_what_it_shows(shape):
    a = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    t = vt.asarray(a)
    vt.synchronize()
    with vt.profile() as p:
        text = repr(t)
    moved = sum(d.bytes for d in (*p.dispatches, *p.copies))
    assert moved <= 64 * 1024
    body = np.array2string(a, separator=", ", prefix="Tensor(", suffix=",")
    assert body in text


def test_tensor_is_not_made_by_its_class():
    with pytest.raises(TypeError, match="asarray"):
        vt.Tensor()


def test_weak_references_and_copies():
    t = vt.asarray([1, 2, 3])
    ref = weakref.ref(t)
    for twin in (copy.copy(t), copy.deepcopy(t), t.copy()):
        twin[0] = 9
        assert t.tolist() == [1, 2, 3]
    del t
    gc.collect()
    assert ref() is None


def test_no_reference_is_leaked():
    def work():
        t = vt.asarray([[1.0, 2.0], [3.0, 4.0]])
        u = (t @ t + 1).sum(axis=0) * t[0]
        np.asarray(u)
        float(u[1])
        u[0] = 2
        try:
            t + vt.ones(3)
        except ValueError:
            pass
        try:
            t[5]
        except IndexError:
            pass
        return repr(u)

    for _ in range(3):
        work()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        work()
    gc.collect()
    assert len(gc.get_objects()) - before < 20


def test_errors_name_the_op_and_the_next_call_works():
    t = vt.ones((2, 3))
    cases = [
        (lambda: vt.sin("x"), TypeError, "sin"),
        (lambda: vt.bitwise_and(t, t), TypeError, "bitwise_and.*float32"),
        (lambda: vt.where(t, t, t), TypeError, "where.*bool"),
        (lambda: vt.add(t, vt.ones((4, 3))), ValueError, r"add.*\(2, 3\).*\(4, 3\)"),
        (lambda: vt.reshape(t, (4, 2)), ValueError, "reshape"),
        (lambda: vt.broadcast_to(t, (3, 3)), ValueError, "broadcast"),
        (lambda: vt.concat([]), ValueError, "concat"),
        (lambda: vt.asarray(1, dtype="datetime64[s]"), TypeError, "datetime64"),
        (lambda: vt.zeros(2, dtype="nonsense"), TypeError, "nonsense"),
        (lambda: vt.ones(2, device=99), (ValueError, RuntimeError, IndexError), "99"),
    ]
    for action, error, match in cases:
        with pytest.raises(error, match=match):
            action()
        assert float(t.sum()) == 6


def test_introspection_lists_every_op():
    names = {row["name"] for row in vt.ops()}
    for name in ("add", "sin", "where", "sum", "cumulative_sum"):
        assert name in names
    for row in vt.ops():
        if row["name"] != "rsqrt":
            assert hasattr(vt, row["name"]), row["name"]
    assert set(_core.dtypes()) >= set(FORMATS)
