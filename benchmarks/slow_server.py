"""A server that takes its time: ``python benchmarks/slow_server.py MEAN_S JITTER_S`` prints its address and serves.

Each POST is answered after MEAN_S, give or take up to JITTER_S (evenly spread), with what the newer API answers: the
request's own fields, and those of an accepted message. It reads HTTP as our clients write it and no further, so that
thousands of connections cost next to nothing.
"""

from __future__ import annotations

import random
import sys

import serving


class Connection(serving.Connection):
    """Answers late."""

    mean_s = 0.0
    jitter_s = 0.0
    random = random.Random(1)

    def asked(self, fields: bytes) -> None:
        delay_s = self.random.uniform(self.mean_s - self.jitter_s, self.mean_s + self.jitter_s)
        if delay_s > 0:
            self.loop.call_later(delay_s, self.accept, fields)
        else:
            self.accept(fields)


if __name__ == "__main__":
    Connection.mean_s, Connection.jitter_s = float(sys.argv[1]), float(sys.argv[2])
    serving.run(Connection)
