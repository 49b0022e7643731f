"""For libraries that keep tables of array types instead of asking the array: Dask and einops."""

from __future__ import annotations

import sys

__all__: list[str] = []


def register_loaded() -> None:
    """Registers with those that are imported already; called at the end of `import vktensor`."""
    if "einops" in sys.modules:
        from vktensor.clients import einops  # noqa: F401
    # Not while Dask itself imports us, for the sizes of chunks.
    if hasattr(sys.modules.get("dask.array"), "map_blocks"):
        from vktensor.clients import dask_array  # noqa: F401
