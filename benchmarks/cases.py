"""Works timed as throughput: elementwise, fused chains, reductions, scans, movement, products."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from libraries import Array, Library
from method import Row, measure


@dataclass(frozen=True)
class Case:
    """One work: `run(library, *arrays)`. Bytes are those that must move once."""

    group: str
    name: str
    arrays: Callable[[], tuple[np.ndarray, ...]]
    run: Callable[..., Array]
    nbytes: float = 0.0
    flops: float = 0.0


@functools.cache
def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal float32 numbers, repeated after 2^22; kept, because making them costs more than what
    is timed."""
    n = int(np.prod(shape))
    some = np.random.default_rng(seed).standard_normal(min(n, 1 << 22), dtype=np.float32)
    return np.resize(some, n).reshape(shape)


def normals(k: int, *shape: int) -> Callable[[], tuple[np.ndarray, ...]]:
    """Makes `k` different arrays."""
    return lambda: tuple(normal(*shape, seed=i) for i in range(k))


def chain_of(length: int) -> Callable[..., Array]:
    """`length` cheap operations in a row."""

    def run(lib: Library, a: Array) -> Array:
        for i in range(length // 2):
            a = a * 1.0001 + (0.5 + i)
        return a

    return run


def elementwise(n: int) -> Iterator[Case]:
    """One operation each."""
    one, two = 8.0 * n, 12.0 * n
    yield Case("elementwise", "copy", normals(1, n), lambda lib, a: lib.copy(a), one)
    yield Case("elementwise", "a + b", normals(2, n), lambda lib, a, b: a + b, two)
    yield Case("elementwise", "a * b", normals(2, n), lambda lib, a, b: a * b, two)
    for name in ("exp", "sin", "tanh"):
        yield Case(
            "elementwise",
            name,
            normals(1, n),
            lambda lib, a, name=name: getattr(lib.xp, name)(a),
            one,
        )
    yield Case(
        "elementwise",
        "a + b, float64",
        lambda: tuple(normal(n // 2, seed=seed).astype(np.float64) for seed in (0, 1)),
        lambda lib, a, b: a + b,
        12.0 * n,
    )
    yield Case(
        "elementwise", "log", lambda: (np.abs(normal(n)),), lambda lib, a: lib.xp.log(a), one
    )


def fused(n: int) -> Iterator[Case]:
    """Several operations, one kernel."""
    yield Case(
        "fused",
        "sin(a)*b + exp(-a)",
        normals(2, n),
        lambda lib, a, b: lib.xp.sin(a) * b + lib.xp.exp(-a),
        12.0 * n,
    )
    yield Case("fused", "four cheap ops", normals(1, n), chain_of(4), 8.0 * n)
    yield Case("fused", "twenty cheap ops", normals(1, n), chain_of(20), 8.0 * n)
    yield Case(
        "fused", "((a-b)**2).sum()", normals(2, n), lambda lib, a, b: ((a - b) ** 2).sum(), 8.0 * n
    )


def reductions(n: int, side: int) -> Iterator[Case]:
    """Sums, extremes, moments, and the scan."""
    square, nbytes = normals(1, side, side), 4.0 * side * side
    yield Case("reductions", "sum", normals(1, n), lambda lib, a: a.sum(), 4.0 * n)
    yield Case("reductions", "sum axis 0", square, lambda lib, a: a.sum(0), nbytes)
    yield Case("reductions", "sum axis 1", square, lambda lib, a: a.sum(1), nbytes)
    yield Case("reductions", "max axis 1", square, lambda lib, a: lib.max(a, 1), nbytes)
    yield Case("reductions", "argmax", normals(1, n), lambda lib, a: a.argmax(), 4.0 * n)
    yield Case("reductions", "var axis 1", square, lambda lib, a: a.var(axis=1), nbytes)
    yield Case("reductions", "softmax axis 1", square, lambda lib, a: lib.softmax(a), 2 * nbytes)
    m = n // 4
    yield Case("scans", "cumulative sum", normals(1, m), lambda lib, a: lib.cumsum(a), 8.0 * m)


def movement(n: int, side: int) -> Iterator[Case]:
    """Broadcasting, strides, gathering, order; and numbers from nothing."""
    nbytes, m = 4.0 * side * side, n // 4
    yield Case(
        "movement",
        "a + row + column",
        lambda: (normal(side, side), normal(1, side), normal(side, 1)),
        lambda lib, a, r, c: a + r + c,
        2 * nbytes,
    )
    yield Case(
        "movement",
        "transposed copy",
        normals(1, side, side),
        lambda lib, a: lib.transposed(a),
        2 * nbytes,
    )
    yield Case(
        "movement",
        "a[:, ::2] + 1",
        normals(1, side, side),
        lambda lib, a: a[:, ::2] + 1,
        1.5 * nbytes,
    )
    yield Case(
        "movement",
        "take",
        lambda: (normal(m), np.random.default_rng(1).integers(0, m, m)),
        lambda lib, a, i: lib.take(a, i),
        16.0 * m,
    )
    yield Case("movement", "a[a > 0]", normals(1, m), lambda lib, a: a[a > 0], 6.0 * m)
    yield Case("sorting", "sort", normals(1, m), lambda lib, a: lib.sort(a), 8.0 * m)
    yield Case("random", "standard normal", tuple, lambda lib: lib.normal(n), 4.0 * n)


def products(sizes: tuple[int, ...], with_batch: bool) -> Iterator[Case]:
    """Products of matrices and vectors."""

    def product(lib: Library, a: Array, b: Array) -> Array:
        return a @ b

    for n in sizes:
        yield Case("matmul", f"{n} x {n}", normals(2, n, n), product, flops=2.0 * n**3)
    if with_batch:
        yield Case(
            "matmul", "64 of 512 x 512", normals(2, 64, 512, 512), product, flops=128.0 * 512**3
        )
    side = max(sizes[-1] // 2, 512)
    yield Case(
        "matmul",
        f"matrix {side} x {side} by vector",
        lambda: (normal(side, side), normal(side)),
        product,
        4.0 * side**2,
    )


def find_cases(suite: str) -> list[Case]:
    """The works of a suite, the copy first: later rows are told in % of it."""
    n = 1 << (28 if suite == "gpu" else 22)
    side = 16384 if suite == "gpu" else 2048
    sizes = {"quick": (256, 512), "full": (64, 256, 512, 1024)}.get(
        suite, (512, 1024, 2048, 4096, 8192)
    )
    return [
        *elementwise(n),
        *fused(n),
        *reductions(n, side),
        *movement(n, side),
        *products(sizes, suite == "gpu"),
    ]


def time_case(case: Case, libraries: list[Library], seconds: float) -> Row:
    """All libraries on the same numbers, in turn."""
    row = Row(
        case.group,
        case.name,
        "GB/s" if case.nbytes else "TFLOP/s",
        case.nbytes or case.flops,
    )
    arrays = case.arrays()
    batches = {}
    for library in libraries:
        inputs = [library.put(a) for a in arrays]
        batches[library.name] = library.pipelined(
            lambda library=library, inputs=inputs: case.run(library, *inputs)
        )
    row.libraries = measure(batches, seconds)
    del batches, inputs
    for library in libraries:
        library.trim()
    return row
