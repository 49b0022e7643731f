"""Reductions and scans: the input expression is computed as it is loaded, in a fixed order.

`axis` is one axis, several, or None for all; `keepdims` keeps them with length 1. ValueError for a
missing or repeated axis.
"""

from __future__ import annotations

from vktensor import _core
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
    """Sum over `axis`, pairwise, within 2 log2(n) eps of the sum of ``|x|``; 0 for no elements.

    Narrow integers and bool are summed in int64 or uint64, which is then the result's dtype;
    float16 and bfloat16 in float32, rounded once.

    >>> vt.sum(vt.asarray([1, 2, 3]))
    Tensor(6, dtype=int64)
    """
    return _core.reduce("sum", x, axis, keepdims, dtype)


def prod(
    x: Tensor, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Product over `axis`; 1 for no elements. dtypes as in `sum`.

    >>> vt.prod(vt.asarray([2, 3, 4]))
    Tensor(24, dtype=int64)
    """
    return _core.reduce("prod", x, axis, keepdims, dtype)


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over `axis`; NaN if there is one. ValueError for no elements.

    >>> vt.max(vt.asarray([1, 5, 2]))
    Tensor(5, dtype=int64)
    """
    return _core.reduce("max", x, axis, keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over `axis`; NaN if there is one. ValueError for no elements.

    >>> vt.min(vt.asarray([1, 5, 2]))
    Tensor(1, dtype=int64)
    """
    return _core.reduce("min", x, axis, keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over `axis`, in the accumulator of `sum` and rounded once; NaN for no
    elements.

    >>> vt.mean(vt.asarray([1.0, 2.0, 6.0]))
    Tensor(3., dtype=float32)
    """
    return _core.reduce("mean", x, axis, keepdims)


def var(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Variance over `axis`: the sum of squared differences from the mean over (n - correction).

    Merged pairwise (Chan, Golub, LeVeque 1983), the same bits on every run. NaN propagates.

    >>> vt.var(vt.asarray([1.0, 2.0, 3.0, 6.0]))
    Tensor(3.5, dtype=float32)
    """
    return _core.reduce("var", x, axis, keepdims, None, correction)


def std(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Standard deviation over `axis`: the square root of `var`.

    >>> vt.std(vt.asarray([1.0, 3.0]))
    Tensor(1., dtype=float32)
    """
    return _core.reduce("std", x, axis, keepdims, None, correction)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """True where some element over `axis` is not zero (NaN is not); False for no elements.

    >>> vt.any(vt.asarray([0, 1]))
    Tensor(True, dtype=bool)
    """
    return _core.reduce("any", x, axis, keepdims)


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """True where no element over `axis` is zero; True for no elements.

    >>> vt.all(vt.asarray([0, 1]))
    Tensor(False, dtype=bool)
    """
    return _core.reduce("all", x, axis, keepdims)


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int64) of the first largest element along `axis`, or in C order; the first NaN wins.

    >>> vt.argmax(vt.asarray([1, 5, 5]))
    Tensor(1, dtype=int64)
    """
    return _core.reduce("argmax", x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index (int64) of the first smallest element along `axis`, or in C order; the first NaN wins.

    >>> vt.argmin(vt.asarray([4, 1, 1]))
    Tensor(1, dtype=int64)
    """
    return _core.reduce("argmin", x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Number (int64) of elements over `axis` that are not zero.

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
    """Running sums along `axis`, which may be left out for one axis; `include_initial` begins with
    0. dtypes as in `sum`.

    Beyond a tile of the kernel rounding errors are carried along, so they do not grow with the
    length: at most 31 eps of the sum of ``|x|`` up to there, commonly one or two. Prefixes of
    non-negative floats may dip by one ULP where tiles meet.

    >>> vt.cumulative_sum(vt.asarray([1, 2, 3]))
    Tensor([1, 3, 6], dtype=int64)
    """
    return _core.scan("cumulative_sum", x, _only_axis(x, axis), dtype, include_initial)


def cumulative_prod(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Running products along `axis`, which may be left out for one axis; `include_initial` begins
    with 1. dtypes as in `sum`.

    >>> vt.cumulative_prod(vt.asarray([2, 3, 4]))
    Tensor([ 2,  6, 24], dtype=int64)
    """
    return _core.scan("cumulative_prod", x, _only_axis(x, axis), dtype, include_initial)


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Operand | None = None,
    append: Operand | None = None,
) -> Tensor:
    """Differences of neighbours along `axis`, taken `n` times, of `x` with `prepend` before it and
    `append` behind it: tensors, or a number for all of the other axes.

    Numeric; bool elements are compared (not_equal). ValueError for n < 0.

    >>> vt.diff(vt.asarray([1, 4, 9]))
    Tensor([3, 5], dtype=int64)
    """
    if n < 0:
        raise ValueError(f"diff: expected n >= 0, got {n}")
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"diff: axis {axis} is out of bounds for {x.ndim} dimensions")
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


def _only_axis(x: Tensor, axis: int | None) -> int:
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"cumulative: expected an axis for {x.ndim} dimensions")
        return 0
    return axis
