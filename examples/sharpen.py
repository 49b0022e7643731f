"""Sharpens a photograph (scikit-learn's china.jpg) on the device: separable Gaussian blur, unsharp
mask, edges; writes PNGs.

    python examples/sharpen.py [OUT_DIRECTORY]
"""

from __future__ import annotations

import math
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_image

import vktensor as vt


def blur(image: vt.Tensor, sigma: float) -> vt.Tensor:
    """Gaussian blur of an (H, W, C) image, edges repeated; each pass is a weighted sum of shifted
    views."""
    radius = max(1, round(3 * sigma))
    taps = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-radius, radius + 1)]
    for axis in (0, 1):
        n = image.shape[axis]
        index = vt.clip(vt.arange(-radius, n + radius), 0, n - 1)
        padded = vt.take(image, index, axis=axis)
        before = (slice(None),) * axis
        total = vt.zeros_like(image)
        for i, tap in enumerate(taps):
            total = total + padded[(*before, slice(i, i + n))] * (tap / sum(taps))
        image = total
    return image


def edges(image: vt.Tensor) -> vt.Tensor:
    """The gradient's magnitude of the luminance of an (H, W, 3) image, scaled to 0..1."""
    weights = vt.asarray(np.array([0.299, 0.587, 0.114], np.float32))
    grey = vt.sum(image * weights, axis=2)
    dx = grey[1:-1, 2:] - grey[1:-1, :-2]
    dy = grey[2:, 1:-1] - grey[:-2, 1:-1]
    strength = vt.hypot(dx, dy)
    return strength / vt.max(strength)


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Writes (H, W) grey or (H, W, 3) colour uint8 pixels as PNG (RFC 2083)."""
    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def to_pixels(image: vt.Tensor) -> np.ndarray:
    """0..1 to 0..255."""
    return np.asarray(vt.astype(vt.round(vt.clip(image, 0.0, 1.0) * 255), vt.uint8))


def main() -> int:
    """Filters the picture and says where the results lie."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    out.mkdir(parents=True, exist_ok=True)
    picture = load_sample_image("china.jpg")
    began = time.perf_counter()
    image = vt.astype(vt.asarray(picture), vt.float32) / 255
    sharp = image + 1.5 * (image - blur(image, 2.0))
    sharp_pixels, edge_pixels = to_pixels(sharp), to_pixels(edges(image))
    seconds = time.perf_counter() - began
    write_png(out / "china-sharp.png", sharp_pixels)
    write_png(out / "china-edges.png", edge_pixels)
    print(
        f"{picture.shape[1]} x {picture.shape[0]} picture filtered in {seconds:.2f} s on "
        f"{vt.default_device().name}: {out / 'china-sharp.png'}, {out / 'china-edges.png'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
