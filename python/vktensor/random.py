"""Random numbers, computed on the device: `vt.random.default_rng(seed)`.

Streams are counted: value i depends on the seed and on i alone, so results are the same whatever
the device, the launch or the number of threads (real distributions within the accuracy of log,
sqrt, sin and cos; bits, integers and `random` exactly). The cipher is Philox 4x32-10 [1]_; NumPy's
Philox is another, of 64-bit words, so the numbers differ from NumPy's.

.. [1] J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.exceptions import AxisError

from vktensor import _core, elementwise, manipulation, searching, sorting, statistics
from vktensor._checks import broadcasts_to, check_integer, check_integers, check_tensors
from vktensor._core import Device, Tensor
from vktensor._typing import DeviceLike, DTypeLike, RealOperand
from vktensor.creation import asarray

__all__ = ["Generator", "default_rng"]

Size = int | tuple[int, ...] | None


def _shape(op: str, size: Size, *operands: Any) -> tuple[int, ...]:
    """The shape asked for; by default that of the broadcast parameters, which must not be more."""
    shapes = [getattr(x, "shape", ()) for x in operands]
    if size is None:
        return np.broadcast_shapes(*shapes)
    wanted = check_integers(op, "size", size)
    if not all(broadcasts_to(shape, wanted) for shape in shapes):
        raise ValueError(f"{op}: expected a size that {shapes} broadcast to, got {wanted}")
    return wanted


def _number(x: Any) -> bool:
    """Whether `x` is a Python or NumPy scalar."""
    return np.ndim(x) == 0 and not isinstance(x, Tensor)


class Generator:
    """Stream of random numbers on one device; made by `vt.random.default_rng`.

    Methods take NumPy's names and defaults, but that real numbers are float32 unless `dtype` says
    float64, float16 or bfloat16. Copies and pickles begin with the same `state`, on the same kind
    of device. Methods may be called from several threads.

    Parameters
    ----------
    seed : numpy.random.SeedSequence
        Gives the key and the start of the stream.
    device : Device, int, str or None, optional
        The default device for None.

    Examples
    --------
    >>> rng = vt.random.default_rng(1)
    >>> rng.normal(size=(2, 3)).dtype
    dtype('float32')
    """

    def __init__(self, seed: np.random.SeedSequence, device: DeviceLike = None) -> None:
        low_key, high_key, low, high = (int(word) for word in seed.generate_state(4, np.uint32))
        self._seed = seed
        self._device = device
        self._lock = threading.Lock()
        self._key = low_key | high_key << 32
        # The upper half of the last word counts draws that were thrown away.
        self._stream = low | (high & 0xFFFF) << 32
        self._block = 0

    def __reduce__(self) -> tuple[Any, ...]:
        device = self._device.uuid if isinstance(self._device, Device) else self._device
        return Generator, (self._seed, device), self.state

    def __setstate__(self, state: dict[str, int]) -> None:
        self.state = state

    @property
    def state(self) -> dict[str, int]:
        """Key and stream, 64 bits each, and the next block of four 32-bit words; may be set."""
        return {"key": self._key, "stream": self._stream, "block": self._block}

    @state.setter
    def state(self, value: dict[str, int]) -> None:
        key, stream, block = (int(value[name]) for name in ("key", "stream", "block"))
        if not all(0 <= x < 1 << 64 for x in (key, stream, block)):
            raise ValueError("state: key, stream and block have 64 bits each")
        with self._lock:
            self._key, self._stream, self._block = key, stream, block

    def spawn(self, n_children: int) -> list[Generator]:
        """Makes generators whose streams are independent of this one and of each other.

        Parameters
        ----------
        n_children : int
            How many.

        Returns
        -------
        list of Generator
            On the same device.

        Examples
        --------
        >>> len(vt.random.default_rng(1).spawn(2))
        2
        """
        return [Generator(child, self._device) for child in self._seed.spawn(n_children)]

    def _draw(
        self, kind: str, shape: tuple[int, ...], dtype: Any, first: float, second: float
    ) -> Tensor:
        with self._lock:
            position = (self._key, self._stream, self._block)
            values, n_blocks = _core.random(
                kind, position, shape, dtype, self._device, first, second
            )
            self._block = (self._block + n_blocks) % (1 << 64)
        return values

    def _real(self, kind: str, shape: tuple[int, ...], dtype: Any, loc: Any, scale: Any) -> Tensor:
        """loc + scale * values; numbers go into the kernel, tensors into the expression."""
        dtype = np.dtype("float32") if dtype is None else asarray(0, dtype=dtype).dtype
        if dtype.kind != "f" and dtype.name != "bfloat16":
            raise TypeError(f"random: expected a real floating dtype, got {dtype}")
        wide = dtype if dtype.itemsize >= 4 else np.dtype("float32")
        if _number(loc) and _number(scale):
            values = self._draw(kind, shape, wide, float(loc), float(scale))
        else:
            values = self._draw(kind, shape, wide, 0.0, 1.0) * scale + loc
        return values if values.dtype == dtype else _core.astype(values, dtype, False)

    # ---- real numbers -------------------------------------------------------------------------

    def random(self, size: Size = None, dtype: DTypeLike | None = None) -> Tensor:
        """Uniform numbers over [0, 1).

        Parameters
        ----------
        size : int, tuple of int or None, optional
            The shape; one number without dimensions for None.
        dtype : dtype, optional
            By default float32; float64, float16 or bfloat16.

        Returns
        -------
        Tensor
            Of shape `size`, of all the bits the dtype has there: 24 of float32, 53 of float64, 11
            of float16, 8 of bfloat16.

        Raises
        ------
        TypeError
            Another dtype.

        Examples
        --------
        >>> vt.random.default_rng(1).random(3).shape
        (3,)
        """
        wanted = np.dtype("float32") if dtype is None else asarray(0, dtype=dtype).dtype
        if wanted.itemsize == 2 and (wanted.kind == "f" or wanted.name == "bfloat16"):
            # Rounding a float32 could give 1: as many bits as fit, exactly.
            bits = 11 if wanted.kind == "f" else 8
            words = self._draw("bits", _shape("random", size), "uint32", 0, 0)
            whole = elementwise.bitwise_right_shift(words, 32 - bits)
            return _core.astype(whole * 2.0**-bits, wanted, False)
        return self._real("uniform", _shape("random", size), wanted, 0.0, 1.0)

    def uniform(
        self,
        low: RealOperand = 0.0,
        high: RealOperand = 1.0,
        size: Size = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Uniform numbers over [low, high): low + (high - low) * u with u over [0, 1).

        Parameters
        ----------
        low, high : Tensor or scalar, optional
            The ends.
        size : int, tuple of int or None, optional
            The shape; for None that of the parameters, broadcast.
        dtype : dtype, optional
            By default float32; float64, float16 or bfloat16.

        Returns
        -------
        Tensor
            Of shape `size` and `dtype`.

        Raises
        ------
        TypeError
            Another dtype.
        ValueError
            A number `low` above `high`, or shapes that do not broadcast.

        Examples
        --------
        >>> vt.random.default_rng(1).uniform(-1, 1, size=3).shape
        (3,)
        """
        if _number(low) and _number(high) and not low <= high:
            raise ValueError(f"uniform: expected low <= high, got {low} and {high}")
        low, high = self._operand(low), self._operand(high)
        return self._real("uniform", _shape("uniform", size, low, high), dtype, low, high - low)

    def standard_normal(self, size: Size = None, dtype: DTypeLike | None = None) -> Tensor:
        """Normal numbers of mean 0 and variance 1, by Box and Muller (1958).

        Parameters
        ----------
        size : int, tuple of int or None, optional
            The shape; one number without dimensions for None.
        dtype : dtype, optional
            By default float32; float64, float16 or bfloat16.

        Returns
        -------
        Tensor
            Of shape `size` and `dtype`.

        Raises
        ------
        TypeError
            Another dtype.

        Examples
        --------
        >>> vt.random.default_rng(1).standard_normal(3).shape
        (3,)
        """
        return self._real("normal", _shape("standard_normal", size), dtype, 0.0, 1.0)

    def normal(
        self,
        loc: RealOperand = 0.0,
        scale: RealOperand = 1.0,
        size: Size = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Normal numbers, by Box and Muller (1958).

        Parameters
        ----------
        loc : Tensor or scalar, optional
            The mean.
        scale : Tensor or scalar, optional
            The standard deviation.
        size : int, tuple of int or None, optional
            The shape; for None that of the parameters, broadcast.
        dtype : dtype, optional
            By default float32; float64, float16 or bfloat16.

        Returns
        -------
        Tensor
            Of shape `size` and `dtype`.

        Raises
        ------
        TypeError
            Another dtype.
        ValueError
            A negative number `scale`, or shapes that do not broadcast.

        Examples
        --------
        >>> x = vt.random.default_rng(1).normal(10, 2, size=10_000)
        >>> round(float(vt.mean(x)), 1), round(float(vt.std(x)), 1)
        (10.0, 2.0)
        """
        if _number(scale) and not scale >= 0:
            raise ValueError(f"normal: expected scale >= 0, got {scale}")
        loc, scale = self._operand(loc), self._operand(scale)
        return self._real("normal", _shape("normal", size, loc, scale), dtype, loc, scale)

    def standard_exponential(self, size: Size = None, dtype: DTypeLike | None = None) -> Tensor:
        """Exponential numbers of mean 1.

        Parameters
        ----------
        size : int, tuple of int or None, optional
            The shape; one number without dimensions for None.
        dtype : dtype, optional
            By default float32; float64, float16 or bfloat16.

        Returns
        -------
        Tensor
            Of shape `size` and `dtype`.

        Raises
        ------
        TypeError
            Another dtype.

        Examples
        --------
        >>> vt.random.default_rng(1).standard_exponential(3).shape
        (3,)
        """
        shape = _shape("standard_exponential", size)
        return self._real("exponential", shape, dtype, 0.0, 1.0)

    def exponential(
        self, scale: RealOperand = 1.0, size: Size = None, dtype: DTypeLike | None = None
    ) -> Tensor:
        """Exponential numbers.

        Parameters
        ----------
        scale : Tensor or scalar, optional
            The mean.
        size : int, tuple of int or None, optional
            The shape; for None that of the parameters, broadcast.
        dtype : dtype, optional
            By default float32; float64, float16 or bfloat16.

        Returns
        -------
        Tensor
            Of shape `size` and `dtype`.

        Raises
        ------
        TypeError
            Another dtype.
        ValueError
            A negative number `scale`, or shapes that do not broadcast.

        Examples
        --------
        >>> vt.random.default_rng(1).exponential(2.0, size=3).shape
        (3,)
        """
        if _number(scale) and not scale >= 0:
            raise ValueError(f"exponential: expected scale >= 0, got {scale}")
        scale = self._operand(scale)
        return self._real("exponential", _shape("exponential", size, scale), dtype, 0.0, scale)

    # ---- integers -----------------------------------------------------------------------------

    def integers(
        self,
        low: int,
        high: int | None = None,
        size: Size = None,
        dtype: DTypeLike = "int64",
        endpoint: bool = False,
    ) -> Tensor:
        """Uniform integers, without bias [1]_.

        Parameters
        ----------
        low : int
            The smallest, or, where `high` is None, the end of those from 0.
        high : int or None, optional
            Where they end, itself excluded.
        size : int, tuple of int or None, optional
            The shape; one number without dimensions for None.
        dtype : dtype, optional
            Any integer dtype, or bool.
        endpoint : bool, optional
            True takes the end in.

        Returns
        -------
        Tensor
            Of shape `size` and `dtype`.

        Raises
        ------
        TypeError
            Another dtype.
        ValueError
            An interval that is empty or does not fit the dtype.

        References
        ----------
        .. [1] D. Lemire: Fast random integer generation in an interval. 2019.

        Examples
        --------
        >>> x = vt.random.default_rng(1).integers(3, 6, size=1000)
        >>> int(vt.min(x)), int(vt.max(x))
        (3, 5)
        """
        wanted = asarray(0, dtype=dtype).dtype
        for bound in (low, high):
            if bound is not None and np.ndim(bound):
                kind = type(bound).__name__
                raise TypeError(f"integers: expected numbers as bounds, got {kind}")
        if wanted.kind not in "iub":
            raise TypeError(f"integers: expected an integer dtype or bool, got {wanted}")
        first, last = (0, int(low)) if high is None else (int(low), int(high))
        last -= not endpoint
        least, most = (0, 1) if wanted.kind == "b" else _limits(wanted)
        if first > last:
            raise ValueError(f"integers: expected low < high, got {first} and {last + 1}")
        if first < least or last > most:
            raise ValueError(f"integers: [{first}, {last}] does not fit {wanted}")
        wide = np.dtype("uint64" if wanted.kind == "u" and wanted.itemsize == 8 else "int64")
        if wanted.itemsize <= 4:
            wide = np.dtype("uint32" if wanted.kind == "u" else "int32")
        n_values = last - first + 1
        # The kernel adds in 64 bits that wrap around.
        start = first - (1 << 64) if first >= 1 << 63 else first
        range_ = 0 if n_values == 1 << (8 * wide.itemsize) else n_values
        values = self._draw("integers", _shape("integers", size), wide, start, range_)
        return values if wide == wanted else _core.astype(values, wanted, False)

    def bytes(self, length: int) -> bytes:
        """Random bytes, read back from the device.

        Parameters
        ----------
        length : int
            How many.

        Returns
        -------
        bytes
            On the host.

        Examples
        --------
        >>> len(vt.random.default_rng(1).bytes(5))
        5
        """
        if length < 0:
            raise ValueError(f"bytes: expected a length of at least 0, got {length}")
        words = self._draw("bits", (-(-length // 4),), "uint32", 0, 0)
        return np.asarray(words).tobytes()[:length]

    # ---- orders -------------------------------------------------------------------------------

    def _order(self, n: int) -> Tensor:
        """The numbers below n in random order: sorted by 64 random bits each, ties by number."""
        return sorting.argsort(self._draw("bits", (n,), "uint64", 0, 0))

    def permutation(self, x: int | Tensor | Any, axis: int = 0) -> Tensor:
        """Slices of a tensor, or the numbers below an integer, in random order.

        Parameters
        ----------
        x : int, Tensor or array_like
            What is put in order: range(x) for an int.
        axis : int, optional
            Along which axis of a Tensor.

        Returns
        -------
        Tensor
            A copy; int64 for an int.

        Raises
        ------
        ValueError
            A negative number, or an axis that is out of bounds.

        Examples
        --------
        >>> x = vt.random.default_rng(1).permutation(5)
        >>> vt.sort(x)
        Tensor([0, 1, 2, 3, 4], dtype=int64)
        """
        if isinstance(x, (int, np.integer)):
            if x < 0:
                raise ValueError(f"permutation: expected a number of at least 0, got {x}")
            return self._order(int(x))
        if not isinstance(x, Tensor):
            if not np.ndim(x):
                kind = type(x).__name__
                raise TypeError(f"permutation: expected an integer or a tensor, got {kind}")
            x = asarray(x, device=self._device)
        if not -x.ndim <= axis < x.ndim:
            raise AxisError(f"permutation: axis {axis} is out of bounds for {x.ndim} dimensions")
        return manipulation.take(x, self._order(x.shape[axis]), axis=axis)

    def shuffle(self, x: Tensor, axis: int = 0) -> None:
        """Brings the slices of a tensor into random order, in place.

        Parameters
        ----------
        x : Tensor
            Of any dtype and at least one dimension.
        axis : int, optional
            Along which axis.

        Raises
        ------
        ValueError
            An axis that is out of bounds, or a read-only Tensor.

        Examples
        --------
        >>> x = vt.arange(5)
        >>> vt.random.default_rng(1).shuffle(x)
        >>> vt.sort(x)
        Tensor([0, 1, 2, 3, 4], dtype=int64)
        """
        check_tensors("shuffle", x)
        _core.assign(x, self.permutation(x, axis))

    def choice(
        self,
        a: int | Tensor | Any,
        size: Size = None,
        replace: bool = True,
        p: Tensor | Any | None = None,
    ) -> Tensor:
        """Elements drawn at random.

        Parameters
        ----------
        a : int, Tensor or array_like
            Of one dimension; range(a) for an int.
        size : int, tuple of int or None, optional
            The shape; one number without dimensions for None.
        replace : bool, optional
            False draws no element twice.
        p : Tensor or None, optional
            Their probabilities, which sum to 1; all alike for None. Without replacement they are
            those of one draw after the other, among the elements that are left [1]_.

        Returns
        -------
        Tensor
            Of shape `size` and the dtype of `a`; int64 for an int.

        Raises
        ------
        ValueError
            An empty `a`, a `p` of another length or sum, or more draws without replacement than
            there are elements of positive probability.

        References
        ----------
        .. [1] P. Efraimidis, P. Spirakis: Weighted random sampling with a reservoir. 2006.

        Examples
        --------
        >>> x = vt.random.default_rng(1).choice(5, size=5, replace=False)
        >>> vt.sort(x)
        Tensor([0, 1, 2, 3, 4], dtype=int64)
        """
        if not isinstance(a, (int, Tensor)):
            a = asarray(a, device=self._device) if np.ndim(a) else check_integer("choice", "a", a)
        n = a if isinstance(a, int) else a.shape[0] if a.ndim == 1 else 0
        if n < 1:
            raise ValueError(f"choice: expected a positive int or a 1-d tensor, got {a!r}")
        weights = None if p is None else self._weights(p)
        edges = None if weights is None else statistics.cumulative_sum(weights)
        if edges is not None and not (
            edges.shape == (n,) and math.isclose(float(edges[-1]), 1.0, abs_tol=1e-4)
        ):
            raise ValueError(f"choice: expected {n} probabilities with sum 1")
        if weights is not None and float(_core.reduce("min", weights)) < 0:
            raise ValueError("choice: expected probabilities of at least 0")
        if not replace:
            places = self._choose(n, _shape("choice", size), weights)
        elif edges is None:
            places = self.integers(0, n, size)
        else:
            u = self.random(size, edges.dtype) * edges[-1]
            places = searching.searchsorted(edges, u, side="right")
        if isinstance(a, int):
            return places
        flat = manipulation.reshape(places, (-1,))
        return manipulation.reshape(manipulation.take(a, flat, axis=0), places.shape)

    def _operand(self, x: Any) -> Any:
        """A parameter: a tensor or a number as it is, sequences and arrays as tensors."""
        return x if isinstance(x, Tensor) or not np.ndim(x) else self._weights(x)

    def _weights(self, p: Any) -> Tensor:
        """A floating tensor; of float32 for NumPy's float64 where the device has none."""
        if not isinstance(p, Tensor):
            p = np.asarray(p, None if isinstance(p, np.ndarray) else np.float32)
            device = _core.default_device() if self._device is None else self._device
            if p.dtype == np.float64 and not _core.device_at(device).features["float64"]:
                p = p.astype(np.float32)
        weights = asarray(p, device=None if isinstance(p, Tensor) else self._device)
        return weights.astype(np.float32) if weights.dtype.kind in "biu" else weights

    def _choose(self, n: int, shape: tuple[int, ...], weights: Tensor | None) -> Tensor:
        """Different numbers below n: those whose clocks of rate `weights` ring first."""
        count = math.prod(shape)
        most = n if weights is None else int(statistics.count_nonzero(weights))
        if count > most:
            raise ValueError(f"choice: expected at most {most} draws without replacement")
        if weights is None:
            order = self._order(n)
        else:
            order = sorting.argsort(self.standard_exponential(n, weights.dtype) / weights)
        return manipulation.reshape(order[:count], shape)


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def default_rng(
    seed: int | list[int] | np.random.SeedSequence | Generator | None = None,
    device: DeviceLike = None,
) -> Generator:
    """Makes a generator of random numbers; the same seed gives the same numbers anywhere.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence, Generator or None, optional
        None takes entropy from the operating system; a Generator is given back as it is.
    device : Device, int, str or None, optional
        The default device for None.

    Returns
    -------
    Generator
        On `device`.

    Raises
    ------
    ValueError
        A negative seed.

    Examples
    --------
    >>> a = vt.random.default_rng(7).integers(0, 100, size=4)
    >>> b = vt.random.default_rng(7).integers(0, 100, size=4)
    >>> vt.all(a == b)
    Tensor(True, dtype=bool)
    """
    if isinstance(seed, Generator):
        return seed
    if not isinstance(seed, np.random.SeedSequence):
        seed = np.random.SeedSequence(seed)
    return Generator(seed, device)
