"""Every elementwise op of the table x every dtype it takes x layouts x sizes, against NumPy."""

from __future__ import annotations

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
    SIZES,
    assert_same_bits,
    assert_ulp,
    make,
    numpy_dtype,
    random_values,
    special_pairs,
    special_values,
)
from vktensor import _core

OPS = {row["name"]: row for row in vt.ops() if row["kind"] in ("unary", "binary", "ternary")}
SHAPE = (5, 7, 9)


def vectorised(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of Python floats for arrays; what overflows is infinite."""

    def safe(x: float) -> float:
        try:
            return function(float(x))
        except (OverflowError, ValueError):
            return math.inf

    return np.vectorize(safe, otypes=[np.float64])


# NumPy's name where it differs from ours, or a function where NumPy has none.
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
    "erf": vectorised(math.erf),
    "erfc": vectorised(math.erfc),
    "lgamma": vectorised(math.lgamma),
    "pow": np.power,
    "reciprocal": lambda x: 1 / x,
    "round": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
}
# Functions whose reference is only as precise as float64 itself.
IN_FLOAT64 = {"erf": 1, "erfc": 1, "lgamma": 2}


def cases() -> list[tuple[str, str]]:
    """(op, dtype) for each dtype the op takes as it is."""
    found = []
    for name, row in OPS.items():
        found += [(name, dtype) for dtype in DTYPES if takes(row, dtype)]
    return found


def takes(row: dict[str, Any], dtype: str) -> bool:
    kind = {"bool": "bool"}.get(dtype) or (
        "float" if dtype in FLOATS else "uint" if dtype[0] == "u" else "int"
    )
    return kind in row["takes"] and (dtype != "bool" or row["result"] != "float")


def arity(name: str) -> int:
    return {"unary": 1, "binary": 2, "ternary": 3}[OPS[name]["kind"]]


def call(name: str, args: list[Any]) -> vt.Tensor:
    return getattr(_core, name)(*args)


def reference(name: str, arrays: list[np.ndarray], dtype: str) -> np.ndarray:
    """NumPy's answer: in a wider type for floats, in the dtype itself otherwise."""
    function = REFERENCE.get(name) or getattr(np, name)
    with np.errstate(all="ignore"):
        if OPS[name]["result"] == "float" and dtype not in FLOATS:
            arrays = [a.astype(np.float32) for a in arrays]
            dtype = "float32"
        if dtype not in FLOATS or name in ("nextafter", "copysign"):
            return function(*arrays)
        wide = np.longdouble if dtype == "float64" and name not in IN_FLOAT64 else np.float64
        if name == "where":
            return function(arrays[0], *(a.astype(wide) for a in arrays[1:]))
        return function(*(a.astype(wide) for a in arrays))


def bound(name: str, dtype: str) -> float:
    """ULP allowed: the table's for float32 and float64, one where float32 is rounded once more."""
    ulp = OPS[name]["ulp"]
    if dtype in ("float16", "bfloat16"):
        return 0.5 if ulp == 0 else 1.0
    return max(0.5, ulp + (IN_FLOAT64.get(name, 0) if dtype == "float64" else 0))


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


def check(name: str, dtype: str, arrays: list[np.ndarray]) -> None:
    got = call(name, [vt.asarray(a) for a in arrays])
    expected = reference(name, arrays, dtype)
    if got.dtype == np.bool_ or got.dtype.name in INTEGERS:
        np.testing.assert_array_equal(np.asarray(got), np.asarray(expected), f"{name} {dtype}")
    else:
        assert_ulp(got, expected, bound(name, got.dtype.name), f"{name} {dtype}")


@pytest.mark.parametrize(("name", "dtype"), cases())
def test_op_equals_numpy_on_its_domain(name, dtype):
    check(name, dtype, operands(name, dtype, (3000,), 1))


# Where our special values are not NumPy's, and why.
DIFFERENT = {
    ("floor_divide", "float"): "NumPy's floor_divide of and by infinities is NaN-prone",
}


@pytest.mark.parametrize(("name", "dtype"), cases())
def test_special_values_equal_numpy(name, dtype):
    if arity(name) == 1:
        arrays = [special_values(dtype)]
    else:
        first, second = special_pairs(dtype)
        arrays = [first, second]
        if arity(name) == 3:
            third = np.roll(second, 3)
            arrays = (
                [np.arange(first.size) % 2 == 0, first, second]
                if name == "where"
                else [first, np.minimum(second, third), np.maximum(second, third)]
            )
    if name == "pow" and dtype in INTEGERS:
        keep = arrays[1] >= 0
        arrays = [a[keep] for a in arrays]
    check(name, dtype, arrays)


@pytest.mark.parametrize(("name", "dtype"), cases())
def test_every_layout_gives_the_bits_of_the_contiguous_one(name, dtype):
    for layout in LAYOUTS:
        plain, views = [], []
        for i in range(arity(name)):
            low, high = OPS[name]["low"], OPS[name]["high"]
            kind = "bool" if name == "where" and i == 0 else dtype
            low = 0 if name == "pow" and dtype in INTEGERS else low
            other = layout if i == 0 else LAYOUTS[(LAYOUTS.index(layout) + i) % len(LAYOUTS)]
            base, view = make(kind, SHAPE, other, i, low, high)
            plain.append(vt.asarray(np.ascontiguousarray(view(base))))
            views.append(view(vt.asarray(base)))
        assert_same_bits(call(name, views), call(name, plain), f"{name} {dtype} {layout}")


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


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_casts_of_special_values_equal_numpy(source, target):
    a = special_values(source)
    if source in FLOATS and target in INTEGERS:
        # NumPy's own result out of range differs between its vector and scalar loops.
        info = np.iinfo(target)
        with np.errstate(all="ignore"):
            wide = a.astype(np.longdouble)
            a = a[np.isfinite(wide) & (wide > float(info.min) - 1) & (wide < float(info.max))]
    with np.errstate(all="ignore"):
        expected = a.astype(numpy_dtype(target))
    got = np.asarray(vt.astype(vt.asarray(a), numpy_dtype(target)))
    np.testing.assert_array_equal(got, expected)
    if target in FLOATS:
        np.testing.assert_array_equal(np.signbit(got), np.signbit(expected))
