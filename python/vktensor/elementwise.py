"""Elementwise functions: lazy, fused with their neighbours, computed when bytes are needed.

Shapes broadcast; a Python scalar takes the dtype of the Tensor beside it, except that a float with
integers gives float32. Each function raises TypeError for a dtype it does not take and ValueError
for shapes that do not broadcast, at the call. The largest errors in units in the last place stand
in the op table (`vt.ops()`).
"""

from __future__ import annotations

from vktensor import _core
from vktensor._core import Tensor
from vktensor._typing import Operand

# ---- arithmetic -------------------------------------------------------------------------------


def abs(x: Tensor, /) -> Tensor:
    """Absolute value. Numeric `x` of any shape; same dtype. The lowest signed integer is its own
    absolute value.

    >>> vt.abs(vt.asarray([-1.5, 2.0]))
    Tensor([1.5, 2. ], dtype=float32)
    """
    return _core.abs(x)


def add(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 + x2, broadcast. Numeric; the result has the promoted dtype; integers wrap around.

    >>> vt.add(vt.asarray([1, 2]), 3)
    Tensor([4, 5], dtype=int64)
    """
    return _core.add(x1, x2)


def subtract(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 - x2, broadcast. Numeric; the result has the promoted dtype; integers wrap around.

    >>> vt.subtract(vt.asarray([1, 2]), 3)
    Tensor([-2, -1], dtype=int64)
    """
    return _core.subtract(x1, x2)


def multiply(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 * x2, broadcast. Numeric; the result has the promoted dtype; integers wrap around.

    >>> vt.multiply(vt.asarray([1, 2]), 3)
    Tensor([3, 6], dtype=int64)
    """
    return _core.multiply(x1, x2)


def divide(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 / x2, broadcast, true division. Floating result: float32 for integers. Division by zero
    gives inf or NaN.

    >>> vt.divide(vt.asarray([1.0, 3.0]), 2)
    Tensor([0.5, 1.5], dtype=float32)
    """
    return _core.divide(x1, x2)


def floor_divide(x1: Operand, x2: Operand, /) -> Tensor:
    """floor(x1 / x2), broadcast. Numeric; an integer divided by zero gives 0, as in NumPy. Where
    one operand is infinite it is x1 / x2, as the standard says and NumPy does not.

    >>> vt.floor_divide(vt.asarray([7, -7]), 2)
    Tensor([ 3, -4], dtype=int64)
    """
    return _core.floor_divide(x1, x2)


def remainder(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 - x2 * floor(x1 / x2), exact, with the sign of x2. Numeric; an integer remainder by zero
    is 0.

    >>> vt.remainder(vt.asarray([7, -7]), 3)
    Tensor([1, 2], dtype=int64)
    """
    return _core.remainder(x1, x2)


def fmod(x1: Operand, x2: Operand, /) -> Tensor:
    """The remainder of truncating division, exact, with the sign of x1. Numeric.

    >>> vt.fmod(vt.asarray([7.5, -7.5]), 2)
    Tensor([ 1.5, -1.5], dtype=float32)
    """
    return _core.fmod(x1, x2)


def pow(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 to the power x2, broadcast. Numeric; C99's special cases for floats; integers wrap around
    and a negative integer exponent gives 0 unless ``|x1|`` is 1.

    >>> vt.pow(vt.asarray([2.0, 3.0]), 2)
    Tensor([4., 9.], dtype=float32)
    """
    return _core.pow(x1, x2)


def negative(x: Tensor, /) -> Tensor:
    """-x. Numeric; unsigned integers wrap around.

    >>> vt.negative(vt.asarray([1, -2]))
    Tensor([-1,  2], dtype=int64)
    """
    return _core.negative(x)


def positive(x: Tensor, /) -> Tensor:
    """x itself, as a new value. Numeric.

    >>> vt.positive(vt.asarray([1, -2]))
    Tensor([ 1, -2], dtype=int64)
    """
    return _core.positive(x)


def reciprocal(x: Tensor, /) -> Tensor:
    """1 / x. Floating; integers are computed in float32.

    >>> vt.reciprocal(vt.asarray([2.0, 4.0]))
    Tensor([0.5 , 0.25], dtype=float32)
    """
    return _core.reciprocal(x)


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1 by the sign of x; NaN stays NaN. Numeric.

    >>> vt.sign(vt.asarray([-2.0, 0.0, 5.0]))
    Tensor([-1.,  0.,  1.], dtype=float32)
    """
    return _core.sign(x)


def square(x: Tensor, /) -> Tensor:
    """x * x. Numeric.

    >>> vt.square(vt.asarray([2, -3]))
    Tensor([4, 9], dtype=int64)
    """
    return _core.square(x)


def sqrt(x: Tensor, /) -> Tensor:
    """Square root; NaN for negative x. Floating; integers are computed in float32.

    >>> vt.sqrt(vt.asarray([4.0, 9.0]))
    Tensor([2., 3.], dtype=float32)
    """
    return _core.sqrt(x)


def rsqrt(x: Tensor, /) -> Tensor:
    """1 / sqrt(x). Floating; integers are computed in float32.

    >>> vt.rsqrt(vt.asarray([4.0, 16.0]))
    Tensor([0.5 , 0.25], dtype=float32)
    """
    return _core.rsqrt(x)


def cbrt(x: Tensor, /) -> Tensor:
    """Cube root, of negative x too. Floating; integers are computed in float32.

    >>> vt.cbrt(vt.asarray([8.0, -27.0]))
    Tensor([ 2., -3.], dtype=float32)
    """
    return _core.cbrt(x)


def hypot(x1: Operand, x2: Operand, /) -> Tensor:
    """sqrt(x1**2 + x2**2) without overflow in between. Floating; inf wins over NaN.

    >>> vt.hypot(vt.asarray([3.0]), 4.0)
    Tensor([5.], dtype=float32)
    """
    return _core.hypot(x1, x2)


def maximum(x1: Operand, x2: Operand, /) -> Tensor:
    """The larger of both; NaN if either is NaN. Any real dtype.

    >>> vt.maximum(vt.asarray([1, 5]), 3)
    Tensor([3, 5], dtype=int64)
    """
    return _core.maximum(x1, x2)


def minimum(x1: Operand, x2: Operand, /) -> Tensor:
    """The smaller of both; NaN if either is NaN. Any real dtype.

    >>> vt.minimum(vt.asarray([1, 5]), 3)
    Tensor([1, 3], dtype=int64)
    """
    return _core.minimum(x1, x2)


def fmax(x1: Operand, x2: Operand, /) -> Tensor:
    """The larger of both; a NaN beside a number is ignored. Any real dtype.

    >>> vt.fmax(vt.asarray([1.0, float('nan')]), 0.5)
    Tensor([1. , 0.5], dtype=float32)
    """
    return _core.fmax(x1, x2)


def fmin(x1: Operand, x2: Operand, /) -> Tensor:
    """The smaller of both; a NaN beside a number is ignored. Any real dtype.

    >>> vt.fmin(vt.asarray([1.0, float('nan')]), 0.5)
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _core.fmin(x1, x2)


# ---- rounding and parts -----------------------------------------------------------------------


def ceil(x: Tensor, /) -> Tensor:
    """The smallest integer not below x, in x's dtype. Numeric.

    >>> vt.ceil(vt.asarray([1.2, -1.2]))
    Tensor([ 2., -1.], dtype=float32)
    """
    return _core.ceil(x)


def floor(x: Tensor, /) -> Tensor:
    """The largest integer not above x, in x's dtype. Numeric.

    >>> vt.floor(vt.asarray([1.2, -1.2]))
    Tensor([ 1., -2.], dtype=float32)
    """
    return _core.floor(x)


def trunc(x: Tensor, /) -> Tensor:
    """x without its fraction, in x's dtype. Numeric.

    >>> vt.trunc(vt.asarray([1.7, -1.7]))
    Tensor([ 1., -1.], dtype=float32)
    """
    return _core.trunc(x)


def round(x: Tensor, /) -> Tensor:
    """The nearest integer, halves to the even one, in x's dtype. Numeric.

    >>> vt.round(vt.asarray([0.5, 1.5, 2.6]))
    Tensor([0., 2., 3.], dtype=float32)
    """
    return _core.round(x)


def copysign(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 with the sign of x2, zeros and NaN included. Floating.

    >>> vt.copysign(vt.asarray([1.0, 2.0]), -1.0)
    Tensor([-1., -2.], dtype=float32)
    """
    return _core.copysign(x1, x2)


def nextafter(x1: Operand, x2: Operand, /) -> Tensor:
    """The next number after x1 towards x2 in their dtype. Floating.

    >>> vt.nextafter(vt.asarray([1.0]), 2.0) > 1
    Tensor([ True], dtype=bool)
    """
    return _core.nextafter(x1, x2)


def signbit(x: Tensor, /) -> Tensor:
    """True where the sign bit is set, of -0.0 and NaN too. Floating.

    >>> vt.signbit(vt.asarray([-0.0, 0.0]))
    Tensor([ True, False], dtype=bool)
    """
    return _core.signbit(x)


def isfinite(x: Tensor, /) -> Tensor:
    """True where x is neither infinite nor NaN. Numeric.

    >>> vt.isfinite(vt.asarray([1.0, float('inf')]))
    Tensor([ True, False], dtype=bool)
    """
    return _core.isfinite(x)


def isinf(x: Tensor, /) -> Tensor:
    """True where x is infinite. Numeric.

    >>> vt.isinf(vt.asarray([1.0, float('inf')]))
    Tensor([False,  True], dtype=bool)
    """
    return _core.isinf(x)


def isnan(x: Tensor, /) -> Tensor:
    """True where x is NaN. Numeric.

    >>> vt.isnan(vt.asarray([1.0, float('nan')]))
    Tensor([False,  True], dtype=bool)
    """
    return _core.isnan(x)


# ---- exponentials and logarithms --------------------------------------------------------------


def exp(x: Tensor, /) -> Tensor:
    """e to the power x. Floating; integers are computed in float32.

    >>> vt.exp(vt.asarray([0.0, 1.0]))
    Tensor([1.       , 2.7182817], dtype=float32)
    """
    return _core.exp(x)


def exp2(x: Tensor, /) -> Tensor:
    """2 to the power x. Floating; integers are computed in float32.

    >>> vt.exp2(vt.asarray([3.0, -1.0]))
    Tensor([8. , 0.5], dtype=float32)
    """
    return _core.exp2(x)


def expm1(x: Tensor, /) -> Tensor:
    """exp(x) - 1 without cancellation near 0. Floating.

    >>> vt.expm1(vt.asarray([0.0, 1e-7]))
    Tensor([0.0000000e+00, 1.0000001e-07], dtype=float32)
    """
    return _core.expm1(x)


def log(x: Tensor, /) -> Tensor:
    """Natural logarithm: -inf at 0, NaN below. Floating; integers are computed in float32.

    >>> vt.log(vt.asarray([1.0, 10.0]))
    Tensor([0.       , 2.3025851], dtype=float32)
    """
    return _core.log(x)


def log1p(x: Tensor, /) -> Tensor:
    """log(1 + x) without cancellation near 0: -inf at -1, NaN below. Floating.

    >>> vt.log1p(vt.asarray([0.0, 1e-7]))
    Tensor([0.0000000e+00, 9.9999994e-08], dtype=float32)
    """
    return _core.log1p(x)


def log2(x: Tensor, /) -> Tensor:
    """Logarithm to base 2, exact for powers of 2. Floating.

    >>> vt.log2(vt.asarray([8.0, 0.5]))
    Tensor([ 3., -1.], dtype=float32)
    """
    return _core.log2(x)


def log10(x: Tensor, /) -> Tensor:
    """Logarithm to base 10. Floating.

    >>> vt.log10(vt.asarray([100.0, 0.1]))
    Tensor([ 2., -1.], dtype=float32)
    """
    return _core.log10(x)


def logaddexp(x1: Operand, x2: Operand, /) -> Tensor:
    """log(exp(x1) + exp(x2)) without overflow in between. Floating.

    >>> vt.logaddexp(vt.asarray([0.0]), 0.0)
    Tensor([0.6931472], dtype=float32)
    """
    return _core.logaddexp(x1, x2)


def erf(x: Tensor, /) -> Tensor:
    """The error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x. Floating.

    >>> vt.erf(vt.asarray([0.0, 10.0]))
    Tensor([0., 1.], dtype=float32)
    """
    return _core.erf(x)


def erfc(x: Tensor, /) -> Tensor:
    """1 - erf(x) without cancellation for large x. Floating.

    >>> vt.erfc(vt.asarray([0.0]))
    Tensor([1.], dtype=float32)
    """
    return _core.erfc(x)


def lgamma(x: Tensor, /) -> Tensor:
    """Logarithm of the absolute value of the gamma function; infinite at 0, -1, -2, ... Floating.

    >>> vt.lgamma(vt.asarray([1.0, 5.0]))
    Tensor([0.       , 3.1780539], dtype=float32)
    """
    return _core.lgamma(x)


# ---- trigonometry and hyperbolics, angles in radians ------------------------------------------


def sin(x: Tensor, /) -> Tensor:
    """Sine of x in radians, reduced exactly for arguments of any size; NaN at infinity. Floating.

    >>> vt.sin(vt.asarray([0.0, 1.0]))
    Tensor([0.        , 0.84147096], dtype=float32)
    """
    return _core.sin(x)


def cos(x: Tensor, /) -> Tensor:
    """Cosine of x in radians, reduced exactly for arguments of any size; NaN at infinity.
    Floating.

    >>> vt.cos(vt.asarray([0.0, 1.0]))
    Tensor([1.       , 0.5403023], dtype=float32)
    """
    return _core.cos(x)


def tan(x: Tensor, /) -> Tensor:
    """Tangent of x in radians, reduced exactly for arguments of any size; NaN at infinity.
    Floating.

    >>> vt.tan(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 1.5574077], dtype=float32)
    """
    return _core.tan(x)


def asin(x: Tensor, /) -> Tensor:
    """Inverse sine in radians, in [-pi/2, pi/2]; NaN outside [-1, 1]. Floating.

    >>> vt.asin(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 1.5707964], dtype=float32)
    """
    return _core.asin(x)


def acos(x: Tensor, /) -> Tensor:
    """Inverse cosine in radians, in [0, pi]; NaN outside [-1, 1]. Floating.

    >>> vt.acos(vt.asarray([1.0, 0.0]))
    Tensor([0.       , 1.5707964], dtype=float32)
    """
    return _core.acos(x)


def atan(x: Tensor, /) -> Tensor:
    """Inverse tangent in radians, in [-pi/2, pi/2]. Floating.

    >>> vt.atan(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 0.7853982], dtype=float32)
    """
    return _core.atan(x)


def atan2(x1: Operand, x2: Operand, /) -> Tensor:
    """The angle of the point (x2, x1) in radians, in [-pi, pi], with C99's signed zeros. Floating.

    >>> vt.atan2(vt.asarray([1.0, -1.0]), -1.0)
    Tensor([ 2.3561945, -2.3561945], dtype=float32)
    """
    return _core.atan2(x1, x2)


def sinh(x: Tensor, /) -> Tensor:
    """Hyperbolic sine. Floating.

    >>> vt.sinh(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 1.1752012], dtype=float32)
    """
    return _core.sinh(x)


def cosh(x: Tensor, /) -> Tensor:
    """Hyperbolic cosine. Floating.

    >>> vt.cosh(vt.asarray([0.0, 1.0]))
    Tensor([1.       , 1.5430806], dtype=float32)
    """
    return _core.cosh(x)


def tanh(x: Tensor, /) -> Tensor:
    """Hyperbolic tangent. Floating.

    >>> vt.tanh(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 0.7615942], dtype=float32)
    """
    return _core.tanh(x)


def asinh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic sine. Floating.

    >>> vt.asinh(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 0.8813736], dtype=float32)
    """
    return _core.asinh(x)


def acosh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic cosine; NaN below 1. Floating.

    >>> vt.acosh(vt.asarray([1.0, 2.0]))
    Tensor([0.      , 1.316958], dtype=float32)
    """
    return _core.acosh(x)


def atanh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic tangent: infinite at -1 and 1, NaN beyond. Floating.

    >>> vt.atanh(vt.asarray([0.0, 0.5]))
    Tensor([0.        , 0.54930615], dtype=float32)
    """
    return _core.atanh(x)


# ---- comparison and logic: the result is bool -------------------------------------------------


def equal(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 == x2, broadcast, after promotion. Any dtype.

    >>> vt.equal(vt.asarray([1, 2]), 2)
    Tensor([False,  True], dtype=bool)
    """
    return _core.equal(x1, x2)


def not_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 != x2, broadcast, after promotion. Any dtype.

    >>> vt.not_equal(vt.asarray([1, 2]), 2)
    Tensor([ True, False], dtype=bool)
    """
    return _core.not_equal(x1, x2)


def less(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 < x2, broadcast, after promotion. Any real dtype.

    >>> vt.less(vt.asarray([1, 2]), 2)
    Tensor([ True, False], dtype=bool)
    """
    return _core.less(x1, x2)


def less_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 <= x2, broadcast, after promotion. Any real dtype.

    >>> vt.less_equal(vt.asarray([1, 2]), 2)
    Tensor([ True,  True], dtype=bool)
    """
    return _core.less_equal(x1, x2)


def greater(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 > x2, broadcast, after promotion. Any real dtype.

    >>> vt.greater(vt.asarray([1, 2]), 1)
    Tensor([False,  True], dtype=bool)
    """
    return _core.greater(x1, x2)


def greater_equal(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 >= x2, broadcast, after promotion. Any real dtype.

    >>> vt.greater_equal(vt.asarray([1, 2]), 2)
    Tensor([False,  True], dtype=bool)
    """
    return _core.greater_equal(x1, x2)


def logical_and(x1: Operand, x2: Operand, /) -> Tensor:
    """True where both are true (not zero). Any dtype.

    >>> vt.logical_and(vt.asarray([True, False]), True)
    Tensor([ True, False], dtype=bool)
    """
    return _core.logical_and(x1, x2)


def logical_or(x1: Operand, x2: Operand, /) -> Tensor:
    """True where either is true (not zero). Any dtype.

    >>> vt.logical_or(vt.asarray([True, False]), False)
    Tensor([ True, False], dtype=bool)
    """
    return _core.logical_or(x1, x2)


def logical_xor(x1: Operand, x2: Operand, /) -> Tensor:
    """True where exactly one is true (not zero). Any dtype.

    >>> vt.logical_xor(vt.asarray([True, False]), True)
    Tensor([False,  True], dtype=bool)
    """
    return _core.logical_xor(x1, x2)


def logical_not(x: Tensor, /) -> Tensor:
    """True where x is false (zero). Any dtype.

    >>> vt.logical_not(vt.asarray([True, False]))
    Tensor([False,  True], dtype=bool)
    """
    return _core.logical_not(x)


# ---- complex parts ----------------------------------------------------------------------------


def conj(x: Tensor, /) -> Tensor:
    """Complex conjugate. Numeric; real `x` unchanged.

    >>> vt.conj(vt.asarray([1 + 2j]))
    Tensor([1.-2.j], dtype=complex64)
    """
    return _core.conj(x)


def real(x: Tensor, /) -> Tensor:
    """Real parts, float32 for complex64 and float64 for complex128; real `x` unchanged.

    >>> vt.real(vt.asarray([1 + 2j]))
    Tensor([1.], dtype=float32)
    """
    return _core.real(x)


def imag(x: Tensor, /) -> Tensor:
    """Imaginary parts, float32 for complex64 and float64 for complex128; zeros for real `x`.

    >>> vt.imag(vt.asarray([1 + 2j]))
    Tensor([2.], dtype=float32)
    """
    return _core.imag(x)


# ---- bits -------------------------------------------------------------------------------------


def bitwise_and(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits set in both. Integers and bool.

    >>> vt.bitwise_and(vt.asarray([6, 5]), 3)
    Tensor([2, 1], dtype=int64)
    """
    return _core.bitwise_and(x1, x2)


def bitwise_or(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits set in either. Integers and bool.

    >>> vt.bitwise_or(vt.asarray([6, 5]), 3)
    Tensor([7, 7], dtype=int64)
    """
    return _core.bitwise_or(x1, x2)


def bitwise_xor(x1: Operand, x2: Operand, /) -> Tensor:
    """Bits set in exactly one. Integers and bool.

    >>> vt.bitwise_xor(vt.asarray([6, 5]), 3)
    Tensor([5, 6], dtype=int64)
    """
    return _core.bitwise_xor(x1, x2)


def bitwise_invert(x: Tensor, /) -> Tensor:
    """Every bit flipped; logical not of bool. Integers and bool.

    >>> vt.bitwise_invert(vt.asarray([0, 5]))
    Tensor([-1, -6], dtype=int64)
    """
    return _core.bitwise_invert(x)


def bitwise_left_shift(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 shifted left by x2 bits; 0 where x2 is negative or not below the width. Integers.

    >>> vt.bitwise_left_shift(vt.asarray([1, 3]), 2)
    Tensor([ 4, 12], dtype=int64)
    """
    return _core.bitwise_left_shift(x1, x2)


def bitwise_right_shift(x1: Operand, x2: Operand, /) -> Tensor:
    """x1 shifted right by x2 bits, keeping the sign; 0 or -1 where x2 is negative or not below the
    width. Integers.

    >>> vt.bitwise_right_shift(vt.asarray([8, -8]), 2)
    Tensor([ 2, -2], dtype=int64)
    """
    return _core.bitwise_right_shift(x1, x2)


# ---- choice -------------------------------------------------------------------------------------


def clip(x: Tensor, /, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """`x` limited to [min, max], broadcast; either bound may be missing.

    Any real dtype; the result has `x`'s dtype where the bounds are scalars. NaN propagates.

    >>> vt.clip(vt.asarray([-1, 5, 2]), 0, 3)
    Tensor([0, 3, 2], dtype=int64)
    """
    if min is None:
        return _core.positive(x) if max is None else _core.minimum(x, max)
    return _core.maximum(x, min) if max is None else _core.clip(x, min, max)


def where(condition: Tensor, x1: Operand, x2: Operand, /) -> Tensor:
    """Elements of `x1` where `condition` is true, of `x2` elsewhere, broadcast.

    `condition` is bool (TypeError); `x1` and `x2` of any dtype are promoted.

    >>> vt.where(vt.asarray([True, False]), vt.asarray([1, 2]), 0)
    Tensor([1, 0], dtype=int64)
    """
    return _core.where(condition, x1, x2)


# Every function above is public: a new op is not listed a second time. Set through globals(),
# because type checkers take an assigned __all__ that is no literal for an empty one.
globals()["__all__"] = [
    name for name, item in list(globals().items()) if getattr(item, "__module__", None) == __name__
]
