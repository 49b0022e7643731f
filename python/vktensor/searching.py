"""Looking values up: in sorted tensors, in sets, and those that are not zero."""

from __future__ import annotations

from typing import Literal

from vktensor import _core
from vktensor._checks import check_operands, check_tensors
from vktensor._core import Tensor
from vktensor._typing import Operand

__all__ = ["argwhere", "flatnonzero", "isin", "nonzero", "searchsorted"]


#: With more elements than this `isin` sorts what it looks for: there both ways took as long for a
#: million int32 elements, and for a thousand pairs were faster up to 64 (llvmpipe, 2 cores).
_MANY = 32


def _beside(op: str, x1: Operand, x2: Operand) -> tuple[Tensor, Tensor]:
    """Both as tensors: a Python scalar takes the dtype it has beside the Tensor."""
    check_operands(op, x1, x2)
    device = next(x.device for x in (x1, x2) if isinstance(x, Tensor))
    dtype = _core.result_type(x1, x2)
    first, second = (
        x if isinstance(x, Tensor) else _core.full((), x, dtype, device) for x in (x1, x2)
    )
    return first, second


def searchsorted(
    x1: Tensor,
    x2: Operand,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: Tensor | None = None,
) -> Tensor:
    """Where elements belong in a sorted tensor, so that it stays sorted.

    Parameters
    ----------
    x1 : Tensor
        Sorted, ascending, of one dimension and any dtype but complex; NaN is behind all numbers.
    x2 : Tensor or scalar
        The elements to look for, of any shape.
    side : {'left', 'right'}, optional
        Among equal elements the first place, or the place behind the last.
    sorter : Tensor or None, optional
        Integers that sort `x1`, as `vt.argsort` gives them; `x1` is then in any order.

    Returns
    -------
    Tensor
        Of the shape of `x2`, int64, from 0 to the length of `x1`.

    Raises
    ------
    TypeError
        Neither is a Tensor, or one is complex.
    ValueError
        `x1` of other than one dimension, a `sorter` of another shape, or another `side`.

    Examples
    --------
    >>> vt.searchsorted(vt.asarray([1, 3, 3, 5]), vt.asarray([3, 4]))
    Tensor([1, 3], dtype=int64)
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: expected side 'left' or 'right', got {side!r}")
    x1, x2 = _beside("searchsorted", x1, x2)
    if sorter is not None:
        if sorter.shape != x1.shape:
            raise ValueError(
                f"searchsorted: expected a sorter of shape {x1.shape}, got {sorter.shape}"
            )
        x1 = _core.take(x1, sorter, 0)
    return _core.searchsorted(x1, x2, side == "right")


def isin(x1: Operand, x2: Operand, /, *, invert: bool = False) -> Tensor:
    """True where an element of `x1` equals some element of `x2`; NaN equals nothing.

    With few elements in `x2`, or complex ones, every pair is compared, in one kernel that stores
    none of the results; many are sorted and searched.

    Parameters
    ----------
    x1 : Tensor or scalar
        The elements to look for, of any shape and dtype.
    x2 : Tensor or scalar
        Where to look, of any shape and dtype. One of the two is a Tensor.
    invert : bool, optional
        True asks for elements that equal none.

    Returns
    -------
    Tensor
        Of the shape of `x1`, bool.

    Raises
    ------
    TypeError
        Neither is a Tensor.

    Examples
    --------
    >>> vt.isin(vt.asarray([1, 2, 3]), vt.asarray([3, 1]))
    Tensor([ True, False,  True], dtype=bool)
    """
    x1, x2 = _beside("isin", x1, x2)
    dtype = _core.result_type(x1, x2)
    if x2.size > _MANY and dtype.kind != "c":
        x1 = _core.astype(x1, dtype, False)
        known = _core.astype(_core.reshape(x2, (-1,), None), dtype, False)
        known = _core.sort(known, 0, False)
        places = _core.minimum(_core.searchsorted(known, x1), x2.size - 1)
        found = _core.take(known, places, 0) == x1
    else:
        pairs = _core.expand_dims(x1, (x1.ndim,)) == _core.reshape(x2, (-1,), None)
        found = _core.reduce("any", pairs, -1)
    return _core.logical_not(found) if invert else found


def coordinates(flat: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Where the elements of these numbers, in C order, are along each axis."""
    found: list[Tensor] = []
    for length in reversed(shape):
        found.append(flat % length if length and len(found) + 1 < len(shape) else flat)
        flat = flat // length if length else flat
    return tuple(reversed(found))


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Where elements are not zero, in C order; waits for their number.

    Parameters
    ----------
    x : Tensor
        Of any dtype and at least one dimension; NaN is not zero.

    Returns
    -------
    tuple of Tensor
        For each axis the places along it, int64, of one dimension.

    Raises
    ------
    ValueError
        No dimensions.

    Examples
    --------
    >>> rows, columns = vt.nonzero(vt.asarray([[0, 5], [7, 0]]))
    >>> columns
    Tensor([1, 0], dtype=int64)
    """
    check_tensors("nonzero", x)
    if x.ndim == 0:
        raise ValueError("nonzero: expected at least 1 dimension, got 0")
    return coordinates(_core.flat_nonzero(x), x.shape)


def flatnonzero(x: Tensor, /) -> Tensor:
    """Where elements are not zero, counted in C order; waits for their number.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype; NaN is not zero.

    Returns
    -------
    Tensor
        The places in the flattened `x`, int64, of one dimension.

    Examples
    --------
    >>> vt.flatnonzero(vt.asarray([[0, 5], [7, 0]]))
    Tensor([1, 2], dtype=int64)
    """
    check_tensors("flatnonzero", x)
    return _core.flat_nonzero(x)


def argwhere(x: Tensor, /) -> Tensor:
    """Where elements are not zero, a row for each; waits for their number.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype; NaN is not zero.

    Returns
    -------
    Tensor
        The places, int64, of shape (number found, dimensions of `x`).

    Examples
    --------
    >>> vt.argwhere(vt.asarray([[0, 5], [7, 0]]))
    Tensor([[0, 1],
            [1, 0]], dtype=int64)
    """
    check_tensors("argwhere", x)
    flat = _core.flat_nonzero(x)
    if x.ndim == 0:
        return _core.empty((flat.shape[0], 0), "int64", x.device)
    columns = [_core.expand_dims(at, (1,)) for at in coordinates(flat, x.shape)]
    return _core.concat(columns, 1)
