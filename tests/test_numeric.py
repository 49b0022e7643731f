"""Functions of several results or of two kinds of operands, and limits of the others, against
NumPy; those that are rows of a table are tested with all others."""

from __future__ import annotations

import numpy as np
import pytest

import vktensor as vt
from oracle import FLOATS, INTEGERS, SIGNED, all_values, numpy_dtype, random_values
from vktensor.accuracy import special

SPLIT = ("modf", "frexp")


def agree(got: vt.Tensor, expected: np.ndarray, what: str) -> None:
    """The same dtype, shape and bits; NaN is NaN."""
    array = np.asarray(got)
    assert array.dtype == expected.dtype and array.shape == expected.shape, what
    wrong = np.flatnonzero(~special.same(array.ravel(), expected.ravel()))
    assert not wrong.size, f"{what}: {array.ravel()[wrong[0]]!r} at {wrong[0]}"


def floats(dtype: str) -> np.ndarray:
    """All numbers of a half type, special ones and random bits of others."""
    if numpy_dtype(dtype).itemsize == 2:
        return all_values(dtype)
    rng = np.random.default_rng(1)
    bits = np.frombuffer(rng.bytes(1 << 16), numpy_dtype(dtype))
    small = random_values(rng, dtype, (1 << 12,), -100, 100)
    return np.concatenate([special.special_values(dtype), bits, small])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", SPLIT)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_parts_of_floats_equal_numpys(name, dtype):
    x = floats(dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    if name == "frexp":  # C leaves the exponent of infinities and NaN open
        expected[1][~np.isfinite(x)] = 0
    if name == "modf" and dtype == "bfloat16":  # ml_dtypes drops signs of fractions
        expected = [part.astype(x.dtype) for part in np.modf(x.astype(np.float32))]
    for got, part in zip(getattr(vt, name)(vt.asarray(x)), expected, strict=True):
        agree(got, part, f"{name} {dtype}")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_parts_of_integers_are_float32(dtype):
    x = special.special_values(dtype)
    for name in SPLIT:
        for got, part in zip(
            getattr(vt, name)(vt.asarray(x)), getattr(np, name)(x.astype(np.float32)), strict=True
        ):
            agree(got, part, f"{name} {dtype}")


@pytest.mark.parametrize("dtype", FLOATS)
def test_ldexp_equals_numpys_for_every_exponent_that_matters(dtype):
    x = np.concatenate([special.special_values(dtype), floats(dtype)[::97]])
    reach = 2300 if dtype == "float64" else 320
    n = np.arange(-reach, reach, 7 if dtype == "float64" else 1, dtype=np.int32)
    wide = x.astype(np.float32) if dtype == "bfloat16" else x
    with np.errstate(all="ignore"):
        expected = np.ldexp(wide[:, None], n).astype(x.dtype)
    agree(vt.ldexp(vt.asarray(x)[:, None], vt.asarray(n)), expected, dtype)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_ldexp_takes_exponents_of_every_integer_dtype(dtype):
    n = special.special_values(dtype)
    x = np.full(n.shape, 1.5, np.float32)
    with np.errstate(all="ignore"):
        near = np.clip(n.astype(object), -1000, 1000).astype(np.int32)
        agree(vt.ldexp(vt.asarray(x), vt.asarray(n)), np.ldexp(x, near), dtype)
    if dtype in SIGNED:
        agree(np.ldexp(vt.asarray(x), 3), np.ldexp(x, 3), "a scalar")
        agree(vt.ldexp(3, vt.asarray(np.array([1, 2]))), np.array([6, 12], np.float32), "numbers")


def test_ldexp_refuses_exponents_that_are_no_integers():
    x = vt.ones(2)
    for exponents in (1.5, 2.0, vt.ones(2), 1j):
        with pytest.raises(TypeError, match="ldexp: expected integers as exponents"):
            vt.ldexp(x, exponents)


def test_frexp_and_ldexp_are_each_others_inverse():
    x = floats("float64")
    x = x[np.isfinite(x)]
    agree(vt.ldexp(*vt.frexp(vt.asarray(x))), x, "ldexp(frexp(x))")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_divisors_of_random_integers_equal_numpys(dtype):
    rng = np.random.default_rng(3)
    info = np.iinfo(dtype)
    x, y = (rng.integers(info.min, info.max, 4096, dtype, endpoint=True) for _ in range(2))
    shared = rng.integers(1, 11, 4096).astype(dtype)
    for a, b in ((x, y), (x // 11 * shared, y // 11 * shared)):
        agree(vt.gcd(vt.asarray(a), vt.asarray(b)), np.gcd(a, b), "gcd")
        agree(np.lcm(vt.asarray(a), vt.asarray(b)), np.lcm(a, b), "lcm")


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_bits_are_counted_as_numpy_counts_them(dtype):
    if dtype == "bool":
        x = np.array([False, True])
    else:
        info = np.iinfo(dtype)
        powers = [s * 2**k + d for k in range(info.bits) for d in (-1, 0, 1) for s in (-1, 1)]
        whole = [k for k in (*powers, info.min, info.max) if info.min <= k <= info.max]
        random = np.random.default_rng(5).integers(info.min, info.max, 5000, dtype, endpoint=True)
        x = np.concatenate([np.array(whole, dtype), random])
    expected = np.array([abs(int(k)).bit_count() for k in x], np.uint8)
    agree(vt.bitwise_count(vt.asarray(x)), expected, "bitwise_count")
    if hasattr(np, "bitwise_count"):  # from NumPy 2 on
        agree(np.bitwise_count(vt.asarray(x)), expected, "np.bitwise_count")


def test_bits_of_other_numbers_are_not_counted():
    for x, name in ((vt.ones(2), "float32"), (3, "int"), (np.ones(2, int), "ndarray")):
        with pytest.raises(TypeError, match=f"bitwise_count: .* got {name}"):
            vt.bitwise_count(x)


def test_the_longest_run_of_euclids_algorithm_ends():
    """Neighbours of Fibonacci's series take most turns: 91 of 64 bits."""
    series = [1, 1]
    while series[-1] + series[-2] < 1 << 64:
        series.append(series[-1] + series[-2])
    x = np.array(series[-2:], np.uint64)
    agree(vt.gcd(vt.asarray(x[:1]), vt.asarray(x[1:])), np.array([1], np.uint64), "gcd")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_nan_to_num_takes_numpys_replacements(dtype):
    x = special.special_values(dtype)
    for options in ({}, {"nan": 2.5}, {"posinf": 1.0}, {"nan": 3, "posinf": 4, "neginf": -5}):
        agree(vt.nan_to_num(vt.asarray(x), **options), np.nan_to_num(x, **options), f"{options}")
        agree(np.nan_to_num(vt.asarray(x), **options), np.nan_to_num(x, **options), f"{options}")
    y = vt.asarray(x, copy=True)
    assert np.nan_to_num(y, copy=False) is y
    agree(y, np.nan_to_num(x), "in place")


def test_float_power_is_computed_in_float64():
    x = np.array([2, 3, 10], np.int32)
    np.testing.assert_allclose(np.asarray(vt.float_power(vt.asarray(x), -1)), 1 / x, rtol=1e-15)
    assert vt.float_power(2.0, vt.asarray(x)).dtype == np.float64


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_spacing_is_positive_at_both_zeros(dtype):
    zeros = np.asarray([0.0, -0.0], dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(np.asarray(vt.spacing(vt.asarray(zeros))), np.spacing(zeros))


def test_sinc_is_zero_at_integers_and_even():
    for dtype in ("float32", "float64"):
        n = np.arange(1, 5000).astype(dtype)
        assert not np.asarray(vt.sinc(vt.asarray(n))).any()
        x = np.linspace(0, 40, 3001).astype(dtype)
        agree(vt.sinc(vt.asarray(-x)), np.asarray(vt.sinc(vt.asarray(x))), dtype)
        np.testing.assert_allclose(
            np.asarray(np.sinc(vt.asarray(x))), np.sinc(x.astype(np.float64)), atol=1e-6
        )


def test_what_these_functions_do_not_take_is_a_type_error():
    z, f = vt.asarray([1 + 2j]), vt.asarray([1.0])
    for call in (
        *(lambda name=name: getattr(vt, name)(z) for name in ("modf", "frexp", "fabs", "deg2rad")),
        *(lambda name=name: getattr(vt, name)(z) for name in ("nan_to_num", "sinc", "spacing")),
        *(lambda name=name: getattr(vt, name)(1.0) for name in ("frexp", "fabs", "rad2deg")),
        *(lambda name=name: getattr(vt, name)(1, 2) for name in ("ldexp", "heaviside", "gcd")),
        lambda: vt.ldexp(f, f),
        lambda: vt.gcd(f, f),
        lambda: vt.lcm(vt.asarray([True]), True),
    ):
        with pytest.raises(TypeError):
            call()
