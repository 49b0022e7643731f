"""NumPy's ufuncs on tensors: `__array_ufunc__` by a table from a ufunc's name to our function.

A call stays on the device: NumPy arrays beside a Tensor are placed there, and a ufunc or a method
of it that the table lacks is a TypeError, never a silent copy to the host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vktensor import _core, _ufunc_methods, elementwise, linear_algebra, manipulation, numeric
from vktensor._checks import broadcasts_to
from vktensor._core import Tensor

# ---- the table --------------------------------------------------------------------------------

#: Names that NumPy (or scipy.special) spells otherwise.
_RENAMED = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "conjugate": "conj",
    "degrees": "rad2deg",
    "gammaln": "lgamma",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "power": "pow",
    "radians": "deg2rad",
    "right_shift": "bitwise_right_shift",
    "rint": "round",
}


_OWN: dict[str, Callable[..., Any]] = {
    "matmul": linear_algebra.matmul,
    "vecdot": linear_algebra.vecdot,
}

#: Our reduction of a ufunc, and the value that does not change it (None: there is none).
_REDUCTIONS: dict[str, tuple[str, Any]] = {
    "add": ("sum", 0),
    "logical_and": ("all", True),
    "logical_or": ("any", False),
    "maximum": ("max", None),
    "minimum": ("min", None),
    "multiply": ("prod", 1),
}
_COMBINE = {name: ufunc for ufunc, (name, _) in _REDUCTIONS.items()}
_SCANS = {"add": "cumulative_sum", "multiply": "cumulative_prod"}


def find(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """Our function for `ufunc`, or None."""
    name = ufunc.__name__
    if name in _OWN:
        return _OWN[name]
    name = _RENAMED.get(name, name)
    for module in (elementwise, numeric):
        if name in vars(module)["__all__"]:
            function: Callable[..., Any] = getattr(module, name)
            return function
    return None


# ---- reductions -------------------------------------------------------------------------------


def reduce(
    name: str,
    x: Tensor,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The reduction `name` (sum, prod, min, max, any, all) with NumPy's `initial` and `where`.

    `where` selects the elements that count; for min and max it needs `initial` (ValueError), which
    is one more element for each result.
    """
    ufunc = _COMBINE[name]
    identity = _REDUCTIONS[ufunc][1]
    if identity is None and x.dtype.kind == "b" and initial is not None:
        initial = bool(initial)
    if where is not True:
        rest = initial if identity is None else identity
        if rest is None:
            raise ValueError(f"{name}: expected initial beside where, as there is no identity")
        x = _core.where(_core.asarray(where, "bool", x.device, None), x, rest)
    if initial is None:
        return _core.reduce(name, x, axis, keepdims, dtype)
    if x.size == 0 and identity is None:
        # No elements are an error for the reduction, but here there is one.
        kept = _core.reduce("any", x, axis, keepdims).shape
        return _core.full(kept, initial, x.dtype, x.device)
    result = _core.reduce(name, x, axis, keepdims, dtype)
    combined: Tensor = getattr(_core, ufunc)(result, initial)
    return combined


# ---- the protocol -----------------------------------------------------------------------------


def store(op: str, out: Any, result: Tensor, where: Any = True, casting: str = "same_kind") -> Any:
    """Writes `result` into `out`, a Tensor or an ndarray, where `where`, and gives `out`."""
    if not np.can_cast(result.dtype, out.dtype, casting):  # type: ignore[arg-type]
        raise TypeError(f"{op}: a result of dtype {result.dtype} does not fit into {out.dtype}")
    if where is not True:
        mask = _core.asarray(where, "bool", result.device, None)
        result = _core.where(mask, result, _core.asarray(out, None, result.device, None))
    if result.shape != out.shape:
        raise ValueError(f"{op}: expected out of shape {result.shape}, got {out.shape}")
    if isinstance(out, Tensor):
        _core.assign(out, result)
    else:
        out[...] = result.numpy()
    return out


def stored(op: str, result: Tensor, out: Any) -> Any:
    """The result, or `out` with the result in it."""
    return result if out is None else store(op, out, result)


def _call(ufunc: np.ufunc, inputs: list[Any], dtype: Any = None) -> Any:
    function = find(ufunc)
    if function is None:
        raise TypeError(f"{ufunc.__name__}: there is no such function of tensors")
    if dtype is not None:
        inputs = [_core.astype(x, dtype, False) if isinstance(x, Tensor) else x for x in inputs]
    result = function(*inputs)
    if dtype is None or isinstance(result, tuple):
        return result
    return _core.astype(result, dtype, False)


def _reduce(ufunc: np.ufunc, inputs: list[Any], kwargs: dict[str, Any]) -> Tensor:
    axis, dtype, keepdims, initial, where = (
        kwargs.pop(name, default)
        for name, default in (
            ("axis", 0),
            ("dtype", None),
            ("keepdims", False),
            ("initial", None),
            ("where", True),
        )
    )
    if initial is getattr(np, "_NoValue", None):
        initial = None
    if ufunc.__name__ not in _REDUCTIONS:
        function, op = _associative(ufunc, "reduce"), f"{ufunc.__name__}.reduce"
        if where is not True or initial is not None:
            raise TypeError(f"{op}: expected neither initial nor where")
        x = inputs[0] if dtype is None else _core.astype(inputs[0], dtype, False)
        if axis is None:
            x = _core.reshape(x, (-1, *[1] * (x.ndim - 1 if keepdims else 0)), None)
        along, identity = 0 if axis is None else axis, ufunc.identity
        if identity == -1 and x.dtype.kind in "bu":  # all bits
            identity = True if x.dtype.kind == "b" else np.iinfo(x.dtype).max
        return _ufunc_methods.reduce(op, function, x, along, keepdims, identity)
    name = _REDUCTIONS[ufunc.__name__][0]
    return reduce(name, inputs[0], axis, dtype, keepdims, initial, where)


def _associative(ufunc: np.ufunc, method: str) -> Callable[..., Any]:
    """Our function for `ufunc`, of which any order of operands gives the same."""
    function = find(ufunc)
    if function is None or ufunc.__name__ not in _ufunc_methods.ASSOCIATIVE:
        raise TypeError(f"{ufunc.__name__}.{method}: there is no such {method} of tensors")
    return function


def _accumulate(ufunc: np.ufunc, inputs: list[Any], kwargs: dict[str, Any]) -> Tensor:
    name, x = ufunc.__name__, inputs[0]
    axis, dtype = kwargs.pop("axis", 0), kwargs.pop("dtype", None)
    if name in _SCANS:
        return _core.scan(_SCANS[name], x, axis, dtype)
    function = _associative(ufunc, "accumulate")
    x = x if dtype is None else _core.astype(x, dtype, False)
    return _ufunc_methods.accumulate(f"{name}.accumulate", function, x, axis)


def _reduceat(ufunc: np.ufunc, inputs: list[Any], kwargs: dict[str, Any]) -> Tensor:
    axis, dtype = kwargs.pop("axis", 0), kwargs.pop("dtype", None)
    function = _associative(ufunc, "reduceat")
    x = inputs[0]
    if ufunc.__name__ in _SCANS and dtype is None:
        dtype = _core.reduce(_REDUCTIONS[ufunc.__name__][0], x[:0], None).dtype
    x = x if dtype is None else _core.astype(x, dtype, False)
    return _ufunc_methods.reduceat(f"{ufunc.__name__}.reduceat", function, x, inputs[1], axis)


def _outer(ufunc: np.ufunc, inputs: list[Any], kwargs: dict[str, Any]) -> Any:
    left, right = (_core.asarray(x, None, None, None) for x in inputs)
    apart = _core.reshape(left, (*left.shape, *(1,) * right.ndim), None)
    return _call(ufunc, [apart, right], kwargs.pop("dtype", None))


def _at(ufunc: np.ufunc, inputs: list[Any]) -> None:
    """Elements at indices of any kind; duplicates count each time. Values of equal indices are
    combined in tree order first where the function is associative, else one after another. An
    ndarray is computed on the device of the tensors beside it, and receives a copy."""
    x, index, *values = inputs
    name = ufunc.__name__
    function = find(ufunc)
    if function is None:
        raise TypeError(f"{name}.at: there is no such function of tensors")
    if not isinstance(x, Tensor):
        beside = next(t for t in (index, *values) if isinstance(t, Tensor))
        placed = _core.asarray(x, None, beside.device, True)
        _at(ufunc, [placed, index, *values])
        x[...] = placed.numpy()
        return
    items = index if isinstance(index, tuple) else (index,)
    basic = (int, np.integer, slice, type(None), type(Ellipsis))
    if all(isinstance(item, basic) and not isinstance(item, bool) for item in items):
        x[index] = function(x[index], *values)
        return
    tree = "add" if name == "subtract" else name
    by = getattr(_core, tree) if tree in _ufunc_methods.ASSOCIATIVE else None
    _ufunc_methods.at(f"{name}.at", function, x, index, values, by)


def _accepts(types: list[type]) -> bool:
    """Whether all of these may stand in an expression with tensors; others may know better."""
    return all(
        issubclass(t, (Tensor, np.ndarray, np.generic, bool, int, float, complex, list, tuple))
        for t in types
    )


def _place(inputs: tuple[Any, ...], device: Any) -> list[Any]:
    """The inputs with arrays and sequences as tensors on `device`."""
    kinds = (list, tuple, np.ndarray, np.generic)
    return [_core.asarray(x, None, device, None) if isinstance(x, kinds) else x for x in inputs]


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's protocol: ufuncs of tensors, and their methods, are computed on the device.

    `out`, `where`, `dtype` and `casting` as in NumPy; an ndarray given as `out` receives a copy.
    Elements that `where` leaves out are unspecified without `out`. TypeError for what there is no
    function of tensors for.
    """
    out = kwargs.pop("out", None) or ()
    targets = [x for x in out if x is not None]
    considered = inputs[:1] if method == "at" else inputs
    if not _accepts([type(x) for x in (*considered, *targets)]):
        return NotImplemented
    if method == "at":
        return _at(ufunc, list(inputs))
    placed = _place(inputs, self.device)
    if not any(isinstance(x, Tensor) for x in placed):
        placed[0] = _core.asarray(placed[0], None, self.device, None)  # only `out` is a Tensor
    casting = kwargs.pop("casting", "same_kind")
    where: Any = True
    if method == "__call__":
        where, dtype = kwargs.pop("where", True), kwargs.pop("dtype", None)
        kwargs.pop("subok", None)
        axis = {"axis": kwargs.pop("axis")} if "axis" in kwargs and ufunc.signature else {}
        result = _call(ufunc, placed, dtype) if not axis else _OWN[ufunc.__name__](*placed, **axis)
        if targets and isinstance(result, Tensor) and broadcasts_to(result.shape, targets[0].shape):
            result = _core.broadcast_to(result, targets[0].shape)
    elif method == "reduce":
        result = _reduce(ufunc, placed, kwargs)
    elif method == "accumulate":
        result = _accumulate(ufunc, placed, kwargs)
    elif method == "reduceat":
        result = _reduceat(ufunc, placed, kwargs)
    elif method == "outer":
        result = _outer(ufunc, placed, kwargs)
    else:
        raise TypeError(f"{ufunc.__name__}.{method}: there is no such method for tensors")
    if kwargs:
        raise TypeError(f"{ufunc.__name__}: unexpected arguments {', '.join(sorted(kwargs))}")
    name = ufunc.__name__
    if isinstance(result, tuple):
        wanted = out or (None,) * len(result)
        return tuple(
            r if o is None else store(name, o, r, where, casting)
            for r, o in zip(result, wanted, strict=True)
        )
    if targets:
        return store(name, targets[0], result, where, casting)
    if where is not True:
        # What is left out may hold anything: here, the result.
        shape = _core.broadcast_shapes(result.shape, np.shape(where))
        result = manipulation.broadcast_to(result, shape)
    return result
