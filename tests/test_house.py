"""Holds the rules a machine can read: which layer includes which, how large things may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"

# What a layer may include of the house; the seam is all that others see of vulkan/.
LAYERS = {
    "base": ("base/",),
    "tensor": ("base/", "tensor/"),
    "vulkan": ("base/", "tensor/", "vulkan/"),
    "ops": ("base/", "tensor/", "vulkan/device.h", "ops/"),
    "python": ("base/", "tensor/", "vulkan/device.h", "ops/", "python/"),
}
# Foreign headers that belong to one layer.
OWNERS = {
    "volk.h": "vulkan",
    "vulkan/": "vulkan",
    "vk_video/": "vulkan",
    "glslang/": "vulkan",
    "Python.h": "python",
    "structmember.h": "python",
    "numpy/": "python",
}

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 80
MAX_COLUMNS = 100
CODE = (".c", ".h", ".glsl", ".comp", ".py", ".pyi")

pytestmark = pytest.mark.unwatched  # no device takes part


def find_files() -> list[Path]:
    """Every source file with a budget. ops.def is a table, whose row is one line however long."""
    folders = ("csrc", "shaders", "python", "tests")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return sorted(path for path in found if path.suffix in CODE and path.is_file())


def name(path: Path) -> str:
    """The path from the repository's root."""
    return path.relative_to(ROOT).as_posix()


def find_includes(text: str) -> Iterator[tuple[str, str]]:
    """(bracket, header) of each #include line."""
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.MULTILINE):
        yield match.group(1), match.group(2)


def check_include(layer: str, bracket: str, header: str) -> str | None:
    """What is wrong with this include, or None."""
    if bracket == '"':
        allowed = LAYERS[layer]
        if any(header == a or (a.endswith("/") and header.startswith(a)) for a in allowed):
            return None
        return f'includes "{header}"; {layer}/ may include {", ".join(allowed)}'
    for prefix, owner in OWNERS.items():
        if header.startswith(prefix) and layer != owner:
            return f"includes <{header}>, which belongs to {owner}/"
    return None


def blank_c(text: str) -> str:
    """`text` with comments, strings and preprocessor lines blanked, line breaks kept."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))

    tokens = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    text = re.sub(tokens, blank, text, flags=re.DOTALL)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.MULTILINE)


def find_c_functions(text: str) -> Iterator[tuple[str, int]]:
    """(name, lines) of each C or GLSL function: a block at file level behind parameters."""
    text = blank_c(text)
    depth, head_start, start, word = 0, 0, 0, ""
    for match in re.finditer(r"[{};]", text):
        at, token = match.start(), match.group()
        if token == "{":
            if depth == 0:
                head = text[head_start:at]
                call = re.search(r"(\w+)\s*\([^=]*\)\s*$", head)
                word = call.group(1) if call and "=" not in head else ""
                start = at - len(head.lstrip())
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0 and word:
                yield word, text.count("\n", start, at) + 1
        if depth == 0:
            head_start = at + 1


def find_python_functions(text: str) -> Iterator[tuple[str, int]]:
    """(name, lines) of each function, its docstring included."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def measure(path: Path) -> Iterator[tuple[str, int, str]]:
    """(budget, size, where) of the file, its lines and its functions."""
    text = path.read_text()
    lines = text.splitlines()
    yield "file", len(lines), name(path)
    for number, line in enumerate(lines, 1):
        yield "line", len(line), f"{name(path)}:{number}"
    functions = find_python_functions if path.suffix in (".py", ".pyi") else find_c_functions
    for function, size in functions(text):
        yield "function", size, f"{name(path)}: {function}"


def test_every_file_includes_its_own_layer_or_a_lower_one() -> None:
    wrong, numpy_users = [], set()
    files = sorted(path for path in CSRC.rglob("*") if path.suffix in (".c", ".h", ".def"))
    assert files
    for path in files:
        layer = path.relative_to(CSRC).parts[0]
        assert layer in LAYERS, f"{name(path)} is in no layer"
        for bracket, header in find_includes(path.read_text()):
            problem = check_include(layer, bracket, header)
            if problem:
                wrong.append(f"{name(path)} {problem}")
            if header.startswith("numpy/"):
                numpy_users.add(name(path))
    assert not wrong, "\n".join(wrong)
    assert len(numpy_users) <= 1, f"NumPy's headers belong in one file: {sorted(numpy_users)}"


def test_files_functions_and_lines_keep_their_budgets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    caps = {"file": MAX_FILE_LINES, "function": MAX_FUNCTION_LINES, "line": MAX_COLUMNS}
    sizes: dict[str, list[tuple[int, str]]] = {budget: [] for budget in caps}
    for path in find_files():
        for budget, size, where in measure(path):
            sizes[budget].append((size, where))
    with capsys.disabled():
        print()
        for budget, cap in caps.items():
            largest = ", ".join(f"{where} {n}" for n, where in sorted(sizes[budget])[:-4:-1])
            print(f"largest {budget} (at most {cap}): {largest}")
    over = [
        f"{where}: {budget} of {size}, at most {cap}"
        for budget, cap in caps.items()
        for size, where in sizes[budget]
        if size > cap
    ]
    assert not over, "\n".join(over)


def test_rules_notice_what_breaks_them() -> None:
    planted = (
        "static int f(int a,\n    int b)\n{\n" + "    a++; /* } */\n" * 90 + "}\nint t[] = {\n1};\n"
    )
    assert list(find_c_functions(planted)) == [("f", 94)]
    assert list(find_c_functions("float g(float x) { return x; }\nvoid h()\n{\n}\n")) == [
        ("g", 1),
        ("h", 3),
    ]
    assert check_include("tensor", '"', "vulkan/device.h")
    assert check_include("ops", '"', "vulkan/internal.h")
    assert check_include("ops", "<", "volk.h")
    assert check_include("base", "<", "Python.h")
    assert not check_include("ops", '"', "vulkan/device.h")
    assert not check_include("vulkan", "<", "volk.h")
