"""A cache that type checkers see through: they take functools' own for one of any parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def remembered(function: Function) -> Function:
    """`functools.cache` with the parameters of the function."""
    return functools.cache(function)  # type: ignore[return-value]
