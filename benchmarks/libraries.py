"""Array libraries behind one interface: vktensor, NumPy; PyTorch, CuPy, JAX where installed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import vktensor as vt
from method import Batch

Array = Any


class Library:
    """How a library makes arrays, starts work and waits. This one is NumPy."""

    name = "numpy"

    def __init__(self) -> None:
        self.xp = importlib.import_module(self.name)

    @property
    def version(self) -> str:
        """The package's version."""
        return str(self.xp.__version__)

    def put(self, array: np.ndarray) -> Array:
        """A copy of `array` on the library's device."""
        return array.copy()

    def fetch(self, x: Array) -> np.ndarray:
        """`x` as a new NumPy array, or as a view where that is how NumPy gets it."""
        return x.copy()

    def fetch_into(self, x: Array, out: np.ndarray) -> None:
        """`x` copied into a NumPy array."""
        np.copyto(out, x)

    def pinned(self, array: np.ndarray) -> Any | None:
        """`array` in memory the device reads at full speed, or None where there is no such."""
        return None

    def put_pinned(self, host: Any) -> Array:
        """What `pinned` gave, copied to the device."""
        raise NotImplementedError

    def load(self, path: str) -> Array:
        """The array in a .npy file, on the device."""
        return self.put(np.load(path))

    def save(self, path: str, x: Array) -> None:
        """Writes `x` to a .npy file."""
        np.save(path, self.fetch(x))

    def start(self, result: Array) -> None:
        """Makes sure that the work behind `result` is under way."""

    def wait(self, result: Array | None = None) -> None:
        """Returns when all work, or at least that behind `result`, is finished."""

    def trim(self) -> None:
        """Gives cached device memory back."""

    def pipelined(self, call: Callable[[], Array]) -> Batch:
        """Calls without a wait between them, ended by one; each result is dropped before the next
        call, so that consecutive ones write the same memory and cannot overlap."""

        def batch(count: int) -> float:
            self.wait()
            began = time.perf_counter()
            for i in range(count):
                result = call()
                self.start(result)
                if i + 1 < count:
                    del result
            self.wait(result)
            return (time.perf_counter() - began) / count

        return batch

    # What is spelled differently somewhere.

    def copy(self, a: Array) -> Array:
        """A copy."""
        return a.copy()

    def transposed(self, a: Array) -> Array:
        """A contiguous copy of the transpose."""
        return self.xp.ascontiguousarray(a.T)

    def max(self, a: Array, axis: int) -> Array:
        """The maximum along an axis."""
        return a.max(axis=axis)

    def softmax(self, a: Array) -> Array:
        """Of the last axis."""
        e = self.xp.exp(a - a.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def cumsum(self, a: Array) -> Array:
        """The cumulative sum of a vector."""
        return a.cumsum(0)

    def take(self, a: Array, i: Array) -> Array:
        """Elements `i` of a vector."""
        return a[i]

    def sort(self, a: Array) -> Array:
        """A sorted copy of a vector."""
        return self.xp.sort(a)

    @functools.cached_property
    def generator(self) -> Any:
        """The generator `normal` draws from."""
        return self.xp.random.default_rng(0)

    def normal(self, n: int) -> Array:
        """Float32 numbers of the standard normal distribution."""
        return self.generator.standard_normal(n, dtype="float32")


class Vktensor(Library):
    """This package."""

    name = "vktensor"

    def put(self, array: np.ndarray) -> Array:
        return vt.asarray(array, copy=True)

    def fetch(self, x: Array) -> np.ndarray:
        return np.asarray(x)

    def fetch_into(self, x: Array, out: np.ndarray) -> None:
        if hasattr(vt, "to_numpy"):
            vt.to_numpy(x, out=out)
        else:
            np.copyto(out, np.asarray(x))

    def pinned(self, array: np.ndarray) -> Any | None:
        if not hasattr(vt, "host_memory"):
            return None
        with vt.host_memory():
            return array.copy()

    def put_pinned(self, host: Any) -> Array:
        return vt.asarray(host, copy=True)

    def load(self, path: str) -> Array:
        return vt.load(path) if hasattr(vt, "load") else super().load(path)

    def save(self, path: str, x: Array) -> None:
        if hasattr(vt, "save"):
            vt.save(path, x)
        else:
            super().save(path, x)

    def start(self, result: Array) -> None:
        vt.async_eval(result)

    def wait(self, result: Array | None = None) -> None:
        vt.synchronize()

    def trim(self) -> None:
        vt.empty_cache()

    def transposed(self, a: Array) -> Array:
        return a.T.copy()

    def cumsum(self, a: Array) -> Array:
        return vt.cumulative_sum(a)

    def take(self, a: Array, i: Array) -> Array:
        return vt.take(a, i)


class Torch(Library):
    """PyTorch, on CUDA where it has it."""

    name = "torch"

    def __init__(self) -> None:
        super().__init__()
        self.cuda = self.xp.cuda.is_available()

    def put(self, array: np.ndarray) -> Array:
        host = self.xp.from_numpy(np.ascontiguousarray(array))
        return host.cuda() if self.cuda else host.clone()

    def fetch(self, x: Array) -> np.ndarray:
        return x.cpu().numpy() if self.cuda else x.numpy().copy()

    def fetch_into(self, x: Array, out: np.ndarray) -> None:
        self.xp.from_numpy(out).copy_(x)

    def pinned(self, array: np.ndarray) -> Any | None:
        return self.xp.from_numpy(array).pin_memory() if self.cuda else None

    def put_pinned(self, host: Any) -> Array:
        return host.cuda(non_blocking=True)

    def wait(self, result: Array | None = None) -> None:
        if self.cuda:
            self.xp.cuda.synchronize()

    def trim(self) -> None:
        if self.cuda:
            self.xp.cuda.empty_cache()

    def copy(self, a: Array) -> Array:
        return a.clone()

    def transposed(self, a: Array) -> Array:
        return a.T.contiguous()

    def max(self, a: Array, axis: int) -> Array:
        return self.xp.amax(a, axis)

    def softmax(self, a: Array) -> Array:
        return self.xp.softmax(a, -1)

    def sort(self, a: Array) -> Array:
        return self.xp.sort(a).values

    @functools.cached_property
    def generator(self) -> Any:
        return self.xp.Generator("cuda" if self.cuda else "cpu")

    def normal(self, n: int) -> Array:
        return self.xp.randn(n, generator=self.generator, device=self.generator.device)


class Cupy(Library):
    """CuPy."""

    name = "cupy"

    def put(self, array: np.ndarray) -> Array:
        return self.xp.asarray(array)

    def fetch(self, x: Array) -> np.ndarray:
        return self.xp.asnumpy(x)

    def fetch_into(self, x: Array, out: np.ndarray) -> None:
        x.get(out=out)

    def pinned(self, array: np.ndarray) -> Any | None:
        host = importlib.import_module("cupyx").empty_pinned(array.shape, array.dtype)
        host[...] = array
        return host

    def put_pinned(self, host: Any) -> Array:
        device = self.xp.empty(host.shape, host.dtype)
        device.set(host)
        return device

    def load(self, path: str) -> Array:
        return self.xp.load(path)

    def save(self, path: str, x: Array) -> None:
        self.xp.save(path, x)

    def wait(self, result: Array | None = None) -> None:
        self.xp.cuda.Device().synchronize()

    def trim(self) -> None:
        self.xp.get_default_memory_pool().free_all_blocks()


class Jax(Library):
    """JAX on its first device; 64-bit types are off, as by default."""

    name = "jax"

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.xp = importlib.import_module("jax.numpy")

    @property
    def version(self) -> str:
        return str(self.jax.__version__)

    def put(self, array: np.ndarray) -> Array:
        return self.jax.device_put(array).block_until_ready()

    def fetch(self, x: Array) -> np.ndarray:
        return np.array(x)

    def fetch_into(self, x: Array, out: np.ndarray) -> None:
        np.copyto(out, np.asarray(x))

    def wait(self, result: Array | None = None) -> None:
        if result is not None:
            self.jax.block_until_ready(result)

    def transposed(self, a: Array) -> Array:
        return self.xp.array(a.T)

    @functools.cached_property
    def generator(self) -> Any:
        return self.jax.random.key(0)

    def normal(self, n: int) -> Array:
        return self.jax.random.normal(self.generator, (n,))


def find_libraries(names: list[str] | None = None) -> list[Library]:
    """vktensor, then the others that can be imported and have a device. ValueError for names of
    which that is not so."""
    found: list[Library] = [Vktensor()]
    for kind in (Library, Torch, Cupy, Jax):
        if names is not None and kind.name not in names:
            continue
        with contextlib.suppress(Exception):  # one without a device fails in its own way
            library = kind()
            library.wait(library.put(np.zeros(1, np.float32)))
            found.append(library)
    missing = set(names or ()) - {library.name for library in found}
    if missing:
        raise ValueError(f"not installed, or without a device: {', '.join(sorted(missing))}")
    return found
