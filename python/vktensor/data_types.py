"""Asking and converting element types: the data type and inspection functions of the standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vktensor import _core, _dtypes
from vktensor._core import Device, Tensor
from vktensor._dtypes import DType
from vktensor._typing import DeviceLike, DTypeLike

__all__ = [
    "__array_namespace_info__",
    "astype",
    "can_cast",
    "finfo",
    "iinfo",
    "isdtype",
    "result_type",
]

#: The dtypes of each kind by name; float16 and bfloat16 are no dtypes of the standard but belong to
#: a kind.
KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64", "float16", "bfloat16"),
    "complex floating": ("complex64", "complex128"),
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]
_BEYOND_THE_STANDARD = ("float16", "bfloat16")


def _dtype(dtype: Any) -> np.dtype[Any]:
    """The `numpy.dtype` of a dtype or Tensor; TypeError for what is neither."""
    if isinstance(dtype, (DType, Tensor)):
        return dtype.dtype
    return dtype if isinstance(dtype, np.dtype) else _core.result_type(dtype)


# ---- functions --------------------------------------------------------------------------------


def astype(
    x: Tensor, dtype: DTypeLike, /, *, copy: bool = True, device: DeviceLike = None
) -> Tensor:
    """`x` converted to `dtype` as NumPy converts, on `device` (its own for None).

    `copy=False` gives `x` itself where it has that dtype and is there already.

    >>> vt.astype(vt.asarray([1.7, -1.7]), vt.int32)
    Tensor([ 1, -1], dtype=int32)
    """
    if device is None or _core.device_at(device) == x.device:
        return _core.astype(x, dtype, copy)
    return _core.astype(x, dtype, False).to_device(device)


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> bool:
    """Whether a dtype, or a Tensor's, becomes `to` by the standard's promotion: inside a kind, and
    from real to complex floating.

    >>> vt.can_cast(vt.int8, vt.int16), vt.can_cast(vt.int64, vt.float32)
    (True, False)
    """
    source, target = _dtype(from_), _dtype(to)
    if source == target:
        return True
    kinds = ("integral",), ("real floating", "complex floating")
    together = any(isdtype(source, k) and isdtype(target, k) for k in kinds)
    return together and _core.result_type(source, target) == target


@dataclass(frozen=True, slots=True)
class finfo_object:
    """Limits of a floating-point dtype, as Python numbers: what `finfo` gives."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class iinfo_object:
    """Limits of an integer dtype, as Python numbers: what `iinfo` gives."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def finfo(type: DTypeLike | Tensor, /) -> finfo_object:
    """Limits of a floating dtype or of a Tensor's; of the components for complex. TypeError for
    others.

    >>> vt.finfo(vt.float32).bits
    32
    """
    dtype = _dtype(type)
    if not isdtype(dtype, ("real floating", "complex floating")):
        raise TypeError(f"finfo: expected a floating-point dtype, got {dtype}")
    limits: Any
    if dtype == _dtypes.bfloat16:
        import ml_dtypes

        limits = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    else:
        limits = np.finfo(dtype)
    return finfo_object(
        limits.bits,
        float(limits.eps),
        float(limits.max),
        float(limits.min),
        float(limits.smallest_normal),
        np.dtype(limits.dtype),
    )


def iinfo(type: DTypeLike | Tensor, /) -> iinfo_object:
    """Limits of an integer dtype or of a Tensor's. TypeError for others.

    >>> vt.iinfo(vt.int8).max
    127
    """
    dtype = _dtype(type)
    if not isdtype(dtype, "integral"):
        raise TypeError(f"iinfo: expected an integer dtype, got {dtype}")
    limits = np.iinfo(dtype)
    return iinfo_object(limits.bits, int(limits.max), int(limits.min), dtype)


def isdtype(dtype: DTypeLike, kind: DTypeLike | str | tuple[DTypeLike | str, ...]) -> bool:
    """Whether `dtype` is `kind`: a dtype, the name of a kind, or one of a tuple of them.

    Kinds: 'bool', 'signed integer', 'unsigned integer', 'integral', 'real floating',
    'complex floating', 'numeric'. float16 and bfloat16 are real floating. ValueError for another
    name.

    >>> vt.isdtype(vt.float16, "real floating")
    True
    """
    found = _dtype(dtype)
    if isinstance(kind, tuple):
        if any(isinstance(k, tuple) for k in kind):
            raise TypeError("isdtype: expected a dtype or the name of a kind, got a tuple in one")
        return any(isdtype(found, k) for k in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"isdtype: expected a kind, one of {list(KINDS)}, got {kind!r}")
        return found.name in KINDS[kind]
    return found == _dtype(kind)


def result_type(*arrays_and_dtypes: object) -> np.dtype[Any]:
    """The `numpy.dtype` that the arguments promote to: tensors, dtypes, and Python scalars, which
    are weak.

    >>> vt.result_type(vt.int64, vt.float32)
    dtype('float32')
    """
    return _core.result_type(*arrays_and_dtypes)


# ---- inspection -------------------------------------------------------------------------------


class Info:
    """What the namespace offers: the result of `__array_namespace_info__`."""

    def capabilities(self) -> dict[str, Any]:
        """Whether boolean indices and data-dependent shapes work; the largest number of
        dimensions."""
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": 16,
        }

    def default_device(self) -> Device:
        """The device new tensors are made on."""
        return _core.default_device()

    def devices(self) -> tuple[Device, ...]:
        """The devices that tensors can be made on."""
        return tuple(device for device in _core.devices() if device.usable)

    def default_dtypes(self, *, device: DeviceLike = None) -> dict[str, DType]:
        """The dtypes of new tensors by kind, the same on every device."""
        if device is not None:
            _core.device_at(device)
        return {
            "real floating": _dtypes.float32,
            "complex floating": _dtypes.complex64,
            "integral": _dtypes.int64,
            "indexing": _dtypes.int64,
        }

    def dtypes(
        self, *, device: DeviceLike = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, DType]:
        """The standard's dtypes that `device` (the default one for None) computes in, by name; of
        one kind or several. ValueError for the name of no kind."""
        found_device = _core.default_device() if device is None else _core.device_at(device)
        missing = () if found_device.features["float64"] else ("float64", "complex128")
        names = [name for name in _core.dtypes() if name not in (*_BEYOND_THE_STANDARD, *missing)]
        found = {name: _dtypes.BY_NAME[name] for name in names}
        if kind is None:
            return found
        return {name: dtype for name, dtype in found.items() if isdtype(dtype, kind)}


def __array_namespace_info__() -> Info:
    """What the namespace offers: capabilities, devices, dtypes and their defaults.

    >>> vt.__array_namespace_info__().default_dtypes()["integral"]
    vktensor.int64
    """
    return Info()
