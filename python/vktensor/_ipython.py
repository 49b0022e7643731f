"""The IPython extension: `%vt_time` and `%vt_profile`. Imported by `%load_ext vktensor` alone."""

from __future__ import annotations

import ast
import re
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any

from IPython.core.magic import no_var_expand

import vktensor as vt

#: The name that holds the value of a cell's last expression.
RESULT = "_vt_result"
#: Runs and seconds that suffice when nothing is asked for.
LEAST_RUNS, MOST_RUNS, ENOUGH_S = 7, 1000, 0.5
PROFILED_RUNS = 5
#: Options at the beginning of a line. Only what we know: code may begin with a minus.
OPTION = re.compile(r"""\s*(?:(-o)|(-r)\s*(\d+)|(-s)\s+("[^"]*"|'[^']*'|\S+))(?=\s|$)\s*""")


@dataclass(frozen=True)
class Timing:
    """What `%vt_time` measured. Times in seconds.

    Attributes
    ----------
    seconds : list of float
        Of every run, until the device was finished.
    gpu_s : float
        How long the GPU worked: the median of a few more runs, in profiles.
    n_dispatches : int
        Kernels launched in one of those.
    n_compiles : int
        Kernels made in the two runs before all others.
    """

    seconds: list[float]
    gpu_s: float
    n_dispatches: int
    n_compiles: int

    @property
    def median(self) -> float:
        """The median run."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / 2

    @property
    def host_s(self) -> float:
        """What is left of the median when the GPU's work is taken away."""
        return max(0.0, self.median - self.gpu_s)

    def __str__(self) -> str:
        first = self.n_compiles and f"; {self.n_compiles} kernels compiled before" or ""
        return (
            f"{show(self.median)} +- {show(self.spread)} (median, half the middle half; "
            f"{len(self.seconds)} runs): GPU {show(self.gpu_s)}, host {show(self.host_s)}; "
            f"launches {self.n_dispatches}{first}"
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def show(seconds: float) -> str:
    """Three digits with a fitting unit."""
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def compile_cell(shell: Any, text: str) -> CodeType:
    """The code with IPython's own syntax translated; a last expression is kept as RESULT."""
    tree = ast.parse(shell.transform_cell(text))
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        tree.body[-1] = ast.copy_location(
            ast.Assign([ast.Name(RESULT, ast.Store())], last.value), last
        )
        ast.fix_missing_locations(tree)
    return compile(tree, "<vktensor cell>", "exec")


def find_tensors(values: Iterable[object]) -> list[vt.Tensor]:
    """Tensors among the values, and in lists, tuples and dicts there."""
    found: list[vt.Tensor] = []
    for value in values:
        if isinstance(value, vt.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += find_tensors(value)
        elif isinstance(value, dict):
            found += find_tensors(value.values())
    return found


def run(code: CodeType, names: dict[str, Any]) -> None:
    """Runs the code, computes the tensors it names (those it assigns are lazy as yet), and waits
    for all that was recorded."""
    exec(code, names)
    vt.eval(*find_tensors(names[name] for name in code.co_names if name in names))
    vt.synchronize()


def measure(action: Callable[[], None], n_runs: int | None = None) -> Timing:
    """Times `action`, which waits for the device: two runs to warm up, then `n_runs`, or as many
    as half a second takes, at least 7."""
    with vt.profile() as warm_up:
        action()
        action()
    seconds: list[float] = []
    while len(seconds) < (n_runs or LEAST_RUNS) or (
        n_runs is None and sum(seconds) < ENOUGH_S and len(seconds) < MOST_RUNS
    ):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    profiles = [vt.profile() for _ in range(PROFILED_RUNS)]
    for p in profiles:
        with p:
            action()
    gpu_ns = statistics.median(p.gpu_ns for p in profiles)
    return Timing(seconds, gpu_ns * 1e-9, len(profiles[-1].dispatches), len(warm_up.compiles))


def split(magic: str, line: str, cell: str | None, known: str) -> tuple[dict[str, str], str]:
    """(options, code): options come first on the line; a cell's code follows the line's."""
    options: dict[str, str] = {}
    while match := OPTION.match(line):
        groups = [group for group in match.groups() if group]
        if groups[0] not in known.split():
            raise ValueError(f"{magic}: expected {known} or code, got {groups[0]}")
        options[groups[0]] = groups[-1].strip("\"'")
        line = line[match.end() :]
    return options, line if cell is None else f"{line}\n{cell}"


class Magics:
    """The magics of one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    @no_var_expand
    def vt_time(self, line: str, cell: str | None = None) -> Timing | None:
        """Times code until the device is finished with it.

        %vt_time [-o] [-r RUNS] code        %%vt_time [-o] [-r RUNS]

        Shows the median run and its spread, the GPU's part of it and the host's. The code runs
        twice before, which compiles kernels; then RUNS times, or as often as half a second takes;
        names it assigns are gone afterwards. -o gives the numbers instead of printing them.
        """
        options, text = split("vt_time", line, cell, "-o -r")
        code = compile_cell(self.shell, text)
        n_runs = int(options["-r"]) if "-r" in options else None
        if n_runs == 0:
            raise ValueError("vt_time: expected at least one run, got 0")
        timing = measure(lambda: run(code, dict(self.shell.user_ns)), n_runs)
        if "-o" in options:
            return timing
        print(timing)
        return None

    @no_var_expand
    def vt_profile(self, line: str, cell: str | None = None) -> vt.Profile:
        """Runs code in a profile and shows that.

        %vt_profile [-s FILE] code        %%vt_profile [-s FILE]

        Tensors that the code names are computed within the profile. -s writes a trace for
        ui.perfetto.dev; a name with spaces goes in quotes.
        """
        options, text = split("vt_profile", line, cell, "-s")
        code = compile_cell(self.shell, text)
        try:
            with vt.profile() as p:
                run(code, self.shell.user_ns)
        finally:
            self.shell.user_ns.pop(RESULT, None)
        if "-s" in options:
            p.save(options["-s"])
        return p


def load(shell: Any) -> None:
    """Registers the magics."""
    magics = Magics(shell)
    shell.register_magic_function(magics.vt_time, "line_cell", "vt_time")
    shell.register_magic_function(magics.vt_profile, "line_cell", "vt_profile")
