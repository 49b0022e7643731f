"""Sorting along an axis, and what is found by sorting: the values that are there."""

from __future__ import annotations

from typing import NamedTuple

from vktensor import _core, elementwise, statistics
from vktensor._core import Tensor

__all__ = [
    "argsort",
    "sort",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Tensor
    inverse_indices: Tensor


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements of `x` along `axis` in ascending or `descending` order.

    Any real dtype; TypeError for complex numbers. NaN is beyond every number: last, or first in
    descending order. Always stable, whatever `stable` says: elements that are equal keep their
    order, and so do -0 and 0, and NaNs, whose bits are kept. A radix sort [1]_: time grows with the
    number of elements and the bytes of one. ValueError for a 0-d `x` and for 2**32 - 2**16
    elements or more along the axis.

    .. [1] A. Adinets, D. Merrill: Onesweep: a faster least significant digit radix sort for GPUs.
       2022.

    >>> vt.sort(vt.asarray([3, 1, 2]), descending=True)
    Tensor([3, 2, 1], dtype=int64)
    """
    del stable
    result: Tensor = _core.sort(x, axis, descending)
    return result


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The indices, int64, that sort `x` along `axis`: as `sort`, and always stable.

    >>> vt.argsort(vt.asarray([3, 1, 2, 1]))
    Tensor([1, 3, 2, 0], dtype=int64)
    """
    del stable
    result: Tensor = _core.sort(x, axis, descending, False, True)
    return result


def _sorted(x: Tensor) -> tuple[Tensor, Tensor]:
    """The 1-d `x` sorted, complex numbers by real part and then by imaginary part, and where each
    element was."""
    if x.dtype.kind != "c":
        values, indices = _core.sort(x, 0, False, True, True)
        return values, indices
    # By what decides last first: each sort keeps the order of the one before.
    indices = argsort(elementwise.imag(x))
    real = _core.take(elementwise.real(x), indices, 0)
    indices = _core.take(indices, argsort(real), 0)
    return _core.take(x, indices, 0), indices


class Runs:
    """The runs of equal elements of a tensor, flattened and sorted; made for the functions below,
    each of which asks for some of it. Finding their number waits for the device."""

    def __init__(self, op: str, x: Tensor, equal_nan: bool = False) -> None:
        if not isinstance(x, Tensor):
            raise TypeError(f"{op}: expected a Tensor, got {type(x).__name__}")
        self._shape = x.shape
        self._sorted, self._indices = _sorted(_core.reshape(x, (-1,), None))
        before, after = self._sorted[:-1], self._sorted[1:]
        starts = before != after
        if equal_nan and x.dtype.kind not in "biu":
            starts = starts & ~(_core.isnan(before) & _core.isnan(after))
        #: Of each sorted element after the first, how many runs began since.
        later = statistics.cumulative_sum(_core.astype(starts, "int64"))
        first = _core.full((min(x.size, 1),), 0, "int64", x.device)
        self._run = _core.concat([first, later], 0)
        n = int(self._run[-1]) + 1 if x.size else 0
        #: Where each run begins.
        self._starts = _core.searchsorted(self._run, _core.iota((n,), x.device))

    def values(self) -> Tensor:
        """One element of each run: the first there was."""
        return _core.take(self._sorted, self._starts, 0)

    def indices(self) -> Tensor:
        """Where it was."""
        return _core.take(self._indices, self._starts, 0)

    def inverse(self) -> Tensor:
        """The run of each element, in the shape of the tensor."""
        runs = _core.empty(self._run.shape, "int64", self._run.device)
        runs[self._indices] = self._run
        return _core.reshape(runs, self._shape, None)

    def counts(self) -> Tensor:
        """The length of each run."""
        end = _core.full((min(self._run.size, 1),), self._run.size, "int64", self._run.device)
        ends = _core.concat([self._starts[1:], end], 0)
        return ends - self._starts


def unique_all(x: Tensor, /) -> UniqueAll:
    """The distinct `values` of `x`, ascending; the `indices` of their first occurrences in the
    flattened `x`; the `inverse_indices` that make `x` of them, in its shape; and their `counts`.

    Any dtype; complex numbers are ordered by real part, then by imaginary part. NaNs are distinct
    from each other, -0 and 0 are not: the first of them is given. All indices and counts are int64.
    The number of values is read on the host. ValueError as for `sort`.

    >>> vt.unique_all(vt.asarray([7, 5, 7])).inverse_indices
    Tensor([1, 0, 1], dtype=int64)
    """
    runs = Runs("unique_all", x)
    return UniqueAll(runs.values(), runs.indices(), runs.inverse(), runs.counts())


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The distinct `values` of `x`, ascending, and their `counts`; as `unique_all`.

    >>> vt.unique_counts(vt.asarray([7, 5, 7])).counts
    Tensor([1, 2], dtype=int64)
    """
    runs = Runs("unique_counts", x)
    return UniqueCounts(runs.values(), runs.counts())


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The distinct `values` of `x`, ascending, and the `inverse_indices` that make `x` of them; as
    `unique_all`.

    >>> found = vt.unique_inverse(vt.asarray([7, 5, 7]))
    >>> vt.take(found.values, found.inverse_indices)
    Tensor([7, 5, 7], dtype=int64)
    """
    runs = Runs("unique_inverse", x)
    return UniqueInverse(runs.values(), runs.inverse())


def unique_values(x: Tensor, /) -> Tensor:
    """The distinct values of `x`, ascending; as `unique_all`.

    >>> vt.unique_values(vt.asarray([7, 5, 7]))
    Tensor([5, 7], dtype=int64)
    """
    return Runs("unique_values", x).values()
