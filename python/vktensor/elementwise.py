"""Elementwise functions: lazy, fused with their neighbours, computed when bytes are needed.

Shapes broadcast; a Python scalar takes the dtype of the Tensor beside it, except that a float with
integers gives float32; an integer beyond that dtype raises ValueError, but is compared. Each
function raises TypeError for a dtype it does not take and ValueError for shapes that do not
broadcast, at the call. What the op table (`vt.ops()`) says of a function,
`_docstrings` adds to its docstring.
"""

from __future__ import annotations

from typing import overload

from vktensor import _core, _docstrings, searching, transcendental
from vktensor._checks import check_tensors
from vktensor._core import Tensor
from vktensor._typing import Operand
from vktensor.transcendental import *  # noqa: F403

# ---- arithmetic -------------------------------------------------------------------------------


def abs(x: Tensor, /) -> Tensor:
    """Absolute value.

    The lowest signed integer is its own; a complex element's is hypot of its parts.

    >>> vt.abs(vt.asarray([-1.5, 2.0]))
    Tensor([1.5, 2. ], dtype=float32)
    """
    return _core.abs(x)


def add(x1: Operand, x2: Operand, /) -> Tensor:
    """Sum x1 + x2, element by element.

    Integers wrap around; of bool it is the logical or.

    >>> vt.add(vt.asarray([1, 2]), 3)
    Tensor([4, 5], dtype=int64)
    """
    return _core.add(x1, x2)


def subtract(x1: Operand, x2: Operand, /) -> Tensor:
    """Difference x1 - x2, element by element.

    Integers wrap around.

    >>> vt.subtract(vt.asarray([1, 2]), 3)
    Tensor([-2, -1], dtype=int64)
    """
    return _core.subtract(x1, x2)


def multiply(x1: Operand, x2: Operand, /) -> Tensor:
    """Product x1 * x2, element by element.

    Integers wrap around; of bool it is the logical and.

    >>> vt.multiply(vt.asarray([1, 2]), 3)
    Tensor([3, 6], dtype=int64)
    """
    return _core.multiply(x1, x2)


def divide(x1: Operand, x2: Operand, /) -> Tensor:
    """Quotient x1 / x2, element by element; integers are divided as floats.

    Division by zero gives inf or NaN. Complex numbers are divided by the method of Smith (1962).

    >>> vt.divide(vt.asarray([1.0, 3.0]), 2)
    Tensor([0.5, 1.5], dtype=float32)
    """
    return _core.divide(x1, x2)


def floor_divide(x1: Operand, x2: Operand, /) -> Tensor:
    """Largest integers not above x1 / x2, as values of the operands' dtype.

    An integer divided by zero gives 0, as in NumPy. Where one operand is infinite the result is
    x1 / x2, as the standard says and NumPy does not.

    >>> vt.floor_divide(vt.asarray([7, -7]), 2)
    Tensor([ 3, -4], dtype=int64)
    """
    return _core.floor_divide(x1, x2)


def remainder(x1: Operand, x2: Operand, /) -> Tensor:
    """Remainder x1 - x2 * floor(x1 / x2), with the sign of x2.

    An integer remainder by zero is 0.

    >>> vt.remainder(vt.asarray([7, -7]), 3)
    Tensor([1, 2], dtype=int64)
    """
    return _core.remainder(x1, x2)


def fmod(x1: Operand, x2: Operand, /) -> Tensor:
    """Remainder of truncating division, with the sign of x1.

    An integer remainder by zero is 0.

    >>> vt.fmod(vt.asarray([7.5, -7.5]), 2)
    Tensor([ 1.5, -1.5], dtype=float32)
    """
    return _core.fmod(x1, x2)


def pow(x1: Operand, x2: Operand, /) -> Tensor:
    """Power x1 ** x2, element by element.

    Floats have C99's special cases. Integers wrap around, and a negative integer exponent gives 0
    unless x1 is 1 or -1, where NumPy raises. The logarithm of x1 is a sum of two numbers, as in
    fdlibm (Sun 1993).

    >>> vt.pow(vt.asarray([2.0, 3.0]), 2)
    Tensor([4., 9.], dtype=float32)
    """
    return _core.pow(x1, x2)


def negative(x: Tensor, /) -> Tensor:
    """Negative of each element.

    Unsigned integers wrap around.

    >>> vt.negative(vt.asarray([1, -2]))
    Tensor([-1,  2], dtype=int64)
    """
    return _core.negative(x)


def positive(x: Tensor, /) -> Tensor:
    """Value of each element, unchanged, as a new Tensor.

    >>> vt.positive(vt.asarray([1, -2]))
    Tensor([ 1, -2], dtype=int64)
    """
    return _core.positive(x)


def reciprocal(x: Tensor, /) -> Tensor:
    """Reciprocal 1 / x; of integers too as floats, where NumPy divides integers.

    >>> vt.reciprocal(vt.asarray([2.0, 4.0]))
    Tensor([0.5 , 0.25], dtype=float32)
    """
    return _core.reciprocal(x)


def sign(x: Tensor, /) -> Tensor:
    """Sign of each element: -1, 0 or 1; NaN stays NaN.

    Of a complex element it is x / abs(x), or 0.

    >>> vt.sign(vt.asarray([-2.0, 0.0, 5.0]))
    Tensor([-1.,  0.,  1.], dtype=float32)
    """
    return _core.sign(x)


def square(x: Tensor, /) -> Tensor:
    """Square x * x.

    Integers wrap around.

    >>> vt.square(vt.asarray([2, -3]))
    Tensor([4, 9], dtype=int64)
    """
    return _core.square(x)


def sqrt(x: Tensor, /) -> Tensor:
    """Square root; NaN below 0.

    Of a complex element the root with a real part that is not negative.

    >>> vt.sqrt(vt.asarray([4.0, 9.0]))
    Tensor([2., 3.], dtype=float32)
    """
    return _core.sqrt(x)


def rsqrt(x: Tensor, /) -> Tensor:
    """Reciprocal of the square root, 1 / sqrt(x); inf at 0, NaN below.

    >>> vt.rsqrt(vt.asarray([4.0, 16.0]))
    Tensor([0.5 , 0.25], dtype=float32)
    """
    return _core.rsqrt(x)


def cbrt(x: Tensor, /) -> Tensor:
    """Cube root, of negative elements too.

    From a third of the exponent (Kahan) by steps of Halley and Newton.

    >>> vt.cbrt(vt.asarray([8.0, -27.0]))
    Tensor([ 2., -3.], dtype=float32)
    """
    return _core.cbrt(x)


def hypot(x1: Operand, x2: Operand, /) -> Tensor:
    """Hypotenuse sqrt(x1**2 + x2**2), without overflow in between.

    An infinite operand gives inf, also beside NaN.

    >>> vt.hypot(vt.asarray([3.0]), 4.0)
    Tensor([5.], dtype=float32)
    """
    return _core.hypot(x1, x2)


def maximum(x1: Operand, x2: Operand, /) -> Tensor:
    """Larger of both elements; NaN where either is NaN.

    >>> vt.maximum(vt.asarray([1, 5]), 3)
    Tensor([3, 5], dtype=int64)
    """
    return _core.maximum(x1, x2)


def minimum(x1: Operand, x2: Operand, /) -> Tensor:
    """Smaller of both elements; NaN where either is NaN.

    >>> vt.minimum(vt.asarray([1, 5]), 3)
    Tensor([1, 3], dtype=int64)
    """
    return _core.minimum(x1, x2)


def fmax(x1: Operand, x2: Operand, /) -> Tensor:
    """Larger of both elements; a NaN beside a number is ignored.

    >>> vt.fmax(vt.asarray([1.0, float('nan')]), 0.5)
    Tensor([1. , 0.5], dtype=float32)
    """
    return _core.fmax(x1, x2)


def fmin(x1: Operand, x2: Operand, /) -> Tensor:
    """Smaller of both elements; a NaN beside a number is ignored.

    >>> vt.fmin(vt.asarray([1.0, float('nan')]), 0.5)
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _core.fmin(x1, x2)


# ---- rounding and parts -----------------------------------------------------------------------


def ceil(x: Tensor, /) -> Tensor:
    """Smallest integer not below x, as a value of x's dtype.

    >>> vt.ceil(vt.asarray([1.2, -1.2]))
    Tensor([ 2., -1.], dtype=float32)
    """
    return _core.ceil(x)


def floor(x: Tensor, /) -> Tensor:
    """Largest integer not above x, as a value of x's dtype.

    >>> vt.floor(vt.asarray([1.2, -1.2]))
    Tensor([ 1., -2.], dtype=float32)
    """
    return _core.floor(x)


def trunc(x: Tensor, /) -> Tensor:
    """Integer part of x, as a value of x's dtype.

    >>> vt.trunc(vt.asarray([1.7, -1.7]))
    Tensor([ 1., -1.], dtype=float32)
    """
    return _core.trunc(x)


def round(x: Tensor, /) -> Tensor:
    """Nearest integer, of two the even one, as a value of x's dtype.

    Of a complex element both parts are rounded.

    >>> vt.round(vt.asarray([0.5, 1.5, 2.6]))
    Tensor([0., 2., 3.], dtype=float32)
    """
    return _core.round(x)


def copysign(x1: Operand, x2: Operand, /) -> Tensor:
    """Magnitude of x1 with the sign of x2, zeros and NaN included.

    >>> vt.copysign(vt.asarray([1.0, 2.0]), -1.0)
    Tensor([-1., -2.], dtype=float32)
    """
    return _core.copysign(x1, x2)


def nextafter(x1: Operand, x2: Operand, /) -> Tensor:
    """Next number after x1 towards x2 in their dtype; x2 where they are equal.

    >>> vt.nextafter(vt.asarray([1.0]), 2.0) > 1
    Tensor([ True], dtype=bool)
    """
    return _core.nextafter(x1, x2)


def signbit(x: Tensor, /) -> Tensor:
    """True where the sign bit is set, of -0.0 and NaN too.

    >>> vt.signbit(vt.asarray([-0.0, 0.0]))
    Tensor([ True, False], dtype=bool)
    """
    return _core.signbit(x)


def isfinite(x: Tensor, /) -> Tensor:
    """True where x is neither infinite nor NaN.

    >>> vt.isfinite(vt.asarray([1.0, float('inf')]))
    Tensor([ True, False], dtype=bool)
    """
    return _core.isfinite(x)


def isinf(x: Tensor, /) -> Tensor:
    """True where x is infinite; of a complex element where either part is.

    >>> vt.isinf(vt.asarray([1.0, float('inf')]))
    Tensor([False,  True], dtype=bool)
    """
    return _core.isinf(x)


def isnan(x: Tensor, /) -> Tensor:
    """True where x is NaN; of a complex element where either part is.

    >>> vt.isnan(vt.asarray([1.0, float('nan')]))
    Tensor([False,  True], dtype=bool)
    """
    return _core.isnan(x)


# ---- comparison and logic: the result is bool -------------------------------------------------


def equal(x1: Operand, x2: Operand, /) -> Tensor:
    """True where x1 == x2, compared in the promoted dtype.

    >>> vt.equal(vt.asarray([1, 2]), 2)
    Tensor([False,  True], dtype=bool)
    """
    return _core.equal(x1, x2)


def not_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """True where x1 != x2, compared in the promoted dtype.

    >>> vt.not_equal(vt.asarray([1, 2]), 2)
    Tensor([ True, False], dtype=bool)
    """
    return _core.not_equal(x1, x2)


def less(x1: Operand, x2: Operand, /) -> Tensor:
    """True where x1 < x2, compared in the promoted dtype.

    >>> vt.less(vt.asarray([1, 2]), 2)
    Tensor([ True, False], dtype=bool)
    """
    return _core.less(x1, x2)


def less_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """True where x1 <= x2, compared in the promoted dtype.

    >>> vt.less_equal(vt.asarray([1, 2]), 2)
    Tensor([ True,  True], dtype=bool)
    """
    return _core.less_equal(x1, x2)


def greater(x1: Operand, x2: Operand, /) -> Tensor:
    """True where x1 > x2, compared in the promoted dtype.

    >>> vt.greater(vt.asarray([1, 2]), 1)
    Tensor([False,  True], dtype=bool)
    """
    return _core.greater(x1, x2)


def greater_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """True where x1 >= x2, compared in the promoted dtype.

    >>> vt.greater_equal(vt.asarray([1, 2]), 2)
    Tensor([False,  True], dtype=bool)
    """
    return _core.greater_equal(x1, x2)


def logical_and(x1: Operand, x2: Operand, /) -> Tensor:
    """True where both elements are true (not zero).

    >>> vt.logical_and(vt.asarray([True, False]), True)
    Tensor([ True, False], dtype=bool)
    """
    return _core.logical_and(x1, x2)


def logical_or(x1: Operand, x2: Operand, /) -> Tensor:
    """True where an element is true (not zero), or both are.

    >>> vt.logical_or(vt.asarray([True, False]), False)
    Tensor([ True, False], dtype=bool)
    """
    return _core.logical_or(x1, x2)


def logical_xor(x1: Operand, x2: Operand, /) -> Tensor:
    """True where exactly one element is true (not zero).

    >>> vt.logical_xor(vt.asarray([True, False]), True)
    Tensor([False,  True], dtype=bool)
    """
    return _core.logical_xor(x1, x2)


def logical_not(x: Tensor, /) -> Tensor:
    """True where x is false (zero).

    >>> vt.logical_not(vt.asarray([True, False]))
    Tensor([False,  True], dtype=bool)
    """
    return _core.logical_not(x)


# ---- complex parts ----------------------------------------------------------------------------


def conj(x: Tensor, /) -> Tensor:
    """Complex conjugate; real elements are unchanged.

    >>> vt.conj(vt.asarray([1 + 2j]))
    Tensor([1.-2.j], dtype=complex64)
    """
    return _core.conj(x)


def real(x: Tensor, /) -> Tensor:
    """Real parts; real elements are unchanged.

    >>> vt.real(vt.asarray([1 + 2j]))
    Tensor([1.], dtype=float32)
    """
    return _core.real(x)


def imag(x: Tensor, /) -> Tensor:
    """Imaginary parts; zeros for real elements.

    >>> vt.imag(vt.asarray([1 + 2j]))
    Tensor([2.], dtype=float32)
    """
    return _core.imag(x)


# ---- bits -------------------------------------------------------------------------------------


def bitwise_and(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits that are set in both elements.

    >>> vt.bitwise_and(vt.asarray([6, 5]), 3)
    Tensor([2, 1], dtype=int64)
    """
    return _core.bitwise_and(x1, x2)


def bitwise_or(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits that are set in an element, or in both.

    >>> vt.bitwise_or(vt.asarray([6, 5]), 3)
    Tensor([7, 7], dtype=int64)
    """
    return _core.bitwise_or(x1, x2)


def bitwise_xor(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits that are set in exactly one element.

    >>> vt.bitwise_xor(vt.asarray([6, 5]), 3)
    Tensor([5, 6], dtype=int64)
    """
    return _core.bitwise_xor(x1, x2)


def bitwise_invert(x: Tensor, /) -> Tensor:
    """Every bit flipped; the logical not of bool.

    >>> vt.bitwise_invert(vt.asarray([0, 5]))
    Tensor([-1, -6], dtype=int64)
    """
    return _core.bitwise_invert(x)


def bitwise_left_shift(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits of x1 shifted left by x2 places.

    0 where x2 is negative or not below the width.

    >>> vt.bitwise_left_shift(vt.asarray([1, 3]), 2)
    Tensor([ 4, 12], dtype=int64)
    """
    return _core.bitwise_left_shift(x1, x2)


def bitwise_right_shift(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits of x1 shifted right by x2 places, keeping the sign.

    0, or -1 for a negative x1, where x2 is negative or not below the width.

    >>> vt.bitwise_right_shift(vt.asarray([8, -8]), 2)
    Tensor([ 2, -2], dtype=int64)
    """
    return _core.bitwise_right_shift(x1, x2)


# ---- choice -------------------------------------------------------------------------------------


def clip(x: Tensor, /, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Limits `x` to [min, max]; either bound may be missing.

    Parameters
    ----------
    x : Tensor
        Of any shape and real numeric dtype.
    min, max : Tensor or scalar, optional
        The bounds, which broadcast with `x`; NaN in one gives NaN. Where `min` is above `max` the
        result is `max`.

    Returns
    -------
    Tensor
        Of the broadcast shape and the promoted dtype, `x`'s where the bounds are scalars. NaN
        stays NaN.

    Raises
    ------
    TypeError
        bool or complex `x`.
    ValueError
        The shapes do not broadcast, or an integer bound does not fit `x`'s dtype.

    Examples
    --------
    >>> vt.clip(vt.asarray([-1, 5, 2]), 0, 3)
    Tensor([0, 3, 2], dtype=int64)
    """
    check_tensors("clip", x)
    if min is None:
        return _core.positive(x) if max is None else _core.minimum(x, max)
    return _core.maximum(x, min) if max is None else _core.clip(x, min, max)


@overload
def where(condition: Tensor, x1: Operand, x2: Operand, /) -> Tensor: ...
@overload
def where(condition: Tensor, x1: None = None, x2: None = None, /) -> tuple[Tensor, ...]: ...
def where(
    condition: Tensor, x1: Operand | None = None, x2: Operand | None = None, /
) -> Tensor | tuple[Tensor, ...]:
    """Elements of `x1` where `condition` is true, of `x2` elsewhere.

    Parameters
    ----------
    condition : Tensor
        Of bool.
    x1, x2 : Tensor, scalar or None, optional
        The choices, of any dtype; they broadcast with `condition`.

    Returns
    -------
    Tensor
        Of the broadcast shape and the promoted dtype of `x1` and `x2`. Without these, as in NumPy,
        what `nonzero` gives: where `condition` is true, a Tensor for each axis.

    Raises
    ------
    TypeError
        `condition` is no Tensor of bool, or there is one choice only.
    ValueError
        The shapes do not broadcast.

    Examples
    --------
    >>> vt.where(vt.asarray([True, False]), vt.asarray([1, 2]), 0)
    Tensor([1, 0], dtype=int64)
    """
    if x1 is None and x2 is None:
        return searching.nonzero(condition)
    if x1 is None or x2 is None:
        raise TypeError("where: expected both choices or none")
    return _core.where(condition, x1, x2)


# Every function of both modules is public: a new op is not listed a second time. Set through
# globals(), because type checkers take an assigned __all__ that is no literal for an empty one.
globals()["__all__"] = _docstrings.complete_ops(vars(transcendental), globals())
