"""Tensors in .npy and .npz files: NumPy's bytes both ways, in pieces, and hostile files refused."""

from __future__ import annotations

import io
import os
import pathlib
import re
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vktensor as vt
from vktensor import _core, _npy

BFLOAT16 = vt.bfloat16.dtype
DTYPES = [np.dtype(name) if name != "bfloat16" else BFLOAT16 for name in _core.dtypes()]
LAYOUTS = {
    "c order": lambda a: a,
    "fortran order": lambda a: a.T,
    "a view": lambda a: a[:, ::-2],
    "broadcast": lambda a: np.broadcast_to(a[:, :1], a.shape),
    "one axis": lambda a: a.reshape(-1),
    "no axes": lambda a: a.reshape(-1)[3].reshape(()),
    "no elements": lambda a: a[:0],
}
FUZZ = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def filled(dtype, shape=(6, 8)):
    """Small whole numbers of any dtype."""
    return (np.arange(np.prod(shape)) % 50).reshape(shape).astype(dtype)


def saved(save, *args, **kwargs):
    """The bytes that `save` writes."""
    file = io.BytesIO()
    save(file, *args, **kwargs)
    return file.getvalue()


def load(data, **kwargs):
    return vt.load(io.BytesIO(data), **kwargs)


def npy(header, data=b"", version=(1, 0)):
    """A file with this text as its header."""
    text = header.encode() if isinstance(header, str) else header
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def head(descr="'<f4'", fortran_order="False", shape="(2,)"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n"


def repack(data, change):
    """The archive with `change(info, bytes)` applied to its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            change(target, info, source.read(info))
    return out.getvalue()


class Stream:
    """A file that can only be read, a few bytes at a time."""

    def __init__(self, data, step=1000):
        self._file, self._step = io.BytesIO(data), step

    def read(self, n=-1):
        return self._file.read(min(n, self._step))


@contextmanager
def limit(nbytes):
    """Device memory is short."""
    before = vt.memory_stats()["limit"]
    vt.empty_cache()
    vt.set_memory_limit(nbytes)
    try:
        yield
    finally:
        vt.set_memory_limit(before)


# ---- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_numpy_saves_is_loaded_and_saved_byte_for_byte(dtype, layout):
    a = LAYOUTS[layout](filled(dtype))
    data = saved(np.save, a)
    t = load(data)
    assert t.dtype == a.dtype and t.shape == a.shape
    assert np.array_equal(t.numpy(), a)
    assert saved(vt.save, t) == data
    # A view of the device, not a fresh tensor.
    if layout != "broadcast":
        view = LAYOUTS[layout](vt.asarray(filled(dtype)))
        assert saved(vt.save, view) == data


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_numpy_loads_what_is_saved(dtype):
    a = filled(dtype)
    found = np.load(io.BytesIO(saved(vt.save, vt.asarray(a))))
    assert np.array_equal(found.view(dtype), a)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.itemsize > 1 and d != BFLOAT16], ids=str)
def test_foreign_byte_order_is_swapped(dtype):
    a = filled(dtype)
    t = load(saved(np.save, a.astype(dtype.newbyteorder(">"))))
    assert t.dtype == dtype and np.array_equal(t.numpy(), a)
    assert load(saved(np.save, a.astype(dtype.newbyteorder(">")).T)).shape == (8, 6)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)], ids=str)
def test_every_version_of_the_format_is_read(version):
    file = io.BytesIO()
    np.lib.format.write_array(file, filled("int16"), version=version)
    assert np.array_equal(load(file.getvalue()).numpy(), filled("int16"))


@pytest.mark.parametrize("stored", ["<f8", ">f8", "<i2", "|b1"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "bfloat16", "float64"])
def test_elements_are_converted_as_they_are_read(stored, dtype):
    a = filled(stored)
    t = load(saved(np.save, a), dtype=dtype)
    assert t.dtype == getattr(vt, dtype)
    assert np.array_equal(t.numpy(), a.astype(t.dtype))


def test_bytes_without_a_type_are_bfloat16_where_that_is_asked_for():
    a = filled(BFLOAT16)
    data = saved(np.save, np.load(io.BytesIO(saved(np.save, a))))
    assert b"'|V2'" in data
    with pytest.raises(ValueError, match=r"dtype '\|V2' \(untyped bytes\): give dtype='bfloat16'"):
        load(data)
    assert np.array_equal(load(data, dtype=vt.bfloat16).numpy(), a)


def test_what_is_not_computed_yet_and_what_is_no_tensor_are_saved():
    a = vt.asarray(filled("float32"))
    assert saved(vt.save, vt.sin(a) + 1) == saved(np.save, (vt.sin(a) + 1).numpy())
    assert saved(vt.save, [1, 2, 3]) == saved(np.save, [1, 2, 3])
    with pytest.raises(TypeError, match="dtype object is not supported"):
        vt.save(io.BytesIO(), [object()])


@pytest.mark.parametrize("transform", [lambda t: t, lambda t: t[:, ::3], lambda t: t.T[2:]])
def test_arrays_of_many_pieces_are_put_together(transform, monkeypatch):
    monkeypatch.setattr(_npy, "PIECE", 1000)
    monkeypatch.setattr(_npy, "STEP", 300)
    a = filled("int32", (37, 211))
    data = saved(vt.save, transform(vt.asarray(a)))
    assert data == saved(np.save, transform(a))
    for file in (io.BytesIO(data), Stream(data), io.BufferedReader(io.BytesIO(data))):
        assert np.array_equal(vt.load(file).numpy(), transform(a))
    assert np.array_equal(load(data, dtype="float64").numpy(), transform(a))


def test_arrays_in_one_file_are_loaded_one_after_the_other(tmp_path):
    with open(tmp_path / "three", "w+b") as file:
        for i in range(3):
            vt.save(file, vt.full((i + 1,), i))
        np.save(file, np.arange(3))
        file.seek(0)
        assert [vt.load(file).tolist() for _ in range(2)] == [[0], [1, 1]]
        assert np.load(file).tolist() == [2, 2, 2]
        assert vt.load(file).tolist() == [0, 1, 2]
        with pytest.raises(EOFError, match="three: expected 6 bytes of magic string, got 0"):
            vt.load(file)


@pytest.mark.parametrize("buffering", [0, -1])
def test_long_arrays_are_written_behind_what_a_file_holds(tmp_path, buffering):
    a = filled("float32", (5 << 20,))  # 20 MiB
    with open(tmp_path / "a", "w+b", buffering=buffering) as file:
        file.write(b"before")
        vt.save(file, vt.asarray(a))
        vt.save(file, vt.asarray(a)[::-1])
        assert file.tell() == os.stat(tmp_path / "a").st_size == 6 + 2 * (128 + a.nbytes)
        file.seek(6)
        assert np.array_equal(np.load(file), a)
        assert np.array_equal(vt.load(file).numpy(), a[::-1])


def test_a_pipe_is_read_and_written():
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb", buffering=0) as target:
        vt.save(target, vt.arange(100))
        assert vt.load(source).tolist() == list(range(100))


# ---- paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
def test_paths_of_every_kind_get_the_suffix_numpy_gives(tmp_path, kind):
    for name, there in [("a", "a.npy"), ("b.npy", "b.npy"), ("c.dat", "c.dat.npy")]:
        vt.save(kind(str(tmp_path / name)), vt.arange(3))
        assert vt.load(kind(str(tmp_path / there))).tolist() == [0, 1, 2]
    vt.savez(kind(str(tmp_path / "d")), vt.arange(3))
    with vt.load(kind(str(tmp_path / "d.npz"))) as found:
        assert found["arr_0"].tolist() == [0, 1, 2]
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy", "c.dat.npy", "d.npz"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    vt.save(path, vt.arange(3))
    os.chmod(path, 0o640)

    def fail(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_npy, "_blocks", fail)
        for save in (vt.save, vt.savez):
            with pytest.raises(KeyboardInterrupt):
                save(path, vt.arange(4))
    assert vt.load(path).tolist() == [0, 1, 2]
    assert os.listdir(tmp_path) == ["a.npy"]
    vt.save(path, vt.arange(4))
    assert vt.load(path).tolist() == [0, 1, 2, 3]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    vt.save(tmp_path / "a.npy", vt.arange(3))
    (tmp_path / "plain").touch()
    modes = [os.stat(tmp_path / name).st_mode for name in ("a.npy", "plain")]
    assert modes[0] == modes[1]


def test_a_link_stays_a_link_and_special_files_are_written_into(tmp_path):
    vt.save(tmp_path / "a.npy", vt.arange(3))
    (tmp_path / "link.npy").symlink_to("a.npy")
    vt.save(tmp_path / "link.npy", vt.arange(4))
    assert (tmp_path / "link.npy").is_symlink()
    assert vt.load(tmp_path / "a.npy").tolist() == [0, 1, 2, 3]
    (tmp_path / "null.npy").symlink_to("/dev/null")
    vt.save(tmp_path / "null.npy", vt.arange(4))
    assert os.path.realpath(tmp_path / "null.npy") == "/dev/null"
    with pytest.raises(IsADirectoryError):
        os.mkdir(tmp_path / "folder.npy")
        vt.save(tmp_path / "folder.npy", vt.arange(4))


def test_a_full_disk_is_an_os_error_and_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="No space left"), open("/dev/full", "wb") as file:
        vt.save(file, vt.arange(3))
    program = (
        "import resource, signal, sys, vktensor as vt\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (24 << 20,) * 2)\n"
        "for save in (vt.save, vt.savez):\n"
        "    try:\n"
        "        save(sys.argv[1], vt.zeros(8 << 20))\n"
        "    except OSError:\n"
        "        print('refused')\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "a"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.stdout.split(), done.stderr) == (["refused"] * 2, "")
    assert os.listdir(tmp_path) == []


def test_a_reader_keeps_the_file_it_opened(tmp_path):
    path = tmp_path / "a.npz"
    vt.savez(path, a=vt.arange(3))
    with vt.load(path) as before:
        vt.savez(path, a=vt.arange(4))
        assert before["a"].tolist() == [0, 1, 2]


# ---- archives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("save", ["savez", "savez_compressed"])
def test_archives_of_both_libraries_are_read_by_both(save):
    arrays = {str(d): filled(d) for d in DTYPES} | {"no axes": np.float32(3), "a/b": filled("f4").T}
    tensors = {name: vt.asarray(a) for name, a in arrays.items()}
    tensors["a/b"] = vt.asarray(filled("f4")).T
    theirs = saved(getattr(np, save), np.arange(3), **arrays)
    ours = saved(getattr(vt, save), vt.arange(3), **tensors)
    with zipfile.ZipFile(io.BytesIO(theirs)) as first, zipfile.ZipFile(io.BytesIO(ours)) as second:
        assert first.namelist() == second.namelist()
        assert all(first.read(name) == second.read(name) for name in first.namelist())
        assert not second.testzip()
    assert np.load(io.BytesIO(ours))["arr_0"].tolist() == [0, 1, 2]
    with load(theirs) as found:
        for name, a in arrays.items():
            assert found[name].dtype == a.dtype and np.array_equal(found[name].numpy(), a)
            assert np.array_equal(found[name + ".npy"].numpy(), a)


def test_an_archive_is_a_mapping_that_reads_what_is_asked_for():
    data = saved(vt.savez, vt.arange(3), b=vt.ones((2, 2)))
    with load(data) as found:
        assert found.files == list(found) == ["b", "arr_0"] and len(found) == 2
        assert "b" in found and "b.npy" in found and "c" not in found and 3 not in found
        assert [x.shape for x in found.values()] == [(2, 2), (3,)]
        assert found["b"] is not found["b"]
        assert found.get("c") is None
        assert repr(found) == "NpzFile('<BytesIO>', keys: b, arr_0)"
        with pytest.raises(KeyError):
            found["c"]
    with pytest.raises(ValueError, match="<BytesIO> is closed"):
        found["b"]
    found.close()
    with load(data, dtype="float16") as found:
        assert found["arr_0"].dtype == np.float16


def test_an_empty_archive_has_no_names():
    with load(saved(vt.savez)) as found:
        assert found.files == []


def test_a_file_object_stays_open_and_a_path_does_not(tmp_path):
    vt.savez(tmp_path / "a.npz", vt.arange(3))
    with open(tmp_path / "a.npz", "rb") as file:
        with vt.load(file) as found:
            assert found["arr_0"].tolist() == [0, 1, 2]
        assert not file.closed
    found = vt.load(tmp_path / "a.npz")
    file = found._file
    found.close()
    assert file.closed


def test_savez_refuses_a_name_given_twice():
    with pytest.raises(ValueError, match="arr_0 is the name of an unnamed tensor and of a named"):
        vt.savez(io.BytesIO(), vt.arange(3), arr_0=vt.arange(3))


@pytest.mark.parametrize("name", ["../a", "/a", "a/./b", "C:/a", "a\\..\\b"])
def test_savez_refuses_names_that_load_would_refuse(name):
    with pytest.raises(ValueError, match="savez: expected a name that leads out of no folder"):
        vt.savez(io.BytesIO(), **{name: vt.arange(3)})


# ---- memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [None, "float64"])
def test_the_host_holds_pieces_only(tmp_path, dtype, monkeypatch):
    monkeypatch.setattr(_npy, "PIECE", 4 << 20)
    a = filled("float32", (32 << 18,))  # 32 MiB
    np.save(tmp_path / "a.npy", a)
    tracemalloc.start()
    try:
        t = vt.load(tmp_path / "a.npy", dtype=dtype)
        vt.save(tmp_path / "b.npy", t[::-1])
        vt.savez(tmp_path / "c.npz", t)
        with vt.load(tmp_path / "c.npz") as found:
            again = found["arr_0"]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * _npy.PIECE + (4 << 20)
    assert np.array_equal(t.numpy(), a) and np.array_equal(again.numpy(), a)
    assert np.array_equal(np.load(tmp_path / "b.npy"), a[::-1])


def test_device_memory_is_that_of_the_tensor(tmp_path, monkeypatch):
    monkeypatch.setattr(_npy, "PIECE", 4 << 20)
    a = filled("float32", (24 << 18,))
    np.save(tmp_path / "a.npy", a)
    with limit(40 << 20):
        for dtype in (None, "int32"):
            assert vt.load(tmp_path / "a.npy", dtype=dtype)[-5:].tolist() == [*a[-5:]]
        with pytest.raises(vt.OutOfMemoryError):
            vt.load(tmp_path / "a.npy", dtype="float64")


def test_a_file_that_is_read_while_it_is_cut_short_ends_early(tmp_path):
    data = saved(np.save, filled("float32"))
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    with open(path, "r+b", buffering=0) as file:
        source = _npy.Source(file, "a.npy", _npy.count_left(file))
        os.truncate(path, 150)
        with pytest.raises(EOFError, match="a.npy: expected 192 bytes of elements, got 22"):
            _npy.read_array(source, None, None)


STAGED = """
import io, numpy as np, vktensor as vt
from vktensor import _core, _npy
_npy.PIECE = 1 << 17
rng = np.random.default_rng(0)
a = rng.integers(-100, 100, (300, 301)).astype(np.float32)
try:
    vt.asarray(a).__array__(copy=False)
except ValueError:
    print("staged")
for x in (a, a.T, a[::3], a.astype(">f8"), a.astype(vt.bfloat16.dtype)):
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    t = vt.load(file)
    assert np.array_equal(t.numpy(), x)
    for save in (vt.save, vt.savez_compressed):
        again = io.BytesIO()
        save(again, t[:, ::-1])
        again.seek(0)
        found = vt.load(again, dtype="float32")
        found = found if save is vt.save else found["arr_0"]
        assert np.array_equal(found.numpy(), x[:, ::-1].astype(np.float32))
print("same")
"""


def run(program, **variables):
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **variables},
    )
    return done.stdout.split(), done.stderr


def test_files_pass_a_bus_in_pieces():
    assert run(STAGED, VKTENSOR_TRANSFERS="staged") == (["staged", "same"], "")


WITHOUT = """
import io, numpy as np, vktensor as vt
file = io.BytesIO()
np.save(file, np.arange(5.0) / 3)
file.seek(0)
try:
    vt.load(file)
except TypeError as error:
    print("no float64" in str(error) and "refused")
file.seek(0)
print(np.array_equal(vt.load(file, dtype="float32").numpy(), (np.arange(5.0) / 3).astype("f4")))
"""


def test_float64_is_loaded_as_float32_where_there_is_none():
    assert run(WITHOUT, VKTENSOR_WITHOUT="float64") == (["refused", "True"], "")


# ---- hostile .npy -------------------------------------------------------------------------------

MANY = ", ".join(["1"] * 17)
HOSTILE = [
    # what it is, the file, the error, its text
    ("nothing", b"", EOFError, "expected 6 bytes of magic string, got 0"),
    ("half a magic string", b"\x93NU", EOFError, "expected 6 bytes of magic string, got 3"),
    ("a pickle", b"\x80\x04\x95\x00\x00\x00\x00.", ValueError, "expected a .npy or .npz file"),
    ("no version", b"\x93NUMPY\x01", EOFError, "expected 2 bytes of magic string and version"),
    ("version 4.0", npy(head(), b"", (4, 0)), ValueError, "expected version 1.0, 2.0 or 3.0"),
    ("version 1.1", npy(head(), b"", (1, 1)), ValueError, "expected version .* got 1.1"),
    ("a long header", npy(" " * 10_001), ValueError, "header of at most 10000 bytes, got 10001"),
    ("4 GiB of header", b"\x93NUMPY\x02\x00\xff\xff\xff\xff", ValueError, "got 4294967295"),
    ("half a header", npy(head())[:40], EOFError, "bytes of header, got 30"),
    ("a line too many", npy("\n" + head()), ValueError, "unexpected line break at its start"),
    ("no dict", npy("[1, 2]"), ValueError, "unexpected '\\[1, 2\\]'"),
    ("a call", npy(head(descr="exit()")), ValueError, "unexpected .exit"),
    ("an import", npy("__import__('os').system('true')"), ValueError, "unexpected .__import__"),
    ("brackets", npy("(" * 9999), ValueError, "expected {, got \\("),
    ("minus signs", npy(head(shape="(" + "-" * 9000 + "1,)")), ValueError, "unexpected '---"),
    ("objects", npy(head(descr="'|O'")), ValueError, "'|O' \\(Python objects, which only pickle"),
    ("strings", npy(head(descr="'<U5'")), ValueError, "dtype '<U5' \\(strings\\)"),
    ("dates", npy(head(descr="'<M8[ns]'")), ValueError, "no tensors of dtype '<M8"),
    ("wide floats", npy(head(descr="'<f16'")), ValueError, "'<f16' \\(a float of another width"),
    ("void", npy(head(descr="'|V7'")), ValueError, "'\\|V7' \\(untyped bytes\\)$"),
    ("fields", npy(head(descr="[('a', '<f4')]")), ValueError, "structured dtypes"),
    ("not a descr", npy(head(descr="'float32'")), ValueError, "no tensors of dtype 'float32'"),
    ("a key too many", npy(head()[:-2] + "'x': 1}"), ValueError, "expected .* got 'x"),
    ("a key twice", npy(head()[:-2] + "'shape': (1,)}"), ValueError, "shape stands there twice"),
    ("a key missing", npy("{'descr': '<f4'}"), ValueError, "fortran_order and shape missing"),
    ("more behind it", npy(head() + "1"), ValueError, "expected its end, got 1"),
    ("unfinished", npy("{'descr': '<f4'"), ValueError, "expected , or }, got its end"),
    ("a negative length", npy(head(shape="(-1,)")), ValueError, "unexpected '-1"),
    ("2**63", npy(head(shape=f"({2**63},)")), ValueError, "expected lengths from 0 to 2\\*\\*63"),
    ("a huge number", npy(head(shape="(" + "9" * 400 + ",)")), ValueError, "header is not sound"),
    ("a float length", npy(head(shape="(1.5,)")), ValueError, "unexpected '.5"),
    ("a true length", npy(head(shape="(True,)")), ValueError, "expected lengths .* got True"),
    ("no tuple", npy(head(shape="(2)")), ValueError, "expected a tuple as shape"),
    ("a bare length", npy(head(shape="2")), ValueError, "expected a shape, got 2"),
    ("an order of 1", npy(head(fortran_order="1")), ValueError, "expected a fortran_order, got 1"),
    ("a wrapped size", npy(head(shape=f"({2**32}, {2**32}, 4)")), EOFError, "got 0$"),
    ("2 EiB", npy(head(shape=f"({2**61 - 1},)"), b"1234"), EOFError, "got 4$"),
    ("one byte too few", npy(head(), b"1234567"), EOFError, "expected 8 bytes .* got 7$"),
    ("17 axes", npy(head(shape=f"({MANY})"), b"1234"), ValueError, "at most 16 dimensions, got 17"),
    ("nothing but large", npy(head(shape=f"(0, {2**62}, {2**62})")), ValueError, "is too large"),
    ("foreign letters", npy("{'descr': '\xff'}", b"", (3, 0)), ValueError, "no tensors|missing"),
    ("broken UTF-8", npy(b"{'\xff", b"", (3, 0)), ValueError, "the header is not sound"),
]


@pytest.mark.parametrize(
    ("data", "error", "text"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_hostile_files_are_refused_before_memory_is_taken(tmp_path, data, error, text):
    (tmp_path / "bad.npy").write_bytes(data)
    with limit(1 << 20), pytest.raises(error, match=f"^load: .*bad.npy: .*(?:{text})"):
        vt.load(tmp_path / "bad.npy")
    with limit(32 << 20), pytest.raises((ValueError, EOFError)):
        vt.load(Stream(data))
    if data.startswith(b"\x93NUMPY"):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr("bad.npy", data)
        with load(archive.getvalue()) as found, pytest.raises((ValueError, EOFError)):
            found["bad"]
    assert vt.load(io.BytesIO(saved(np.save, [1, 2]))).tolist() == [1, 2]


def test_a_stream_that_claims_too_much_takes_little_memory():
    file = Stream(npy(head(shape=f"({2**33},)"), bytes(100_000)), step=1 << 20)
    with limit(80 << 20), pytest.raises(EOFError, match="<Stream>: expected .* bytes of elements"):
        vt.load(file)


def test_bytes_behind_an_array_are_left_alone():
    assert load(saved(np.save, [1, 2]) + b"more").tolist() == [1, 2]


def test_pickles_are_never_loaded():
    with pytest.raises(ValueError, match="expected allow_pickle=False"):
        load(saved(np.save, [1]), allow_pickle=True)
    data = saved(np.save, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects, which only pickle reads"):
        load(data, allow_pickle=False)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ("text", TypeError, "expected a file that gives bytes, got str"),
        (b"x" * 100, ValueError, "expected up to 6 bytes, got 100"),
        (None, TypeError, "got NoneType"),
    ],
)
def test_file_objects_that_lie_are_refused(answer, error, text):
    class Liar:
        name = "liar"

        def read(self, n=-1):
            return answer

    with pytest.raises(error, match=f"load: liar: .*{text}"):
        vt.load(Liar())


def test_what_is_no_file_is_a_type_error():
    for call in (lambda: vt.load(3.5), lambda: vt.save(3.5, [1]), lambda: vt.savez([1], [1])):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(FileNotFoundError, match="no such file.npy"):
        vt.load("no such file.npy")
    with pytest.raises(FileNotFoundError, match="no such folder/a.npy"):
        vt.save("no such folder/a", [1])


# ---- hostile .npz -------------------------------------------------------------------------------


def patch_directory(data, change):
    """The archive with `change` applied to the fields of its first member in the directory."""
    at = data.index(b"PK\x01\x02")
    fields = list(struct.unpack_from("<4s6H3L5H2L", data, at))
    change(fields)
    return data[:at] + struct.pack("<4s6H3L5H2L", *fields) + data[at + 46 :]


def named(*names):
    def make():
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                archive.writestr(zipfile.ZipInfo(name), saved(np.save, np.arange(4)))
        return out.getvalue()

    return make


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["/etc/a.npy"], "expected a name inside the archive, got '/etc/a.npy'"),
        (["../a.npy"], "expected a name inside"),
        (["a/../../b.npy"], "expected a name inside"),
        (["C:\\a.npy"], "expected a name inside"),
        (["..\\a.npy"], "expected a name inside"),
        (["a/"], "expected a name inside"),
        (["a.npy", "a.npy"], "a stands there twice"),
        (["a.npy", "a"], "a stands there twice"),
    ],
    ids=str,
)
def test_archives_with_strange_names_are_refused(names, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        load(named(*names)())


def set_field(i, value):
    def change(fields):
        fields[i] = value

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (set_field(3, 1), "a.npy is encrypted"),
        (set_field(4, 12), "expected stored or deflated, got 12"),
        (set_field(4, 99), "expected stored or deflated, got 99"),
        (set_field(9, 1 << 30), "expected at most 160 bytes of 160 packed ones, got 1073741824"),
        (set_field(8, 1 << 30), "expected members of at most"),
        (set_field(7, 1), "Bad CRC-32"),
        (set_field(7 + 9, 7), "not sound"),
    ],
)
def test_archives_whose_directory_lies_are_refused(change, text):
    data = patch_directory(named("a.npy")(), change)
    with limit(1 << 20), pytest.raises((ValueError, EOFError), match=text), load(data) as found:
        found["a"]


def test_members_that_cover_the_same_bytes_are_refused():
    data = named("a.npy", "b.npy", "c.npy")()
    first = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entries = data[first:end]
    size = len(entries) // 3
    # 40 entries of one member's bytes.
    one = entries[:size]
    names = [f"{i:05}" for i in range(40)]
    copies = b"".join(one.replace(b"a.npy", name.encode()) for name in names)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 40, 40, len(copies), first, 0)
    with pytest.raises(ValueError, match="expected members of at most .* bytes in all|twice"):
        load(data[:first] + copies + tail)


def test_a_flipped_byte_fails_the_checksum():
    for save in (vt.savez, vt.savez_compressed):
        data = bytearray(saved(save, a=vt.arange(1000)))
        at = data.index(b"PK\x01\x02") - 100
        data[at] ^= 0x40
        with (
            load(bytes(data)) as found,
            pytest.raises((ValueError, EOFError), match="a.npy: .*(not sound|expected)"),
        ):
            found["a"]


def test_a_checksum_covers_what_stands_behind_the_array():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.npy", saved(np.save, [1, 2]) + b"tail")
    data = out.getvalue()
    with load(data) as found:
        assert found["a"].tolist() == [1, 2]
    with (
        load(data.replace(b"tail", b"fail")) as found,
        pytest.raises(ValueError, match="Bad CRC-32"),
    ):
        found["a"]


def test_a_bomb_takes_no_more_memory_than_deflate_allows():
    zeros = npy(head(shape=f"({2**40},)"), bytes(1 << 20))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", zeros)
    with limit(1 << 20), load(out.getvalue()) as found, pytest.raises(EOFError, match="got 104"):
        found["a"]


def test_zeros_are_packed_as_tightly_as_they_can_be_and_loaded():
    data = saved(vt.savez_compressed, a=vt.zeros(8 << 20, dtype="uint8"))
    assert len(data) < (8 << 20) / 900
    with load(data) as found:
        assert not found["a"].any()


# ---- fuzz ---------------------------------------------------------------------------------------

SEEDS = [
    saved(np.save, filled("float32")),
    saved(np.save, filled(">i2").T),
    saved(np.save, filled("bool")),
    npy(head(), bytes(8), (3, 0)),
    saved(np.savez, filled("int8"), b=filled("float16")),
    saved(np.savez_compressed, filled("complex64"), b=filled("int64")),
]


@st.composite
def mutated(draw):
    """A file with a few bytes changed, added, taken out, moved or repeated."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        n = draw(st.sampled_from([1, 1, 2, 4, 8, 30]))
        kind = draw(st.sampled_from(["set", "set", "insert", "cut", "repeat", "end"]))
        if kind == "set":
            data[at : at + n] = draw(st.binary(min_size=n, max_size=n))
        elif kind == "insert":
            data[at:at] = draw(st.binary(max_size=n))
        elif kind == "cut":
            del data[at : at + n]
        elif kind == "repeat":
            data[at:at] = data[at : at + n]
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@FUZZ
@given(mutated(), st.booleans())
def test_no_bytes_do_worse_than_a_clean_error(data, seekable):
    with limit(64 << 20), suppress(ValueError, EOFError):
        found = load(data) if seekable else vt.load(Stream(data))
        if not isinstance(found, vt.Tensor):
            for name in found:
                with suppress(ValueError, EOFError):
                    found[name].numpy()


GOOD = ["'descr'", ":", "'<f4'", ",", "'fortran_order'", ":", "False", ",", "'shape'", ":", "(3,4)"]
WORDS = (
    GOOD
    + ["'|b1'", "True", "(2,)", "()", "{", "}", "(", ")", "1", "2L", "-", "'", '"', "\\", "[", "]"]
    + [" ", "\n"]
)


@FUZZ
@given(st.data())
def test_the_header_parser_takes_nothing_that_numpy_does_not(data):
    words = ["{", *GOOD, "}"]
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.sampled_from(WORDS), max_size=2)
        )
    text = data.draw(st.sampled_from(["", " "])).join(words)
    try:
        ours = _npy.parse_header(text)
    except ValueError:
        return
    header = struct.pack("<H", len(text)) + text.encode()
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(header))
    assert (ours.shape, ours.fortran_order, ours.dtype) == (shape, fortran_order, dtype)


@pytest.mark.parametrize(
    "text",
    [
        "{'shape':(3,4),'fortran_order':False,'descr':'<f4'}",
        '{"descr": "<f4", "fortran_order": False, "shape": (3, 4, )}\n',
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L), }      \n",
        "\t{ 'descr' : 'f4' ,\n'fortran_order' : False , 'shape' : ( 3 , 4 ) }",
    ],
)
def test_headers_that_others_write_are_understood(text):
    found = _npy.parse_header(text)
    assert found == (np.dtype("<f4"), False, (3, 4))
