"""Statistics of samples by sorting: quantiles, counts and histograms.

Real tensors, which stay on the device; `axis` is one axis, several, or None for all.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from vktensor import _core, _ufunc_methods, manipulation, searching, sorting, statistics
from vktensor._checks import check_real
from vktensor._core import Tensor
from vktensor._typing import Axis, Operand

__all__ = [
    "bincount",
    "digitize",
    "histogram",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

Method = Literal[
    "linear",
    "lower",
    "higher",
    "midpoint",
    "nearest",
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "median_unbiased",
    "normal_unbiased",
]

#: alpha and beta of the continuous methods (Hyndman and Fan 1996), of which n values have the
#: quantile q at position n q + alpha + q (1 - alpha - beta) - 1.
_CONTINUOUS = {
    "linear": (1.0, 1.0),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
#: Methods that choose an element, so that integers stay what they are.
_CHOOSING = ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")


def _real(op: str, x: Any, beside: Tensor | None = None) -> Tensor:
    """`x` as a Tensor of real numbers, on the device of `beside`."""
    if beside is not None and not isinstance(x, Tensor):
        x = _core.asarray(x, None, beside.device, None)
    check_real(op, x)
    real: Tensor = x
    return real


# ---- quantiles --------------------------------------------------------------------------------


def _position(op: str, n: Any, q: Any, method: str) -> Any:
    """Where the quantiles q of n sorted values are, counted from 0, also between two."""
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        found = n * q + (alpha + q * (1 - alpha - beta)) - 1
    elif method in ("lower", "higher", "midpoint", "nearest"):
        at = (n - 1) * q
        low, high = np.floor(at), np.ceil(at)
        nearest = np.rint(at)
        found = {"lower": low, "higher": high, "nearest": nearest}.get(method, (low + high) / 2)
    elif method in ("inverted_cdf", "averaged_inverted_cdf"):
        at = n * q - 1
        here = at + 0.5 if method == "averaged_inverted_cdf" else at
        found = np.where(at == np.floor(at), here, np.floor(at) + 1)
    elif method == "closest_observation":
        at = n * q - 1.5
        low = np.floor(at)
        # Of two as near the one that is even counted from 1.
        found = np.where((at == low) & (low % 2 == 1), low, low + 1)
    else:
        raise ValueError(f"{op}: there is no method {method!r}")
    return np.clip(found, 0, np.maximum(n - 1, 0))


def _rows(op: str, x: Tensor, axis: Axis) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]]:
    """`x` with the reduced axes as one, the last; the lengths that are kept, and with keepdims."""
    every = tuple(range(x.ndim))
    axes = every if axis is None else manipulation._axes(op, axis, x.ndim)
    kept = [i for i in every if i not in axes]
    lengths = tuple(x.shape[i] for i in kept)
    n = math.prod(x.shape[i] for i in axes)
    rows = _core.reshape(_core.permute_dims(x, (*kept, *axes)), (*lengths, n), None)
    return rows, lengths, tuple(1 if i in axes else x.shape[i] for i in every)


def _between(low: Tensor, high: Tensor, share: Tensor) -> Tensor:
    """What is `share` of the way from `low` to `high`, which may be the same infinity; reckoned
    from the nearer, as NumPy does."""
    apart = high - low
    inner = _core.where(share >= 0.5, high - apart * (1 - share), low + apart * share)
    inner = _core.where(_core.isinf(low) | _core.isinf(high), low + high, inner)
    return _core.where((low == high) | (share == 0), low, inner)


def _chosen(op: str, ordered: Tensor, count: Any, q: Any, method: str) -> Tensor:
    """The quantiles q of each row of `ordered`, of which the first `count` are numbers: as many in
    all, or an array of how many in each."""
    device, dtype = ordered.device, ordered.dtype
    most = np.asarray(count)[..., None]
    at = _position(op, most, q, method)
    low = np.floor(at)
    high, share = np.minimum(low + 1, np.maximum(most - 1, 0)), at - low

    def take(where: Any) -> Tensor:
        index = _core.asarray(where.astype(np.int64), None, device, None)
        if index.ndim == 1:
            return manipulation.take(ordered, index, axis=-1)
        return manipulation.take_along_axis(ordered, index, axis=-1)

    below = take(low)
    if method in _CHOOSING:
        return below
    wide = "float64" if dtype.name == "float64" else "float32"
    first, second = (_core.astype(part, wide, False) for part in (below, take(high)))
    found = _between(first, second, _core.asarray(share, wide, device, None))
    return _core.astype(found, _core.result_type(ordered, 1.0), False)


def quantiles(
    op: str, x: Any, q: Any, axis: Axis, method: str, keepdims: bool, skip: bool
) -> Tensor:
    """What `quantile` gives; without NaN where `skip` is set."""
    x = _real(op, x)
    asked = np.asarray(q, np.float64)
    if not np.all((asked >= 0) & (asked <= 1)):
        raise ValueError(f"{op}: expected quantiles from 0 to 1, got {q}")
    rows, lengths, ones = _rows(op, x, axis)
    n, number = rows.shape[-1], x.dtype.kind in "biu"
    shape = (*asked.shape, *(ones if keepdims else lengths))
    if n == 0:
        _position(op, 1, asked, method)
        return _core.full(shape, math.nan, _core.result_type(x, 1.0), x.device)
    ordered = sorting.sort(rows)
    count: Any = n
    if skip and not number:
        held = _core.reduce("count_nonzero", _core.logical_not(_core.isnan(rows)), -1)
        if held.size and int(_core.reduce("min", held)) < n:
            count = np.asarray(held)
    found = _chosen(op, ordered, count, asked.ravel(), method)
    if not number and not skip:
        found = _core.where(_core.isnan(ordered[..., -1:]), math.nan, found)
    axes = (len(lengths), *range(len(lengths)))
    return _core.reshape(_core.permute_dims(found, axes), shape, None)


def quantile(
    x: Tensor,
    q: Any,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Quantiles over `axis`.

    Parameters
    ----------
    x : Tensor
        The elements, real.
    q : float or sequence of floats
        Which quantiles: from 0, the smallest element, to 1, the largest.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    method : str, optional
        How a quantile between two elements is reckoned: one of NumPy's thirteen methods [1]_.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        The shape of `q`, then that of the reduction. Floats in their dtype, integers in float32,
        or in their own dtype where `method` chooses elements. NaN where there is a NaN, or no
        element.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex.
    ValueError
        `q` is out of range, there is no such method, or an axis is missing or repeated.

    Notes
    -----
    By sorting: time grows with the number of elements and the bytes of one.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan: Sample quantiles in statistical packages. The American
       Statistician 50, 1996.

    Examples
    --------
    >>> vt.quantile(vt.asarray([4.0, 1.0, 3.0, 2.0]), [0.25, 0.5])
    Tensor([1.75, 2.5 ], dtype=float32)
    """
    return quantiles("quantile", x, q, axis, method, keepdims, False)


def percentile(
    x: Tensor,
    q: Any,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Percentiles over `axis`.

    Parameters
    ----------
    x : Tensor
        The elements, real.
    q : float or sequence of floats
        Which percentiles: from 0, the smallest element, to 100, the largest.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    method : str, optional
        How a quantile between two elements is reckoned: one of NumPy's thirteen methods [1]_.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        The shape of `q`, then that of the reduction. Floats in their dtype, integers in float32,
        or in their own dtype where `method` chooses elements. NaN where there is a NaN, or no
        element.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex.
    ValueError
        `q` is out of range, there is no such method, or an axis is missing or repeated.

    Notes
    -----
    By sorting: time grows with the number of elements and the bytes of one.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan: Sample quantiles in statistical packages. The American
       Statistician 50, 1996.

    Examples
    --------
    >>> vt.percentile(vt.asarray([4, 1, 3, 2]), 75, method="higher")
    Tensor(4, dtype=int64)
    """
    return quantiles(
        "percentile", x, np.asarray(q, np.float64) / 100, axis, method, keepdims, False
    )


def nanquantile(
    x: Tensor,
    q: Any,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Quantiles of the elements that are not NaN over `axis`.

    Parameters
    ----------
    x : Tensor
        The elements, real.
    q : float or sequence of floats
        Which quantiles: from 0, the smallest element, to 1, the largest.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    method : str, optional
        How a quantile between two elements is reckoned: one of NumPy's thirteen methods [1]_.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        The shape of `q`, then that of the reduction. Floats in their dtype, integers in float32,
        or in their own dtype where `method` chooses elements. NaN where there is nothing but NaN.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex.
    ValueError
        `q` is out of range, there is no such method, or an axis is missing or repeated.

    Notes
    -----
    By sorting. The numbers of elements that are not NaN are read on the host where there is one.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan: Sample quantiles in statistical packages. The American
       Statistician 50, 1996.

    Examples
    --------
    >>> vt.nanquantile(vt.asarray([4.0, vt.nan, 2.0]), 0.5)
    Tensor(3., dtype=float32)
    """
    return quantiles("nanquantile", x, q, axis, method, keepdims, True)


def nanpercentile(
    x: Tensor,
    q: Any,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Percentiles of the elements that are not NaN over `axis`.

    Parameters
    ----------
    x : Tensor
        The elements, real.
    q : float or sequence of floats
        Which percentiles: from 0, the smallest element, to 100, the largest.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    method : str, optional
        How a quantile between two elements is reckoned: one of NumPy's thirteen methods [1]_.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        The shape of `q`, then that of the reduction. Floats in their dtype, integers in float32,
        or in their own dtype where `method` chooses elements. NaN where there is nothing but NaN.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex.
    ValueError
        `q` is out of range, there is no such method, or an axis is missing or repeated.

    Notes
    -----
    By sorting. The numbers of elements that are not NaN are read on the host where there is one.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan: Sample quantiles in statistical packages. The American
       Statistician 50, 1996.

    Examples
    --------
    >>> vt.nanpercentile(vt.asarray([4.0, vt.nan, 2.0]), 25)
    Tensor(2.5, dtype=float32)
    """
    return quantiles(
        "nanpercentile", x, np.asarray(q, np.float64) / 100, axis, method, keepdims, True
    )


def median(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Median over `axis`: the middle of the sorted elements, of two there their mean.

    Parameters
    ----------
    x : Tensor
        The elements, real.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        Floats in their dtype, integers in float32. NaN where there is a NaN, or no element.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.median(vt.asarray([7.0, 1.0, 3.0, 4.0]))
    Tensor(3.5, dtype=float32)
    """
    return quantiles("median", x, 0.5, axis, "linear", keepdims, False)


def nanmedian(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Median over `axis` of the elements that are not NaN; of two in the middle their mean.

    Parameters
    ----------
    x : Tensor
        The elements, real.
    axis : int or tuple of ints, optional
        One axis, several, or None for all.
    keepdims : bool, optional
        Whether reduced axes stay, with length 1.

    Returns
    -------
    Tensor
        Floats in their dtype, integers in float32. NaN where there is no other.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex.
    ValueError
        An axis is missing or repeated.

    Examples
    --------
    >>> vt.nanmedian(vt.asarray([4.0, vt.nan, 2.0]))
    Tensor(3., dtype=float32)
    """
    return quantiles("nanmedian", x, 0.5, axis, "linear", keepdims, True)


# ---- counting ---------------------------------------------------------------------------------


def _weights(op: str, weights: Any, x: Tensor) -> Tensor:
    """The weights of all elements, floating, with one axis."""
    given = _real(op, weights, x)
    if given.shape != x.shape:
        raise ValueError(f"{op}: expected weights of shape {x.shape}, got {given.shape}")
    floating = _core.astype(given, _core.result_type(given, 1.0), False)
    return _core.reshape(floating, (-1,), None)


def bincount(x: Tensor, /, weights: Operand | None = None, *, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... is among the elements; or the sums of their weights.

    Parameters
    ----------
    x : Tensor
        Integers >= 0, or bool, with one axis.
    weights : Tensor, optional
        What each element counts, of the shape of `x`.
    minlength : int, optional
        The least length of the result.

    Returns
    -------
    Tensor
        One element more than the largest of `x`: int64, or the weights' floating dtype, float32
        for integers.

    Raises
    ------
    TypeError
        `x` does not hold integers.
    ValueError
        An element or `minlength` is negative, or shapes do not fit.

    Notes
    -----
    By sorting; the largest element is read on the host. Weights of equal elements are added in tree
    order, with the same bits on every run.

    Examples
    --------
    >>> vt.bincount(vt.asarray([0, 3, 3]))
    Tensor([1, 0, 0, 2], dtype=int64)
    """
    x = _real("bincount", x)
    if x.ndim != 1 or x.dtype.kind not in "iub":
        raise TypeError(f"bincount: expected integers in one dimension, got {x.dtype}, {x.ndim}-d")
    if minlength < 0:
        raise ValueError(f"bincount: expected a minlength of at least 0, got {minlength}")
    n, at = minlength, _core.astype(x, "int64", False)
    if x.size:
        low, high = (int(_core.reduce(name, at)) for name in ("min", "max"))
        if low < 0:
            raise ValueError(f"bincount: expected no negative numbers, got {low}")
        n = max(n, high + 1)
    if weights is None:
        ordered = sorting.sort(at)
        return statistics.diff(_core.searchsorted(ordered, _core.iota((n + 1,), x.device)))
    given = _weights("bincount", weights, x)
    result = _core.full((n,), 0, given.dtype, x.device)
    _ufunc_methods.at("bincount", _core.add, result, at, [given], _core.add)
    return result


def edges(op: str, x: Tensor, bins: Any, limits: Any) -> Tensor:
    """The edges of a histogram's bins, as NumPy makes them."""
    if isinstance(bins, str):
        raise TypeError(f"{op}: expected a number of bins or their edges, got {bins!r}")
    if not isinstance(bins, (int, np.integer)):
        found = _real(op, bins, x)
        if found.ndim != 1 or bool(_core.reduce("any", found[1:] < found[:-1])):
            raise ValueError(f"{op}: expected edges that rise")
        return found
    if bins < 1:
        raise ValueError(f"{op}: expected at least one bin, got {bins}")
    if limits is not None:
        low, high = (float(end) for end in limits)
    elif x.size:
        low, high = (float(_core.reduce(name, x)) for name in ("min", "max"))
    else:
        low, high = 0.0, 1.0
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"{op}: expected a finite range that rises, got {low} to {high}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    dtype = _core.result_type(x, 1.0)
    return _core.asarray(np.linspace(low, high, int(bins) + 1), dtype, x.device, None)


def histogram(
    x: Tensor,
    /,
    bins: Any = 10,
    range: tuple[float, float] | None = None,
    density: bool = False,
    weights: Operand | None = None,
) -> tuple[Tensor, Tensor]:
    """How many elements lie in each bin.

    Parameters
    ----------
    x : Tensor
        The elements, real, of any shape.
    bins : int or sequence of floats, optional
        The number of bins of equal width, or the edges of bins, ascending. All bins but the last
        are half open: an element on an edge is in the upper one.
    range : tuple of floats, optional
        Where the bins of a number begin and end, else at the smallest and the largest element.
        Elements outside do not count.
    density : bool, optional
        True gives a density, of which the integral is 1.
    weights : Tensor, optional
        What each element counts, of the shape of `x`.

    Returns
    -------
    counts : Tensor
        One for each bin: int64, or floating with `weights` or `density`.
    edges : Tensor
        One more than bins; of a number of bins in the dtype of `x`, float32 for integers.

    Raises
    ------
    TypeError
        `x` is no Tensor or is complex, or `bins` names a rule.
    ValueError
        The range is not finite or falls, edges fall, there is no bin, or shapes do not fit.

    Notes
    -----
    By sorting. Without `range` the smallest and the largest element are read on the host. Sums of
    weights are differences of running sums, with the same bits on every run.

    Examples
    --------
    >>> counts, edges = vt.histogram(vt.asarray([1.0, 2.0, 1.0, 4.0]), bins=3)
    >>> counts
    Tensor([2, 1, 1], dtype=int64)
    """
    x = _real("histogram", x)
    borders = edges("histogram", x, bins, range)
    dtype, flat = _core.result_type(x, borders), _core.reshape(x, (-1,), None)
    given = None if weights is None else _weights("histogram", weights, x)
    ordered, order = _core.sort(flat, 0, False, True, True)
    ordered, wanted = (_core.astype(part, dtype, False) for part in (ordered, borders))
    inner = _core.searchsorted(ordered, wanted[:-1])
    at = _core.concat([inner, _core.searchsorted(ordered, wanted[-1:], True)], 0)
    if given is not None:
        running = _core.scan("cumulative_sum", _core.take(given, order, 0), 0, None, True)
        at = _core.take(running, at, 0)
    counts = statistics.diff(at)
    if density:
        floating = _core.astype(counts, _core.result_type(counts, 1.0), False)
        counts = floating / (statistics.diff(borders) * _core.reduce("sum", floating))
    return counts, borders


def digitize(x: Operand, bins: Tensor, /, right: bool = False) -> Tensor:
    """The number of the bin in which each element lies.

    Parameters
    ----------
    x : Tensor or scalar
        The elements, real, of any shape.
    bins : Tensor
        The edges of the bins with one axis, ascending or descending.
    right : bool, optional
        Whether an element on an edge is in the bin below it, instead of the one above.

    Returns
    -------
    Tensor
        Of the shape of `x`, int64: i where ``bins[i - 1] <= x < bins[i]``, for descending edges
        where ``bins[i - 1] > x >= bins[i]``.

    Raises
    ------
    TypeError
        There is no Tensor, or complex numbers.
    ValueError
        `bins` have other than one axis, or neither rise nor fall; this is read on the host.

    Examples
    --------
    >>> vt.digitize(vt.asarray([0.5, 2.0, 9.0]), vt.asarray([1.0, 2.0, 3.0]))
    Tensor([0, 2, 3], dtype=int64)
    """
    beside = next((each for each in (bins, x) if isinstance(each, Tensor)), None)
    bins, x = _real("digitize", bins, beside), _real("digitize", x, beside)
    if bins.ndim != 1:
        raise ValueError(f"digitize: expected bins of one dimension, got {bins.ndim}")
    side: Literal["left", "right"] = "left" if right else "right"
    if bool(_core.reduce("all", bins[1:] >= bins[:-1])):
        return searching.searchsorted(bins, x, side=side)
    if not bool(_core.reduce("all", bins[1:] <= bins[:-1])):
        raise ValueError("digitize: expected bins that rise or fall")
    return bins.size - searching.searchsorted(manipulation.flip(bins), x, side=side)
