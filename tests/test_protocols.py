"""NumPy's own protocols: ufuncs, functions and methods of tensors, against NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import vktensor as vt
from vktensor import _functions, _ufuncs

A = np.arange(-6, 6, dtype=np.float32).reshape(3, 4) / 2
B = np.array([[1, 5, 2, 0], [3, 3, 1, 2], [4, 1, 7, 7]], np.int64)
N = np.where(A > 1, np.nan, A).astype(np.float32)
INF = np.array([np.inf, -np.inf, np.nan, 1.0], np.float32)
V = np.array([0, 1, 1, 3, 8], np.float32)
S = np.arange(16, dtype=np.float32).reshape(4, 4)
U = np.array([1, 200, 255, 0], np.uint8)
E = np.array([127, -128, 0, -1], np.int8)
R = np.array([15, 25, 149, 150, 151, -25, 2**52 + 50, 2**52 + 150], np.int64)
W = np.arange(300, dtype=np.int64)


def to_tensors(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return vt.asarray(value)
    if isinstance(value, (list, tuple)):
        return type(value)(to_tensors(x) for x in value)
    if isinstance(value, dict):
        return {name: to_tensors(x) for name, x in value.items()}
    return value


def agree(got: Any, expected: Any, what: str) -> None:
    """The same structure, shapes, kinds and, but for rounding, values; arrays stay tensors."""
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected), what
        for g, e in zip(got, expected, strict=True):
            agree(g, e, what)
        return
    if not isinstance(expected, (np.ndarray, np.generic)):
        assert got == expected, what
        return
    assert isinstance(got, vt.Tensor), f"{what}: expected a Tensor, got {type(got)}"
    assert got.shape == expected.shape, what
    # Integers and bool give float32 where NumPy gives float64.
    assert got.dtype == expected.dtype or got.dtype == np.float32, what
    tolerance = 1e-5 if got.dtype.kind == "f" else 0
    np.testing.assert_allclose(
        np.asarray(got), expected, rtol=tolerance, atol=tolerance, err_msg=what
    )


# ---- ufuncs -----------------------------------------------------------------------------------

UNARY = [
    *("absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "ceil"),
    *("conjugate", "cos", "cosh", "deg2rad", "degrees", "exp", "exp2", "expm1", "fabs", "floor"),
    *("isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "logical_not", "negative"),
    *("positive", "rad2deg", "radians", "reciprocal", "rint", "sign", "signbit", "sin", "sinh"),
    *("sqrt", "square", "tan", "tanh", "trunc", "frexp", "modf"),
]
BINARY = [
    *("add", "arctan2", "copysign", "divide", "divmod", "equal", "float_power", "floor_divide"),
    *("fmax", "fmin", "fmod", "greater", "greater_equal", "heaviside", "hypot", "less"),
    *("less_equal", "logaddexp", "logical_and", "logical_or", "logical_xor", "maximum", "minimum"),
    *("multiply", "nextafter", "not_equal", "power", "remainder", "subtract", "true_divide"),
    "logaddexp2",
]
BITS = ["bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", UNARY)
def test_unary_ufuncs_give_tensors_with_numpys_values(name):
    agree(getattr(np, name)(vt.asarray(A)), getattr(np, name)(A), name)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", BINARY)
def test_binary_ufuncs_take_tensors_arrays_and_scalars_on_either_side(name):
    ufunc, b = getattr(np, name), np.float32(2) - A
    for x, y in ((A, b), (A, b[:1]), (A, 2.0), (2.0, A)):
        expected = ufunc(x, y)
        agree(ufunc(to_tensors(x), to_tensors(y)), expected, name)
        if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
            agree(ufunc(vt.asarray(x), y), expected, name)
            agree(ufunc(x, vt.asarray(y)), expected, name)


@pytest.mark.parametrize("name", [*BITS, "invert"])
def test_bitwise_ufuncs_agree_with_numpy(name):
    ufunc = getattr(np, name)
    args = (B,) if name == "invert" else (B, B[:1])
    agree(ufunc(*to_tensors(args)), ufunc(*args), name)


def test_gufuncs_agree_with_numpy():
    agree(np.matmul(vt.asarray(A), vt.asarray(S)), A @ S, "matmul")
    if hasattr(np, "vecdot"):
        agree(np.vecdot(vt.asarray(A), A), np.vecdot(A, A), "vecdot")
        agree(np.vecdot(vt.asarray(A), A, axis=0), np.vecdot(A, A, axis=0), "vecdot")


@pytest.mark.parametrize("name", ["erf", "erfc", "expm1", "log1p", "exp2", "cbrt"])
def test_the_ufuncs_of_scipy_special_that_we_have_stay_tensors(name):
    x = np.abs(A) + np.float32(0.5)
    # The ufuncs themselves: scipy.special wraps them for array API libraries.
    ufunc = getattr(special._ufuncs, name)
    agree(ufunc(vt.asarray(x)), ufunc(x), name)


def test_operators_with_arrays_and_numpy_scalars_stay_tensors():
    x = vt.asarray(A)
    agree(A + x, A + A, "array + tensor")
    agree(np.float32(2) * x, 2 * A, "scalar * tensor")
    agree(A @ vt.asarray(S), A @ S, "array @ tensor")
    agree(x > A, np.zeros((3, 4), bool), "array < tensor")


def test_out_receives_the_result_where_where_says():
    x, mask = vt.asarray(A), A > 0
    for target in (vt.zeros((3, 4)), np.zeros((3, 4), np.float32)):
        assert np.add(x, 1, out=target) is target
        np.testing.assert_array_equal(np.asarray(target), A + 1)
        assert np.multiply(x, 2, out=(target,), where=mask) is target
        expected = np.multiply(A, 2, out=A + 1, where=mask)
        np.testing.assert_array_equal(np.asarray(target), expected)
    quotient, rest = vt.zeros((3, 4)), vt.zeros((3, 4))
    got = np.divmod(x, 2, out=(quotient, rest))
    assert got[0] is quotient and got[1] is rest
    agree(got, np.divmod(A, np.float32(2)), "divmod")
    array = A.copy()
    array += x
    np.testing.assert_array_equal(array, A + A)
    partly = np.sqrt(x, where=mask)
    np.testing.assert_array_equal(np.asarray(partly)[mask], np.sqrt(A[mask]))


def test_out_must_fit():
    x = vt.asarray(A)
    with pytest.raises(TypeError, match="does not fit"):
        np.add(x, 1, out=vt.zeros((3, 4), dtype=vt.int32))
    assert np.add(x, 1, out=vt.zeros((3, 4), dtype=vt.int32), casting="unsafe").dtype == np.int32
    with pytest.raises(ValueError, match="expected out of shape"):
        np.add(x, 1, out=vt.zeros((4, 3)))
    with pytest.raises(TypeError, match="unexpected arguments signature"):
        np.add(x, 1, signature="ff->f")


def test_dtype_says_what_a_ufunc_computes_in():
    expected = np.add(B, 1, dtype=np.int8, casting="unsafe")
    agree(np.add(vt.asarray(B), 1, dtype=np.int8), expected, "int8")
    agree(np.add(vt.asarray(A), A, dtype=np.float64), np.add(A, A, dtype=np.float64), "float64")


@pytest.mark.parametrize("name", list(_ufuncs._REDUCTIONS))
def test_ufunc_reduce_agrees_with_numpy(name):
    ufunc = getattr(np, name)
    for x in (A, B, B > 2, V):
        for axis in (0, -1, None):
            for keepdims in (False, True):
                expected = ufunc.reduce(x, axis=axis, keepdims=keepdims)
                got = ufunc.reduce(vt.asarray(x), axis=axis, keepdims=keepdims)
                agree(got, expected, f"{name}.reduce of {x.dtype} over {axis}")
    if name not in ("logical_and", "logical_or"):
        options = {"initial": 1.0, "where": A > 0}
        agree(ufunc.reduce(vt.asarray(A), **options), ufunc.reduce(A, **options), name)
    out = vt.zeros(4, dtype=vt.float64)
    assert ufunc.reduce(vt.asarray(A), axis=0, out=out) is out
    np.testing.assert_allclose(np.asarray(out), ufunc.reduce(A, axis=0), rtol=1e-6)


def test_reductions_with_where_and_no_identity_need_initial():
    with pytest.raises(ValueError, match="expected initial"):
        vt.asarray(A).max(where=A > 0)
    agree(np.maximum.reduce(vt.ones((0, 3)), initial=2.0), np.full(3, 2.0, np.float32), "empty")
    with pytest.raises(ValueError, match="at least one element"):
        vt.ones((0, 3)).max(axis=0)


def test_ufunc_accumulate_and_outer_agree_with_numpy():
    for ufunc in (np.add, np.multiply):
        agree(ufunc.accumulate(vt.asarray(B)), ufunc.accumulate(B), "accumulate")
        agree(ufunc.accumulate(vt.asarray(A), axis=1), ufunc.accumulate(A, axis=1), "accumulate")
        agree(ufunc.outer(vt.asarray(A), vt.asarray(V)), ufunc.outer(A, V), "outer")
        agree(ufunc.outer(A, vt.asarray(V)), ufunc.outer(A, V), "outer")


def test_ufunc_at_writes_through_basic_indices():
    for index in (1, slice(0, 2), (slice(None), -1), (Ellipsis, 2)):
        x, a = vt.asarray(A, copy=True), A.copy()
        np.add.at(x, index, 3)
        np.add.at(a, index, 3)
        agree(x, a, f"add.at {index}")
        np.negative.at(x, index)
        np.negative.at(a, index)
        agree(x, a, f"negative.at {index}")


def test_what_the_table_lacks_is_a_type_error_that_names_it():
    x = vt.asarray(A)
    for call, text in (
        (lambda: x.__array_ufunc__(np.isnat, "__call__", x), "isnat"),
        # Not through NumPy 2.4, which keeps a reference to the operand when these fail.
        (lambda: x.__array_ufunc__(np.hypot, "reduce", x), "hypot.reduce"),
        (lambda: x.__array_ufunc__(np.divide, "accumulate", x), "divide.accumulate"),
        (lambda: x.__array_ufunc__(np.hypot, "reduceat", x, [0, 1]), "hypot.reduceat"),
        (lambda: np.packbits(x > 0), "packbits"),
        (lambda: np.where(x > 0, x), "where"),
        (lambda: np.pad(x, 1, mode="mean"), "pad"),
    ):
        with pytest.raises(TypeError, match=text):
            call()


class Stranger:
    """Another array type, which knows better than we do."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> str:
        return "the stranger's"

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> str:
        return "the stranger's"


def test_other_array_types_are_left_to_themselves():
    x = vt.asarray(A)
    assert np.add(x, Stranger()) == "the stranger's"
    assert np.concatenate([x, Stranger()]) == "the stranger's"


# ---- functions --------------------------------------------------------------------------------

PAD_MODES = ("edge", "reflect", "symmetric", "wrap")

# name: calls, each the arguments and keywords.
CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "argwhere": [((A > 0,), {}), ((V,), {})],
    "compress": [(([True, False, True], A, 0), {}), ((V > 0, V), {}), (([0, 1, 0, 1, 1], A), {})],
    "extract": [((A > 0, A), {}), ((V < 0, V), {})],
    "flatnonzero": [((A > 0,), {}), ((B,), {})],
    "nonzero": [((A > 0,), {}), ((V,), {}), ((B - 1,), {})],
    "all": [((B,), {}), ((B, 1), {}), ((B > 0,), {"axis": 0, "where": B > 1})],
    "any": [((B,), {}), ((B > 9,), {"axis": 0, "keepdims": True})],
    "allclose": [((A, A + 1e-9), {}), ((A, A + 1), {}), ((N, N), {"equal_nan": True})],
    "append": [((A, V), {}), ((A, A), {"axis": 0}), ((B, [7, 8]), {}), (([7], V), {}),
               ((V, 2), {})],
    "argmax": [((A,), {}), ((B,), {"axis": 1}), ((B,), {"axis": 0, "keepdims": True})],
    "argmin": [((A,), {}), ((B,), {"axis": 1})],
    "argsort": [((A,), {}), ((B, 0, "stable"), {}), ((A, None), {})],
    "array_equal": [((A, A), {}), ((A, B), {}), ((A, V), {}), ((N, N), {"equal_nan": True})],
    "array_equiv": [((A, A[:1]), {}), ((A[:1] * 0, 0), {}), ((A, V), {})],
    "array_split": [((V, 3), {}), ((A, [1, 2]), {"axis": 1})],
    "atleast_1d": [((A,), {}), ((A, np.float32(2) * A[0, :1].reshape(())), {})],
    "atleast_2d": [((V,), {}), ((A,), {})],
    "atleast_3d": [((V,), {}), ((A,), {}), ((np.asarray(A[0, 0]),), {})],
    "average": [((A,), {}), ((A, 0), {"weights": V[:3]}), ((A,), {"weights": A + 4, "axis": 1}),
                ((A, 1), {"weights": [1, 2, 3, 4]}), (([1, 2, 3, 4, 5],), {"weights": V})],
    "broadcast_arrays": [((A, V[:4]), {}), (([1, 2, 3, 4], A), {})],
    "broadcast_to": [((V, (2, 5)), {})],
    "can_cast": [((A, np.float64), {}), ((A, np.int8), {})],
    "clip": [((A, -1, 1), {}), ((A, None, 0.5), {}), ((B, B[:1], 5), {}),
             ((A, [0, 1, 0, 1], 2), {}),
             ((U, -1, 300), {}), ((U, 2, 2**70), {})],
    "column_stack": [(([V, V],), {}), (([A, A],), {})],
    "concatenate": [(([A, A],), {"axis": 1}), (([A, B],), {"axis": None}), (((V, V, V),), {})],
    "copy": [((A,), {})],
    "count_nonzero": [((B,), {}), ((B,), {"axis": 1})],
    "cumprod": [((A,), {}), ((B,), {"axis": 1})],
    "cumulative_prod": [((V,), {}), ((A,), {"axis": 1, "include_initial": True})],
    "cumulative_sum": [((V,), {}), ((V[:1].reshape(()),), {}),
                       ((B,), {"axis": 0, "dtype": np.float64})],
    "cumsum": [((A,), {}), ((B,), {"axis": 0, "dtype": np.float64})],
    "diag": [((V,), {}), ((V,), {"k": -2}), ((A,), {"k": 1})],
    "diagonal": [((A,), {}), ((A, -1), {}), ((A.reshape(2, 3, 2), 0, 2, 1), {})],
    "diff": [((A,), {}), ((A, 2), {"axis": 0}), ((V,), {"prepend": 0, "append": V})],
    "dot": [((A, S), {}), ((V, V), {}), ((V, [1, 2, 3, 4, 5]), {}), ((A, 2.0), {}),
            ((A.reshape(3, 2, 2), S[:2]), {})],
    "dstack": [(([V, V],), {}), (([A, A],), {})],
    "dsplit": [((A.reshape(3, 2, 2), 2), {})],
    "einsum": [(("ij,j->i", A, [1, 2, 3, 4]), {}), ((A, [0, 1], A, [2, 1], [0, 2]), {}),
               ((A, [0, 1], A, [0, 1]), {}), ((A, [..., 0], [..., 0]), {}),
               (("ij,kj->ik", A, A), {}), (("ij->j", A), {"optimize": True, "dtype": np.float64})],
    "expand_dims": [((A, 1), {}), ((A, (0, -1)), {})],
    "flip": [((A,), {}), ((A, 1), {})],
    "fliplr": [((A,), {})],
    "flipud": [((A,), {})],
    "full_like": [((A, 7), {}), ((A, [1, 2, 3, 4]), {}), ((B, V[:4]), {"dtype": np.float32}),
                  ((A, 7), {"dtype": np.int8, "shape": (2,)})],
    "hsplit": [((A, 2), {}), ((V, [2]), {})],
    "hstack": [(([V, V],), {}), (([A, A],), {})],
    "imag": [((A,), {})],
    "inner": [((A, A), {}), ((V, V), {}), ((A, 3.0), {})],
    "isclose": [((B > 1, B > 2), {}), ((E, E), {}), ((E, E[::-1]), {"atol": 300}),
                ((B + 2**40, B + 2**40 + 1), {"rtol": 0}), ((A, A + 1e-9), {}),
                ((N, N), {"equal_nan": True}), ((A, A[::-1]), {})],
    "iscomplexobj": [((A,), {})],
    "isin": [((B, [1, 2]), {}), ((B, B[0]), {"invert": True})],
    "isrealobj": [((A,), {})],
    "kron": [((A, S), {}), ((V, A), {}), (([1, 2], V), {}), ((V, 3), {})],
    "matrix_transpose": [((A,), {})],
    "max": [((A,), {}), ((A > 0,), {"axis": 0, "initial": 0}),
            ((A[:0],), {"axis": 0, "initial": 1}), ((A[:, :0, None],), {"axis": 1, "initial": 1}),
            ((B, 0), {"keepdims": True}), ((B,), {"axis": 1, "initial": 4})],
    "mean": [((A,), {}), ((A, 0), {}), ((A,), {"dtype": np.float64}), ((A,), {"where": A > 0})],
    "meshgrid": [((V, A[0]), {}), ((V, [1, 2]), {}), ((V, A[0]), {"sparse": True}),
                 ((V,), {"sparse": True}),
                 ((V, V), {"indexing": "ij"})],
    "min": [((A,), {}), ((B, 0), {}), ((A,), {"where": A > 0, "initial": 9})],
    "moveaxis": [((A, 0, 1), {})],
    "nan_to_num": [((N,), {}), ((N,), {"nan": 5.0}), ((INF,), {"posinf": 1.0}), ((B,), {})],
    "nanargmax": [((N,), {}), ((N, 0), {}), ((B,), {"axis": 1, "keepdims": True})],
    "nanargmin": [((N,), {}), ((N,), {"axis": 0})],
    "nancumprod": [((N, 1), {})],
    "nancumsum": [((N, 1), {})],
    "nanmax": [((N * np.nan,), {"axis": 0, "initial": 3}), ((N[:0],), {"initial": 3}), ((N,), {}),
               ((N, 1), {}), ((B,), {"axis": 0})],
    "nanmean": [((N,), {}), ((N, 1), {}), ((B,), {"axis": 0})],
    "nanmin": [((N,), {}), ((N,), {"axis": 0, "keepdims": True})],
    "nanprod": [((N,), {"axis": 0})],
    "nanstd": [((N,), {"axis": 1}), ((N,), {"ddof": 1})],
    "nansum": [((N,), {}), ((N,), {"axis": 0}), ((B,), {"axis": 0})],
    "nanvar": [((N,), {"axis": 1}), ((N,), {})],
    "ndim": [((A,), {})],
    "ones_like": [((A,), {}), ((A,), {"dtype": np.int8}), ((A,), {"shape": 3})],
    "outer": [((V, V), {}), ((A, V), {})],
    "pad": [((A, 1), {}), ((A, ((1, 0), (0, 2))), {"constant_values": 3}), ((V, (2, 1)), {})]
    + [((x, 7, mode), {}) for x in (A, V[:1]) for mode in PAD_MODES],
    "prod": [((B,), {}), ((A, 1), {}), ((A,), {"where": A > 0})],
    "ptp": [((A,), {}), ((B, 1), {})],
    "ravel": [((A,), {}), ((A.T,), {}), ((A, "F"), {})],
    "real": [((A,), {})],
    "repeat": [((A, 2), {}), ((V, [1, 0, 2, 0, 1]), {}), ((A, 3), {"axis": 1})],
    "reshape": [((A, (2, 6)), {}), ((A, -1), {}), ((A, (4, 3)), {"order": "F"})],
    "result_type": [((A, np.float64), {}), ((B, np.int8), {})],
    "roll": [((A, 1), {}), ((A, (1, 2)), {"axis": 1}), ((V, (1, 2)), {}),
             ((A, (1, 2)), {"axis": (0, 1)})],
    "rot90": [((A, k), {}) for k in range(-1, 5)] + [((A, 1, (1, 0)), {})],
    "round": [((A,), {}), ((A * 1.234, 1), {}), ((B * 11, -1), {}), ((B * 123456789123, -3), {}),
              ((R, -1), {}), ((-R, -2), {}), ((R.astype(np.uint64) + 2**63, -3), {}), ((E, -1), {}),
              ((B, -30), {})],
    "searchsorted": [((V, 2.0), {}), ((V, A), {"side": "right"}), ((V, [1.0, 9.0]), {})],
    "shape": [((A,), {})],
    "sinc": [((A,), {})],
    "isposinf": [((INF,), {}), ((B,), {})],
    "isneginf": [((INF,), {}), ((B,), {})],
    "size": [((A,), {}), ((A, 1), {}), ((A, (0, 1)), {})],
    "sort": [((A,), {}), ((B, 0), {}), ((N,), {"axis": None}), ((A.T,), {"kind": "stable"})],
    "split": [((A, 2), {"axis": 1}), ((V, [1, 3]), {})],
    "squeeze": [((A[:1],), {}), ((A[:1], 0), {})],
    "stack": [(([A, A],), {}), (([A, A],), {"axis": -1})],
    "std": [((A,), {}), ((A, 0), {"ddof": 1}), ((A,), {"where": A > 0, "axis": 1, "ddof": 0})],
    "sum": [((A,), {}), ((B, 0), {}), ((B,), {"dtype": np.int8}), ((A,), {"where": A > 0})],
    "swapaxes": [((A, 0, 1), {}), ((A, 1, -1), {}), ((A.reshape(3, 2, 2), 0, -1), {})],
    "take": [((A, []), {}), ((W, U), {"mode": "wrap"}), ((W, E), {"mode": "clip"}),
             ((A, [5, -1]), {}), ((A, B[0] % 3, 0), {}), ((V, [7, -9]), {"mode": "wrap"}),
             ((V, [7, -9]), {"mode": "clip"})],
    "take_along_axis": [((A, B[0], None), {}), ((A, B % 3, 0), {}), ((A, B % 4), {"axis": 1})],
    "tensordot": [((A, S), {"axes": 1}), ((V, [1, 2, 3, 4, 5]), {"axes": 1}), ((A, A), {}),
                  ((A, A), {"axes": ([0], [0])}),
                  ((A, A), {"axes": (1, 1)})],
    "tile": [((A, 2), {}), ((V, (2, 2)), {})],
    "trace": [((A,), {}), ((S, 1), {}), ((B,), {"dtype": np.float64})],
    "transpose": [((A,), {}), ((A, (1, 0)), {}), ((A.reshape(3, 2, 2), (2, 0, 1)), {})],
    "tril": [((A,), {}), ((A, 1), {})],
    "triu": [((A,), {}), ((A,), {"k": -1})],
    "unique": [((B,), {}), ((N, True, True, True), {}), ((A,), {"return_counts": True})],
    "unique_all": [((B,), {})],
    "unique_counts": [((B,), {})],
    "unique_inverse": [((B,), {})],
    "unique_values": [((A,), {})],
    "unstack": [((A,), {}), ((A,), {"axis": 1})],
    "var": [((A,), {}), ((A, 1), {"ddof": 1}), ((B,), {}), ((A,), {"dtype": np.float64})],
    "vdot": [((A, A), {}), ((V, V), {}), (([1, 2, 3, 4, 5], V), {}), ((V, [1, 2, 3, 4, 5]), {})],
    "vsplit": [((A, 3), {})],
    "vstack": [(([V, V],), {}), (([A, A],), {})],
    "where": [((A > 0,), {}), ((A > 0, A, 0.0), {}), ((B, A, -A), {}),
              (([True, False] * 2, A, 0), {}),
              ((True, A, 0.0), {}), ((A > 0, [1, 2, 3, 4], A), {}), ((A > 0, [1, 2, 3, 4], 0), {})],
    "zeros_like": [((A,), {}), ((A,), {"dtype": np.int8, "shape": (2, 2)})],
}  # fmt: skip
# Their results are no values of NumPy's, or are tested below.
ELSEWHERE = {"array_repr", "array_str", "copyto", "empty_like"} | {
    *("place", "put", "put_along_axis", "putmask")
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CALLS)
def test_numpy_functions_of_tensors_agree_with_numpy(name):
    function: Callable[..., Any] | None = getattr(np, name, None)
    if function is None:  # of NumPy 2 only
        return
    for args, kwargs in CALLS[name]:
        expected = function(*args, **kwargs)
        agree(function(*to_tensors(args), **to_tensors(kwargs)), expected, f"{name}{args}{kwargs}")


def test_every_function_of_the_table_is_tested():
    import test_analysis  # takes its arrays from here

    names = {getattr(np, name): name for name in dir(np) if callable(getattr(np, name))}
    names |= {f: f"linalg.{name}" for name, f in vars(np.linalg).items() if callable(f)}
    table = {names[function] for function in _functions.table()}
    second = {alias for aliases in _functions._ALIASES.values() for alias in aliases}
    tested = set(CALLS) | ELSEWHERE | set(test_analysis.CALLS) | test_analysis.ELSEWHERE
    assert table - second - {"concat"} <= tested


def test_functions_that_write_agree_with_numpy():
    for name, args in (
        ("put", ([0, -1, 3], [7, 8])),
        ("put", ([14, -30], [7, 8, 9], "wrap")),
        ("put", ([14, -30], 9.0, "clip")),
        ("put_along_axis", (np.array([[1], [0], [-1]]), 5.0, 1)),
        ("put_along_axis", (np.array([[1, 1, 1, 0]]), np.array([[5.0], [6.0]])[:1], 0)),
        ("putmask", (A > 0, [1.0, 2.0, 3.0])),
        ("place", (A > 0, [1.0, 2.0, 3.0])),
    ):
        for step in (1, -1):
            x, a = vt.asarray(A, copy=True), A.copy()
            getattr(np, name)(a[:, ::step], *args)
            getattr(np, name)(x[:, ::step], *to_tensors(args))
            agree(x, a, f"{name}{args}")
    x, a = vt.asarray(A, copy=True), A.copy()
    for y in (x, a):
        np.put_along_axis(y, np.array([3, -1]), np.array([5.0, 6.0]), None)
    agree(x, a, "put_along_axis")
    x = vt.asarray(A, copy=True)
    for bad in (12, -13):
        with pytest.raises(IndexError):
            x.put([bad], 1)
    agree(x, A, "put")


def test_a_tensor_may_be_nothing_but_the_mask():
    mask = vt.asarray(A > 0)
    agree(np.add.reduce(A, axis=0, where=mask), np.add.reduce(A, axis=0, where=A > 0), "reduce")
    agree(A.sum(where=mask), A.sum(where=A > 0), "sum")
    target = np.zeros((3, 4), np.float32)
    np.copyto(target, 7, where=mask)
    np.testing.assert_array_equal(target, np.where(A > 0, 7, 0))
    x = vt.zeros((3, 4))
    np.copyto(x, 7)
    np.copyto(x, A[0], where=A > 0)
    np.testing.assert_array_equal(x.numpy(), np.where(A > 0, A[:1], 7))
    with pytest.raises(TypeError, match="copyto: a result of dtype float32 does not fit"):
        np.copyto(vt.asarray(B), 1.5)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("clip", (5, A, A + 9)),
        ("searchsorted", ([-1.0, 0.5, 2.0], A)),
        ("dot", ([1.0, 2.0, 3.0], A)),
        ("bincount", ([0, 1, 1, 3, 0], V)),
        ("digitize", ([0.5, 2.0], V)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_list_or_a_number_may_stand_before_the_tensor(name, args):
    agree(getattr(np, name)(*to_tensors(args)), getattr(np, name)(*args), name)


def test_ufuncs_broadcast_into_out():
    out, expected = vt.zeros((3, 4)), np.zeros((3, 4), np.float32)
    for args in ((A[0], 2.0), (1.0, 2.0), (np.float32(1), A[:, :1])):
        assert np.add(*args, out=out) is out
        agree(out, np.add(*args, out=expected), "add")
    with pytest.raises(ValueError, match=r"add: expected out of shape \(3, 4\), got \(4,\)"):
        np.add(vt.asarray(A), 1, out=out[0])


def test_what_numpy_refuses_is_refused():
    x, v = vt.asarray(A), vt.asarray(V)
    for call, error, text in (
        (lambda: np.rot90(x, axes=(0,)), ValueError, "rot90: expected two axes"),
        (lambda: np.rot90(x, axes=(1, -1)), ValueError, "rot90: repeated axis"),
        (lambda: np.rot90(x, axes=(0, 2)), ValueError, "rot90: axis 2 is out of bounds"),
        (lambda: np.vsplit(v, 1), ValueError, "vsplit: expected at least 2 dimensions, got 1"),
        (lambda: np.dsplit(x, 1), ValueError, "dsplit: expected at least 3 dimensions, got 2"),
        (lambda: np.hsplit(v[0], 1), ValueError, "hsplit: expected at least 1 dimension, got 0"),
        (lambda: np.split(v, 0), ValueError, "split: expected at least one section"),
        (lambda: np.moveaxis(x, None, 0), TypeError, "moveaxis: expected source to be integers"),
        (lambda: x.reshape(-1, order="Q"), ValueError, "reshape: expected order"),
        (lambda: np.place(x, x > 0, []), ValueError, "place: expected at least one value"),
        (
            lambda: np.concatenate([x, x], dtype=np.int8),
            TypeError,
            "concatenate: float32 to int8 is no same_kind cast",
        ),
    ):
        with pytest.raises(error, match=text):
            call()
    agree(np.concatenate([x], dtype=np.int8, casting="unsafe"), A.astype(np.int8), "concatenate")


def test_nan_positions_of_nothing_but_nan_are_refused():
    with pytest.raises(ValueError, match="nanargmax: a slice holds nothing but NaN"):
        np.nanargmax(vt.asarray(N * np.nan), axis=1)
    agree(np.transpose(vt.asarray(A), axes=(1, 0)), A.T, "transpose")


def test_functions_write_into_out():
    x = vt.asarray(A)
    for name, shape in (("sum", (4,)), ("mean", (4,)), ("max", (4,)), ("std", (4,))):
        out = vt.zeros(shape)
        assert getattr(np, name)(x, axis=0, out=out) is out
        agree(out, getattr(np, name)(A, axis=0), name)
    out = vt.zeros((6, 4))
    assert np.concatenate([x, x], out=out) is out
    agree(out, np.concatenate([A, A]), "concatenate")
    target = np.zeros((3, 4), np.float32)
    np.copyto(target, x, where=A > 0)
    np.testing.assert_array_equal(target, np.where(A > 0, A, 0))
    np.copyto(out[:3], 2 * A)
    agree(out[:3], 2 * A, "copyto")


def test_like_makes_tensors():
    x = vt.asarray(A)
    agree(np.asarray([1, 2], like=x), np.array([1, 2]), "asarray")
    agree(np.array(A, like=x), A, "array")
    for name, args in (("zeros", (3,)), ("ones", ((2, 2),)), ("eye", (3,)), ("full", (2, 1.5))):
        agree(getattr(np, name)(*args, like=x), getattr(np, name)(*args), name)
    for args in ((3,), (1, 3), (1, 7, 2, np.float64)):
        agree(np.arange(*args, like=x), np.arange(*args), "arange")
    assert np.empty((2, 3), like=x).shape == (2, 3)
    assert np.empty_like(x, dtype=np.int8).dtype == np.int8
    assert np.array_repr(x) == repr(x) and np.array_str(x) == str(x)


# ---- methods ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [name for name in _functions._METHODS if hasattr(A, name)])
def test_methods_agree_with_numpys(name):
    for args, kwargs in CALLS[name]:
        expected = getattr(args[0], name)(*args[1:], **kwargs)
        x, *rest = to_tensors(args)
        agree(getattr(x, name)(*rest, **to_tensors(kwargs)), expected, f"{name}{args}{kwargs}")


def test_methods_that_are_no_functions_agree_with_numpys():
    x, a = vt.asarray(A, copy=True), A.copy()
    agree(x.astype(np.int8), a.astype(np.int8), "astype")
    assert x.astype(np.float32, copy=False) is x
    with pytest.raises(TypeError, match="no safe cast"):
        x.astype(np.int8, casting="safe")
    agree(x.T.flatten(), a.T.flatten(), "flatten")
    agree(x.flatten("F"), a.flatten("F"), "flatten")
    agree(x.reshape(2, 6), a.reshape(2, 6), "reshape")
    agree(x.reshape(-1, order="F"), a.reshape(-1, order="F"), "reshape")
    agree(x.transpose(1, 0), a.transpose(1, 0), "transpose")
    agree(x.conjugate(), a.conjugate(), "conjugate")
    for y in (a, a > 0, B):
        agree(vt.asarray(y).real, y.real, "real")
        agree(vt.asarray(y).imag, y.imag, "imag")
    assert x.tobytes() == a.tobytes() and x.T.tobytes() == a.T.tobytes()
    assert x.tolist() == a.tolist() and x.item(3) == a.item(3)
    x.fill(7)
    agree(x, np.full_like(a, 7), "fill")
    agree(copy.copy(x), np.asarray(x), "copy")
    agree(x.diagonal()[:2], np.full(2, 7, np.float32), "diagonal")


def test_format_is_the_elements_or_the_tensors():
    assert f"{vt.asarray(1.5):.3f}" == "1.500"
    assert f"{vt.asarray(A)}" == str(A)
    with pytest.raises(TypeError, match="2 dimensions"):
        f"{vt.asarray(A):.3f}"
