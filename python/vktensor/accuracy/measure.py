"""Measures one function in one dtype: chunks of inputs go through the device, their results are
compared on all cores of the host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

import vktensor as vt
from vktensor._core import Device
from vktensor.accuracy import inputs, reference, special
from vktensor.accuracy.reference import NEAR_ZERO, Array, numpy_dtype
from vktensor.accuracy.sweep import sweep

Maker = Callable[[], list[Array]]

CHUNK = 1 << 19
#: Inputs of a sampled measurement, {quick: {dtype: n}}.
COUNTS = {
    False: {"float32": 1 << 24, "float64": 10_000_000},
    True: {"float32": 1 << 18, "float64": 1 << 18},
}
#: Numbers of a half type of which all pairs are taken.
STRATIFIED = {False: 2048, True: 256}
#: Points of a function at which the reference is compared with mpmath.
CHECKED = 256


@dataclass
class Result:
    """The errors of one function in one dtype, in ULP."""

    inputs: int = 0
    worst: float = 0.0
    worst_at: tuple[Any, ...] = ()
    total: float = 0.0
    finite: int = 0
    wrong: int = 0
    wrong_at: tuple[Any, ...] = ()
    samples: list[tuple[list[Array], Array]] = field(default_factory=list)

    def add(self, other: Result) -> None:
        """Takes what another part of the inputs gave."""
        if other.worst > self.worst or not self.worst_at:
            self.worst, self.worst_at = other.worst, other.worst_at
        if not self.wrong:
            self.wrong_at = other.wrong_at
        self.inputs += other.inputs
        self.total += other.total
        self.finite += other.finite
        self.wrong += other.wrong
        self.samples += other.samples


def compare_exact(row: dict[str, Any], dtype: str, arrays: Sequence[Array], got: Array) -> Result:
    """A chunk of an op that has to be NumPy's to the last bit."""
    right = special.same(got, special.exact_result(row, dtype, arrays))
    result = Result(inputs=right.size, finite=int(np.count_nonzero(right)))
    result.wrong = result.inputs - result.finite
    if result.wrong:
        at = int(np.argmin(right))
        result.wrong_at = tuple(a[at] for a in arrays)
    return result


def compare(row: dict[str, Any], dtype: str, arrays: Sequence[Array], got: Array) -> Result:
    """The errors of a chunk."""
    name = row["name"]
    if row["ulp"] == 0:
        return compare_exact(row, dtype, arrays, got)
    exact = reference.evaluate(name, arrays, dtype)
    errors = reference.ulp_errors(got, exact, dtype, NEAR_ZERO.get(name, 0.0))
    right = np.isfinite(errors)
    result = Result(inputs=errors.size, finite=int(np.count_nonzero(right)))
    result.total = float(np.sum(errors, where=right))
    result.wrong = errors.size - result.finite
    if result.wrong:
        at = int(np.argmin(right))
        result.wrong_at = tuple(a[at] for a in arrays)
    at = int(np.argmax(np.where(right, errors, -1.0)))
    result.worst, result.worst_at = float(errors[at]), tuple(a[at] for a in arrays)
    some = np.linspace(0, errors.size - 1, 8).astype(int)
    result.samples = [([a[some] for a in arrays], exact[some])]
    return result


def half_pairs(values: Array, first: int, count: int) -> list[Array]:
    """`count` of the values, from the first, each with all of them."""
    part = values[first : first + count]
    return [np.repeat(part, values.size), np.tile(values, part.size)]


def unary_inputs(row: dict[str, Any], dtype: str, seed: int, n: int) -> list[Array]:
    """A random chunk for a function of one argument."""
    return [inputs.unary(np.random.default_rng([seed, 1]), row, dtype, n)]


def binary_inputs(row: dict[str, Any], dtype: str, seed: int, n: int) -> list[Array]:
    """A random chunk of pairs."""
    return inputs.binary(np.random.default_rng([seed, 2]), row, dtype, n)


def input_makers(row: dict[str, Any], dtype: str, quick: bool) -> Iterator[Maker]:
    """Functions that make the chunks of inputs; equal on every run."""
    unary = row["kind"] == "unary"
    if numpy_dtype(dtype).itemsize == 2:
        if unary:
            yield lambda: [np.arange(1 << 16).astype(np.uint16).view(numpy_dtype(dtype))]
            return
        values = inputs.stratified(dtype, STRATIFIED[quick])
        count = CHUNK // values.size
        for first in range(0, values.size, count):
            yield partial(half_pairs, values, first, count)
        return
    if unary:
        yield lambda: [inputs.chosen(row["name"], dtype)]
    else:
        yield lambda: inputs.pairs_of(inputs.neighbours(np.array(inputs.ANCHORS), dtype, 1))
    total = COUNTS[quick][dtype]
    for first in range(0, total, CHUNK):
        make = unary_inputs if unary else binary_inputs
        yield partial(make, row, dtype, first // CHUNK, min(CHUNK, total - first))


def sample(row: dict[str, Any], dtype: str, device: Device, quick: bool) -> Result:
    """Compares chosen and random inputs, or all of a half type, on the host."""
    result, function = Result(), getattr(vt, row["name"])
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        compared: list[Future[Result]] = []
        todo = input_makers(row, dtype, quick)
        made = [pool.submit(make) for make in islice(todo, workers)]
        while made:
            arrays = made.pop(0).result()
            made += [pool.submit(make) for make in islice(todo, 1)]
            got = np.asarray(function(*(vt.asarray(a, device=device) for a in arrays)))
            compared.append(pool.submit(compare, row, dtype, arrays, got))
            if len(compared) > workers:
                result.add(compared.pop(0).result())
        for future in compared:
            result.add(future.result())
    return result


def check_reference(name: str, dtype: str, result: Result) -> dict[str, Any]:
    """The largest error of the reference in ULP of `dtype`, at points of all chunks and at the
    worst input, and the number of points."""
    step = max(1, len(result.samples) * 8 // CHECKED)
    parts = [*result.samples[::step], ([np.array([x]) for x in result.worst_at], None)]
    errors = []
    for arrays, exact in parts:
        values = reference.evaluate(name, arrays, dtype) if exact is None else exact
        errors.append(reference.exact_errors(name, arrays, values, dtype))
    found = np.concatenate(errors)
    return {"reference_error": float(np.max(found)), "checked": found.size}


def describe(values: Sequence[Any]) -> list[str]:
    """The numbers as C's hexadecimal literals, which every float is exactly."""
    return [float(value).hex() for value in values]


def measure(row: dict[str, Any], dtype: str, device: Device, quick: bool) -> dict[str, Any]:
    """The row of the results, numbers and texts only; without an error where the op is exact."""
    name = row["name"]
    result = sample(row, dtype, device, quick)
    found = {"function": name, "dtype": dtype, "inputs": result.inputs, "wrong": result.wrong}
    found["wrong_at"] = describe(result.wrong_at)
    if row["ulp"] == 0:
        return found
    found |= {"max": result.worst, "mean": result.total / max(1, result.finite)}
    found |= {"at": describe(result.worst_at)} | check_reference(name, dtype, result)
    can_sweep = device.kind != "cpu" and device.features["float64"] and not quick
    if can_sweep and dtype == "float32" and row["kind"] == "unary":
        found |= swept(name, device, found)
    return found


def swept(name: str, device: Device, sampled: dict[str, Any]) -> dict[str, Any]:
    """What a sweep changes in the row of the sample: the worst of both, other numbers its own."""
    every = sweep(name, device, NEAR_ZERO.get(name, 0.0))
    found: dict[str, Any] = {"inputs": every.inputs, "wrong": every.wrong}
    found["mean"] = every.total / every.inputs
    found["wrong_at"] = describe([as_float32(every.wrong_bits)] if every.wrong else [])
    if every.worst > sampled["max"]:
        found |= {"max": every.worst, "at": describe([as_float32(every.worst_bits)])}
    return found


def as_float32(bits: int) -> Any:
    """The number with these bits."""
    return np.array([bits], np.uint32).view(np.float32)[0]
