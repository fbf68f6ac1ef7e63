"""Parts that can be loaded without what stands above or beside them."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import bulksend.sending.engine
print(*sorted({"sqlite3", "aiohttp", "uvloop", "click", "rich"} & set(sys.modules)))
print(*sorted(name for name in sys.modules if name.startswith(("bulksend.engagespark.", "bulksend.runs."))))
"""


def test_the_engine_loads_no_store_and_no_provider() -> None:
    loaded = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
