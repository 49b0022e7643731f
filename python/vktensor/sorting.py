"""Sorting along an axis."""

from __future__ import annotations

from vktensor import _core
from vktensor._core import Tensor

__all__ = ["argsort", "sort"]


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
