"""Elementwise functions that are more than arithmetic: exponentials, logarithms, angles and special
functions. As `elementwise`, which has them too."""

from __future__ import annotations

from vktensor import _core
from vktensor._core import Tensor
from vktensor._typing import Operand

# ---- exponentials and logarithms --------------------------------------------------------------


def exp(x: Tensor, /) -> Tensor:
    """Exponential, e to the power x.

    The argument is reduced after Cody and Waite (1980).

    >>> vt.exp(vt.asarray([0.0, 1.0]))
    Tensor([1.       , 2.7182817], dtype=float32)
    """
    return _core.exp(x)


def exp2(x: Tensor, /) -> Tensor:
    """Power of two, 2 to the power x.

    Exact for integers.

    >>> vt.exp2(vt.asarray([3.0, -1.0]))
    Tensor([8. , 0.5], dtype=float32)
    """
    return _core.exp2(x)


def expm1(x: Tensor, /) -> Tensor:
    """Exponential less one, exp(x) - 1, without cancellation near 0.

    The argument is reduced after Cody and Waite (1980).

    >>> vt.expm1(vt.asarray([0.0, 1e-7]))
    Tensor([0.0000000e+00, 1.0000001e-07], dtype=float32)
    """
    return _core.expm1(x)


def log(x: Tensor, /) -> Tensor:
    """Natural logarithm: -inf at 0, NaN below.

    The form is that of fdlibm (Sun 1993); of a complex element the imaginary part is in [-pi, pi].

    >>> vt.log(vt.asarray([1.0, 10.0]))
    Tensor([0.       , 2.3025851], dtype=float32)
    """
    return _core.log(x)


def log1p(x: Tensor, /) -> Tensor:
    """Logarithm log(1 + x), without cancellation near 0: -inf at -1, NaN below.

    >>> vt.log1p(vt.asarray([0.0, 1e-7]))
    Tensor([0.0000000e+00, 9.9999994e-08], dtype=float32)
    """
    return _core.log1p(x)


def log2(x: Tensor, /) -> Tensor:
    """Logarithm to base 2: -inf at 0, NaN below.

    Exact for powers of 2.

    >>> vt.log2(vt.asarray([8.0, 0.5]))
    Tensor([ 3., -1.], dtype=float32)
    """
    return _core.log2(x)


def log10(x: Tensor, /) -> Tensor:
    """Logarithm to base 10: -inf at 0, NaN below.

    >>> vt.log10(vt.asarray([100.0, 0.1]))
    Tensor([ 2., -1.], dtype=float32)
    """
    return _core.log10(x)


def logaddexp(x1: Operand, x2: Operand, /) -> Tensor:
    """Logarithm of a sum, log(exp(x1) + exp(x2)), without overflow in between.

    >>> vt.logaddexp(vt.asarray([0.0]), 0.0)
    Tensor([0.6931472], dtype=float32)
    """
    return _core.logaddexp(x1, x2)


def erf(x: Tensor, /) -> Tensor:
    """Error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x.

    >>> vt.erf(vt.asarray([0.0, 10.0]))
    Tensor([0., 1.], dtype=float32)
    """
    return _core.erf(x)


def erfc(x: Tensor, /) -> Tensor:
    """Complement of the error function, 1 - erf(x), without cancellation for large x.

    Beyond 1/2 a polynomial after Shepherd and Laframboise (1981).

    >>> vt.erfc(vt.asarray([0.0]))
    Tensor([1.], dtype=float32)
    """
    return _core.erfc(x)


def lgamma(x: Tensor, /) -> Tensor:
    """Logarithm of the absolute value of the gamma function.

    inf at 0, -1, -2, ...; Stirling's series beyond 8.

    >>> vt.lgamma(vt.asarray([1.0, 5.0]))
    Tensor([0.       , 3.1780539], dtype=float32)
    """
    return _core.lgamma(x)


# ---- trigonometry and hyperbolics, angles in radians ------------------------------------------


def sin(x: Tensor, /) -> Tensor:
    """Sine of x in radians; NaN at infinity.

    Arguments of any size are reduced exactly: after Cody and Waite (1980), large ones after Payne
    and Hanek (1983).

    >>> vt.sin(vt.asarray([0.0, 1.0]))
    Tensor([0.        , 0.84147096], dtype=float32)
    """
    return _core.sin(x)


def cos(x: Tensor, /) -> Tensor:
    """Cosine of x in radians; NaN at infinity.

    Arguments of any size are reduced exactly: after Cody and Waite (1980), large ones after Payne
    and Hanek (1983).

    >>> vt.cos(vt.asarray([0.0, 1.0]))
    Tensor([1.       , 0.5403023], dtype=float32)
    """
    return _core.cos(x)


def tan(x: Tensor, /) -> Tensor:
    """Tangent of x in radians; NaN at infinity.

    Arguments of any size are reduced exactly: after Cody and Waite (1980), large ones after Payne
    and Hanek (1983).

    >>> vt.tan(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 1.5574077], dtype=float32)
    """
    return _core.tan(x)


def asin(x: Tensor, /) -> Tensor:
    """Inverse sine in radians, in [-pi/2, pi/2]; NaN outside [-1, 1].

    The branch cuts of complex elements are those of Kahan (1987).

    >>> vt.asin(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 1.5707964], dtype=float32)
    """
    return _core.asin(x)


def acos(x: Tensor, /) -> Tensor:
    """Inverse cosine in radians, in [0, pi]; NaN outside [-1, 1].

    The branch cuts of complex elements are those of Kahan (1987).

    >>> vt.acos(vt.asarray([1.0, 0.0]))
    Tensor([0.       , 1.5707964], dtype=float32)
    """
    return _core.acos(x)


def atan(x: Tensor, /) -> Tensor:
    """Inverse tangent in radians, in [-pi/2, pi/2].

    The branch cuts of complex elements are those of Kahan (1987).

    >>> vt.atan(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 0.7853982], dtype=float32)
    """
    return _core.atan(x)


def atan2(x1: Operand, x2: Operand, /) -> Tensor:
    """Angle of the point (x2, x1) in radians, in [-pi, pi], with C99's signed zeros.

    >>> vt.atan2(vt.asarray([1.0, -1.0]), -1.0)
    Tensor([ 2.3561945, -2.3561945], dtype=float32)
    """
    return _core.atan2(x1, x2)


def sinh(x: Tensor, /) -> Tensor:
    """Hyperbolic sine.

    >>> vt.sinh(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 1.1752012], dtype=float32)
    """
    return _core.sinh(x)


def cosh(x: Tensor, /) -> Tensor:
    """Hyperbolic cosine.

    >>> vt.cosh(vt.asarray([0.0, 1.0]))
    Tensor([1.       , 1.5430806], dtype=float32)
    """
    return _core.cosh(x)


def tanh(x: Tensor, /) -> Tensor:
    """Hyperbolic tangent.

    >>> vt.tanh(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 0.7615942], dtype=float32)
    """
    return _core.tanh(x)


def asinh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic sine.

    The branch cuts of complex elements are those of Kahan (1987).

    >>> vt.asinh(vt.asarray([0.0, 1.0]))
    Tensor([0.       , 0.8813736], dtype=float32)
    """
    return _core.asinh(x)


def acosh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic cosine; NaN below 1.

    The branch cuts of complex elements are those of Kahan (1987).

    >>> vt.acosh(vt.asarray([1.0, 2.0]))
    Tensor([0.      , 1.316958], dtype=float32)
    """
    return _core.acosh(x)


def atanh(x: Tensor, /) -> Tensor:
    """Inverse hyperbolic tangent: infinite at -1 and 1, NaN beyond.

    The branch cuts of complex elements are those of Kahan (1987).

    >>> vt.atanh(vt.asarray([0.0, 0.5]))
    Tensor([0.        , 0.54930615], dtype=float32)
    """
    return _core.atanh(x)
