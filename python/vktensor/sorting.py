"""Sorting along an axis, and what is found by sorting: the values that are there."""

from __future__ import annotations

from typing import NamedTuple

from vktensor import _core, elementwise, statistics
from vktensor._checks import check_tensors
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
    """Elements along an axis in ascending or descending order.

    A radix sort [1]_: time grows with the number of elements and the bytes of one. NaN is beyond
    every number: last, or first in descending order.

    Parameters
    ----------
    x : Tensor
        Of any dtype but complex and at least one dimension.
    axis : int, optional
        Along which axis.
    descending : bool, optional
        True puts the largest first.
    stable : bool, optional
        Always so, whatever it says: equal elements keep their order, also -0 and 0, and NaNs.

    Returns
    -------
    Tensor
        A copy of the shape and dtype of `x`.

    Raises
    ------
    TypeError
        Complex numbers.
    ValueError
        No dimensions, an axis out of bounds, or 2**32 - 2**16 elements or more along it.

    References
    ----------
    .. [1] A. Adinets, D. Merrill: Onesweep: a faster least significant digit radix sort for GPUs.
       2022.

    Examples
    --------
    >>> vt.sort(vt.asarray([3, 1, 2]), descending=True)
    Tensor([3, 2, 1], dtype=int64)
    """
    del stable
    result: Tensor = _core.sort(x, axis, descending)
    return result


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Indices that sort along an axis, in ascending or descending order.

    As `vt.sort`: a stable radix sort, NaN beyond every number.

    Parameters
    ----------
    x : Tensor
        Of any dtype but complex and at least one dimension.
    axis : int, optional
        Along which axis.
    descending : bool, optional
        True puts the largest first.
    stable : bool, optional
        Always so, whatever it says: equal elements keep their order, also -0 and 0, and NaNs.

    Returns
    -------
    Tensor
        Of the shape of `x`, int64.

    Raises
    ------
    TypeError
        Complex numbers.
    ValueError
        No dimensions, an axis out of bounds, or 2**32 - 2**16 elements or more along it.

    Examples
    --------
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
        check_tensors(op, x)
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
    """Distinct values, where they are first, how they make up the tensor, and how often they come.

    The number of values is read on the host.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype. Complex numbers are ordered by real part, then by imaginary part;
        NaNs are distinct from each other, -0 and 0 are not.

    Returns
    -------
    UniqueAll
        A named tuple: the `values`, ascending; the `indices` of their first occurrences in the
        flattened `x`; the `inverse_indices` that make `x` of the values, in its shape; and their
        `counts`. All but the values are int64.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        2**32 - 2**16 elements or more.

    Examples
    --------
    >>> vt.unique_all(vt.asarray([7, 5, 7])).inverse_indices
    Tensor([1, 0, 1], dtype=int64)
    """
    runs = Runs("unique_all", x)
    return UniqueAll(runs.values(), runs.indices(), runs.inverse(), runs.counts())


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """Distinct values, and how often they come.

    The number of values is read on the host.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype. Complex numbers are ordered by real part, then by imaginary part;
        NaNs are distinct from each other, -0 and 0 are not.

    Returns
    -------
    UniqueCounts
        A named tuple: the `values`, ascending, and their `counts`, int64.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        2**32 - 2**16 elements or more.

    Examples
    --------
    >>> vt.unique_counts(vt.asarray([7, 5, 7])).counts
    Tensor([1, 2], dtype=int64)
    """
    runs = Runs("unique_counts", x)
    return UniqueCounts(runs.values(), runs.counts())


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """Distinct values, and how they make up the tensor.

    The number of values is read on the host.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype. Complex numbers are ordered by real part, then by imaginary part;
        NaNs are distinct from each other, -0 and 0 are not.

    Returns
    -------
    UniqueInverse
        A named tuple: the `values`, ascending, and the `inverse_indices` that make `x` of them,
        int64, in its shape.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        2**32 - 2**16 elements or more.

    Examples
    --------
    >>> found = vt.unique_inverse(vt.asarray([7, 5, 7]))
    >>> vt.take(found.values, found.inverse_indices)
    Tensor([7, 5, 7], dtype=int64)
    """
    runs = Runs("unique_inverse", x)
    return UniqueInverse(runs.values(), runs.inverse())


def unique_values(x: Tensor, /) -> Tensor:
    """Distinct values, ascending.

    The number of values is read on the host.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype. Complex numbers are ordered by real part, then by imaginary part;
        NaNs are distinct from each other, -0 and 0 are not.

    Returns
    -------
    Tensor
        The values, of one dimension and the dtype of `x`.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        2**32 - 2**16 elements or more.

    Examples
    --------
    >>> vt.unique_values(vt.asarray([7, 5, 7]))
    Tensor([5, 7], dtype=int64)
    """
    return Runs("unique_values", x).values()
