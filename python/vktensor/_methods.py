"""Methods of Tensor that are compositions of the namespace, and its repr."""

from __future__ import annotations

from typing import Any

import numpy as np

from vktensor import _core, manipulation, statistics
from vktensor._core import Tensor
from vktensor._typing import Axis, DTypeLike

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
    return format(self.item(), spec) if spec and self.ndim == 0 else str(self)


def _sum(
    self: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """As `vt.sum`."""
    return statistics.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)


def _prod(
    self: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """As `vt.prod`."""
    return statistics.prod(self, axis=axis, dtype=dtype, keepdims=keepdims)


def _max(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `vt.max`."""
    return statistics.max(self, axis=axis, keepdims=keepdims)


def _min(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `vt.min`."""
    return statistics.min(self, axis=axis, keepdims=keepdims)


def _mean(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `vt.mean`."""
    return statistics.mean(self, axis=axis, keepdims=keepdims)


def _var(self: Tensor, axis: Axis = None, ddof: float = 0.0, keepdims: bool = False) -> Tensor:
    """As `vt.var`, with NumPy's name for the correction."""
    return statistics.var(self, axis=axis, correction=ddof, keepdims=keepdims)


def _std(self: Tensor, axis: Axis = None, ddof: float = 0.0, keepdims: bool = False) -> Tensor:
    """As `vt.std`, with NumPy's name for the correction."""
    return statistics.std(self, axis=axis, correction=ddof, keepdims=keepdims)


def _any(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `vt.any`."""
    return statistics.any(self, axis=axis, keepdims=keepdims)


def _all(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `vt.all`."""
    return statistics.all(self, axis=axis, keepdims=keepdims)


def _argmax(self: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """As `vt.argmax`."""
    return statistics.argmax(self, axis=axis, keepdims=keepdims)


def _argmin(self: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """As `vt.argmin`."""
    return statistics.argmin(self, axis=axis, keepdims=keepdims)


def _cumsum(self: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """As `vt.cumulative_sum`; of the flattened tensor where `axis` is None."""
    x = _core.reshape(self, (-1,), None) if axis is None else self
    return statistics.cumulative_sum(x, axis=0 if axis is None else axis, dtype=dtype)


def _astype(self: Tensor, dtype: DTypeLike, copy: bool = True) -> Tensor:
    """As `vt.astype`."""
    return _core.astype(self, dtype, copy)


def _reshape(self: Tensor, *shape: Any) -> Tensor:
    """As `vt.reshape`; the lengths may be given one by one."""
    return _core.reshape(self, shape[0] if len(shape) == 1 else shape, None)


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    """As `vt.permute_dims`; all axes reversed where none are given."""
    if not axes or axes == (None,):
        return _core.permute_dims(self, range(self.ndim)[::-1])
    return _core.permute_dims(self, axes[0] if isinstance(axes[0], (tuple, list)) else axes)


def _squeeze(self: Tensor, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """As `vt.squeeze`; every axis of length 1 where `axis` is None."""
    if axis is None:
        axis = tuple(i for i, length in enumerate(self.shape) if length == 1)
    return manipulation.squeeze(self, axis)


def _ravel(self: Tensor) -> Tensor:
    """The elements in C order on one axis, a view where strides allow."""
    return _core.reshape(self, (-1,), None)


def _flatten(self: Tensor) -> Tensor:
    """The elements in C order on one axis, a copy."""
    return _core.reshape(self, (-1,), True)


def _to_device(self: Tensor, device: Any, /, *, stream: None = None) -> Tensor:
    """The tensor on `device`: itself where it is there already, else a copy through the host."""
    if stream is not None:
        raise ValueError("to_device: expected stream=None")
    target = _core.device_at(device)
    return self if target == self.device else _core.asarray(self.numpy(), None, target, True)


def _array_namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    """The namespace of the array API standard that this tensor belongs to."""
    import vktensor

    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        raise ValueError(f"__array_namespace__: expected a known version, got {api_version!r}")
    return vktensor


def attach() -> None:
    """Puts the methods on the class; called once, at import."""
    methods = {
        "__repr__": _repr,
        "_repr_html_": _repr_html,
        "__str__": _str,
        "__format__": _format,
        "__array_namespace__": _array_namespace,
        "sum": _sum,
        "prod": _prod,
        "max": _max,
        "min": _min,
        "mean": _mean,
        "var": _var,
        "std": _std,
        "any": _any,
        "all": _all,
        "argmax": _argmax,
        "argmin": _argmin,
        "cumsum": _cumsum,
        "astype": _astype,
        "reshape": _reshape,
        "transpose": _transpose,
        "squeeze": _squeeze,
        "ravel": _ravel,
        "flatten": _flatten,
        "to_device": _to_device,
    }
    for name, function in methods.items():
        function.__name__ = name
        function.__qualname__ = f"Tensor.{name}"
        setattr(Tensor, name, function)
