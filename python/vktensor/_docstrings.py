"""Completes docstrings: what the op table says of an elementwise function, and what a parameter's
name says of a method's, is written here once.

Docstrings in the source have a summary, what is special, and examples. Those that have a section
"Parameters" are left as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
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


#: Texts in lines, indented: most come often, and filling takes time at import.
_filled: dict[str, str] = {}


def _item(name: str, text: str) -> str:
    """An entry of a section."""
    if text not in _filled:
        _filled[text] = fill(text, 88, initial_indent="    ", subsequent_indent="    ")
    return f"{name}\n{_filled[text]}"


def _section(title: str, items: Items) -> str:
    body = "\n".join(_item(name, text) for name, text in items)
    return f"{title}\n{'-' * len(title)}\n{body}" if body else ""


def complete(
    function: Callable[..., Any], params: Items, returns: str, raises: Items, notes: str = ""
) -> None:
    """Puts the sections between the text and the examples of the function's docstring; where it
    has a section "Returns", that stays, and errors it has are told with the others."""
    doc = inspect.cleandoc(function.__doc__ or "")
    if "Parameters\n---" in doc:
        return
    text, prompt, examples = doc.partition(">>> ")
    text, _, own_raises = text.rstrip().partition("Raises\n------\n")
    text, _, own_returns = text.rstrip().partition("Returns\n-------\n")
    kind, _, result = returns.partition(": ")
    errors = _section("Raises", raises)
    sections = [
        text.rstrip(),
        _section("Parameters", params),
        f"Returns\n-------\n{own_returns}" if own_returns else "",
        _section("Returns", [(kind, result)] if result and not own_returns else []),
        f"{errors or 'Raises' + chr(10) + '------'}\n{own_raises}" if own_raises else errors,
        f"Notes\n-----\n{notes}" if notes else "",
        f"Examples\n--------\n{prompt}{examples}" if prompt else "",
    ]
    function.__doc__ = "\n\n".join(section.rstrip() for section in sections if section) + "\n"


# ---- elementwise functions --------------------------------------------------------------------


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
    kind, taken = op["kind"], TAKEN.get(tuple(op["takes"]), "of " + ", ".join(op["takes"]))
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
        # Others convert to a float, or compare numbers of any size.
        keeps = op["result"] == "same" or op["name"].startswith("logical")
        unfit = ", or an integer does not fit the dtype" if keeps else ""
        params = [("x1, x2 : Tensor or scalar", text)]
        raises = [
            ("TypeError", f"Neither operand is a Tensor{other}."),
            ("ValueError", f"The shapes do not broadcast{unfit}."),
        ]
    complete(function, params, returns, raises, _accuracy(op))


def complete_ops(*modules: Mapping[str, Any]) -> list[str]:
    """Completes the docstrings of the modules' own public functions; gives their names."""
    table = {op["name"]: op for op in _core.ops() if op["kind"] in SHAPES}
    names = []
    for module in modules:
        for name, item in module.items():
            own = getattr(item, "__module__", None) == module["__name__"]
            if own and not name.startswith("_"):
                names.append(name)
                if name in table:
                    _complete_op(item, table[name])
    return names


# ---- methods ----------------------------------------------------------------------------------

_AXIS = ("int or None, optional", "Along which axis; None takes the flattened tensor.")
_ORDER = ("{'C', 'F'}, optional", "Elements are counted in C order, or the first axis fastest.")
_UNUSED = "For calls written for NumPy; it changes nothing."
_PLANE = ("int, optional", "An axis of the matrices.")
#: Type and meaning of a parameter by its name, or by the method's and its name.
PARAMS = {
    "axis": ("int, sequence of int or None, optional", "Over which axes; over all for None."),
    **dict.fromkeys(
        [f"{name}.axis" for name in ("argmax", "argmin", "cumsum", "cumprod", "take", "compress")]
        + ["repeat.axis", "argsort.axis"],
        _AXIS,
    ),
    "sort.axis": ("int, optional", "Along which axis."),
    "squeeze.axis": (
        "int, tuple of int or None, optional",
        "The axes that go; all of length 1 for None.",
    ),
    "dtype": ("dtype, optional", "Elements are converted to it before."),
    "sum.dtype": (
        "dtype, optional",
        "Of the result. By default int64 or uint64 for narrow integers and bool, else the "
        "tensor's.",
    ),
    "astype.dtype": ("dtype", "What to convert to."),
    "out": (
        "Tensor, ndarray or None, optional",
        "Where the result is written; its dtype may be wider.",
    ),
    "keepdims": ("bool, optional", "True keeps the axes, with length 1."),
    "initial": ("scalar or None, optional", "One more element for each result."),
    "where": ("bool, Tensor or array_like, optional", "Which elements count; it broadcasts."),
    **dict.fromkeys(
        ["max.where", "min.where"],
        (
            "bool, Tensor or array_like, optional",
            "Which elements count; it broadcasts and needs `initial`.",
        ),
    ),
    "ddof": (
        "float, optional",
        "What is subtracted from the number of elements, by which is divided.",
    ),
    "correction": ("float or None, optional", "The standard's name for `ddof`."),
    "a_min": ("Tensor, scalar or None, optional", "The lower bound."),
    "a_max": ("Tensor, scalar or None, optional", "The upper bound."),
    "min": ("Tensor, scalar or None, optional", "The lower bound by its other name."),
    "max": ("Tensor, scalar or None, optional", "The upper bound by its other name."),
    "decimals": ("int, optional", "How many places; a negative number rounds before the point."),
    "order": _ORDER,
    "astype.order": ("str, optional", _UNUSED),
    "sort.order": ("None, optional", "A tensor has no fields to order by."),
    "argsort.order": ("None, optional", "A tensor has no fields to order by."),
    "casting": (
        "{'no', 'equiv', 'safe', 'same_kind', 'unsafe'}, optional",
        "Which conversions are allowed, as in NumPy.",
    ),
    "subok": ("bool, optional", _UNUSED),
    "kind": ("str or None, optional", _UNUSED),
    "stable": ("bool or None, optional", _UNUSED),
    "stream": ("None, optional", "There are no streams."),
    "copy": (
        "bool or None, optional",
        "True always copies, False raises where a copy is needed, None copies where it must.",
    ),
    "astype.copy": ("bool, optional", "False gives the tensor itself where it has the dtype."),
    "value": ("scalar or Tensor", "What is written; it broadcasts."),
    "indices": ("Tensor or array_like", "Integers of any shape; negative ones count from the end."),
    "values": ("Tensor or array_like", "What is written, repeated as often as it takes."),
    "mode": (
        "{'raise', 'wrap', 'clip'}, optional",
        "What becomes of an index out of range: an error, or it is brought into range.",
    ),
    "condition": ("Tensor or array_like", "Of one dimension; it may be shorter than the axis."),
    "repeats": (
        "int, Tensor or sequence of int",
        "How often: one number for all, or one for each element along the axis.",
    ),
    "v": ("Tensor, scalar or array_like", "The values to look for, of any shape."),
    "side": (
        "{'left', 'right'}, optional",
        "Among equal elements the first place, or the place behind the last.",
    ),
    "sorter": ("Tensor, array_like or None, optional", "Integers that sort this tensor."),
    "b": ("Tensor, scalar or array_like", "The other operand."),
    "*shape": ("int or sequence of int", "The lengths, one by one or as one; one may be -1."),
    "*axes": ("int or sequence of int", "Axis i of the result is axis axes[i] of the tensor."),
    "axis1": _PLANE,
    "axis2": _PLANE,
    "offset": ("int, optional", "Which diagonal: above the main one for a positive number."),
    "device": ("Device, int, str or None", "Where; the default device for None."),
}
PARAMS |= {name: PARAMS["sum.dtype"] for name in ("prod.dtype", "cumsum.dtype", "cumprod.dtype")}
#: What is raised for a parameter, whatever the method.
ERRORS = {
    "axis": ("ValueError", "An axis that is out of bounds or named twice."),
    "axis1": ("ValueError", "An axis that is out of bounds, or both are one."),
    "out": (
        "TypeError, ValueError",
        "`out` is of another shape, or of a dtype that does not take the result.",
    ),
}


def complete_method(method: Callable[..., Any], name: str) -> None:
    """Completes the docstring of the Tensor's method from the names of its parameters."""
    code = method.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    if code.co_flags & inspect.CO_VARARGS:
        names = ("*" + code.co_varnames[len(names) + 1], *names)
    params = []
    for key in names:
        kind, text = PARAMS.get(f"{name}.{key}") or PARAMS[key]
        params.append((f"{key} : {kind}", text))
    returns = "Tensor: The result, or `out`." if "out" in names else ""
    complete(method, params, returns, [ERRORS[key] for key in names if key in ERRORS])
