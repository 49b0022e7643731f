"""What Dask asks about any object, without its arrays: the bytes a chunk holds."""

from __future__ import annotations

from typing import Any

from vktensor._core import Tensor

__all__ = ["register_sizes"]


def register_sizes(sizeof: Any) -> None:
    """Tells Dask how many bytes a Tensor holds: the entry point `dask.sizeof`."""
    sizeof.register(Tensor, lambda x: x.nbytes)
