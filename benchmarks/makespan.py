"""How much longer a campaign takes than its caps make it take at least.

Run with ``python benchmarks/makespan.py``; about two minutes. Prints a JSON object; each ``ratio`` is the seconds of
sending over a lower bound that no order of the messages can beat, plus one latency; the goal is 1.02.

The caps are the real ones with a shorter window. A message that is its phone's (5 k + 1)th or later cannot leave before
k windows are over, and those that cannot leave before take as long as the same messages take without caps. The bound
is the most that this comes to over all k; what a window loses by counting from an answer instead of a request is ours.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measure
import servers

COUNT = 5
LATENCY_S = 0.010
CONCURRENCY = "64"


def main() -> None:
    phones = list(measure.numbers(11_000))
    even = [number for number in phones[:1_000] for _ in range(12)]
    hot = phones[1_000:] + phones[:1] * 100
    shapes = {
        "1000_numbers_x12_sorted": (even, 6.0),
        "1000_numbers_x12_shuffled": (shuffled(even), 6.0),
        "one_number_x100_last_of_10000": (hot, 2.0),
        "one_number_x100_shuffled": (shuffled(hot), 2.0),
    }
    found = {name: compare(recipients, window_s) for name, (recipients, window_s) in shapes.items()}
    measure.show({"worst_ratio": max(each["ratio"] for each in found.values()), "shapes": found})


def shuffled(recipients: Sequence[str]) -> list[str]:
    """In an order of chance, the same each time."""
    return random.Random(1).sample(recipients, len(recipients))


def compare(recipients: Sequence[str], window_s: float) -> dict[str, Any]:
    """One sheet, sent under caps of this window and without any."""
    with servers.slow_server(LATENCY_S, 0) as url, tempfile.TemporaryDirectory() as folder:
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", recipients)
        options = ("--concurrency", CONCURRENCY, "--cap")
        _, free = measure.send(sheet, url, *options, "63=900000/0.001")
        _, capped = measure.send(sheet, url, *options, f"63={COUNT}/{window_s}")
    per_s = len(recipients) / free["seconds"]
    bound_s = lower_bound_s(recipients, window_s, per_s) + LATENCY_S
    return {
        "ratio": round(capped["seconds"] / bound_s, 3),
        "seconds": capped["seconds"],
        "bound_s": round(bound_s, 3),
        "window_s": window_s,
        "rows": len(recipients),
        "per_s_without_caps": round(per_s),
    }


def lower_bound_s(recipients: Sequence[str], window_s: float, per_s: float) -> float:
    """How long these messages take at least, at so many a second and COUNT to a phone in any window."""
    most = Counter(recipients)
    windows = range(-(-max(most.values()) // COUNT))
    return max(k * window_s + sum(max(n - COUNT * k, 0) for n in most.values()) / per_s for k in windows)


if __name__ == "__main__":
    main()
