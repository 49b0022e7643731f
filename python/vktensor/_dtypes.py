"""Element types of the namespace: `vt.float32` and its siblings."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "bfloat16",
    "bool_",
    "complex128",
    "complex64",
    "float16",
    "float32",
    "float64",
    "int16",
    "int32",
    "int64",
    "int8",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
]


class DType:
    """Element type, equal to and hashed as the `numpy.dtype` it names.

    `x.dtype` of a Tensor is a `numpy.dtype`; objects of this class are accepted wherever a dtype
    is. Calling one converts a scalar or anything `vt.asarray` takes.

    Parameters
    ----------
    name : str
        As of a `numpy.dtype`.

    Examples
    --------
    >>> vt.float32 == np.dtype("float32")
    True
    >>> vt.float32(3)
    Tensor(3., dtype=float32)
    """

    __slots__ = ("_dtype", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # bfloat16 is resolved at its first use: importing ml_dtypes would slow `import vktensor`.
        self._dtype = None if name == "bfloat16" else np.dtype(name)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The `numpy.dtype`."""
        if self._dtype is None:
            import ml_dtypes

            self._dtype = np.dtype(ml_dtypes.bfloat16)
        return self._dtype

    # NumPy 2.4 asks objects for their dtype by this name.
    __numpy_dtype__ = dtype

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def kind(self) -> str:
        """NumPy's kind character."""
        return self.dtype.kind

    def __call__(self, value: Any = 0) -> Any:
        """`value` as a Tensor of this dtype."""
        from vktensor.creation import asarray

        return asarray(value, dtype=self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self.name == other.name
        if isinstance(other, type) and issubclass(other, np.generic):
            return bool(self.dtype == np.dtype(other))
        # numpy.dtype takes much more, None and dicts among it, that is no dtype to compare with.
        return isinstance(other, (np.dtype, str)) and bool(self.dtype == other)

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"vktensor.{self.name}"

    def __reduce__(self) -> tuple[type[DType], tuple[str]]:
        return DType, (self.name,)


bool_ = DType("bool")
int8 = DType("int8")
int16 = DType("int16")
int32 = DType("int32")
int64 = DType("int64")
uint8 = DType("uint8")
uint16 = DType("uint16")
uint32 = DType("uint32")
uint64 = DType("uint64")
float16 = DType("float16")
bfloat16 = DType("bfloat16")
float32 = DType("float32")
float64 = DType("float64")
complex64 = DType("complex64")
complex128 = DType("complex128")

#: Every dtype object by its name.
BY_NAME = {dtype.name: dtype for dtype in list(globals().values()) if isinstance(dtype, DType)}
