"""Where the provider is."""

from __future__ import annotations

DEFAULT_BASE_URL = "https://api.engagespark.com"
