"""Random streams: known answers, the same numbers however they are launched, distributions."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy import stats

import vktensor as vt
from vktensor import _core

ALL = (1 << 64) - 1


@pytest.mark.parametrize(
    ("key", "stream", "block", "answer"),
    [
        (0, 0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (ALL, ALL, ALL, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        # Counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0.
        (0x299F31D0A4093822, 0x0370734413198A2E, 0x85A308D3243F6A88, None),
    ],
)
def test_the_cipher_gives_the_known_answers(
    key: int, stream: int, block: int, answer: str | None
) -> None:
    """The vectors of Random123 1.14, kat_vectors."""
    words, n_blocks = _core.random("bits", (key, stream, block), (4,), "uint32", None, 0, 0)
    expected = answer or "d16cfe09 94fdcceb 5001e420 24126ea1"
    assert " ".join(f"{int(word):08x}" for word in np.asarray(words)) == expected
    assert n_blocks == 1


def philox(key: int, stream: int, block: int) -> list[int]:
    """Philox 4x32-10 in Python integers."""
    mask = 0xFFFFFFFF
    c = [block & mask, block >> 32, stream & mask, stream >> 32]
    k = [key & mask, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & mask, (p >> 32) ^ c[3] ^ k[1], p & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 127, 1023, 4097])
def test_every_word_is_that_of_its_block(size: int) -> None:
    rng = vt.random.default_rng(5)
    state = rng.state
    got = np.frombuffer(rng.bytes(4 * size), np.uint32)
    for i in {0, size // 2, size - 1}:
        block = philox(state["key"], state["stream"], state["block"] + i // 4)
        assert got[i] == block[i % 4]
    assert rng.state["block"] == -(-size // 4)


METHODS: dict[str, Any] = {
    "random": lambda rng, n: rng.random(n),
    "random64": lambda rng, n: rng.random(n, "float64"),
    "normal": lambda rng, n: rng.normal(1.0, 3.0, n),
    "normal64": lambda rng, n: rng.normal(1.0, 3.0, n, "float64"),
    "exponential": lambda rng, n: rng.exponential(2.0, n),
    "exponential64": lambda rng, n: rng.exponential(2.0, n, "float64"),
    "integers": lambda rng, n: rng.integers(-5, 1000, n),
    "wide integers": lambda rng, n: rng.integers(0, 3 << 40, n),
}


@pytest.mark.parametrize("name", METHODS)
def test_values_depend_on_their_place_alone(name: str) -> None:
    make = METHODS[name]
    whole = np.asarray(make(vt.random.default_rng(11), 5000))
    for n in (1, 4, 257, 4999):
        part = np.asarray(make(vt.random.default_rng(11), n))
        np.testing.assert_array_equal(part, whole[:n])
    rng = vt.random.default_rng(11)
    parts = [np.asarray(make(rng, n)) for n in (4, 256, 4740)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_both_kinds_of_kernels_give_the_same_numbers() -> None:
    """The bits are the same; real values too, being the same operations."""
    program = (
        "import hashlib, vktensor as vt\n"
        "rng = vt.random.default_rng(3)\n"
        "for x in (rng.integers(0, 7, 3001), rng.random(3001), rng.normal(size=3001)):\n"
        "    print(hashlib.sha256(x.tobytes()).hexdigest())\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "VKTENSOR_KERNELS": kind},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for kind in ("cpu", "gpu")
    }
    assert len(texts) == 1


SAMPLES = 1 << 20


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("method", "arguments", "distribution"),
    [
        ("random", (), stats.uniform()),
        ("uniform", (-3.0, 5.0), stats.uniform(-3.0, 8.0)),
        ("standard_normal", (), stats.norm()),
        ("normal", (10.0, 0.5), stats.norm(10.0, 0.5)),
        ("exponential", (2.0,), stats.expon(scale=2.0)),
    ],
)
def test_real_values_follow_their_distribution(
    method: str, arguments: tuple[float, ...], distribution: Any, dtype: str
) -> None:
    rng = vt.random.default_rng(2024)
    x = np.asarray(getattr(rng, method)(*arguments, size=SAMPLES, dtype=dtype), np.float64)
    assert 1e-6 < stats.kstest(x, distribution.cdf).pvalue < 1 - 1e-6
    cells = distribution.ppf(np.linspace(0, 1, 257)[1:-1])
    counts = np.bincount(np.searchsorted(cells, x), minlength=256)
    assert 1e-6 < stats.chisquare(counts).pvalue < 1 - 1e-6
    # Neighbours in a block and a workgroup's width apart are not correlated.
    u = distribution.cdf(x) - 0.5
    for lag in (1, 2, 3, 4, 32, 1024):
        z = np.sum(u[lag:] * u[:-lag]) / (np.sqrt(len(u) - lag) / 12)
        assert abs(z) < 5


def test_normal_tails_are_there() -> None:
    x = np.asarray(vt.random.default_rng(8).standard_normal(1 << 22))
    for limit in (3.0, 4.0, 4.5):
        expected = stats.norm.sf(limit) * x.size
        assert abs(np.sum(x > limit) - expected) < 5 * np.sqrt(expected)
        assert abs(np.sum(x < -limit) - expected) < 5 * np.sqrt(expected)


@pytest.mark.parametrize("n", [2, 3, 7, 1000, (1 << 31) + 1, 3 << 30, 3 << 61])
def test_integers_have_no_bias(n: int) -> None:
    x = np.asarray(vt.random.default_rng(4).integers(n, size=1 << 18)).astype(np.float64)
    cells = min(n, 200)
    counts = np.bincount((x * cells / n).astype(int), minlength=cells)
    assert 1e-6 < stats.chisquare(counts).pvalue < 1 - 1e-6


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        *[("int8", -128, 128), ("int16", -5, 6), ("int32", -(1 << 31), 1 << 31)],
        *[("int64", -(1 << 63), 1 << 63), ("int64", (1 << 40) - 1, 1 << 40), ("uint8", 0, 256)],
        *[("uint16", 9, 12), ("uint32", 0, 1 << 32), ("uint64", 0, 1 << 64)],
        *[("uint64", (1 << 64) - 9, 1 << 64), ("bool", 0, 2), ("int64", 0, 1 << 32)],
    ],
)
def test_integers_stay_in_their_interval(dtype: str, low: int, high: int) -> None:
    x = np.asarray(vt.random.default_rng(6).integers(low, high, 4000, dtype))
    assert x.dtype == dtype
    assert low <= int(x.min()) and int(x.max()) < high
    if high - low < 20:
        assert len(np.unique(x)) == high - low
    assert int(vt.random.default_rng(6).integers(low, high - 1, 9, dtype, endpoint=True)[0]) == x[0]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_never_round_to_one(dtype: str) -> None:
    x = np.asarray(vt.random.default_rng(1).random(1 << 18, dtype)).astype(np.float64)
    assert x.min() == 0 and 0.99 < x.max() < 1
    z = np.asarray(vt.random.default_rng(1).normal(0, 1, 1 << 18, dtype)).astype(np.float64)
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01


def test_parameters_may_be_tensors() -> None:
    loc = vt.asarray([[0.0], [100.0]])
    scale = vt.asarray([1.0, 2.0, 3.0])
    x = np.asarray(vt.random.default_rng(1).normal(loc, scale, (4000, 2, 3)))
    np.testing.assert_allclose(x.mean(0), np.broadcast_to([[0.0], [100.0]], (2, 3)), atol=0.3)
    np.testing.assert_allclose(x.std(0), np.broadcast_to([1.0, 2.0, 3.0], (2, 3)), rtol=0.1)
    assert vt.random.default_rng(1).uniform(loc, loc + 1).shape == (2, 1)


def test_choice_draws_with_the_given_probabilities() -> None:
    rng = vt.random.default_rng(12)
    p = vt.asarray([0.1, 0.0, 0.6, 0.3])
    counts = np.bincount(np.asarray(rng.choice(4, 1 << 16, p=p)), minlength=4) / (1 << 16)
    np.testing.assert_allclose(counts, [0.1, 0.0, 0.6, 0.3], atol=0.01)
    assert counts[1] == 0
    values = np.asarray(rng.choice(vt.asarray([10, 20, 30]), (50, 40)))
    assert values.shape == (50, 40) and set(np.unique(values)) == {10, 20, 30}


def test_choice_takes_what_numpy_takes() -> None:
    for p in ([0, 1, 0], (0.0, 1.0, 0.0), np.array([0.0, 1.0, 0.0]), np.array([0, 1, 0])):
        rng = vt.random.default_rng(3)
        for a in (3, np.int64(3), [0, 1, 2], np.arange(3), vt.arange(3)):
            drawn = rng.choice(a, 5, p=p)
            assert drawn.dtype == vt.int64 and np.asarray(drawn).tolist() == [1] * 5
            assert rng.choice(a, replace=False, p=p).shape == ()
    for wrong in (1.5, "ab", None):
        with pytest.raises(TypeError):
            vt.random.default_rng(3).choice(wrong)


def test_seeds_streams_and_states() -> None:
    one, other = vt.random.default_rng(1), vt.random.default_rng(2)
    assert not np.array_equal(one.random(8).numpy(), other.random(8).numpy())
    children = vt.random.default_rng(1).spawn(3)
    firsts = {child.bytes(16) for child in children}
    assert len(firsts) == 3
    assert firsts == {child.bytes(16) for child in vt.random.default_rng(1).spawn(3)}
    state = one.state
    expected = one.normal(size=33).numpy()
    one.state = state
    np.testing.assert_array_equal(one.normal(size=33).numpy(), expected)
    assert vt.random.default_rng(one) is one
    assert vt.random.default_rng().bytes(8) != vt.random.default_rng().bytes(8)


def test_threads_share_a_generator_without_repeating() -> None:
    rng = vt.random.default_rng(9)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: rng.bytes(64), range(40)))
    assert len(set(parts)) == 40
    assert rng.state["block"] == 40 * 4


def test_empty_and_scalar_sizes() -> None:
    rng = vt.random.default_rng(1)
    assert rng.random().shape == () and rng.normal(size=()).shape == ()
    assert rng.integers(5, size=0).shape == (0,) and rng.random((3, 0)).shape == (3, 0)


def test_sizes_and_sequences_may_be_numpys_or_pythons() -> None:
    rng = vt.random.default_rng(3)
    assert rng.random(np.int64(3)).shape == rng.random([3]).shape == (3,)
    assert rng.integers(0, 9, np.uint8(2)).shape == (2,)
    order = rng.permutation(np.int64(5))
    assert sorted(np.asarray(order).tolist()) == list(range(5))
    for given in ([3, 1, 2], np.array([3, 1, 2])):
        got = rng.permutation(given)
        assert isinstance(got, vt.Tensor) and sorted(got.tolist()) == [1, 2, 3]
    near = np.asarray(rng.normal([0, 1000, -1000], 1))
    assert np.all(np.abs(near - [0, 1000, -1000]) < 10)
    assert np.all(np.asarray(rng.uniform([0, 10], [1, 11])) // 1 == [0, 10])
    assert rng.exponential([1.0, 2.0]).shape == (2,)


def test_a_size_is_the_shape_of_the_result() -> None:
    rng = vt.random.default_rng(3)
    for size in (1, (1, 3), (2,), ()):
        with pytest.raises(ValueError, match="normal: expected a size that"):
            rng.normal(vt.zeros((2, 3)), 1, size=size)
    assert rng.normal(vt.zeros(3), 1, size=(2, 3)).shape == (2, 3)


def test_generators_are_copied_and_pickled_with_their_state() -> None:
    rng = vt.random.default_rng(3, device=vt.default_device())
    rng.random(100)
    for other in (pickle.loads(pickle.dumps(rng)), copy.deepcopy(rng), copy.copy(rng)):
        assert other.state == rng.state
        expected = vt.random.default_rng(3)
        expected.state = rng.state
        np.testing.assert_array_equal(np.asarray(other.random(5)), np.asarray(expected.random(5)))
    first, second = pickle.loads(pickle.dumps(rng)).spawn(1)[0], rng.spawn(1)[0]
    np.testing.assert_array_equal(np.asarray(first.random(5)), np.asarray(second.random(5)))


def test_bad_parameters_are_named() -> None:
    rng = vt.random.default_rng(1)
    cases: list[tuple[Any, type[Exception], str]] = [
        (lambda: rng.integers(3, 3), ValueError, "integers.*low < high"),
        (lambda: rng.integers(0, 300, dtype="uint8"), ValueError, "fit uint8"),
        (lambda: rng.integers(2, dtype="float32"), TypeError, "integers.*float32"),
        (lambda: rng.random(3, "int32"), TypeError, "int32"),
        (lambda: rng.normal(0, -1), ValueError, "normal.*scale"),
        (lambda: rng.uniform(2, 1), ValueError, "uniform.*low"),
        (lambda: rng.exponential(-1), ValueError, "exponential"),
        (lambda: rng.choice(0), ValueError, "choice"),
        (lambda: rng.choice(3, p=vt.asarray([0.5, 0.5])), ValueError, "probabilities"),
        (lambda: rng.random(-1), ValueError, "random"),
        (lambda: vt.random.default_rng(-1), ValueError, "non-negative|negative"),
    ]
    for action, error, text in cases:
        with pytest.raises(error, match=text):
            action()
    assert rng.random(3).shape == (3,)


def test_what_is_no_size_tensor_or_probability_is_named() -> None:
    rng = vt.random.default_rng(0)
    for call, error, text in (
        (lambda: rng.random(2.5), TypeError, "random: expected size to be integers, got float"),
        (lambda: rng.permutation(2.5), TypeError, "permutation: expected an integer or a tensor"),
        (lambda: rng.choice(2.5), TypeError, "choice: expected a to be an integer, got float"),
        (lambda: rng.shuffle([1, 2]), TypeError, "shuffle: expected a Tensor, got list"),
        (lambda: rng.shuffle(np.arange(3)), TypeError, "shuffle: expected a Tensor, got ndarray"),
        (lambda: rng.integers([1], 5), TypeError, "integers: expected numbers as bounds, got list"),
        (lambda: rng.choice(3, p=[-0.5, 1.0, 0.5]), ValueError, "choice: expected probabilities"),
        (lambda: rng.bytes(-1), ValueError, "bytes: expected a length of at least 0, got -1"),
    ):
        with pytest.raises(error, match=text):
            call()


def test_a_permutation_is_that_of_its_keys() -> None:
    rng, again = vt.random.default_rng(4), vt.random.default_rng(4)
    for n in (0, 1, 2, 33, 5000):
        keys = np.frombuffer(again.bytes(8 * n), np.uint64)
        got = rng.permutation(n)
        assert got.dtype == np.dtype("int64")
        np.testing.assert_array_equal(np.asarray(got), np.argsort(keys, kind="stable"))
        assert rng.state == again.state
    with pytest.raises(ValueError, match="permutation"):
        rng.permutation(-1)


def test_every_permutation_is_as_likely() -> None:
    rng = vt.random.default_rng(8)
    codes = [int(np.asarray(rng.permutation(4)) @ [64, 16, 4, 1]) for _ in range(2400)]
    found, counts = np.unique(codes, return_counts=True)
    assert len(found) == 24
    assert 1e-6 < stats.chisquare(counts).pvalue < 1 - 1e-6


def test_slices_are_shuffled_in_place_and_in_copies() -> None:
    a = np.arange(600, dtype=np.float32).reshape(20, 30)
    for axis in (0, 1, -1):
        x = vt.asarray(a.copy())
        order = vt.random.default_rng(6).permutation(a.shape[axis])
        expected = np.take(a, np.asarray(order), axis)
        copy = vt.random.default_rng(6).permutation(x, axis)
        np.testing.assert_array_equal(np.asarray(copy), expected)
        np.testing.assert_array_equal(np.asarray(x), a)
        assert vt.random.default_rng(6).shuffle(x, axis) is None
        np.testing.assert_array_equal(np.asarray(x), expected)
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        vt.random.default_rng(6).permutation(x, 2)


def test_choice_without_replacement_gives_no_element_twice() -> None:
    rng = vt.random.default_rng(12)
    got = np.asarray(rng.choice(vt.asarray(np.arange(100) * 3), (5, 20), replace=False))
    np.testing.assert_array_equal(np.sort(got, axis=None), np.arange(100) * 3)
    assert len(set(np.asarray(rng.choice(1000, 200, replace=False)).tolist())) == 200
    assert rng.choice(10, replace=False).shape == ()
    with pytest.raises(ValueError, match="at most 10 draws"):
        rng.choice(10, 11, replace=False)


def test_choice_without_replacement_keeps_to_the_probabilities() -> None:
    p = np.array([0.5, 0.0, 0.3, 0.2])
    rng = vt.random.default_rng(21)
    draws = [np.asarray(rng.choice(4, 2, replace=False, p=vt.asarray(p))) for _ in range(3000)]
    counts = np.zeros((4, 4))
    for first, second in draws:
        counts[first, second] += 1
    likely = p[:, None] * p / (1 - p[:, None]) * (1 - np.eye(4))
    assert counts[likely == 0].sum() == 0
    expected = likely[likely > 0] * 3000
    assert 1e-6 < stats.chisquare(counts[likely > 0], expected).pvalue < 1 - 1e-6
    with pytest.raises(ValueError, match="at most 3 draws"):
        rng.choice(4, 4, replace=False, p=vt.asarray(p))
