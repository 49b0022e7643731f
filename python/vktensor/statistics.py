"""Reductions and scans: the input expression is computed as it is loaded, in a fixed order.

`axis` is one axis, several, or None for all; `keepdims` keeps them with length 1. ValueError for a
missing or repeated axis.
"""

from __future__ import annotations

from numpy.exceptions import AxisError

from vktensor import _core
from vktensor._checks import check_tensors
from vktensor._core import Tensor
from vktensor._typing import Axis, DTypeLike, Operand

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def sum(
    x: Tensor, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Sum over axes; 0 for no elements.

    Added up pairwise in a fixed order: the same bits on every run, and an error within 2 log2(n)
    eps of the sum of ``|x|``. float16 and bfloat16 are summed in float32 and rounded once.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    dtype : dtype, optional
        Of the result. By default int64 or uint64 for narrow integers and bool, else `x`'s.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and `dtype`.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.sum(vt.asarray([[1, 2], [3, 4]]), axis=0)
    Tensor([4, 6], dtype=int64)
    """
    return _core.reduce("sum", x, axis, keepdims, dtype)


def prod(
    x: Tensor, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Product over axes; 1 for no elements.

    In a fixed order: the same bits on every run. float16 and bfloat16 are multiplied in float32 and
    rounded once.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    dtype : dtype, optional
        Of the result. By default int64 or uint64 for narrow integers and bool, else `x`'s.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and `dtype`.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.prod(vt.asarray([2, 3, 4]))
    Tensor(24, dtype=int64)
    """
    return _core.reduce("prod", x, axis, keepdims, dtype)


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over axes; NaN if there is one.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and its dtype.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.
    ValueError
        An axis that is out of bounds or named twice, or one of no elements.

    Examples
    --------
    >>> vt.max(vt.asarray([[1, 5], [7, 2]]), axis=1)
    Tensor([5, 7], dtype=int64)
    """
    return _core.reduce("max", x, axis, keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over axes; NaN if there is one.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and its dtype.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.
    ValueError
        An axis that is out of bounds or named twice, or one of no elements.

    Examples
    --------
    >>> vt.min(vt.asarray([[1, 5], [7, 2]]), axis=1)
    Tensor([1, 2], dtype=int64)
    """
    return _core.reduce("min", x, axis, keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over axes; NaN for no elements.

    The sum is that of `vt.sum`; the mean is rounded once.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.mean(vt.asarray([1.0, 2.0, 6.0]))
    Tensor(3., dtype=float32)
    """
    return _core.reduce("mean", x, axis, keepdims)


def var(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Variance over axes: squared distances from the mean, summed, over n - correction.

    Merged pairwise (Chan, Golub, LeVeque 1983), the same bits on every run. NaN propagates.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    correction : float, optional
        What is subtracted from the number of elements n, by which is divided: 1 for a sample's.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.var(vt.asarray([1.0, 2.0, 3.0, 6.0]))
    Tensor(3.5, dtype=float32)
    """
    return _core.reduce("var", x, axis, keepdims, None, correction)


def std(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Standard deviation over axes: the square root of the variance.

    Merged pairwise (Chan, Golub, LeVeque 1983), the same bits on every run. NaN propagates.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    correction : float, optional
        What is subtracted from the number of elements n, by which is divided: 1 for a sample's.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.std(vt.asarray([1.0, 2.0, 3.0, 6.0]))
    Tensor(1.8708287, dtype=float32)
    """
    return _core.reduce("std", x, axis, keepdims, None, correction)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """True where some element over axes is not zero; False for no elements.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype; NaN is not zero.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes, bool.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.any(vt.asarray([0, 1]))
    Tensor(True, dtype=bool)
    """
    return _core.reduce("any", x, axis, keepdims)


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """True where no element over axes is zero; True for no elements.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype; NaN is not zero.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes, bool.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.all(vt.asarray([0, 1]))
    Tensor(False, dtype=bool)
    """
    return _core.reduce("all", x, axis, keepdims)


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the first largest element; that of the first NaN if there is one.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    axis : int or None, optional
        Along which axis; None counts all elements in C order.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes, int64.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.
    ValueError
        An axis that is out of bounds or of no elements.

    Examples
    --------
    >>> vt.argmax(vt.asarray([1, 5, 5]))
    Tensor(1, dtype=int64)
    """
    return _core.reduce("argmax", x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the first smallest element; that of the first NaN if there is one.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    axis : int or None, optional
        Along which axis; None counts all elements in C order.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes, int64.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.
    ValueError
        An axis that is out of bounds or of no elements.

    Examples
    --------
    >>> vt.argmin(vt.asarray([4, 1, 1]))
    Tensor(1, dtype=int64)
    """
    return _core.reduce("argmin", x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Number of elements over axes that are not zero.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype; NaN is not zero.
    axis : int, sequence of int or None, optional
        Over which axes; over all for None.
    keepdims : bool, optional
        True keeps the axes, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without the axes, int64.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds or named twice.

    Examples
    --------
    >>> vt.count_nonzero(vt.asarray([0, 3, 4]))
    Tensor(2, dtype=int64)
    """
    return _core.reduce("count_nonzero", x, axis, keepdims)


def cumulative_sum(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Running sums along an axis.

    Beyond a tile of the kernel rounding errors are carried along, so they do not grow with the
    length: at most 31 eps of the sum of ``|x|`` up to there, commonly one or two. Prefixes of
    non-negative floats may dip by one ULP where tiles meet.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or None, optional
        Along which axis; it may be left out where there is only one.
    dtype : dtype, optional
        Of the result. By default int64 or uint64 for narrow integers and bool, else `x`'s.
    include_initial : bool, optional
        True begins with 0, and the axis is longer by one.

    Returns
    -------
    Tensor
        Of the shape of `x` and `dtype`.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds, or None for other than one dimension.

    Examples
    --------
    >>> vt.cumulative_sum(vt.asarray([1, 2, 3]))
    Tensor([1, 3, 6], dtype=int64)
    """
    return _core.scan(
        "cumulative_sum", x, _only_axis("cumulative_sum", x, axis), dtype, include_initial
    )


def cumulative_prod(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Running products along an axis.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or None, optional
        Along which axis; it may be left out where there is only one.
    dtype : dtype, optional
        Of the result. By default int64 or uint64 for narrow integers and bool, else `x`'s.
    include_initial : bool, optional
        True begins with 1, and the axis is longer by one.

    Returns
    -------
    Tensor
        Of the shape of `x` and `dtype`.

    Raises
    ------
    TypeError
        `x` is no Tensor.
    ValueError
        An axis that is out of bounds, or None for other than one dimension.

    Examples
    --------
    >>> vt.cumulative_prod(vt.asarray([2, 3, 4]))
    Tensor([ 2,  6, 24], dtype=int64)
    """
    return _core.scan(
        "cumulative_prod", x, _only_axis("cumulative_prod", x, axis), dtype, include_initial
    )


def diff(
    x: Tensor,
    /,
    n: int = 1,
    *,
    axis: int = -1,
    prepend: Operand | None = None,
    append: Operand | None = None,
) -> Tensor:
    """Differences of neighbours along an axis; of bool where they differ.

    Parameters
    ----------
    x : Tensor
        Of any dtype and at least one dimension.
    n : int, optional
        How often the differences are taken; 0 gives `x` itself.
    axis : int, optional
        Along which axis.
    prepend, append : Tensor, scalar or None, optional
        What is put before and behind `x` along the axis, a number once for each place of the
        others.

    Returns
    -------
    Tensor
        Of the shape of `x`, `prepend` and `append` joined, the axis shorter by `n`.

    Raises
    ------
    ValueError
        A negative `n`, an axis out of bounds, or shapes that cannot be joined.

    Examples
    --------
    >>> vt.diff(vt.asarray([1, 4, 9]))
    Tensor([3, 5], dtype=int64)
    """
    check_tensors("diff", x)
    if n < 0:
        raise ValueError(f"diff: expected n >= 0, got {n}")
    if not -x.ndim <= axis < x.ndim:
        raise AxisError(f"diff: axis {axis} is out of bounds for {x.ndim} dimensions")
    if n == 0:
        return x  # as NumPy: without what was to come before and behind
    parts = [_end(part, x, axis) for part in (prepend, x, append) if part is not None]
    if len(parts) > 1:
        x = _core.concat(parts, axis % x.ndim)
    before = (slice(None),) * (axis % x.ndim)
    for _ in range(n):
        later, earlier = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
        x = later != earlier if x.dtype.kind == "b" else later - earlier
    return x


def _end(part: Operand, x: Tensor, axis: int) -> Tensor:
    """`part` as it is joined to `x`: a number once along `axis`."""
    if not isinstance(part, Tensor):
        part = _core.full((), part, _core.result_type(x, part), x.device)
    if part.ndim > 0:
        return part
    shape = list(x.shape)
    shape[axis] = 1
    return _core.broadcast_to(part, shape)


def _only_axis(op: str, x: Tensor, axis: int | None) -> int:
    check_tensors(op, x)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"{op}: expected an axis for {x.ndim} dimensions")
        return 0
    return axis
