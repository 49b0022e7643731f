"""Making tensors. Values that follow from a rule (zeros, ranges, identity) are lazy and fuse into
what reads them."""

from __future__ import annotations

from typing import Any, Literal

from vktensor import _core
from vktensor._core import Tensor
from vktensor._dtypes import float32, int64
from vktensor._typing import DeviceLike, DTypeLike, Scalar, Shape

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def asarray(
    obj: Any,
    /,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    copy: bool | None = None,
) -> Tensor:
    """`obj` as a Tensor: a Tensor, a NumPy array or scalar, any buffer, a number, or nested
    sequences of them.

    NumPy's dtypes are kept; Python numbers become bool, int64 or float32. `copy=True` always
    copies, `copy=False` raises ValueError where a copy is needed: a NumPy array's memory is then
    shared, see `vt.from_numpy`. TypeError for dtypes there are no tensors of.

    >>> vt.asarray([[1, 2], [3, 4]])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return _core.asarray(obj, dtype, device, copy)


def empty(shape: Shape, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """A Tensor of `shape` with unspecified elements, float32 by default.

    >>> vt.empty((2, 3)).shape
    (2, 3)
    """
    return _core.empty(shape, float32 if dtype is None else dtype, device)


def empty_like(
    x: Tensor, /, *, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:
    """A Tensor with `x`'s shape (and dtype and device, unless given) and unspecified elements."""
    return _core.empty(x.shape, x.dtype if dtype is None else dtype, device or x.device)


def full(
    shape: Shape,
    fill_value: Scalar,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """A Tensor of `shape` whose elements are all `fill_value`; its kind gives the default dtype.

    >>> vt.full((2,), 7)
    Tensor([7, 7], dtype=int64)
    """
    return _core.full(shape, fill_value, dtype, device)


def full_like(
    x: Tensor,
    /,
    fill_value: Scalar,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """`fill_value` everywhere, with `x`'s shape (and dtype and device, unless given)."""
    return _core.full(x.shape, fill_value, x.dtype if dtype is None else dtype, device or x.device)


def ones(shape: Shape, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Ones, float32 by default.

    >>> vt.ones(3)
    Tensor([1., 1., 1.], dtype=float32)
    """
    return _core.full(shape, 1, float32 if dtype is None else dtype, device)


def ones_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Ones, with `x`'s shape (and dtype and device, unless given)."""
    return full_like(x, 1, dtype=dtype, device=device)


def zeros(shape: Shape, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Zeros, float32 by default.

    >>> vt.zeros((2, 2))
    Tensor([[0., 0.],
            [0., 0.]], dtype=float32)
    """
    return _core.full(shape, 0, float32 if dtype is None else dtype, device)


def zeros_like(
    x: Tensor, /, *, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:
    """Zeros, with `x`'s shape (and dtype and device, unless given)."""
    return full_like(x, 0, dtype=dtype, device=device)


def arange(
    start: Scalar,
    /,
    stop: Scalar | None = None,
    step: Scalar = 1,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """start, start + step, ... below `stop` (above it for a negative step); one argument is the
    stop.

    int64 when all arguments are integers, else float32. Each element is start + i * step, rounded
    twice. ValueError for a step of 0.

    >>> vt.arange(5)
    Tensor([0, 1, 2, 3, 4], dtype=int64)
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange: expected a step other than 0")
    if dtype is None:
        floating = any(isinstance(value, float) for value in (start, stop, step))
        dtype = float32 if floating else int64
    span = stop - start
    if isinstance(span, int) and isinstance(step, int):
        count = -(-span // step)
    else:
        count = -int(-span / step // 1)
    count = max(0, count)
    index = _core.iota((count,), device)
    if isinstance(step, int) and isinstance(start, int):
        return _core.astype(index * step + start, dtype, False)
    return _core.astype(index, dtype, False) * float(step) + float(start)


def linspace(
    start: Scalar,
    stop: Scalar,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`, `stop` itself included if `endpoint`;
    float32 by default.

    ValueError for a negative `num`.

    >>> vt.linspace(0, 1, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    if num < 0:
        raise ValueError(f"linspace: expected num >= 0, got {num}")
    dtype = float32 if dtype is None else dtype
    divisions = num - 1 if endpoint else num
    step = (float(stop) - float(start)) / divisions if divisions > 0 else 0.0
    index = _core.iota((num,), device)
    floating = dtype if _core.result_type(dtype, 1.0) == _core.result_type(dtype) else float32
    values = _core.astype(index, floating, False) * step + float(start)
    if endpoint and num > 1:
        values = _core.where(index == num - 1, float(stop), values)
    return _core.astype(values, dtype, False)


def _clamp(k: int, n_rows: int, n_cols: int) -> int:
    """The number of a diagonal, or of one as empty for those beyond: k may be any integer."""
    return max(-n_rows - 1, min(k, n_cols + 1))


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Ones on the `k`-th diagonal (above the main one for k > 0) of an (n_rows, n_cols) Tensor of
    zeros.

    >>> vt.eye(2)
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    n_cols = n_rows if n_cols is None else n_cols
    k = _clamp(k, n_rows, n_cols)
    rows = _core.expand_dims(_core.iota((n_rows,), device), (1,))
    cols = _core.iota((n_cols,), device)
    return _core.astype(cols - rows == k, float32 if dtype is None else dtype, False)


def meshgrid(*arrays: Tensor, indexing: Literal["xy", "ij"] = "xy") -> tuple[Tensor, ...]:
    """The coordinates of a grid whose axes have the points `arrays` (1-d): views, one for each
    array.

    With 'xy' the first array runs along axis 1 and the second along axis 0, with 'ij' each along
    its own. ValueError for other ndim or indexing.

    >>> vt.meshgrid(vt.asarray([1, 2]), vt.asarray([3, 4]))[0]
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: expected indexing 'xy' or 'ij', got {indexing!r}")
    ndim = len(arrays)
    order = list(range(ndim))
    if indexing == "xy" and ndim > 1:
        order[:2] = 1, 0
    shape = [0] * ndim
    for x, axis in zip(arrays, order, strict=True):
        if x.ndim > 1:
            raise ValueError(f"meshgrid: expected 1-d arrays, got shape {x.shape}")
        shape[axis] = x.size
    apart = [
        _core.reshape(x, [-1 if a == axis else 1 for a in range(ndim)], None)
        for x, axis in zip(arrays, order, strict=True)
    ]
    return tuple(_core.broadcast_to(x, shape) for x in apart)


def _triangle(op: str, x: Tensor, k: int, upper: bool) -> Tensor:
    if x.ndim < 2:
        raise ValueError(f"{op}: expected at least 2 dimensions, got {x.ndim}")
    k = _clamp(k, x.shape[-2], x.shape[-1])
    rows = _core.expand_dims(_core.iota((x.shape[-2],), x.device), (1,))
    above = _core.iota((x.shape[-1],), x.device) - rows
    # False is a weak zero: it takes any dtype.
    return _core.where(above >= k if upper else above <= k, x, False)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """`x` with zeros above the `k`-th diagonal of each of its matrices. ValueError for ndim < 2.

    >>> vt.tril(vt.ones((2, 2)))
    Tensor([[1., 0.],
            [1., 1.]], dtype=float32)
    """
    return _triangle("tril", x, k, upper=False)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """`x` with zeros below the `k`-th diagonal of each of its matrices. ValueError for ndim < 2.

    >>> vt.triu(vt.ones((2, 2)))
    Tensor([[1., 1.],
            [0., 1.]], dtype=float32)
    """
    return _triangle("triu", x, k, upper=True)
