"""Reductions and scans against NumPy in float64 or exact integers: every op, dtype, layout, and
sizes around every edge."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

import vktensor as vt

RNG = np.random.default_rng(11)
FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
EDGES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1023, 1025, 4097]
TURNS = [65_534, 65_535, 65_536, 65_537]


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def values(shape, dtype: str, low=-4, high=4) -> np.ndarray:
    if dtype == "bool":
        return RNG.random(shape) < 0.5
    if dtype in INTS:
        return RNG.integers(0 if dtype[0] == "u" else low, high, shape).astype(dtype)
    return RNG.uniform(low, high, shape).astype(numpy_dtype(dtype))


def eps(dtype: str) -> float:
    return float(ml_dtypes.finfo(numpy_dtype(dtype)).eps)


def accumulated_eps(dtype: str) -> float:
    return eps("float64" if dtype == "float64" else "float32")


def check_sum(got, a: np.ndarray, dtype: str, axis=None) -> None:
    wide = a.astype(np.longdouble)
    exact, scale = wide.sum(axis=axis), np.abs(wide).sum(axis=axis)
    n = a.size if axis is None else math.prod(np.atleast_1d(np.take(a.shape, axis)))
    bound = 2 * math.log2(n + 2) * accumulated_eps(dtype) * scale + eps(dtype) * np.abs(exact)
    error = np.abs(np.asarray(got).astype(np.longdouble) - exact)
    assert np.all(error <= bound), (
        f"sum of {a.shape} {dtype}: error {error.max()}, bound {bound.min()}"
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [*EDGES, *TURNS])
def test_sum_of_floats_is_within_the_pairwise_bound(n, dtype):
    a = values(n, dtype)
    got = vt.sum(vt.asarray(a))
    assert got.dtype == a.dtype and got.shape == ()
    check_sum(got, a, dtype)


@pytest.mark.parametrize("dtype", ["bool", *INTS])
@pytest.mark.parametrize("n", [1, 5, 64, 1025, 65_537])
def test_sum_and_prod_of_integers_are_exact(n, dtype):
    a = values(n, dtype)
    for name in ("sum", "prod"):
        expected = getattr(np, name)(a, dtype=np.uint64 if dtype[0] == "u" else np.int64)
        got = getattr(vt, name)(vt.asarray(a))
        assert got.dtype == expected.dtype
        assert int(got) == int(expected)


SHAPES = [
    ((3, 5), 0),
    ((3, 5), 1),
    ((65, 130), 0),
    ((65, 130), 1),
    ((4, 33, 7), 1),
    ((4, 33, 7), (0, 2)),
]
SHAPES += [((2, 3, 4, 5), (1, 3)), ((1, 4097), 1), ((4097, 1), 0), ((300, 3), 0), ((3, 20_000), 1)]
SHAPES += [((20_000, 3), 0), ((2, 65_537), 1), ((65_537, 2), 0), ((65_536, 2), 1), ((5,), ())]


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize(
    "op", ["sum", "max", "min", "mean", "var", "std", "any", "all", "count_nonzero"]
)
def test_reduction_over_axes_equals_numpy(op, shape, axis):
    a = values(shape, "float32")
    a[a < -3] = 0
    x = vt.asarray(a)
    got = getattr(vt, op)(x, axis=axis)
    kept = getattr(vt, op)(x, axis=axis, keepdims=True)
    reference = getattr(np, op)
    expected = reference(a.astype(np.float64), axis=axis)
    assert got.shape == expected.shape
    assert kept.shape == reference(a, axis=axis, keepdims=True).shape
    np.testing.assert_array_equal(np.asarray(kept).ravel(), np.asarray(got).ravel())
    if op == "sum" and axis != ():
        check_sum(got, a, "float32", axis)
    elif op in ("sum", "mean", "var", "std"):
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("op", ["sum", "max", "mean", "argmax"])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_reduction_of_views_equals_numpy(op, axis):
    base = values((70, 90), "float32")
    t = vt.asarray(base)
    views = [np.s_[::2, 3:80], np.s_[::-1, ::-1], np.s_[5:6, :], np.s_[:, 7:8], np.s_[1:, ::3]]
    for view in views:
        for transpose in (False, True):
            a = base[view].T if transpose else base[view]
            x = t[view].T if transpose else t[view]
            got, expected = (
                getattr(vt, op)(x, axis=axis),
                getattr(np, op)(a.astype(np.float64), axis=axis),
            )
            np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-5, atol=1e-4)


def test_reduction_of_a_broadcast_input():
    x = vt.broadcast_to(vt.asarray(np.arange(5, dtype=np.float32)), (7, 5))
    np.testing.assert_array_equal(np.asarray(vt.sum(x, axis=0)), np.arange(5) * 7)
    np.testing.assert_array_equal(np.asarray(vt.sum(x, axis=1)), np.full(7, 10))


@pytest.mark.parametrize("dtype", [*FLOATS, *INTS])
@pytest.mark.parametrize("op", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("n", [1, 2, 33, 1025, 65_537])
def test_extremes_are_exact_and_the_first_index_wins(op, dtype, n):
    a = values(n, dtype)
    got = getattr(vt, op)(vt.asarray(a))
    expected = getattr(np, op)(a)
    assert np.asarray(got) == expected
    rows = values((5, n), dtype)
    np.testing.assert_array_equal(
        np.asarray(getattr(vt, op)(vt.asarray(rows), axis=1)), getattr(np, op)(rows, axis=1)
    )
    np.testing.assert_array_equal(
        np.asarray(getattr(vt, op)(vt.asarray(rows), axis=0)), getattr(np, op)(rows, axis=0)
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("at", [0, 3, 700])
def test_nan_propagates_and_the_first_nan_is_found(dtype, at):
    a = values(1000, dtype)
    a[[at, 900]] = np.nan
    x = vt.asarray(a)
    assert math.isnan(float(vt.max(x))) and math.isnan(float(vt.min(x)))
    assert int(vt.argmax(x)) == at and int(vt.argmin(x)) == at
    assert math.isnan(float(vt.sum(x))) and math.isnan(float(vt.var(x)))
    assert bool(vt.any(x)) and int(vt.count_nonzero(x)) == np.count_nonzero(a)


@pytest.mark.parametrize("op", ["max", "min", "argmax", "argmin"])
def test_infinities_count(op):
    a = np.array([-np.inf, 1, np.inf, -np.inf, np.inf], np.float32)
    assert np.asarray(getattr(vt, op)(vt.asarray(a))) == getattr(np, op)(a)


def test_empty_reductions_have_the_neutral_element():
    x = vt.zeros((0, 3))
    assert float(vt.sum(x)) == 0 and float(vt.prod(x)) == 1
    assert not bool(vt.any(x)) and bool(vt.all(x)) and int(vt.count_nonzero(x)) == 0
    np.testing.assert_array_equal(np.asarray(vt.sum(x, axis=0)), np.zeros(3))
    assert vt.sum(x, axis=1).shape == (0,)
    assert math.isnan(float(vt.mean(x))) and math.isnan(float(vt.var(x)))
    for op in (vt.max, vt.min, vt.argmax, vt.argmin):
        with pytest.raises(ValueError, match="max|min"):
            op(x)


@pytest.mark.parametrize("n", [10, 1000, 100_000])
def test_variance_far_from_zero_does_not_cancel(n):
    a = (1e4 + RNG.standard_normal(n)).astype(np.float32)
    exact = a.astype(np.float64).var()
    assert abs(float(vt.var(vt.asarray(a))) / exact - 1) < 1e-5


def test_correction_of_variance():
    a = values(50, "float32")
    for correction in (0, 1, 2.5):
        n = a.size
        expected = a.astype(np.float64).var() * n / (n - correction)
        np.testing.assert_allclose(
            float(vt.var(vt.asarray(a), correction=correction)), expected, rtol=1e-6
        )


def test_ten_million_ones_sum_exactly():
    assert float(vt.sum(vt.ones(10_000_000))) == 10_000_000


def test_the_same_bits_on_every_run():
    a = vt.asarray(values(300_000, "float32"))
    runs = {np.asarray(vt.sum(a)).tobytes() for _ in range(20)}
    assert len(runs) == 1


def test_bad_axes_are_refused():
    x = vt.ones((2, 3))
    for axis in (2, -3, (0, 0), (0, 2)):
        with pytest.raises(ValueError, match="axis"):
            vt.sum(x, axis=axis)
    assert float(vt.sum(x)) == 6


# ---- scans --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [*EDGES, *TURNS, 200_000])
def test_cumulative_sum_of_integers_is_exact(n):
    a = RNG.integers(-1000, 1000, n)
    got = np.asarray(vt.cumulative_sum(vt.asarray(a)))
    np.testing.assert_array_equal(got, np.cumsum(a))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 9, 1025, 65_537])
def test_cumulative_sum_of_floats_is_within_the_bound(n, dtype):
    a = values(n, dtype)
    got = np.asarray(vt.cumulative_sum(vt.asarray(a))).astype(np.longdouble)
    wide = a.astype(np.longdouble)
    bound = 4 * math.log2(n + 2) * accumulated_eps(dtype) * np.cumsum(np.abs(wide))
    bound += eps(dtype) * np.abs(np.cumsum(wide))
    assert np.all(np.abs(got - np.cumsum(wide)) <= bound)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("include_initial", [False, True])
def test_scans_along_axes_equal_numpy(axis, include_initial):
    a = RNG.integers(-2, 3, (7, 33, 20))
    for op, reference, first in (
        (vt.cumulative_sum, np.cumsum, 0),
        (vt.cumulative_prod, np.cumprod, 1),
    ):
        for x, b in ((vt.asarray(a), a), (vt.asarray(a)[::-1, ::2], a[::-1, ::2])):
            expected = reference(b, axis=axis)
            if include_initial:
                edge = np.full_like(np.take(expected, [0], axis), first)
                expected = np.concatenate([edge, expected], axis)
            got = np.asarray(op(x, axis=axis, include_initial=include_initial))
            np.testing.assert_array_equal(got, expected)


def test_scan_of_nothing():
    assert vt.cumulative_sum(vt.zeros(0)).shape == (0,)
    assert float(vt.cumulative_sum(vt.zeros(0), include_initial=True)[0]) == 0
