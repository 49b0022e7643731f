"""Methods of NumPy's ufuncs on tensors, beyond those that kernels do, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vktensor as vt
from vktensor import _ufunc_methods

RNG = np.random.default_rng(11)
WHOLE = ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm")
ASSOCIATIVE = [getattr(np, name) for name in _ufunc_methods.ASSOCIATIVE]
INDICES: dict[str, tuple[tuple[int, ...], Any]] = {
    "1-d": ((7,), RNG.integers(0, 7, 200)),
    "rows": ((5, 3), RNG.integers(-5, 5, 20)),
    "pairs": ((5, 3), (RNG.integers(0, 5, 60), RNG.integers(0, 3, 60))),
    "mask": ((4, 3), np.array([True, False, True, True])),
    "list": ((4,), [1, 1, 2]),
    "mixed": ((4, 3), (np.array([0, 0, 2]), slice(0, 2))),
    "none": ((4,), np.zeros(0, np.int64)),
}


def operands(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return (RNG.normal(size=shape) * 9).astype(dtype)


def to_tensors(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(to_tensors(item) for item in index)
    return vt.asarray(index) if isinstance(index, np.ndarray) else index


def close(got: vt.Tensor, expected: np.ndarray, what: str) -> None:
    assert isinstance(got, vt.Tensor) and got.shape == expected.shape, what
    assert got.dtype == expected.dtype, f"{what}: {got.dtype}, not {expected.dtype}"
    tolerance = 1e-4 if expected.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(np.asarray(got), expected, tolerance, tolerance, err_msg=what)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int8"])
@pytest.mark.parametrize("name", INDICES)
def test_at_counts_every_duplicate(name, dtype):
    shape, index = INDICES[name]
    start = operands(dtype, shape)
    values = operands(dtype, start[index].shape)
    for ufunc in (np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.floor_divide):
        v = np.sign(values) if ufunc is np.multiply else values
        v = np.where(v == 0, 1, v).astype(dtype)
        for given in (v, v[..., :1], 2):
            expected, x = start.copy(), vt.asarray(start, copy=True)
            with np.errstate(all="ignore"):
                ufunc.at(expected, index, given)
            ufunc.at(x, to_tensors(index), to_tensors(given))
            close(x, expected, f"{ufunc.__name__}.at {name}")
    expected, x = start.copy(), vt.asarray(start, copy=True)
    np.negative.at(expected, index)
    np.negative.at(x, to_tensors(index))
    close(x, expected, "negative.at")


def test_at_writes_into_views_whatever_their_strides():
    a = operands("float64", (6, 8))
    x = vt.asarray(a, copy=True)
    index = RNG.integers(0, 3, 40)
    for view in (lambda z: z[::2, 1], lambda z: z.T[3, ::-2], lambda z: z[1::2, ::3]):
        values = operands("float64", view(a)[index].shape)
        np.add.at(view(a), index, values)
        np.add.at(view(x), vt.asarray(index), vt.asarray(values))
        close(x, a, "a view")


def test_at_adds_many_duplicates_in_one_order():
    """Sums as near as pairwise ones, of the same bits on every run."""
    n, places = 1 << 15, 50
    index, values = RNG.integers(0, places, n), RNG.normal(size=n).astype(np.float32)
    exact = np.zeros(places)
    np.add.at(exact, index, values.astype(np.float64))
    size = np.zeros(places)
    np.add.at(size, index, np.abs(values))
    found = []
    for _ in range(3):
        x = vt.zeros(places)
        np.add.at(x, vt.asarray(index), vt.asarray(values))
        found.append(np.asarray(x))
    assert np.all(np.abs(found[0] - exact) <= 2 * np.log2(n) * 2.0**-24 * size)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


def test_at_of_an_array_with_tensors_writes_into_the_array():
    a = operands("float32", (6,))
    index, values = np.array([1, 5, 1]), operands("float32", (3,))
    expected = a.copy()
    np.add.at(expected, index, values)
    np.add.at(a, vt.asarray(index), vt.asarray(values))
    np.testing.assert_allclose(a, expected, 1e-6)


def test_at_refuses_what_does_not_fit():
    x = vt.arange(4)
    with pytest.raises(TypeError, match="add.at: a result of dtype float32 does not fit"):
        np.add.at(x, [0, 0], vt.asarray([0.5, 0.5]))
    with pytest.raises(IndexError):
        np.add.at(x, [0, 9], 1)
    with pytest.raises(ValueError, match="broadcast"):
        np.add.at(x, [0, 1], vt.asarray([1, 2, 3]))
    with pytest.raises(TypeError, match="there is no such function"):
        x.__array_ufunc__(np.isnat, "at", x, [0])
    np.testing.assert_array_equal(np.asarray(x), np.arange(4))


@pytest.mark.parametrize("ufunc", ASSOCIATIVE, ids=lambda ufunc: ufunc.__name__)
@pytest.mark.parametrize("n", [1, 2, 3, 31, 32, 33])
def test_accumulate_reduce_and_reduceat_agree_with_numpy(ufunc, n):
    name = ufunc.__name__
    whole = RNG.integers(-5, 9, (n, n + 1))
    x = whole if name in WHOLE else (whole / 4).astype(np.float32)
    x = np.sign(x) + (x == 0) if name in ("multiply", "lcm") else x
    starts = sorted({0, n // 3, n // 2, n - 1})
    with np.errstate(all="ignore"):
        for axis in (0, 1, -1):
            for kind in ("accumulate", "reduce"):
                expected = getattr(ufunc, kind)(x, axis=axis)
                close(getattr(ufunc, kind)(vt.asarray(x), axis=axis), expected, f"{name}.{kind}")
            for indices in (starts, [*starts, starts[-1], starts[-1]], [n - 1, 0, n // 2, 0]):
                expected = ufunc.reduceat(x, indices, axis=axis)
                close(ufunc.reduceat(vt.asarray(x), indices, axis=axis), expected, f"{name}.at")
        expected = ufunc.reduce(x, axis=1, keepdims=True)
        close(ufunc.reduce(vt.asarray(x), axis=1, keepdims=True), expected, name)


def test_running_extremes_keep_nan():
    x = np.array([1, 5, np.nan, 2, 7], np.float32)
    for ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
        close(ufunc.accumulate(vt.asarray(x)), ufunc.accumulate(x), ufunc.__name__)
    assert np.maximum.accumulate(vt.zeros(0)).shape == (0,)
    out = vt.zeros(5, dtype=vt.float64)
    assert np.fmax.accumulate(vt.asarray(x), out=out) is out


def test_running_maxima_of_a_long_row():
    x = RNG.integers(0, 1 << 40, 70001)
    close(np.maximum.accumulate(vt.asarray(x)), np.maximum.accumulate(x), "maximum")


def test_reductions_of_nothing_give_the_identity_or_refuse():
    for name, dtype in (("gcd", "int64"), ("bitwise_and", "int8"), ("logaddexp", "float32")):
        x = np.zeros((0, 3), dtype)
        close(getattr(np, name).reduce(vt.asarray(x)), getattr(np, name).reduce(x), name)
    for dtype in ("uint8", "uint64", "bool"):
        x = np.zeros((0, 3), dtype)
        close(np.bitwise_and.reduce(vt.asarray(x)), np.bitwise_and.reduce(x), dtype)


def test_what_methods_cannot_take_is_refused_by_name():
    """Not through NumPy 2.4, which keeps a reference to the operand when these fail."""
    x, empty = vt.arange(5), vt.zeros(0, dtype=vt.int64)
    for ufunc, method, args, options, error, text in (
        (np.add, "reduceat", (x, [0, 5]), {}, IndexError, "out of bounds for axis 0 with size 5"),
        (np.add, "reduceat", (x, [0.5]), {}, TypeError, "integers of 1 dimension"),
        (np.lcm, "reduce", (empty,), {}, ValueError, "at least one element"),
        (np.gcd, "accumulate", (x,), {"axis": 3}, ValueError, "expected one of 1 axes"),
        (np.gcd, "reduce", (x,), {"where": x > 1}, TypeError, "neither initial nor where"),
        (np.hypot, "reduceat", (x, [0, 1]), {}, TypeError, "hypot.reduceat"),
    ):
        with pytest.raises(error, match=text):
            x.__array_ufunc__(ufunc, method, *args, **options)
