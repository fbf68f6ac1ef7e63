"""The script most would write first: requests and a pool of threads, each with a session that keeps its connection."""

import csv
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests  # type: ignore[import-not-found, import-untyped, unused-ignore]  # only benchmarks need it

url, sheet, concurrency = sys.argv[1:]
local = threading.local()


def send(row: dict[str, str]) -> None:
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.headers["Authorization"] = "Token benchmark"
    body = {"orgId": 1, "to": row["to"], "message": row["message"]}
    answer = local.session.post(f"{url}/v1/sms/contact", json=body, timeout=30)
    answer.raise_for_status()
    answer.json()


with Path(sheet).open(encoding="utf-8", newline="") as file, ThreadPoolExecutor(int(concurrency)) as pool:
    for _ in pool.map(send, csv.DictReader(file)):
        pass
