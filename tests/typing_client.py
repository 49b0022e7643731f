"""A program that uses the package widely, for mypy --strict; it is also run, see test_typing.py."""

from __future__ import annotations

import io
from collections.abc import Hashable
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import vktensor as vt
from vktensor import Device, Tensor


def make() -> Tensor:
    x = vt.asarray([[1.0, 2.0], [3.0, 4.0]], dtype=vt.float32, device=None, copy=True)
    assert_type(x, Tensor)
    assert_type(vt.zeros((2, 3), dtype="int8"), Tensor)
    assert_type(vt.ones(3, dtype=np.float16), Tensor)
    assert_type(vt.full(3, 1 + 2j), Tensor)
    assert_type(vt.arange(0, 10, 2), Tensor)
    assert_type(vt.linspace(0, 1, num=5, endpoint=False), Tensor)
    assert_type(vt.eye(2, k=1), Tensor)
    assert_type(vt.meshgrid(vt.arange(2), vt.arange(3), indexing="ij"), tuple[Tensor, ...])
    assert_type(vt.zeros_like(x), Tensor)
    return x


def compute(x: Tensor) -> Tensor:
    y = vt.sin(x) * 2 + vt.exp(-x) - 1.5
    assert_type(y, Tensor)
    assert_type(2 / x, Tensor)
    assert_type(x @ x.T, Tensor)
    assert_type(x == 3, Tensor)
    assert_type(~(x > 1), Tensor)
    assert_type(divmod(x, 2), tuple[Tensor, Tensor])
    assert_type(vt.add(1, x), Tensor)
    assert_type(vt.multiply(x, 2j), Tensor)
    assert_type(vt.where(x > 2, x, 0), Tensor)
    assert_type(vt.where(x > 2), tuple[Tensor, ...])
    assert_type(vt.clip(x, min=0, max=None), Tensor)
    assert_type(vt.bitwise_and(vt.arange(3), True), Tensor)
    assert_type(vt.frexp(x), tuple[Tensor, Tensor])
    y += 1
    return y


def reduce_and_move(x: Tensor) -> None:
    assert_type(vt.sum(x, axis=(0, 1), dtype=vt.float64, keepdims=True), Tensor)
    assert_type(vt.var(x, axis=-1, correction=1), Tensor)
    assert_type(vt.argmax(x, axis=None), Tensor)
    assert_type(vt.cumulative_sum(x, axis=0, include_initial=True), Tensor)
    assert_type(vt.diff(x, prepend=0), Tensor)
    assert_type(vt.sort(x, descending=True), Tensor)
    assert_type(vt.unique_counts(x).counts, Tensor)
    assert_type(vt.nonzero(x), tuple[Tensor, ...])
    assert_type(vt.searchsorted(vt.arange(3), 2, side="right"), Tensor)
    assert_type(vt.concat([x, x], axis=None), Tensor)
    assert_type(vt.unstack(x), tuple[Tensor, ...])
    assert_type(vt.reshape(x, (-1,), copy=None), Tensor)
    assert_type(vt.pad(x, ((0, 1), (2, 0)), mode="edge"), Tensor)
    assert_type(vt.broadcast_shapes((2, 1), (3,)), tuple[int, ...])
    assert_type(vt.take(x, vt.asarray([1]), axis=0), Tensor)
    assert_type(vt.matmul(x, x), Tensor)
    assert_type(vt.tensordot(x, x, axes=([0], [1])), Tensor)
    assert_type(vt.einsum("ij,jk->ik", x, x), Tensor)


def ask(x: Tensor) -> None:
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.dtype, np.dtype[Any])
    assert_type(x.device, Device)
    assert_type(x.T, Tensor)
    assert_type(x.numpy(), NDArray[Any])
    assert_type(np.asarray(x), NDArray[Any])
    assert_type(len(x), int)
    assert_type(float(x[0, 0]), float)
    assert_type(x[..., None, ::-1], Tensor)
    assert_type(x.reshape(-1, 1).transpose(), Tensor)
    assert_type(x.astype(vt.int8), Tensor)
    assert_type(x.tobytes(), bytes)
    assert_type(x.sum(axis=0, keepdims=True), Tensor)
    assert_type(x.max(), Tensor)
    array: NDArray[Any] = np.empty(2, np.float32)
    assert_type(x.mean(axis=1, out=array), NDArray[Any])
    assert_type(x.clip(0, 1, out=vt.empty_like(x)), Tensor)
    assert_type(x.to_device(x.device), Tensor)
    x[x > 2] = 0
    x[0] = [1, 2]
    for row in x:
        assert_type(row, Tensor)
    assert_type(vt.isdtype(x.dtype, ("real floating", "integral")), bool)
    assert_type(vt.finfo(vt.float32).eps, float)
    assert_type(vt.iinfo(x.dtype if x.dtype.kind == "i" else vt.int8).max, int)
    assert_type(vt.result_type(x, 1), np.dtype[Any])
    assert_type(vt.float32 == x.dtype, bool)


def share(x: Tensor) -> None:
    array: NDArray[np.float32] = np.ones(4, np.float32)
    assert_type(vt.from_numpy(array, copy=None), Tensor)
    assert_type(vt.from_dlpack(array), Tensor)
    assert_type(vt.to_numpy(x), NDArray[Any])
    with vt.host_memory() as nothing:
        assert_type(nothing, None)
    file = io.BytesIO()
    vt.save(file, x)
    loaded: Tensor = vt.load(io.BytesIO(file.getvalue()))
    assert loaded.shape == x.shape


def run() -> None:
    assert_type(vt.devices(), tuple[Device, ...])
    assert_type(vt.default_device().limits, dict[str, Any])
    assert_type(vt.metrics(), dict[str, int])
    assert_type(vt.memory_stats()["in_use"], int)
    vt.synchronize()
    with vt.profile() as p:
        vt.eval(vt.ones(3) + 1)
    assert_type(p, vt.Profile)
    assert_type(p.dispatches, list[vt.Dispatch])
    assert_type([d.gb_per_s for d in p.dispatches], list[float])
    with vt.tuning.use({"elementwise.workgroup": 64}):
        assert_type(vt.tuning.candidates(), dict[str, tuple[int, ...]])
    rng = vt.random.default_rng(1)
    assert_type(rng, vt.random.Generator)
    assert_type(rng.normal(0, vt.ones(3), size=(2, 3)), Tensor)
    assert_type(rng.integers(6, size=2), Tensor)
    assert_type(rng.bytes(3), bytes)


def misuse() -> None:
    """What a type checker finds: an ignore that nothing needs is an error to mypy --strict."""
    x = vt.ones(3)
    vt.sin("x")  # type: ignore[arg-type]
    vt.sum(x, axes=0)  # type: ignore[call-arg]
    vt.sum(x, 0)  # type: ignore[call-arg]
    vt.searchsorted(x, x, side="middle")  # type: ignore[arg-type]
    x.shape = (1, 3)  # type: ignore[misc]
    x.nothing  # type: ignore[attr-defined]
    vt.nothing  # type: ignore[attr-defined]
    key: Hashable = x  # type: ignore[assignment]
    del key


def main() -> None:
    x = make()
    reduce_and_move(compute(x))
    ask(x)
    share(x)
    run()


if __name__ == "__main__":
    main()
