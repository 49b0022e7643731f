"""Methods of Tensor that are compositions of the namespace, and its repr."""

from __future__ import annotations

from typing import Any

import numpy as np

from vktensor import (
    _core,
    _functions,
    _ufuncs,
    elementwise,
    exchange,
    linear_algebra,
    manipulation,
    searching,
    sorting,
)
from vktensor._core import Tensor
from vktensor._typing import Axis, DTypeLike, Operand, Scalar

#: As NumPy: longer tensors are shown by their first and last elements along each axis.
THRESHOLD = 1000
EDGE = 3


def _cut(x: Tensor, axis: int) -> Tensor:
    """`x` without the middle of each long axis from `axis` on. Corners are put together from the
    innermost axis outwards: nothing is read that is not shown."""
    while axis < x.ndim and x.shape[axis] <= 2 * EDGE:
        axis += 1
    if axis == x.ndim:
        return x
    before = (slice(None),) * axis
    # One element more than is shown on the left makes NumPy place its dots.
    parts = (slice(None, EDGE + 1), slice(-EDGE, None))
    return _core.concat([_cut(x[(*before, part)], axis + 1) for part in parts], axis)


def _edges(x: Tensor) -> tuple[np.ndarray[Any, Any], bool]:
    """The elements repr shows, as a NumPy array no larger than that, and whether some are left
    out."""
    if x.size <= THRESHOLD:
        return np.asarray(x), False
    return np.asarray(_cut(x, 0)), True


def _repr(self: Tensor) -> str:
    shown, cut = _edges(self)
    prefix = "Tensor("
    with np.printoptions(threshold=0 if cut else shown.size + 1, edgeitems=EDGE):
        body = np.array2string(shown, separator=", ", prefix=prefix, suffix=",")
    shape = f", shape={self.shape}" if cut or self.size == 0 and self.shape != (0,) else ""
    return f"{prefix}{body}{shape}, dtype={self.dtype})"


def _repr_html(self: Tensor) -> str:
    """What notebooks show."""
    from vktensor import _html

    return _html.tensor(self)


def _str(self: Tensor) -> str:
    shown, cut = _edges(self)
    with np.printoptions(threshold=0 if cut else shown.size + 1, edgeitems=EDGE):
        return str(np.array2string(shown)) if shown.ndim else str(shown[()])


def _format(self: Tensor, spec: str) -> str:
    if spec and self.ndim:
        raise TypeError(f"__format__: expected no format for {self.ndim} dimensions, got {spec!r}")
    return format(self.item(), spec) if spec else str(self)


# ---- reductions and scans ---------------------------------------------------------------------


def _stored(op: str, result: Tensor, out: Any) -> Any:
    return result if out is None else _ufuncs.store(op, out, result)


def _sum(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """As `vt.sum`, with NumPy's parameters."""
    return _stored("sum", _ufuncs.reduce("sum", self, axis, dtype, keepdims, initial, where), out)


def _prod(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """As `vt.prod`, with NumPy's parameters."""
    return _stored("prod", _ufuncs.reduce("prod", self, axis, dtype, keepdims, initial, where), out)


def _max(
    self: Tensor,
    axis: Axis = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """As `vt.max`, with NumPy's parameters."""
    return _stored("max", _ufuncs.reduce("max", self, axis, None, keepdims, initial, where), out)


def _min(
    self: Tensor,
    axis: Axis = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """As `vt.min`, with NumPy's parameters."""
    return _stored("min", _ufuncs.reduce("min", self, axis, None, keepdims, initial, where), out)


def _any(
    self: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """As `vt.any`, with NumPy's parameters."""
    return _stored("any", _ufuncs.reduce("any", self, axis, None, keepdims, None, where), out)


def _all(
    self: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """As `vt.all`, with NumPy's parameters."""
    return _stored("all", _ufuncs.reduce("all", self, axis, None, keepdims, None, where), out)


def _masked_mean(x: Tensor, axis: Axis, keepdims: bool, where: Any, lost: float = 0) -> Tensor:
    """The mean of the elements that `where` selects, over their number less `lost`."""
    mask = _core.asarray(where, "bool", x.device, None)
    count = _core.reduce("count_nonzero", _core.broadcast_to(mask, x.shape), axis, keepdims)
    total = _core.reduce("sum", _core.where(mask, x, 0), axis, keepdims, _core.result_type(x, 1.0))
    return total / (count - lost) if lost else total / count


def _mean(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    """As `vt.mean`, with NumPy's parameters."""
    x = self if dtype is None else _core.astype(self, dtype, False)
    if where is True:
        return _stored("mean", _core.reduce("mean", x, axis, keepdims), out)
    return _stored("mean", _masked_mean(x, axis, keepdims, where), out)


def _spread(
    name: str, x: Tensor, axis: Axis, dtype: Any, keepdims: bool, lost: float, where: Any
) -> Tensor:
    x = x if dtype is None else _core.astype(x, dtype, False)
    if where is True:
        return _core.reduce(name, x, axis, keepdims, None, lost)
    apart = x - _masked_mean(x, axis, True, where)
    result = _masked_mean(apart * apart, axis, keepdims, where, lost)
    return _core.sqrt(result) if name == "std" else result


def _var(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    ddof: float = 0.0,
    keepdims: bool = False,
    *,
    where: Any = True,
    correction: float | None = None,
) -> Any:
    """As `vt.var`, with NumPy's parameters."""
    lost = ddof if correction is None else correction
    return _stored("var", _spread("var", self, axis, dtype, keepdims, lost, where), out)


def _std(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    ddof: float = 0.0,
    keepdims: bool = False,
    *,
    where: Any = True,
    correction: float | None = None,
) -> Any:
    """As `vt.std`, with NumPy's parameters."""
    lost = ddof if correction is None else correction
    return _stored("std", _spread("std", self, axis, dtype, keepdims, lost, where), out)


def _ptp(self: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest over `axis`."""
    high = _core.reduce("max", self, axis, keepdims)
    return _stored("ptp", high - _core.reduce("min", self, axis, keepdims), out)


def _argmax(
    self: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False
) -> Any:
    """As `vt.argmax`, with NumPy's parameters."""
    return _stored("argmax", _core.reduce("argmax", self, axis, keepdims), out)


def _argmin(
    self: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False
) -> Any:
    """As `vt.argmin`, with NumPy's parameters."""
    return _stored("argmin", _core.reduce("argmin", self, axis, keepdims), out)


def _scanned(name: str, x: Tensor, axis: int | None, dtype: Any, out: Any) -> Any:
    x = _core.reshape(x, (-1,), None) if axis is None else x
    return _stored(name, _core.scan(name, x, 0 if axis is None else axis, dtype), out)


def _cumsum(
    self: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Any = None
) -> Any:
    """As `vt.cumulative_sum`; of the flattened tensor where `axis` is None."""
    return _scanned("cumulative_sum", self, axis, dtype, out)


def _cumprod(
    self: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Any = None
) -> Any:
    """As `vt.cumulative_prod`; of the flattened tensor where `axis` is None."""
    return _scanned("cumulative_prod", self, axis, dtype, out)


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
    """As `vt.clip`; the bounds have both of NumPy's names."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return _stored("clip", elementwise.clip(self, low, high), out)


def _round(self: Tensor, decimals: int = 0, out: Any = None) -> Any:
    """The elements rounded to `decimals` places, half to even; before the point for a negative
    number."""
    if self.dtype.kind in "iub" and decimals >= 0:
        result = self.copy()
    elif decimals == 0:
        result = _core.round(self)
    else:
        by = 10.0 ** abs(decimals)
        x = _core.astype(self, _core.result_type(self, 1.0), False)
        x = _core.round(x * by) / by if decimals > 0 else _core.round(x / by) * by
        result = _core.astype(x, self.dtype, False)
    return _stored("round", result, out)


def _conj(self: Tensor) -> Tensor:
    """As `vt.conj`."""
    return elementwise.conj(self)


def _conjugate(self: Tensor) -> Tensor:
    """As `vt.conj`."""
    return elementwise.conj(self)


def _astype(
    self: Tensor,
    dtype: DTypeLike,
    order: str = "K",
    casting: str = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Tensor:
    """As `vt.astype`. `casting` as in NumPy; the result is contiguous whatever `order` says."""
    del order, subok
    target = _core.result_type(dtype)
    fits = np.can_cast(self.dtype, target, casting)  # type: ignore[arg-type]
    if not fits:
        raise TypeError(f"astype: {self.dtype} to {target} is no {casting} cast")
    return _core.astype(self, dtype, copy)


def _fill(self: Tensor, value: Any) -> None:
    """Sets every element to `value`."""
    _core.assign(self, value)


def _take(
    self: Tensor, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Any:
    """Elements at `indices` along `axis`, of the flattened tensor for None. `mode` 'wrap' and
    'clip' bring indices into range, 'raise' is an IndexError."""
    x = _core.reshape(self, (-1,), None) if axis is None else self
    axis = 0 if axis is None else axis
    at = _core.asarray(indices, None, self.device, None)
    if mode == "wrap":
        at = _core.remainder(at, x.shape[axis])
    elif mode == "clip":
        at = _core.clip(at, 0, x.shape[axis] - 1)
    elif mode != "raise":
        raise ValueError(f"take: expected mode 'raise', 'wrap' or 'clip', got {mode!r}")
    return _stored("take", _core.take(x, at, axis), out)


def _put(self: Tensor, indices: Any, values: Any, mode: str = "raise") -> None:
    """Sets the elements at `indices`, counted in C order, to `values`, repeated as often as it
    takes; of equal indices the last wins. `mode` as for `take`."""
    at = _core.reshape(_core.asarray(indices, "int64", self.device, None), (-1,), None)
    if mode == "wrap":
        at = _core.remainder(at, self.size)
    elif mode == "clip":
        at = _core.clip(at, 0, self.size - 1)
    elif mode != "raise":
        raise ValueError(f"put: expected mode 'raise', 'wrap' or 'clip', got {mode!r}")
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
    """As `vt.nonzero`."""
    return searching.nonzero(self)


def _compress(self: Tensor, condition: Any, axis: int | None = None, out: Any = None) -> Any:
    """The slices along `axis`, of the flattened tensor for None, where `condition` is true; it may
    be shorter than the axis."""
    keep = _core.asarray(condition, "bool", self.device, None)
    if keep.ndim != 1:
        raise ValueError(f"compress: expected a condition of 1 dimension, got {keep.ndim}")
    x = _core.reshape(self, (-1,), None) if axis is None else self
    return _stored("compress", _core.take(x, _core.flat_nonzero(keep), axis or 0), out)


def _repeat(self: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """As `vt.repeat`; `repeats` may be a sequence."""
    if not isinstance(repeats, (int, Tensor)):
        repeats = _core.asarray(repeats, None, self.device, None)
    return manipulation.repeat(self, repeats, axis=axis)


def _searchsorted(self: Tensor, v: Any, side: Any = "left", sorter: Any = None) -> Tensor:
    """As `vt.searchsorted`: where the elements of `v` belong in this sorted tensor."""
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
    """Sorts in place, as `vt.sort`, whatever `kind` says."""
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
    """As `vt.argsort`; of the flattened tensor where `axis` is None."""
    del kind, stable
    if order is not None:
        raise ValueError("argsort: a Tensor has no fields to order by")
    x = _core.reshape(self, (-1,), None) if axis is None else self
    return sorting.argsort(x, axis=-1 if axis is None else axis)


def _dot(self: Tensor, b: Any, out: Any = None) -> Any:
    """NumPy's dot: the matrix product of two matrices; else the sum over the last axis and `b`'s
    last but one; with a scalar the product."""
    other = b if isinstance(b, Tensor) else _core.asarray(b, None, self.device, None)
    if self.ndim == 0 or other.ndim == 0:
        result = self * other
    elif self.ndim <= 2 and other.ndim <= 2:
        result = _core.matmul(self, other)
    else:
        axes = ([self.ndim - 1], [other.ndim - 2 if other.ndim > 1 else 0])
        result = linear_algebra.tensordot(self, other, axes=axes)
    return _stored("dot", result, out)


# ---- shape ------------------------------------------------------------------------------------


def _reshape(self: Tensor, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    """As `vt.reshape`; the lengths may be given one by one. `order` is 'C', 'A' or 'F'."""
    lengths = shape[0] if len(shape) == 1 else shape
    if order != "F":
        return _core.reshape(self, lengths, copy)
    lengths = (lengths,) if isinstance(lengths, int) else tuple(lengths)
    turned = _core.reshape(_transpose(self), lengths[::-1], copy)
    return _transpose(turned)


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    """As `vt.permute_dims`; all axes reversed where none are given."""
    if not axes or axes == (None,):
        return _core.permute_dims(self, range(self.ndim)[::-1])
    return _core.permute_dims(self, axes[0] if isinstance(axes[0], (tuple, list)) else axes)


def _swapaxes(self: Tensor, axis1: int, axis2: int) -> Tensor:
    """A view with two axes exchanged."""
    return manipulation.moveaxis(self, (axis1, axis2), (axis2, axis1))


def _squeeze(self: Tensor, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """As `vt.squeeze`; every axis of length 1 where `axis` is None."""
    if axis is None:
        axis = tuple(i for i, length in enumerate(self.shape) if length == 1)
    return manipulation.squeeze(self, axis)


def _ravel(self: Tensor, order: str = "C") -> Tensor:
    """The elements in C order (or 'F') on one axis, a view where strides allow."""
    return _reshape(self, -1, order=order)


def _flatten(self: Tensor, order: str = "C") -> Tensor:
    """The elements in C order (or 'F') on one axis, a copy."""
    return _reshape(self, -1, order=order, copy=True)


def _diagonal(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal `offset` of the matrices along two axes, as the last axis; a view where strides
    allow."""
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
    """The sum along the diagonal."""
    diagonal = _diagonal(self, offset, axis1, axis2)
    return _stored("trace", _core.reduce("sum", diagonal, -1, False, dtype), out)


def _to_device(self: Tensor, device: Any, /, *, stream: None = None) -> Tensor:
    """The tensor on `device`: itself where it is there already, else a copy through the host."""
    if stream is not None:
        raise ValueError("to_device: expected stream=None")
    target = _core.device_at(device)
    return self if target == self.device else _core.asarray(self.numpy(), None, target, True)


# ---- protocols --------------------------------------------------------------------------------


def _array_namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    """The namespace of the array API standard that this tensor belongs to."""
    import vktensor

    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        raise ValueError(f"__array_namespace__: expected a known version, got {api_version!r}")
    return vktensor


def _dask_tokenize(self: Tensor) -> Any:
    """For Dask: equal tokens for equal contents."""
    import sys

    from dask.base import normalize_token

    if "dask.array" in sys.modules:
        from vktensor.clients import dask_array  # noqa: F401
    return normalize_token((type(self).__name__, str(self.device), self.numpy()))


#: The methods' names; each is the function above with an underscore before it.
METHODS = (
    *("sum", "prod", "max", "min", "any", "all", "mean", "var", "std", "ptp", "argmax", "argmin"),
    *("cumsum", "cumprod", "clip", "round", "conj", "conjugate", "astype", "fill", "take", "put"),
    *("repeat", "searchsorted", "dot", "reshape", "transpose", "swapaxes", "squeeze", "ravel"),
    *("flatten", "diagonal", "trace", "to_device", "sort", "argsort"),
    *("nonzero", "compress"),
)
SPECIAL = ("repr", "str", "format", "array_namespace", "dask_tokenize")


def attach() -> None:
    """Puts the methods on the class; called once, at import."""
    functions = {name: globals()[f"_{name}"] for name in METHODS}
    functions |= {f"__{name}__": globals()[f"_{name}"] for name in SPECIAL}
    functions["_repr_html_"] = _repr_html
    functions["__reduce_ex__"] = exchange.reduce_tensor
    functions["__array_ufunc__"] = _ufuncs.array_ufunc
    functions["__array_function__"] = _functions.array_function
    for name, function in functions.items():
        function.__name__ = name
        function.__qualname__ = f"Tensor.{name}"
        setattr(Tensor, name, function)
