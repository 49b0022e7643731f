"""Trains a two-layer network on the UCI digits (1,797 images of 8 x 8) with gradients by hand, and
compares with NumPy.

The network and the loop are written once, for a namespace `xp` that is NumPy or vktensor.
    python examples/digits.py [--epochs N] [--hidden N]
"""

from __future__ import annotations

import argparse
import sys
import time
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import vktensor as vt

Array = Any


def progress(label: str, done: int, total: int, loss: float) -> None:
    """A one-line bar on a terminal; a line every ten epochs elsewhere."""
    filled = 30 * done // total
    bar = "#" * filled + "." * (30 - filled)
    line = f"{label:<9} [{bar}] epoch {done:3d}/{total}  loss {loss:.4f}"
    if sys.stderr.isatty():
        print(f"\r{line}", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done % 10 == 0 or done == total:
        print(line, file=sys.stderr, flush=True)


def forward(xp: ModuleType, weights: list[Array], x: Array) -> tuple[Array, Array]:
    """The hidden layer and the class probabilities for images `x`."""
    w1, b1, w2, b2 = weights
    hidden = xp.maximum(x @ w1 + b1, 0)
    scores = hidden @ w2 + b2
    scores = xp.exp(scores - xp.max(scores, axis=1, keepdims=True))
    return hidden, scores / xp.sum(scores, axis=1, keepdims=True)


def train(
    xp: ModuleType, start: list[np.ndarray], x: np.ndarray, y: np.ndarray, epochs: int, name: str
) -> tuple[list[Array], float]:
    """Mini-batch gradient descent with momentum on cross entropy; gives the weights and the seconds
    it took."""
    rate, momentum, batch = 0.1, 0.9, 128
    weights = [xp.asarray(w.copy()) for w in start]
    speeds = [xp.zeros_like(w) for w in weights]
    images = xp.asarray(x)
    targets = xp.asarray(np.eye(10, dtype=np.float32)[y])
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    for epoch in range(1, epochs + 1):
        order = xp.asarray(rng.permutation(len(y)))
        shuffled_x = xp.take(images, order, axis=0)
        shuffled_t = xp.take(targets, order, axis=0)
        losses = []
        for first in range(0, len(y) - batch + 1, batch):
            xb = shuffled_x[first : first + batch]
            tb = shuffled_t[first : first + batch]
            hidden, p = forward(xp, weights, xb)
            losses.append(-xp.sum(tb * xp.log(p + 1e-12)) / batch)
            d_scores = (p - tb) / batch
            d_hidden = (d_scores @ weights[2].T) * (hidden > 0)
            gradients = [
                xb.T @ d_hidden,
                xp.sum(d_hidden, axis=0),
                hidden.T @ d_scores,
                xp.sum(d_scores, axis=0),
            ]
            for weight, speed, gradient in zip(weights, speeds, gradients, strict=True):
                speed *= momentum
                speed -= rate * gradient
                weight += speed
        progress(name, epoch, epochs, float(sum(losses)) / len(losses))
    weights = [xp.asarray(np.asarray(w)) for w in weights]
    return weights, time.perf_counter() - began


def accuracy(xp: ModuleType, weights: list[Array], x: np.ndarray, y: np.ndarray) -> float:
    """The share of images whose most probable class is right."""
    _, p = forward(xp, weights, xp.asarray(x))
    return float(np.mean(np.asarray(xp.argmax(p, axis=1)) == y))


def main() -> int:
    """Trains with both and prints what each reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden", type=int, default=64)
    options = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(
        images, labels, test_size=0.25, random_state=0, stratify=labels
    )
    rng = np.random.default_rng(7)
    n = options.hidden
    start = [
        (rng.standard_normal((64, n)) * np.sqrt(2 / 64)).astype(np.float32),
        np.zeros(n, np.float32),
        (rng.standard_normal((n, 10)) * np.sqrt(2 / n)).astype(np.float32),
        np.zeros(10, np.float32),
    ]
    device = vt.default_device()
    print(f"{len(y)} training and {len(y_test)} test images; device: {device.name} ({device.kind})")
    reached = {}
    for name, xp in (("NumPy", np), ("vktensor", vt)):
        weights, seconds = train(xp, start, x, y, options.epochs, name)
        reached[name] = accuracy(xp, weights, x_test, y_test)
        print(f"{name:<9} test accuracy {reached[name]:.2%}   {seconds:7.2f} s")
    if abs(reached["vktensor"] - reached["NumPy"]) > 0.01 or reached["vktensor"] < 0.95:
        print("the accuracies differ by more than 1 %, or are below 95 %", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
