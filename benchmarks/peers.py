"""Other ways to send the same rows to the same server on one core: how many a second, whole processes.

Run with ``python benchmarks/peers.py [ROWS] [--npm]`` (default 5,000; the slowest get fewer). Debian: nginx-light,
parallel, curl, hey; pip: requests, httpx; ``--npm`` fetches newman for the time being. Prints a JSON object, first how
many times as fast bulksend is (``factor``); null: that program is not here. ``keeps_record`` is whether one can tell
afterwards what became of each row; newman's comes only at the end. hey sends one and the same message, with no sheet:
it is the ceiling of a compiled client that keeps no books.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import servers

CONCURRENCY = "64"
SCRIPTS = measure.HERE / "peer_scripts"
BODY = '{"orgId":1,"to":"%s","message":"%s"}'
AUTHORIZATION, JSON_TYPE = "Authorization: Token benchmark", "Content-Type: application/json"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another way to send.

    Attributes:
        keeps_record: whether it tells afterwards what became of each row.
        share: which share of the rows it gets, one in so many.
        command: what to run for an address, a sheet of so many rows and a folder; None if it is not here.
    """

    keeps_record: bool
    share: int
    command: Callable[[str, Path, int, Path], list[str] | None]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000)
    parser.add_argument("--npm", action="store_true", help="install newman into a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers.document_server() as url:
        if given.npm:
            measure.run(["npm", "install", "--silent", "--prefix", folder, "newman"])
        found = {name: compare(peer, url, given.rows // peer.share, Path(folder)) for name, peer in PEERS.items()}
        sheet = measure.write_sheet(Path(folder) / "bulksend.csv", measure.numbers(given.rows))
        ours, summary = measure.send(sheet, url, "--concurrency", CONCURRENCY)
    if summary["sent"] != given.rows:
        raise SystemExit(f"bulksend sent {summary['sent']} of {given.rows}")
    per_s = given.rows / ours.wall_s
    factors = {name: each and round(per_s / each["per_s"], 2) for name, each in found.items()}
    found["bulksend"] = {"per_s": round(per_s), "keeps_record": True, "rows": given.rows}
    measure.show({"factor": factors, "rows": given.rows, "concurrency": int(CONCURRENCY), "peers": found})


def compare(peer: Peer, url: str, rows: int, folder: Path) -> dict[str, Any] | None:
    """One way: messages a second, as the server counts them."""
    sheet = measure.write_sheet(folder / "peer.csv", measure.numbers(rows))
    command = peer.command(url, sheet, rows, folder)
    if command is None:
        return None
    before = servers.requests_at(url)
    took = measure.run(command)
    arrived = servers.requests_at(url) - before - 1
    if arrived <= rows - int(CONCURRENCY):  # hey sends a multiple of its workers
        raise SystemExit(f"only {arrived} of {rows} arrived of: {' '.join(command)}")
    return {"per_s": round(arrived / took.wall_s, 1), "keeps_record": peer.keeps_record, "rows": arrived}


def _script(name: str, needs: str) -> Callable[[str, Path, int, Path], list[str] | None]:
    def command(url: str, sheet: Path, _: int, folder: Path) -> list[str] | None:
        third = str(folder / "results.jsonl") if name == "processor" else CONCURRENCY
        found = importlib.util.find_spec(needs)
        return [sys.executable, str(SCRIPTS / f"{name}.py"), url, str(sheet), third] if found else None

    return command


def _parallel(url: str, sheet: Path, _: int, folder: Path) -> list[str] | None:
    body = f"'{BODY}'" % ("'{to}'", "'{message}'")
    curl = f"curl -sS -o /dev/null -H '{AUTHORIZATION}' -H '{JSON_TYPE}' -d {body} {url}/v1/sms/contact"
    options = ["--will-cite", "-j", CONCURRENCY, "--joblog", str(folder / "joblog"), "--colsep", ",", "--header", ":"]
    program = shutil.which("parallel")
    return [program, *options, "-a", str(sheet), curl] if program and shutil.which("curl") else None


def _newman(url: str, sheet: Path, _: int, folder: Path) -> list[str] | None:
    header = [dict(zip(("key", "value"), line.split(": "), strict=True)) for line in (AUTHORIZATION, JSON_TYPE)]
    body = {"mode": "raw", "raw": BODY % ("{{to}}", "{{message}}")}
    request = {"method": "POST", "url": f"{url}/v1/sms/contact", "header": header, "body": body}
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    collection = folder / "collection.json"
    info = {"name": "campaign", "schema": schema}
    collection.write_text(json.dumps({"info": info, "item": [{"name": "send", "request": request}]}))
    program = shutil.which("newman") or shutil.which("newman", path=str(folder / "node_modules" / ".bin"))
    reporter = ["-r", "json", "--reporter-json-export", str(folder / "newman.json")]
    return [program, "run", str(collection), "-d", str(sheet), *reporter] if program else None


def _hey(url: str, _: Path, rows: int, __: Path) -> list[str] | None:
    request = ["-m", "POST", "-H", AUTHORIZATION, "-T", "application/json", "-d", BODY % ("639170000000", "Hello")]
    command = ["-cpus", "1", "-n", str(rows), "-c", CONCURRENCY, *request, f"{url}/v1/sms/contact"]
    program = shutil.which("hey")
    return [program, *command] if program else None


PEERS = {
    "requests + threads": Peer(keeps_record=False, share=1, command=_script("with_requests", "requests")),
    "httpx": Peer(keeps_record=False, share=5, command=_script("with_httpx", "httpx")),
    "aiohttp + aiolimiter + gather": Peer(keeps_record=False, share=1, command=_script("naive", "aiohttp")),
    "OpenAI cookbook's processor": Peer(keeps_record=True, share=1, command=_script("processor", "aiohttp")),
    "GNU parallel + curl": Peer(keeps_record=True, share=10, command=_parallel),
    "newman": Peer(keeps_record=True, share=10, command=_newman),
    "hey": Peer(keeps_record=False, share=1, command=_hey),
}

if __name__ == "__main__":
    main()
