"""Every elementwise op of the table x every dtype it takes x layouts x sizes, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import vktensor as vt
from oracle import (
    DTYPES,
    FLOATS,
    INTEGERS,
    LAYOUTS,
    SIZES,
    all_values,
    assert_same_bits,
    make,
    numpy_dtype,
    random_values,
)
from vktensor.accuracy import reference, special
from vktensor.accuracy.special import takes

OPS = {r["name"]: r for r in reference.rows() if r["kind"] in ("unary", "binary", "ternary")}


# ---- What an op should give ----------------------------------------------------------------------


# (op, dtype) for each dtype the op takes.
CASES = [(name, dtype) for name, row in OPS.items() for dtype in DTYPES if takes(row, dtype)]


def arity(name: str) -> int:
    return {"unary": 1, "binary": 2, "ternary": 3}[OPS[name]["kind"]]


def check(name: str, dtype: str, arrays: list[np.ndarray]) -> None:
    """The op's result has its dtype and is right: exact, or within the op's bound."""
    row = OPS[name]
    got = np.asarray(getattr(vt, name)(*(vt.asarray(a) for a in arrays)))
    assert got.dtype == numpy_dtype(special.result_dtype(row, dtype))
    right = special.right_results(row, dtype, arrays, got)
    assert right.all(), special.describe(row, dtype, arrays, got, int(np.argmin(right)))


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


UNARY = [(name, dtype) for name, dtype in CASES if arity(name) == 1]


@pytest.mark.parametrize(("name", "dtype"), [c for c in UNARY if c[1] in ("int8", "uint8")])
def test_every_value_of_a_narrow_integer_equals_numpy(name, dtype):
    check(name, dtype, [all_values(dtype)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_round_arguments_give_the_nearest_numbers(dtype):
    cases = [("asin", 1.0, np.pi / 2), ("asin", -1.0, -np.pi / 2), ("acos", -1.0, np.pi)]
    cases += [("acos", 0.0, np.pi / 2), ("atan", np.inf, np.pi / 2), ("acos", 1.0, 0.0)]
    cases += [("exp2", 10.0, 1024.0), ("log2", 1024.0, 10.0), ("log10", 1000.0, 3.0)]
    cases += [("cbrt", -27.0, -3.0), ("cos", 0.0, 1.0), ("erfc", 0.0, 1.0), ("acosh", 1.0, 0.0)]
    cases += [("lgamma", 1.0, 0.0), ("lgamma", 2.0, 0.0), ("rsqrt", 16.0, 0.25)]
    for name, x, expected in cases:
        got = np.asarray(getattr(vt, name)(vt.asarray(np.array([x], dtype))))
        np.testing.assert_array_equal(got, np.array([expected], dtype), name)


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


def test_negative_integer_powers_are_zero_but_for_one():
    x, y = np.array([2, 1, -1, -1, 0]), np.array([-1, -2, -3, -4, -5])
    for dtype in ("int64", "int32", "int8"):
        for other in ("int64", "int32", "int8"):
            got = vt.asarray(x.astype(dtype)) ** vt.asarray(y.astype(other))
            np.testing.assert_array_equal(np.asarray(got), [0, 1, -1, 1, 0])


MIXED = [("int64", "int32"), ("int64", "int8"), ("int16", "int64"), ("int32", "uint8")]
MIXED += [("int8", "uint16"), ("uint64", "uint8"), ("uint32", "int64")]


@pytest.mark.parametrize("pair", MIXED, ids=" ".join)
@pytest.mark.parametrize("name", [n for n in OPS if "int" in OPS[n]["takes"] and arity(n) == 2])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_integers_of_two_dtypes_are_converted_before_the_op(name, pair):
    if OPS[name]["result"] == "float":
        return  # computed in a float dtype
    x, y = (special.special_values(dtype) for dtype in pair)
    if name == "pow":
        y = y[y >= 0]  # NumPy refuses the others
    promoted = np.result_type(*pair)
    wide = x.astype(promoted)[:, None], y.astype(promoted)[None]
    got = getattr(vt, name)(vt.asarray(x)[:, None], vt.asarray(y)[None])
    check(name, promoted.name, [np.broadcast_to(a, got.shape).copy() for a in wide])
    apart = getattr(vt, name)(*(vt.asarray(a) for a in wide))
    np.testing.assert_array_equal(np.asarray(got), np.asarray(apart))


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
