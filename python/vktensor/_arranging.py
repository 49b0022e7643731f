"""NumPy's functions on tensors that choose, put together and take apart, make indices and write
files: a part of the table of `_functions`.

Parameters are NumPy's. What a function cannot do is a TypeError that names it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.exceptions import AxisError

from vktensor import _core, creation, elementwise, files, manipulation, searching
from vktensor._core import Tensor
from vktensor._functions import _TABLE, _both, _implements, _tensor
from vktensor._ufuncs import stored


def _refuse(op: str, **options: Any) -> None:
    """TypeError for an option that is given."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise TypeError(f"{op}: expected no {name} of tensors")


def _ravel(x: Tensor) -> Tensor:
    return _core.reshape(x, (-1,), None)


def _host(values: Any) -> Any:
    """Indices, edges and weights that decide a shape: read to the host."""
    return values.numpy() if isinstance(values, Tensor) else np.asarray(values)


def _places(obj: Any) -> Any:
    """One index, several or a slice, for NumPy; an empty list has no dtype of its own."""
    if isinstance(obj, (int, slice)):
        return obj
    found = _host(obj)
    return found if found.size else found.astype(np.int64)


# ---- files and text ---------------------------------------------------------------------------

_implements("save")(lambda file, arr, allow_pickle=True: files.save(file, arr))
_implements("savez")(
    lambda file, *args, allow_pickle=True, **kwds: files.savez(file, *args, **kwds)
)
_implements("savez_compressed")(
    lambda file, *args, allow_pickle=True, **kwds: files.savez_compressed(file, *args, **kwds)
)
_implements("savetxt")(lambda fname, X, *args, **kwds: np.savetxt(fname, X.numpy(), *args, **kwds))
_implements("array2string")(lambda a, *args, **kwds: np.array2string(a.numpy(), *args, **kwds))

# ---- elementwise ------------------------------------------------------------------------------

_implements("fix")(lambda x, out=None: stored("fix", elementwise.trunc(x), out))


@_implements("iscomplex")
def _iscomplex(x: Tensor) -> Tensor:
    if x.dtype.kind != "c":
        return _core.full(x.shape, False, "bool", x.device)
    return elementwise.imag(x) != 0


@_implements("isreal")
def _isreal(x: Tensor) -> Tensor:
    return _core.logical_not(_iscomplex(x))


@_implements("astype")
def _astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    return _core.astype(x, dtype, copy)


@_implements("compress")
def _compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    return _tensor(a, condition).compress(condition, axis, out)


@_implements("extract")
def _extract(condition: Any, arr: Any) -> Any:
    condition, arr = _both(condition, arr)
    return _tensor(arr, condition).compress(_core.reshape(condition, (-1,), None))


@_implements("put")
def _put(a: Tensor, ind: Any, v: Any, mode: str = "raise") -> None:
    a.put(ind, v, mode)


@_implements("put_along_axis")
def _put_along_axis(arr: Tensor, indices: Any, values: Any, axis: int | None = -1) -> None:
    indices, values = _tensor(indices, arr), _tensor(values, arr)
    if axis is None:
        at = searching.coordinates(_core.where(indices < 0, indices + arr.size, indices), arr.shape)
        arr[at] = values
    else:
        _core.put_along_axis(arr, indices, values, axis)


@_implements("putmask")
def _putmask(a: Tensor, mask: Any, values: Any) -> None:
    at = _core.flat_nonzero(_tensor(mask, a))
    given = _core.reshape(_tensor(values, a), (-1,), None)
    a.put(at, _core.take(given, at % given.size, 0))


@_implements("place")
def _place_where(arr: Tensor, mask: Any, vals: Any) -> None:
    at, given = _core.flat_nonzero(_tensor(mask, arr)), _tensor(vals, arr)
    if at.size and not given.size:
        raise ValueError("place: expected at least one value")
    arr.put(at, given)


@_implements("where")
def _where(condition: Any, *choices: Any) -> Any:
    if not choices:
        return searching.nonzero(condition)
    if len(choices) != 2:
        raise TypeError("where: expected both choices or none")
    beside = next(x for x in (condition, *choices) if isinstance(x, Tensor))
    mask = _core.asarray(condition, "bool", beside.device, None)
    # Numbers stay weak beside each other, too.
    return _core.where(mask, *(_tensor(x, beside) if np.ndim(x) else x for x in choices))


@_implements("select")
def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: expected as many choices as conditions, got {len(choicelist)} and "
            f"{len(condlist)}"
        )
    result = default
    for mask, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        result = _where(mask, choice, result)
    return result


@_implements("choose")
def _choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    beside = next(x for x in (a, *choices) if isinstance(x, Tensor))
    a, n = _tensor(a, beside), len(choices)
    if mode == "wrap":
        a = _core.remainder(a, n)
    elif mode == "raise" and bool(_core.reduce("any", (a < 0) | (a >= n))):
        raise ValueError(f"choose: expected indices from 0 to {n - 1}")
    result = _tensor(choices[0], beside)
    for i in range(1, n):
        result = _core.where(a >= i, choices[i], result)
    return stored("choose", result, out)


@_implements("piecewise")
def _piecewise(x: Tensor, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    if isinstance(condlist, Tensor):
        condlist = list(condlist) if condlist.ndim > x.ndim else [condlist]
    masks = [_tensor(mask, x) for mask in condlist]
    if len(funclist) == len(masks) + 1:
        masks.append(_core.logical_not(functools.reduce(_core.logical_or, masks)))
    if len(funclist) != len(masks):
        raise ValueError(
            f"piecewise: expected {len(masks)} functions or one more, got {len(funclist)}"
        )
    y = _core.full(x.shape, 0, x.dtype, x.device)
    for mask, function in zip(masks, funclist, strict=True):
        value = function(x[mask], *args, **kw) if callable(function) else function
        y[mask] = value
    return y


# ---- putting together -------------------------------------------------------------------------


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("block: expected no empty lists")
    return 1 + max(_depth(each) for each in arrays)


def _first_tensor(arrays: Any) -> Any:
    if not isinstance(arrays, list):
        return arrays if isinstance(arrays, Tensor) else None
    return next((x for x in map(_first_tensor, arrays) if x is not None), None)


@_implements("block")
def _block(arrays: Any) -> Tensor:
    depth, beside = _depth(arrays), _first_tensor(arrays)

    def ndim(part: Any) -> int:
        return max(map(ndim, part)) if isinstance(part, list) else np.ndim(part)

    wanted = max(depth, ndim(arrays))

    def join(part: Any, level: int) -> Tensor:
        if not isinstance(part, list):
            x = _tensor(part, beside)
            return _core.reshape(x, (1,) * (wanted - x.ndim) + tuple(x.shape), None)
        return manipulation.concat([join(x, level - 1) for x in part], axis=-level)

    return join(arrays, depth)


def _along(op: str, arr: Tensor, axis: int | None) -> tuple[Tensor, int]:
    arr, axis = manipulation.lines(arr, axis)
    return arr, manipulation._axes(op, axis, arr.ndim)[0]


@_implements("delete")
def _delete(arr: Tensor, obj: Any, axis: int | None = None) -> Tensor:
    arr, axis = _along("delete", arr, axis)
    which = _places(obj)
    kept = np.delete(np.arange(arr.shape[axis]), which)
    return manipulation.take(arr, _core.asarray(kept, None, arr.device, None), axis=axis)


@_implements("insert")
def _insert(arr: Tensor, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    arr, axis = _along("insert", arr, axis)
    where = _places(obj)
    given = _core.astype(_tensor(values, arr), arr.dtype, False)
    given = _core.reshape(given, (1,) * (arr.ndim - given.ndim) + tuple(given.shape), None)
    n = arr.shape[axis]
    lengths = list(arr.shape)
    if isinstance(where, int) or not isinstance(where, slice) and where.ndim == 0:
        given = manipulation.moveaxis(given, 0, axis)
        lengths[axis] = given.shape[axis]
    else:
        lengths[axis] = len(np.insert(np.arange(n), where, -1)) - n
    more = _core.broadcast_to(given, lengths)
    order = np.insert(np.arange(n), where, np.arange(n, n + lengths[axis]))
    joined = manipulation.concat([arr, more], axis=axis)
    return manipulation.take(joined, _core.asarray(order, None, arr.device, None), axis=axis)


@_implements("resize")
def _resize(a: Tensor, new_shape: Any) -> Tensor:
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    n = math.prod(shape)
    if a.size == 0 or n == 0:
        return _core.full(shape, 0, a.dtype, a.device)
    index = _core.remainder(creation.arange(n, device=a.device), a.size)
    return _core.reshape(manipulation.take(_ravel(a), index, axis=0), shape, None)


@_implements("rollaxis")
def _rollaxis(a: Tensor, axis: int, start: int = 0) -> Tensor:
    (axis,) = manipulation._axes("rollaxis", axis, a.ndim)
    if not -a.ndim <= start <= a.ndim:
        raise AxisError(f"rollaxis: expected start from {-a.ndim} to {a.ndim}, got {start}")
    start += a.ndim if start < 0 else 0
    return manipulation.moveaxis(a, axis, start - 1 if axis < start else start)


@_implements("trim_zeros")
def _trim_zeros(filt: Tensor, trim: str = "fb", axis: Any = None) -> Tensor:
    _refuse("trim_zeros", axis=axis)
    if filt.ndim != 1:
        raise TypeError(f"trim_zeros: expected one dimension of tensors, got {filt.ndim}")
    there = searching.flatnonzero(filt)
    if not there.size:
        return filt[:0]
    first = int(there[0]) if "f" in trim.lower() else 0
    return filt[first : int(there[-1]) + 1 if "b" in trim.lower() else filt.size]


# ---- indices ----------------------------------------------------------------------------------

_implements("diagflat")(lambda v, k=0: _TABLE[np.diag](_ravel(v), k))


@_implements("fill_diagonal")
def _fill_diagonal(a: Tensor, val: Any, wrap: bool = False) -> None:
    if a.ndim < 2 or a.ndim > 2 and len(set(a.shape)) > 1:
        raise ValueError(f"fill_diagonal: expected a matrix or equal lengths, got shape {a.shape}")
    n_cols = a.shape[-1]
    step = n_cols + 1 if a.ndim == 2 else sum(n_cols**i for i in range(a.ndim))
    end = a.size if wrap or a.ndim > 2 else min(a.size, n_cols * n_cols)
    at = creation.arange(0, end, step, device=a.device)
    if isinstance(val, Tensor) or not np.isscalar(val):
        val = _resize(_ravel(_tensor(val, a)), at.size)
    # By indices: a diagonal of any strides is no view.
    a[searching.coordinates(at, a.shape)] = val


def _triangle(keep: Callable[..., Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    def call(arr: Tensor, k: int = 0) -> tuple[Tensor, ...]:
        if arr.ndim != 2:
            raise ValueError(f"expected a matrix, got {arr.ndim} dimensions")
        return searching.nonzero(keep(_core.full(arr.shape, True, "bool", arr.device), k=k))

    return call


_implements("tril_indices_from")(_triangle(creation.tril))
_implements("triu_indices_from")(_triangle(creation.triu))


@_implements("diag_indices_from")
def _diag_indices_from(arr: Tensor) -> tuple[Tensor, ...]:
    if arr.ndim < 2 or len(set(arr.shape)) != 1:
        raise ValueError(f"diag_indices_from: expected equal lengths, got shape {arr.shape}")
    return (creation.arange(arr.shape[0], device=arr.device),) * arr.ndim


@_implements("ix_")
def _ix(*args: Any) -> tuple[Tensor, ...]:
    beside = next(x for x in args if isinstance(x, Tensor))
    found = []
    for i, given in enumerate(args):
        x = _tensor(given, beside)
        if x.ndim != 1:
            raise ValueError(f"ix_: expected one dimension, got {x.ndim}")
        x = searching.flatnonzero(x) if x.dtype.kind == "b" else x
        found.append(_core.reshape(x, (1,) * i + (-1,) + (1,) * (len(args) - i - 1), None))
    return tuple(found)


@_implements("unravel_index")
def _unravel_index(indices: Tensor, shape: Any, order: str = "C") -> tuple[Tensor, ...]:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    n = math.prod(shape)
    if bool(_core.reduce("any", (indices < 0) | (indices >= n))):
        raise ValueError(f"unravel_index: expected indices from 0 to {n - 1} for shape {shape}")
    found = []
    for length in shape[::-1] if order == "C" else shape:
        found.append(_core.remainder(indices, length))
        indices = _core.floor_divide(indices, length)
    return tuple(found[::-1] if order == "C" else found)


@_implements("ravel_multi_index")
def _ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    modes = (mode,) * len(dims) if isinstance(mode, str) else mode
    result: Any = 0
    parts = list(zip(multi_index, dims, modes, strict=True))
    for index, length, how in parts if order == "C" else parts[::-1]:
        if how == "wrap":
            index = _core.remainder(index, length)
        elif how == "clip":
            index = _core.clip(index, 0, length - 1)
        elif bool(_core.reduce("any", (index < 0) | (index >= length))):
            raise ValueError(f"ravel_multi_index: expected indices from 0 to {length - 1}")
        result = result * length + index
    return result
