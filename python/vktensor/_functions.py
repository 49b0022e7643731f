"""NumPy's functions on tensors: `__array_function__` by a table from NumPy's function to ours.

A function that the table lacks is NumPy's TypeError, never a silent copy to the host. Arrays and
lists beside a Tensor are placed on its device; parameters are NumPy's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np

from vktensor import (
    _core,
    _ufuncs,
    creation,
    data_types,
    elementwise,
    linear_algebra,
    manipulation,
    numeric,
    searching,
    sorting,
    statistics,
    without_nan,
)
from vktensor._core import Tensor
from vktensor._typing import Axis
from vktensor._ufuncs import stored

_TABLE: dict[Callable[..., Any], Callable[..., Any]] = {}

#: Functions that are methods with the same parameters.
_METHODS = (
    *("all", "any", "argmax", "argmin", "argsort", "clip", "copy", "cumprod", "cumsum", "diagonal"),
    *("dot", "max", "mean", "min", "prod", "ptp", "ravel", "repeat", "reshape", "round"),
    *("searchsorted", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var"),
)
#: Second names that NumPy has for them.
_ALIASES = {
    "max": ("amax",),
    "min": ("amin",),
    "round": ("around",),
}


def _implements(
    *names: str, module: Any = np
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters a function under these names of NumPy's, as far as this NumPy has them."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            if hasattr(module, name):
                _TABLE[getattr(module, name)] = function
        return function

    return enter


def _tensor(x: Any, beside: Any) -> Tensor:
    """`x`, a number, sequence or array, as a Tensor where `beside` is one; numbers are weak."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, int, float)):
        return _core.full((), x, _core.result_type(beside, x), beside.device)
    return _core.asarray(x, None, beside.device if isinstance(beside, Tensor) else None, None)


def _tensors(*values: Any) -> list[Tensor]:
    """All as tensors, where one is."""
    beside = next((x for x in values if isinstance(x, Tensor)), None)
    return [_tensor(x, beside) for x in values]


def _both(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    a, b = _tensors(a, b)
    return a, b


def _method(name: str) -> Callable[..., Any]:
    def call(a: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(a, Tensor):
            given = (*args, *kwargs.values())
            a = _tensor(a, next(x for x in given if isinstance(x, Tensor)))
        return getattr(a, name)(*args, **kwargs)

    return call


for _name in _METHODS:
    _implements(_name, *_ALIASES.get(_name, ()))(_method(_name))


# ---- asking -----------------------------------------------------------------------------------

_implements("shape")(lambda a: a.shape)
_implements("iscomplexobj")(lambda x: x.dtype.kind == "c")
_implements("isrealobj")(lambda x: x.dtype.kind != "c")
_implements("real")(elementwise.real)
_implements("imag")(elementwise.imag)
_implements("result_type")(data_types.result_type)
_implements("array_repr")(lambda arr, *args, **kwargs: repr(arr))
_implements("array_str")(lambda a, *args, **kwargs: str(a))


@_implements("ndim")
def _ndim(a: Tensor) -> int:
    return a.ndim


@_implements("size")
def _size(a: Tensor, axis: Axis = None) -> int:
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return prod(a.shape[each] for each in axes)


@_implements("can_cast")
def _can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    source = from_.dtype if isinstance(from_, Tensor) else from_
    return bool(np.can_cast(source, to, casting))  # type: ignore[arg-type]


@_implements("array_equal")
def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    a1, a2 = _both(a1, a2)
    if a1.shape != a2.shape:
        return False
    same = a1 == a2
    if equal_nan:
        same = same | (_core.isnan(a1) & _core.isnan(a2))
    return bool(_core.reduce("all", same))


@_implements("array_equiv")
def _array_equiv(a1: Any, a2: Any) -> bool:
    a1, a2 = _both(a1, a2)
    try:
        _core.broadcast_shapes(a1.shape, a2.shape)
    except ValueError:
        return False
    return bool(_core.reduce("all", a1 == a2))


@_implements("isclose")
def _isclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    a, b = _both(a, b)
    # Integers have distances that they cannot tell.
    wide = creation._floating(_core.result_type(a, b), a.device)
    a, b = _core.astype(a, wide, False), _core.astype(b, wide, False)
    near = _core.abs(a - b) <= atol + rtol * _core.abs(b)
    close = _core.where(_core.isfinite(a) & _core.isfinite(b), near, a == b)
    return close | (_core.isnan(a) & _core.isnan(b)) if equal_nan else close


@_implements("allclose")
def _allclose(a: Any, b: Any, *args: Any, **kwargs: Any) -> bool:
    return bool(_core.reduce("all", _isclose(a, b, *args, **kwargs)))


# ---- making -----------------------------------------------------------------------------------


@_implements("empty_like", "zeros_like")
def _zeros_like(
    a: Tensor,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    return _full_like(a, 0, dtype, shape=shape)


@_implements("ones_like")
def _ones_like(
    a: Tensor,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    return _full_like(a, 1, dtype, shape=shape)


@_implements("full_like")
def _full_like(
    a: Tensor,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tensor:
    wanted = a.shape if shape is None else shape
    dtype = a.dtype if dtype is None else dtype
    if np.ndim(fill_value):
        result = _core.empty(wanted, dtype, a.device)
        _core.assign(result, _tensor(fill_value, a))
        return result
    value = fill_value.item() if isinstance(fill_value, (Tensor, np.generic)) else fill_value
    return _core.full(wanted, value, dtype, a.device)


# ---- joining and splitting --------------------------------------------------------------------


def _cast(op: str, x: Tensor, dtype: Any, casting: Any) -> Tensor:
    if dtype is None:
        return x
    target = _core.result_type(dtype)
    if not np.can_cast(x.dtype, target, casting):
        raise TypeError(f"{op}: {x.dtype} to {target} is no {casting} cast")
    return _core.astype(x, target, False)


@_implements("concatenate", "concat")
def _concatenate(
    arrays: Sequence[Tensor],
    axis: int | None = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    result = manipulation.concat(_tensors(*arrays), axis=axis)
    return stored("concatenate", _cast("concatenate", result, dtype, casting), out)


@_implements("stack")
def _stack(
    arrays: Sequence[Tensor],
    axis: int = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    result = manipulation.stack(_tensors(*arrays), axis=axis)
    return stored("stack", _cast("stack", result, dtype, casting), out)


def _at_least(x: Tensor, ndim: int) -> Tensor:
    """Axes of length 1 as NumPy's atleast_1d, 2d and 3d add them."""
    if x.ndim >= ndim:
        return x
    if ndim == 3 and x.ndim:
        lengths = (*x.shape, 1) if x.ndim == 2 else (1, *x.shape, 1)
    else:
        lengths = (1,) * (ndim - x.ndim) + tuple(x.shape)
    return _core.reshape(x, lengths, None)


def _adding_axes(ndim: int) -> Callable[..., Any]:
    def call(*arrays: Tensor) -> Any:
        found = tuple(_at_least(x, ndim) for x in _tensors(*arrays))
        return found[0] if len(found) == 1 else found

    return call


_implements("atleast_1d")(_adding_axes(1))
_implements("atleast_2d")(_adding_axes(2))
_implements("atleast_3d")(_adding_axes(3))


def _joining(name: str, ndim: int, axis: int) -> Callable[..., Any]:
    def call(tup: Sequence[Tensor], *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
        parts = [_at_least(x, ndim) for x in _tensors(*tup)]
        result = manipulation.concat(parts, axis=min(axis, parts[0].ndim - 1))
        return _cast(name, result, dtype, casting)

    return call


_implements("vstack")(_joining("vstack", 2, 0))
_implements("hstack")(_joining("hstack", 1, 1))
_implements("dstack")(_joining("dstack", 3, 2))


@_implements("column_stack")
def _column_stack(tup: Sequence[Tensor]) -> Tensor:
    columns = [x if x.ndim > 1 else _core.reshape(x, (-1, 1), None) for x in _tensors(*tup)]
    return manipulation.concat(columns, axis=1)


@_implements("append")
def _append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    return manipulation.concat(_both(arr, values), axis=axis)


def _length(op: str, x: Tensor, sections: Any, axis: int) -> int:
    """The length of the axis that is cut into so many sections, or at indices."""
    if isinstance(sections, int) and sections <= 0:
        raise ValueError(f"{op}: expected at least one section, got {sections}")
    return x.shape[manipulation._axes(op, axis, x.ndim)[0]]


@_implements("array_split")
def _array_split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> Any:
    length = _length("array_split", ary, indices_or_sections, axis)
    if isinstance(indices_or_sections, int):
        each, more = divmod(length, indices_or_sections)
        sizes = [each + (i < more) for i in range(indices_or_sections)]
        edges = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    else:
        edges = [0, *(int(i) for i in indices_or_sections), length]
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[(*before, slice(a, b))] for a, b in zip(edges[:-1], edges[1:], strict=True)]


@_implements("split")
def _split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> Any:
    length = _length("split", ary, indices_or_sections, axis)
    if isinstance(indices_or_sections, int) and length % indices_or_sections:
        raise ValueError(
            f"split: expected sections that divide {length}, got {indices_or_sections}"
        )
    return _array_split(ary, indices_or_sections, axis)


def _splitting(name: str, ndim: int, axis: int) -> Callable[..., Any]:
    def call(ary: Tensor, indices_or_sections: Any) -> Any:
        if ary.ndim < ndim:
            unit = "dimension" if ndim == 1 else "dimensions"
            raise ValueError(f"{name}: expected at least {ndim} {unit}, got {ary.ndim}")
        return _split(ary, indices_or_sections, min(axis, ary.ndim - 1))

    return call


_implements("unstack")(manipulation.unstack)
_implements("vsplit")(_splitting("vsplit", 2, 0))
_implements("hsplit")(_splitting("hsplit", 1, 1))
_implements("dsplit")(_splitting("dsplit", 3, 2))


# ---- rearranging ------------------------------------------------------------------------------

_implements("broadcast_arrays")(
    lambda *args, subok=False: manipulation.broadcast_arrays(*_tensors(*args))
)
_implements("broadcast_to")(lambda array, shape, subok=False: _core.broadcast_to(array, shape))
_implements("expand_dims")(lambda a, axis: manipulation.expand_dims(a, axis))
_implements("flip")(lambda m, axis=None: manipulation.flip(m, axis=axis))
_implements("fliplr")(lambda m: manipulation.flip(m, axis=1))
_implements("flipud")(lambda m: manipulation.flip(m, axis=0))
_implements("matrix_transpose")(lambda x: x.mT)
_implements("moveaxis")(
    lambda a, source, destination: manipulation.moveaxis(a, source, destination)
)
_implements("roll")(lambda a, shift, axis=None: manipulation.roll(a, shift, axis=axis))
_implements("transpose", "permute_dims")(lambda a, axes=None: a.transpose(axes))
_implements("tril")(lambda m, k=0: creation.tril(m, k=k))
_implements("triu")(lambda m, k=0: creation.triu(m, k=k))


@_implements("take_along_axis")
def _take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    arr, indices = _both(arr, indices)
    arr, axis = manipulation.lines(arr, axis)
    return manipulation.take_along_axis(arr, indices, axis=axis)


@_implements("meshgrid")
def _meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: Any = "xy"
) -> tuple[Tensor, ...]:
    arrays = [_core.reshape(x, (-1,), None) for x in _tensors(*xi)]
    grid = creation.meshgrid(*arrays, indexing=indexing)
    if not sparse:
        return grid
    # Of each its own axis is left: for 'xy' the first two have changed places.
    axes = list(range(len(grid)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    return tuple(
        x[tuple(slice(None if a == axis else 1) for a in range(len(grid)))]
        for x, axis in zip(grid, axes, strict=True)
    )


@_implements("tile")
def _tile(A: Tensor, reps: Any) -> Tensor:
    return manipulation.tile(A, (reps,) if isinstance(reps, int) else reps)


@_implements("rot90")
def _rot90(m: Tensor, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    if len(axes) != 2:
        raise ValueError(f"rot90: expected two axes, got {axes}")
    first, second = manipulation._axes("rot90", axes, m.ndim)
    k %= 4
    if k == 2:
        return manipulation.flip(m, axis=(first, second))
    turned = m if k == 0 else manipulation.moveaxis(m, (first, second), (second, first))
    return manipulation.flip(turned, axis=first if k == 1 else second) if k else turned


@_implements("diag")
def _diag(v: Tensor, k: int = 0) -> Tensor:
    if v.ndim == 2:
        return v.diagonal(k)
    if v.ndim != 1:
        raise ValueError(f"diag: expected 1 or 2 dimensions, got {v.ndim}")
    n = v.size + abs(k)
    result = _core.full((n, n), 0, v.dtype, v.device)
    _core.assign(result.diagonal(k), v)
    return result


@_implements("pad")
def _pad(array: Tensor, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Tensor:
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"pad: there is no mode {mode!r} for tensors")
    return manipulation.pad(array, pad_width, mode, **kwargs)


@_implements("copyto")
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    beside = next(x for x in (dst, src, where) if isinstance(x, Tensor))
    result = _core.broadcast_to(_tensor(src, beside), dst.shape)
    _ufuncs.store("copyto", dst, result, where, casting)


# ---- computing --------------------------------------------------------------------------------


def _scanning(function: Callable[..., Tensor]) -> Callable[..., Any]:
    def call(x: Tensor, /, *, out: Any = None, **kwargs: Any) -> Any:
        return stored(function.__name__, function(_at_least(x, 1), **kwargs), out)

    return call


_implements("count_nonzero")(
    lambda a, axis=None, *, keepdims=False: _core.reduce("count_nonzero", a, axis, keepdims)
)
_implements("cumulative_prod")(_scanning(statistics.cumulative_prod))
_implements("cumulative_sum")(_scanning(statistics.cumulative_sum))
_implements("inner")(lambda a, b: _inner(a, b))
_implements("outer")(lambda a, b, out=None: stored("outer", _outer(a, b), out))
_implements("tensordot")(
    lambda a, b, axes=2: linear_algebra.tensordot(*_both(a, b), axes=_pairs(axes))
)
_implements("vdot")(
    lambda a, b: linear_algebra.vecdot(*(_core.reshape(x, (-1,), None) for x in _both(a, b)))
)


def _pairs(axes: Any) -> Any:
    if isinstance(axes, int):
        return axes
    first, second = axes
    return tuple([a] if isinstance(a, int) else list(a) for a in (first, second))


def _inner(a: Any, b: Any) -> Any:
    a, b = _both(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return linear_algebra.tensordot(a, b, axes=([a.ndim - 1], [b.ndim - 1]))


def _outer(a: Any, b: Any) -> Any:
    a, b = _both(a, b)
    return _core.reshape(a, (-1, 1), None) * _core.reshape(b, (1, -1), None)


@_implements("sort")
def _sort(
    a: Tensor,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
) -> Tensor:
    if order is not None:
        raise ValueError(f"sort: expected no order, as there are no fields, got {order!r}")
    a, axis = manipulation.lines(a, axis)
    return sorting.sort(a, axis=axis)


@_implements("unique")
def _unique(
    ar: Tensor,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    if axis is not None:
        raise ValueError("unique: expected axis=None; rows are not compared")
    runs = sorting.Runs("unique", ar, equal_nan)
    wanted = (return_index, return_inverse, return_counts)
    found = (runs.indices, runs.inverse, runs.counts)
    more = tuple(find() for find, is_wanted in zip(found, wanted, strict=True) if is_wanted)
    return (runs.values(), *more) if more else runs.values()


for _name in ("unique_all", "unique_counts", "unique_inverse", "unique_values"):
    _implements(_name)(getattr(sorting, _name))


@_implements("isin")
def _isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
) -> Tensor:
    return searching.isin(*_both(element, test_elements), invert=invert)


@_implements("einsum")
def _einsum(
    subscripts: Any,
    *operands: Any,
    out: Any = None,
    optimize: Any = False,
    dtype: Any = None,
    order: str = "K",
    casting: str = "safe",
) -> Any:
    if not isinstance(subscripts, str):
        subscripts, operands = _labelled((subscripts, *operands))
    placed = [_cast("einsum", x, dtype, casting) for x in _tensors(*operands)]
    return stored("einsum", linear_algebra.einsum(subscripts, *placed), out)


def _labelled(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Operands, each with the list of its labels behind it, and perhaps the result's list, as a
    text and the operands."""

    def spell(labels: Sequence[Any]) -> str:
        return "".join("..." if x is Ellipsis else chr(ord("a") + index(x)) for x in labels)

    text = ",".join(spell(labels) for labels in given[1::2])
    output = f"->{spell(given[-1])}" if len(given) % 2 else ""
    return text + output, given[:-1:2] if len(given) % 2 else given[::2]


@_implements("kron")
def _kron(a: Any, b: Any) -> Tensor:
    a, b = _both(a, b)
    ndim = max(a.ndim, b.ndim)
    left = (1,) * (ndim - a.ndim) + tuple(a.shape)
    right = (1,) * (ndim - b.ndim) + tuple(b.shape)
    apart = _core.reshape(a, [n for length in left for n in (length, 1)], None)
    near = _core.reshape(b, [n for length in right for n in (1, length)], None)
    whole = [m * n for m, n in zip(left, right, strict=True)]
    return _core.reshape(apart * near, whole, None)


_implements("nonzero")(searching.nonzero)
_implements("flatnonzero")(searching.flatnonzero)
_implements("argwhere")(searching.argwhere)


@_implements("average")
def _average(
    a: Any,
    axis: Axis = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    if weights is None:
        mean = _core.reduce("mean", a, axis, keepdims)
        total = _core.full(mean.shape, a.size // max(mean.size, 1), mean.dtype, a.device)
        return (mean, total) if returned else mean
    a, weights = _both(a, weights)
    if weights.shape != a.shape:
        if not isinstance(axis, int) or weights.ndim != 1:
            raise TypeError("average: expected one axis and 1-d weights where the shapes differ")
        weights = _core.reshape(
            weights, [-1 if d == axis % a.ndim else 1 for d in range(a.ndim)], None
        )
    weights = _core.broadcast_to(weights, a.shape)
    weights = _core.astype(weights, _core.result_type(a, weights, 1.0), False)
    total = _core.reduce("sum", weights, axis, keepdims)
    mean = _core.reduce("sum", a * weights, axis, keepdims) / total
    return (mean, total) if returned else mean


@_implements("nan_to_num")
def _nan_to_num(
    x: Tensor, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    if x.dtype.kind in "biu" and not copy:
        return x
    result = numeric.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
    return result if copy else _ufuncs.store("nan_to_num", x, result)


@_implements("isposinf")
def _isposinf(x: Tensor, out: Any = None) -> Any:
    return stored("isposinf", numeric.isposinf(x), out)


@_implements("isneginf")
def _isneginf(x: Tensor, out: Any = None) -> Any:
    return stored("isneginf", numeric.isneginf(x), out)


_implements("sinc")(numeric.sinc)


@_implements("diff")
def _diff(a: Tensor, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    no_value = getattr(np, "_NoValue", None)
    ends = [None if x is None or x is no_value else x for x in (prepend, append)]
    for i, x in enumerate(ends):
        if x is not None:
            x = _core.asarray(x, None, a.device, None)
            shape = list(a.shape)
            shape[axis] = 1
            ends[i] = _core.broadcast_to(x, shape) if x.ndim == 0 else x
    return statistics.diff(a, axis=axis, n=n, prepend=ends[0], append=ends[1])


def _without_nan(name: str, rest: float) -> Callable[..., Any]:
    """The method `name` with `rest`, which does not change the result, for NaN."""

    def call(a: Tensor, *args: Any, **kwargs: Any) -> Any:
        return getattr(without_nan.replaced(f"nan{name}", a, rest), name)(*args, **kwargs)

    return call


def _nan_extreme(name: str) -> Callable[..., Any]:
    def call(
        a: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False, **kwargs: Any
    ) -> Any:
        return stored(f"nan{name}", without_nan.extreme(name, a, axis, keepdims, **kwargs), out)

    return call


def _nan_position(name: str) -> Callable[..., Any]:
    def call(a: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Any:
        return stored(name, getattr(without_nan, name)(a, axis=axis, keepdims=keepdims), out)

    return call


def _nan_moment(name: str) -> Callable[..., Any]:
    def call(a: Tensor, *args: Any, **kwargs: Any) -> Any:
        if a.dtype.kind not in "biu":
            kwargs["where"] = _core.logical_not(_core.isnan(a))
        return getattr(a, name)(*args, **kwargs)

    return call


_implements("nansum")(_without_nan("sum", 0))
_implements("nanprod")(_without_nan("prod", 1))
_implements("nancumsum")(_without_nan("cumsum", 0))
_implements("nancumprod")(_without_nan("cumprod", 1))
_implements("nanargmax")(_nan_position("nanargmax"))
_implements("nanargmin")(_nan_position("nanargmin"))
_implements("nanmax")(_nan_extreme("max"))
_implements("nanmin")(_nan_extreme("min"))
_implements("nanmean")(_nan_moment("mean"))
_implements("nanvar")(_nan_moment("var"))
_implements("nanstd")(_nan_moment("std"))


# ---- the protocol -----------------------------------------------------------------------------

#: Creation functions, called for `like=`.
_LIKE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.array: lambda device, x, dtype=None, *, copy=True, **kw: _core.asarray(
        x, dtype, device, True if copy else None
    ),
    np.asarray: lambda device, x, dtype=None, order=None, *, copy=None, **kw: _core.asarray(
        x, dtype, device, copy
    ),
    np.arange: lambda device, start, stop=None, step=1, dtype=None, **kw: creation.arange(
        start, stop, 1 if step is None else step, dtype=dtype, device=device
    ),
    np.empty: lambda device, shape, dtype=None, order="C", **kw: creation.empty(
        shape, dtype=dtype, device=device
    ),
    np.zeros: lambda device, shape, dtype=None, order="C", **kw: creation.zeros(
        shape, dtype=dtype, device=device
    ),
    np.ones: lambda device, shape, dtype=None, order="C", **kw: creation.ones(
        shape, dtype=dtype, device=device
    ),
    np.full: lambda device, shape, fill_value, dtype=None, order="C", **kw: creation.full(
        shape, fill_value, dtype=dtype, device=device
    ),
    np.eye: lambda device, N, M=None, k=0, dtype=None, order="C", **kw: creation.eye(
        N, M, k=k, dtype=dtype, device=device
    ),
    np.identity: lambda device, n, dtype=None: creation.eye(n, dtype=dtype, device=device),
}
_LIKE[np.asanyarray] = _LIKE[np.ascontiguousarray] = _LIKE[np.asarray]


def _place(value: Any, device: Any) -> Any:
    """Arrays, and those in lists and tuples, as tensors on `device`."""
    if isinstance(value, np.ndarray):
        return _core.asarray(value, None, device, None)
    if isinstance(value, (list, tuple)) and any(isinstance(x, (Tensor, np.ndarray)) for x in value):
        return type(value)(_core.asarray(x, None, device, None) for x in value)
    return value


def table() -> dict[Callable[..., Any], Callable[..., Any]]:
    """What there is for NumPy's functions; half of it is imported when it is first needed."""
    for rest in ("_analysis", "_arranging"):
        importlib.import_module(f"vktensor.{rest}")
    return _TABLE


def array_function(
    self: Tensor,
    func: Callable[..., Any],
    types: Sequence[type],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """NumPy's protocol: functions of tensors are computed on the device.

    The parameters are NumPy's; `like=` makes tensors on this one's device, with our default dtypes.
    TypeError for what is not in the table.
    """
    if not all(issubclass(t, (Tensor, np.ndarray)) for t in types):
        return NotImplemented
    device = self.device
    if func in _LIKE:
        kwargs.pop("device", None)
        return _LIKE[func](device, *args, **kwargs)
    function = _TABLE.get(func) or table().get(func)
    if function is None:
        raise TypeError(
            f"{func.__module__}.{func.__name__}: there is no such function of tensors; "
            "numpy.asarray(x) gives NumPy's array of one"
        )
    first = args[:1] if func is np.copyto else ()
    placed = [*first, *(_place(x, device) for x in args[len(first) :])]
    named = {name: x if name == "out" else _place(x, device) for name, x in kwargs.items()}
    return function(*placed, **named)
