"""What ufuncs do beside a call where no kernel does it: whole tensors are combined in tree order.

The functions are associative but for rounding; the order depends on shapes and indices alone, so
the bits are the same on every run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vktensor import _core, manipulation
from vktensor._core import Tensor

Function = Callable[..., Any]

#: Functions of which any order of operands gives the same but for rounding.
ASSOCIATIVE = (
    *("add", "multiply", "maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or"),
    *("logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm", "logaddexp"),
    "logaddexp2",
)


# ---- runs ---------------------------------------------------------------------------------------


def combine_runs(
    combine: Callable[..., Tensor], values: Tensor, rank: Tensor, longest: int
) -> Tensor:
    """Each element combined with those before it in its run, of which it is the `rank`-th from 0:
    by doubling distances (Hillis and Steele 1986), in an order that depends on the ranks alone."""
    step = 1
    while step < longest:
        joined = combine(values[:-step], values[step:])
        later = _core.where(rank[step:] >= step, joined, values[step:])
        values = _core.concat([values[:step], later], 0)
        step *= 2
    return values


class Places:
    """Equal indices beside each other: made of 1-d int64 indices >= 0."""

    def __init__(self, indices: Tensor) -> None:
        ordered, self.order = _core.sort(indices, 0, False, True, True)
        n = indices.size
        here = _core.iota((n,), indices.device)
        #: Of each sorted index the number of equal ones before it.
        self.rank = here - _core.searchsorted(ordered, ordered)
        end = _core.full((1,), 0, "int64", indices.device)
        last = _core.concat([self.rank[1:], end], 0) == 0
        self._ends = _core.flat_nonzero(last)
        self.indices = _core.take(ordered, self._ends, 0)
        self.sorted = ordered
        self.longest = int(_core.reduce("max", self.rank)) + 1

    def combine(self, function: Callable[..., Tensor], values: Tensor) -> Tensor:
        """`values` of equal indices combined by an associative function, for each of `indices`."""
        ordered = _core.take(values, self.order, 0)
        shape = (-1, *[1] * (values.ndim - 1))
        rank = _core.reshape(self.rank, shape, None)
        return _core.take(combine_runs(function, ordered, rank, self.longest), self._ends, 0)


# ---- methods ------------------------------------------------------------------------------------


def _leading(op: str, x: Tensor, axis: int) -> tuple[Tensor, int]:
    """`x` with `axis` first, and its number."""
    if not isinstance(axis, (int, np.integer)) or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{op}: expected one of {x.ndim} axes, got {axis!r}")
    axis = int(axis) % x.ndim
    return manipulation.moveaxis(x, axis, 0), axis


def _uniform(function: Function, x: Tensor) -> Tensor:
    """`x` in the dtype of the function's results."""
    found: Tensor = function(x[:0], x[:0])
    return _core.astype(x, found.dtype, False)


def reduce(
    op: str, function: Function, x: Tensor, axis: int, keepdims: bool, identity: Any
) -> Tensor:
    """The elements along `axis` combined, halves with each other; `identity` for none, ValueError
    where that is None."""
    rows, axis = _leading(op, x, axis)
    rows = _uniform(function, rows)
    if rows.shape[0] < 2 and identity is not None:
        none = _core.full((2 - rows.shape[0], *rows.shape[1:]), identity, rows.dtype, x.device)
        rows = _core.concat([rows, none], 0)
    if rows.shape[0] == 0:
        raise ValueError(f"{op}: expected at least one element along axis {axis}")
    while (n := rows.shape[0]) > 1:
        half = n // 2
        joined = function(rows[:half], rows[half : 2 * half])
        rows = joined if n % 2 == 0 else _core.concat([joined, rows[-1:]], 0)
    return manipulation.moveaxis(rows, 0, axis) if keepdims else rows[0]


def accumulate(op: str, function: Function, x: Tensor, axis: int) -> Tensor:
    """Each element along `axis` combined with all before it."""
    rows, axis = _leading(op, x, axis)
    n = rows.shape[0]
    if n:
        shape = (n, *[1] * (rows.ndim - 1))
        rank = _core.reshape(_core.iota((n,), x.device), shape, None)
        rows = combine_runs(function, _uniform(function, rows), rank, n)
    return manipulation.moveaxis(rows, 0, axis)


def reduceat(op: str, function: Function, x: Tensor, indices: Any, axis: int) -> Tensor:
    """For each of the `indices` the elements from it up to the next, combined; where the next is
    not greater, the one element there."""
    rows, axis = _leading(op, x, axis)
    n = rows.shape[0]
    starts = np.asarray(indices)
    if starts.ndim != 1 or starts.dtype.kind not in "iu":
        raise TypeError(f"{op}: expected integers of 1 dimension as indices, got {starts.dtype}")
    if starts.size and not (starts.min() >= 0 and starts.max() < n):
        raise IndexError(f"{op}: indices are out of bounds for axis {axis} with size {n}")
    starts = starts.astype(np.int64)
    lengths = np.maximum(np.append(starts[1:], n) - starts, 1)[: starts.size]
    ends = np.cumsum(lengths)
    # Of each element of each run, laid out one after another, its number in the run and its place.
    rank = np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)
    place = np.repeat(starts, lengths) + rank
    rows = _uniform(function, _core.take(rows, _core.asarray(place, None, x.device, None), 0))
    shape = (-1, *[1] * (rows.ndim - 1))
    rank_of = _core.reshape(_core.asarray(rank, None, x.device, None), shape, None)
    runs = combine_runs(function, rows, rank_of, int(lengths.max(initial=0)))
    found = _core.take(runs, _core.asarray(ends - 1, None, x.device, None), 0)
    return manipulation.moveaxis(found, 0, axis)


def _flattened(x: Tensor) -> Tensor:
    """A view of `x` with one axis where there is one, else a copy."""
    try:
        return _core.reshape(x, (-1,), False)
    except ValueError:
        return _core.reshape(x, (-1,), True)


def _given(values: list[Any], places: Tensor, dtype: Any) -> list[Tensor]:
    """The operands for each of the places, flattened; numbers in `dtype`."""
    found = []
    for value in values:
        if not isinstance(value, Tensor):
            kind = None if isinstance(value, (list, tuple, np.ndarray)) else dtype
            value = _core.asarray(value, kind, places.device, None)
        found.append(_core.reshape(_core.broadcast_to(value, places.shape), (-1,), None))
    return found


def at(op: str, function: Function, x: Tensor, index: Any, values: list[Any], tree: Any) -> None:
    """Combines the elements of `x` at `index` with the values there, duplicates each time.

    `tree` is the associative function by which values of equal indices are combined first; without
    one they are taken one after another, as many rounds as an index has duplicates.
    """
    places = _core.reshape(_core.iota((x.size,), x.device), x.shape, None)[index]
    if not places.size:
        return
    flat, given = _flattened(x), _given(values, places, x.dtype)
    result = function(flat[:0], *(value[:0] for value in given))
    if not np.can_cast(result.dtype, x.dtype, "same_kind"):
        raise TypeError(f"{op}: a result of dtype {result.dtype} does not fit into {x.dtype}")
    runs = Places(_core.reshape(places, (-1,), None))
    if tree is not None:
        held = _core.astype(given[0], _core.result_type(flat, given[0]), False)
        total = runs.combine(tree, _uniform(tree, held))
        flat[runs.indices] = function(_core.take(flat, runs.indices, 0), total)
    else:
        for turn in range(runs.longest):
            those = _core.flat_nonzero(runs.rank == turn)
            here, source = _core.take(runs.sorted, those, 0), _core.take(runs.order, those, 0)
            operands = [_core.take(value, source, 0) for value in given]
            flat[here] = function(_core.take(flat, here, 0), *operands)
    _core.assign(x, _core.reshape(flat, x.shape, None))
