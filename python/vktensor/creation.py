"""Making tensors. Values that follow from a rule (zeros, ranges, identity) are lazy and fuse into
what reads them."""

from __future__ import annotations

from math import ceil, inf, isfinite
from operator import index
from typing import Any, Literal

import numpy as np

from vktensor import _core
from vktensor._core import Tensor
from vktensor._dtypes import DType, complex64, float32, float64, int64
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
    twice; of an integer dtype and integers it is exact and wraps around. ValueError for a step of
    0 and for numbers that are not finite, TypeError for those that are not real.

    >>> vt.arange(5)
    Tensor([0, 1, 2, 3, 4], dtype=int64)
    """
    if stop is None:
        start, stop = 0, start
    first, last, by = (_real("arange", value) for value in (start, stop, step))
    if by == 0:
        raise ValueError("arange: expected a step other than 0")
    if isinstance(first, int) and isinstance(last, int) and isinstance(by, int):
        numbers = _core.iota((max(0, -(-(last - first) // by)),), device)
        dtype = _core.result_type(int64 if dtype is None else dtype)
        if dtype.kind in "iu":
            first, by = _wrapped(first), _wrapped(by)
        return _core.astype(numbers * by + first, dtype, False)
    if not (isfinite(first) and isfinite(last) and isfinite(by)):
        raise ValueError(f"arange: expected finite numbers, got {first}, {last} and {by}")
    numbers = _core.iota((max(0, ceil((last - first) / by)),), device)
    dtype = _core.result_type(float32 if dtype is None else dtype)
    values = _core.astype(numbers, _floating(dtype, device), False) * float(by) + float(first)
    return _core.astype(values, dtype, False)


def _real(op: str, value: Any) -> int | float:
    """A real number, a 0-d tensor's too, as Python has it."""
    try:
        return index(value)
    except TypeError:
        pass
    if not isinstance(value, float):
        kind = getattr(value, "dtype", None)
        if kind is None or kind.kind == "c":
            found = type(value).__name__ if kind is None else kind
            raise TypeError(f"{op}: expected real numbers, got {found}")
    return float(value)


def _wrapped(value: int) -> int:
    """The int64 whose bits are the last 64 of `value`."""
    return (value + 2**63) % 2**64 - 2**63


def _floating(dtype: np.dtype[Any], device: DeviceLike) -> DType | np.dtype[Any]:
    """In which dtype to compute numbers of `dtype`: for integers the widest that the device has."""
    if _core.result_type(dtype, 1.0) == dtype:
        return dtype
    chosen = _core.default_device() if device is None else _core.device_at(device)
    return float64 if chosen.features["float64"] else float32


def linspace(
    start: Scalar | complex,
    stop: Scalar | complex,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` evenly spaced numbers from `start` to `stop`, `stop` itself included if `endpoint`;
    float32 by default, complex64 if one of them is complex.

    For an integer dtype they are rounded down. ValueError for a negative `num`.

    >>> vt.linspace(0, 1, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = index(num)
    if num < 0:
        raise ValueError(f"linspace: expected num >= 0, got {num}")
    is_complex = any(_core.result_type(value).kind == "c" for value in (start, stop))
    convert: Any = complex if is_complex else float
    first, last = convert(start), convert(stop)
    default = complex64 if is_complex else float32
    dtype = _core.result_type(default if dtype is None else dtype)
    if is_complex and dtype.kind != "c":
        raise TypeError(f"linspace: expected a complex dtype for complex numbers, got {dtype}")
    divisions = num - 1 if endpoint else num
    # With one division the step is not needed, and it may be beyond the dtype.
    step = (last - first) / divisions if divisions > 1 else 0.0
    if step in (inf, -inf):
        step = last / divisions - first / divisions
    # From the nearer end, so that no product goes beyond the dtype and both ends are exact.
    numbers, floating = _core.iota((num,), device), _floating(dtype, device)
    below = _core.astype(numbers, floating, False) * step + first
    above = last - _core.astype(divisions - numbers, floating, False) * step
    values = _core.where(numbers * 2 <= divisions, below, above)
    return _core.astype(_core.floor(values) if dtype.kind in "iu" else values, dtype, False)


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
    if n_rows < 0 or n_cols < 0:
        raise ValueError(f"eye: expected lengths of at least 0, got {(n_rows, n_cols)}")
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
