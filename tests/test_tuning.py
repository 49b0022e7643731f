"""Tuning chooses sizes, never results: every candidate gives the same bits."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import vktensor as vt
from vktensor import _core

TUNABLES = vt.tuning.candidates()
CHOICES = [(name, value) for name, values in TUNABLES.items() for value in values]


def normal(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(7).standard_normal(shape).astype(dtype)


def elementwise_works() -> list[vt.Tensor]:
    """One result of each layout class, width and alignment; sizes that divide nothing."""
    a, b = vt.asarray(normal(70, 131)), vt.asarray(normal(131, 70))
    half, double = vt.asarray(normal(3001, dtype="float16")), vt.asarray(normal(3001, dtype="f8"))
    small = vt.asarray(np.arange(5003, dtype=np.uint8))
    deep = vt.asarray(normal(3, 4, 5, 6, 7)).transpose(4, 1, 3, 0, 2)
    return [
        a * 2 + 1,
        a + b.T,
        a[1:, 3:] - a[:-1, :-3],
        a[:, ::2] * a[:, :1],
        vt.sin(a) * vt.exp(-a),
        half * half + 1,
        double * half,
        small + small[::-1],
        deep + deep[::-1],
        vt.astype(half, vt.float64).copy(),
    ]


def gather_works() -> list[vt.Tensor]:
    """Words of every width, indices of every dtype, along each axis."""
    rng = np.random.default_rng(3)
    found = []
    for dtype, index in (("uint8", "int32"), ("float16", "int64"), ("f4", "uint64"), ("f8", "i2")):
        x = vt.asarray(normal(57, 33, dtype="f4").astype(dtype))
        at = vt.asarray(rng.integers(0, 33, 1031).astype(index))
        found += [vt.take(x, at, axis=0), vt.take(x, at, axis=1), vt.take(x[0], at)]
    return found


def matmul_works() -> list[vt.Tensor]:
    """Products that fill large tiles (of 132 cores, too), medium and small ones, with edges, and
    one cut along K."""
    found = []
    for dtype in ("f4", "f8"):
        a, b = (vt.asarray(normal(*shape, dtype=dtype)) for shape in ((50, 130, 9), (9, 140)))
        found.append(a @ b)
        a, b = (vt.asarray(normal(*shape, dtype=dtype)) for shape in ((64, 130), (200, 64)))
        found.append(a.T @ b.T)
        a, b = (vt.asarray(normal(*shape, dtype=dtype)) for shape in ((40, 1100), (1100, 35)))
        found.append(a @ b)
    return found


def stream_works() -> list[vt.Tensor]:
    """Long arrays, as CPU drivers have kernels of their own for them."""
    a, b = vt.asarray(normal(20_011)), vt.asarray(normal(20_011, dtype="f8"))
    return [make() for make in (lambda: vt.sin(a) * b, lambda: vt.sum(a * b)) for _ in range(3)]


WORKS = {
    "elementwise": elementwise_works,
    "stream": stream_works,
    "gather": gather_works,
    "matmul": matmul_works,
}


def compute(works: list[vt.Tensor]) -> list[bytes]:
    return [work.tobytes() for work in works]


@pytest.fixture(scope="module")
def expected():
    return {family: compute(make()) for family, make in WORKS.items()}


@pytest.mark.parametrize("name, value", CHOICES, ids=lambda x: str(x))
def test_every_candidate_gives_the_same_bits(name, value, expected):
    make = WORKS[name.split(".")[0]]
    with vt.tuning.use({name: value}):
        assert compute(make()) == expected[name.split(".")[0]]


def test_a_value_in_force_is_shown_and_ends_with_its_context():
    device = vt.default_device()
    before = device.tuning
    assert list(before) == list(TUNABLES)
    with vt.tuning.use({"elementwise.workgroup": 64, "elementwise.vector": 8}):
        assert device.tuning == {
            **before,
            "elementwise.workgroup": 64,
            "elementwise.vector": 8,
        }
    assert device.tuning == before


@pytest.mark.parametrize(
    "text, expected_text",
    [
        ("elementwise.workgruop=64", "got 'elementwise.workgruop=64'"),
        ("elementwise.workgroup", "expected name=value"),
        ("elementwise.workgroup=48", "expected a power of two from 32 to 1024"),
        ("elementwise.workgroup=16", "for elementwise.workgroup, got '16'"),
        ("elementwise.vector=8, elementwise.workgroup=64x", "got '64x'"),
    ],
)
def test_a_wrong_text_is_refused_whole(text, expected_text):
    before = vt.default_device().tuning
    with pytest.raises(ValueError, match=expected_text.replace(".", r"\.")):
        _core.set_tuning(text)
    assert vt.default_device().tuning == before


def test_the_grid_follows_the_tuned_sizes():
    x = vt.ones((128, 128))
    vt.eval(x)
    groups = {}
    for vector in (4, 16):
        values = {"elementwise.workgroup": 64, "elementwise.vector": vector}
        with vt.tuning.use(values), vt.profile() as p:
            vt.eval(x[:, 4:] + 1)
        groups[vector] = p.dispatches[0].groups
    assert groups == {4: (124 * 128 // 64, 1, 1), 16: (31 * 128 // 64, 1, 1)}


@pytest.mark.unwatched
def test_the_command_measures_chooses_and_stores(tmp_path):
    env = {**os.environ, "VKTENSOR_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "vktensor", "tune", "--quick", "--device", "0"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    said = {}
    for line in done.stdout.splitlines():
        if line[:1].isalpha() and line.split()[0] in TUNABLES:
            said[line.split()[0]] = line.split()[-1]
    assert {"elementwise.workgroup", "elementwise.vector", "gather.items"} <= set(said)
    show = (
        "import vktensor as vt; print(*map('{0[0]}={0[1]}'.format, vt.devices()[0].tuning.items()))"
    )
    later = dict(pair.split("=") for pair in run(show, tmp_path))
    assert {name: later[name] for name in said} == said


def test_a_candidate_that_is_faster_is_put_in_force(monkeypatch):
    """The clock is replaced: one value is said to be twice as fast as all others."""
    device = vt.default_device()

    def time_work(work, timed_device):
        return 1.0 if timed_device.tuning["gather.workgroup"] == 64 else 2.0

    monkeypatch.setattr(vt.tuning, "time_work", time_work)
    works = {"gather.workgroup": [lambda: vt.ones(1)]}
    monkeypatch.setattr(vt.tuning, "make_works", lambda device, quick: works)
    with vt.tuning.use({}):
        ((name, speeds),) = vt.tuning.measure(quick=True)
        assert device.tuning["gather.workgroup"] == 64
    assert name == "gather.workgroup"
    assert speeds == {value: 2.0 if value == 64 else 1.0 for value in TUNABLES[name]}


def test_a_candidate_within_the_noise_changes_nothing(monkeypatch):
    before = vt.default_device().tuning

    def time_work(work, device):
        return 0.99 if device.tuning["gather.workgroup"] == 64 else 1.0

    monkeypatch.setattr(vt.tuning, "time_work", time_work)
    works = {"gather.workgroup": [lambda: vt.ones(1)]}
    monkeypatch.setattr(vt.tuning, "make_works", lambda device, quick: works)
    list(vt.tuning.measure(quick=True))
    assert vt.default_device().tuning == before


SHOW = "import vktensor as vt; t = vt.default_device().tuning; print(t['elementwise.workgroup'])"
STORE = (
    "import vktensor as vt; from vktensor import _core; _core.set_tuning('{}');"
    " print(_core.store_tuning())"
)


def run(code: str, cache: pathlib.Path | str, **env: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "VKTENSOR_CACHE_DIR": str(cache), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split() + done.stderr.splitlines()


DEFAULT = str(vt.default_device().tuning["elementwise.workgroup"])


@pytest.mark.unwatched
def test_the_environment_forces_a_value(tmp_path):
    assert run(SHOW, tmp_path, VKTENSOR_TUNING="elementwise.workgroup=64") == ["64"]


@pytest.mark.unwatched
def test_a_wrong_environment_is_ignored_and_logged(tmp_path):
    out = run(SHOW, tmp_path, VKTENSOR_TUNING="elementwise.workgroup=65", VKTENSOR_DEBUG="1")
    assert out[0] == DEFAULT
    assert any("VKTENSOR_TUNING is ignored" in line for line in out)


@pytest.mark.unwatched
def test_a_stored_table_is_in_force_in_later_processes(tmp_path):
    assert run(STORE.format("elementwise.workgroup=64"), tmp_path) == ["True"]
    assert run(SHOW, tmp_path) == ["64"]
    assert run(SHOW, tmp_path, VKTENSOR_TUNING="elementwise.workgroup=512") == ["512"]
    (stored,) = tmp_path.glob("*.set")
    assert stored.stat().st_mode & 0o777 == 0o600


@pytest.mark.unwatched
def test_storing_without_a_cache_says_so():
    assert run(STORE.format("elementwise.workgroup=64"), "0") == ["False"]


@pytest.mark.unwatched
@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: b"",
        lambda good: good[:-3],
        lambda good: good[:-3] + b"9" + good[-2:],
        lambda good: b"elementwise.workgroup=64\n",
    ],
    ids=["empty", "cut", "changed", "foreign"],
)
def test_a_damaged_table_is_ignored_and_logged(spoil, tmp_path):
    run(STORE.format("elementwise.workgroup=64"), tmp_path)
    (stored,) = tmp_path.glob("*.set")
    stored.write_bytes(spoil(stored.read_bytes()))
    out = run(SHOW, tmp_path, VKTENSOR_DEBUG="1")
    assert out[0] == DEFAULT
    assert any(stored.name in line for line in out)


@pytest.mark.unwatched
def test_a_table_is_read_under_the_same_driver_only(tmp_path):
    """A CPU driver that is told another vector width gives its device another name."""
    run(STORE.format("elementwise.workgroup=64"), tmp_path)
    names = []
    for width in ("128", "256"):
        code = f"{SHOW}; print(vt.default_device().name.replace(' ', '_'))"
        value, name = run(code, tmp_path, LP_NATIVE_VECTOR_WIDTH=width)
        names.append(name)
        assert value == ("64" if name == vt.default_device().name.replace(" ", "_") else DEFAULT)
    assert vt.default_device().kind != "cpu" or len(set(names)) == 2
