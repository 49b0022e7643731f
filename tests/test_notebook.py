"""What notebooks show of tensors, devices, memory and profiles, and the magics of IPython."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import vktensor as vt
from vktensor import _html, _ipython
from vktensor.profiling import Dispatch


def parse(text: str) -> ElementTree.Element:
    """The elements; what is not escaped or not closed is not XML."""
    return ElementTree.fromstring(f"<div>{text}</div>")


def rows(text: str) -> dict[str, str]:
    """Names and values of the first table."""
    found = parse(text).findall("table[1]/tr")
    return {row.findtext("th"): row.findtext("td") for row in found}


# ---- tensors, devices, memory --------------------------------------------------------------------


def test_a_tensor_shows_what_it_is_and_its_values():
    t = vt.asarray(np.arange(6, dtype=np.int16).reshape(2, 3))
    shown = rows(t._repr_html_())
    assert shown == {
        "shape": "(2, 3)",
        "dtype": "int16",
        "device": vt.default_device().name,
        "size": "12 bytes",
        "state": "computed",
    }
    assert parse(t._repr_html_()).findtext("pre") == str(t)


def test_a_pending_tensor_says_so():
    t = vt.ones(3) + 1
    assert "pending" in rows(t._repr_html_())["state"]
    assert rows(t._repr_html_())["state"] == "computed"


@pytest.mark.parametrize("shape", [(), (0,), (0, 5), (1,), (2000, 3000), (3, 30, 40)])
def test_a_display_reads_only_what_it_shows(shape):
    t = vt.asarray(np.zeros(shape, np.float32))
    vt.synchronize()
    with vt.profile() as p:
        parse(t._repr_html_())
    assert sum(d.bytes for d in (*p.dispatches, *p.copies)) <= 16 * 1024
    assert sum(x.bytes for x in p.transfers) <= 16 * 1024


def test_a_display_never_raises(monkeypatch):
    def fail(self):
        raise vt.DeviceLostError("device <lost> & gone")

    monkeypatch.setattr(vt.Tensor, "__str__", fail)
    text = parse(vt.ones(3)._repr_html_()).findtext("pre")
    assert text == "DeviceLostError: device <lost> & gone"


def test_devices_show_what_they_have_escaped():
    for d in vt.devices():
        shown = rows(d._repr_html_())
        assert d.name in shown["device"] and d.driver in shown["driver"]
    evil = SimpleNamespace(
        index=0,
        name="<script>&'\"",
        kind="cpu",
        driver="<b>",
        driver_version="1",
        api_version="1.3",
        usable=False,
        missing="<i>",
    )
    text = _html.device(evil)
    assert "<script>" not in text and "<b>" not in text
    assert rows(text)["device"] == "0: <script>&'\" (cpu)"
    assert rows(text)["cannot be used"] == "<i>"


def test_memory_statistics_are_a_dict_with_a_table():
    t = vt.asarray(np.zeros(1 << 20, np.float32))
    stats = vt.memory_stats()
    assert isinstance(stats, dict) and json.loads(json.dumps(stats)) == stats
    assert repr(stats) == repr(dict(stats))
    shown = rows(stats._repr_html_())
    assert list(shown) == list(stats) and shown["in_use"].endswith("MiB")
    assert stats["in_use"] >= t.nbytes
    assert parse(vt.runtime.MemoryStats()._repr_html_()).find("table") is not None


def test_sizes_have_fitting_units():
    sizes = [0, 1023, 1024, 3 << 20, 5 << 30, 1 << 42]
    texts = ["0 bytes", "1023 bytes", "1.0 KiB", "3.0 MiB", "5.0 GiB", "4096.0 GiB"]
    assert [_html.size(n) for n in sizes] == texts


# ---- profiles ------------------------------------------------------------------------------------


def test_a_profile_shows_kernels_a_timeline_and_the_host():
    a = vt.asarray(np.ones((300, 300), np.float32))
    p = vt.profile()
    assert "running" not in p._repr_html_()
    with p:
        assert "running" in p._repr_html_() and "running" in repr(p)
        vt.eval(vt.sin(a) < 0.5)
    shown = parse(p._repr_html_())
    cells = [cell.text or cell.findtext("code") for cell in shown.findall("table[1]/tr[2]/td")]
    assert cells[0] == p.dispatches[0].name and cells[2] == "1"
    assert cells[1] == "sin(a) < 0.5"
    types = shown.find("table[1]/tr[2]/td/code").get("title")
    assert types == "a: float32[300, 300] -> bool[300, 300]"
    labels = [text.text for text in shown.findall("svg/text")]
    assert labels[:5] == ["GPU", "compile", "transfer", "submit", "wait"]
    titles = [title.text for title in shown.iterfind("svg/rect/title")]
    assert any(title.startswith(cells[0]) for title in titles)
    for box in shown.iterfind("svg/rect"):
        assert float(box.get("x")) >= 0 and float(box.get("x")) + float(box.get("width")) <= 761


def test_a_long_profile_stays_small_and_names_are_escaped():
    p = vt.profile()
    p.ns = 10**9
    for i in range(20_000):
        names = (f"<k{i % 40}>", "a < b & c", "")
        entry = Dispatch(
            names[0], i * 50_000, 40_000, 1, *names[1:], (3,), "f", 8, (1, 1, 1), 0, 1, "dispatch"
        )
        p.dispatches.append(entry)
    text = p._repr_html_()
    shown = parse(text)
    assert len(text) < 400_000 and len(list(shown.iterfind("svg/rect"))) < 1500
    assert len(shown.findall("table[1]/tr")) == 1 + _html.MOST_ROWS
    assert shown.findtext("p") == "and 28 more kernels: see summary()"


# ---- magics --------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    made = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_cell("%load_ext vktensor").raise_error()
    made.run_cell("import vktensor as vt\na = vt.ones((200, 200))\nvt.eval(a)").raise_error()
    yield made
    made.reset()
    made.displayhook.flush()


def give(shell: InteractiveShell, code: str) -> object:
    done = shell.run_cell(code)
    done.raise_error()
    return done.result


@pytest.mark.unwatched
def test_import_leaves_ipython_alone():
    code = "import sys, vktensor; print('IPython' in sys.modules, 'html' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "False"


def test_vt_time_measures_until_the_device_is_finished(shell, capsys):
    give(shell, "%vt_time -r 3 vt.sin(a) + 1")
    text = capsys.readouterr().out
    assert "3 runs" in text and "GPU" in text and "host" in text and "launches 1" in text
    timing = give(shell, "%vt_time -o -r 4 a @ a")
    assert isinstance(timing, _ipython.Timing) and len(timing.seconds) == 4
    assert timing.gpu_s > 0 and min(timing.seconds) <= timing.median <= max(timing.seconds)
    assert timing.host_s == max(0.0, timing.median - timing.gpu_s)
    assert timing.n_dispatches >= 1 and "4 runs" in str(timing)


def test_vt_time_computes_what_is_lazy_and_keeps_names_to_itself(shell):
    timing = give(shell, "%%vt_time -o -r 2\nb = vt.cos(a)\nc = [b * 2, {'d': b - 3}]")
    assert timing.n_dispatches >= 1
    assert "b" not in shell.user_ns and "c" not in shell.user_ns
    assert give(shell, "%vt_time -o -r1 -a").n_dispatches == 1
    assert give(shell, "%vt_time -o -r 1 None").n_dispatches == 0
    assert len(give(shell, "%vt_time -o vt.sum(a)").seconds) >= 7


def test_wrong_options_and_errors_of_the_code_are_raised(shell):
    with pytest.raises(ValueError, match="at least one run"):
        give(shell, "%vt_time -r 0 a")
    with pytest.raises(ValueError, match="vt_profile: expected -s or code, got -r"):
        give(shell, "%vt_profile -r 3 a")
    with pytest.raises(ZeroDivisionError):
        give(shell, "%vt_time 1 / 0")
    with pytest.raises(ZeroDivisionError):
        give(shell, "%%vt_profile\nx = 1\nx / 0")
    assert len(give(shell, "%vt_profile a + 5").dispatches) == 1


def test_code_is_run_as_it_is_written(shell, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    shell.user_ns["s"], shell.user_ns["number"] = shell.user_ns["a"], 5
    assert [d.what for d in give(shell, "%vt_profile -s").dispatches] == ["-a"]
    profile = give(shell, "%vt_profile -sum([s, s])")
    assert [d.what for d in profile.dispatches] == ["-(0.0 + a + a)"]
    assert not list(here.iterdir())  # neither was the name of a file
    assert give(shell, "%vt_time -o -r 1 -sum([s])").n_dispatches == 1
    # IPython would put the values of names in braces or after a dollar into a line.
    give(shell, "%vt_profile kept = '{number} $number'")
    assert shell.user_ns["kept"] == "{number} $number"
    give(shell, "%vt_profile -s 'a trace.json' s + 1")
    assert [path.name for path in here.iterdir()] == ["a trace.json"]


def test_vt_profile_shows_the_work_and_keeps_names(shell, tmp_path):
    path = tmp_path / "trace.json"
    p = give(shell, f"%%vt_profile -s {path}\nb = vt.exp(a)\nb *= 2\nvt.sum(b)")
    assert isinstance(p, vt.Profile)
    assert {"exp(a)*2.0"} <= {d.what for d in p.dispatches}
    assert "b" in shell.user_ns and _ipython.RESULT not in shell.user_ns
    assert json.loads(path.read_text())["traceEvents"]
    p = give(shell, "%vt_profile -a")
    assert [d.what for d in p.dispatches] == ["-a"]


def test_vt_profile_sees_work_in_place(shell):
    p = give(shell, "%vt_profile a += 1")
    assert [d.what for d in p.dispatches] == ["a + 1.0"]
    assert float(shell.user_ns["a"][0, 0]) == 2
