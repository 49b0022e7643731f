"""Shapes, views and joins. Views cost nothing and share memory; a copy is made only where the
result says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.exceptions import AxisError

from vktensor import _core
from vktensor._checks import check_integers, check_tensors
from vktensor._core import Tensor
from vktensor._typing import Axis, Scalar

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "matrix_transpose",
    "moveaxis",
    "pad",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unstack",
]


def _axes(op: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of distinct axes in 0..ndim-1; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    given = check_integers(op, "axis", axis)
    for a in given:
        if not -ndim <= a < ndim:
            # Both a ValueError and an IndexError, which the standard wants of expand_dims.
            raise AxisError(f"{op}: axis {a} is out of bounds for {ndim} dimensions")
    found = tuple(a % ndim for a in given)
    if len(set(found)) != len(found):
        raise ValueError(f"{op}: repeated axis in {given}")
    return found


def lines(x: Tensor, axis: int | None) -> tuple[Tensor, int]:
    """`x` and the axis along which a function works: flattened, and its only one, for None."""
    return (_core.reshape(x, (-1,), None), 0) if axis is None else (x, axis)


def broadcast_to(x: Tensor, /, shape: Sequence[int]) -> Tensor:
    """View with another shape, repeated along new axes and those of length 1.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    shape : sequence of int
        The shape; its last axes are those of `x`.

    Returns
    -------
    Tensor
        Of `shape` and the dtype of `x`.

    Raises
    ------
    ValueError
        The shape does not broadcast to it.

    Examples
    --------
    >>> vt.broadcast_to(vt.asarray([1, 2]), (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    return _core.broadcast_to(x, shape)


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Shape that arrays of given shapes broadcast to.

    Parameters
    ----------
    *shapes : sequence of int
        The shapes.

    Returns
    -------
    tuple of int
        The broadcast shape.

    Raises
    ------
    ValueError
        They do not broadcast.

    Examples
    --------
    >>> vt.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    return _core.broadcast_shapes(*shapes)


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Views of arrays with the shape they broadcast to.

    Parameters
    ----------
    *arrays : Tensor
        Of any shapes that broadcast, and any dtypes.

    Returns
    -------
    tuple of Tensor
        A view of each, of the broadcast shape and its own dtype.

    Raises
    ------
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> x, y = vt.broadcast_arrays(vt.ones((3, 1)), vt.ones(4))
    >>> x.shape, y.shape
    ((3, 4), (3, 4))
    """
    check_tensors("broadcast_arrays", *arrays)
    shape = _core.broadcast_shapes(*(x.shape for x in arrays))
    return tuple(_core.broadcast_to(x, shape) for x in arrays)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Arrays joined along an axis that they have.

    Parameters
    ----------
    arrays : sequence of Tensor
        At least one, of one shape but for the axis.
    axis : int or None, optional
        Along which axis; for None they are flattened first.

    Returns
    -------
    Tensor
        A copy of the promoted dtype.

    Raises
    ------
    TypeError
        An element of the sequence is no Tensor.
    ValueError
        No arrays, shapes that do not fit, or an axis out of bounds.

    Examples
    --------
    >>> vt.concat([vt.asarray([1, 2]), vt.asarray([3])])
    Tensor([1, 2, 3], dtype=int64)
    """
    if axis is None:
        return _core.concat([_core.reshape(x, (-1,), None) for x in arrays], 0)
    return _core.concat(list(arrays), axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Arrays of one shape joined along a new axis.

    Parameters
    ----------
    arrays : sequence of Tensor
        At least one, all of one shape.
    axis : int, optional
        The place of the new axis in the result.

    Returns
    -------
    Tensor
        A copy of the promoted dtype, with one dimension more.

    Raises
    ------
    ValueError
        No arrays, or shapes that differ.
    AxisError
        An axis that is out of bounds.

    Examples
    --------
    >>> vt.stack([vt.asarray([1, 2]), vt.asarray([3, 4])])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    arrays = list(arrays)
    if not arrays:
        raise ValueError("stack: expected at least one array, got none")
    check_tensors("stack", *arrays)
    for x in arrays:
        if x.shape != arrays[0].shape:
            raise ValueError(f"stack: expected equal shapes, got {arrays[0].shape} and {x.shape}")
    ndim = arrays[0].ndim + 1
    (place,) = _axes("stack", axis, ndim)
    return _core.concat([_core.expand_dims(x, (place,)) for x in arrays], place)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Views along an axis, which they no longer have.

    Parameters
    ----------
    x : Tensor
        Of any dtype and at least one dimension.
    axis : int, optional
        Along which axis.

    Returns
    -------
    tuple of Tensor
        As many views as the axis is long.

    Raises
    ------
    AxisError
        An axis that is out of bounds.

    Examples
    --------
    >>> vt.unstack(vt.asarray([[1, 2], [3, 4]]))[1]
    Tensor([3, 4], dtype=int64)
    """
    check_tensors("unstack", x)
    (place,) = _axes("unstack", axis, x.ndim)
    before = (slice(None),) * place
    return tuple(x[(*before, i)] for i in range(x.shape[place]))


def expand_dims(x: Tensor, /, axis: int | Sequence[int]) -> Tensor:
    """View with new axes of length 1.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or sequence of int
        The places of the new axes in the result.

    Returns
    -------
    Tensor
        Of the dtype of `x`, with one dimension more for each axis.

    Raises
    ------
    AxisError
        An axis that is out of bounds or named twice; it is both a ValueError and an IndexError.

    Examples
    --------
    >>> vt.expand_dims(vt.asarray([1, 2]), 1).shape
    (2, 1)
    """
    check_tensors("expand_dims", x)
    count = len(check_integers("expand_dims", "axis", axis))
    return _core.expand_dims(x, _axes("expand_dims", axis, x.ndim + count))


def squeeze(x: Tensor, /, axis: int | Sequence[int]) -> Tensor:
    """View without some axes of length 1.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int or sequence of int
        The axes that go.

    Returns
    -------
    Tensor
        Of the dtype of `x`.

    Raises
    ------
    AxisError
        An axis that is out of bounds or named twice; it is both a ValueError and an IndexError.
    ValueError
        An axis that is longer than 1.

    Examples
    --------
    >>> vt.squeeze(vt.ones((1, 2)), 0).shape
    (2,)
    """
    check_tensors("squeeze", x)
    return _core.squeeze(x, _axes("squeeze", axis, x.ndim))


def permute_dims(x: Tensor, /, axes: Sequence[int]) -> Tensor:
    """View with the axes in another order.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axes : sequence of int
        Axis i of the result is axis axes[i] of `x`.

    Returns
    -------
    Tensor
        Of the dtype of `x`.

    Raises
    ------
    ValueError
        An axis is missing, out of bounds or named twice.

    Examples
    --------
    >>> vt.permute_dims(vt.ones((2, 3)), (1, 0)).shape
    (3, 2)
    """
    return _core.permute_dims(x, axes)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """View with the last two axes exchanged.

    Parameters
    ----------
    x : Tensor
        Of shape (..., rows, columns) and any dtype.

    Returns
    -------
    Tensor
        Of shape (..., columns, rows).

    Raises
    ------
    ValueError
        Fewer than two dimensions.

    Examples
    --------
    >>> vt.matrix_transpose(vt.asarray([[1, 2], [3, 4]]))
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    check_tensors("matrix_transpose", x)
    return x.mT


def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """View with axes moved to other places, the others in order.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    source, destination : int or sequence of int
        The axes of `x`, and their places in the result, as many of each.

    Returns
    -------
    Tensor
        Of the dtype of `x`.

    Raises
    ------
    AxisError
        An axis that is out of bounds or named twice; it is both a ValueError and an IndexError.
    ValueError
        Not as many places as axes.

    Examples
    --------
    >>> vt.moveaxis(vt.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    check_tensors("moveaxis", x)
    places = _axes("moveaxis", check_integers("moveaxis", "source", source), x.ndim)
    targets = _axes("moveaxis", check_integers("moveaxis", "destination", destination), x.ndim)
    if len(places) != len(targets):
        raise ValueError("moveaxis: expected as many destinations as sources")
    rest = iter([a for a in range(x.ndim) if a not in places])
    moved = dict(zip(targets, places, strict=True))
    return _core.permute_dims(x, [moved[a] if a in moved else next(rest) for a in range(x.ndim)])


def flip(x: Tensor, /, *, axis: Axis = None) -> Tensor:
    """View with the elements along axes in reverse order.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    axis : int, sequence of int or None, optional
        Along which axes; along all for None.

    Returns
    -------
    Tensor
        Of the shape and dtype of `x`.

    Raises
    ------
    AxisError
        An axis that is out of bounds or named twice; it is both a ValueError and an IndexError.

    Examples
    --------
    >>> vt.flip(vt.asarray([1, 2, 3]))
    Tensor([3, 2, 1], dtype=int64)
    """
    check_tensors("flip", x)
    return _core.flip(x, _axes("flip", axis, x.ndim))


def reshape(x: Tensor, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """Elements in C order with another shape of the same size.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    shape : int or sequence of int
        The lengths; one may be -1 and follows from the others.
    copy : bool or None, optional
        True always copies, False raises where a copy is needed, None copies where it must.

    Returns
    -------
    Tensor
        Of `shape`: a view where the strides allow and `copy` is not True.

    Raises
    ------
    ValueError
        Another number of elements, or copy=False where a copy is needed.

    Examples
    --------
    >>> vt.reshape(vt.arange(4), (2, -1))
    Tensor([[0, 1],
            [2, 3]], dtype=int64)
    """
    return _core.reshape(x, shape, copy)


def roll(
    x: Tensor, /, shift: int | Sequence[int], *, axis: int | Sequence[int] | None = None
) -> Tensor:
    """Elements moved along axes, those beyond the end coming back in front.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    shift : int or sequence of int
        By how many places: one number for all axes, or one for each.
    axis : int, sequence of int or None, optional
        Along which axes; shifts of one named twice add up. None rolls the flattened `x`.

    Returns
    -------
    Tensor
        A copy of the shape and dtype of `x`.

    Raises
    ------
    AxisError
        An axis that is out of bounds.
    ValueError
        Not as many shifts as axes.
    TypeError
        A shift that is no integer.

    Examples
    --------
    >>> vt.roll(vt.asarray([1, 2, 3]), 1)
    Tensor([3, 1, 2], dtype=int64)
    """
    check_tensors("roll", x)
    if axis is None:
        flat = roll(_core.reshape(x, (-1,), None), shift, axis=0)
        return _core.reshape(flat, x.shape, None)
    # An axis may come twice: its shifts add up.
    axes = [_axes("roll", a, x.ndim)[0] for a in check_integers("roll", "axis", axis)]
    shifts = check_integers("roll", "shift", shift)
    count = max(len(axes), len(shifts)) if axes else 0
    axes *= count if len(axes) == 1 else 1
    shifts *= count if len(shifts) == 1 else 1
    if len(shifts) != len(axes):
        raise ValueError(f"roll: expected {len(axes)} shifts, got {len(shifts)}")
    for a, by in zip(axes, shifts, strict=True):
        length = x.shape[a]
        split = length - by % length if length else 0
        if split != length:
            before = (slice(None),) * a
            parts = [x[(*before, slice(split, None))], x[(*before, slice(None, split))]]
            x = _core.concat(parts, a)
    return x.copy() if all(s == 0 for s in shifts) else x


def pad(
    x: Tensor,
    /,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: Literal["constant", "edge", "reflect", "symmetric", "wrap"] = "constant",
    *,
    constant_values: Scalar | Sequence[Scalar] | Sequence[Sequence[Scalar]] = 0,
) -> Tensor:
    """More elements before and after those along each axis, as NumPy pads.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    pad_width : int or sequence
        How many: one number, (before, after), or such a pair for each axis.
    mode : {'constant', 'edge', 'reflect', 'symmetric', 'wrap'}, optional
        The new elements are constants, the nearest one, or `x` mirrored without its edge, mirrored
        with it, or repeated.
    constant_values : scalar or sequence, optional
        The constants, given as `pad_width` is.

    Returns
    -------
    Tensor
        A copy of the dtype of `x`.

    Raises
    ------
    ValueError
        A negative width, another mode, or an axis of no elements (but for constants).

    Examples
    --------
    >>> vt.pad(vt.asarray([1, 2, 3]), 1)
    Tensor([0, 1, 2, 3, 0], dtype=int64)
    """
    check_tensors("pad", x)
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: expected a mode, got {mode!r}")
    kind = np.asarray(pad_width).dtype
    if kind.kind not in "iu" and np.size(pad_width):
        raise TypeError(f"pad: expected integer widths, got {kind}")
    widths = _pairs("widths", pad_width, x.ndim)
    values = _pairs("constants", constant_values, x.ndim)
    for axis, (before, after) in enumerate(widths):
        length = x.shape[axis]
        if before < 0 or after < 0:
            raise ValueError(f"pad: expected widths >= 0, got {(before, after)}")
        if before == after == 0:
            continue
        if mode == "constant":
            shapes = [(*x.shape[:axis], n, *x.shape[axis + 1 :]) for n in (before, after)]
            ends = [
                _core.full(shape, value, x.dtype, x.device)
                for shape, value in zip(shapes, values[axis], strict=True)
            ]
            x = _core.concat([ends[0], x, ends[1]], axis)
            continue
        if length == 0:
            raise ValueError(f"pad: axis {axis} has no elements for mode {mode!r}")
        at = _core.iota((before + length + after,), x.device) - before
        x = _core.take(x, _reflected(at, length, mode), axis)
    return x.copy() if not any(any(pair) for pair in widths) else x


def _pairs(name: str, given: Any, ndim: int) -> list[Any]:
    """A pair for each axis: one number, one pair or as many are given."""
    try:
        return list(np.broadcast_to(np.asarray(given), (ndim, 2)).tolist())
    except ValueError:
        raise ValueError(f"pad: expected {name} for {ndim} axes, got {given!r}") from None


def _reflected(at: Tensor, length: int, mode: str) -> Tensor:
    """The places in 0..length-1 that stand for the places `at` around them."""
    if mode == "edge":
        return _core.clip(at, 0, length - 1)
    if mode == "wrap":
        return at % length
    if mode == "symmetric":
        at = at % (2 * length)
        return _core.minimum(at, 2 * length - 1 - at)
    period = max(2 * length - 2, 1)
    at = at % period
    return _core.minimum(at, period - at) if length > 1 else at


def repeat(
    x: Tensor, repeats: int | Tensor | Sequence[int], /, *, axis: int | None = None
) -> Tensor:
    """Each element several times in a row.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    repeats : int, Tensor or sequence of int
        How often: one number for all, or one for each element along the axis. A Tensor is read on
        the host for the length of the result.
    axis : int or None, optional
        Along which axis; None repeats the flattened `x`.

    Returns
    -------
    Tensor
        A copy of the dtype of `x`.

    Raises
    ------
    AxisError
        An axis that is out of bounds.
    TypeError
        Repeats that are no integers.
    ValueError
        A negative number, or not one for each element.

    Examples
    --------
    >>> vt.repeat(vt.asarray([1, 2]), vt.asarray([1, 2]))
    Tensor([1, 2, 2], dtype=int64)
    """
    check_tensors("repeat", x)
    x, axis = lines(x, axis)
    (place,) = _axes("repeat", axis, x.ndim)
    if not isinstance(repeats, int):
        repeats = _core.asarray(repeats, None, x.device, None)
        if repeats.dtype.kind not in "iu":
            raise TypeError(f"repeat: expected integer repeats, got {repeats.dtype}")
        if repeats.shape not in ((), (1,)):
            return _repeat_each(x, repeats, place)
        repeats = int(repeats.item())
    count = repeats
    if count < 0:
        raise ValueError(f"repeat: expected repeats >= 0, got {count}")
    shape = x.shape
    wide = _core.expand_dims(x, (place + 1,))
    wide = _core.broadcast_to(wide, (*shape[: place + 1], count, *shape[place + 1 :]))
    return _core.reshape(wide, (*shape[:place], shape[place] * count, *shape[place + 1 :]), True)


def _repeat_each(x: Tensor, repeats: Tensor, axis: int) -> Tensor:
    """Element i along `axis` repeats[i] times: place p holds the element in whose run p lies."""
    if repeats.shape != (x.shape[axis],):
        raise ValueError(
            f"repeat: expected {x.shape[axis]} integers, got {repeats.dtype} of {repeats.shape}"
        )
    if repeats.size and int(_core.reduce("min", repeats)) < 0:
        raise ValueError("repeat: expected repeats >= 0")
    ends = _core.scan("cumulative_sum", repeats, 0)
    total = int(ends[-1]) if repeats.size else 0
    runs = _core.searchsorted(ends, _core.iota((total,), x.device), True)
    return _core.take(x, runs, axis, True)


def tile(x: Tensor, repetitions: int | Sequence[int], /) -> Tensor:
    """Array repeated as a whole along its axes.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    repetitions : int or sequence of int
        How often along each axis, counted from the last; missing axes are added in front.

    Returns
    -------
    Tensor
        A copy of the dtype of `x`.

    Raises
    ------
    TypeError
        Repetitions that are no integers.
    ValueError
        A negative number.

    Examples
    --------
    >>> vt.tile(vt.asarray([1, 2]), (2,))
    Tensor([1, 2, 1, 2], dtype=int64)
    """
    check_tensors("tile", x)
    counts = check_integers("tile", "repetitions", repetitions)
    if any(count < 0 for count in counts):
        raise ValueError(f"tile: expected repetitions >= 0, got {counts}")
    ndim = max(len(counts), x.ndim)
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - x.ndim) + tuple(x.shape)
    apart = _core.reshape(x, [n for length in shape for n in (1, length)], None)
    full = [n for pair in zip(counts, shape, strict=True) for n in pair]
    whole = [count * length for count, length in zip(counts, shape, strict=True)]
    return _core.reshape(_core.broadcast_to(apart, full), whole, True)


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Elements at given places along an axis.

    Parameters
    ----------
    x : Tensor
        Of any dtype and at least one dimension.
    indices : Tensor
        Integers of any shape; negative ones count from the end.
    axis : int or None, optional
        Along which axis; it may be left out where there is only one.

    Returns
    -------
    Tensor
        A copy whose axis is replaced by the shape of `indices`.

    Raises
    ------
    IndexError
        An index that is out of range.
    TypeError
        Indices that are no integers.
    ValueError
        An axis that is out of bounds, or None for other than one dimension.

    Examples
    --------
    >>> vt.take(vt.asarray([10, 20, 30]), vt.asarray([2, 0]))
    Tensor([30, 10], dtype=int64)
    """
    check_tensors("take", x)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: expected an axis for {x.ndim} dimensions")
        axis = 0
    return _core.take(x, indices, axis)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Elements at places along an axis that differ from line to line.

    Parameters
    ----------
    x : Tensor
        Of any dtype and at least one dimension.
    indices : Tensor
        Integers, of as many dimensions as `x`; axes but `axis` broadcast. Negative ones count from
        the end.
    axis : int, optional
        Along which axis: for axis 0 of two, out[i, j] is x[indices[i, j], j].

    Returns
    -------
    Tensor
        A copy of the broadcast shape of `indices`.

    Raises
    ------
    AxisError
        An axis that is out of bounds.
    IndexError
        An index that is out of range.
    TypeError
        Indices that are no integers.
    ValueError
        Shapes that do not fit.

    Examples
    --------
    >>> x = vt.asarray([[10, 20], [30, 40]])
    >>> vt.take_along_axis(x, vt.asarray([[1], [0]]))
    Tensor([[20],
            [30]], dtype=int64)
    """
    check_tensors("take_along_axis", x)
    (place,) = _axes("take_along_axis", axis, x.ndim)
    return _core.take_along_axis(x, indices, place)
