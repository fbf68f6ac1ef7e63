"""A first impression in about 40 seconds, as a table: ``python benchmarks/quick.py``. Judges nothing.

Without nginx, a server of our own answers, which is slower; then what the clients cost still counts, their pace less.
"""

from __future__ import annotations

import latency
import makespan
import measure
import overhead
import servers

ROWS = 10_000


def main() -> None:
    nginx = servers.is_nginx_here()
    with servers.document_server() if nginx else servers.slow_server(0, 0) as url:
        cost = overhead.compare(url, ROWS, rounds=2)
    wait = latency.compare(10_000)
    even = makespan.shuffled([number for number in measure.numbers(200) for _ in range(12)])
    caps = makespan.compare(even, window_s=4.0)
    cpu = cost["cpu_us_per_send"]
    print(f"{'measure':42}{'ratio':>7}  detail ({'nginx' if nginx else 'no nginx'})")
    for name, ratio, detail in (
        (
            "processor time, bare aiohttp / bulksend",
            cost["ratio_cpu"],
            f"{cpu['bare']} / {cpu['bulksend']} µs per send",
        ),
        ("wall time, bare aiohttp / bulksend", cost["ratio_wall"], f"{ROWS:,} rows, start-up included"),
        ("rate / ideal at 100 ms ± 50 ms", wait["ratio"], f"{wait['sending_per_s']} / {wait['ideal_per_s']} per s"),
        ("makespan / lower bound under caps", caps["ratio"], f"{caps['seconds']} / {caps['bound_s']} s"),
    ):
        print(f"{name:42}{ratio:7.3f}  {detail}")


if __name__ == "__main__":
    main()
