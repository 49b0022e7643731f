"""NumPy's functions on tensors that order, count, interpolate and measure, and those of
numpy.linalg that need no decomposition: a part of the table of `_functions`.

Parameters are NumPy's. What a function cannot do is a TypeError that names it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vktensor import (
    _core,
    creation,
    elementwise,
    linear_algebra,
    manipulation,
    samples,
    searching,
    sorting,
    statistics,
)
from vktensor._arranging import _host, _ravel, _refuse
from vktensor._core import Tensor
from vktensor._functions import _TABLE, _at_least, _both, _implements, _tensor
from vktensor._typing import Axis
from vktensor._ufuncs import stored

_of_linalg = functools.partial(_implements, module=np.linalg)


def _floating(x: Tensor) -> Tensor:
    return _core.astype(x, _core.result_type(x, 1.0), False)


# ---- angles -------------------------------------------------------------------------------------


@_implements("angle")
def _angle(z: Tensor, deg: bool = False) -> Tensor:
    z = _floating(z)
    if z.dtype.kind == "c":
        result = _core.atan2(elementwise.imag(z), elementwise.real(z))
    else:
        result = _core.atan2(0.0, z)
    return result * (180 / np.pi) if deg else result


@_implements("unwrap")
def _unwrap(
    p: Tensor, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi
) -> Tensor:
    p = _floating(p)
    step = statistics.diff(p, axis=axis)
    half = period / 2
    short = _core.remainder(step + half, period) - half
    short = _core.where((short == -half) & (step > 0), half, short)
    fix = _core.where(_core.abs(step) < max(half, discont or half), 0.0, short - step)
    return p + statistics.cumulative_sum(fix, axis=axis, include_initial=True)


# ---- order statistics -------------------------------------------------------------------------


def _quantile_function(name: str, scale: float, skips_nan: bool) -> Callable[..., Any]:
    def call(
        a: Any,
        q: Any,
        axis: Axis = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
    ) -> Any:
        _refuse(name, weights=weights)
        q = np.asarray(_host(q), np.float64) / scale
        found = samples.quantiles(name, _tensor(a, q), q, axis, method, keepdims is True, skips_nan)
        return stored(name, found, out)

    return call


def _median_function(name: str, skips_nan: bool) -> Callable[..., Any]:
    def call(
        a: Tensor,
        axis: Axis = None,
        out: Any = None,
        overwrite_input: bool = False,
        keepdims: Any = False,
    ) -> Any:
        found = samples.quantiles(name, a, 0.5, axis, "linear", keepdims is True, skips_nan)
        return stored(name, found, out)

    return call


_implements("quantile")(_quantile_function("quantile", 1, False))
_implements("percentile")(_quantile_function("percentile", 100, False))
_implements("nanquantile")(_quantile_function("nanquantile", 1, True))
_implements("nanpercentile")(_quantile_function("nanpercentile", 100, True))
_implements("median")(_median_function("median", False))
_implements("nanmedian")(_median_function("nanmedian", True))


@_implements("partition")
def _partition(
    a: Tensor, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None
) -> Tensor:
    _refuse("partition", order=order)
    a, axis = manipulation.lines(a, axis)
    return sorting.sort(a, axis=axis)


@_implements("argpartition")
def _argpartition(
    a: Tensor, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None
) -> Tensor:
    _refuse("argpartition", order=order)
    a, axis = manipulation.lines(a, axis)
    return sorting.argsort(a, axis=axis)


@_implements("lexsort")
def _lexsort(keys: Any, axis: int = -1) -> Tensor:
    order = None
    for key in keys:
        if order is None:
            order = sorting.argsort(key, axis=axis)
            continue
        sorted_key = manipulation.take_along_axis(key, order, axis=axis)
        place = sorting.argsort(sorted_key, axis=axis)
        order = manipulation.take_along_axis(order, place, axis=axis)
    if order is None:
        raise TypeError("lexsort: expected at least one key")
    return order


# ---- counting ---------------------------------------------------------------------------------


_implements("digitize")(lambda x, bins, right=False: samples.digitize(x, bins, right))


@_implements("bincount")
def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    return samples.bincount(_tensor(x, weights), weights, minlength=minlength)


@_implements("histogram_bin_edges")
def _histogram_bin_edges(a: Tensor, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    return samples.edges("histogram_bin_edges", a, bins, range)


@_implements("histogram")
def _histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Tensor, Tensor]:
    beside = next(x for x in (a, bins, weights) if isinstance(x, Tensor))
    return samples.histogram(_tensor(a, beside), bins, range, bool(density), weights)


# ---- sets -------------------------------------------------------------------------------------


def _unique(x: Any, known: bool = False) -> Tensor:
    return _ravel(x) if known else sorting.unique_values(x)


def _pair(ar1: Any, ar2: Any, assume_unique: bool) -> Tensor:
    """The elements of both sets, in order: those of both stand there twice."""
    ar1, ar2 = _both(ar1, ar2)
    both = [_unique(ar1, assume_unique), _unique(ar2, assume_unique)]
    return sorting.sort(manipulation.concat(both))


@_implements("union1d")
def _union1d(ar1: Any, ar2: Any) -> Tensor:
    ar1, ar2 = _both(ar1, ar2)
    return sorting.unique_values(manipulation.concat([_ravel(ar1), _ravel(ar2)]))


@_implements("intersect1d")
def _intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Tensor:
    _refuse("intersect1d", return_indices=return_indices)
    both = _pair(ar1, ar2, assume_unique)
    return both[:-1][both[1:] == both[:-1]]


@_implements("setxor1d")
def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    both = _pair(ar1, ar2, assume_unique)
    if both.size < 2:
        return both
    differs = both[1:] != both[:-1]
    end = _core.full((1,), True, "bool", both.device)
    alone = manipulation.concat([end, differs]) & manipulation.concat([differs, end])
    return both[alone]


@_implements("setdiff1d")
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    ar1, ar2 = _both(ar1, ar2)
    first = _unique(ar1, assume_unique)
    return first[searching.isin(first, ar2, invert=True)]


# ---- between points ---------------------------------------------------------------------------


@_implements("interp")
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    _refuse("interp", period=period)
    beside = next(v for v in (x, xp, fp) if isinstance(v, Tensor))
    x, xp, fp = (_floating(_tensor(v, beside)) for v in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(
            f"interp: expected points in one dimension, got shapes {xp.shape} and {fp.shape}"
        )
    if xp.size == 1:
        inside = fp[0] + x * 0
    else:
        after = searching.searchsorted(xp, x, side="right")
        i = _core.clip(after - 1, 0, xp.size - 2)
        x0, x1, y0, y1 = (v[j] for v in (xp, fp) for j in (i, i + 1))
        inside = _core.where(x == x1, y1, y0 + (y1 - y0) / (x1 - x0) * (x - x0))
    below = _core.where(x < xp[0], fp[0] if left is None else left, inside)
    return _core.where(x > xp[-1], fp[-1] if right is None else right, below)


@_implements("linspace")
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    start, stop = (_floating(x) for x in _both(start, stop))
    if num < 0:
        raise ValueError(f"linspace: expected a num of at least 0, got {num}")
    intervals = num - 1 if endpoint else num
    step = (stop - start) / intervals if intervals > 0 else (stop - start) * math.nan
    at = _core.reshape(creation.arange(num, device=start.device), (-1,) + (1,) * step.ndim, None)
    # Not 0 times a step that there is not.
    found = _core.where(at == 0, start, start + at * step)
    if endpoint and num > 1:
        found = _core.where(at == num - 1, stop, found)
    if dtype is not None:
        if np.dtype(dtype).kind in "iu":
            found = _core.floor(found)
        found = _core.astype(found, dtype, False)
    found = manipulation.moveaxis(found, 0, axis)
    return (found, step) if retstep else found


@_implements("trapezoid")
def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    y = _floating(_tensor(y, x))
    width: Any = dx
    if x is not None:
        x = _tensor(x, y)
        width = statistics.diff(x, axis=axis if x.ndim > 1 else -1)
        if x.ndim == 1:
            lengths = [1] * y.ndim
            lengths[axis] = width.size
            width = _core.reshape(width, lengths, None)
    y = manipulation.moveaxis(y, axis, -1)
    if isinstance(width, Tensor):
        width = manipulation.moveaxis(width, axis, -1)
    return _core.reduce("sum", (y[..., 1:] + y[..., :-1]) * width, -1) / 2


def _slope(f: Tensor, spacing: Any, axis: int) -> Tensor:
    """Differences along an axis: central ones inside, one-sided ones at the ends."""
    n = f.shape[axis]
    if n < 2:
        raise ValueError(f"gradient: expected at least 2 elements along axis {axis}, got {n}")
    f = manipulation.moveaxis(f, axis, -1)
    if isinstance(spacing, Tensor) and spacing.ndim:
        if spacing.shape != (n,):
            raise ValueError(f"gradient: expected {n} coordinates, got shape {spacing.shape}")
        step = statistics.diff(_floating(spacing))
        before, after = step[:-1], step[1:]
        left = (f[..., 1:-1] - f[..., :-2]) / before
        right = (f[..., 2:] - f[..., 1:-1]) / after
        inside = (left * after + right * before) / (before + after)
        first, last = step[:1], step[-1:]
    else:
        inside = (f[..., 2:] - f[..., :-2]) / (2 * spacing)
        first = last = spacing
    ends = ((f[..., 1:2] - f[..., :1]) / first, (f[..., -1:] - f[..., -2:-1]) / last)
    return manipulation.moveaxis(manipulation.concat([ends[0], inside, ends[1]], axis=-1), -1, axis)


@_implements("gradient")
def _gradient(f: Tensor, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    if edge_order != 1:
        raise TypeError(f"gradient: expected edge_order 1 of tensors, got {edge_order}")
    f = _floating(f)
    axes = tuple(range(f.ndim)) if axis is None else manipulation._axes("gradient", axis, f.ndim)
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"gradient: expected 1 or {len(axes)} spacings, got {len(spacings)}")
    placed = [s if np.isscalar(s) else _tensor(s, f) for s in spacings]
    found = tuple(_slope(f, s, i) for s, i in zip(placed, axes, strict=True))
    return found[0] if len(found) == 1 else found


@_implements("ediff1d")
def _ediff1d(ary: Tensor, to_end: Any = None, to_begin: Any = None) -> Tensor:
    parts = [to_begin, statistics.diff(_ravel(ary)), to_end]
    placed = [_at_least(_tensor(x, ary), 1) for x in parts if x is not None]
    return manipulation.concat([_core.astype(_ravel(x), ary.dtype, False) for x in placed])


@_implements("polyval")
def _polyval(p: Any, x: Any) -> Any:
    beside = p if isinstance(p, Tensor) else x
    x = _tensor(x, beside)
    result: Any = x * 0
    for coefficient in p if isinstance(p, Tensor) else list(np.asarray(p).tolist()):
        result = result * x + coefficient
    return result


@_implements("vander")
def _vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    n = x.size if N is None else N
    column = _core.reshape(x, (-1, 1), None)
    parts = [_core.full(column.shape, 1, x.dtype, x.device)] + [column] * (n - 1)
    powers = statistics.cumulative_prod(
        manipulation.concat(parts[:n], axis=1), axis=1, dtype=x.dtype
    )
    return powers if increasing else manipulation.flip(powers, axis=1)


# ---- products and norms -----------------------------------------------------------------------

_of_linalg("matmul")(lambda x1, x2, /: linear_algebra.matmul(*_both(x1, x2)))
_of_linalg("vecdot")(lambda x1, x2, /, *, axis=-1: linear_algebra.vecdot(*_both(x1, x2), axis=axis))
_of_linalg("outer")(lambda x1, x2, /: _TABLE[np.outer](x1, x2))
_of_linalg("tensordot")(lambda x1, x2, /, *, axes=2: _TABLE[np.tensordot](x1, x2, axes))
_of_linalg("matrix_transpose")(lambda x, /: x.mT)
_of_linalg("diagonal")(lambda x, /, *, offset=0: x.diagonal(offset, -2, -1))
_of_linalg("trace")(lambda x, /, *, offset=0, dtype=None: x.trace(offset, -2, -1, dtype))


@_of_linalg("multi_dot")
def _multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    return stored("multi_dot", functools.reduce(_TABLE[np.dot], arrays), out)


@_of_linalg("matrix_power")
def _matrix_power(a: Tensor, n: int) -> Tensor:
    if n < 0:
        raise TypeError("matrix_power: expected n of at least 0: there is no inverse of tensors")
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"matrix_power: expected square matrices, got shape {a.shape}")
    if n == 0:
        one = creation.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        return _core.broadcast_to(one, a.shape).copy()
    result = None
    while n:
        if n & 1:
            result = a if result is None else result @ a
        n >>= 1
        a = a @ a if n else a
    assert result is not None
    return result


@_implements("cross")
def _cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _both(a, b)
    a, b = manipulation.moveaxis(a, axisa, -1), manipulation.moveaxis(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross: expected vectors of 3 elements, got {a.shape[-1]} and {b.shape[-1]}"
        )
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return manipulation.moveaxis(manipulation.stack(parts, axis=-1), -1, axisc)


_of_linalg("cross")(lambda x1, x2, /, *, axis=-1: _cross(x1, x2, axis=axis))


#: Elements of the windows that a convolution lays out at a time.
_WINDOWS = 1 << 22


def _convolved(op: str, a: Any, v: Any, mode: str) -> Tensor:
    """The sums of products of `a` and of `v` backwards, which is no longer: a matrix of windows by
    a vector, in parts."""
    n, m = a.size, v.size
    if a.ndim != 1 or v.ndim != 1 or not m:
        raise ValueError(f"{op}: expected filled vectors, got shapes {a.shape} and {v.shape}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{op}: expected mode 'full', 'same' or 'valid', got {mode!r}")
    dtype = _core.result_type(a, v)
    a, v = (_core.astype(x, dtype, False) for x in (a, v))
    left, count = {"full": (m - 1, n + m - 1), "same": (m // 2, n), "valid": (0, n - m + 1)}[mode]
    padded = manipulation.pad(a, (left, count + m - 1 - left - n))
    backwards = manipulation.flip(v)
    step = max(1, _WINDOWS // m)
    parts = []
    for begin in range(0, count, step):
        rows = creation.arange(begin, min(begin + step, count), device=a.device)[:, None]
        index = rows + creation.arange(m, device=a.device)
        parts.append(linear_algebra.matmul(padded[index], backwards))
    return manipulation.concat(parts)


@_implements("convolve")
def _convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    a, v = (_at_least(x, 1) for x in _both(a, v))
    return _convolved("convolve", *((a, v) if a.size >= v.size else (v, a)), mode)


@_implements("correlate")
def _correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    a, v = (_at_least(x, 1) for x in _both(a, v))
    if a.size < v.size:
        return elementwise.conj(manipulation.flip(_correlate(v, a, mode)))
    return _convolved("correlate", a, elementwise.conj(manipulation.flip(v)), mode)


def _vector_norm(x: Tensor, order: Any, axis: Any, keepdims: bool) -> Tensor:
    if order == 0:
        counted = _core.reduce("sum", x != 0, axis, keepdims)
        return _core.astype(counted, _core.result_type(_core.abs(x), 1.0))
    if order in (np.inf, -np.inf):
        return _core.reduce("max" if order > 0 else "min", _core.abs(x), axis, keepdims)
    if order == 1:
        return _core.reduce("sum", _core.abs(x), axis, keepdims)
    if order is None or order == 2:
        return _core.sqrt(_core.reduce("sum", _core.square(_core.abs(x)), axis, keepdims))
    powers = _core.reduce("sum", _core.pow(_core.abs(x), float(order)), axis, keepdims)
    return _core.pow(powers, 1 / order)


def _matrix_norm(x: Tensor, order: Any, axes: Any, keepdims: bool) -> Tensor:
    if order in (None, "fro"):
        return _vector_norm(x, 2, axes, keepdims)
    if order not in (1, -1, np.inf, -np.inf):
        raise TypeError(f"norm: expected ord 'fro', 1, -1, inf or -inf of matrices, got {order!r}")
    summed, compared = axes if abs(order) == 1 else axes[::-1]
    sums = _core.reduce("sum", _core.abs(x), summed, True)
    result = _core.reduce("max" if order > 0 else "min", sums, compared, True)
    return result if keepdims else manipulation.squeeze(result, axes)


@_of_linalg("norm")
def _norm(x: Tensor, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    x = _floating(x)
    if axis is None and ord is None:
        return _vector_norm(x, 2, None, keepdims)
    axes = tuple(range(x.ndim)) if axis is None else manipulation._axes("norm", axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"norm: expected one or two axes, got {len(axes)}")


_of_linalg("vector_norm")(
    lambda x, /, *, axis=None, keepdims=False, ord=2: _vector_norm(
        _floating(x), ord, axis, keepdims
    )
)
_of_linalg("matrix_norm")(
    lambda x, /, *, keepdims=False, ord="fro": _matrix_norm(
        _floating(x), ord, (x.ndim - 2, x.ndim - 1), keepdims
    )
)


@_implements("cov")
def _cov(
    m: Tensor,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Tensor:
    _refuse("cov", fweights=fweights, aweights=aweights)
    found = []
    for x in (m,) if y is None else (m, y):
        x = _at_least(_floating(_tensor(x, m)), 2)
        found.append(x.mT if not rowvar and _tensor(x, m).shape[0] != 1 else x)
    x = manipulation.concat(found) if len(found) > 1 else found[0]
    if dtype is not None:
        x = _core.astype(x, dtype, False)
    n = x.shape[1] - (ddof if ddof is not None else 0 if bias else 1)
    apart = x - statistics.mean(x, axis=1, keepdims=True)
    product = apart @ (elementwise.conj(apart) if x.dtype.kind == "c" else apart).mT
    return manipulation.squeeze(product / max(n, 0), _ones(product))


def _ones(x: Tensor) -> tuple[int, ...]:
    return tuple(i for i, length in enumerate(x.shape) if length == 1)


@_implements("corrcoef")
def _corrcoef(x: Tensor, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    c = _cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        one: Tensor = c / c
        return one
    spread = _core.sqrt(elementwise.real(c.diagonal()))
    ratio: Tensor = c / spread[:, None] / spread[None, :]
    return ratio if ratio.dtype.kind == "c" else _core.clip(ratio, -1.0, 1.0)
