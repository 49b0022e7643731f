"""Every public name has a docstring in numpydoc's form that fits its signature, and its examples
give what they show."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import GetSetDescriptorType, WrapperDescriptorType
from typing import Any

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import vktensor as vt
from vktensor import _core
from vktensor._dtypes import DType

#: numpydoc's checks: sections that are known and in order, a summary of one sentence on one line,
#: parameters as in the signature, each with type and description, what is returned, and examples.
CHECKS = ["GL03", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06", "YD01"]
CHECKS += [f"PR{n:02}" for n in range(1, 11)] + [f"RT{n:02}" for n in range(1, 6)] + ["EX01"]
#: Classes whose objects the library makes, by how they are reached, and what is theirs.
CLASSES = {
    "random": ["Generator"],
    "data_types": ["Info", "finfo_object", "iinfo_object"],
    "profiling": [
        *("Profile", "Event", "Dispatch", "Compile", "Transfer", "Wait", "Submit", "MemoryEvent"),
        "KernelTime",
    ],
    "_dtypes": ["DType"],
    "_core": ["Tensor", "Device"],
}
ATTRIBUTES = (property, GetSetDescriptorType)


def members(item: type, name: str) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, its own."""
    for key, value in vars(item).items():
        if not key.startswith("_") and (callable(value) or isinstance(value, ATTRIBUTES)):
            yield f"{name}.{key}", value


def public_names() -> Iterator[tuple[str, Any]]:
    """Everything that can be called or asked for, by its name in the package."""
    for name in vt.__all__:
        if callable(getattr(vt, name)) and not isinstance(getattr(vt, name), (type, DType)):
            yield name, getattr(vt, name)
    for module in ("random", "tuning"):
        for name in vars(getattr(vt, module))["__all__"]:
            yield f"{module}.{name}", getattr(getattr(vt, module), name)
    for module, names in CLASSES.items():
        for name in names:
            item = getattr(getattr(vt, module), name)
            yield f"{module}.{name}", item
            yield from members(item, f"{module}.{name}")


NAMES = dict(public_names())


def sections(item: Any) -> NumpyDocString:
    """The docstring, read by numpydoc, which warns of sections it does not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return NumpyDocString(inspect.cleandoc(item.__doc__))


@pytest.mark.unwatched
@pytest.mark.parametrize("name", NAMES)
def test_docstring_has_the_form_of_numpydoc(name):
    # An attribute needs no example of its own.
    checks = {*CHECKS} - ({"EX01"} if isinstance(NAMES[name], ATTRIBUTES) else set())
    errors = [e for e in validate(f"vktensor.{name}")["errors"] if e[0] in checks]
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


@pytest.mark.unwatched
@pytest.mark.parametrize("name", [n for n in vt.__all__ if isinstance(getattr(vt, n), type)])
def test_class_has_a_docstring_of_its_own(name):
    summary = vars(getattr(vt, name))["__doc__"].splitlines()[0]
    assert summary.endswith(".") and summary[0].isupper(), summary


def stub_functions() -> Iterator[tuple[str, ast.FunctionDef, Any]]:
    """What the stub of the C core declares, with what is there."""
    tree = ast.parse(Path(_core.__file__).with_name("_core.pyi").read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node, getattr(_core, node.name)
        elif isinstance(node, ast.ClassDef) and node.name in ("Tensor", "Device"):
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    found = vars(getattr(_core, node.name))[item.name]
                    yield f"{node.name}.{item.name}", item, found


@pytest.mark.unwatched
def test_the_stub_declares_the_signatures_there_are():
    compared = set()
    for name, node, found in stub_functions():
        overloaded = any(ast.unparse(each) == "overload" for each in node.decorator_list)
        if overloaded and name in compared:
            continue  # the first one has the parameters as they are
        if node.decorator_list and not overloaded:
            assert isinstance(found, ATTRIBUTES), name
            continue
        if isinstance(found, WrapperDescriptorType):
            continue  # an operator: Python itself gives it a signature
        source = f"def {node.name}({ast.unparse(node.args)}): pass"
        declared: dict[str, Any] = {}
        exec(f"from __future__ import annotations\n{source}", declared)
        expected = list(inspect.signature(declared[node.name]).parameters.values())
        got = list(inspect.signature(found).parameters.values())
        assert [(p.name, p.default) for p in got] == [(p.name, p.default) for p in expected], name
        kinds = zip(got, expected, strict=True)
        assert all(p.kind == q.kind for p, q in kinds if p.name != "self"), name
        compared.add(name)
    assert len(compared) > 180


NUMBER = re.compile(r"-?\d+\.\d*(?:e[+-]?\d+)?")


class Checker(doctest.OutputChecker):
    """Lets floats differ by the last digits that are shown: functions have a bound, not a bit
    pattern, that holds on every device."""

    def check_output(self, want, got, optionflags):
        if super().check_output(want, got, optionflags):
            return True
        shapes = [re.sub(r"\s+", "", NUMBER.sub("?", text)) for text in (want, got)]
        numbers = [np.array(NUMBER.findall(text), float) for text in (want, got)]
        return shapes[0] == shapes[1] and np.allclose(*numbers, rtol=4e-7, atol=0)


@pytest.mark.unwatched
def test_the_checker_forgives_the_last_digit_and_nothing_else():
    forgives = Checker().check_output
    shown = "Tensor([0. , 0.7853982], dtype=float32)\n"
    assert forgives(shown, shown.replace("82", "81"), 0)
    for other in ("0.785397", "-0.7853982", "1"):
        assert not forgives(shown, shown.replace("0.7853982", other), 0)
    assert not forgives("Tensor([1], dtype=int64)\n", "Tensor([2], dtype=int64)\n", 0)


@pytest.mark.parametrize("name", NAMES)
def test_examples_give_what_they_show(name):
    item = NAMES[name]
    test = doctest.DocTestParser().get_doctest(
        inspect.cleandoc(item.__doc__), {"vt": vt, "np": np}, name, None, 0
    )
    assert doctest.DocTestRunner(Checker(), optionflags=doctest.ELLIPSIS).run(test).failed == 0


def test_the_package_example_gives_what_it_shows():
    test = doctest.DocTestParser().get_doctest(vt.__doc__, {}, "vktensor", None, 0)
    assert doctest.DocTestRunner().run(test) == (0, 3)
