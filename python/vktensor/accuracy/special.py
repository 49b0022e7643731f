"""Every op in every dtype on special values: NaN, infinities, zeros, the borders of each format.

The results are NumPy's to the last bit (NaN is NaN) where an op is exact, or where the exact result
is a number of the dtype; elsewhere they are within the op's bound, of NumPy's kind and sign. What
differs from NumPy on purpose is in EXCEPTIONS, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import vktensor as vt
from vktensor._core import Device
from vktensor.accuracy import reference
from vktensor.accuracy.reference import FLOATS, NEAR_ZERO, Array, float_info, numpy_dtype

SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = (*SIGNED, *UNSIGNED)
DTYPES = ("bool", *INTEGERS, *FLOATS)

#: (ops, what differs from NumPy and why).
EXCEPTIONS = (
    (
        "minimum, maximum, fmin, fmax, clip, min, max",
        "-0 is less than +0, as IEEE 754-2019 recommends; NumPy gives one or the other.",
    ),
    ("sinc", "of an integer but 0 is 0; NumPy gives the sine of a rounded multiple of pi."),
    (
        "spacing",
        "of float16 is the distance away from 0 with the sign of x, as of the other dtypes; "
        "NumPy's is the distance towards +inf.",
    ),
    ("nextafter", "of two equal float16 zeros the second, as C has it and NumPy from 2.5 on."),
    ("round", "an integer is its own; NumPy rounds int64 and uint64 to float64 first."),
    (
        "floor_divide",
        "of an infinite by a finite number is infinite, of a finite by an infinite one a zero, as "
        "the array API standard has it; NumPy gives NaN and -1.",
    ),
    (
        "pow",
        "of integers with a negative exponent truncates the quotient, 0 for base 0; NumPy raises.",
    ),
    (
        "casts",
        "float to integer out of range, which C leaves open and where NumPy's loops differ: the "
        "smallest int32 (dtypes of up to 16 bits, int32) or int64 (the others), then wrapped; "
        "uint64 takes what fits it. It is what x86-64 does.",
    ),
    ("cumulative_sum", "begins with +0, so that the sum of -0 is +0, as NumPy's sum has it."),
    (
        "var, std",
        "are infinite or NaN where squared deviations come within a factor of 4 of overflow.",
    ),
    ("every op", "the sign and payload of NaN mean nothing; copies and views keep them."),
)


# ---- Values --------------------------------------------------------------------------------------


def special_values(dtype: Any) -> Array:
    """The values at which an implementation of `dtype` breaks first."""
    kind = numpy_dtype(dtype)
    if kind.name == "bool":
        return np.array([False, True])
    if kind.name in INTEGERS:
        low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
        width = kind.itemsize * 8
        values = {low, low + 1, -width, -3, -2, -1, 0, 1, 2, 3, 7, high - 1, high}
        values |= {n + d for n in (width, 2 * width) for d in (-1, 0, 1)}
        return np.array(sorted(v for v in values if low <= v <= high), kind)
    info = float_info(kind)
    one = np.ones((), kind)
    positive = [
        *(0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 10.0),
        *(info.smallest_subnormal, info.tiny - info.smallest_subnormal, info.tiny),
        *(one + info.eps, one - info.epsneg, info.max, np.inf),
    ]
    magnitudes = np.array([float(v) for v in positive]).astype(kind)
    return np.concatenate([magnitudes, -magnitudes, np.array([np.nan], kind)])


def operands(row: dict[str, Any], dtype: str) -> list[Array]:
    """Special operands of an elementwise op: all values, pairs or triples of them."""
    values = special_values(dtype)
    if row["kind"] == "unary":
        return [values]
    first, second = (a.ravel() for a in np.meshgrid(values, values, indexing="ij"))
    if row["kind"] == "binary":
        return [first, second]
    others = np.array([False, True]) if row["name"] == "where" else values
    wide = [np.tile(a, others.size) for a in (first, second)]
    third = np.repeat(others, first.size)
    return [third, *wide] if row["name"] == "where" else [*wide, third]


# ---- What NumPy gives, but for the exceptions ----------------------------------------------------


def _ordered_zeros(function: Any, lower: bool) -> Callable[[Any, Any], Any]:
    """NumPy's minimum or maximum with -0 < +0."""

    def call(x: Any, y: Any) -> Any:
        result = function(x, y)
        if result.dtype.kind in "biu":
            return result
        either = np.logical_or if lower else np.logical_and
        zero = np.where(either(np.signbit(x), np.signbit(y)), -0.0, 0.0).astype(result.dtype)
        return np.where((x == 0) & (y == 0), zero, result)

    return call


_minimum, _maximum = _ordered_zeros(np.minimum, True), _ordered_zeros(np.maximum, False)


def _power(x: Array, y: Array) -> Array:
    if x.dtype.kind != "i":
        found: Array = np.power(x, y)
        return found
    odd = np.where(y & 1, x, x * x)
    small = np.where(np.abs(x) == 1, odd, 0)
    found = np.where(y < 0, small, np.power(x, np.maximum(y, 0)))
    return found


def _floor_divide(x: Array, y: Array) -> Array:
    found: Array = np.floor_divide(x, y)
    if x.dtype.kind == "f":
        found = np.where(np.isinf(x) != np.isinf(y), x / y, found)
    return found


def _round(x: Array) -> Array:
    return x if x.dtype.kind in "iu" else np.rint(x)


def _nan_to_num(x: Array) -> Array:
    limit = float_info(x.dtype).max if x.dtype.kind not in "biu" else 0
    found: Array = np.where(np.isinf(x), np.copysign(limit, x), np.where(np.isnan(x), 0, x))
    return found.astype(x.dtype) if x.dtype.kind not in "biu" else x


#: NumPy's functions for those ops whose name or result it does not share.
NUMPY: dict[str, Callable[..., Any]] = reference.NUMPY | {
    "bitwise_invert": np.invert,
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "clip": lambda x, low, high: _minimum(_maximum(x, low), high),
    "floor_divide": _floor_divide,
    "fmax": _ordered_zeros(np.fmax, False),
    "fmin": _ordered_zeros(np.fmin, True),
    "maximum": _maximum,
    "minimum": _minimum,
    "nan_to_num": _nan_to_num,
    "nextafter": lambda x, y: np.where(x == y, y, np.nextafter(x, y)),
    "pow": _power,
    "round": _round,
    "spacing": lambda x: np.nextafter(x, np.where(x < 0, -np.inf, np.inf).astype(x.dtype)) - x,
}
#: ml_dtypes has these for bfloat16; the others are computed in float32 and rounded.
IN_BFLOAT16 = ("nan_to_num", "nextafter", "spacing")


def takes(row: dict[str, Any], dtype: str) -> bool:
    """Whether the op takes operands of this dtype."""
    kind = "uint" if dtype in UNSIGNED else "int" if dtype in SIGNED else "float"
    return ("bool" if dtype == "bool" else kind) in row["takes"]


def compute_dtype(row: dict[str, Any], dtype: str) -> str:
    """The dtype an elementwise op computes in."""
    return dtype if dtype in FLOATS or row["result"] != "float" else "float32"


def result_dtype(row: dict[str, Any], dtype: str) -> str:
    """The dtype of an elementwise op's result."""
    return "bool" if row["result"] == "bool" else compute_dtype(row, dtype)


def as_integer(value: float, target: str) -> int:
    """The integer a float becomes by our rule, which is total."""
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


def same(got: Array, expected: Array) -> Array:
    """Where the elements are equal to the last bit, or both NaN."""
    equal: Array = np.equal(got, expected)
    if got.dtype.kind not in "biu":
        words = f"u{got.dtype.itemsize}"
        with np.errstate(invalid="ignore"):
            nan = np.isnan(got) & np.isnan(expected)
        equal = np.equal(got.view(words), expected.view(words)) | nan
    return equal


def exact_result(row: dict[str, Any], dtype: str, arrays: Sequence[Array]) -> Array:
    """NumPy's result of an exact op, in the dtype of ours."""
    name, compute = row["name"], compute_dtype(row, dtype)
    function = NUMPY.get(name) or getattr(np, name)
    wide = "float32" if compute == "bfloat16" and name not in IN_BFLOAT16 else compute
    skip = 1 if name == "where" else 0
    with np.errstate(all="ignore"):
        taken = [a.astype(numpy_dtype(wide)) for a in arrays[skip:]]
        found = function(*arrays[:skip], *taken)
        return found.astype(numpy_dtype(result_dtype(row, dtype)))  # type: ignore[no-any-return]


def right_results(row: dict[str, Any], dtype: str, arrays: Sequence[Array], got: Array) -> Array:
    """Where `got` is what it should be; see the head of this file."""
    name, compute = row["name"], compute_dtype(row, dtype)
    if row["ulp"] == 0 or compute not in FLOATS:
        return same(got, exact_result(row, dtype, arrays))
    with np.errstate(all="ignore"):
        taken = [a.astype(numpy_dtype(compute)) for a in arrays]
        exact = reference.evaluate(name, taken, compute)
        errors = reference.ulp_errors(got, exact, compute, NEAR_ZERO.get(name, 0.0))
        number = np.isfinite(exact) & (exact.astype(got.dtype).astype(exact.dtype) == exact)
    right: Array = errors <= reference.bound(name, compute)
    at = np.flatnonzero(number & (errors > 0))
    if at.size:
        doubts = [a[at].astype(np.float64) for a in taken]
        far = reference.exact_errors(name, doubts, exact[at], compute)
        right[at] &= far > 0
    return right


def describe(row: dict[str, Any], dtype: str, arrays: Sequence[Array], got: Array, i: int) -> str:
    """One result and what it should be, for people."""
    given = ", ".join(repr(a[i]) for a in arrays)
    compute, ulp = compute_dtype(row, dtype), 0.0
    if row["ulp"] == 0 or compute not in FLOATS:
        expected = exact_result(row, dtype, arrays)[i]
    else:
        ulp = reference.bound(row["name"], compute)
        taken = [a[i : i + 1].astype(numpy_dtype(compute)) for a in arrays]
        expected = reference.evaluate(row["name"], taken, compute)[0]
    return f"{row['name']}({given}) gave {got[i]!r}, expected {expected!r} within {ulp:g} ULP"


# ---- Comparing -----------------------------------------------------------------------------------


@dataclass
class Compared:
    """What one op gave: values compared, and for each dtype of operands how many were not right,
    with the first of them as text."""

    op: str
    values: int = 0
    different: dict[str, int] = field(default_factory=dict)
    first: str = ""

    def add(self, dtype: str, right: Array, describe: Callable[[int], str]) -> None:
        """Takes the comparison of one dtype."""
        self.values += right.size
        wrong = right.size - int(np.count_nonzero(right))
        if wrong:
            self.different[dtype] = self.different.get(dtype, 0) + wrong
            self.first = self.first or describe(int(np.argmin(right)))


def compare_op(row: dict[str, Any], dtype: str, device: Device, found: Compared) -> None:
    """An elementwise op in one dtype."""
    arrays = operands(row, dtype)
    got = np.asarray(getattr(vt, row["name"])(*(vt.asarray(a, device=device) for a in arrays)))
    right = right_results(row, dtype, arrays, got)
    found.add(dtype, right, partial(describe, row, dtype, arrays, got))


def reduced(name: str, rows: Array) -> Array:
    """NumPy's reduction or scan of each row, in the dtype of `rows`."""
    with np.errstate(all="ignore"):
        if name in ("min", "max"):
            function = _minimum if name == "min" else _maximum
            columns = list(rows.T)
            found: Array = columns[0]
            for column in columns[1:]:
                found = function(found, column)
        elif name.startswith("cumulative"):
            start, function = (np.ones, np.cumprod) if "prod" in name else (np.zeros, np.cumsum)
            first = start((len(rows), 1), rows.dtype)
            found = function(np.concatenate([first, rows], axis=1), axis=1)[:, 1:]
        else:
            found = getattr(np, name)(rows, axis=1)
        return found


def compare_reduction(row: dict[str, Any], dtype: str, device: Device, found: Compared) -> None:
    """A reduction or scan of pairs, alone and among ones: rows of 2 and of 5."""
    first, second = (a[:, None] for a in operands({"name": "", "kind": "binary"}, dtype))
    one = np.ones_like(first)
    for rows in (np.hstack([first, second]), np.hstack([one, first, one, second, one])):
        x = vt.asarray(rows, device=device)
        got = np.asarray(getattr(vt, row["name"])(x, axis=1))
        if "exact" in row["facts"] or got.dtype.kind in "iu":
            right = same(got, reduced(row["name"], rows).astype(got.dtype))
        else:
            right = near(row["name"], rows, got)

        def show(i: int, rows: Array = rows, got: Array = got) -> str:
            return f"{row['name']} of {rows[i]!r} gave {got[i]!r}"

        by_row: Array = right.reshape(len(rows), -1)
        found.add(dtype, np.logical_and.reduce(by_row, axis=1), show)


def near(name: str, rows: Array, got: Array) -> Array:
    """Where sums, products and moments are as near as the order of five terms allows, 8 ULP of the
    largest term, to what exact arithmetic gives, or, where intermediate results overflow, NumPy."""
    dtype = got.dtype.name
    own = np.dtype(np.float32) if got.dtype.itemsize == 2 else got.dtype
    right = np.zeros(got.shape, bool)
    for kind in (np.dtype(reference.wide_dtype(dtype)), own):
        with np.errstate(all="ignore"):
            wide = rows.astype(kind)
            size = np.where(np.isfinite(wide), np.abs(wide), 0).max(axis=1)
            want = reduced(name, wide)
            want = want.astype(np.longdouble if kind == np.longdouble else np.float64)
        least = size.reshape(-1, *[1] * (got.ndim - 1)).astype(want.dtype)
        right |= reference.ulp_errors(got, want, dtype, least) <= 8
    if name in ("var", "std"):
        limit = np.sqrt(float(float_info(own).max) / 4 / rows.shape[1])
        right |= (size > limit) & ~np.isfinite(got)
    return right


def cast_values(dtype: str) -> Array:
    """Special values, and for floats those around the limits of every integer dtype."""
    values = special_values(dtype)
    if dtype not in FLOATS:
        return values
    edges = np.array([2.0**n + d for n in (7, 8, 15, 16, 31, 32, 63, 64) for d in (-1, 0, 1)])
    with np.errstate(over="ignore"):
        wide = edges.astype(values.dtype)
    return np.concatenate([values, wide, -wide])


def compare_cast(source: str, target: str, device: Device, found: Compared) -> None:
    """astype from one dtype to another."""
    values = cast_values(source)
    got = np.asarray(vt.astype(vt.asarray(values, device=device), numpy_dtype(target)))
    if source in FLOATS and target in INTEGERS:
        whole = [as_integer(float(x), target) for x in values]
        expected = np.array(whole, target)
    else:
        with np.errstate(all="ignore"):
            expected = values.astype(numpy_dtype(target))

    def show(i: int) -> str:
        return f"{source} {values[i]!r} became {target} {got[i]!r}, not {expected[i]!r}"

    found.add(f"{source} to {target}", same(got, expected), show)


def compare_all(device: Device) -> Iterator[Compared]:
    """Every op of the table, what is put together of them, and the casts, on this device."""
    dtypes = [dtype for dtype in DTYPES if reference.can_hold(device, dtype)]
    for row in reference.rows():
        found = Compared(row["name"])
        compare = compare_reduction if row["kind"] in ("reduce", "scan") else compare_op
        for dtype in dtypes:
            if takes(row, dtype):
                compare(row, dtype, device, found)
        yield found
    found = Compared("casts")
    for source in dtypes:
        for target in dtypes:
            compare_cast(source, target, device, found)
    yield found
