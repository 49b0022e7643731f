"""Completes docstrings: what the op table says of an elementwise function, and what a parameter's
name says of a method's, is written here once.

Docstrings in the source have a summary, what is special, and examples. Those that have a section
"Parameters" are left as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from textwrap import fill
from typing import Any

from vktensor import _core

#: What operands may be, by the classes of dtypes an op takes.
TAKEN = {
    ("bool", "int", "uint", "float", "complex"): "of any dtype",
    ("bool", "int", "uint", "float"): "of any dtype but complex",
    ("int", "uint", "float", "complex"): "of any dtype but bool",
    ("int", "uint", "float"): "of any dtype but bool and complex",
    ("bool", "int", "uint"): "of integers or bool",
    ("int", "uint"): "of integers",
}
SHAPES = {"unary": "the shape of `x`", "binary": "the broadcast shape"}
#: The result's dtype by the table's rule, for one operand and for two.
DTYPES = {
    ("same", "unary"): " and dtype of `x`",
    ("same", "binary"): " and the promoted dtype",
    ("real", "unary"): " and its dtype; of the dtype of the parts for complex numbers",
    ("float", "unary"): " and its floating dtype; float32 for integers and bool",
    ("float", "binary"): " and the promoted dtype; float32 for integers and bool",
    ("bool", "unary"): ", bool",
    ("bool", "binary"): ", bool",
}
Items = Iterable[tuple[str, str]]


@cache
def _item(name: str, text: str) -> str:
    """An entry of a section. Most come often, and filling takes time at import."""
    return f"{name}\n{fill(text, 88, initial_indent='    ', subsequent_indent='    ')}"


def _section(title: str, items: Items) -> str:
    body = "\n".join(_item(name, text) for name, text in items)
    return f"{title}\n{'-' * len(title)}\n{body}" if body else ""


def complete(
    function: Callable[..., Any], params: Items, returns: str, raises: Items, notes: str = ""
) -> None:
    """Puts the sections between the text and the examples of the function's docstring."""
    doc = inspect.cleandoc(function.__doc__ or "")
    if "Parameters\n---" in doc:
        return
    text, prompt, examples = doc.partition(">>> ")
    kind, _, result = returns.partition(": ")
    sections = [
        text.rstrip(),
        _section("Parameters", params),
        _section("Returns", [(kind, result)] if result else []),
        _section("Raises", raises),
        f"Notes\n-----\n{notes}" if notes else "",
        f"Examples\n--------\n{prompt}{examples}" if prompt else "",
    ]
    function.__doc__ = "\n\n".join(section for section in sections if section) + "\n"


def _accuracy(op: Mapping[str, Any]) -> str:
    """What the table promises of the result."""
    if "float" not in op["takes"] or op["result"] == "bool":
        return ""
    if op["ulp"]:
        return (
            f"The error of real results is at most {op['ulp']:g} ULP in float32 and float64;\n"
            "float16 and bfloat16 are computed in float32 and rounded once."
        )
    return "Exact: real results are NumPy's to the last bit."


def _complete_op(function: Callable[..., Any], op: Mapping[str, Any]) -> None:
    kind, taken = op["kind"], TAKEN[tuple(op["takes"])]
    returns = f"Tensor: Of {SHAPES[kind]}{DTYPES[op['result'], kind]}."
    other = "" if len(op["takes"]) == 5 else ", or one has another dtype"
    if kind == "unary":
        params = [("x : Tensor", f"Of any shape and {taken.removeprefix('of ')}.")]
        raises = [("TypeError", "`x` is no Tensor" + other.replace("one has", "has") + ".")]
    else:
        text = (
            f"The operands, {taken}; their shapes broadcast. At least one is a Tensor: a scalar "
            "takes the dtype of the Tensor beside it."
        )
        params = [("x1, x2 : Tensor or scalar", text)]
        raises = [
            ("TypeError", f"Neither operand is a Tensor{other}."),
            ("ValueError", "The shapes do not broadcast, or an integer does not fit the dtype."),
        ]
    complete(function, params, returns, raises, _accuracy(op))


def complete_ops(*modules: Mapping[str, Any]) -> list[str]:
    """Completes the docstrings of the modules' own functions; gives their names."""
    table = {op["name"]: op for op in _core.ops() if op["kind"] in SHAPES}
    names = []
    for module in modules:
        for name, item in module.items():
            if getattr(item, "__module__", None) == module["__name__"]:
                names.append(name)
                if name in table:
                    _complete_op(item, table[name])
    return names
