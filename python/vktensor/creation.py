"""Making tensors. Values that follow from a rule (zeros, ranges, identity) are lazy and fuse into
what reads them."""

from __future__ import annotations

from math import ceil, inf, isfinite
from operator import index
from typing import Any, Literal

import numpy as np

from vktensor import _core
from vktensor._checks import check_integer, check_tensors
from vktensor._core import Tensor
from vktensor._dtypes import DType, complex64, float32, float64, int64
from vktensor._typing import DeviceLike, DTypeLike, Real, Scalar, Shape

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
    """What is given as a Tensor: arrays, buffers, numbers and nested sequences of them.

    Parameters
    ----------
    obj : object
        A Tensor, a NumPy array or scalar, what has the buffer protocol, a number, or nested
        sequences of them. Other libraries' arrays: `vt.from_dlpack`.
    dtype : dtype, optional
        Of the elements. By default that of an array; Python's numbers become bool, int64, float32
        or complex64.
    device : Device, int, str or None, optional
        Where; the default device for None, a Tensor's own for one.
    copy : bool or None, optional
        True always copies. False raises where a copy is needed: a NumPy array's memory is then
        shared, see `vt.from_numpy`. None copies where it must.

    Returns
    -------
    Tensor
        `obj` itself where it is a Tensor that fits.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        Sequences of unequal lengths, or copy=False where a copy is needed.
    OverflowError
        An integer that does not fit `dtype`.

    Examples
    --------
    >>> vt.asarray([[1, 2], [3, 4]])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return _core.asarray(obj, dtype, device, copy)


def empty(shape: Shape, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Tensor whose elements are not set.

    Parameters
    ----------
    shape : int or sequence of int
        The length of each dimension; one number for a single one.
    dtype : dtype, optional
        Of the elements; float32 for None.
    device : Device, int, str or None, optional
        Where; the default device for None.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`, with unspecified elements.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        A negative length.

    Examples
    --------
    >>> vt.empty((2, 3)).shape
    (2, 3)
    """
    return _core.empty(shape, float32 if dtype is None else dtype, device)


def empty_like(
    x: Tensor, /, *, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:
    """Tensor of another's shape whose elements are not set.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    dtype : dtype, optional
        Of the elements; `x`'s for None.
    device : Device, int, str or None, optional
        Where; the device of `x` for None.

    Returns
    -------
    Tensor
        Of the shape of `x`, with unspecified elements.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.

    Examples
    --------
    >>> vt.empty_like(vt.ones((2, 3), dtype=vt.int8)).dtype
    dtype('int8')
    """
    check_tensors("empty_like", x)
    dtype, device = _like(x, dtype, device)
    return _core.empty(x.shape, dtype, device)


def _like(x: Tensor, dtype: DTypeLike | None, device: DeviceLike) -> tuple[DTypeLike, DeviceLike]:
    """What is given, or what `x` has."""
    return x.dtype if dtype is None else dtype, x.device if device is None else device


def full(
    shape: Shape,
    fill_value: Scalar,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Tensor whose elements are all one value.

    Parameters
    ----------
    shape : int or sequence of int
        The length of each dimension; one number for a single one.
    fill_value : bool, int, float or complex
        The value of all elements.
    dtype : dtype, optional
        Of the elements; by default that of the value: bool, int64, float32 or complex64.
    device : Device, int, str or None, optional
        Where; the default device for None.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        A negative length, or a number that does not fit `dtype`.

    Examples
    --------
    >>> vt.full(2, 7)
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
    """Tensor of another's shape whose elements are all one value.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    fill_value : bool, int, float or complex
        The value of all elements.
    dtype : dtype, optional
        Of the elements; `x`'s for None.
    device : Device, int, str or None, optional
        Where; the device of `x` for None.

    Returns
    -------
    Tensor
        Of the shape of `x`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        A number that does not fit `dtype`.

    Examples
    --------
    >>> vt.full_like(vt.asarray([1, 2]), 7)
    Tensor([7, 7], dtype=int64)
    """
    check_tensors("full_like", x)
    dtype, device = _like(x, dtype, device)
    return _core.full(x.shape, fill_value, dtype, device)


def ones(shape: Shape, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Tensor of ones.

    Parameters
    ----------
    shape : int or sequence of int
        The length of each dimension; one number for a single one.
    dtype : dtype, optional
        Of the elements; float32 for None.
    device : Device, int, str or None, optional
        Where; the default device for None.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        A negative length.

    Examples
    --------
    >>> vt.ones(3)
    Tensor([1., 1., 1.], dtype=float32)
    """
    return _core.full(shape, 1, float32 if dtype is None else dtype, device)


def ones_like(x: Tensor, /, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Tensor of ones with another's shape.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    dtype : dtype, optional
        Of the elements; `x`'s for None.
    device : Device, int, str or None, optional
        Where; the device of `x` for None.

    Returns
    -------
    Tensor
        Of the shape of `x`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.

    Examples
    --------
    >>> vt.ones_like(vt.asarray([3, 4]))
    Tensor([1, 1], dtype=int64)
    """
    check_tensors("ones_like", x)
    return full_like(x, 1, dtype=dtype, device=device)


def zeros(shape: Shape, *, dtype: DTypeLike | None = None, device: DeviceLike = None) -> Tensor:
    """Tensor of zeros.

    Parameters
    ----------
    shape : int or sequence of int
        The length of each dimension; one number for a single one.
    dtype : dtype, optional
        Of the elements; float32 for None.
    device : Device, int, str or None, optional
        Where; the default device for None.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        A negative length.

    Examples
    --------
    >>> vt.zeros((2, 2))
    Tensor([[0., 0.],
            [0., 0.]], dtype=float32)
    """
    return _core.full(shape, 0, float32 if dtype is None else dtype, device)


def zeros_like(
    x: Tensor, /, *, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:
    """Tensor of zeros with another's shape.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    dtype : dtype, optional
        Of the elements; `x`'s for None.
    device : Device, int, str or None, optional
        Where; the device of `x` for None.

    Returns
    -------
    Tensor
        Of the shape of `x`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.

    Examples
    --------
    >>> vt.zeros_like(vt.asarray([3, 4]))
    Tensor([0, 0], dtype=int64)
    """
    check_tensors("zeros_like", x)
    return full_like(x, 0, dtype=dtype, device=device)


def arange(
    start: Real,
    /,
    stop: Real | None = None,
    step: Real = 1,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Evenly spaced numbers from `start` below `stop`.

    Parameters
    ----------
    start : int or float
        The first number; where `stop` is None this is the stop, and the first number is 0.
    stop : int, float or None, optional
        Where the numbers end, itself excluded.
    step : int or float, optional
        From one number to the next; a negative one counts down to above `stop`.
    dtype : dtype, optional
        Of the elements; by default int64 when all numbers are integers, else float32.
    device : Device, int, str or None, optional
        Where; the default device for None.

    Returns
    -------
    Tensor
        With ceil((stop - start) / step) elements, 1-d. Each is start + i * step, rounded twice; of
        an integer dtype and integers it is exact and wraps around.

    Raises
    ------
    TypeError
        A number that is not real, or a dtype there are no tensors of.
    ValueError
        A step of 0, or a number that is not finite.

    Examples
    --------
    >>> vt.arange(5)
    Tensor([0, 1, 2, 3, 4], dtype=int64)
    """
    if stop is None:
        start, stop = 0, start
    first, last, by = (_real("arange", value) for value in (start, stop, step))
    if by == 0:
        raise ValueError("arange: expected a step other than 0")
    if isinstance(first, int) and isinstance(last, int) and isinstance(by, int):
        numbers = _count(-(-(last - first) // by), device)
        dtype = _core.result_type(int64 if dtype is None else dtype)
        if dtype.kind in "iu":
            first, by = _wrapped(first), _wrapped(by)
        return _core.astype(numbers * by + first, dtype, False)
    if not (isfinite(first) and isfinite(last) and isfinite(by)):
        raise ValueError(f"arange: expected finite numbers, got {first}, {last} and {by}")
    numbers = _count(ceil((last - first) / by), device)
    dtype = _core.result_type(float32 if dtype is None else dtype)
    values = _core.astype(numbers, _floating(dtype, device), False) * float(by) + float(first)
    return _core.astype(values, dtype, False)


def _count(n: int, device: DeviceLike) -> Tensor:
    """The numbers below n."""
    if n >= 1 << 63:
        raise ValueError(f"arange: expected fewer than 2**63 elements, got {float(n):.3g}")
    return _core.iota((max(0, n),), device)


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
    start: Scalar,
    stop: Scalar,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    endpoint: bool = True,
) -> Tensor:
    """Evenly spaced numbers from `start` to `stop`.

    Parameters
    ----------
    start, stop : int, float or complex
        The first number and the last, or where they end.
    num : int
        How many.
    dtype : dtype, optional
        Of the elements; float32 for None, complex64 if an end is complex.
    device : Device, int, str or None, optional
        Where; the default device for None.
    endpoint : bool, optional
        False leaves `stop` itself out.

    Returns
    -------
    Tensor
        With `num` elements, 1-d; both ends are exact. Of an integer dtype they are rounded down.

    Raises
    ------
    TypeError
        Complex ends of a real dtype.
    ValueError
        A negative `num`.

    Examples
    --------
    >>> vt.linspace(0, 1, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = check_integer("linspace", "num", num)
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
    ends: Any = (start, stop)
    if dtype.kind in "iu" and all(isinstance(end, (int, np.integer)) for end in ends):
        values = _spread(int(ends[0]), int(ends[1]), divisions, num, device)
        return _core.astype(values, dtype, False)
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


def _spread(start: int, stop: int, divisions: int, num: int, device: DeviceLike) -> Tensor:
    """start + i * (stop - start) / divisions, rounded down: exact in int64, which wraps around."""
    divisions = max(divisions, 1)
    each, rest = divmod(stop - start, divisions)
    numbers = _core.iota((num,), device)
    return numbers * _wrapped(each) + numbers * rest // divisions + _wrapped(start)


def _clamp(op: str, k: int, n_rows: int, n_cols: int) -> int:
    """The number of a diagonal, or of one as empty for those beyond: k may be any integer."""
    return max(-n_rows - 1, min(check_integer(op, "k", k), n_cols + 1))


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
) -> Tensor:
    """Matrix with ones on a diagonal and zeros elsewhere.

    Parameters
    ----------
    n_rows : int
        The number of rows.
    n_cols : int or None, optional
        The number of columns; as many as rows for None.
    k : int, optional
        Which diagonal: above the main one for k > 0, below it for k < 0.
    dtype : dtype, optional
        Of the elements; float32 for None.
    device : Device, int, str or None, optional
        Where; the default device for None.

    Returns
    -------
    Tensor
        Of shape (n_rows, n_cols).

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    ValueError
        A negative length.

    Examples
    --------
    >>> vt.eye(2)
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    n_rows = check_integer("eye", "the number of rows", n_rows)
    n_cols = n_rows if n_cols is None else check_integer("eye", "the number of columns", n_cols)
    if n_rows < 0 or n_cols < 0:
        raise ValueError(f"eye: expected lengths of at least 0, got {(n_rows, n_cols)}")
    k = _clamp("eye", k, n_rows, n_cols)
    rows = _core.expand_dims(_core.iota((n_rows,), device), (1,))
    cols = _core.iota((n_cols,), device)
    return _core.astype(cols - rows == k, float32 if dtype is None else dtype, False)


def meshgrid(*arrays: Tensor, indexing: Literal["xy", "ij"] = "xy") -> tuple[Tensor, ...]:
    """Coordinates of a grid, a view for each of its axes.

    Parameters
    ----------
    *arrays : Tensor
        The points on each axis, of one dimension or none.
    indexing : {'xy', 'ij'}, optional
        With 'xy' the first array runs along axis 1 and the second along axis 0, with 'ij' each
        along its own.

    Returns
    -------
    tuple of Tensor
        As many as arrays, all of the grid's shape.

    Raises
    ------
    ValueError
        An array of two dimensions or more, or another `indexing`.

    Examples
    --------
    >>> vt.meshgrid(vt.asarray([1, 2]), vt.asarray([3, 4]))[0]
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    check_tensors("meshgrid", *arrays)
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
    check_tensors(op, x)
    if x.ndim < 2:
        raise ValueError(f"{op}: expected at least 2 dimensions, got {x.ndim}")
    k = _clamp(op, k, x.shape[-2], x.shape[-1])
    rows = _core.expand_dims(_core.iota((x.shape[-2],), x.device), (1,))
    above = _core.iota((x.shape[-1],), x.device) - rows
    # False is a weak zero: it takes any dtype.
    return _core.where(above >= k if upper else above <= k, x, False)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Lower triangle of each matrix: zeros above a diagonal.

    Parameters
    ----------
    x : Tensor
        Of shape (..., rows, columns) and any dtype.
    k : int, optional
        The diagonal above which elements become zero: the main one, above it for k > 0.

    Returns
    -------
    Tensor
        Of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        Fewer than two dimensions.

    Examples
    --------
    >>> vt.tril(vt.ones((2, 2)))
    Tensor([[1., 0.],
            [1., 1.]], dtype=float32)
    """
    return _triangle("tril", x, k, upper=False)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Upper triangle of each matrix: zeros below a diagonal.

    Parameters
    ----------
    x : Tensor
        Of shape (..., rows, columns) and any dtype.
    k : int, optional
        The diagonal below which elements become zero: the main one, above it for k > 0.

    Returns
    -------
    Tensor
        Of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        Fewer than two dimensions.

    Examples
    --------
    >>> vt.triu(vt.ones((2, 2)))
    Tensor([[1., 1.],
            [0., 1.]], dtype=float32)
    """
    return _triangle("triu", x, k, upper=True)
