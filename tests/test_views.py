"""Views, assignment and aliasing: the same program on NumPy and on a Tensor gives the same
elements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vktensor as vt

LIGHT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def shapes(draw, max_dims=4, max_side=6):
    return tuple(draw(st.lists(st.integers(0, max_side), min_size=0, max_size=max_dims)))


@st.composite
def indices(draw, shape):
    """A basic index that fits `shape`: integers, slices with any step, an ellipsis, new axes."""
    parts = []
    for length in shape[: draw(st.integers(0, len(shape)))]:
        if length and draw(st.booleans()):
            parts.append(draw(st.integers(-length, length - 1)))
        else:
            bound = st.none() | st.integers(-length - 2, length + 2)
            step = draw(st.none() | st.sampled_from([1, 2, 3, -1, -2, -3]))
            parts.append(slice(draw(bound), draw(bound), step))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if Ellipsis not in parts and draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


@LIGHT
@given(data=st.data())
def test_basic_index_equals_numpy(data):
    shape = data.draw(shapes())
    index = data.draw(indices(shape))
    a = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    got = vt.asarray(a)[index]
    expected = a[index]
    assert got.shape == np.shape(expected)
    np.testing.assert_array_equal(np.asarray(got), expected)


@LIGHT
@given(data=st.data())
def test_view_of_a_view_and_an_op_equal_numpy(data):
    shape = data.draw(shapes())
    a = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    t = vt.asarray(a)
    for _ in range(2):
        index = data.draw(indices(a.shape))
        a, t = np.asarray(a[index]), t[index]
        if a.ndim > 1 and data.draw(st.booleans()):
            axes = data.draw(st.permutations(range(a.ndim)))
            a, t = a.transpose(axes), vt.permute_dims(t, axes)
    np.testing.assert_array_equal(np.asarray(t * 2 + 1), a * 2 + 1)


@LIGHT
@given(data=st.data())
def test_random_writes_through_views_equal_numpy(data):
    shape = data.draw(shapes(max_dims=3).filter(lambda s: 0 not in s))
    a = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    t = vt.asarray(a.copy())
    lazy, eager = [], []
    for step in range(data.draw(st.integers(1, 5))):
        index = data.draw(indices(shape))
        kind = data.draw(st.sampled_from(["scalar", "self", "inplace", "read"]))
        if kind == "scalar":
            a[index] = step
            t[index] = step
        elif kind == "self":
            a[index] = a[index] * 2 + 1
            t[index] = t[index] * 2 + 1
        elif kind == "inplace":
            view, t_view = a[index], t[index]
            if np.ndim(view):
                view += 3
                t_view += 3
        else:
            eager.append(a * 1.5)
            lazy.append(t * 1.5)
    np.testing.assert_array_equal(np.asarray(t), a)
    for expected, got in zip(eager, lazy, strict=True):
        np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("shift", [1, 2, 7, -1, -3])
def test_overlapping_assignment_reads_before_it_writes(shift):
    a = np.arange(1000, dtype=np.float32)
    t = vt.asarray(a.copy())
    if shift > 0:
        a[shift:] = a[:-shift].copy()
        t[shift:] = t[:-shift]
    else:
        a[:shift] = a[-shift:].copy()
        t[:shift] = t[-shift:]
    np.testing.assert_array_equal(np.asarray(t), a)


def test_overlapping_in_place_add_equals_numpy():
    a = np.arange(100, dtype=np.float32)
    t = vt.asarray(a.copy())
    a[1:] += a[:-1]
    t[1:] += t[:-1]
    np.testing.assert_array_equal(np.asarray(t), a)


def test_reversed_assignment_to_itself():
    a = np.arange(33, dtype=np.int64)
    t = vt.asarray(a.copy())
    a[:] = a[::-1].copy()
    t[:] = t[::-1]
    np.testing.assert_array_equal(np.asarray(t), a)


def test_transposed_assignment_to_itself():
    a = np.arange(37 * 37, dtype=np.float32).reshape(37, 37)
    t = vt.asarray(a.copy())
    a[:] = a.T.copy()
    t[:] = t.T
    np.testing.assert_array_equal(np.asarray(t), a)


def test_view_keeps_its_block_alive_after_the_base_is_deleted():
    t = vt.asarray(np.arange(100))
    view = t[10:20]
    del t
    for _ in range(5):
        vt.asarray(np.zeros(100, np.int64))
    np.testing.assert_array_equal(np.asarray(view), np.arange(10, 20))


def test_a_view_sees_writes_to_its_base_and_back():
    t = vt.zeros((4, 4))
    vt.eval(t)
    row = t[1]
    t[1, 2] = 5
    assert float(row[2]) == 5
    row[0] = 7
    assert float(t[1, 0]) == 7


@pytest.mark.parametrize(
    ("index", "error"),
    [
        ((0, 0, 0), IndexError),
        (5, IndexError),
        (-4, IndexError),
        ((0, 9), IndexError),
        (1.5, IndexError),
        ("x", IndexError),
        ((Ellipsis, Ellipsis), IndexError),
        (slice(None, None, 0), ValueError),
    ],
)
def test_bad_index_is_refused_and_the_next_call_works(index, error):
    t = vt.ones((3, 2))
    with pytest.raises(error):
        t[index]
    assert float(t[0, 0]) == 1


def test_assignment_of_a_wrong_shape_is_refused():
    t = vt.ones((3, 2))
    with pytest.raises(ValueError, match="broadcast|shape"):
        t[:] = vt.ones(3)
    np.testing.assert_array_equal(np.asarray(t), np.ones((3, 2)))


@LIGHT
@given(data=st.data())
def test_reshape_equals_numpy(data):
    sides = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    a = np.arange(int(np.prod(sides))).reshape(sides)
    t = vt.asarray(a)
    axes = data.draw(st.permutations(range(a.ndim)))
    a, t = a.transpose(axes), vt.permute_dims(t, axes)
    target = data.draw(st.permutations(sides))
    if data.draw(st.booleans()):
        target = [*target[:-1], -1]
    np.testing.assert_array_equal(np.asarray(vt.reshape(t, target)), a.reshape(target))


@LIGHT
@given(data=st.data())
def test_broadcasting_equals_numpy(data):
    full = data.draw(shapes(max_dims=4, max_side=4))
    operands = []
    for _ in range(2):
        cut = data.draw(st.integers(0, len(full)))
        shape = tuple(1 if data.draw(st.booleans()) else n for n in full[cut:])
        operands.append(np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape))
    a, b = operands
    got = vt.asarray(a) + vt.asarray(b) * 2
    expected = a + b * 2
    assert got.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(got), expected)


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"add: .*\(3, 4\).*\(5,\)"):
        vt.ones((3, 4)) + vt.ones(5)


# ---- Views as another dtype ----------------------------------------------------------------------


@LIGHT
@given(data=st.data())
def test_view_as_another_dtype_equals_numpy(data):
    kinds = st.sampled_from(["int8", "uint16", "float16", "uint32", "float32", "float64", "int64"])
    source, target = np.dtype(data.draw(kinds)), np.dtype(data.draw(kinds))
    shape = data.draw(shapes(max_side=8))
    index = data.draw(indices(shape))
    a = np.arange(int(np.prod(shape)) * source.itemsize, dtype=np.uint8).view(source)
    a = a.reshape(shape)
    x, a = vt.asarray(a)[index], np.asarray(a[index])
    try:
        expected = a.view(target)
        # NumPy makes arrays that are not aligned too; no tensor is.
        expected = expected if expected.flags.aligned else None
    except (ValueError, TypeError):
        expected = None
    if expected is None and a.size > 0:
        with pytest.raises(ValueError, match="view: "):
            x.view(target)
    elif expected is not None:
        got = x.view(target)
        assert got.dtype == target and got.shape == expected.shape
        np.testing.assert_array_equal(np.asarray(got).tobytes(), expected.tobytes())


def test_a_view_as_another_dtype_shares_its_memory():
    x = vt.asarray(np.array([1.0, -2.0], np.float32))
    bits = x.view(vt.uint32)
    before = x + 1
    bits[...] = bits & 0x7FFFFFFF
    assert x.tolist() == [1.0, 2.0]
    assert before.tolist() == [2.0, -1.0]
    x[0] = -0.0
    assert bits.tolist() == [0x80000000, 0x40000000]
    assert (vt.abs(x) + 0.5).view(vt.int32).tolist() == [0x3F000000, 0x40200000]


def test_a_view_as_another_dtype_says_what_is_in_its_way():
    x = vt.zeros((4, 3), dtype=vt.float32)
    with pytest.raises(ValueError, match="view: rows of 12 bytes are no whole number of elements"):
        x.view(vt.float64)
    with pytest.raises(ValueError, match="view: expected a contiguous last dimension"):
        x.T.view(vt.int16)
    with pytest.raises(ValueError, match="view: a 0-d tensor"):
        x[0, 0].view(vt.float64)
    with pytest.raises(ValueError, match="view: the rows do not begin at multiples of 8 bytes"):
        x[:, :2].view(vt.float64)
    with pytest.raises(TypeError, match="view: expected a dtype, got None"):
        x.view(None)
    assert x.view(vt.uint8).shape == (4, 12)
