"""Every elementwise op of the table x every dtype it takes x layouts x sizes, against NumPy."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vktensor as vt
from oracle import (
    DTYPES,
    FLOATS,
    INTEGERS,
    LAYOUTS,
    SIGNED,
    SIZES,
    UNSIGNED,
    all_values,
    assert_same_bits,
    assert_ulp,
    make,
    numpy_dtype,
    random_bits,
    random_values,
    special_pairs,
    special_values,
)

OPS = {row["name"]: row for row in vt.ops() if row["kind"] in ("unary", "binary", "ternary")}


# ---- What an op should give ----------------------------------------------------------------------


def from_libm(name: str) -> Callable[[Any], Any]:
    """A function that NumPy lacks, from C's in long double, rounded to float64."""
    function = getattr(ctypes.CDLL(None), name)
    function.argtypes, function.restype = [ctypes.c_longdouble], ctypes.c_longdouble
    return np.vectorize(function, otypes=[np.float64])


def with_signed_zeros(function: Any, lower: bool) -> Callable[[Any, Any], Any]:
    """NumPy leaves open which zero is the smaller; ours is -0, as IEEE 754-2019 recommends."""

    def call(x: Any, y: Any) -> Any:
        result = function(x, y)
        if result.dtype.kind != "f":
            return result
        either = np.logical_or if lower else np.logical_and
        zero = np.where(either(np.signbit(x), np.signbit(y)), -0.0, 0.0)
        return np.where((x == 0) & (y == 0), zero, result)

    return call


minimum, maximum = with_signed_zeros(np.minimum, True), with_signed_zeros(np.maximum, False)


def floor_divide(x: Any, y: Any) -> Any:
    """The standard's answer where one operand is infinite; NumPy gives NaN and -1."""
    if x.dtype.kind != "f":
        return np.floor_divide(x, y)
    return np.where(np.isinf(x) != np.isinf(y), x / y, np.floor_divide(x, y))


# NumPy's name where it differs from ours, or a function where NumPy has none or decides otherwise.
REFERENCE: dict[str, Any] = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "bitwise_invert": np.invert,
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "clip": lambda x, low, high: minimum(maximum(x, low), high),
    "erf": from_libm("erfl"),
    "erfc": from_libm("erfcl"),
    "floor_divide": floor_divide,
    "fmax": with_signed_zeros(np.fmax, False),
    "fmin": with_signed_zeros(np.fmin, True),
    "lgamma": from_libm("lgammal"),
    "maximum": maximum,
    "minimum": minimum,
    # C gives the second of two equal operands; NumPy does too, but for float16.
    "nextafter": lambda x, y: np.where(x == y, y, np.nextafter(x, y)),
    "pow": np.power,
    "reciprocal": lambda x: 1 / x,
    "round": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
}
# In the dtype itself: an answer in a wider one is another answer.
IN_DTYPE = ("copysign", "nextafter")
# NumPy defines the result by the steps of its float32 and float64 code.
IN_REGISTER = ("floor_divide",)
# The reference is rounded to float64.
IN_FLOAT64 = ("erf", "erfc", "lgamma")
# Where such a function is 0, the error is one of the terms that cancel, or of the argument: what is
# less than this is measured in ULP of this.
NEAR_ZERO = {"lgamma": 1.0, "logaddexp": 1.0}


def takes(row: dict[str, Any], dtype: str) -> bool:
    kind = "uint" if dtype in UNSIGNED else "int" if dtype in SIGNED else "float"
    return ("bool" if dtype == "bool" else kind) in row["takes"]


# (op, dtype) for each dtype the op takes.
CASES = [(name, dtype) for name, row in OPS.items() for dtype in DTYPES if takes(row, dtype)]


def arity(name: str) -> int:
    return {"unary": 1, "binary": 2, "ternary": 3}[OPS[name]["kind"]]


def compute_dtype(name: str, dtype: str) -> str:
    return dtype if dtype in FLOATS or OPS[name]["result"] != "float" else "float32"


def result_dtype(name: str, dtype: str) -> str:
    return "bool" if OPS[name]["result"] == "bool" else compute_dtype(name, dtype)


def reference(name: str, arrays: list[np.ndarray], dtype: str) -> np.ndarray:
    """NumPy's answer: in a wider type for floats, in the dtype itself otherwise."""
    function = REFERENCE.get(name) or getattr(np, name)
    compute = compute_dtype(name, dtype)
    wide = compute
    if compute in FLOATS and name not in IN_DTYPE:
        wide = "longdouble" if compute == "float64" else "float64"
        wide = "float64" if name in IN_FLOAT64 else wide
        if name in IN_REGISTER:
            wide = "float64" if compute == "float64" else "float32"
    first = 1 if name == "where" else 0
    with np.errstate(all="ignore"):
        taken = [a.astype(numpy_dtype(compute)).astype(numpy_dtype(wide)) for a in arrays[first:]]
        return function(*arrays[:first], *taken)


def bound(name: str, dtype: str) -> float:
    """ULP allowed: the table's for float32 and float64, one where float32 is rounded once more."""
    ulp = OPS[name]["ulp"]
    if dtype in ("float16", "bfloat16"):
        return 0.5 if ulp == 0 else 1.0
    return max(0.5, ulp + (0.5 if name in IN_FLOAT64 and dtype == "float64" else 0))


def check(name: str, dtype: str, arrays: list[np.ndarray]) -> None:
    got = getattr(vt, name)(*(vt.asarray(a) for a in arrays))
    assert got.dtype == numpy_dtype(result_dtype(name, dtype))
    expected, what = reference(name, arrays, dtype), f"{name} {dtype}"
    assert_ulp(got, expected, bound(name, got.dtype.name), what, NEAR_ZERO.get(name, 0.0))


# ---- Values --------------------------------------------------------------------------------------


def operands(name: str, dtype: str, shape: tuple[int, ...], seed: int) -> list[np.ndarray]:
    """Random operands in the op's domain."""
    row = OPS[name]
    rng = np.random.default_rng([seed, len(name)])
    found = [random_values(rng, dtype, shape, row["low"], row["high"]) for _ in range(arity(name))]
    if name == "where":
        found[0] = random_values(rng, "bool", shape, 0, 1)
    if name == "pow" and dtype in INTEGERS:
        found[1] = random_values(rng, dtype, shape, 0, 7)
    if name == "pow" and dtype in FLOATS:
        found[0] = np.abs(found[0])
    return found


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_op_equals_numpy_on_its_domain(name, dtype):
    check(name, dtype, operands(name, dtype, (3000,), 1))


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_special_values_equal_numpy(name, dtype):
    if arity(name) == 1:
        arrays = [special_values(dtype)]
    else:
        first, second = special_pairs(dtype)
        arrays = [first, second]
        if arity(name) == 3:
            third = np.roll(second, 3)
            with np.errstate(invalid="ignore"):  # ml_dtypes warns of NaN
                low, high = np.minimum(second, third), np.maximum(second, third)
            choice = np.arange(first.size) % 2 == 0
            arrays = [choice, first, second] if name == "where" else [first, low, high]
    if name == "pow" and dtype in INTEGERS:
        keep = arrays[1] >= 0
        arrays = [a[keep] for a in arrays]
    check(name, dtype, arrays)


UNARY = [(name, dtype) for name, dtype in CASES if arity(name) == 1]


@pytest.mark.parametrize(
    ("name", "dtype"), [c for c in UNARY if c[1] in ("int8", "uint8", "float16", "bfloat16")]
)
def test_every_value_of_a_narrow_dtype_equals_numpy(name, dtype):
    check(name, dtype, [all_values(dtype)])


@pytest.mark.parametrize(("name", "dtype"), [c for c in UNARY if c[1] in ("float32", "float64")])
def test_every_exponent_equals_numpy(name, dtype):
    check(name, dtype, [random_bits(np.random.default_rng(5), dtype, 1 << 14)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lgamma_beside_its_poles_and_zeros_equals_libm(dtype):
    rng = np.random.default_rng(6)
    distance = np.exp2(rng.uniform(-50, -1, 1 << 14)) * rng.choice([-1, 1], 1 << 14)
    check("lgamma", dtype, [(distance - rng.integers(-3, 30, 1 << 14)).astype(dtype)])


# ---- Layouts and sizes ---------------------------------------------------------------------------

# With LAYOUTS all four kinds of kernels: dims that do not merge, two wider than half a tile.
SHAPE = (33, 3, 2, 35)
# What is computed in one register differs by loads and stores only, an op that converts to float32
# by loads only.
INTEGER_REGISTERS = [
    *(["bool"], ["int8", "int16", "int32"], ["int64"], ["uint8", "uint16", "uint32"], ["uint64"])
]
FLOAT_REGISTERS = [["float16", "bfloat16", "float32"], ["float64"]]
CONVERTED = [sum(INTEGER_REGISTERS, [])]


def one_of_each_register() -> list[tuple[str, str]]:
    """(op, dtype) with one dtype of each register, another one for the next op."""
    found = []
    for i, (name, row) in enumerate(OPS.items()):
        groups = CONVERTED if row["result"] == "float" else INTEGER_REGISTERS
        for group in [*groups, *FLOAT_REGISTERS]:
            taken = [dtype for dtype in group if takes(row, dtype)]
            found += [(name, taken[i % len(taken)])] if taken else []
    return found


@pytest.mark.parametrize(("name", "dtype"), one_of_each_register())
def test_every_layout_gives_the_bits_of_the_contiguous_one(name, dtype):
    for layout in LAYOUTS:
        plain, views = [], []
        for i in range(arity(name)):
            low, high = OPS[name]["low"], OPS[name]["high"]
            kind = "bool" if name == "where" and i == 0 else dtype
            low = 0 if name == "pow" and dtype in INTEGERS else low
            other = LAYOUTS[(LAYOUTS.index(layout) + i) % len(LAYOUTS)]
            base, view = make(kind, SHAPE, other, i, low, high)
            plain.append(vt.asarray(np.ascontiguousarray(view(base))))
            views.append(view(vt.asarray(base)))
        op = getattr(vt, name)
        assert_same_bits(op(*views), op(*plain), f"{name} {dtype} {layout}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_layouts_reach_every_kind_of_kernel(dtype):
    reached = set()
    for layout in LAYOUTS:
        base, view = make(dtype, SHAPE, layout)
        with vt.profile() as profile:
            vt.eval(vt.isfinite(view(vt.asarray(base))))
        reached |= {dispatch.name.partition("_")[0] for dispatch in profile.dispatches}
    assert reached == {"flat", "rows", "general", "tiles"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_every_size_around_an_edge(n, dtype):
    base, view = make(dtype, (n,), "offset", 3, 0, 1)
    x, a = vt.asarray(base), base
    got = vt.where(view(x) == 0, vt.astype(view(x), vt.int32), 7)
    np.testing.assert_array_equal(np.asarray(got), np.where(view(a) == 0, view(a), 7).astype("i4"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_scalars_take_the_dtype_beside_them(dtype):
    a = np.array([0, 1, 1, 0]).astype(numpy_dtype(dtype))
    x = vt.asarray(a)
    if dtype == "bool":
        assert (x & True).dtype == np.bool_
        return
    for got in (x + 1, 1 + x, x * 2, x - 0, vt.maximum(x, 1)):
        assert got.dtype == a.dtype
    assert (x + 1.5).dtype == (a.dtype if dtype in FLOATS else np.float32)
    assert (x + True).dtype == a.dtype


def test_a_scalar_that_does_not_fit_is_refused():
    x = vt.asarray(np.zeros(3, np.int8))
    for value in (128, -129, 2**70):
        with pytest.raises((ValueError, OverflowError), match="add|int"):
            x + value
    assert (x + 127).tolist() == [127] * 3


# ---- Casts ---------------------------------------------------------------------------------------


def as_x86(value: Any, target: str) -> int:
    """The integer a float becomes by our rule, total, and what x86-64 does."""
    info = np.iinfo(target)
    wide = 32 if info.bits <= 16 or target == "int32" else 64
    lowest = -(1 << (wide - 1))
    number = lowest if not math.isfinite(value) else math.trunc(value)
    if target == "uint64" and value >= 2.0**63:
        number = number if value < 2.0**64 else 0
    elif not lowest <= number < -lowest:
        number = lowest
    wrapped = number & ((1 << info.bits) - 1)
    return wrapped - (1 << info.bits) if wrapped > info.max else wrapped


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_casts_of_special_values_equal_numpy(source, target):
    a = special_values(source)
    if source in FLOATS:
        edges = np.array([2.0**n + d for n in (7, 8, 15, 16, 31, 32, 63, 64) for d in (-1, 0, 1)])
        with np.errstate(over="ignore"):
            a = np.concatenate([a, edges.astype(a.dtype), -edges.astype(a.dtype)])
    got = np.asarray(vt.astype(vt.asarray(a), numpy_dtype(target)))
    assert got.dtype == numpy_dtype(target)
    if source in FLOATS and target in INTEGERS:
        # NumPy's results out of range differ between its vector and scalar loops.
        assert got.tolist() == [as_x86(float(x), target) for x in a]
    else:
        with np.errstate(all="ignore"):
            assert_ulp(got, a.astype(numpy_dtype(target)), 0)
