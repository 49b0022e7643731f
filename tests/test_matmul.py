"""Matrix products against float64 NumPy: |C - AB| <= (K + c) eps |A||B| for each element; integers
exactly."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import vktensor as vt

RNG = np.random.default_rng(5)
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129]


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def check(got: vt.Tensor, a: np.ndarray, b: np.ndarray) -> None:
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    exact = np.matmul(wide_a, wide_b)
    assert got.shape == exact.shape
    result = np.asarray(got).astype(np.float64)
    dtype = np.asarray(got).dtype
    inner = 2.0**-53 if dtype == np.float64 else 2.0**-24
    bound = (a.shape[-1] + 4) * inner * np.matmul(np.abs(wide_a), np.abs(wide_b))
    bound += float(ml_dtypes.finfo(dtype).eps) * np.abs(exact)
    worst = np.max(np.abs(result - exact) - bound, initial=-1)
    assert worst <= 0, f"{a.shape} @ {b.shape} {dtype}: {worst} beyond the bound"


@pytest.mark.parametrize("n", SIZES)
def test_square_and_odd_shapes(n):
    for m, k in ((n, n), (1, n), (n, 1), (5, n), (n, 6)):
        a = RNG.standard_normal((m, k)).astype(np.float32)
        b = RNG.standard_normal((k, n)).astype(np.float32)
        check(vt.asarray(a) @ vt.asarray(b), a, b)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 4, 5), (33, 65, 17), (70, 40, 90), (130, 130, 130)]
)
def test_floating_dtypes(dtype, shape):
    m, k, n = shape
    a = RNG.standard_normal((m, k)).astype(numpy_dtype(dtype))
    b = RNG.standard_normal((k, n)).astype(numpy_dtype(dtype))
    check(vt.asarray(a) @ vt.asarray(b), a, b)


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
def test_integers_wrap_around_as_numpy(dtype):
    info = np.iinfo(dtype)
    a = RNG.integers(info.min, info.max, (37, 29), dtype=dtype)
    b = RNG.integers(info.min, info.max, (29, 41), dtype=dtype)
    got = vt.asarray(a) @ vt.asarray(b)
    assert got.dtype == a.dtype
    np.testing.assert_array_equal(np.asarray(got), a @ b)


@pytest.mark.parametrize("k", [0, 1, 1000, 16_383, 16_384, 16_385, 65_537])
def test_any_depth(k):
    a = RNG.standard_normal((3, k)).astype(np.float32)
    b = RNG.standard_normal((k, 5)).astype(np.float32)
    check(vt.asarray(a) @ vt.asarray(b), a, b)


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_views_are_read_in_place(side):
    a = RNG.standard_normal((60, 80)).astype(np.float32)
    b = RNG.standard_normal((80, 50)).astype(np.float32)
    views = [
        (lambda x: x, "plain"),
        (lambda x: x.T, "transposed"),
        (lambda x: x[::2, 3:33], "strided"),
        (lambda x: x[::-1, ::-1], "reversed"),
        (lambda x: x[:, 5:6], "column"),
    ]
    for view, _ in views:
        left = view(a) if side != "right" else a
        depth = left.shape[1]
        right_base = RNG.standard_normal((depth, 45)).astype(np.float32)
        right_t = (
            vt.asarray(np.ascontiguousarray(right_base.T)).T
            if side != "left"
            else vt.asarray(right_base)
        )
        left_t = view(vt.asarray(a)) if side != "right" else vt.asarray(a)
        check(left_t @ right_t, left, right_base)
    check(vt.asarray(a) @ vt.asarray(b), a, b)


BATCHES = [
    ((2, 3, 4, 5), (5, 6)),
    ((4, 5), (2, 3, 5, 6)),
    ((2, 1, 4, 5), (3, 5, 6)),
    ((7, 4, 5), (7, 5, 1)),
    ((5,), (5, 6)),
    ((4, 5), (5,)),
    ((5,), (5,)),
    ((3, 4, 5), (5,)),
    ((5,), (3, 5, 6)),
    ((0, 4, 5), (5, 6)),
    ((2, 0, 5), (5, 6)),
    ((40, 1, 9), (40, 9, 1)),
]


@pytest.mark.parametrize(("left", "right"), BATCHES)
def test_batches_broadcast(left, right):
    a = RNG.standard_normal(left).astype(np.float32)
    b = RNG.standard_normal(right).astype(np.float32)
    got = vt.asarray(a) @ vt.asarray(b)
    expected = np.matmul(a.astype(np.float64), b.astype(np.float64))
    assert got.shape == expected.shape
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (2, 3)), ((3,), (4,)), ((), (3,)), ((2, 2, 3), (3, 3, 4))]
)
def test_shapes_that_do_not_fit_are_named(left, right):
    with pytest.raises(ValueError, match="matmul"):
        vt.matmul(vt.zeros(left), vt.zeros(right))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8", "complex64"])
def test_bool_beside_numbers_counts_as_numbers(dtype):
    rng = np.random.default_rng(6)
    a, mask = rng.integers(0, 9, (7, 9)).astype(dtype), rng.random((9, 5)) > 0.5
    for x, y in ((a, mask), (mask.T, a.T)):
        got = vt.asarray(x) @ vt.asarray(y)
        assert got.dtype == dtype
        np.testing.assert_array_equal(np.asarray(got), x @ y)


def test_bool_is_refused():
    with pytest.raises(TypeError, match="matmul.*bool"):
        vt.asarray([[True]]) @ vt.asarray([[True]])


def test_the_input_may_be_an_expression_not_yet_computed():
    a = RNG.standard_normal((20, 30)).astype(np.float32)
    got = (vt.asarray(a) * 2) @ (vt.asarray(a).T + 1)
    np.testing.assert_allclose(np.asarray(got), (a * 2) @ (a.T + 1), rtol=1e-4, atol=1e-4)


def test_tensordot_and_vecdot_equal_numpy():
    a = RNG.standard_normal((3, 4, 5)).astype(np.float32)
    b = RNG.standard_normal((4, 5, 6)).astype(np.float32)
    x, y = vt.asarray(a), vt.asarray(b)
    for axes in (0, 1, 2):
        if axes == 1:
            continue
        np.testing.assert_allclose(
            np.asarray(vt.tensordot(x, y, axes=axes)),
            np.tensordot(a, b, axes),
            rtol=1e-4,
            atol=1e-4,
        )
    np.testing.assert_allclose(
        np.asarray(vt.tensordot(x, y, axes=((2, 1), (1, 0)))),
        np.tensordot(a, b, ((2, 1), (1, 0))),
        rtol=1e-4,
        atol=1e-4,
    )
    np.testing.assert_allclose(
        np.asarray(vt.vecdot(x, x[0], axis=-1)), np.vecdot(a, a[0], axis=-1), rtol=1e-5, atol=1e-5
    )
    with pytest.raises(ValueError, match="tensordot"):
        vt.tensordot(x, y, axes=1)


def test_the_same_bits_on_every_run():
    a = vt.asarray(RNG.standard_normal((150, 700)).astype(np.float32))
    runs = {np.asarray(a @ a.T).tobytes() for _ in range(5)}
    assert len(runs) == 1
