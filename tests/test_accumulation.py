"""Accumulated rounding: sums, moments, scans and products against exact sums, on data made to lose
bits, around every pass boundary; and the same bits whatever ran before, beside, or in between."""

from __future__ import annotations

import hashlib
import math
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import vktensor as vt
from oracle import (
    FLOATS,
    INTEGERS,
    LAYOUTS,
    Array,
    assert_same_bits,
    assert_ulp,
    float_info,
    make,
    numpy_dtype,
    random_values,
)

# Around batches, turns, blocks, lanes, chunks, and where rows begin to be split.
BOUNDARIES = [1, 2, 3, 5, 15, 17, 63, 100, 255, 256, 257, 511, 513, 1023, 1025, 2047, 2049, 4095]
BOUNDARIES += [4097, 8191, 8193, 16383, 16385, 32769, 65535, 65537, 131_073, 262_145]
KINDS = ["uniform", "alternating", "wide", "first", "middle", "last", "first of fours"]
# Views whose axes lie in memory in their own order: what is summed first does not depend on them.
IN_ORDER = [layout for layout in LAYOUTS if layout != "transposed"]
HERE = pathlib.Path(__file__).parent


def register_eps(dtype: str) -> float:
    return 2.0**-52 if dtype == "float64" else 2.0**-23


def hard_to_sum(kind: str, n: int, dtype: str) -> Array:
    """n elements of which a naive sum loses something."""
    rng = np.random.default_rng([n, KINDS.index(kind)])
    if kind == "uniform":
        return rng.uniform(-4, 4, n).astype(numpy_dtype(dtype))
    if kind == "alternating":
        x = np.repeat(rng.uniform(1, 2, n // 2 + 1), 2) * np.tile([1, -1], n // 2 + 1)
        return x[:n].astype(numpy_dtype(dtype))
    if kind == "wide":
        low, high = (-14, 3) if dtype == "float16" else (-60, 60)
        x = np.ldexp(rng.uniform(-1, 1, n), rng.integers(low, high, n))
        return x.astype(numpy_dtype(dtype))
    # Half an ULP of 1 each, or four together: what is added to the 1 alone is lost.
    x = np.full(n, register_eps(dtype) / (8 if kind.endswith("fours") else 2))
    x[{"middle": n // 2, "last": n - 1}.get(kind, 0)] = 1
    return x.astype(numpy_dtype(dtype))


def check_sum(got: vt.Tensor, x: Array) -> None:
    """|got - sum| <= 2 log2(n) eps sum|x|, beside the one rounding to x's dtype."""
    wide = x.astype(np.float64).tolist()
    exact, scale = math.fsum(wide), math.fsum(map(abs, wide))
    bound = 2 * math.log2(max(x.size, 1)) * register_eps(x.dtype.name) * scale
    if x.dtype.itemsize == 2:
        info = float_info(x.dtype)
        bound += float(info.eps) / 2 * abs(exact) + float(info.smallest_subnormal) / 2
    values = np.unique(np.asarray(got).astype(np.float64))
    for value in values.tolist():
        assert abs(value - exact) <= bound, f"n = {x.size}: {abs(value - exact) / bound} bounds"


# ---- sums ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_sum_is_within_the_pairwise_bound_around_every_boundary(kind, dtype):
    for n in BOUNDARIES:
        x = hard_to_sum(kind, n, dtype)
        check_sum(vt.sum(vt.asarray(x)), x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", [0, 1])
def test_sums_of_many_long_rows_and_columns_are_within_the_pairwise_bound(axis, kind):
    # So many that no row is split; all alike, so that they need no memory.
    for n in (255, 1025, 4097, 16_385, 65_537):
        x = hard_to_sum(kind, n, "float32")
        row = vt.expand_dims(vt.asarray(x), axis=1 - axis)
        shape = (n, 700) if axis == 0 else (700, n)
        check_sum(vt.sum(vt.broadcast_to(row, shape), axis=axis), x)


@pytest.mark.parametrize("n", [10**8, 2**27 + 1])
def test_ones_sum_exactly(n):
    assert float(vt.sum(vt.broadcast_to(vt.ones(()), (n,)))) == np.float32(n)
    assert float(vt.sum(vt.ones(n))) == np.float32(n)
    assert float(vt.mean(vt.broadcast_to(vt.ones(()), (n,)))) == 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_are_summed_in_float32_and_rounded_once(dtype):
    rng = np.random.default_rng(3)
    high = float(float_info(dtype).max)
    for n in (3, 100, 1025, 20_001):
        x = rng.uniform(0, high / n if dtype == "float16" else 100, n).astype(numpy_dtype(dtype))
        exact = math.fsum(x.astype(np.float64).tolist())
        # float32 holds the sum to far more bits than the result has.
        assert_ulp(vt.sum(vt.asarray(x)), exact, 0.51, f"sum of {n}")
        assert_ulp(vt.mean(vt.asarray(x)), exact / n, 0.51, f"mean of {n}")


def test_sums_beyond_float16_come_back_into_its_range():
    high = float(float_info("float16").max)
    assert float(vt.sum(vt.asarray(np.array([high, high, -high], np.float16)))) == high
    assert float(vt.mean(vt.asarray(np.full(1000, high, np.float16)))) == high


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_integers_and_bool_are_summed_in_64_bits(dtype):
    high = 1 if dtype == "bool" else int(np.iinfo(dtype).max)
    low = 0 if dtype == "bool" else int(np.iinfo(dtype).min)
    wide = "uint64" if dtype.startswith("u") else "int64"
    for n in (1, 17, 1025, 70_001):
        for value in (low, high):
            x = vt.broadcast_to(vt.asarray(np.array(value, numpy_dtype(dtype))), (n,))
            total = vt.sum(x)
            expected = np.array(value * n & (2**64 - 1), np.uint64).astype(wide)
            assert total.dtype == numpy_dtype(wide)
            assert int(total) == int(expected)
    x = random_values(np.random.default_rng(1), dtype, (257, 33), -1e30, 1e30)
    with np.errstate(over="ignore"):
        expected = x.sum(axis=0, dtype=wide)
    np.testing.assert_array_equal(np.asarray(vt.sum(vt.asarray(x), axis=0)), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_prod_errs_by_at_most_one_rounding_per_element(dtype):
    for n in (2, 33, 1025, 65_537):
        x = np.exp2(np.random.default_rng(n).uniform(-0.01, 0.01, n)).astype(dtype)
        exact = np.prod(x.astype(np.longdouble))
        error = abs(np.longdouble(float(vt.prod(vt.asarray(x)))) - exact)
        assert error <= n * register_eps(dtype) / 2 * exact


# ---- variance ------------------------------------------------------------------------------------


def exact_variance(x: Array, axis: int | None = None) -> Array:
    wide = x.astype(np.longdouble)
    wide = wide - wide.mean(axis=axis, keepdims=True)
    return np.asarray((wide * wide).mean(axis=axis).astype(np.float64))


@pytest.mark.parametrize("n", [7, 1000, 65_537, 3_000_000])
@pytest.mark.parametrize("offset", [0.0, 1e4, -1e6])
def test_variance_keeps_its_bits_far_from_zero(offset, n):
    x = (offset + np.random.default_rng(n).standard_normal(n)).astype(np.float32)
    exact = exact_variance(x)
    assert abs(float(vt.var(vt.asarray(x))) / exact - 1) < 1e-5
    assert abs(float(vt.std(vt.asarray(x))) / math.sqrt(exact) - 1) < 1e-5


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(5, 5000), (5000, 5), (300, 400), (9, 70_000), (70_000, 9)])
def test_variance_along_an_axis_keeps_its_bits_far_from_zero(shape, axis):
    x = (1e4 + np.random.default_rng(axis).standard_normal(shape)).astype(np.float32)
    got = np.asarray(vt.var(vt.asarray(x), axis=axis)).astype(np.float64)
    np.testing.assert_allclose(got, exact_variance(x, axis), rtol=1e-5)


@pytest.mark.parametrize("dtype", FLOATS)
def test_variance_of_what_never_changes_is_exactly_zero(dtype):
    for value in (0.1, -1e4, float(float_info(dtype).max), float(float_info(dtype).tiny)):
        one = vt.asarray(np.array(value).astype(numpy_dtype(dtype)))
        for shape, axis in (((1,), 0), ((33,), 0), ((70_001,), 0), ((90, 501), 0), ((90, 501), 1)):
            x = vt.broadcast_to(one, shape)
            for y in (x, vt.asarray(np.asarray(x).copy())):
                assert not np.asarray(vt.var(y, axis=axis)).any()
                assert not np.asarray(vt.std(y, axis=axis)).any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_variance_of_half_types_is_rounded_once(dtype):
    x = np.random.default_rng(8).uniform(-9, 9, (40, 1001)).astype(numpy_dtype(dtype))
    for axis in (0, 1):
        assert_ulp(vt.var(vt.asarray(x), axis=axis), exact_variance(x, axis), 0.52, "var")


# ---- scans ---------------------------------------------------------------------------------------


def scan_error(got: vt.Tensor, x: Array, axis: int = 0) -> float:
    """The largest |got - cumulative sum|, in eps of the sum of |x| up to there."""
    wide = x.astype(np.longdouble)
    scale = np.cumsum(np.abs(wide), axis=axis)
    error = np.abs(np.asarray(got).astype(np.longdouble) - np.cumsum(wide, axis=axis))
    return float(np.max(error / np.maximum(scale, 1e-300))) / register_eps(x.dtype.name)


# Tiles are of 4096 elements, chunks on CPU drivers of 32,768: beyond those the carry is exact.
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_cumulative_sums_do_not_grow_beyond_a_tile(kind, dtype):
    for n in (1, 65, 1025, 4097, 16_385, 65_537, 1_000_003):
        x = hard_to_sum(kind, n, dtype)
        error = scan_error(vt.cumulative_sum(vt.asarray(x)), x)
        assert error <= 2 * math.log2(32_768) + 1, f"n = {n}: {error} eps"


@pytest.mark.parametrize(
    ("shape", "axis"), [((3_000_000,), 0), ((5, 70_001), 1), ((70_001, 5), 0), ((2, 9000, 40), 1)]
)
def test_cumulative_sums_of_one_sign_are_within_few_ulp_on_every_axis(shape, axis):
    x = np.random.default_rng(4).uniform(0.5, 1, shape).astype(np.float32)
    assert scan_error(vt.cumulative_sum(vt.asarray(x), axis=axis), x, axis) <= 4


ROWS = [(40_001,), (3, 40_001), (60, 17_000), (600_001,), (2, 530_000)]
COLUMNS = [(65, 40), (129, 3), (1000, 33), (17_001, 7), (40_000, 1), (300, 1030)]


@pytest.mark.parametrize(
    ("shape", "axis"), [*((s, -1) for s in ROWS), *((s, 0) for s in COLUMNS), ((3, 500, 7, 5), 1)]
)
@pytest.mark.parametrize("include_initial", [False, True])
def test_long_scans_of_integers_are_exact(shape, axis, include_initial):
    x = np.random.default_rng(6).integers(-1000, 1000, shape, dtype=np.int32)
    expected = np.cumsum(x, axis=axis, dtype=np.int64)
    if include_initial:
        first = np.zeros_like(np.take(expected, [0], axis))
        expected = np.concatenate([first, expected], axis=axis)
    got = vt.cumulative_sum(vt.asarray(x), axis=axis, include_initial=include_initial)
    np.testing.assert_array_equal(np.asarray(got), expected)


def test_infinity_and_nan_stay_what_they_are_after_many_tiles():
    x = np.ones(300_000, np.float32)
    x[100_000] = np.inf
    np.testing.assert_array_equal(np.asarray(vt.cumulative_sum(vt.asarray(x))), np.cumsum(x))
    x[200_000] = -np.inf
    with np.errstate(invalid="ignore"):
        expected = np.cumsum(x)
    np.testing.assert_array_equal(np.asarray(vt.cumulative_sum(vt.asarray(x))), expected)


def scan_digest() -> str:
    """A hash of long scans of rows; those of integers are checked."""
    rng = np.random.default_rng(19)
    hashed = hashlib.sha256()
    for shape in ((260_001,), (3, 50_000)):
        floats = rng.standard_normal(shape).astype(np.float32)
        integers = rng.integers(-99, 99, shape)
        got = np.asarray(vt.cumulative_sum(vt.asarray(integers), axis=-1))
        np.testing.assert_array_equal(got, np.cumsum(integers, axis=-1))
        scanned = vt.cumulative_sum(vt.asarray(floats), axis=-1)
        assert scan_error(scanned, floats, -1) <= 8
        hashed.update(np.asarray(scanned).tobytes())
    return hashed.hexdigest()


def run_elsewhere(expression: str, **variables: str) -> str:
    """The value of an expression of this module in a process with these environment variables."""
    done = subprocess.run(
        [sys.executable, "-c", f"import test_accumulation as t; print(t.{expression})"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        cwd=HERE,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()[-1]


def test_one_pass_scans_give_the_same_bits_when_workgroups_tell_nothing():
    digests = [
        run_elsewhere("scan_digest()", VKTENSOR_KERNELS="gpu", VKTENSOR_SCAN=scan)
        for scan in ("", "silent")
    ]
    assert digests[0] == digests[1]


def test_long_rows_are_scanned_where_workgroups_cannot_tell_each_other_anything():
    assert run_elsewhere("scan_digest()", VKTENSOR_KERNELS="gpu", VKTENSOR_SCAN="chunks")


# ---- products ------------------------------------------------------------------------------------


def check_product(got: vt.Tensor, a: Array, b: Array, what: str) -> None:
    """|C - AB| <= (K + 4) u |A||B| per element, u of the accumulator, beside one rounding."""
    wide_a, wide_b = a.astype(np.longdouble), b.astype(np.longdouble)
    exact = wide_a @ wide_b
    k, info = a.shape[-1], float_info(a.dtype)
    bound = (k + 4) * register_eps(a.dtype.name) / 2 * (np.abs(wide_a) @ np.abs(wide_b))
    if a.dtype.itemsize == 2:
        bound += float(info.eps) / 2 * np.abs(exact) + float(info.smallest_subnormal) / 2
    error = np.abs(np.asarray(got).astype(np.longdouble) - exact)
    assert np.all(error <= bound), f"{what}: {np.max(error / np.maximum(bound, 1e-300))} bounds"


# Each kind of kernel: a vector, few columns, small, middle and large tiles, a stack.
PRODUCTS = [((1, 300), (300, 1)), ((200, 700), (700, 1)), ((3, 700), (700, 90)), ((9, 40), (40, 9))]
PRODUCTS += [((40, 300), (300, 40)), ((70, 129), (129, 90)), ((260, 65), (65, 260))]
PRODUCTS += [((3, 20, 65), (65, 30)), ((2, 20, 33), (2, 33, 20)), ((5, 5000), (5000, 6))]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("left", "right"), PRODUCTS)
def test_matmul_is_within_the_bound_for_every_kind_of_kernel(left, right, dtype):
    rng = np.random.default_rng(left[-1])
    for span in (0, 2 if dtype == "float16" else 12):  # of exponents
        a, b = (
            np.ldexp(rng.standard_normal(s), rng.integers(-span, span + 1, s)).astype(
                numpy_dtype(dtype)
            )
            for s in (left, right)
        )
        check_product(vt.asarray(a) @ vt.asarray(b), a, b, f"{left} @ {right}")


@pytest.mark.parametrize("dtype", FLOATS)
def test_vecdot_and_tensordot_are_within_the_bound_of_matmul(dtype):
    rng = np.random.default_rng(2)
    for n in (1, 7, 1000, 40_000):
        a, b = (rng.uniform(-2, 2, (3, n)).astype(numpy_dtype(dtype)) for _ in range(2))
        got = vt.vecdot(vt.asarray(a), vt.asarray(b))
        for i in range(3):
            check_product(got[i], a[i], b[i], f"vecdot of {n}")
        got = vt.tensordot(vt.asarray(a), vt.asarray(b), axes=((1,), (1,)))
        check_product(got, a, b.T, f"tensordot of {n}")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_products_of_half_types_do_not_overflow_before_they_cancel(dtype):
    big = 2.0 ** (float_info(dtype).maxexp // 2 + 1)
    if dtype == "bfloat16":
        big = 1.0 + 2.0**-7  # its square needs more bits than bfloat16 has
    a = np.array([big, big, 1], numpy_dtype(dtype))
    b = np.array([big, -big, 1], numpy_dtype(dtype))
    x, y = vt.asarray(a), vt.asarray(b)
    assert float(vt.vecdot(x, y)) == 1
    assert float(x @ y) == 1
    assert float(vt.tensordot(x, y, axes=1)) == 1
    a[2] = b[2] = 0
    b[1] = -1
    assert_ulp(vt.vecdot(vt.asarray(a), vt.asarray(b)), big * big - big, 0.5, "vecdot")


# ---- the same bits -------------------------------------------------------------------------------

SHAPES: list[tuple[tuple[int, ...], int | tuple[int, ...] | None]] = [
    ((70_001,), None),
    ((300, 90), None),
    ((300, 90), 0),
    ((300, 90), 1),
    ((5, 9000), 1),
    ((9000, 5), 0),
    ((1200, 7, 5), 0),
    ((7, 130, 5), 1),
    ((7, 13, 50), (0, 2)),
]


def reductions(x: vt.Tensor, axis: int | tuple[int, ...] | None) -> list[vt.Tensor]:
    return [op(x, axis=axis) for op in (vt.sum, vt.mean, vt.var, vt.prod)]


def scans(x: vt.Tensor) -> list[vt.Tensor]:
    return [op(x, axis=a) for op in (vt.cumulative_sum, vt.cumulative_prod) for a in range(x.ndim)]


@pytest.mark.parametrize("layout", IN_ORDER)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_views_reduce_to_the_bits_of_their_copies(shape, axis, layout):
    base, view = make("float32", shape, layout, low=0.9, high=1.1)
    x = view(vt.asarray(base))
    copy = vt.asarray(np.ascontiguousarray(view(base)))
    for got, expected in zip(reductions(x, axis), reductions(copy, axis), strict=True):
        assert_same_bits(got, expected, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(70_001,), (300, 90), (5, 9000), (9000, 5), (7, 130, 5)])
def test_views_scan_to_the_bits_of_their_copies(shape, layout):
    base, view = make("float32", shape, layout, low=0.9, high=1.1)
    copy = vt.asarray(np.ascontiguousarray(view(base)))
    for got, expected in zip(scans(view(vt.asarray(base))), scans(copy), strict=True):
        assert_same_bits(got, expected, layout)


@pytest.mark.parametrize("layout", IN_ORDER)
def test_views_multiply_to_the_bits_of_their_copies(layout):
    for left, right in PRODUCTS[1:]:  # a row can be read as a column, and then is summed as one
        base, view = make("float32", left, layout)
        b = vt.asarray(make("float32", right)[0])
        copy = vt.asarray(np.ascontiguousarray(view(base)))
        assert_same_bits(view(vt.asarray(base)) @ b, copy @ b, f"{left} @ {right}")


@pytest.mark.parametrize(
    ("shape", "axis", "dtype"),
    [(*case, "float32") for case in SHAPES] + [(*SHAPES[3], dtype) for dtype in FLOATS],
)
def test_fused_and_stored_inputs_reduce_and_scan_to_the_same_bits(shape, axis, dtype):
    rng = np.random.default_rng(5)
    a = vt.asarray(rng.uniform(0.9, 1.1, shape).astype(numpy_dtype(dtype)))
    row = vt.asarray(rng.uniform(-1e-3, 1e-3, shape[-1:]).astype(numpy_dtype(dtype)))
    column = vt.asarray(rng.uniform(0.99, 1.01, (shape[0],) + (1,) * (len(shape) - 1)))
    column = column.astype(a.dtype)
    if column.ndim == 1:
        column = column[:1]

    stored = a * column + row
    vt.eval(stored)
    expected = [*reductions(stored, axis), *scans(stored)]
    got = [*reductions(a * column + row, axis), *scans(a * column + row)]
    for one, other in zip(got, expected, strict=True):
        assert_same_bits(one, other)


def digest(repeats: int) -> str:
    """Computes everything `repeats` times: the hash of its bytes, which has to be one."""
    rng = np.random.default_rng(17)
    shapes = [((20_001,), None), ((70, 90), 0), ((3, 3000), 1)]
    inputs = [vt.asarray(rng.standard_normal(s).astype(np.float32)) for s, _axis in shapes]
    factors = [rng.standard_normal(s).astype(np.float32) for pair in PRODUCTS for s in pair]
    matrices = [vt.asarray(x) for x in factors]
    hashes = set()
    for _ in range(repeats):
        results = [a @ b for a, b in zip(matrices[::2], matrices[1::2], strict=True)]
        for x, (_shape, axis) in zip(inputs, shapes, strict=True):
            results += [*reductions(x, axis), *scans(x * 2)]
        hashes.add(hashlib.sha256(b"".join(np.asarray(r).tobytes() for r in results)).hexdigest())
    assert len(hashes) == 1, f"{len(hashes)} different results of {repeats} runs"
    return hashes.pop()


def test_a_hundred_runs_and_any_number_of_threads_give_the_same_bits():
    expected = digest(100)
    for n_threads in ("1", "2"):
        found = run_elsewhere("digest(2)", LP_NUM_THREADS=n_threads)
        assert found == expected, f"LP_NUM_THREADS={n_threads}"
