"""Every float32 number through a function of one argument, on the device itself.

The reference is the function in float64 on the same device, whose own error, measured apart, is
2^-29 of a float32 ULP each ULP. Nothing but a few numbers a chunk comes to the host.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import vktensor as vt
from vktensor._core import Device, Tensor

#: Elements of a chunk: its values and temporaries take 40 bytes each.
CHUNK = 1 << 26
BYTES_EACH = 48
EXPONENT = 0x7FF0000000000000


@dataclass
class Found:
    """What a sweep found: the worst error and its input's bits; wrong results (NaN for a number, a
    wrong infinity or sign of zero), the first one's input; the errors' sum."""

    inputs: int = 0
    worst: float = 0.0
    worst_bits: int = 0
    total: float = 0.0
    wrong: int = 0
    wrong_bits: int = 0


def errors_of(x: Tensor, function: Any, least: float) -> tuple[Tensor, Tensor]:
    """(errors in ULP, whether the kind of result is wrong), as `reference.ulp_errors` has them, but
    that those of a wrong kind are 0."""
    got = function(x)
    exact = function(vt.astype(x, vt.float64))
    vt.eval(got, exact)
    limit = 2.0**128
    finite = vt.isfinite(exact)
    want = vt.where(finite, vt.clip(exact, -limit, limit), 0.0)
    size = vt.maximum(vt.abs(want), least)
    # The power of two below: the mantissa cut off. Between the exponents of float32 it is the unit.
    power = (size.view(vt.int64) & EXPONENT).view(vt.float64)
    unit = vt.clip(power, 2.0**-126, 2.0**127) * 2.0**-23
    have = vt.astype(got, vt.float64)
    nan = vt.isnan(have)
    number = vt.where(nan | ~finite, 0.0, vt.clip(have, -limit, limit))
    other_zero = (have == 0) & (vt.signbit(got) != vt.signbit(exact))
    if least:
        other_zero = other_zero & (exact == 0)
    differs = (have != exact) & ~(nan & vt.isnan(exact))
    wrong = vt.where(finite, nan | other_zero, differs)
    return vt.where(wrong, 0.0, vt.abs(number - want) / unit), wrong


def chunk_size(device: Device) -> int:
    """Elements a chunk has on this device: a power of two that leaves most of its memory free."""
    room = int(device.limits["device_nbytes"]) // 4 // BYTES_EACH
    return min(CHUNK, 1 << max(16, int(math.log2(room))))


def chunks(device: Device, size: int) -> Iterator[tuple[int, Tensor]]:
    """(first bits, the float32 numbers with those bits and the next) for all 2^32."""
    with_zero = vt.astype(vt.arange(size, dtype=vt.int64, device=device), vt.uint32)
    vt.eval(with_zero)
    for first in range(0, 1 << 32, size):
        yield first, (with_zero + first).view(vt.float32)


def sweep(name: str, device: Device, least: float) -> Found:
    """Tries all 2^32 float32 numbers."""
    found = Found()
    function = getattr(vt, name)
    for first, x in chunks(device, chunk_size(device)):
        errors, wrong = errors_of(x, function, least)
        vt.eval(errors, wrong)
        top, at, total, count = (
            vt.max(errors),
            vt.argmax(errors),
            vt.sum(errors),
            vt.count_nonzero(wrong),
        )
        vt.async_eval(top, at, total, count)
        found.inputs += x.size
        found.total += float(total)
        if float(top) > found.worst:
            found.worst, found.worst_bits = float(top), first + int(at)
        if int(count) and not found.wrong:
            found.wrong_bits = first + int(vt.argmax(wrong))
        found.wrong += int(count)
    return found
