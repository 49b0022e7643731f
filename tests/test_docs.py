"""The examples in docstrings run and give what they show; every public name is documented."""

from __future__ import annotations

import doctest
import importlib

import pytest

import vktensor as vt

MODULES = ["creation", "elementwise", "linear_algebra", "manipulation", "profiling"]
MODULES += ["runtime", "statistics", "searching", "data_types", "_dtypes"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    module = importlib.import_module(f"vktensor.{name}")
    import numpy as np

    results = doctest.testmod(module, extraglobs={"vt": vt, "np": np})
    assert results.failed == 0
    if name != "runtime":
        assert results.attempted > 0


def test_the_package_example_gives_what_it_shows():
    assert doctest.testmod(vt).failed == 0


@pytest.mark.unwatched
def test_every_public_name_has_a_docstring():
    constants = {"__version__", "e", "inf", "nan", "newaxis", "pi"}
    missing = [n for n in vt.__all__ if n not in constants and not getattr(vt, n).__doc__]
    assert not missing
