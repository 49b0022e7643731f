"""Elementwise functions that NumPy has beyond the standard: ops, and compositions that fuse alike.

As in `elementwise`: shapes broadcast, a Python scalar takes the dtype of the Tensor beside it,
TypeError for a dtype that a function does not take, ValueError for shapes that do not broadcast.
"""

from __future__ import annotations

import math

from vktensor import _core, _docstrings, data_types
from vktensor._checks import check_operands, check_real
from vktensor._core import Tensor
from vktensor._typing import Operand


def _wide(op: str, x: Tensor) -> Tensor:
    """`x` in float32 or float64, in which constants have all their digits."""
    check_real(op, x)
    return _core.astype(x, "float64" if x.dtype.name == "float64" else "float32", False)


def _fit(result: Tensor, x: Tensor) -> Tensor:
    """`result` in the floating dtype that belongs to `x`."""
    return _core.astype(result, _core.result_type(x, 1.0), False)


def _both(op: str, x1: Operand, x2: Operand) -> tuple[Tensor, Tensor]:
    """Both as tensors of one floating dtype."""
    check_operands(op, x1, x2)
    beside = next(x for x in (x1, x2) if isinstance(x, Tensor))
    dtype = _core.result_type(x1, x2, 1.0)
    found = [
        _core.astype(x, dtype, False)
        if isinstance(x, Tensor)
        else _core.full((), x, dtype, beside.device)
        for x in (x1, x2)
    ]
    return found[0], found[1]


# ---- functions --------------------------------------------------------------------------------


def sinc(x: Tensor, /) -> Tensor:
    """Cardinal sine sin(pi x) / (pi x), and 1 at 0.

    Exactly 0 at other integers, where NumPy gives the sine of a rounded multiple of pi; NaN at
    infinity.

    >>> vt.sinc(vt.asarray([0.0, 0.5, 1.0]))
    Tensor([1.        , 0.63661975, 0.        ], dtype=float32)
    """
    return _core.sinc(x)


def logaddexp2(x1: Operand, x2: Operand, /) -> Tensor:
    """Logarithm of a sum to base 2, log2(2**x1 + 2**x2), without overflow in between.

    >>> vt.logaddexp2(vt.asarray([0.0, 200.0]), vt.asarray([0.0, 200.0]))
    Tensor([  1., 201.], dtype=float32)
    """
    return _core.logaddexp2(x1, x2)


def deg2rad(x: Tensor, /) -> Tensor:
    """Degrees as radians.

    The product with pi / 180, rounded to the dtype it is computed in.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    Tensor
        Of the shape of `x` and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.deg2rad(vt.asarray([180.0]))
    Tensor([3.1415927], dtype=float32)
    """
    return _fit(_wide("deg2rad", x) * (math.pi / 180), x)


def rad2deg(x: Tensor, /) -> Tensor:
    """Radians as degrees.

    The product with 180 / pi, rounded to the dtype it is computed in.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    Tensor
        Of the shape of `x` and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.rad2deg(vt.asarray([0.0, vt.pi]))
    Tensor([  0., 180.], dtype=float32)
    """
    return _fit(_wide("rad2deg", x) * (180 / math.pi), x)


def float_power(x1: Operand, x2: Operand, /) -> Tensor:
    """Power x1 ** x2 in float64, whatever the dtypes.

    As `vt.pow`: within 2 ULP.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        The operands, of any dtype but complex; their shapes broadcast. At least one is a Tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape, float64.

    Raises
    ------
    TypeError
        Neither operand is a Tensor, or one is complex.
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> vt.float_power(vt.asarray([2, 3]), -1)
    Tensor([0.5       , 0.33333333], dtype=float64)
    """
    check_operands("float_power", x1, x2)
    wide = [_core.astype(x, "float64", False) if isinstance(x, Tensor) else x for x in (x1, x2)]
    return _core.pow(*wide)


def heaviside(x1: Operand, x2: Operand, /) -> Tensor:
    """Step: 0 where x1 is negative, 1 where it is positive, x2 where it is zero; NaN stays NaN.

    Parameters
    ----------
    x1 : Tensor or scalar
        Where the step is taken, of any dtype but complex.
    x2 : Tensor or scalar
        The value at zero. The shapes broadcast, and at least one is a Tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape and the promoted dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        Neither operand is a Tensor, or one is complex.
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> vt.heaviside(vt.asarray([-2.0, 0.0, 3.0]), 0.5)
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    x, at_zero = _both("heaviside", x1, x2)
    step = _core.astype(x > 0, x.dtype, False)
    return _core.where(x == 0, at_zero, _core.where(_core.isnan(x), x, step))


def fabs(x: Tensor, /) -> Tensor:
    """Absolute value as a float.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    Tensor
        Of the shape of `x` and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.fabs(vt.asarray([-1, 2]))
    Tensor([1., 2.], dtype=float32)
    """
    check_real("fabs", x)
    return _core.abs(_fit(x, x))


def divmod(x1: Operand, x2: Operand, /) -> tuple[Tensor, Tensor]:
    """Floor of the quotient and remainder: `vt.floor_divide` and `vt.remainder`.

    Parameters
    ----------
    x1, x2 : Tensor or scalar
        The operands, of any dtype but bool and complex; their shapes broadcast. At least one is a
        Tensor.

    Returns
    -------
    tuple of Tensor
        Both of the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        Neither operand is a Tensor, or one has another dtype.
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> vt.divmod(vt.asarray([7, -7]), 3)
    (Tensor([ 2, -3], dtype=int64), Tensor([1, 2], dtype=int64))
    """
    check_operands("divmod", x1, x2)
    return _core.floor_divide(x1, x2), _core.remainder(x1, x2)


def gcd(x1: Operand, x2: Operand, /) -> Tensor:
    """Greatest common divisor of ``|x1|`` and ``|x2|``; the other one beside 0.

    >>> vt.gcd(vt.asarray([12, -8, 0]), 20)
    Tensor([ 4,  4, 20], dtype=int64)
    """
    return _core.gcd(x1, x2)


def lcm(x1: Operand, x2: Operand, /) -> Tensor:
    """Least common multiple of ``|x1|`` and ``|x2|``; 0 beside 0.

    Integers wrap around.

    >>> vt.lcm(vt.asarray([12, -8, 0]), 20)
    Tensor([60, 40,  0], dtype=int64)
    """
    return _core.lcm(x1, x2)


def bitwise_count(x: Tensor, /) -> Tensor:
    """Number of ones among the bits of ``|x|``.

    Parameters
    ----------
    x : Tensor
        Of any shape, of integers or bool.

    Returns
    -------
    Tensor
        Of the shape of `x`, uint8.

    Raises
    ------
    TypeError
        `x` is no Tensor, or of other numbers.

    Examples
    --------
    >>> vt.bitwise_count(vt.asarray([0, 255, -5]))
    Tensor([0, 8, 2], dtype=uint8)
    """
    if not isinstance(x, Tensor) or x.dtype.kind not in "iub":
        found = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"bitwise_count: expected a Tensor of integers or bool, got {found}")
    width = 64 if x.dtype.itemsize == 8 else 32
    ones = (1 << width) - 1
    words = x
    if x.dtype.kind == "i":  # the smallest is its own magnitude, with the bits of the right one
        words = _core.astype(_core.abs(x), f"uint{8 * x.dtype.itemsize}", False)
    words = _core.astype(words, f"uint{width}", False)
    # Sums of neighbouring bits, then pairs, then halves of bytes, then bytes (H. Warren, Hacker's
    # Delight, 5-1).
    words = words - ((words >> 1) & ones // 3)
    words = (words & ones // 5) + ((words >> 2) & ones // 5)
    words = (words + (words >> 4)) & ones // 17
    return _core.astype((words * (ones // 255)) >> (width - 8), "uint8", False)


# ---- parts of floating-point numbers ----------------------------------------------------------


def isposinf(x: Tensor, /) -> Tensor:
    """True where x is +inf.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    Tensor
        Of the shape of `x`, bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.isposinf(vt.asarray([vt.inf, -vt.inf, 1.0]))
    Tensor([ True, False, False], dtype=bool)
    """
    check_real("isposinf", x)
    return _core.isinf(x) & _core.logical_not(_core.signbit(x))


def isneginf(x: Tensor, /) -> Tensor:
    """True where x is -inf.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    Tensor
        Of the shape of `x`, bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.isneginf(vt.asarray([vt.inf, -vt.inf, 1.0]))
    Tensor([False,  True, False], dtype=bool)
    """
    check_real("isneginf", x)
    return _core.isinf(x) & _core.signbit(x)


def nan_to_num(
    x: Tensor,
    /,
    *,
    nan: Operand = 0.0,
    posinf: Operand | None = None,
    neginf: Operand | None = None,
) -> Tensor:
    """Elements with numbers for NaN and infinities.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.
    nan : Tensor or scalar, optional
        For NaN.
    posinf, neginf : Tensor, scalar or None, optional
        For +inf and -inf; None stands for the largest and the lowest number of the dtype.

    Returns
    -------
    Tensor
        Of the shape and dtype of `x`; integers and bool are copied.

    Raises
    ------
    TypeError
        `x` is complex.

    Examples
    --------
    >>> vt.nan_to_num(vt.asarray([vt.nan, vt.inf, 1.0]), posinf=9.0)
    Tensor([0., 9., 1.], dtype=float32)
    """
    check_real("nan_to_num", x)
    if x.dtype.kind in "biu":
        return _core.astype(x, x.dtype, True)
    limits = data_types.finfo(x)
    above = limits.max if posinf is None else posinf
    below = limits.min if neginf is None else neginf
    infinite = _core.where(_core.signbit(x), below, _core.where(_core.isinf(x), above, x))
    result = _core.where(_core.isinf(x), infinite, _core.where(_core.isnan(x), nan, x))
    return _core.astype(result, x.dtype, False)


def modf(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """Fraction and whole part, exact, both with the sign of x.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    tuple of Tensor
        (fraction, whole part), both of the shape of `x` and its floating dtype; float32 for
        integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.modf(vt.asarray([3.5, -0.25]))
    (Tensor([ 0.5 , -0.25], dtype=float32), Tensor([ 3., -0.], dtype=float32))
    """
    check_real("modf", x)
    x = _fit(x, x)
    whole = _core.trunc(x)
    fraction = _core.where(_core.isinf(x), 0.0, x - whole)
    return _core.copysign(fraction, x), whole


def spacing(x: Tensor, /) -> Tensor:
    """Distance from x to the next number of its dtype away from 0, with the sign of x.

    Positive at both zeros, infinite at the largest number, NaN at infinity.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    Tensor
        Of the shape of `x` and its floating dtype; float32 for integers and bool.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.spacing(vt.asarray([1.0, -2.0])) / 2.0**-23
    Tensor([ 1., -2.], dtype=float32)
    """
    check_real("spacing", x)
    x = _fit(x, x)
    away = _core.copysign(math.inf, _core.where(x == 0, 1.0, x))
    return _core.nextafter(x, away) - x


#: Unsigned integers of the same width, bits of the mantissa, bias of the exponent, exponent of the
#: smallest subnormal.
_FORMATS = {"float32": ("uint32", 23, 127, -149), "float64": ("uint64", 52, 1023, -1074)}
#: For ldexp: the power of two with which numbers below 1 are multiplied first, and the n beyond
#: which x * 2^n of the others is 0 or of all is infinite.
_STEPS = {"float32": (100, -285, 300), "float64": (700, -2110, 2200)}


def frexp(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """Mantissa and exponent (m, e): x = m * 2**e with 0.5 <= ``|m|`` < 1, exact.

    Parameters
    ----------
    x : Tensor
        Of any shape and any dtype but complex.

    Returns
    -------
    tuple of Tensor
        The mantissas, of the floating dtype of `x` (float32 for integers and bool), and the
        exponents, int32, both of the shape of `x`; (x, 0) for 0, infinities and NaN.

    Raises
    ------
    TypeError
        `x` is no Tensor, or complex.

    Examples
    --------
    >>> vt.frexp(vt.asarray([8.0, -0.75]))
    (Tensor([ 0.5 , -0.75], dtype=float32), Tensor([4, 0], dtype=int32))
    """
    wide = _wide("frexp", x)
    words_dtype, bits, bias, least = _FORMATS[wide.dtype.name]
    words = wide.view(words_dtype)
    top = 1 << (_core.result_type(wide).itemsize * 8 - 1)
    ones = (1 << bits) - 1
    subnormal = (words & (top - 1)) <= ones
    # The integer that a subnormal's mantissa is, as a float, has its bits where others have them.
    counted = _core.astype(words & ones, wide.dtype, False).view(words_dtype)
    whole = _core.where(subnormal, counted, words & (top - 1))
    offset = _core.where(subnormal, least - bias + 1, 1 - bias)
    exponent = _core.astype(whole >> bits, "int32", False) + offset
    mantissa = ((whole & ones) | ((bias - 1) << bits) | (words & top)).view(wide.dtype)
    plain = _core.isfinite(wide) & (whole != 0)
    found = _core.where(plain, mantissa, wide)
    return _fit(found, x), _core.astype(_core.where(plain, exponent, 0), "int32", False)


def ldexp(x1: Operand, x2: Operand, /) -> Tensor:
    """Product x1 * 2**x2, rounded once.

    Parameters
    ----------
    x1 : Tensor or scalar
        Of any dtype but complex.
    x2 : Tensor or int
        Integers. The shapes broadcast, and at least one is a Tensor.

    Returns
    -------
    Tensor
        Of the broadcast shape and the floating dtype of `x1`; float32 for integers and bool.

    Raises
    ------
    TypeError
        Neither operand is a Tensor, `x1` is complex, or exponents that are no integers.
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> vt.ldexp(vt.asarray([0.5, -0.75]), vt.asarray([4, 1]))
    Tensor([ 8. , -1.5], dtype=float32)
    """
    beside = x1 if isinstance(x1, Tensor) else x2
    if not isinstance(beside, Tensor):
        raise TypeError(f"ldexp: expected a Tensor, got {type(x1).__name__}")
    n = x2 if isinstance(x2, Tensor) else _core.asarray(x2, None, beside.device, None)
    if n.dtype.kind not in "iu":
        raise TypeError(f"ldexp: expected integers as exponents, got {n.dtype}")
    x = x1 if isinstance(x1, Tensor) else _core.full((), x1, "float32", beside.device)
    wide = _wide("ldexp", x)
    up, low, high = _STEPS[wide.dtype.name]
    if n.dtype.kind == "u" and n.dtype.itemsize > 2:
        n = _core.minimum(n, high)
    n = _core.astype(n, "int64" if n.dtype.itemsize == 8 else "int32", False)
    # Numbers below 1 are made large, so that of three steps only the last can round.
    small = _core.abs(wide) < 1
    n = _core.clip(_core.clip(n, low, high) - _core.where(small, up, 0), low, high)
    power = _core.astype(n, wide.dtype, False)
    third = _core.round(power * (1 / 3))
    step, rest = _core.exp2(third), _core.exp2(power - (third + third))
    return _fit(_core.where(small, wide * 2.0**up, wide) * rest * step * step, x)


# As in `elementwise`: every function above is public.
globals()["__all__"] = _docstrings.complete_ops(globals())
