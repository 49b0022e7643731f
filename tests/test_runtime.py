"""Processes and devices: import without a driver, fork, signals, memory limits, profiles, the
doctor, validation."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core


def run(
    code: str, timeout: float = 120, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """`code` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


# ---- import, loader, drivers --------------------------------------------------------------------


@pytest.mark.unwatched
def test_import_works_without_a_driver_and_the_first_use_says_what_to_install():
    code = "import vktensor as vt\ntry:\n vt.ones(3)\nexcept RuntimeError as e:\n print(e)"
    text = run(
        code, VK_ICD_FILENAMES="/nonexistent.json", VK_DRIVER_FILES="/nonexistent.json"
    ).stdout
    assert "mesa-vulkan-drivers" in text


@pytest.mark.unwatched
def test_import_does_not_load_vulkan():
    code = "import vktensor\nprint('libvulkan' in open('/proc/self/maps').read())"
    assert run(code).stdout.strip() == "False"


@pytest.mark.unwatched
def test_the_doctor_reports_and_passes():
    done = subprocess.run([sys.executable, "-m", "vktensor"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything works" in done.stdout and "chosen" in done.stdout
    env = {
        **os.environ,
        "VK_ICD_FILENAMES": "/nonexistent.json",
        "VK_DRIVER_FILES": "/nonexistent.json",
    }
    done = subprocess.run(
        [sys.executable, "-m", "vktensor"], capture_output=True, text=True, env=env
    )
    assert done.returncode == 1 and "install" in done.stdout


@pytest.mark.unwatched
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("tune --device 99", "there is no device 99"),
        ("accuracy --device no-such-device", "'no-such-device'"),
        ("accuracy --function exq", "got exq"),
        ("accuracy --json /no/such/results.json", "there is no directory /no/such"),
        ("accuracy --page --output /no/such", "/no/such"),
    ],
)
def test_commands_say_what_is_wrong_with_their_arguments(arguments, words):
    command = [sys.executable, "-m", "vktensor", *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_devices_describe_themselves():
    devices = vt.devices()
    assert devices and vt.default_device() in devices
    device = vt.default_device()
    for name in ("name", "index", "kind", "driver", "uuid", "features", "limits"):
        assert getattr(device, name) is not None
    assert device.features["int64"] in (True, False)
    assert set(device.arithmetic.values()) <= {True, False} and "fused_fma" in device.arithmetic
    assert device.limits["max_workgroup_invocations"] >= 128
    assert hash(device) == hash(vt.ones(1).device)
    vt.set_default_device(device.index)
    vt.set_default_device(device.uuid)
    vt.set_default_device(device)
    vt.set_default_device(None)
    with pytest.raises((ValueError, RuntimeError)):
        vt.set_default_device("no such device")


@pytest.mark.unwatched
def test_environment_chooses_the_device():
    name = vt.default_device().name
    code = "import vktensor as vt; print(vt.default_device().name)"
    assert run(code, VKTENSOR_DEVICE=name[:6].upper()).stdout.strip() == name
    done = run("import vktensor as vt; vt.ones(1)", check=False, VKTENSOR_DEVICE="nonsense")
    assert done.returncode != 0 and "nonsense" in done.stderr


TWO = """
import numpy as np, vktensor as vt
first, second = vt.devices()[:2]
a, b = vt.arange(4, device=first), vt.ones(4, device=second)
assert a.device == first and b.device == second and first != second
try:
    a + b
except ValueError as error:
    print(error)
c = a.to_device(second) + b
assert c.device == second and c.tolist() == [1, 2, 3, 4]
assert (a * 2).tolist() == [0, 2, 4, 6]
vt.set_default_device(second)
assert vt.zeros(1).device == second
"""


@pytest.mark.unwatched
def test_two_devices_in_one_process(tmp_path):
    listed = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES")
    drivers = listed.split(":") if listed else glob.glob("/usr/share/vulkan/icd.d/lvp*.json")
    text = pathlib.Path(drivers[0]).read_text()
    copies = [tmp_path / "first.json", tmp_path / "second.json"]
    for path in copies:
        path.write_text(text)
    both = ":".join(map(str, copies))
    out = run(TWO, VK_DRIVER_FILES=both, VK_ICD_FILENAMES=both).stdout
    assert "device" in out


# ---- processes ----------------------------------------------------------------------------------


FORK = """
import os, sys, vktensor as vt
t = vt.ones(10) + 1
vt.eval(t)
pid = os.fork()
if pid == 0:
    try:
        vt.eval(t * 2)
    except RuntimeError as error:
        sys.exit(7 if "spawn" in str(error) else 8)
    sys.exit(9)
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 7, status
assert float((t * 2)[0]) == 4
"""


@pytest.mark.unwatched
def test_after_fork_the_child_raises_and_both_exit():
    run(FORK, timeout=60)


@pytest.mark.unwatched
@pytest.mark.parametrize(
    "ending",
    [
        "t = vt.ones(5); keep = np.asarray(t)",
        "t = vt.ones(5) + 1",
        "import atexit; t = vt.ones(5); atexit.register(lambda: print(float(t[0])))",
        "class A: pass\na = A(); a.a = a; a.t = vt.ones(5)",
        "import sys; t = vt.ones(5); vt.eval(t); sys.modules.clear()",
        "p = vt.profile(); p.__enter__(); vt.eval(vt.ones(3))",
        "import threading; threading.Thread(target=vt.eval, args=(vt.ones(5),)).start()",
    ],
)
def test_exit_is_silent_in_any_order(ending):
    done = run(f"import numpy as np, vktensor as vt\n{ending}", timeout=60)
    assert done.stderr == ""


SLOW = """
import vktensor as vt
a = vt.ones((1400, 1400)); b = a @ a
vt.synchronize()
print("ready", flush=True)
try:
    for _ in range(100000):
        a = a @ b * 1e-3
        vt.async_eval(a)
        vt.synchronize()
except KeyboardInterrupt:
    print("interrupted", float(vt.ones(1)[0]), flush=True)
"""


@pytest.mark.unwatched
def test_ctrl_c_leaves_a_long_wait():
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["interrupted", "1.0"]


def test_the_lock_is_free_during_a_wait():
    a = vt.ones((900, 900))
    vt.eval(a)
    turns, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            turns[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    before, began = turns[0], time.perf_counter()
    while time.perf_counter() - began < 0.5:
        vt.eval(a @ a)
    stop.set()
    thread.join()
    assert turns[0] - before > 20


def test_threads_compute_side_by_side():
    results, errors = {}, []

    def work(k):
        try:
            a = np.arange(1000, dtype=np.float32) + k
            total = 0.0
            for _ in range(20):
                total = float((vt.asarray(a) * 2).sum())
            results[k] = total == float((a * 2).astype(np.float64).sum())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and all(results.values()) and len(results) == 6


def test_threads_may_compute_the_same_expression():
    a = vt.asarray(np.arange(20_000, dtype=np.float32))
    expected = np.arange(20_000, dtype=np.float32) * 3 + 1
    wrong = []

    def work(values):
        for value in values:
            if not np.array_equal(np.asarray(value), expected):
                wrong.append(value)

    for _ in range(5):
        shared = [a * 3 + 1 for _ in range(60)]
        threads = [threading.Thread(target=work, args=(shared,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


@contextlib.contextmanager
def beside(work):
    """Repeats `work` in a thread meanwhile."""
    stop = threading.Event()

    def repeat():
        while not stop.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_mask_written_by_another_thread_selects_as_before_or_after():
    n = 1 << 20
    a = np.zeros(n, np.float32)
    a[::1024] = 1
    few, many = vt.asarray(a), vt.ones(n, dtype=vt.float32)
    x = few.copy()
    vt.eval(x, few, many)

    def write():
        for value in (many, few):
            x[:] = value
            vt.synchronize()

    with beside(write):
        for _ in range(40):
            places = vt.nonzero(x)[0].numpy()
            assert np.array_equal(places, np.arange(0, n, n // len(places)))


def test_memory_written_by_the_host_during_a_sort_harms_nothing_else():
    n = 1 << 18
    a = np.zeros(n, np.uint8)
    x = vt.from_numpy(a, copy=False)

    def write():
        a[:] = 255
        a[:] = 0

    with beside(write):
        for _ in range(100):
            others = [vt.full(n, 7, dtype=vt.uint8) for _ in range(2)]
            vt.eval(*others)
            vt.sort(x)
            vt.synchronize()
            assert all((other.numpy() == 7).all() for other in others)


def test_an_index_that_is_wrong_for_a_moment_is_an_error_or_none():
    a = np.zeros(1 << 18, np.int64)
    x, indices = vt.arange(1000), vt.from_numpy(a, copy=False)

    def write():
        a[7] = 1000
        a[7] = 0

    with beside(write):
        for _ in range(100):
            with contextlib.suppress(IndexError):
                assert not vt.take(x, indices).numpy().any()


# ---- memory -------------------------------------------------------------------------------------


def test_memory_statistics_count_live_bytes():
    before = vt.memory_stats()["in_use"]
    t = vt.zeros(1 << 20)
    vt.eval(t)
    stats = vt.memory_stats()
    assert stats["in_use"] - before == 4 << 20
    assert stats["peak"] >= stats["in_use"] and stats["reserved"] >= stats["in_use"]
    del t
    assert vt.memory_stats()["in_use"] == before
    vt.empty_cache()
    assert vt.memory_stats()["cached"] == 0


LIMIT = """
import gc, vktensor as vt
vt.set_memory_limit(64 << 20)
a = vt.zeros(10 << 20); vt.eval(a)
try:
    b = vt.zeros(10 << 20); vt.eval(b)
except vt.OutOfMemoryError as error:
    assert isinstance(error, MemoryError)
    assert error.requested >= 40 << 20 and error.limit == 64 << 20 and error.in_use > 0
    print("refused", error)
b = None
a = None
c = vt.zeros(12 << 20) + 1; vt.eval(c)
assert float(c[-1]) == 1
class Cycle: pass
for _ in range(5):
    node = Cycle(); node.me = node; node.t = vt.zeros(12 << 20); c = None
    vt.eval(node.t)
print("cycles collected", vt.memory_stats()["reserved"] <= 64 << 20)
"""


@pytest.mark.unwatched
def test_the_memory_limit_is_hard_and_memory_comes_back():
    out = run(LIMIT).stdout
    assert "refused" in out and "cycles collected True" in out


def test_too_large_a_tensor_is_refused():
    with pytest.raises(MemoryError):
        vt.eval(vt.zeros((1 << 20, 1 << 20)))
    assert float(vt.ones(1)[0]) == 1


def test_small_tensors_share_driver_memory():
    before = vt.memory_stats()["driver_allocations"]
    many = [vt.asarray([i]) for i in range(2000)]
    assert vt.memory_stats()["driver_allocations"] - before <= 4
    assert int(many[1234][0]) == 1234


# ---- seeing it ----------------------------------------------------------------------------------


def test_a_profile_names_and_times_every_dispatch(tmp_path):
    a = vt.asarray(np.ones(1 << 17, np.float32))
    with vt.profile() as p:
        vt.eval(vt.sin(a) + 1)
        vt.eval(a @ a)
    assert len(p.dispatches) >= 2
    first = p.dispatches[0]
    assert "sin" in first.name and "sin" in first.what
    assert first.ns > 0 and first.bytes >= 800_000 and first.gb_per_s > 0
    assert first.name in p.summary()
    p.save(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert any(event["name"] == first.name for event in events)


def test_messages_go_to_the_log(caplog):
    with caplog.at_level(logging.DEBUG, logger="vktensor"):
        vt.empty_cache()
        vt.eval(vt.ones(3) * 1.25)
    assert all(record.name == "vktensor" for record in caplog.records)


@pytest.mark.unwatched
def test_debug_shows_messages_and_kernels(tmp_path):
    code = "import vktensor as vt; vt.eval(vt.ones(3) * 2)"
    done = run(code, VKTENSOR_DEBUG="2", VKTENSOR_CACHE_DIR=str(tmp_path))
    assert "opened device" in done.stderr and "void main()" in done.stderr
    assert "void main()" not in run(code, VKTENSOR_DEBUG="1").stderr


PLANTED = """
import ctypes, vktensor as vt
from vktensor import _core
vt.eval(vt.ones(3))
_core.validation_messages()
device = ctypes.c_void_p(_core.vulkan_handles()["device"])
loader = ctypes.CDLL("libvulkan.so.1")
loader.vkGetDeviceProcAddr.restype = ctypes.c_void_p
address = loader.vkGetDeviceProcAddr(device, b"vkCreateBuffer")
create = ctypes.CFUNCTYPE(*[ctypes.c_int] + 4 * [ctypes.c_void_p])(address)
# A VkBufferCreateInfo of size 0 and without a usage: two mistakes.
info = (ctypes.c_uint64 * 7)(12, 0, 0, 0, 0, 0, 0)
buffer = ctypes.c_uint64()
create(device, ctypes.addressof(info), None, ctypes.addressof(buffer))
print(_core.validation_messages()[0])
"""


@pytest.mark.unwatched
def test_the_validation_layers_are_heard():
    assert int(run(PLANTED, VKTENSOR_VALIDATE="1").stdout) > 0


@pytest.mark.unwatched
def test_results_do_not_depend_on_the_number_of_threads():
    code = (
        "import numpy as np, vktensor as vt, hashlib\n"
        "a = vt.asarray(np.random.default_rng(0).standard_normal((300, 700)).astype(np.float32))\n"
        "r = [vt.sum(a), vt.var(a, axis=0), a @ a.T, vt.cumulative_sum(a, axis=1), vt.sin(a)]\n"
        "print(hashlib.sha256(b''.join(np.asarray(x).tobytes() for x in r)).hexdigest())"
    )
    assert run(code, LP_NUM_THREADS="1").stdout == run(code, LP_NUM_THREADS="2").stdout


@pytest.mark.unwatched
def test_a_damaged_cache_is_rebuilt(tmp_path):
    code = "import vktensor as vt; print(float(vt.sum(vt.ones(1000) * 3)))"
    assert run(code, VKTENSOR_CACHE_DIR=str(tmp_path)).stdout == "3000.0\n"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert tmp_path.stat().st_mode & 0o077 == 0 or all(f.stat().st_mode & 0o077 == 0 for f in files)
    for damage in (lambda b: b[: len(b) // 2], lambda b: b"", lambda b: bytes(x ^ 255 for x in b)):
        for path in files:
            if path.exists():
                path.write_bytes(damage(path.read_bytes()))
        assert run(code, VKTENSOR_CACHE_DIR=str(tmp_path)).stdout == "3000.0\n"
    assert run(code, VKTENSOR_CACHE_DIR="0").stdout == "3000.0\n"


def test_signatures_can_be_inspected():
    import inspect

    for name in vt.__all__:
        item = getattr(vt, name)
        if callable(item) and not isinstance(item, type):
            inspect.signature(item)
    for name in dir(_core):
        item = getattr(_core, name)
        if callable(item) and not isinstance(item, type) and not name.startswith("__"):
            inspect.signature(item)
