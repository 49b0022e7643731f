"""What is asked of arguments before they are looked into: tensors, integers."""

from __future__ import annotations

from numbers import Number
from operator import index
from typing import Any

import numpy as np

from vktensor._core import Tensor

__all__ = [
    "broadcasts_to",
    "check_integer",
    "check_integers",
    "check_operands",
    "check_real",
    "check_tensors",
]


def check_tensors(op: str, *values: Any) -> None:
    """TypeError unless all are tensors."""
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"{op}: expected a Tensor, got {type(value).__name__}")


def check_real(op: str, x: Any) -> None:
    """TypeError unless it is a tensor of real numbers."""
    check_tensors(op, x)
    if x.dtype.kind == "c":
        raise TypeError(f"{op}: expected a real dtype, got {x.dtype}")


def check_operands(op: str, *values: Any) -> None:
    """TypeError unless all are tensors or numbers, and one is a tensor."""
    for value in values:
        if not isinstance(value, (Tensor, Number, np.generic)):
            check_tensors(op, value)
    if not any(isinstance(value, Tensor) for value in values):
        check_tensors(op, values[0])


def check_integer(op: str, name: str, value: Any) -> int:
    """`value`, one integer."""
    try:
        return index(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{op}: expected {name} to be an integer, got {kind}") from None


def check_integers(op: str, name: str, value: Any) -> tuple[int, ...]:
    """`value`, one integer or several, as a tuple."""
    if isinstance(value, int):
        return (value,)
    try:
        return tuple(map(index, value)) if np.ndim(value) else (index(value),)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{op}: expected {name} to be integers, got {kind}") from None


def broadcasts_to(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to the one that is wanted."""
    ends = zip(shape[::-1], wanted[::-1], strict=False)
    return len(shape) <= len(wanted) and all(n in (1, m) for n, m in ends)
