"""Every public name has a docstring in numpydoc's form that fits its signature, and its examples
give what they show."""

from __future__ import annotations

import doctest
import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import vktensor as vt

#: numpydoc's checks: sections that are known and in order, a summary of one sentence on one line,
#: parameters as in the signature, each with type and description, what is returned, and examples.
CHECKS = ["GL03", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06", "YD01"]
CHECKS += [f"PR{n:02}" for n in range(1, 11)] + [f"RT{n:02}" for n in range(1, 6)] + ["EX01"]
#: Modules whose functions are vktensor's own names.
MODULES = ["creation", "elementwise", "searching", "sorting", "statistics"]


def public_names() -> Iterator[tuple[str, Any]]:
    """The names of everything that can be called or asked for, with what they name."""
    for module in MODULES:
        for name in vars(getattr(vt, module))["__all__"]:
            yield name, getattr(vt, name)


NAMES = dict(public_names())


def sections(item: Any) -> NumpyDocString:
    """The docstring, read by numpydoc, which warns of sections it does not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return NumpyDocString(inspect.cleandoc(item.__doc__))


@pytest.mark.unwatched
@pytest.mark.parametrize("name", NAMES)
def test_docstring_has_the_form_of_numpydoc(name):
    errors = [e for e in validate(f"vktensor.{name}")["errors"] if e[0] in CHECKS]
    assert not errors, errors


@pytest.mark.unwatched
@pytest.mark.parametrize("name", NAMES)
def test_documented_parameters_are_those_of_the_signature(name):
    item = NAMES[name]
    if not callable(item):
        return
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    expected = [
        stars.get(parameter.kind, "") + parameter.name
        for parameter in inspect.signature(item).parameters.values()
        if parameter.name != "self"
    ]
    documented = [names.split(", ") for names, _, _ in sections(item)["Parameters"]]
    assert sum(documented, []) == expected


@pytest.mark.parametrize("name", NAMES)
def test_examples_give_what_they_show(name):
    item = NAMES[name]
    test = doctest.DocTestParser().get_doctest(
        inspect.cleandoc(item.__doc__), {"vt": vt, "np": np}, name, None, 0
    )
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0
