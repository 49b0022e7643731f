"""Teaches einops tensors: import this module where einops is imported after vktensor.

`import vktensor` does it by itself when einops is there already. `einops.array_api` needs neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from einops._backends import AbstractBackend

import vktensor as vt

__all__ = ["Backend"]


class Backend(AbstractBackend):
    """What einops asks of an array library; it finds the class by its base."""

    framework_name = "vktensor"

    def is_appropriate_type(self, tensor: object) -> bool:
        """Whether `tensor` is ours."""
        return isinstance(tensor, vt.Tensor)

    def from_numpy(self, x: Any) -> vt.Tensor:
        """A NumPy array as a Tensor."""
        return vt.asarray(x)

    def to_numpy(self, x: vt.Tensor) -> np.ndarray[Any, Any]:
        """A Tensor as a NumPy array."""
        return x.numpy()

    def arange(self, start: int, stop: int) -> vt.Tensor:
        """start .. stop - 1."""
        return vt.arange(start, stop)

    def stack_on_zeroth_dimension(self, tensors: list[vt.Tensor]) -> vt.Tensor:
        """The tensors along a new first axis."""
        return vt.stack(tensors)

    def add_axis(self, x: vt.Tensor, new_position: int) -> vt.Tensor:
        """A view with a new axis."""
        return vt.expand_dims(x, new_position)

    def tile(self, x: vt.Tensor, repeats: tuple[int, ...]) -> vt.Tensor:
        """`x` repeated along its axes."""
        return vt.tile(x, repeats)

    def concat(self, tensors: list[vt.Tensor], axis: int) -> vt.Tensor:
        """The tensors along an axis."""
        return vt.concat(tensors, axis=axis)

    def is_float_type(self, x: vt.Tensor) -> bool:
        """Whether means of `x` are taken in its dtype."""
        return vt.isdtype(x.dtype, "real floating")

    def einsum(self, pattern: str, *x: vt.Tensor) -> vt.Tensor:
        """A sum of products."""
        return vt.einsum(pattern, *x)
