"""What tests compare with: errors in ULP, random arrays in every layout, sizes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from vktensor.accuracy.reference import Array, float_info, numpy_dtype, ulp_errors

View = Callable[[Any], Any]

BOOL = ["bool"]
SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTEGERS = [*SIGNED, *UNSIGNED]
FLOATS = ["float16", "bfloat16", "float32", "float64"]
DTYPES = [*BOOL, *INTEGERS, *FLOATS]

LAYOUTS = ["contiguous", "offset", "reversed", "padded", "strided", "transposed", "broadcast"]

# Around the widths of vectors, subgroups, workgroups and tiles, and the loop limit of llvmpipe.
SIZES = [
    *(0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129),
    *(255, 256, 257, 1023, 1025, 4095, 4097, 65534, 65535, 65536, 65537),
]


def is_float(dtype: Any) -> bool:
    """Whether `dtype` is a real floating type, bfloat16 included."""
    return numpy_dtype(dtype).name in FLOATS


# ---- Errors --------------------------------------------------------------------------------------


def ulp_error(got: Any, exact: Any, dtype: Any) -> float:
    """The largest of ulp_errors(); for bool and integers 0 when all are equal, else infinite."""
    if np.size(got) == 0:
        return 0.0
    if not is_float(dtype):
        return 0.0 if np.array_equal(np.asarray(got), np.asarray(exact)) else float("inf")
    return float(np.max(ulp_errors(got, exact, dtype)))


def assert_ulp(got: Any, exact: Any, bound: float, what: str = "", least: float = 0.0) -> None:
    """Fails, showing the worst element, when `got` is more than `bound` ULP of its dtype away."""
    have = np.asarray(got)
    if not is_float(have.dtype):
        np.testing.assert_array_equal(have, exact, what)
        return
    errors = ulp_errors(have, exact, have.dtype, least)
    if errors.size == 0 or np.max(errors) <= bound:
        return
    at = np.unravel_index(np.argmax(errors), errors.shape)
    raise AssertionError(
        f"{what}: {errors[at]:.3g} ULP at {tuple(map(int, at))}, at most {bound}: "
        f"expected {np.asarray(exact)[at]!r}, got {have[at]!r} ({have.dtype.name})"
    )


def bits(x: Any) -> Array:
    """The elements' bytes as unsigned integers: NaN payloads and signs of zero count."""
    array = np.asarray(x)
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)


def assert_same_bits(got: Any, expected: Any, what: str = "") -> None:
    """Fails unless shape, dtype and every bit agree."""
    have, want = np.asarray(got), np.asarray(expected)
    assert have.dtype == want.dtype, f"{what}: expected dtype {want.dtype}, got {have.dtype}"
    assert have.shape == want.shape, f"{what}: expected shape {want.shape}, got {have.shape}"
    np.testing.assert_array_equal(bits(have), bits(want), what)


# ---- Values --------------------------------------------------------------------------------------


def all_values(dtype: Any) -> Array:
    """Every value of a dtype of at most 16 bits."""
    kind = numpy_dtype(dtype)
    return np.arange(1 << (8 * kind.itemsize)).astype(f"u{kind.itemsize}").view(kind)


def random_floats(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    """n float64 in [low, high]: half of them uniform, half spread evenly over the exponents."""
    top = max(abs(low), abs(high))
    if top == 0 or n == 0:
        return np.zeros(n)
    uniform = rng.uniform(low / top, high / top, n) * top  # high - low may overflow
    bottom = min(abs(low), abs(high)) if low * high > 0 else top * 2.0**-20
    spread = np.exp(rng.uniform(np.log(bottom), np.log(top), n))
    sign = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    if low >= 0 or high <= 0:
        sign = np.full(n, 1.0 if low >= 0 else -1.0)
    return np.where(rng.random(n) < 0.5, uniform, np.clip(sign * spread, low, high))


def random_values(
    rng: np.random.Generator, dtype: Any, shape: tuple[int, ...], low: float, high: float
) -> Array:
    """Random elements of `dtype` in [low, high], cut to what the dtype holds."""
    kind = numpy_dtype(dtype)
    n = int(np.prod(shape, dtype=np.int64))
    if kind.name in BOOL:
        return rng.random(shape) < 0.5
    if kind.name in INTEGERS:
        limits = np.iinfo(kind)
        least = max(int(np.ceil(max(low, float(limits.min)))), int(limits.min))
        most = min(int(np.floor(min(high, float(limits.max)))), int(limits.max))
        return rng.integers(least, most, shape, dtype=kind, endpoint=True)
    largest, smallest = float(float_info(kind).max), float(float_info(kind).tiny)
    first, last = max(low, -largest), min(high, largest)
    first = smallest if 0 < first < smallest else first
    values = random_floats(rng, n, first, last).astype(kind)
    return values.reshape(shape)


# ---- Layouts -------------------------------------------------------------------------------------


def namespace(x: Any) -> Any:
    """The module that an ndarray or a Tensor comes from."""
    return sys.modules[type(x).__module__.partition(".")[0]]


def plan_layout(shape: tuple[int, ...], layout: str) -> tuple[tuple[int, ...], View]:
    """(shape of the base, view of it that has `shape`) for one of LAYOUTS."""
    n = int(np.prod(shape, dtype=np.int64))
    if layout == "contiguous":
        return shape, lambda x: x
    if layout == "offset":  # by one element: no vector is aligned
        return (n + 2,), lambda x: x[1 : n + 1].reshape(shape)
    if layout == "reversed":
        return shape, lambda x: x[(slice(None, None, -1),) * len(shape)]
    if layout == "padded":  # rows of a wider array
        return (*shape[:-1], shape[-1] + 1), lambda x: x[..., : shape[-1]]
    if layout == "strided":
        return tuple(2 * d + 1 for d in shape), lambda x: x[(slice(1, None, 2),) * len(shape)]
    if layout == "transposed":
        return shape[::-1], lambda x: x.transpose(*reversed(range(len(shape))))
    if layout == "broadcast":  # every other axis, the first included
        base = tuple(1 if i % 2 == 0 else d for i, d in enumerate(shape))
        return base, lambda x: namespace(x).broadcast_to(x, shape)
    raise ValueError(f"expected one of {LAYOUTS}, got {layout!r}")


def make(
    dtype: Any,
    shape: tuple[int, ...],
    layout: str = "contiguous",
    seed: int = 0,
    low: float = -4.0,
    high: float = 4.0,
) -> tuple[Array, View]:
    """(base, view): a contiguous random array, and what makes of it a view of `shape` in `layout`.

    `view(base)` is NumPy's, `view(vt.asarray(base))` the same view of a Tensor.
    """
    base_shape, view = plan_layout(shape, layout)
    rng = np.random.default_rng([seed, DTYPES.index(numpy_dtype(dtype).name), *base_shape])
    return random_values(rng, dtype, base_shape, low, high), view
