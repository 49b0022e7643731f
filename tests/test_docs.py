"""The site builds without a warning; what its pages show is what the library does."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vktensor as vt

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
#: Pages with code that is run.
PAGES = ["index", "install", "coming_from", "libraries", "errors", "performance", "reference/numpy"]


@pytest.mark.unwatched  # the notebook runs in a process of its own
def test_the_site_builds_without_a_warning():
    shutil.rmtree(DOCS / "reference" / "generated", ignore_errors=True)
    build = ROOT / "build" / "docs"
    flags = ("-E", "-W", "--keep-going", "-q", "-j", "2", "-d", build / "doctrees")
    command = [sys.executable, "-m", "sphinx", *flags, DOCS, build / "html"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    tour = (build / "html" / "tour.html").read_text()
    assert tour.count('class="cell_output') > 10


@pytest.mark.unwatched
def test_every_public_name_stands_in_the_reference():
    text = "\n".join(path.read_text() for path in (DOCS / "reference").glob("*.rst"))
    named = set(re.findall(r"^   ([\w.]+)$|^\.\. \w+:\w+:: ([\w.]+)", text, re.MULTILINE))
    found = {name for names in named for name in names} | {"Tensor"}
    modules = {"random", "tuning"}
    expected = set(vt.__all__) - modules | {f"Tensor.{name}" for name in dir(vt.Tensor)}
    expected |= {f"{m}.{name}" for m in modules for name in getattr(vt, m).__all__}
    hidden = {name for name in expected if re.fullmatch(r"Tensor\._\w*", name)}
    missing = sorted(expected - hidden - found)
    assert not missing, f"docs/reference lacks {', '.join(missing)}"


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_pages_give_what_they_show(page):
    text = re.sub(r"^```.*$", "", (DOCS / f"{page}.md").read_text(), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {"vt": vt, "np": np}, page, page, 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert results.failed == 0 and results.attempted > 0


# ---- what errors mean ----------------------------------------------------------------------------

COMPUTE = "import vktensor as vt; vt.eval(vt.ones(3) + 1)"
FORK = """
import os, sys, vktensor as vt
vt.eval(vt.ones(3))
pid = os.fork()
if not pid:
    vt.eval(vt.ones(3))
os.waitpid(pid, 0)
sys.exit(1)
"""
NO_DRIVER = {name: "/nonexistent.json" for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES")}
#: Beginning of a message on the page: code that raises it, variables it runs under.
RAISED = {
    "RuntimeError: Vulkan: the loader found no driver": (COMPUTE, NO_DRIVER),
    "RuntimeError: the GPU cannot be used in a forked": (FORK, {}),
    "vktensor.OutOfMemoryError": (COMPUTE, {"vkAllocateMemory": -2}),
    "vktensor.DeviceLostError": (COMPUTE, {"vkQueueSubmit2": -4}),
    "vktensor.KernelCompileError": (COMPUTE, {"vkCreateComputePipelines": -1000012000}),
    "vktensor.VulkanError": (COMPUTE, {"vkCreateSemaphore": -13}),
}


def messages_of_the_page():
    """The messages in text blocks, which take more than an example to be raised."""
    return re.findall(r"^```text\n(.*)\n```$", (DOCS / "errors.md").read_text(), re.MULTILINE)


def failing_loader(folder):
    """A Vulkan loader in `folder` in which a function can be made to fail; the path of the real."""
    mapped = re.search(r"/\S*/libvulkan\.so\S*", Path("/proc/self/maps").read_text())
    target = folder / "libvulkan.so.1"
    source = ROOT / "tests" / "failing_vulkan.c"
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", target], check=True)
    return mapped.group()


@pytest.mark.parametrize("beginning", RAISED)
def test_messages_of_the_page_are_raised(beginning, tmp_path):
    (message,) = (m for m in messages_of_the_page() if m.startswith(beginning))
    code, env = RAISED[beginning]
    if env and env is not NO_DRIVER:
        vt.devices()  # loads Vulkan
        ((function, result),) = env.items()
        env = {"FAILING_FUNCTION": function, "FAILING_RESULT": str(result)}
        env |= {"FAILING_LOADER": failing_loader(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)}
    env = {**os.environ, "VKTENSOR_VALIDATE": "0", **env}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert doctest.OutputChecker().check_output(message, last, doctest.ELLIPSIS), last


@pytest.mark.unwatched
def test_every_message_and_error_class_of_the_page_is_tried():
    found = messages_of_the_page()
    assert sorted(RAISED) == sorted(b for m in found for b in RAISED if m.startswith(b))
    assert len(found) == len(RAISED)
    headings = re.findall(r"^## (\w+)$", (DOCS / "errors.md").read_text(), re.MULTILINE)
    classes = {name for name in vt.__all__ if name.endswith("Error")}
    assert classes == {h for h in headings if h.endswith("Error")}


# ---- performance -------------------------------------------------------------------------------


@pytest.mark.unwatched
def test_the_environment_variables_of_the_page_are_those_of_the_sources():
    folders = {"csrc": "*.[ch]", "python": "*.py", "tests": "*.py"}
    files = [p for folder, names in folders.items() for p in (ROOT / folder).rglob(names)]
    text = "\n".join(path.read_text() for path in [*files, ROOT / "setup.py"])
    page, readme = (p.read_text() for p in (DOCS / "performance.md", ROOT / "README.md"))
    tables = [re.findall(r"^\| `VKTENSOR.*", page, re.MULTILINE) for page in (page, readme)]
    named, told = (set(re.findall(r"`(VKTENSOR_\w+)", "\n".join(rows))) for rows in tables)
    read = set(re.findall(r"(?:getenv\(|environ\S*?[\[(])\"(VKTENSOR_\w+)\"", text))
    assert named == read
    assert told == {name for name in read if not name.startswith("VKTENSOR_INDEX")}
    values = set(re.findall(r"=([a-z]\w+)`", "\n".join(tables[0] + tables[1])))
    assert len(values) >= 8
    core = "\n".join(path.read_text() for path in (ROOT / "csrc").rglob("*.c"))
    unknown = {value for value in values if f'"{value}"' not in core}
    assert unknown == {"gpu"}  # which is anything but "cpu"


# ---- coming from others --------------------------------------------------------------------------


def rows_of_the_tables():
    """(library, its expression, ours, note) of each row of the tables of names."""
    found, library = [], ""
    for line in (DOCS / "coming_from.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if "vktensor" in cells:
            library = cells[0]  # "" above a table of what is otherwise
        elif library and len(cells) == 3 and cells[0].startswith("`"):
            found.append((library, cells[0].strip("`"), cells[1].strip("`"), cells[2]))
    return found


def values():
    """What the letters of the tables stand for, as NumPy's arrays."""
    rng = np.random.default_rng(5)
    return {
        "a": rng.random((4, 4), np.float32),
        "b": rng.random((4, 4), np.float32),
        "row": rng.random(4, np.float32),
        "i": np.array([2, 0, 3, 1]),
        "n": np.array([3, 1, 3, 7, 1]),
        "m": rng.random((4, 4)) < 0.5,
    }


def outcome(text, names):
    """The value of an expression, or the variables after a statement."""
    try:
        code = compile(text, text, "eval")
    except SyntaxError:
        exec(text, names)
        return [names["a"], names["row"]]
    return eval(code, names)


def assert_alike(ours, theirs, only_shape):
    """Both give the same numbers, alone or in a tuple."""
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_alike(one, other, only_shape)
    elif theirs is None:
        assert ours is None
    else:
        one, other = np.asarray(ours), np.asarray(theirs)
        assert one.shape == other.shape and one.dtype.kind == other.dtype.kind
        if not only_shape:
            np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("row", rows_of_the_tables(), ids=lambda row: f"{row[0]}: {row[1]}")
def test_what_the_tables_put_side_by_side_is_the_same(row):
    library, theirs, ours, note = row
    limit = vt.memory_stats()["limit"]
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    tensors = {name: vt.asarray(value, copy=True) for name, value in values().items()}
    got = outcome(ours, {"vt": vt, "np": np, "x": x.copy(), **tensors})
    vt.set_memory_limit(limit)
    if library == "NumPy":  # the others are not installed everywhere; ours runs all the same
        expected = outcome(theirs, {"np": np, "x": x, **values()})
        assert_alike(got, expected, note.startswith("other values"))


@pytest.mark.unwatched
def test_the_tables_are_read():
    found = [row[0] for row in rows_of_the_tables()]
    assert {"NumPy", "CuPy", "PyTorch"} == set(found) and len(found) > 100
