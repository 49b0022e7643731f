"""How exact reductions, scans and products are, in units of one rounding of all their terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import vktensor as vt
from vktensor._core import Device
from vktensor.accuracy.reference import (
    FLOATS,
    Array,
    can_hold,
    float_info,
    has_long_double,
    numpy_dtype,
)

#: Elements of a long reduction, and the sides of products, by --quick.
LENGTH = {False: 10_000_000, True: 100_000}
SIDE = {False: (512, 2048, 512), True: (64, 256, 64)}
#: Rounding errors of a product beside the K of its sum: of its parts, of merging them, of the end.
SLACK = 8


def epsilon(dtype: str) -> float:
    """Half the distance of 1 and the next number: the largest relative error of one rounding."""
    return float(float_info(dtype).eps) / 2


def entry(what: str, unit: str, value: float, bound: float) -> dict[str, Any]:
    """A row of the results."""
    return {"what": what, "unit": unit, "value": value, "bound": bound}


def ones(device: Device, quick: bool) -> dict[str, Any]:
    """10^8 ones: a sum in one float32 stops at 2^24."""
    n = 1_000_000 if quick else 100_000_000
    x = vt.ones(n, dtype=vt.float32, device=device)
    vt.eval(x)
    return entry(f"sum of {n:,} float32 ones", "from the exact sum", abs(float(vt.sum(x)) - n), 0.0)


def total(dtype: str, device: Device, quick: bool) -> dict[str, Any]:
    """Against the exact sum."""
    x = np.abs(uniform(dtype, LENGTH[quick]))
    got = float(vt.sum(vt.asarray(x, device=device)))
    wide = x.astype(np.float64)
    # Half types are rounded once more at the end.
    unit = epsilon("float32" if numpy_dtype(dtype).itemsize == 2 else dtype)
    error = max(0.0, abs(got - math.fsum(wide)) - epsilon(dtype) * abs(got))
    value = error / (unit * float(np.sum(wide)))
    what = f"sum of {x.size:,} {dtype} in [0, 1]"
    return entry(what, "u sum\\|x\\|", value, 2 * math.log2(x.size))


def prefixes(dtype: str, device: Device, quick: bool) -> dict[str, Any]:
    """Every prefix of a cumulative sum."""
    x = np.abs(uniform(dtype, LENGTH[quick]))
    got = np.asarray(vt.cumulative_sum(vt.asarray(x, device=device)))
    wide = x.astype(np.longdouble if dtype == "float64" else np.float64)
    errors = np.abs(got - np.cumsum(wide)) / (epsilon(dtype) * np.cumsum(wide))
    what = f"cumulative_sum of {x.size:,} {dtype} in [0, 1], every prefix"
    bound = 2 * math.log2(x.size)
    return entry(what, "u sum\\|x\\|", float(np.max(errors)), bound)


def moment(name: str, device: Device, quick: bool) -> dict[str, Any]:
    """Mean or variance of 10^4 + N(0, 1) in float32."""
    noise = np.random.default_rng(3).standard_normal(LENGTH[quick])
    x = (1e4 + noise).astype(np.float32)
    exact = float(getattr(np, name)(x.astype(np.float64)))
    got = float(getattr(vt, name)(vt.asarray(x, device=device)))
    what = f"{name} of {x.size:,} float32, 10^4 + N(0, 1)"
    return entry(what, "relative error", abs(got - exact) / exact, 1e-5 if name == "var" else 1e-6)


def product(dtype: str, device: Device, quick: bool) -> dict[str, Any]:
    """Each element of A B against |A| |B|."""
    m, k, n = SIDE[quick]
    if dtype == "float64":  # against long double, which has no fast product
        m, n = m // 4, n // 4
    a, b = uniform(dtype, m * k, 4).reshape(m, k), uniform(dtype, k * n, 5).reshape(k, n)
    got = np.asarray(vt.matmul(vt.asarray(a, device=device), vt.asarray(b, device=device)))
    wide = np.longdouble if dtype == "float64" else np.float64
    exact, size = a.astype(wide) @ b.astype(wide), np.abs(a).astype(wide) @ np.abs(b).astype(wide)
    half = numpy_dtype(dtype).itemsize == 2
    unit = epsilon("float32" if half else dtype)
    error = np.abs(got.astype(wide) - exact)
    if half:  # rounded once more
        error = np.maximum(0, error - epsilon(dtype) * np.abs(got.astype(wide)))
    what = f"matmul, {dtype}, {m} x {k} by {k} x {n}"
    value = float(np.max(error / (unit * size)))
    return entry(what, "u \\|A\\|\\|B\\|", value, k + SLACK)


def uniform(dtype: str, n: int, seed: int = 2) -> Array:
    """n numbers in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(numpy_dtype(dtype))


def measure_all(device: Device, quick: bool) -> Iterator[dict[str, Any]]:
    """Every row."""
    missing = [] if has_long_double() else ["float64"]
    floats = [dtype for dtype in FLOATS if can_hold(device, dtype) and dtype not in missing]
    yield ones(device, quick)
    several: tuple[tuple[Callable[..., dict[str, Any]], list[str]], ...] = (
        (total, floats),
        (prefixes, [f for f in floats if numpy_dtype(f).itemsize > 2]),
        (moment, ["mean", "var"]),
        (product, floats),
    )
    for function, arguments in several:
        for argument in arguments:
            yield function(argument, device, quick)
