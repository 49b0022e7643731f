"""Shapes, views and joins. Views cost nothing and share memory; a copy is made only where the
result says so."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, Literal

import numpy as np
from numpy.exceptions import AxisError

from vktensor import _core
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


def _integers(op: str, name: str, value: Any) -> tuple[int, ...]:
    """`value`, one integer or several, as a tuple."""
    if isinstance(value, int):
        return (value,)
    try:
        return tuple(map(index, value)) if np.ndim(value) else (index(value),)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{op}: expected {name} to be integers, got {kind}") from None


def _axes(op: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of distinct axes in 0..ndim-1; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    given = _integers(op, "axis", axis)
    for a in given:
        if not -ndim <= a < ndim:
            # Both a ValueError and an IndexError, which the standard wants of expand_dims.
            raise AxisError(f"{op}: axis {a} is out of bounds for {ndim} dimensions")
    found = tuple(a % ndim for a in given)
    if len(set(found)) != len(found):
        raise ValueError(f"{op}: repeated axis in {given}")
    return found


def broadcast_to(x: Tensor, /, shape: Sequence[int]) -> Tensor:
    """A view of `x` with `shape`, repeated along new or length-1 axes. ValueError where it does not
    broadcast.

    >>> vt.broadcast_to(vt.asarray([1, 2]), (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    return _core.broadcast_to(x, shape)


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to. ValueError where they do not.

    >>> vt.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    return _core.broadcast_shapes(*shapes)


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Views of the arrays with the shape they broadcast to."""
    shape = _core.broadcast_shapes(*(x.shape for x in arrays))
    return tuple(_core.broadcast_to(x, shape) for x in arrays)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """The arrays joined along an existing axis (flattened first for None), dtypes promoted.

    ValueError for no arrays or lengths that differ off the axis.

    >>> vt.concat([vt.asarray([1, 2]), vt.asarray([3])])
    Tensor([1, 2, 3], dtype=int64)
    """
    if axis is None:
        return _core.concat([_core.reshape(x, (-1,), None) for x in arrays], 0)
    return _core.concat(list(arrays), axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """The arrays, all of one shape, joined along a new axis. ValueError where shapes differ or
    there are none.

    >>> vt.stack([vt.asarray([1, 2]), vt.asarray([3, 4])])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    arrays = list(arrays)
    if not arrays:
        raise ValueError("stack: expected at least one array, got none")
    for x in arrays:
        if x.shape != arrays[0].shape:
            raise ValueError(f"stack: expected equal shapes, got {arrays[0].shape} and {x.shape}")
    ndim = arrays[0].ndim + 1
    (place,) = _axes("stack", axis, ndim)
    return _core.concat([_core.expand_dims(x, (place,)) for x in arrays], place)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The views of `x` along `axis`, which they no longer have."""
    (place,) = _axes("unstack", axis, x.ndim)
    before = (slice(None),) * place
    return tuple(x[(*before, i)] for i in range(x.shape[place]))


def expand_dims(x: Tensor, /, axis: int | Sequence[int]) -> Tensor:
    """A view with new axes of length 1, so that each of `axis` is one of them in the result.
    AxisError (an IndexError and a ValueError) for one out of bounds.

    >>> vt.expand_dims(vt.asarray([1, 2]), 1).shape
    (2, 1)
    """
    count = len(_integers("expand_dims", "axis", axis))
    return _core.expand_dims(x, _axes("expand_dims", axis, x.ndim + count))


def squeeze(x: Tensor, /, axis: int | Sequence[int]) -> Tensor:
    """A view without the axes `axis`, whose lengths are 1 (else ValueError).

    >>> vt.squeeze(vt.ones((1, 2)), 0).shape
    (2,)
    """
    return _core.squeeze(x, _axes("squeeze", axis, x.ndim))


def permute_dims(x: Tensor, /, axes: Sequence[int]) -> Tensor:
    """A view whose axis i is axis axes[i] of `x`. ValueError unless each axis comes once.

    >>> vt.permute_dims(vt.ones((2, 3)), (1, 0)).shape
    (3, 2)
    """
    return _core.permute_dims(x, axes)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """A view with the last two axes exchanged. ValueError for fewer than two axes."""
    return x.mT


def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """A view with the axes `source` moved to the places `destination`, the others in order.

    >>> vt.moveaxis(vt.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    places = _axes("moveaxis", source, x.ndim)
    targets = _axes("moveaxis", destination, x.ndim)
    if len(places) != len(targets):
        raise ValueError("moveaxis: expected as many destinations as sources")
    rest = iter([a for a in range(x.ndim) if a not in places])
    moved = dict(zip(targets, places, strict=True))
    return _core.permute_dims(x, [moved[a] if a in moved else next(rest) for a in range(x.ndim)])


def flip(x: Tensor, /, *, axis: Axis = None) -> Tensor:
    """A view with the elements along `axis` (all axes for None) in reverse order.

    >>> vt.flip(vt.asarray([1, 2, 3]))
    Tensor([3, 2, 1], dtype=int64)
    """
    return _core.flip(x, _axes("flip", axis, x.ndim))


def reshape(x: Tensor, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """`x` with another shape of the same size, one length of which may be -1; a view where strides
    allow.

    `copy=False` raises ValueError where a copy is needed, `copy=True` always copies.

    >>> vt.reshape(vt.arange(4), (2, -1))
    Tensor([[0, 1],
            [2, 3]], dtype=int64)
    """
    return _core.reshape(x, shape, copy)


def roll(
    x: Tensor, /, shift: int | Sequence[int], *, axis: int | Sequence[int] | None = None
) -> Tensor:
    """Elements moved by `shift` places along `axis` (flattened for None), those beyond the end
    coming back in front.

    >>> vt.roll(vt.asarray([1, 2, 3]), 1)
    Tensor([3, 1, 2], dtype=int64)
    """
    if axis is None:
        flat = roll(_core.reshape(x, (-1,), None), shift, axis=0)
        return _core.reshape(flat, x.shape, None)
    # An axis may come twice: its shifts add up.
    axes = [_axes("roll", a, x.ndim)[0] for a in _integers("roll", "axis", axis)]
    shifts = _integers("roll", "shift", shift)
    shifts *= len(axes) if np.ndim(shift) == 0 else 1
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
    """`x` with more elements before and after it along each axis, as NumPy pads.

    `pad_width` and `constant_values` are one number, (before, after), or such a pair for each
    axis. The new elements are constants, the nearest one ('edge'), or `x` mirrored without
    ('reflect') or with its edge ('symmetric') or repeated ('wrap'). ValueError for a negative width
    and, but for 'constant', an axis of no elements.

    >>> vt.pad(vt.asarray([1, 2, 3]), 1)
    Tensor([0, 1, 2, 3, 0], dtype=int64)
    """
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: expected a mode, got {mode!r}")
    widths = np.broadcast_to(np.asarray(pad_width, np.int64), (x.ndim, 2)).tolist()
    values = np.broadcast_to(np.asarray(constant_values), (x.ndim, 2)).tolist()
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
    """Each element `repeats` times in a row along `axis` (flattened for None).

    `repeats` is an integer or an integer Tensor (or a sequence) with one for each element along
    `axis`, or one for all; it is read on the host for the length of the result. ValueError for
    repeats < 0, TypeError for those that are no integers.

    >>> vt.repeat(vt.asarray([1, 2]), vt.asarray([1, 2]))
    Tensor([1, 2, 2], dtype=int64)
    """
    if axis is None:
        x, axis = _core.reshape(x, (-1,), None), 0
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
    """`x` repeated as a whole, repetitions[i] times along axis i; missing axes are added in front.
    One integer is that of the last axis. ValueError for a negative one.

    >>> vt.tile(vt.asarray([1, 2]), (2,))
    Tensor([1, 2, 1, 2], dtype=int64)
    """
    counts = _integers("tile", "repetitions", repetitions)
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
    """Elements of `x` along `axis` at the integer `indices`, whose shape replaces the axis.

    `axis` may be left out for one axis. Negative indices count from the end; IndexError for one out
    of range.

    >>> vt.take(vt.asarray([10, 20, 30]), vt.asarray([2, 0]))
    Tensor([30, 10], dtype=int64)
    """
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: expected an axis for {x.ndim} dimensions")
        axis = 0
    return _core.take(x, indices, axis)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Elements of `x` at the integer `indices` along `axis`: out[i, j] = x[indices[i, j], j] for
    axis 0 of two.

    `indices` has as many axes as `x`; the others broadcast. Negative indices count from the end;
    IndexError for one out of range, TypeError for indices that are no integers.

    >>> x = vt.asarray([[10, 20], [30, 40]])
    >>> vt.take_along_axis(x, vt.asarray([[1], [0]]))
    Tensor([[20],
            [30]], dtype=int64)
    """
    (place,) = _axes("take_along_axis", axis, x.ndim)
    return _core.take_along_axis(x, indices, place)
