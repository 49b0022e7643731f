"""Reductions that leave NaN out; integers and bool, which have none, are reduced as they are."""

from __future__ import annotations

import math
from typing import Any

from vktensor import _core
from vktensor._checks import check_tensors
from vktensor._core import Tensor
from vktensor._typing import Axis, DTypeLike

__all__ = [
    "nanargmax",
    "nanargmin",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def replaced(op: str, x: Tensor, rest: Any) -> Tensor:
    """`x` with `rest` for NaN."""
    check_tensors(op, x)
    return x if x.dtype.kind in "biu" else _core.where(_core.isnan(x), rest, x)


def extreme(name: str, x: Tensor, axis: Axis, keepdims: bool, **options: Any) -> Tensor:
    """The smallest or largest number, NaN where there is none; `options` are those of the method
    `name`."""
    numbers = replaced(f"nan{name}", x, math.inf if name == "min" else -math.inf)
    result: Tensor = getattr(numbers, name)(axis, keepdims=keepdims, **options)
    if x.dtype.kind in "biu" or options.get("initial") is not None:
        return result
    nothing = _core.reduce("all", _core.isnan(x), axis, keepdims)
    return _core.where(nothing, math.nan, result)


def _index(name: str, x: Tensor, axis: int | None, keepdims: bool, rest: float) -> Tensor:
    """Where the smallest or largest number is."""
    numbers = replaced(f"nan{name}", x, rest)
    if x.dtype.kind not in "biu":
        nothing = _core.reduce("all", _core.isnan(x), axis, False)
        if bool(_core.reduce("any", nothing)):
            raise ValueError(f"nan{name}: a slice holds nothing but NaN")
    return _core.reduce(name, numbers, axis, keepdims)


def _moment(
    name: str,
    x: Tensor,
    axis: Axis,
    dtype: DTypeLike | None,
    keepdims: bool,
    correction: float,
) -> Tensor:
    """The mean, variance or standard deviation of the numbers."""
    replaced(f"nan{name}", x, 0)
    x = x if dtype is None else _core.astype(x, dtype, False)
    lost = () if name == "mean" else (correction,)
    if x.dtype.kind in "biu":
        return _core.reduce(name, x, axis, keepdims, None, *lost)
    options = {} if name == "mean" else {"correction": correction}
    where = _core.logical_not(_core.isnan(x))
    found: Tensor = getattr(x, name)(axis, keepdims=keepdims, where=where, **options)
    return found


def nansum(
    x: Tensor, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Sum over an axis of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Numeric.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    dtype : data type, optional
        In which it is computed, and of the result; for None as said below.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        As `sum` gives it; 0 for no elements.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.nansum(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(6., dtype=float32)
    """
    return _core.reduce("sum", replaced("nansum", x, 0), axis, keepdims, dtype)


def nanprod(
    x: Tensor, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Product over an axis of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Numeric.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    dtype : data type, optional
        In which it is computed, and of the result; for None as said below.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        As `prod` gives it; 1 for no elements.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.nanprod(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(8., dtype=float32)
    """
    return _core.reduce("prod", replaced("nanprod", x, 1), axis, keepdims, dtype)


def nanmin(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over an axis that is not NaN.

    Parameters
    ----------
    x : Tensor
        Of real numbers or bool.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        Of the dtype of `x`; NaN where there is nothing else.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated, or there are no elements.

    Examples
    --------
    >>> vt.nanmin(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(2., dtype=float32)
    """
    return extreme("min", x, axis, keepdims)


def nanmax(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over an axis that is not NaN.

    Parameters
    ----------
    x : Tensor
        Of real numbers or bool.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        Of the dtype of `x`; NaN where there is nothing else.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated, or there are no elements.

    Examples
    --------
    >>> vt.nanmax(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(4., dtype=float32)
    """
    return extreme("max", x, axis, keepdims)


def nanargmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where along an axis the first smallest element is that is not NaN.

    Parameters
    ----------
    x : Tensor
        Of real numbers or bool.
    axis : int, optional
        One axis, or None for all elements in C order.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        The indices, int64.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        A slice holds nothing but NaN, which is read on the host, or no elements; or the axis is
        missing.

    Examples
    --------
    >>> vt.nanargmin(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(2, dtype=int64)
    """
    return _index("argmin", x, axis, keepdims, math.inf)


def nanargmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where along an axis the first largest element is that is not NaN.

    Parameters
    ----------
    x : Tensor
        Of real numbers or bool.
    axis : int, optional
        One axis, or None for all elements in C order.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        The indices, int64.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        A slice holds nothing but NaN, which is read on the host, or no elements; or the axis is
        missing.

    Examples
    --------
    >>> vt.nanargmax(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(0, dtype=int64)
    """
    return _index("argmax", x, axis, keepdims, -math.inf)


def nanmean(
    x: Tensor, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Mean over an axis of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Numeric.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    dtype : data type, optional
        In which it is computed, and of the result; for None as said below.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        Of the dtype of `x`, float32 for integers; NaN where there is nothing else.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.nanmean(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(3., dtype=float32)
    """
    return _moment("mean", x, axis, dtype, keepdims, 0)


def nanvar(
    x: Tensor,
    /,
    *,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    correction: float = 0.0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Tensor:
    """Variance over an axis of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Numeric.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    dtype : data type, optional
        In which it is computed, and of the result; for None as said below.
    correction : float, optional
        What is taken off the number of elements, by which the sum of squares is divided.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.
    ddof : float, optional
        NumPy's older name of `correction`.

    Returns
    -------
    Tensor
        Of the dtype of `x`, float32 for integers; NaN where there is nothing else.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.nanvar(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(1., dtype=float32)
    """
    return _moment("var", x, axis, dtype, keepdims, correction if ddof is None else ddof)


def nanstd(
    x: Tensor,
    /,
    *,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    correction: float = 0.0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Tensor:
    """Standard deviation over an axis of the elements that are not NaN.

    Parameters
    ----------
    x : Tensor
        Numeric.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    dtype : data type, optional
        In which it is computed, and of the result; for None as said below.
    correction : float, optional
        What is taken off the number of elements, by which the sum of squares is divided.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.
    ddof : float, optional
        NumPy's older name of `correction`.

    Returns
    -------
    Tensor
        The square root of what `nanvar` gives.

    Raises
    ------
    TypeError
        `x` is no Tensor, or its dtype is not taken.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.nanstd(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(1., dtype=float32)
    """
    return _moment("std", x, axis, dtype, keepdims, correction if ddof is None else ddof)
