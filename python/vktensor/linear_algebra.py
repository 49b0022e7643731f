"""Products of vectors, matrices and tensors: views and reshapes around one kernel family."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from vktensor import _core
from vktensor._core import Tensor
from vktensor._dtypes import float32

__all__ = ["matmul", "tensordot", "vecdot"]


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Matrix product of (..., M, K) and (..., K, N); leading axes broadcast, 1-d operands are a row
    or a column.

    Numeric; float16 and bfloat16 accumulate in float32 and round once. Each element is within (K +
    c) eps |x1| |x2|. ValueError where K differs, TypeError for bool.

    >>> vt.matmul(vt.asarray([[1, 2], [3, 4]]), vt.asarray([1, 1]))
    Tensor([3, 7], dtype=int64)
    """
    return _core.matmul(x1, x2)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Sum of x1 * x2 along `axis` (negative: counted after broadcasting), whose lengths agree.
    Numeric.

    >>> vt.vecdot(vt.asarray([1, 2, 3]), vt.asarray([4, 5, 6]))
    Tensor(32, dtype=int64)
    """
    if not -min(x1.ndim, x2.ndim) <= axis < 0:
        if axis >= 0 and x1.ndim == x2.ndim and axis < x1.ndim:
            axis -= x1.ndim
        else:
            raise ValueError(
                f"vecdot: axis {axis} is out of bounds for shapes {x1.shape} and {x2.shape}"
            )
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(
            f"vecdot: expected equal lengths along axis {axis}, got {x1.shape} and {x2.shape}"
        )
    dtype = _core.result_type(x1, x2)
    if dtype.itemsize == 2 and dtype.kind not in "iu":
        # Products of halves are exact in float32, in which they are summed; so one rounding is all.
        x1, x2 = _core.astype(x1, float32, False), _core.astype(x2, float32, False)
    return _core.reduce("sum", x1 * x2, axis, False, dtype)


def tensordot(
    x1: Tensor,
    x2: Tensor,
    /,
    *,
    axes: int | tuple[Sequence[int], Sequence[int]] = 2,
) -> Tensor:
    """Sum of products over pairs of axes: the last `axes` of x1 with the first of x2, or two lists
    that name them.

    ValueError where the lengths of a pair differ.

    >>> vt.tensordot(vt.ones((2, 3)), vt.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    if isinstance(axes, int):
        if not 0 <= axes <= min(x1.ndim, x2.ndim):
            raise ValueError(
                f"tensordot: expected 0 <= axes <= {min(x1.ndim, x2.ndim)}, got {axes}"
            )
        left = list(range(x1.ndim - axes, x1.ndim))
        right = list(range(axes))
    else:
        left = [_axis(a, x1.ndim) for a in axes[0]]
        right = [_axis(a, x2.ndim) for a in axes[1]]
    pairs = [x1.shape[a] for a in left], [x2.shape[a] for a in right]
    if pairs[0] != pairs[1]:
        raise ValueError(
            f"tensordot: expected equal lengths, got {tuple(pairs[0])} and {tuple(pairs[1])}"
        )
    rows = [a for a in range(x1.ndim) if a not in left]
    cols = [a for a in range(x2.ndim) if a not in right]
    depth = prod(pairs[0])
    row_shape = [x1.shape[a] for a in rows]
    col_shape = [x2.shape[a] for a in cols]
    a = _core.reshape(_core.permute_dims(x1, rows + left), (prod(row_shape), depth), None)
    b = _core.reshape(_core.permute_dims(x2, right + cols), (depth, prod(col_shape)), None)
    return _core.reshape(_core.matmul(a, b), row_shape + col_shape, None)


def _axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ValueError(f"tensordot: axis {axis} is out of bounds for {ndim} dimensions")
    return axis % ndim
