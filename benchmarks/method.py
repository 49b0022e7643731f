"""How times are taken: warm-up until stable, interleaved rounds, medians and their spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: Seconds one call takes on average over `count` calls.
Batch = Callable[[int], float]

#: Warm-up ends when this many batches in a row agree this well, or its share of the time is over.
AGREEING = 3
AGREEMENT = 0.05
WARM_UP_SHARE = 0.4


#: Units whose values are shown as they are, with how many are in a second.
SECONDS = {"us": 1e6, "ms": 1e3, "s": 1.0, "ratio": 1.0}


@dataclass(frozen=True)
class Spread:
    """The quartiles of what was measured, lower is better: seconds, or a ratio."""

    median: float
    q1: float
    q3: float
    least: float
    n: int

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """The spread of at least one value; quartiles by linear interpolation."""
        ordered = sorted(values)

        def at(share: float) -> float:
            place = share * (len(ordered) - 1)
            low = int(place)
            high = min(low + 1, len(ordered) - 1)
            return ordered[low] + (place - low) * (ordered[high] - ordered[low])

        return cls(at(0.5), at(0.25), at(0.75), ordered[0], len(ordered))


@dataclass
class Row:
    """One measured work. `amount` is bytes for GB/s, operations for TFLOP/s, 0 for other units,
    whose values are shown as they are: seconds (us, ms) or a ratio."""

    group: str
    name: str
    unit: str
    amount: float = 0.0
    libraries: dict[str, Spread] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unit not in ("GB/s", "TFLOP/s", *SECONDS):
            raise ValueError(f"the unit {self.unit} of {self.key} is not known")

    @property
    def key(self) -> str:
        """What names the row in one run."""
        return f"{self.group}: {self.name}"

    def shown(self, seconds: float) -> float:
        """`seconds` in the row's unit."""
        scale = {"GB/s": 1e9, "TFLOP/s": 1e12}
        if self.unit in scale:
            return self.amount / seconds / scale[self.unit]
        return seconds * SECONDS[self.unit]


def repeat(call: Callable[[], object]) -> Batch:
    """A batch of plain calls."""

    def batch(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - began) / count

    return batch


def warm_up(batch: Batch, seconds: float) -> float:
    """Runs until the times agree or `seconds` are over; the seconds of one call then. The first
    call, which may compile, does not count."""
    batch(1)
    ended = time.perf_counter() + seconds
    recent: list[float] = []
    count = 1
    while True:
        began = time.perf_counter()
        recent.append(batch(count))
        recent = recent[-AGREEING:]
        now = time.perf_counter()
        stable = len(recent) == AGREEING and max(recent) <= (1 + AGREEMENT) * min(recent)
        if stable or now > ended:
            return min(recent)
        # Short calls in longer batches: a clock tick or a switch of processes is then no news.
        if now - began < seconds / 50:
            count = min(2 * count, 1000)


def measure(batches: Mapping[str, Batch], seconds: float, rounds: int = 9) -> dict[str, Spread]:
    """The spread of each contender's seconds a call, from rounds in which each has one batch, in
    turning order: what disturbs the machine disturbs all. Takes about `seconds` a contender, but
    makes at least three rounds."""
    counts: dict[str, int] = {}
    for name, batch in batches.items():
        once = warm_up(batch, WARM_UP_SHARE * seconds)
        left = (1 - WARM_UP_SHARE) * seconds
        counts[name] = max(1, min(2000, int(left / rounds / max(once, 1e-9))))
        rounds = max(3, min(rounds, int(left / max(once, 1e-9))))
    values: dict[str, list[float]] = {name: [] for name in batches}
    names = list(batches)
    for _ in range(rounds):
        for name in names:
            values[name].append(batches[name](counts[name]))
        names = names[1:] + names[:1]
    return {name: Spread.of(found) for name, found in values.items()}
