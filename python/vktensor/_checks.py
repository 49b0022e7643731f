"""What is asked of arguments before they are looked into: tensors, integers."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from vktensor._core import Tensor

__all__ = ["check_integers", "check_tensors"]


def check_tensors(op: str, *values: Any) -> None:
    """TypeError unless all are tensors."""
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"{op}: expected a Tensor, got {type(value).__name__}")


def check_integers(op: str, name: str, value: Any) -> tuple[int, ...]:
    """`value`, one integer or several, as a tuple."""
    if isinstance(value, int):
        return (value,)
    try:
        return tuple(map(index, value)) if np.ndim(value) else (index(value),)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{op}: expected {name} to be integers, got {kind}") from None
