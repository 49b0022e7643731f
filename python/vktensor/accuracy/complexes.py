"""The errors of functions of complex numbers, in norm and, where that is promised, of each part.

The error of a result w is |w - exact| in ULP of |exact|: a part that is small beside the other may
be worse, as it is in every product of complex numbers. Functions whose parts are products and
quotients of real functions promise each part on its own (`BOUNDS`). Special values are those of
C's annex G and not measured here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

import vktensor as vt
from vktensor._core import Device
from vktensor.accuracy import inputs, reference
from vktensor.accuracy.measure import describe
from vktensor.accuracy.memory import remembered
from vktensor.accuracy.reference import Array, float_info, ulp_of

#: The real dtype of each part, by dtype.
COMPLEX = {"complex64": "float32", "complex128": "float64"}
#: What is promised: the largest error in norm, and of each part where that has a bound.
BOUNDS: dict[str, tuple[float, float | None]] = {
    "abs": (2, None),
    "acos": (5, None),
    "acosh": (5, None),
    "asin": (5, None),
    "asinh": (5, None),
    "atan": (4, None),
    "atanh": (4, None),
    "cos": (4, 5),
    "cosh": (4, 5),
    "divide": (4, None),
    "exp": (4, 5),
    "exp2": (4, None),
    "expm1": (4, None),
    "log": (3, 3),
    "log10": (4, 4),
    "log1p": (4, None),
    "log2": (3, 4),
    "multiply": (2, None),
    "pow": (4, None),
    "reciprocal": (3, None),
    "sign": (3, None),
    "sin": (4, 5),
    "sinh": (4, 5),
    "sqrt": (3, 3),
    "square": (2, None),
    "tan": (6, None),
    "tanh": (6, None),
}
#: Their real part, where |z| is so close to 1 that it is less than the distance of 1 and the next
#: number, is measured in ULP of that.
LOGARITHMS = ("log", "log2", "log10")
CHUNK = 1 << 17
#: Random inputs of a function, by --quick.
COUNT = {False: 1 << 20, True: 1 << 15}
#: Points at which the reference is compared with mpmath, and its bits: 1 + z and a z as small as
#: can be need as many as there are exponents.
CHECKED = 512
PRECISION = {"complex64": 500, "complex128": 2500}
#: Largest imaginary part for exp2, whose angle is this times ln 2.
LARGEST_ANGLE = 2.0**12


def is_over(row: dict[str, Any]) -> bool:
    """Whether a row of the results breaks what is promised."""
    norm, parts = BOUNDS[row["function"]]
    return bool(row["wrong"] or row["max"] > norm or row.get("parts", 0) > (parts or np.inf))


def rows() -> list[dict[str, Any]]:
    """The rows of the op table that are measured."""
    return [row for row in vt.ops() if row["name"] in BOUNDS]


def has_reference(dtype: str) -> bool:
    """Whether here is a type that can judge this one."""
    return dtype == "complex64" or reference.has_long_double()


# ---- Inputs --------------------------------------------------------------------------------------


def _join(x: Array, y: Array, dtype: str) -> Array:
    z = np.empty(x.size, dtype)
    with np.errstate(all="ignore"):
        z.real, z.imag = x, y
    return z


def _spread(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    """n numbers of either sign whose exponents are spread over [low, high]."""
    found: Array = np.exp2(rng.uniform(low, high, n)) * rng.choice([-1.0, 1.0], n)
    return found


def _finite_bits(rng: np.random.Generator, real: str, n: int) -> Array:
    values = inputs.random_bits(rng, real, n)
    return np.where(np.isfinite(values), values, np.ones((), values.dtype))


def _anchored(rng: np.random.Generator, real: str, n: int) -> tuple[Array, Array]:
    """Around 0, +-1, +-i, 2, and the multiples of i pi / 2 and pi / 2: zeros, poles, branch points;
    the distance of each part spread on its own."""
    quarters = np.arange(1, 9) * np.pi / 2
    anchors = np.array([0, 1, -1, 1j, -1j, 2, *quarters, *(1j * quarters)])
    centre = anchors[rng.integers(0, anchors.size, n)]
    least = -float_info(real).nmant - 4
    x, y = (_spread(rng, n, least, 0) for _ in range(2))
    return centre.real + x, centre.imag + y


def _circle(rng: np.random.Generator, real: str, n: int) -> tuple[Array, Array]:
    """Beside the circle |z| = 1 and, moved by -1, |1 + z| = 1."""
    radius = 1 + _spread(rng, n, -float_info(real).nmant - 2, -2)
    angle = rng.uniform(-np.pi, np.pi, n) * np.exp2(rng.uniform(-20, 0, n))
    return radius * np.cos(angle) - rng.integers(0, 2, n), radius * np.sin(angle)


def _large(rng: np.random.Generator, real: str, n: int) -> tuple[Array, Array]:
    """Where exp and its like overflow or vanish, beside any angle; and the largest and the smallest
    numbers."""
    info = float_info(real)
    top = np.log(float(info.max))
    border = top * rng.choice([-1.0, 1.0, -1.04], n) + rng.uniform(-3, 3, n)
    angle = _spread(rng, n, -10, 8)
    vast = [_spread(rng, n, info.maxexp - 3, info.maxexp) for _ in range(2)]
    small = [_spread(rng, n, info.minexp - info.nmant, info.minexp + 3) for _ in range(2)]
    kind = rng.integers(0, 4, n)
    x = np.choose(kind, [border, angle, vast[0], small[0]])
    y = np.choose(kind, [angle, border, vast[1], small[1]])
    return x, y


def sample(rng: np.random.Generator, dtype: str, n: int) -> Array:
    """n finite numbers: of any exponents, ordinary, beside zeros, poles, branch points and circles,
    beside overflow; an eighth have a part that is 0, of either sign, on a branch cut or not."""
    real, part = COMPLEX[dtype], n // 8
    groups = [
        (_finite_bits(rng, real, part), _finite_bits(rng, real, part)),
        (_spread(rng, 2 * part, -8, 8), _spread(rng, 2 * part, -8, 8)),
        (_spread(rng, part, -3, 5), _spread(rng, part, -60, 5)),
        _anchored(rng, real, 2 * part),
        _circle(rng, real, part),
        _large(rng, real, n - 7 * part),
    ]
    z = np.concatenate([_join(x, y, dtype) for x, y in groups])
    zero = rng.choice([0.0, -0.0], n)
    where = rng.integers(0, 16, n)
    z.real[where == 0] = zero[where == 0]
    z.imag[where == 1] = zero[where == 1]
    z[~np.isfinite(z)] = 1  # rounded up to infinity
    return rng.permutation(z)


def pairs(rng: np.random.Generator, name: str, dtype: str, n: int) -> list[Array]:
    """n pairs of such numbers; for pow the second is chosen for a result in range, for others half
    of them for a result of which one part cancels. A product of parts does not overflow."""
    a, b = sample(rng, dtype, n), sample(rng, dtype, n)
    half = n // 2
    with np.errstate(all="ignore"):
        if name == "pow":
            a[a == 0] = 1
            b = b * np.exp2(-np.floor(np.log2(np.abs(b)))) * np.exp2(rng.uniform(-10, 5, n))
            limit = 0.9 * np.log(float(float_info(dtype).max)) / np.abs(np.log(a))
            b = np.where(np.abs(b) > limit, b * (limit / np.abs(b)), b).astype(dtype)
        else:
            near = np.conj(a[:half]) * (1 + _spread(rng, half, -float_info(dtype).nmant, -1))
            b[:half] = near * rng.choice([1.0, 1j, 2.0**-20], half)
        b[~np.isfinite(b) | ((b == 0) & (name == "divide"))] = 1
        if name == "multiply":
            largest = float(float_info(dtype).max)
            b[np.abs(a.astype(_wide(dtype)) * b) > largest / 4] = 0.5
    return [a, b]


def make_inputs(row: dict[str, Any], dtype: str, seed: int, n: int) -> list[Array]:
    """A chunk of inputs, equal on every run."""
    rng = np.random.default_rng([seed, 7])
    if row["kind"] == "binary":
        return pairs(rng, row["name"], dtype, n)
    z = sample(rng, dtype, n)
    if row["name"] == "square":
        z = z[np.maximum(np.abs(z.real), np.abs(z.imag)) < 2.0 ** (float_info(dtype).maxexp // 2)]
    if row["name"] in ("reciprocal", "log", "log2", "log10", "sign"):
        z[z == 0] = 1
    if row["name"] == "exp2":
        z.imag[np.abs(z.imag) > LARGEST_ANGLE] = 3
    return [z]


# ---- The reference -------------------------------------------------------------------------------


def _wide(dtype: str) -> Any:
    return np.complex128 if dtype == "complex64" else np.clongdouble


def _parts(x: Any, y: Any) -> Array:
    z: Array = np.empty(np.shape(x), np.result_type(x, np.complex64))
    z.real, z.imag = x, y
    return z


@remembered
def _ln(base: int, name: str) -> tuple[Any, Any]:
    """ln(base) as a sum of two numbers of the type of this name."""
    import mpmath

    kind: Any = np.dtype(name).type
    with mpmath.workprec(reference.PRECISION):
        exact = mpmath.log(base)
        high = kind(0)
        for _ in range(3):  # by parts that float64 holds
            high += kind(float(exact - reference.as_mpf(high)))
        return high, kind(float(exact - reference.as_mpf(high)))


def _log1p(z: Array) -> Array:
    x, y = z.real, z.imag
    near = 0.5 * np.log1p(x * (2 + x) + y * y)
    moved = _parts(1 + x, y)
    return _parts(np.where(np.abs(z) < 0.25, near, np.log(moved).real), np.log(moved).imag)


def _expm1(z: Array) -> Array:
    half = np.sin(0.5 * z.imag)
    whole = np.exp(z)
    x = np.where(z.real > 40, whole.real, np.expm1(z.real) * np.cos(z.imag) - 2 * half * half)
    return _parts(x, np.where(z.imag == 0, z.imag, whole.imag))


def _exp2(z: Array) -> Array:
    high, low = _ln(2, z.real.dtype.name)
    bits = np.finfo(z.real.dtype).nmant // 2 + 1
    cut = [
        np.ldexp(np.rint(np.ldexp(v, bits - e)), e - bits)
        for v in (z.imag, high)
        for e in [np.frexp(v)[1]]
    ]
    rest = [z.imag - cut[0], high - cut[1]]
    angle = z.imag * high
    lost = ((cut[0] * cut[1] - angle) + cut[0] * rest[1] + rest[0] * cut[1]) + rest[0] * rest[1]
    lost += z.imag * low
    c, s = np.cos(angle), np.sin(angle)
    size = np.exp2(z.real)
    return _parts(size * (c - lost * s), np.where(z.imag == 0, z.imag, size * (s + lost * c)))


def _reciprocal(z: Array) -> Array:
    """With the sign that the conjugate has: what NumPy gives zeros depends on its version."""
    found = np.reciprocal(z)
    return _parts(found.real, np.copysign(found.imag, -z.imag))


def _divided_log(base: int, z: Array) -> Array:
    found, ln = np.log(z), _ln(base, z.real.dtype.name)[0]
    return _parts(found.real / ln, found.imag / ln)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "exp2": _exp2,
    "expm1": _expm1,
    "log10": partial(_divided_log, 10),
    "log1p": _log1p,
    "log2": partial(_divided_log, 2),
    "pow": np.power,
    "reciprocal": _reciprocal,
    "sign": lambda z: _parts(z.real / np.abs(z), z.imag / np.abs(z)),
}


def evaluate(name: str, arrays: Sequence[Array], dtype: str) -> Array:
    """The reference, in the wider type."""
    function = FUNCTIONS.get(name) or getattr(np, name)
    with np.errstate(all="ignore"):
        return np.asarray(function(*(a.astype(_wide(dtype)) for a in arrays)))


def exact_value(name: str, operands: Sequence[Any]) -> Any:
    """The same by mpmath, at its present precision."""
    import mpmath

    mp: Any = mpmath.mp
    simple: dict[str, Callable[..., Any]] = {
        "abs": abs,
        "divide": lambda a, b: a / b,
        "exp2": lambda z: mp.exp(z * mp.log(2)),
        "log10": lambda z: mp.log(z) / mp.log(10),
        "log1p": lambda z: mp.log(1 + z),
        "log2": lambda z: mp.log(z) / mp.log(2),
        "multiply": lambda a, b: a * b,
        "pow": lambda a, b: mp.exp(b * mp.log(a)),
        "reciprocal": lambda z: 1 / z,
        "sign": lambda z: z / abs(z),
        "square": lambda z: z * z,
    }
    return (simple.get(name) or getattr(mp, name))(*operands)


# ---- Errors --------------------------------------------------------------------------------------


def unit_of(name: str, arrays: Sequence[Array], exact: Array, dtype: str) -> Array:
    """What an error is measured in: ULP of |exact|; of pow (1 + |b log a|) of these."""
    real = COMPLEX[dtype]
    largest = np.ldexp(np.ones((), exact.real.dtype), float_info(real).maxexp - 1)
    with np.errstate(all="ignore"):
        size = np.abs(exact)
        over = np.where(size > largest, size / largest, 1)
        unit = ulp_of(np.where(size < largest, size, largest), real) * np.maximum(over, 1)
        if name == "pow":
            a, b = (v.astype(_wide(dtype)) for v in arrays)
            unit = unit * (1 + np.abs(b * np.log(a)))
    return unit


def _limited(part: Array, limit: Any) -> Array:
    """Beyond the largest number everything counts as the power of two after it."""
    return np.clip(part, -limit, limit)


def errors_of(
    name: str, arrays: Sequence[Array], got: Array, exact: Array, dtype: str
) -> tuple[Array, Array]:
    """(errors in norm, the larger error of a part), in ULP. Infinite where a NaN came for a number,
    or the sign of a zero, or of a part beside a zero, is wrong."""
    real = COMPLEX[dtype]
    kind = exact.real.dtype.type
    limit = np.ldexp(kind(1), min(float_info(real).maxexp, np.finfo(kind).maxexp - 1))
    differences, parts, wrong = [], [], np.zeros(exact.shape, bool)
    with np.errstate(all="ignore"):
        for side in ("real", "imag")[: 2 if got.dtype.kind == "c" else 1]:
            have, want = getattr(got, side), getattr(exact, side)
            least = float_info(real).eps if name in LOGARITHMS and side == "real" else 0.0
            parts.append(reference.ulp_errors(have, want, real, float(least)))
            wide = have.astype(kind)
            differences.append(_limited(wide, limit) - _limited(want, limit))
            wrong |= np.isnan(have) & ~np.isnan(want)
            wrong |= (want == 0) & (have == 0) & (np.signbit(have) != np.signbit(want))
        norm = np.abs(_parts(*differences)) if len(parts) == 2 else np.abs(differences[0])
        errors = (norm / unit_of(name, arrays, exact, dtype)).astype(np.float64)
    usable = ~np.isnan(exact)
    errors = np.where(wrong, np.inf, np.where(usable, errors, 0.0))
    return errors, np.where(usable, np.max(parts, axis=0), 0.0)


def reference_errors(name: str, arrays: Sequence[Array], exact: Array, dtype: str) -> Array:
    """|reference - mpmath's| in the same units, of finite numbers off the axes, whose zeros have
    signs that mpmath does not know."""
    import mpmath

    errors = np.zeros(exact.size)
    unit = unit_of(name, arrays, exact, dtype)
    with mpmath.workprec(PRECISION[dtype]):
        for i, value in enumerate(exact):
            parts = [p for a in arrays for p in (float(a[i].real), float(a[i].imag))]
            if 0 in parts or not np.isfinite(value) or abs(value) > float_info(dtype).max:
                continue
            operands = [mpmath.mpc(*parts[j : j + 2]) for j in range(0, len(parts), 2)]
            have = mpmath.mpc(*(reference.as_mpf(p) for p in (value.real, value.imag)))
            errors[i] = abs(exact_value(name, operands) - have) / reference.as_mpf(unit[i])
    return errors


def compare(row: dict[str, Any], dtype: str, arrays: list[Array], got: Array) -> dict[str, Any]:
    """The errors of a chunk."""
    name = row["name"]
    exact = evaluate(name, arrays, dtype)
    errors, parts = errors_of(name, arrays, got, exact, dtype)
    right = np.isfinite(errors)
    at, part_at = int(np.argmax(np.where(right, errors, -1.0))), int(np.argmax(parts))
    some = np.linspace(0, errors.size - 1, CHECKED * CHUNK // COUNT[False]).astype(int)
    some[0] = at
    taken = [a[some] for a in arrays]
    wrong = int(np.argmin(right))
    return {
        "inputs": errors.size,
        "wrong": errors.size - int(np.count_nonzero(right)),
        "wrong_at": [] if right[wrong] else describe_inputs(arrays, wrong),
        "max": float(errors[at]),
        "at": describe_inputs(arrays, at),
        "total": float(np.sum(errors, where=right)),
        "parts": float(parts[part_at]),
        "parts_at": describe_inputs(arrays, part_at),
        "reference_error": float(np.max(reference_errors(name, taken, exact[some], dtype))),
        "checked": some.size,
    }


def describe_inputs(arrays: Sequence[Array], i: int) -> list[str]:
    """The parts of all operands as C's hexadecimal literals."""
    return describe([part for a in arrays for part in (a[i].real, a[i].imag)])


def measure(row: dict[str, Any], dtype: str, device: Device, quick: bool) -> dict[str, Any]:
    """The row of the results."""
    function, total = getattr(vt, row["name"]), COUNT[quick]
    found: dict[str, Any] = {}

    def chunks() -> Iterator[list[Array]]:
        for seed, first in enumerate(range(0, total, CHUNK)):
            yield make_inputs(row, dtype, seed, min(CHUNK, total - first))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        futures = []
        for arrays in chunks():
            got = np.asarray(function(*(vt.asarray(a, device=device) for a in arrays)))
            futures.append(pool.submit(compare, row, dtype, arrays, got))
        for future in futures:
            merge(found, future.result())
    finite = found["inputs"] - found["wrong"]
    found["mean"] = found.pop("total") / max(1, finite)
    if BOUNDS[row["name"]][1] is None:
        del found["parts"], found["parts_at"]
    return {"function": row["name"], "dtype": dtype} | found


def merge(found: dict[str, Any], one: dict[str, Any]) -> None:
    """Takes what another chunk gave."""
    if not found:
        found.update(one)
        return
    for key, where in (("max", "at"), ("parts", "parts_at")):
        if one[key] > found[key]:
            found[key], found[where] = one[key], one[where]
    found["wrong_at"] = found["wrong_at"] or one["wrong_at"]
    found["reference_error"] = max(found["reference_error"], one["reference_error"])
    for key in ("inputs", "wrong", "total", "checked"):
        found[key] += one[key]
