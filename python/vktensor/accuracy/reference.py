"""What a function should give, computed far more exactly than the result, and errors in ULP.

Results up to float32 are compared with float64 of NumPy, float64 with C's long double, where that
has the 64-bit mantissa of x86. Both are themselves compared with mpmath (`reference_error`).
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

import vktensor as vt
from vktensor._core import Device
from vktensor.accuracy.memory import remembered

Array = NDArray[Any]

FLOATS = ("float32", "float64", "float16", "bfloat16")
#: Where such a function is 0 the error is one of the terms that cancel, or of the argument: what is
#: less than this is measured in ULP of this.
NEAR_ZERO = {"lgamma": 0.125, "logaddexp": 1.0, "logaddexp2": 1.0}
#: Bits with which the references are checked: enough for the terms that cancel in lgamma.
PRECISION = 400


#: Rows as those of the op table for functions that are put together of several ops.
COMPOSITIONS: tuple[dict[str, Any], ...] = tuple(
    {
        **{"name": name, "kind": kind, "takes": takes, "result": result, "ulp": float(ulp)},
        **{"facts": [] if ulp else ["exact"], "low": -1000.0, "high": 1000.0},
    }
    for name, kind, takes, result, ulp in (
        ("deg2rad", "unary", ["bool", "int", "uint", "float"], "float", 1),
        ("rad2deg", "unary", ["bool", "int", "uint", "float"], "float", 1),
        ("fabs", "unary", ["bool", "int", "uint", "float"], "float", 0),
        ("spacing", "unary", ["bool", "int", "uint", "float"], "float", 0),
        ("nan_to_num", "unary", ["bool", "int", "uint", "float"], "same", 0),
        ("isposinf", "unary", ["bool", "int", "uint", "float"], "bool", 0),
        ("isneginf", "unary", ["bool", "int", "uint", "float"], "bool", 0),
        ("heaviside", "binary", ["bool", "int", "uint", "float"], "float", 0),
    )
)


@remembered
def rows() -> tuple[dict[str, Any], ...]:
    """The rows of the op table, and of the functions put together of ops."""
    return (*vt.ops(), *COMPOSITIONS)


def numpy_dtype(name: Any) -> np.dtype[Any]:
    """The NumPy dtype of this name; ml_dtypes' for bfloat16."""
    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16 if str(name) == "bfloat16" else name)
    return dtype


def float_info(dtype: Any) -> Any:
    """ml_dtypes' finfo, which knows every floating type there is."""
    return ml_dtypes.finfo(numpy_dtype(dtype))  # type: ignore[no-untyped-call]


def bound(name: str, dtype: str) -> float:
    """The error in ULP that the op table promises; half types are rounded once more."""
    return 1.0 if numpy_dtype(dtype).itemsize == 2 else _bounds()[name]


@remembered
def _bounds() -> dict[str, float]:
    return {row["name"]: row["ulp"] for row in rows()}


def can_hold(device: Device, dtype: str) -> bool:
    """Whether the device has tensors of this dtype."""
    features, nbytes = device.features, numpy_dtype(dtype).itemsize
    if dtype == "float64":
        return features["float64"]
    return nbytes > 2 or features["storage8" if nbytes == 1 else "storage16"]


def has_long_double() -> bool:
    """Whether C's long double can judge float64: it has at least 10 more bits."""
    return bool(np.finfo(np.longdouble).nmant >= 62)


# ---- Errors --------------------------------------------------------------------------------------


@remembered
def _units(dtype: str, kind: str) -> Array:
    """ULP of `dtype` for each of the 2048 exponent fields of a float64, as `kind`."""
    info = float_info(dtype)
    exponent = np.clip(np.arange(2048) - 1023, info.minexp, info.maxexp - 1)
    units: Array = np.ldexp(np.dtype(kind).type(1), exponent - info.nmant)
    return units


def ulp_of(exact: Any, dtype: Any) -> Array:
    """The distance of `dtype`'s numbers around each finite `exact` (float64 or longdouble)."""
    magnitude = np.abs(np.asarray(exact))
    if magnitude.dtype != np.longdouble:
        magnitude = magnitude.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        field = magnitude.astype(np.float64)
    # Toward zero, so that 1 - 2^-60 is in the binade below 1.
    words = field.view(np.int64) - (field > magnitude)
    units: Array = _units(numpy_dtype(dtype).name, magnitude.dtype.char)[words >> 52]
    return units


def ulp_errors(got: Any, exact: Any, dtype: Any, least: Any = 0.0) -> Array:
    """Per element: |got - exact| in ULP of `dtype` at the larger of |exact| and `least`.

    `exact` is a float64 or longdouble array. Infinite where NaN meets a number, where zeros (or,
    without `least`, a result rounded to zero) differ in sign, and where only `exact` is infinite.
    Beyond the largest number everything, infinity too, counts as the power of two after it: what
    rounds to infinity has to overflow, next to that either neighbour is within one ULP.
    """
    want = np.asarray(exact)
    kind = np.longdouble if want.dtype == np.longdouble else np.float64
    with np.errstate(invalid="ignore"):  # a signalling NaN
        want, have = want.astype(kind), np.asarray(got).astype(kind)
    if have.shape != want.shape:
        raise AssertionError(f"expected shape {want.shape}, got {have.shape}")
    if want.size == 0:
        return np.zeros(want.shape)
    # float64 has no 2^1024, and needs none: it is compared in longdouble.
    with np.errstate(over="ignore"):
        limit = np.ldexp(kind(1), float_info(dtype).maxexp)
    limit = limit if np.isfinite(limit) else np.finfo(kind).max
    finite = np.isfinite(want)
    want_number = np.clip(np.where(finite, want, 0), -limit, limit)
    have_number = np.clip(np.where(np.isnan(have) | ~finite, 0, have), -limit, limit)
    unit = ulp_of(np.maximum(np.abs(want_number), np.asarray(least, kind)), dtype)
    agree = np.where(finite, ~np.isnan(have), (have == want) | (np.isnan(have) & np.isnan(want)))
    zero = finite & (have == 0) & (np.signbit(have) != np.signbit(want))
    zero &= (want == 0) | (np.asarray(least) == 0)
    with np.errstate(over="ignore"):  # an error beyond float64 is infinite
        errors = (np.abs(have_number - want_number) / unit).astype(np.float64)
    return np.where(agree & ~zero, errors, np.inf)


# ---- Functions -----------------------------------------------------------------------------------


@remembered
def from_libm(name: str) -> Callable[[Any], Any]:
    """A NumPy ufunc of long double made of a function of C's library that NumPy lacks.

    As an extension would by PyUFunc_FromFuncAndData(PyUFunc_g_g), entries 1 and 7 of NumPy's table
    of functions, which are part of its stable binary interface.
    """
    umath = np._core._multiarray_umath  # type: ignore[attr-defined]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = ctypes.cast(pointer(umath._UFUNC_API, None), ctypes.POINTER(ctypes.c_void_p))
    text, number = ctypes.c_char_p, ctypes.c_int
    create = ctypes.PYFUNCTYPE(
        *(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
        *(number, number, number, number, text, text, number),
    )(table[1])
    function = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p)
    loops = (ctypes.c_void_p * 1)(table[7])
    data = (ctypes.c_void_p * 1)(function.value)
    types = (ctypes.c_ubyte * 2)(*[np.dtype(np.longdouble).num] * 2)
    ufunc = create(loops, data, types, 1, 1, 1, -1, name.encode(), b"", 0)
    _alive.append((loops, data, types, ufunc))  # NumPy refers to them
    return ufunc  # type: ignore[no-any-return]


_alive: list[Any] = []


def _libm(name: str) -> Callable[[Any], Any]:
    """As `from_libm`, in the dtype of the argument."""

    def call(x: Array) -> Array:
        found: Array = from_libm(name)(x.astype(np.longdouble)).astype(x.dtype)
        return found

    return call


def _sinc(x: Array) -> Array:
    """sin(pi x) / (pi x) with the nearest whole number taken from x before."""
    pi, n = x.dtype.type("3.14159265358979323846264338327950288"), np.rint(x)
    turns = np.where(np.rint(n / 2) * 2 == n, 1, -1) * np.sin(pi * (x - n))
    whole = np.where(x == 0, 1, 0).astype(x.dtype)
    found: Array = np.where((x == n) & np.isfinite(x), whole, turns / (pi * x))
    return np.where(np.abs(x) < 1e-12, x.dtype.type(1), found)


#: NumPy's name where it differs from ours, or a function where NumPy has none.
NUMPY: dict[str, Callable[..., Any]] = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "erf": _libm("erfl"),
    "erfc": _libm("erfcl"),
    "lgamma": _libm("lgammal"),
    "pow": np.power,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sinc": _sinc,
}


def wide_dtype(dtype: str) -> type[np.floating[Any]]:
    """In what the reference for a result of `dtype` is computed."""
    return np.longdouble if dtype == "float64" else np.float64


def evaluate(name: str, arrays: Sequence[Array], dtype: str) -> Array:
    """The reference: `name` of arrays of `dtype`, in `wide_dtype(dtype)`."""
    function = NUMPY.get(name) or getattr(np, name)
    with np.errstate(all="ignore"):
        # Once 1: NumPy's conversion of float16 leaves signalling NaN signalling.
        wide = [a.astype(wide_dtype(dtype)) * 1 for a in arrays]
        return function(*wide)  # type: ignore[no-any-return]


# ---- The reference's own error -------------------------------------------------------------------


def _exact_lgamma(mp: Any, x: Any) -> Any:
    if x > 0:
        return mp.loggamma(x)
    return mp.log(mp.pi / abs(mp.sinpi(x))) - mp.loggamma(1 - x)


def _exact_logaddexp(mp: Any, x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def exact_functions() -> dict[str, Callable[..., Any]]:
    """mpmath's functions by our names; at the precision of `mpmath.mp`."""
    import mpmath

    mp: Any = mpmath.mp
    names = "acos acosh asin asinh atan atan2 atanh cos cosh erf erfc exp expm1 hypot log log10"
    found = {name: getattr(mp, name) for name in f"{names} log1p sin sinh sqrt tan tanh".split()}
    return found | {
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        "deg2rad": lambda x: x * mp.pi / 180,
        "divide": lambda x, y: x / y,
        "exp2": lambda x: mp.power(2, x),
        "lgamma": functools.partial(_exact_lgamma, mp),
        "log2": lambda x: mp.log(x) / mp.log(2),
        "logaddexp": functools.partial(_exact_logaddexp, mp),
        "logaddexp2": lambda x, y: max(x, y) + mp.log1p(mp.power(2, -abs(x - y))) / mp.log(2),
        "pow": mp.power,
        "reciprocal": lambda x: 1 / x,
        "rad2deg": lambda x: x * 180 / mp.pi,
        "rsqrt": lambda x: 1 / mp.sqrt(x),
        "sinc": lambda x: mp.sinpi(x) / (mp.pi * x) if x else mp.mpf(1),
    }


def as_mpf(value: Any) -> Any:
    """A float of any NumPy type, exactly."""
    import mpmath

    mantissa, exponent = np.frexp(value)
    high = float(mantissa)
    low = float(mantissa - type(mantissa)(high))
    return mpmath.ldexp(mpmath.mpf(high) + mpmath.mpf(low), int(exponent))


def exact_errors(name: str, arrays: Sequence[Array], values: Array, dtype: str) -> Array:
    """|value - mpmath's| in ULP of `dtype`, where the value is a finite number of that range; else
    0."""
    import mpmath

    function = exact_functions()[name]
    errors = np.zeros(len(values))
    largest = float(float_info(dtype).max)
    units = ulp_of(np.maximum(np.abs(np.where(np.isfinite(values), values, 0)), 0), dtype)
    least = ulp_of(np.array([NEAR_ZERO.get(name, 0.0)]), dtype)[0]
    with mpmath.workprec(PRECISION):
        for i, value in enumerate(values):
            operands = [float(a[i]) for a in arrays]
            if not np.all(np.isfinite([*operands, value])) or value == 0 or abs(value) > largest:
                continue
            exact = function(*(mpmath.mpf(x) for x in operands))
            errors[i] = abs(exact - as_mpf(value)) / as_mpf(max(units[i], least))
    return errors
