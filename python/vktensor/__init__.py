"""NumPy-style tensors on every GPU that has a Vulkan driver.

>>> import vktensor as vt
>>> a = vt.asarray([1.0, 2.0, 3.0])
>>> (a * 2 + 1).sum()
Tensor(15., dtype=float32)

Elementwise expressions are lazy and fuse into one kernel; they are computed when bytes are needed,
or by `vt.eval`. The names are those of the Python array API standard. The device is chosen by
`VKTENSOR_DEVICE` or `vt.set_default_device`; `python -m vktensor` shows what there is. Messages go
to `logging.getLogger("vktensor")`; `VKTENSOR_DEBUG=1` prints them, `VKTENSOR_DEBUG=2` also the text
of each kernel that is built.
"""

from __future__ import annotations

import logging as _logging
import os as _os
from math import e, inf, nan, pi
from typing import Any as _Any

from vktensor import (
    _core,
    _methods,
    clients,
    creation,
    data_types,
    elementwise,
    exchange,
    files,
    linear_algebra,
    manipulation,
    numeric,
    profiling,
    random,
    runtime,
    samples,
    searching,
    sorting,
    statistics,
    tuning,
    without_nan,
)
from vktensor._core import (
    Device,
    DeviceLostError,
    KernelCompileError,
    OutOfMemoryError,
    Tensor,
    VulkanError,
)
from vktensor._dtypes import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from vktensor.creation import *
from vktensor.data_types import *
from vktensor.elementwise import *
from vktensor.exchange import *
from vktensor.files import *
from vktensor.linear_algebra import *
from vktensor.manipulation import *
from vktensor.numeric import *
from vktensor.profiling import *
from vktensor.runtime import *
from vktensor.samples import *
from vktensor.searching import *
from vktensor.sorting import *
from vktensor.statistics import *
from vktensor.without_nan import *

__version__ = "0.1.0"
#: The version of the array API standard that the names follow.
__array_api_version__ = "2025.12"

#: Adds an axis of length 1 in an index.
newaxis = None
#: The dtype of truth values, by the standard's name.
bool = bool_

_logger = _logging.getLogger("vktensor")
_logger.addHandler(_logging.NullHandler())
if _os.environ.get("VKTENSOR_DEBUG"):
    _logger.addHandler(_logging.StreamHandler())
    _logger.setLevel(_logging.DEBUG)
_core.set_log_sink(_logger.log)
_methods.attach()
clients.register_loaded()


def load_ipython_extension(shell: _Any) -> None:
    """Adds `%vt_time` and `%vt_profile` to IPython; called by `%load_ext vktensor`."""
    from vktensor import _ipython

    _ipython.load(shell)


__all__ = [
    "Device",
    "DeviceLostError",
    "KernelCompileError",
    "OutOfMemoryError",
    "Tensor",
    "VulkanError",
    "__array_api_version__",
    "__version__",
    "bfloat16",
    "bool",
    "complex128",
    "complex64",
    "e",
    "float16",
    "float32",
    "float64",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "nan",
    "newaxis",
    "pi",
    "random",
    "tuning",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
]
__all__ += creation.__all__
__all__ += data_types.__all__
__all__ += elementwise.__all__  # type: ignore[attr-defined]  # set through globals()
__all__ += exchange.__all__
__all__ += files.__all__
__all__ += linear_algebra.__all__
__all__ += manipulation.__all__
__all__ += numeric.__all__  # type: ignore[attr-defined]  # set through globals()
__all__ += profiling.__all__
__all__ += runtime.__all__
__all__ += samples.__all__
__all__ += searching.__all__
__all__ += sorting.__all__
__all__ += statistics.__all__
__all__ += without_nan.__all__
