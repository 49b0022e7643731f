"""Sorting against NumPy's stable sort, bit by bit: every dtype, layout, and sizes around every
edge."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import vktensor as vt

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *INTS, *FLOATS]
# Around the rows that are compared element by element, a subgroup's and a workgroup's, tiles of
# every number of elements an invocation may hold, and blocks of kernels for CPU drivers.
EDGES = [*range(1, 18), 31, 32, 33, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025]
EDGES += [2047, 2048, 2049, 3071, 3072, 3073, 4095, 4096, 4097, 8193]
LONG = [65_535, 65_536, 65_537, 262_145]


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def random_values(shape, dtype: str, seed: int = 0, distinct: int | None = None) -> np.ndarray:
    """All bit patterns of the dtype, NaNs, zeros of both signs and subnormals among them; or those
    of a few values."""
    rng = np.random.default_rng(seed)
    kind = numpy_dtype(dtype)
    n = int(np.prod(shape))
    if dtype == "bool":
        return (rng.random(shape) < 0.5).astype(kind)
    a = np.frombuffer(rng.bytes(max(n, 1) * kind.itemsize), kind)[:n].copy()
    if dtype in FLOATS:
        some = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, -np.nan]
        some += [float(ml_dtypes.finfo(kind).smallest_subnormal)]
        at = rng.integers(0, max(n, 1), n // 3)
        a[at] = np.asarray(some, kind)[rng.integers(0, len(some), len(at))]
    if distinct is not None:
        a = a[:distinct][rng.integers(0, min(distinct, n), n)]
    return a.reshape(shape)


def bits(a: np.ndarray) -> np.ndarray:
    return a.view(f"u{a.dtype.itemsize}")


def sorting_indices(a: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """NumPy's stable argsort; in descending order that of the flipped array, flipped."""
    if not descending:
        return wide_argsort(a, axis)
    flipped = wide_argsort(np.flip(a, axis), axis)
    return a.shape[axis] - 1 - np.flip(flipped, axis)


def wide_argsort(a: np.ndarray, axis: int) -> np.ndarray:
    wide = a.astype(np.float32) if a.dtype == numpy_dtype("bfloat16") else a
    return np.argsort(wide, axis=axis, kind="stable")


def check(x: vt.Tensor, a: np.ndarray, axis: int = -1, descending: bool = False) -> None:
    order = sorting_indices(a, axis, descending)
    indices = vt.argsort(x, axis=axis, descending=descending)
    assert indices.dtype == np.dtype("int64") and indices.shape == a.shape
    np.testing.assert_array_equal(np.asarray(indices), order)
    values = vt.sort(x, axis=axis, descending=descending)
    assert values.dtype == a.dtype and values.shape == a.shape
    expected = np.take_along_axis(a, order, axis)
    np.testing.assert_array_equal(bits(np.asarray(values)), bits(expected))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sort_equals_numpy_bit_by_bit_around_every_edge(dtype):
    for n in EDGES:
        a = random_values(n, dtype, n)
        check(vt.asarray(a), a, descending=n % 2 == 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LONG)
def test_long_rows_are_sorted(dtype, n):
    a = random_values(n, dtype, n)
    check(vt.asarray(a), a, descending=dtype in ("int16", "float32"))


@pytest.mark.parametrize("descending", [False, True])
def test_a_million_elements_are_sorted(descending):
    a = random_values(1_000_000, "float32")
    check(vt.asarray(a), a, descending=descending)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("distinct", [1, 2, 5])
@pytest.mark.parametrize("n", [33, 4097, 70_000])
def test_equal_elements_keep_their_order(dtype, distinct, n):
    a = random_values(n, dtype, n, distinct)
    for descending in (False, True):
        check(vt.asarray(a), a, descending=descending)


def test_zeros_and_nans_keep_their_order_and_their_bits():
    words = [0x80000000, 0, 0x7FC00001, 0xFFC00002, 0x80000000, 0x7F800001, 0x3F800000]
    a = np.array(words, np.uint32).view(np.float32)
    sorted_words = [0x80000000, 0, 0x80000000, 0x3F800000, 0x7FC00001, 0xFFC00002, 0x7F800001]
    np.testing.assert_array_equal(bits(np.asarray(vt.sort(vt.asarray(a)))), sorted_words)
    np.testing.assert_array_equal(np.asarray(vt.argsort(vt.asarray(a))), [0, 1, 4, 6, 2, 3, 5])
    down = [0x7FC00001, 0xFFC00002, 0x7F800001, 0x3F800000, 0x80000000, 0, 0x80000000]
    got = np.asarray(vt.sort(vt.asarray(a), descending=True))
    np.testing.assert_array_equal(bits(got), down)


SHAPES = [(3, 5), (300, 7), (7, 300), (2, 5000), (5000, 2), (4, 33, 7), (3, 1, 70), (9, 2049)]


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_axis_is_sorted(dtype, shape):
    a = random_values(shape, dtype)
    for axis in range(-len(shape), len(shape)):
        check(vt.asarray(a), a, axis, descending=axis < 0)


def test_many_rows_are_sorted():
    for shape in ((70_000, 3), (3000, 40), (300, 1100)):
        a = random_values(shape, "int32", distinct=100)
        check(vt.asarray(a), a)


def test_more_rows_are_sorted_than_counts_are_kept_for_at_once():
    """Those of 65,536 rows of one block each."""
    a = random_values((66_000, 33), "int16")
    check(vt.asarray(a), a)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "int64"])
def test_views_are_sorted_and_left_as_they_are(dtype):
    base = random_values((70, 90), dtype)
    t = vt.asarray(base)
    for view in (np.s_[::2, 3:80], np.s_[::-1, ::-1], np.s_[5:6, :], np.s_[:, 7], np.s_[1:, ::3]):
        for axis in range(base[view].ndim):
            check(t[view], base[view], axis)
            check(t[view].transpose(), base[view].T, axis)
    np.testing.assert_array_equal(bits(np.asarray(t)), bits(base))
    rows = np.broadcast_to(base[0], (5, 90))
    check(vt.broadcast_to(t[0], (5, 90)), rows, 0)
    check(vt.broadcast_to(t[0], (5, 90)), rows, 1)


def test_pending_values_are_computed_and_sorted():
    a = random_values(5000, "int32").astype(np.int64)
    x = vt.asarray(a) * 3 + 1
    np.testing.assert_array_equal(np.asarray(vt.sort(x) * 2), np.sort(a * 3 + 1) * 2)
    np.testing.assert_array_equal(np.asarray(x), a * 3 + 1)


def test_empty_tensors_are_sorted():
    for shape in ((0,), (3, 0), (0, 3), (2, 0, 4)):
        for axis in range(len(shape)):
            x = vt.ones(shape)
            assert vt.sort(x, axis=axis).shape == shape
            assert vt.argsort(x, axis=axis).shape == shape
            assert vt.argsort(x, axis=axis).dtype == np.dtype("int64")


def test_what_cannot_be_sorted_is_refused():
    with pytest.raises(TypeError, match="sort: expected real numbers"):
        vt.sort(vt.ones(3, dtype="complex64"))
    with pytest.raises(TypeError, match="argsort: expected real numbers"):
        vt.argsort(vt.ones(3, dtype="complex128"))
    with pytest.raises(ValueError, match="sort: axis"):
        vt.sort(vt.asarray(1.0))
    with pytest.raises(ValueError, match="argsort: axis"):
        vt.argsort(vt.ones((2, 3)), axis=2)
    with pytest.raises(TypeError, match="sort: expected a Tensor"):
        vt.sort([2, 1])


def test_the_method_sorts_in_place_and_every_view_sees_it():
    a = random_values((40, 50), "float32")
    t = vt.asarray(a.copy())
    alias = t[3]
    t.sort()
    a.sort(kind="stable")
    np.testing.assert_array_equal(np.asarray(t), a)
    np.testing.assert_array_equal(np.asarray(alias), a[3])
    t[::-2, 5].sort(axis=0)
    a[::-2, 5].sort(axis=0)
    np.testing.assert_array_equal(np.asarray(t), a)
    np.testing.assert_array_equal(np.asarray(t.argsort(0)), wide_argsort(a, 0))
    np.testing.assert_array_equal(np.asarray(t.argsort(None)), wide_argsort(a.ravel(), 0))


def test_numpys_own_functions_sort_tensors():
    a = random_values((4, 50), "int16")
    t = vt.asarray(a)
    for axis in (0, 1, -1, None):
        got = np.sort(t, axis=axis)
        assert isinstance(got, vt.Tensor)
        np.testing.assert_array_equal(np.asarray(got), np.sort(a, axis=axis))
        np.testing.assert_array_equal(
            np.asarray(np.argsort(t, axis=axis, stable=True)),
            np.argsort(a, axis=axis, stable=True),
        )


def check_unique(a: np.ndarray) -> None:
    x = vt.asarray(a)
    values, indices, counts = np.unique(a, True, False, True, equal_nan=False)
    got = vt.unique_all(x)
    np.testing.assert_array_equal(np.asarray(got.values), values)
    # Where values are equal the first is given; which NaN is which is told by its index.
    numbers = np.asarray(got.indices)[values == values]
    np.testing.assert_array_equal(numbers, indices[values == values])
    np.testing.assert_array_equal(np.asarray(got.counts), counts)
    assert got.inverse_indices.shape == a.shape
    back = np.asarray(got.values)[np.asarray(got.inverse_indices)]
    np.testing.assert_array_equal(back, a)
    again = np.bincount(np.asarray(got.inverse_indices).ravel(), minlength=len(values))
    np.testing.assert_array_equal(again, counts)
    assert all(part.dtype == np.dtype("int64") for part in got[1:])
    np.testing.assert_array_equal(np.asarray(vt.unique_values(x)), values)
    np.testing.assert_array_equal(np.asarray(vt.unique_counts(x).counts), counts)
    np.testing.assert_array_equal(
        np.asarray(vt.unique_inverse(x).inverse_indices), np.asarray(got.inverse_indices)
    )


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name != "bfloat16"])
def test_unique_functions_agree_with_numpy(dtype):
    for n in (1, 2, 3, 33, 257, 5000):
        for distinct in (1, 3, 1000):
            check_unique(random_values(n, dtype, n, distinct))
    check_unique(random_values((7, 30, 5), dtype, 1, 50))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_unique_functions_order_complex_numbers_by_their_parts(dtype):
    parts = np.random.default_rng(3).integers(-2, 3, (2, 500))
    a = (parts[0] + 1j * parts[1]).astype(dtype)
    check_unique(a)
    check_unique(a.reshape(50, 10))


def test_unique_functions_take_what_is_empty_and_0_d():
    for shape in ((0,), (3, 0), ()):
        x = vt.ones(shape)
        got = vt.unique_all(x)
        n = 0 if 0 in shape else 1
        assert [part.shape for part in got] == [(n,), (n,), shape, (n,)]
        assert vt.unique_values(x).shape == (n,)


def test_numpys_unique_takes_nans_for_equal():
    a = np.array([np.nan, 1, -0.0, np.nan, 0.0, 1])
    got = np.unique(vt.asarray(a), return_index=True, return_inverse=True, return_counts=True)
    for mine, numpys in zip(got, np.unique(a, True, True, True), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), numpys)
    np.testing.assert_array_equal(
        np.asarray(np.unique(vt.asarray(a), equal_nan=False)), np.unique(a, equal_nan=False)
    )
