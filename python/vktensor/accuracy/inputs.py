"""Inputs on which functions break first: strata of random numbers, breakpoints, hard cases."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vktensor.accuracy.memory import remembered
from vktensor.accuracy.reference import Array, float_info, numpy_dtype

#: Where functions are 0, 1 or infinite, or implementations change their method.
ANCHORS = (0.0, 0.25, 0.5, 2**-0.5, 1.0, 2**0.5, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 26.5, 88.0)
#: NumPy's name of ours, in its validation sets.
VALIDATION = {
    **{"acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh"},
    **{"atan": "arctan", "atanh": "arctanh"},
}
TRIGONOMETRIC = ("sin", "cos", "tan")


def _words(dtype: str) -> np.dtype[Any]:
    return np.dtype(f"u{numpy_dtype(dtype).itemsize}")


def random_bits(rng: np.random.Generator, dtype: str, n: int) -> Array:
    """n elements of `dtype` with random bits: every exponent as often as any other."""
    kind = numpy_dtype(dtype)
    found: Array = np.frombuffer(rng.bytes(n * kind.itemsize), kind)
    return found


def in_domain(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    """n float64 in [low, high]: half of them uniform, half spread evenly over the exponents."""
    top = max(abs(low), abs(high))
    bottom = min(abs(low), abs(high)) if low * high > 0 else top * 2.0**-20
    uniform = rng.uniform(low, high, n)
    spread = np.exp(rng.uniform(np.log(bottom), np.log(top), n))
    sign = -1.0 if high <= 0 else 1.0
    if low < 0 < high:
        spread = spread * rng.choice([-1.0, 1.0], n)
    found: Array = np.where(rng.random(n) < 0.5, uniform, np.clip(sign * spread, low, high))
    return found


def near_anchors(rng: np.random.Generator, dtype: str, n: int) -> Array:
    """n numbers at distances 2^-d from an anchor, d uniform up to the mantissa's length."""
    anchors = np.array(ANCHORS)[rng.integers(0, len(ANCHORS), n)] * rng.choice([-1.0, 1.0], n)
    distance = np.exp2(rng.uniform(-float_info(dtype).nmant - 1, -1, n))
    found: Array = anchors + rng.choice([-1.0, 1.0], n) * distance
    return found


def neighbours(values: Array, dtype: str, reach: int = 2) -> Array:
    """The numbers of `dtype` nearest to `values` and `reach` of their neighbours on each side, with
    both signs; what leaves the finite numbers is left out."""
    kind, words = numpy_dtype(dtype), _words(dtype)
    with np.errstate(over="ignore"):
        centre = np.abs(np.asarray(values)).astype(kind).view(words).astype(np.int64)
    steps = np.arange(-reach, reach + 1)
    found = np.unique((centre[:, None] + steps).ravel())
    infinity = np.array([np.inf], kind).view(words)[0]
    positive = found[(found >= 0) & (found <= int(infinity))].astype(words).view(kind)
    return np.concatenate([positive, -positive])


@remembered
def breakpoints(dtype: str) -> Array:
    """Both sides of every power of two, of multiples of pi/4, ln 2 / 2, 1/2, of where exp, sinh,
    erfc and gamma overflow or underflow; and NaN."""
    info = float_info(dtype)
    with np.errstate(over="ignore"):
        powers = np.ldexp(1.0, np.arange(info.minexp - info.nmant, info.maxexp))
    count = np.arange(1, 2400)
    largest, smallest = np.log(float(info.max)), np.log(float(info.smallest_subnormal))
    tiny = np.log(float(info.tiny))
    logs = [-x for x in (smallest, tiny)] + [largest, largest + np.log(2), float(info.nmant)]
    borders = np.array([*logs, *(x / np.log(2) for x in logs), *(x / np.log(10) for x in logs)])
    borders = np.concatenate([borders, borders / 2, np.sqrt(borders), np.cbrt(borders)])
    special = [*ANCHORS, 1.4616321449683623, 1e22, float(info.max), 171.62, 35.04, *borders]
    multiples = [count * np.pi / 4, count * np.log(2) / 2, count / 2]
    found = neighbours(np.concatenate([powers, *multiples, special]), dtype)
    return np.concatenate([found, np.array([np.nan]).astype(found.dtype)])


def _closest_mantissas(ratio: Fraction, bits: int) -> list[int]:
    """Integers m of `bits` bits for which m * ratio is closest to an integer: multiples of the
    denominators of the ratio's convergents."""
    found = []
    before, q = 0, 1
    rest = ratio - ratio.numerator // ratio.denominator
    while rest and q < 1 << bits:
        found.append(q << max(0, bits - q.bit_length()))
        rest = 1 / rest
        whole = rest.numerator // rest.denominator
        rest -= whole
        before, q = q, whole * q + before
    return found[-3:]


@remembered
def near_pi_multiples(dtype: str) -> Array:
    """For every exponent the arguments closest to a multiple of pi/2, where most bits cancel."""
    import mpmath

    info = float_info(dtype)
    bits = info.nmant + 1
    with mpmath.workprec(2 * info.maxexp + 200):
        scaled = int(mpmath.floor(mpmath.ldexp(2 / mpmath.pi, 2 * info.maxexp + 100)))
    two_over_pi = Fraction(scaled, 1 << (2 * info.maxexp + 100))
    values = []
    for exponent in range(-bits, info.maxexp - bits):
        ratio = two_over_pi * Fraction(2) ** exponent
        values += [float(m) * 2.0**exponent for m in _closest_mantissas(ratio, bits)]
    return neighbours(np.array([v for v in values if v <= float(info.max)]), dtype, 1)


@remembered
def validation_set(name: str, dtype: str) -> Array:
    """The inputs of NumPy's validation set for this function; none where NumPy has no such set or
    came without its tests."""
    folder = Path(np.__file__).parent / "_core/tests/data"
    path = folder / f"umath-validation-set-{VALIDATION.get(name, name)}.csv"
    kind = numpy_dtype(dtype)
    if not path.exists():
        return np.zeros(0, kind)
    with path.open() as file:
        rows = [row for row in csv.reader(file) if row and row[0] == f"np.{dtype}"]
    return np.array([int(row[1], 16) for row in rows], _words(dtype)).view(kind)


def chosen(name: str, dtype: str) -> Array:
    """The inputs every measurement of a function of one argument contains."""
    parts = [breakpoints(dtype), validation_set(name, dtype)]
    if name in TRIGONOMETRIC:
        parts.append(near_pi_multiples(dtype))
    return np.concatenate(parts)


def unary(rng: np.random.Generator, row: dict[str, Any], dtype: str, n: int) -> Array:
    """n inputs: three eighths with random bits, three in the domain of the op table, a quarter near
    anchors."""
    kind = numpy_dtype(dtype)
    part = 3 * n // 8
    with np.errstate(over="ignore"):
        domain = in_domain(rng, part, row["low"], row["high"]).astype(kind)
        near = near_anchors(rng, dtype, n - 2 * part).astype(kind)
    return np.concatenate([random_bits(rng, dtype, part), domain, near])


def _related(rng: np.random.Generator, name: str, x: Array, dtype: str) -> Array:
    """Second operands that make something of `x`: for pow a result in range, for logaddexp one near
    0, else a number of about the same size."""
    found: Array
    if name == "logaddexp":
        off = np.where(x < 0, 1, 1 + 1e-3 * rng.random(x.size))
        found = np.log1p(-np.exp(-np.abs(x))) * off
    elif name == "logaddexp2":
        off = np.where(x < 0, 1, 1 + 1e-3 * rng.random(x.size))
        found = np.log2(1 - np.exp2(-np.abs(x))) * off
    elif name == "pow":
        info = float_info(dtype)
        found = rng.uniform(info.minexp - info.nmant, info.maxexp, x.size) / np.log2(np.abs(x))
    else:
        found = x * np.exp2(rng.uniform(-30, 30, x.size)) * rng.choice([-1.0, 1.0], x.size)
    return found


def binary(rng: np.random.Generator, row: dict[str, Any], dtype: str, n: int) -> list[Array]:
    """n pairs: a quarter with random bits, a quarter in the domain, half related (`_related`) to a
    first operand with random bits or near an anchor."""
    kind, part = numpy_dtype(dtype), n // 4
    with np.errstate(all="ignore"):
        low, high = row["low"], row["high"]
        domain = [in_domain(rng, part, low, high).astype(kind) for _ in range(2)]
        bits = [random_bits(rng, dtype, part) for _ in range(2)]
        first = [random_bits(rng, dtype, part), near_anchors(rng, dtype, n - 3 * part).astype(kind)]
        related = np.concatenate(first)
        second = _related(rng, row["name"], related.astype(np.float64), dtype).astype(kind)
    groups = zip(bits, domain, [related, second], strict=True)
    return [np.concatenate(group) for group in groups]


def pairs_of(values: Array) -> list[Array]:
    """Every pair of `values`."""
    first, second = np.meshgrid(values, values, indexing="ij")
    return [first.ravel(), second.ravel()]


@remembered
def stratified(dtype: str, n: int) -> Array:
    """About n numbers of a half type: every k-th, and those around its special ones."""
    every = np.arange(0, 1 << 16, (1 << 16) // n).astype(np.uint16).view(numpy_dtype(dtype))
    border = neighbours(np.array([0.0, 0.5, 1.0, 2.0, 3.0, float(float_info(dtype).max)]), dtype, 3)
    return np.concatenate([every, border, np.array([np.nan]).astype(every.dtype)])
