"""Complex numbers: arithmetic, functions and their special values, reductions, products, parts."""

from __future__ import annotations

import itertools
import math
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


def exact_exp2(z: Array) -> Array:
    """2^z in long double with the angle's rounding error put back."""
    high, low = np.longdouble(math.log(2)), np.longdouble("2.3190468138462996e-17")
    x, y = z.real.astype(np.longdouble), z.imag.astype(np.longdouble)
    turn: Array = np.exp2(x) * np.exp(1j * (y * high + y * low))
    return turn


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
        exact = reference(name, z)
        if name == "exp2":  # NumPy rounds the angle y ln(2)
            exact = exact_exp2(z)
        assert_near(getattr(_core, name)(vt.asarray(z)), exact, dtype)


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
NOT_COMPARED = {"expm1", "log1p"}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, np.inf, -np.inf, np.nan, 3e4, -700.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(set(UNARY) - NOT_COMPARED))
def test_special_values_follow_annex_g(name: str, dtype: Any) -> None:
    z = np.empty(len(SPECIAL) ** 2, dtype)
    z.real, z.imag = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
    if name == "reciprocal":
        z = z[z != 0]  # NaN in NumPy, as 1 / 0 infinite in C and here
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
        # tan of 3e4 through a long reduction in NumPy, exp2 of an angle that NumPy rounds
        rtol = (1e5 if name == "exp2" else 64) * np.finfo(dtype).eps
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=np.finfo(dtype).tiny)
        zero = (theirs == 0) & (mine == 0)
        if name == "reciprocal" and part == "imag":  # NumPy's own depends on its version
            theirs = -z.imag
        np.testing.assert_array_equal(np.signbit(mine[zero]), np.signbit(theirs[zero]))


# The array API standard's, of which z and conj(z) give what is conjugate: (z, f(z)); a zero or an
# infinity in brackets may have either sign.
INF, NAN, PI = math.inf, math.nan, math.pi
EXPM1 = [
    *(((0, 0), (0, 0)), ((-0.0, 0), (0, 0)), ((1, INF), (NAN, NAN)), ((1, NAN), (NAN, NAN))),
    *(((INF, 0), (INF, 0)), ((-INF, 2), (-1, [0.0])), ((INF, 2), (-INF, INF))),
    *(((-INF, INF), (-1, [0.0])), ((INF, INF), ([INF], NAN)), ((-INF, NAN), (-1, [0.0]))),
    *(((INF, NAN), ([INF], NAN)), ((NAN, 0), (NAN, 0)), ((NAN, 1), (NAN, NAN))),
    *(((NAN, NAN), (NAN, NAN)),),
]
LOG1P = [
    *(((-1, 0), (-INF, 0)), ((1, INF), (INF, PI / 2)), ((1, NAN), (NAN, NAN))),
    *(((-INF, 1), (INF, PI)), ((INF, 1), (INF, 0)), ((-INF, INF), (INF, 3 * PI / 4))),
    *(((INF, INF), (INF, PI / 4)), ((INF, NAN), (INF, NAN)), ((-INF, NAN), (INF, NAN))),
    *(((NAN, 1), (NAN, NAN)), ((NAN, INF), (INF, NAN)), ((NAN, NAN), (NAN, NAN))),
    *(((0, 0), (0, 0)), ((-0.0, 0), (-0.0, 0))),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "table"), [("expm1", EXPM1), ("log1p", LOG1P)])
def test_expm1_and_log1p_follow_the_standard(name: str, table: Any, dtype: Any) -> None:
    for (x, y), parts in table:
        for conjugate in (1.0, -1.0):
            z = np.array([complex(x, math.copysign(y, conjugate))], dtype)
            got = np.asarray(getattr(vt, name)(vt.asarray(z)))[0]
            for have, want, sign in zip((got.real, got.imag), parts, (1.0, conjugate), strict=True):
                either = isinstance(want, list)
                exact = np.array(want[0] if either else math.copysign(1, want) * abs(want) * sign)
                what = f"{name}({z[0]}) gave {got}"
                np.testing.assert_allclose(abs(have), abs(exact), rtol=1e-6, err_msg=what)
                assert either or np.isnan(exact) or np.signbit(have) == np.signbit(exact), what


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["multiply", "divide", "add", "subtract", "equal", "not_equal"])
def test_arithmetic_of_special_values_gives_numpys(name: str, dtype: Any) -> None:
    z = np.empty(len(SPECIAL) ** 2, dtype)
    z.real, z.imag = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
    a, b = (m.ravel() for m in np.meshgrid(z, z))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(a, b)
    got = np.asarray(getattr(_core, name)(vt.asarray(a), vt.asarray(b)))
    np.testing.assert_allclose(got, expected, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", [0, 1, 2, 0.5, -1, 3, 1j, 2 + 1j])
def test_powers_of_special_values_give_numpys(exponent: complex, dtype: Any) -> None:
    z = np.empty(len(SPECIAL) ** 2, dtype)
    z.real, z.imag = np.array(list(itertools.product(SPECIAL, SPECIAL))).T
    if exponent not in (0, 1, 2):  # C leaves those of infinities and NaN open
        z = z[np.isfinite(z)]
    with np.errstate(all="ignore"):
        b = np.full(z.shape, exponent, dtype)
        expected = np.power(z.astype(np.complex128), b)
        got = np.asarray(vt.pow(vt.asarray(z), vt.asarray(b)))
        near = np.abs(got - expected) <= np.abs(expected) * 100 * np.finfo(dtype).eps
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    alike = near | ~np.isfinite(expected)
    assert alike.all(), (z[~alike], got[~alike], expected[~alike])


@pytest.mark.parametrize("dtype", DTYPES)
def test_quotients_and_signs_of_the_largest_and_smallest_numbers_are_right(dtype: Any) -> None:
    top, least = float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)
    z = np.array([complex(top, top), complex(least, -least), complex(-top, least)], dtype)
    t = vt.asarray(z)
    np.testing.assert_array_equal(np.asarray(t / t), [1, 1, 1])
    np.testing.assert_allclose(abs(np.asarray(vt.sign(t))), [1, 1, 1], rtol=1e-6)
    small = np.asarray(vt.reciprocal(t))[0] * np.finfo(dtype).max
    np.testing.assert_allclose(small, 0.5 - 0.5j, rtol=1e-6)


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


def test_vecdot_conjugates_its_first_operand() -> None:
    a = np.array([[1 + 2j, 3j], [4, 5 - 1j]], np.complex64)
    b = np.array([2 - 1j, 1 + 1j], np.complex64)
    for x, y in ((a, b), (b, a), (a.real, b), (b, a.real)):
        got = vt.vecdot(vt.asarray(x), vt.asarray(y))
        np.testing.assert_allclose(np.asarray(got), (x.conj() * y).sum(-1), rtol=1e-6)


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
