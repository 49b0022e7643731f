"""Names for the annotations of the package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from vktensor._core import Device, Tensor
from vktensor._dtypes import DType

#: What `dtype=` takes: a vktensor or NumPy dtype, a scalar type or a name.
DTypeLike: TypeAlias = DType | Any
#: What `device=` takes: a Device, its index, its UUID or part of its name; None is the default
#: device.
DeviceLike: TypeAlias = Device | int | str | None
#: One axis, several, or all of them (None).
Axis: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]
#: A real number, and any number.
Real: TypeAlias = bool | int | float
Scalar: TypeAlias = Real | complex
#: An operand: a Tensor, or a Python scalar, which takes the dtype of the Tensor beside it.
Operand: TypeAlias = Tensor | Scalar
#: The same where only real numbers have a meaning.
RealOperand: TypeAlias = Tensor | Real
