"""Dask arrays of tensors: functions of chunks, and creation by `array.backend = "vktensor"`.

Importing the module registers the functions of chunks. That happens when Dask first asks a Tensor
for its token, or looks for `Backend`, which it finds by the package's entry point.
"""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
from dask import config
from dask.array import dispatch
from dask.array.backends import ArrayBackendEntrypoint
from dask.utils import Dispatch

import vktensor as vt

__all__ = ["Backend"]

#: Moves a chunk of another type to the default device.
to_vktensor_dispatch = Dispatch("to_vktensor")


dispatch.concatenate_lookup.register(vt.Tensor, np.concatenate)
dispatch.take_lookup.register(vt.Tensor, np.take)
dispatch.tensordot_lookup.register(vt.Tensor, np.tensordot)
dispatch.einsum_lookup.register(vt.Tensor, np.einsum)
dispatch.empty_lookup.register(vt.Tensor, vt.empty)
dispatch.to_numpy_dispatch.register(vt.Tensor, lambda data, **kwargs: data.numpy())
to_vktensor_dispatch.register(np.ndarray, lambda data, **kwargs: vt.asarray(data))


def _create(name: str, *args: Any, **kwargs: Any) -> Any:
    kwargs.setdefault("meta", vt.empty(()))
    with config.set({"array.backend": "numpy"}):
        return getattr(da, name)(*args, **kwargs)


class Backend(ArrayBackendEntrypoint):
    """Creation of Dask arrays whose chunks are tensors: the entry point `dask.array.backends`.

    dtypes are Dask's defaults (float64) where none are given.
    """

    @classmethod
    def to_backend_dispatch(cls) -> Any:
        """What moves a chunk to the default device."""
        return to_vktensor_dispatch

    @classmethod
    def to_backend(cls, data: Any, **kwargs: Any) -> Any:
        """`data` with tensors as chunks."""
        if isinstance(data._meta, vt.Tensor):
            return data
        return data.map_blocks(to_vktensor_dispatch, meta=vt.asarray(data._meta), **kwargs)

    @staticmethod
    def ones(*args: Any, **kwargs: Any) -> Any:
        """Ones."""
        return _create("ones", *args, **kwargs)

    @staticmethod
    def zeros(*args: Any, **kwargs: Any) -> Any:
        """Zeros."""
        return _create("zeros", *args, **kwargs)

    @staticmethod
    def empty(*args: Any, **kwargs: Any) -> Any:
        """Unspecified elements."""
        return _create("empty", *args, **kwargs)

    @staticmethod
    def full(*args: Any, **kwargs: Any) -> Any:
        """One value everywhere."""
        return _create("full", *args, **kwargs)

    @staticmethod
    def arange(*args: Any, like: Any = None, **kwargs: Any) -> Any:
        """Evenly spaced numbers."""
        with config.set({"array.backend": "numpy"}):
            return da.arange(*args, like=vt.empty(()) if like is None else like, **kwargs)
