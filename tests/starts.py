"""How the tests start programs: thousands of times."""

from __future__ import annotations

import os


def quick(environment: dict[str, str]) -> dict[str, str]:
    """An environment in which a program starts in two thirds of the time.

    Compiled modules are kept, whatever is usual here, and no certificates are loaded, for no other machine is asked.
    """
    kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"SSL_CERT_FILE": os.devnull}
