"""What Tensor gets beside its C core: its repr, protocols, and methods that are compositions."""

from __future__ import annotations

from typing import Any

import numpy as np

from vktensor import (
    _core,
    _docstrings,
    _element_methods,
    _functions,
    _reduction_methods,
    _ufuncs,
    exchange,
)
from vktensor._core import Tensor

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


SPECIAL = ("repr", "str", "format", "array_namespace", "dask_tokenize")


def attach() -> None:
    """Puts the methods on the class; called once, at import."""
    functions = {f"__{name}__": globals()[f"_{name}"] for name in SPECIAL}
    functions["_repr_html_"] = _repr_html
    functions["__reduce_ex__"] = exchange.reduce_tensor
    functions["__array_ufunc__"] = _ufuncs.array_ufunc
    functions["__array_function__"] = _functions.array_function
    for module in (_reduction_methods, _element_methods):
        for name in module.METHODS:
            functions[name] = getattr(module, f"_{name}")
            _docstrings.complete_method(functions[name], name)
    for name, function in functions.items():
        function.__name__ = name
        function.__qualname__ = f"Tensor.{name}"
        setattr(Tensor, name, function)
