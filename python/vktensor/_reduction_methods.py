"""Reductions and scans of a Tensor by NumPy's names and with NumPy's parameters."""

from __future__ import annotations

from typing import Any

from vktensor import _core, _ufuncs, manipulation
from vktensor._core import Tensor
from vktensor._typing import Axis, DTypeLike, Scalar
from vktensor._ufuncs import stored


def _sum(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """Sum over axes; 0 for no elements.

    As `vt.sum`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).sum()
    Tensor(6, dtype=int64)
    """
    return stored("sum", _ufuncs.reduce("sum", self, axis, dtype, keepdims, initial, where), out)


def _prod(
    self: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """Product over axes; 1 for no elements.

    As `vt.prod`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).prod()
    Tensor(6, dtype=int64)
    """
    return stored("prod", _ufuncs.reduce("prod", self, axis, dtype, keepdims, initial, where), out)


def _max(
    self: Tensor,
    axis: Axis = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """Largest element over axes; NaN if there is one.

    As `vt.max`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).max()
    Tensor(3, dtype=int64)
    """
    return stored("max", _ufuncs.reduce("max", self, axis, None, keepdims, initial, where), out)


def _min(
    self: Tensor,
    axis: Axis = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Scalar | None = None,
    where: Any = True,
) -> Any:
    """Smallest element over axes; NaN if there is one.

    As `vt.min`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).min()
    Tensor(1, dtype=int64)
    """
    return stored("min", _ufuncs.reduce("min", self, axis, None, keepdims, initial, where), out)


def _any(
    self: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """True where some element over axes is not zero; False for no elements.

    As `vt.any`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).any()
    Tensor(True, dtype=bool)
    """
    return stored("any", _ufuncs.reduce("any", self, axis, None, keepdims, None, where), out)


def _all(
    self: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """True where no element over axes is zero; True for no elements.

    As `vt.all`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).all()
    Tensor(True, dtype=bool)
    """
    return stored("all", _ufuncs.reduce("all", self, axis, None, keepdims, None, where), out)


def _wide(x: Tensor) -> Tensor:
    """A half type in float32: sums of it would not fit."""
    return _core.astype(x, "float32", False) if x.dtype.name in ("float16", "bfloat16") else x


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
    """Arithmetic mean over axes; NaN for no elements.

    As `vt.mean`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).mean()
    Tensor(2., dtype=float32)
    """
    x = self if dtype is None else _core.astype(self, dtype, False)
    if where is True:
        return stored("mean", _core.reduce("mean", x, axis, keepdims), out)
    mean = _masked_mean(_wide(x), axis, keepdims, where)
    return stored("mean", _core.astype(mean, _core.result_type(x, 1.0), False), out)


def _spread(
    name: str, x: Tensor, axis: Axis, dtype: Any, keepdims: bool, lost: float, where: Any
) -> Tensor:
    x = x if dtype is None else _core.astype(x, dtype, False)
    if where is True:
        return _core.reduce(name, x, axis, keepdims, None, lost)
    wide = _wide(x)
    apart = wide - _masked_mean(wide, axis, True, where)
    found = _masked_mean(_core.square(_core.abs(apart)), axis, keepdims, where, lost)
    found = _core.sqrt(found) if name == "std" else found
    return found if x.dtype.kind == "c" else _core.astype(found, _core.result_type(x, 1.0), False)


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
    """Variance over axes.

    As `vt.var`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).var(ddof=1)
    Tensor(1., dtype=float32)
    """
    lost = ddof if correction is None else correction
    return stored("var", _spread("var", self, axis, dtype, keepdims, lost, where), out)


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
    """Standard deviation over axes.

    As `vt.std`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).std(ddof=1)
    Tensor(1., dtype=float32)
    """
    lost = ddof if correction is None else correction
    return stored("std", _spread("std", self, axis, dtype, keepdims, lost, where), out)


def _ptp(self: Tensor, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    """Largest element over axes less the smallest.

    >>> vt.asarray([3, 1, 2]).ptp()
    Tensor(2, dtype=int64)
    """
    high = _core.reduce("max", self, axis, keepdims)
    return stored("ptp", high - _core.reduce("min", self, axis, keepdims), out)


def _argmax(
    self: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False
) -> Any:
    """Index of the first largest element; that of the first NaN if there is one.

    As `vt.argmax`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).argmax()
    Tensor(0, dtype=int64)
    """
    return stored("argmax", _core.reduce("argmax", self, axis, keepdims), out)


def _argmin(
    self: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False
) -> Any:
    """Index of the first smallest element; that of the first NaN if there is one.

    As `vt.argmin`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).argmin()
    Tensor(1, dtype=int64)
    """
    return stored("argmin", _core.reduce("argmin", self, axis, keepdims), out)


def _scanned(name: str, x: Tensor, axis: int | None, dtype: Any, out: Any) -> Any:
    x, axis = manipulation.lines(x, axis)
    return stored(name, _core.scan(name, x, axis, dtype), out)


def _cumsum(
    self: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Any = None
) -> Any:
    """Running sums along an axis.

    As `vt.cumulative_sum`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).cumsum()
    Tensor([3, 4, 6], dtype=int64)
    """
    return _scanned("cumulative_sum", self, axis, dtype, out)


def _cumprod(
    self: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Any = None
) -> Any:
    """Running products along an axis.

    As `vt.cumulative_prod`, with NumPy's parameters.

    >>> vt.asarray([3, 1, 2]).cumprod()
    Tensor([3, 3, 6], dtype=int64)
    """
    return _scanned("cumulative_prod", self, axis, dtype, out)


#: The methods' names; each is the function above with an underscore before it.
METHODS = (
    *("sum", "prod", "max", "min", "any", "all", "mean", "var", "std", "ptp", "argmax", "argmin"),
    *("cumsum", "cumprod"),
)
