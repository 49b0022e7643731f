"""Complex numbers: arithmetic, functions and their special values, reductions, products, parts."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vktensor as vt
from vktensor import _core

Array = NDArray[Any]
DTYPES = [np.complex64, np.complex128]
NUMPY_NAMES = {
    **{"asin": "arcsin", "acos": "arccos", "atan": "arctan"},
    **{"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "power"},
}
# The largest error in units of the dtype's epsilon beside the result's magnitude.
BOUND = 4.0
# Functions that have an expression for complex numbers, from the op table.
OPS = {row["name"]: row for row in vt.ops() if "complex" in row["takes"]}
UNARY = sorted(name for name, row in OPS.items() if row["kind"] == "unary")
BINARY = sorted(name for name, row in OPS.items() if row["kind"] == "binary")


def sample(dtype: Any, *shape: int, seed: int = 0) -> Array:
    """Normal real and imaginary parts, scaled over ten binary orders."""
    rng = np.random.default_rng([seed, *shape])
    z = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    result: Array = (z * 2.0 ** rng.integers(-5, 5, shape)).astype(dtype)
    return result


def reference(name: str, *operands: Array) -> Array:
    """NumPy's function in the next wider type."""
    wide = {np.complex64: np.complex128, np.complex128: np.clongdouble}
    function = getattr(np, NUMPY_NAMES.get(name, name))
    with np.errstate(all="ignore"):
        return np.asarray(function(*(a.astype(wide[a.dtype.type]) for a in operands)))


def assert_near(got: Any, exact: Array, dtype: Any, bound: float = BOUND) -> None:
    """Within `bound` epsilons of the exact value's magnitude; bool and the like are equal."""
    values = np.asarray(got)
    if exact.dtype.kind not in "cf":
        np.testing.assert_array_equal(values, exact)
        return
    assert values.dtype == (np.dtype(dtype) if exact.dtype.kind == "c" else values.real.dtype)
    error = np.abs(values - exact) / np.maximum(np.abs(exact), np.finfo(dtype).tiny)
    assert error.size == 0 or error.max() <= bound * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_functions_are_near_the_exact_value(name: str, dtype: Any) -> None:
    for size in (0, 1, 3, 4, 257):
        z = sample(dtype, size, seed=size)
        bound = 40.0 if name == "exp2" else BOUND  # an angle of y log(2), rounded
        assert_near(getattr(_core, name)(vt.asarray(z)), reference(name, z), dtype, bound)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_are_near_the_exact_value(name: str, dtype: Any) -> None:
    a, b = sample(dtype, 33, 5), sample(dtype, 5, seed=1)
    if name == "pow":
        b = (b / 4).astype(dtype)  # the error grows with the exponent times the logarithm
    bound = 40.0 if name == "pow" else BOUND
    exact = reference(name, a, b)
    assert_near(getattr(_core, name)(vt.asarray(a), vt.asarray(b)), exact, dtype, bound)


# Where C11 leaves the sign of a zero or of an infinity open, and where NumPy's expm1 and log1p lose
# what annex G asks for.
OPEN_SIGN = {"exp", "exp2", "sin", "cos", "tan", "sinh", "cosh", "tanh"}
NOT_COMPARED = {"expm1", "log1p", "reciprocal"}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, np.inf, -np.inf, np.nan, 3e4, -700.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(set(UNARY) - NOT_COMPARED))
def test_special_values_follow_annex_g(name: str, dtype: Any) -> None:
    z = np.empty(len(SPECIAL) ** 2, dtype)
    z.real, z.imag = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
    with np.errstate(all="ignore"):
        expected = getattr(np, NUMPY_NAMES.get(name, name))(z)
    got = np.asarray(getattr(_core, name)(vt.asarray(z)))
    if expected.dtype.kind != "c":
        np.testing.assert_allclose(got, expected, rtol=8 * np.finfo(dtype).eps)
        return
    for part in ("real", "imag"):
        mine, theirs = getattr(got, part), getattr(expected, part)
        if name in OPEN_SIGN:
            open_sign = ~(np.isfinite(z.real) & np.isfinite(z.imag))
            mine, theirs = (np.where(open_sign, np.abs(x), x) for x in (mine, theirs))
        rtol = 64 * np.finfo(dtype).eps  # tan of 3e4 through a long reduction in NumPy
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=np.finfo(dtype).tiny)
        zero = (theirs == 0) & (mine == 0)
        np.testing.assert_array_equal(np.signbit(mine[zero]), np.signbit(theirs[zero]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_expm1_of_infinities_follows_the_standard(dtype: Any) -> None:
    z = np.array([complex(np.inf, 0.0), complex(-np.inf, 0.0), complex(np.nan, 0.0)], dtype)
    got = np.asarray(vt.expm1(vt.asarray(z)))
    np.testing.assert_array_equal(got.real, [np.inf, -1, np.nan])
    np.testing.assert_array_equal(got.imag, [0, 0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layout_gives_the_same_numbers(dtype: Any) -> None:
    z = sample(dtype, 37, 41)
    t = vt.asarray(z)
    views: list[Any] = [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[3:, 5:],
        lambda a: a[::-2, ::3],
        lambda a: a.T[1:, ::-1],
        lambda a: a[:, :1],
    ]
    for view in views:
        np.testing.assert_array_equal(np.asarray(view(t)), view(z))
        assert_near(view(t) * 2 + 1j, view(z).astype(np.clongdouble) * 2 + 1j, dtype)
        assert_near(vt.sum(view(t)), view(z).sum(dtype=np.clongdouble), dtype, 64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "any", "all", "count_nonzero"])
def test_reductions(name: str, axis: int | None, dtype: Any) -> None:
    z = sample(dtype, 6, 70)
    z /= np.abs(z)
    z[2, 3] = 0 if name != "prod" else 1
    exact = getattr(np, name)(z.astype(np.clongdouble), axis=axis)
    got = np.asarray(getattr(vt, name)(vt.asarray(z), axis=axis))
    if exact.dtype.kind != "c":
        np.testing.assert_array_equal(got, exact)
    else:
        assert got.dtype == dtype
        assert np.abs(got - exact).max() <= 500 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_scans(dtype: Any) -> None:
    z = sample(dtype, 5, 300)
    z /= np.abs(z)
    for axis in (0, 1):
        for name, numpy_name in (("cumulative_sum", "cumsum"), ("cumulative_prod", "cumprod")):
            exact = getattr(np, numpy_name)(z.astype(np.clongdouble), axis=axis)
            got = np.asarray(getattr(vt, name)(vt.asarray(z), axis=axis))
            assert np.abs(got - exact).max() <= 1000 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kinds", ["cc", "cr", "rc"])
def test_products(kinds: str, dtype: Any) -> None:
    shapes = [((7, 9), (9, 4)), ((2, 7, 9), (9, 4)), ((9,), (9,)), ((3, 0), (0, 2)), ((3, 9), (9,))]
    for left, right in shapes:
        a, b = sample(dtype, *left), sample(dtype, *right, seed=1)
        a = a if kinds[0] == "c" else np.ascontiguousarray(a.real)
        b = b if kinds[1] == "c" else np.ascontiguousarray(b.real)
        got = np.asarray(vt.asarray(a) @ vt.asarray(b))
        assert got.dtype == dtype
        exact = a.astype(np.clongdouble) @ b.astype(np.clongdouble)
        scale = np.abs(a).astype(np.longdouble) @ np.abs(b).astype(np.longdouble)
        assert np.all(np.abs(got - exact) <= 24 * np.finfo(dtype).eps * scale)


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_are_views_that_write_through(dtype: Any) -> None:
    z = sample(dtype, 4, 5)
    t = vt.asarray(z)
    t.real[1:, ::2] = 7
    t.imag[...] += 1
    z.real[1:, ::2] = 7
    z.imag[...] += 1
    np.testing.assert_array_equal(np.asarray(t), z)
    assert t.real.dtype == z.real.dtype
    x = vt.asarray([1.0, 2.0])
    assert x.real is x
    np.testing.assert_array_equal(np.asarray(x.imag), [0, 0])


def test_scalars_and_dtypes_promote_by_the_standard() -> None:
    for dtype, expected in [
        *[("bool", "complex64"), ("int8", "complex64"), ("int64", "complex64")],
        *[("float16", "complex64"), ("float32", "complex64"), ("float64", "complex128")],
        *[("complex64", "complex64"), ("complex128", "complex128")],
    ]:
        assert (vt.ones(2, dtype=dtype) * 1j).dtype == expected
    pairs = {"float32": "complex64", "float64": "complex128", "int64": "complex64"}
    for dtype, expected in pairs.items():
        assert vt.result_type("complex64", dtype) == expected
    assert vt.result_type("float32", "complex128") == "complex128"
    assert (vt.ones(2, dtype="complex64") * 2.5).dtype == "complex64"
    assert vt.asarray([1, 2.5, 3j]).dtype == "complex64"
    assert vt.asarray([1 + 2j], dtype=complex).dtype == "complex64"


def test_python_numbers_come_and_go() -> None:
    t = vt.asarray(1.5 - 2j)
    assert complex(t) == 1.5 - 2j
    assert t.item() == 1.5 - 2j
    assert vt.asarray([[1j]]).tolist() == [[1j]]
    with pytest.raises(TypeError):
        float(t)
    assert bool(vt.asarray(1j)) and not bool(vt.asarray(0j))
    m = vt.zeros((2, 2), dtype="complex128")
    m[0, 1] = 2 - 1j
    np.testing.assert_array_equal(np.asarray(m), [[0, 2 - 1j], [0, 0]])
    assert repr(vt.asarray([1 - 2j])) == "Tensor([1.-2.j], dtype=complex64)"


@pytest.mark.parametrize("dtype", DTYPES)
def test_buffers_pickles_and_numpy_keep_every_bit(dtype: Any) -> None:
    z = sample(dtype, 3, 4)
    t = vt.asarray(z)
    assert memoryview(t.numpy()).format == {8: "Zf", 16: "Zd"}[t.itemsize]
    for back in (np.asarray(t), t.numpy(), np.asarray(pickle.loads(pickle.dumps(t)))):
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, z)


def test_what_has_no_meaning_is_refused() -> None:
    t = vt.asarray([1j, 2.0])
    for call in (
        lambda: t < t,
        lambda: vt.floor(t),
        lambda: vt.max(t),
        lambda: vt.argmin(t),
        lambda: t // 2,
        lambda: vt.maximum(t, t),
    ):
        with pytest.raises(TypeError, match="real"):
            call()
    with pytest.raises(TypeError, match="complex"):
        vt.astype(t, "float32")
    x = vt.asarray([1.0])
    with pytest.raises(TypeError, match="complex"):
        x[0] = 1j
    np.testing.assert_array_equal(np.asarray(x), [1.0])
