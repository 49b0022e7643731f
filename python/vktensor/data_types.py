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
    """Elements converted to another dtype, as NumPy converts them.

    Parameters
    ----------
    x : Tensor
        Of any shape and dtype.
    dtype : dtype
        What to convert to.
    copy : bool, optional
        False gives `x` itself where it has that dtype and is on that device.
    device : Device, int, str or None, optional
        Where; the device of `x` for None.

    Returns
    -------
    Tensor
        Of the shape of `x`.

    Raises
    ------
    TypeError
        A dtype there are no tensors of, or a real one for complex elements.

    Examples
    --------
    >>> vt.astype(vt.asarray([1.7, -1.7]), vt.int32)
    Tensor([ 1, -1], dtype=int32)
    """
    if device is None or _core.device_at(device) == x.device:
        return _core.astype(x, dtype, copy)
    return _core.astype(x, dtype, False).to_device(device)


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> bool:
    """True where a dtype becomes another by the standard's promotion.

    Parameters
    ----------
    from_ : dtype or Tensor
        What is converted.
    to : dtype
        What it is converted to.

    Returns
    -------
    bool
        True inside a kind, and from real to complex floating, where nothing is lost.

    Raises
    ------
    TypeError
        What is no dtype.

    Examples
    --------
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
    """Limits of a floating-point dtype, as Python's numbers: what `vt.finfo` gives.

    Parameters
    ----------
    bits : int
        Bits of one element, or of its parts.
    eps : float
        From 1 to the next larger number.
    max, min : float
        The largest finite number and its negative.
    smallest_normal : float
        The smallest positive number with full precision.
    dtype : dtype
        Of the elements, or of their parts.

    Examples
    --------
    >>> vt.finfo(vt.float32).eps == 2**-23
    True
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class iinfo_object:
    """Limits of an integer dtype, as Python's numbers: what `vt.iinfo` gives.

    Parameters
    ----------
    bits : int
        Bits of one element.
    max, min : int
        The largest and the smallest number.
    dtype : dtype
        Of the elements.

    Examples
    --------
    >>> vt.iinfo(vt.uint8).max
    255
    """

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def finfo(type: DTypeLike | Tensor, /) -> finfo_object:
    """Limits of a floating dtype; those of the parts for a complex one.

    Parameters
    ----------
    type : dtype or Tensor
        The dtype, or a Tensor's.

    Returns
    -------
    finfo_object
        `bits`, `eps`, `max`, `min`, `smallest_normal` as Python's numbers, and `dtype`.

    Raises
    ------
    TypeError
        It is not floating.

    Examples
    --------
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
    """Limits of an integer dtype.

    Parameters
    ----------
    type : dtype or Tensor
        The dtype, or a Tensor's.

    Returns
    -------
    iinfo_object
        `bits`, `max` and `min` as Python's numbers, and `dtype`.

    Raises
    ------
    TypeError
        It is no integer.

    Examples
    --------
    >>> vt.iinfo(vt.int8).max
    127
    """
    dtype = _dtype(type)
    if not isdtype(dtype, "integral"):
        raise TypeError(f"iinfo: expected an integer dtype, got {dtype}")
    limits = np.iinfo(dtype)
    return iinfo_object(limits.bits, int(limits.max), int(limits.min), dtype)


def isdtype(dtype: DTypeLike, kind: DTypeLike | str | tuple[DTypeLike | str, ...]) -> bool:
    """True where a dtype is another, or of a kind.

    Parameters
    ----------
    dtype : dtype
        What is asked about.
    kind : dtype, str or tuple of them
        A dtype, the name of a kind, or several: 'bool', 'signed integer', 'unsigned integer',
        'integral', 'real floating' (float16 and bfloat16 too), 'complex floating', 'numeric'.

    Returns
    -------
    bool
        True where one of them fits.

    Raises
    ------
    TypeError
        What is no dtype.
    ValueError
        Another name.

    Examples
    --------
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
    """Dtype that operands are promoted to.

    Parameters
    ----------
    *arrays_and_dtypes : Tensor, dtype or scalar
        At least one; a Python scalar gives way to the dtypes beside it.

    Returns
    -------
    dtype
        A `numpy.dtype`.

    Raises
    ------
    TypeError
        What is no dtype, or dtypes that are not promoted.
    ValueError
        No arguments.

    Examples
    --------
    >>> vt.result_type(vt.int64, vt.float32)
    dtype('float32')
    """
    return _core.result_type(*arrays_and_dtypes)


# ---- inspection -------------------------------------------------------------------------------


class Info:
    """What the namespace offers: the result of `__array_namespace_info__`.

    Examples
    --------
    >>> vt.__array_namespace_info__().capabilities()["boolean indexing"]
    True
    """

    def capabilities(self) -> dict[str, Any]:
        """Whether boolean indices and data-dependent shapes work, and how many dimensions do.

        Returns
        -------
        dict
            By the standard's names.

        Examples
        --------
        >>> vt.__array_namespace_info__().capabilities()["max dimensions"]
        16
        """
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": 16,
        }

    def default_device(self) -> Device:
        """Device that new tensors are made on.

        Returns
        -------
        Device
            As `vt.default_device`.

        Examples
        --------
        >>> vt.__array_namespace_info__().default_device() == vt.default_device()
        True
        """
        return _core.default_device()

    def devices(self) -> tuple[Device, ...]:
        """Devices that tensors can be made on.

        Returns
        -------
        tuple of Device
            Those of `vt.devices` that are usable.

        Examples
        --------
        >>> vt.default_device() in vt.__array_namespace_info__().devices()
        True
        """
        return tuple(device for device in _core.devices() if device.usable)

    def default_dtypes(self, *, device: DeviceLike = None) -> dict[str, DType]:
        """Dtypes of new tensors by kind, the same on every device.

        Parameters
        ----------
        device : Device, int, str or None, optional
            Which device; any.

        Returns
        -------
        dict of dtype
            By kind.

        Raises
        ------
        ValueError
            There is no such device.

        Examples
        --------
        >>> vt.__array_namespace_info__().default_dtypes()["real floating"]
        vktensor.float32
        """
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
        """The standard's dtypes that a device computes in.

        Parameters
        ----------
        device : Device, int, str or None, optional
            Which device; the default device for None.
        kind : str, tuple of str or None, optional
            One kind or several, named as for `vt.isdtype`; all for None.

        Returns
        -------
        dict of dtype
            By name.

        Raises
        ------
        ValueError
            There is no such device, or the name of no kind.

        Examples
        --------
        >>> sorted(vt.__array_namespace_info__().dtypes(kind="signed integer"))
        ['int16', 'int32', 'int64', 'int8']
        """
        found_device = _core.default_device() if device is None else _core.device_at(device)
        missing = () if found_device.features["float64"] else ("float64", "complex128")
        names = [name for name in _core.dtypes() if name not in (*_BEYOND_THE_STANDARD, *missing)]
        found = {name: _dtypes.BY_NAME[name] for name in names}
        if kind is None:
            return found
        return {name: dtype for name, dtype in found.items() if isdtype(dtype, kind)}


def __array_namespace_info__() -> Info:
    """What the namespace offers: capabilities, devices, dtypes and their defaults.

    Returns
    -------
    Info
        An object with the methods of the standard.

    Examples
    --------
    >>> vt.__array_namespace_info__().default_dtypes()["integral"]
    vktensor.int64
    """
    return Info()
