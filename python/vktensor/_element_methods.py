"""Methods of a Tensor with NumPy's names and parameters on its elements, order and shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from vktensor import _core, elementwise, linear_algebra, manipulation, searching, sorting
from vktensor._core import Tensor
from vktensor._typing import DTypeLike, Operand
from vktensor._ufuncs import stored

# ---- elements ---------------------------------------------------------------------------------


def _clip(
    self: Tensor,
    a_min: Operand | None = None,
    a_max: Operand | None = None,
    out: Any = None,
    *,
    min: Operand | None = None,
    max: Operand | None = None,
) -> Any:
    """Limits the elements to a range; either bound may be missing.

    As `vt.clip`; the bounds have both of NumPy's names.

    >>> vt.asarray([3, 1, 2]).clip(2, 3)
    Tensor([3, 2, 2], dtype=int64)
    """
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if self.dtype.kind in "iu":
        limits = np.iinfo(self.dtype)
        # As NumPy: a bound beyond the dtype bounds nothing.
        low = None if isinstance(low, int) and low < limits.min else low
        high = None if isinstance(high, int) and high > limits.max else high
    low, high = (
        _core.asarray(x, None, self.device, None) if isinstance(x, (list, tuple)) else x
        for x in (low, high)
    )
    return stored("clip", elementwise.clip(self, low, high), out)


def _round_integers(x: Tensor, unit: int) -> Tensor:
    """Integers rounded to multiples of a power of ten, half to even; wraps around."""
    wide = "uint64" if x.dtype.name == "uint64" else "int64"
    if unit > np.iinfo(wide).max // 2:  # beyond all but halves of it, which are even
        return _core.full(x.shape, 0, x.dtype, x.device)
    number = _core.astype(x, wide, False)
    quotient, rest = _core.floor_divide(number, unit), _core.remainder(number, unit)
    half = unit - rest
    up = (rest > half) | ((rest == half) & (_core.remainder(quotient, 2) == 1))
    return _core.astype((quotient + up) * unit, x.dtype, False)


def _round(self: Tensor, decimals: int = 0, out: Any = None) -> Any:
    """Elements rounded to a number of decimal places, half to even.

    >>> vt.asarray([1.25, 2.75]).round(1)
    Tensor([1.2, 2.8], dtype=float32)
    """
    if self.dtype.kind in "iub":
        result = self.copy() if decimals >= 0 else _round_integers(self, 10**-decimals)
    elif decimals == 0:
        result = _core.round(self)
    else:
        by = 10.0 ** abs(decimals)
        x = _core.astype(self, _core.result_type(self, 1.0), False)
        x = _core.round(x * by) / by if decimals > 0 else _core.round(x / by) * by
        result = _core.astype(x, self.dtype, False)
    return stored("round", result, out)


def _conj(self: Tensor) -> Tensor:
    """Complex conjugate; real elements are unchanged.

    As `vt.conj`.

    Returns
    -------
    Tensor
        Of the same shape and dtype.

    >>> vt.asarray([1 + 2j]).conj()
    Tensor([1.-2.j], dtype=complex64)
    """
    return elementwise.conj(self)


def _conjugate(self: Tensor) -> Tensor:
    """Complex conjugate; real elements are unchanged.

    As `vt.conj`.

    Returns
    -------
    Tensor
        Of the same shape and dtype.

    >>> vt.asarray([1 + 2j]).conjugate()
    Tensor([1.-2.j], dtype=complex64)
    """
    return elementwise.conj(self)


def _astype(
    self: Tensor,
    dtype: DTypeLike,
    order: str = "K",
    casting: str = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Tensor:
    """Elements converted to another dtype.

    As `vt.astype`, with NumPy's parameters.

    Returns
    -------
    Tensor
        Contiguous, whatever `order` says.

    Raises
    ------
    TypeError
        A dtype there are no tensors of, or one that `casting` forbids.

    >>> vt.asarray([3, 1, 2]).astype(vt.int8)
    Tensor([3, 1, 2], dtype=int8)
    """
    del order, subok
    target = _core.result_type(dtype)
    fits = np.can_cast(self.dtype, target, casting)  # type: ignore[arg-type]
    if not fits:
        raise TypeError(f"astype: {self.dtype} to {target} is no {casting} cast")
    return _core.astype(self, dtype, copy)


def _fill(self: Tensor, value: Any) -> None:
    """Sets every element to one value, in place.

    Raises
    ------
    ValueError
        A read-only tensor, or a number that does not fit the dtype.

    >>> x = vt.zeros(2)
    >>> x.fill(7)
    >>> x
    Tensor([7., 7.], dtype=float32)
    """
    _core.assign(self, value)


def _take(
    self: Tensor, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Any:
    """Elements at given places along an axis.

    As `vt.take`, with NumPy's parameters.

    Raises
    ------
    IndexError
        An index out of range with mode 'raise'.
    TypeError
        Indices that are no integers.

    >>> vt.asarray([3, 1, 2]).take([2, 0])
    Tensor([2, 3], dtype=int64)
    """
    x, axis = manipulation.lines(self, axis)
    at = _core.asarray(indices, None, self.device, None)
    if not at.size and not isinstance(indices, (Tensor, np.ndarray)):
        at = _core.astype(at, "int64", False)  # an empty list has no dtype of its own
    return stored("take", _core.take(x, _within("take", at, x.shape[axis], mode), axis), out)


def _within(op: str, at: Tensor, length: int, mode: str) -> Tensor:
    """Indices brought into the range of a length as `mode` says."""
    if mode == "raise":
        return at
    if mode not in ("wrap", "clip"):
        raise ValueError(f"{op}: expected mode 'raise', 'wrap' or 'clip', got {mode!r}")
    if at.dtype.kind in "iu":
        at = _core.astype(at, "int64", False)  # a narrow dtype may not hold the length
    return _core.remainder(at, length) if mode == "wrap" else _core.clip(at, 0, length - 1)


def _put(self: Tensor, indices: Any, values: Any, mode: str = "raise") -> None:
    """Sets the elements at given places, counted in C order; of equal places the last wins.

    Raises
    ------
    IndexError
        An index out of range with mode 'raise'.
    ValueError
        Another mode, or a read-only tensor.

    >>> x = vt.zeros(3)
    >>> x.put([0, 2], [7, 8])
    >>> x
    Tensor([7., 0., 8.], dtype=float32)
    """
    at = _core.reshape(_core.asarray(indices, "int64", self.device, None), (-1,), None)
    at = _within("put", at, self.size, mode)
    given = _core.reshape(_core.asarray(values, None, self.device, None), (-1,), None)
    if at.size == 0 or given.size == 0:
        return
    if given.size not in (1, at.size):
        given = _core.take(given, _core.iota((at.size,), self.device) % given.size, 0, True)
    x = self if self.ndim else _core.reshape(self, (1,), False)
    if x.ndim > 1:
        # One below the range is beyond it too: its coordinates would count from the end.
        at = _core.where(at < -x.size, x.size, _core.where(at < 0, at + x.size, at))
    x[searching.coordinates(at, x.shape)] = given


def _nonzero(self: Tensor) -> tuple[Tensor, ...]:
    """Where elements are not zero, in C order; waits for their number.

    As `vt.nonzero`.

    Returns
    -------
    tuple of Tensor
        For each axis the places along it, int64.

    Raises
    ------
    ValueError
        No dimensions.

    >>> vt.asarray([0, 5, 7]).nonzero()
    (Tensor([1, 2], dtype=int64),)
    """
    return searching.nonzero(self)


def _compress(self: Tensor, condition: Any, axis: int | None = None, out: Any = None) -> Any:
    """Slices along an axis where a condition is true.

    Raises
    ------
    ValueError
        A condition of other than one dimension.
    IndexError
        A true element beyond the end of the axis.

    >>> vt.asarray([3, 1, 2]).compress([True, False, True])
    Tensor([3, 2], dtype=int64)
    """
    keep = _core.asarray(condition, "bool", self.device, None)
    if keep.ndim != 1:
        raise ValueError(f"compress: expected a condition of 1 dimension, got {keep.ndim}")
    x, axis = manipulation.lines(self, axis)
    return stored("compress", _core.take(x, _core.flat_nonzero(keep), axis), out)


def _repeat(self: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element several times in a row.

    As `vt.repeat`.

    Returns
    -------
    Tensor
        A copy of the same dtype.

    Raises
    ------
    TypeError
        Repeats that are no integers.
    ValueError
        A negative number, or not one for each element.

    >>> vt.asarray([3, 1, 2]).repeat(2)
    Tensor([3, 3, 1, 1, 2, 2], dtype=int64)
    """
    if not isinstance(repeats, (int, Tensor)):
        repeats = _core.asarray(repeats, None, self.device, None)
    return manipulation.repeat(self, repeats, axis=axis)


def _searchsorted(self: Tensor, v: Any, side: Any = "left", sorter: Any = None) -> Tensor:
    """Where values belong in this sorted tensor, so that it stays sorted.

    As `vt.searchsorted`.

    Returns
    -------
    Tensor
        Of the shape of `v`, int64.

    Raises
    ------
    TypeError
        Complex numbers.
    ValueError
        A tensor of other than one dimension, or another side.

    >>> vt.asarray([1, 3, 5]).searchsorted([3, 4])
    Tensor([1, 2], dtype=int64)
    """
    if not isinstance(v, (bool, int, float, Tensor)):
        v = _core.asarray(v, None, self.device, None)
    if sorter is not None:
        sorter = _core.asarray(sorter, None, self.device, None)
    return searching.searchsorted(self, v, side=side, sorter=sorter)


def _sort(
    self: Tensor,
    axis: int = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
) -> None:
    """Sorts along an axis in ascending order, in place.

    As `vt.sort`: always stable, NaN last.

    Raises
    ------
    TypeError
        Complex numbers.
    ValueError
        A value for `order`, an axis out of bounds, or a read-only tensor.

    >>> x = vt.asarray([3, 1, 2])
    >>> x.sort()
    >>> x
    Tensor([1, 2, 3], dtype=int64)
    """
    del kind, stable
    if order is not None:
        raise ValueError("sort: a Tensor has no fields to order by")
    _core.assign(self, sorting.sort(self, axis=axis))


def _argsort(
    self: Tensor,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
) -> Tensor:
    """Indices that sort along an axis in ascending order.

    As `vt.argsort`: always stable, NaN last.

    Returns
    -------
    Tensor
        Of the same shape, or flat, int64.

    Raises
    ------
    TypeError
        Complex numbers.
    ValueError
        A value for `order`, or an axis out of bounds.

    >>> vt.asarray([3, 1, 2]).argsort()
    Tensor([1, 2, 0], dtype=int64)
    """
    del kind, stable
    if order is not None:
        raise ValueError("argsort: a Tensor has no fields to order by")
    x, axis = manipulation.lines(self, axis)
    return sorting.argsort(x, axis=axis)


def _dot(self: Tensor, b: Any, out: Any = None) -> Any:
    """Matrix product; of more dimensions the sum over the last axis and the last but one of `b`.

    With a number or a tensor without dimensions it is the product of elements.

    Raises
    ------
    ValueError
        Lengths that differ.
    TypeError
        A matrix product of bool and bool.

    >>> vt.asarray([3, 1, 2]).dot([1, 1, 1])
    Tensor(6, dtype=int64)
    """
    other = b if isinstance(b, Tensor) else _core.asarray(b, None, self.device, None)
    if self.ndim == 0 or other.ndim == 0:
        result = self * other
    elif self.ndim <= 2 and other.ndim <= 2:
        result = _core.matmul(self, other)
    else:
        axes = ([self.ndim - 1], [other.ndim - 2 if other.ndim > 1 else 0])
        result = linear_algebra.tensordot(self, other, axes=axes)
    return stored("dot", result, out)


# ---- shape ------------------------------------------------------------------------------------


def _reshape(self: Tensor, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    """Elements in C order with another shape of the same size.

    As `vt.reshape`.

    Returns
    -------
    Tensor
        A view where the strides allow and `copy` is not True.

    Raises
    ------
    ValueError
        Another number of elements, or copy=False where a copy is needed.

    >>> vt.arange(4).reshape(2, -1)
    Tensor([[0, 1],
            [2, 3]], dtype=int64)
    """
    lengths = shape[0] if len(shape) == 1 else shape
    if order not in ("C", "F", "A", "K"):
        raise ValueError(f"reshape: expected order 'C' or 'F', got {order!r}")
    if order != "F":
        return _core.reshape(self, lengths, copy)
    lengths = (lengths,) if np.ndim(lengths) == 0 else tuple(lengths)
    turned = _core.reshape(_transpose(self), lengths[::-1], copy)
    return _transpose(turned)


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    """View with the axes in another order, reversed by default.

    As `vt.permute_dims`.

    Returns
    -------
    Tensor
        On the same memory.

    Raises
    ------
    ValueError
        An axis is missing, out of bounds or named twice.

    >>> vt.ones((2, 3)).transpose().shape
    (3, 2)
    """
    if not axes or len(axes) == 1 and axes[0] is None:
        return _core.permute_dims(self, range(self.ndim)[::-1])
    return _core.permute_dims(self, axes[0] if np.ndim(axes[0]) else axes)


def _swapaxes(self: Tensor, axis1: int, axis2: int) -> Tensor:
    """View with two axes exchanged.

    Returns
    -------
    Tensor
        On the same memory.

    Raises
    ------
    AxisError
        An axis that is out of bounds.

    >>> vt.ones((2, 3)).swapaxes(0, 1).shape
    (3, 2)
    """
    axes = list(range(self.ndim))
    first, second = (manipulation._axes("swapaxes", a, self.ndim)[0] for a in (axis1, axis2))
    axes[first], axes[second] = second, first
    return _core.permute_dims(self, axes)


def _squeeze(self: Tensor, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """View without axes of length 1.

    As `vt.squeeze`.

    Returns
    -------
    Tensor
        On the same memory.

    Raises
    ------
    AxisError
        An axis that is out of bounds.
    ValueError
        An axis that is longer than 1.

    >>> vt.ones((1, 2)).squeeze().shape
    (2,)
    """
    if axis is None:
        axis = tuple(i for i, length in enumerate(self.shape) if length == 1)
    return manipulation.squeeze(self, axis)


def _ravel(self: Tensor, order: str = "C") -> Tensor:
    """Elements on one axis, a view where the strides allow.

    Returns
    -------
    Tensor
        Of one dimension.

    >>> vt.ones((2, 3)).ravel().shape
    (6,)
    """
    return _reshape(self, -1, order=order)


def _flatten(self: Tensor, order: str = "C") -> Tensor:
    """Elements on one axis, a copy.

    Returns
    -------
    Tensor
        Of one dimension.

    >>> vt.ones((2, 3)).flatten().shape
    (6,)
    """
    return _reshape(self, -1, order=order, copy=True)


def _diagonal(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Diagonal of the matrices along two axes, as the last axis.

    Returns
    -------
    Tensor
        A view where the strides allow.

    Raises
    ------
    ValueError
        Fewer than two dimensions.

    >>> vt.asarray([[1, 2], [3, 4]]).diagonal()
    Tensor([1, 4], dtype=int64)
    """
    if self.ndim < 2:
        raise ValueError(f"diagonal: expected at least 2 dimensions, got {self.ndim}")
    x = manipulation.moveaxis(self, (axis1, axis2), (-2, -1))
    rows, cols = x.shape[-2:]
    count = max(0, min(rows, cols - offset) if offset >= 0 else min(rows + offset, cols))
    start = offset if offset >= 0 else -offset * cols
    flat = _core.reshape(x, (*x.shape[:-2], rows * cols), None)
    return flat[..., start : start + count * (cols + 1) : cols + 1]


def _trace(
    self: Tensor,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: DTypeLike | None = None,
    out: Any = None,
) -> Any:
    """Sum along the diagonal of the matrices along two axes.

    Raises
    ------
    ValueError
        Fewer than two dimensions.

    >>> vt.asarray([[1, 2], [3, 4]]).trace()
    Tensor(5, dtype=int64)
    """
    diagonal = _diagonal(self, offset, axis1, axis2)
    return stored("trace", _core.reduce("sum", diagonal, -1, False, dtype), out)


def _to_device(self: Tensor, device: Any, /, *, stream: None = None) -> Tensor:
    """Tensor on a device: itself where it is there already, else a copy through the host.

    Returns
    -------
    Tensor
        Of the same shape and dtype.

    Raises
    ------
    ValueError
        There is no such device, or a stream is given.

    >>> x = vt.ones(3)
    >>> x.to_device(vt.default_device()) is x
    True
    """
    if stream is not None:
        raise ValueError("to_device: expected stream=None")
    target = _core.device_at(device)
    return self if target == self.device else _core.asarray(self.numpy(), None, target, True)


#: The methods' names; each is the function above with an underscore before it.
METHODS = (
    *("clip", "round", "conj", "conjugate", "astype", "fill", "take", "put", "nonzero", "compress"),
    *("repeat", "searchsorted", "sort", "argsort", "dot", "reshape", "transpose", "swapaxes"),
    *("squeeze", "ravel", "flatten", "diagonal", "trace", "to_device"),
)
