"""Servers on a core of their own, so that a client has its core to itself. Debian: nginx-light, libnginx-mod-http-echo.

nginx answers several times as fast as any client here can ask, so what is measured is the client.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import ENVIRONMENT, HERE

SERVER_CORE = "1"
_READY_WITHIN_S = 10.0
_ACCEPTED = (
    '"error":"","messageId":"%s","estimateParts":1,"estimateMicro":20000,"estimate":"0.02",'
    '"deliveryDeadline":"2019-07-24T13:49:16.38785625Z","contactId":0'
)
# The API document's answer. nginx cannot read the request here, and an answer that names another number is not taken
# for ours: so it names none.
_DOCUMENT = "return 200 '{" + _ACCEPTED % "SMS20190723T154425-123-0123" + ',"to":"","message":""}\';'
# The newer API's: it gives back the request's fields, clientDedup among them.
_ECHO = "echo_read_request_body; echo '{" + _ACCEPTED % "SMS$request_id" + ",$fields';"
_CONFIG = """
{module}
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  keepalive_requests 1000000000; keepalive_timeout 600s; default_type application/json;
  client_body_buffer_size 64k; client_body_in_single_buffer on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $request_body $fields {{ default '"to":""}}'; "~^\\{{(?<rest>.*)$" $rest; }}
  log_format arrivals '$msec';
  map $request_method $is_post {{ default 0; POST 1; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    access_log {log};
    location / {{ {answer} }}
    location = /requests {{ stub_status; access_log off; }}
  }}
}}
"""


def is_nginx_here() -> bool:
    """Whether nginx is installed."""
    return shutil.which("nginx", path=_PATH) is not None


@contextmanager
def document_server() -> Iterator[str]:
    """An nginx with the API document's answer, the same for all; its address."""
    with _nginx(_DOCUMENT, "", None) as url:
        yield url


@contextmanager
def echo_server(log: Path | None = None) -> Iterator[str]:
    """An nginx that gives back the request's fields as the newer API does, which proves clientDedup; its address.

    Args:
        log: where to write each POST's time, in seconds since 1970 to the millisecond, one a line.
    """
    module = "load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;"
    with _nginx(_ECHO, module, log) as url:
        yield url


@contextmanager
def slow_server(mean_s: float, jitter_s: float) -> Iterator[str]:
    """A server that answers each POST after ``mean_s``, give or take up to ``jitter_s``; its address."""
    command = [sys.executable, str(HERE / "slow_server.py"), str(mean_s), str(jitter_s)]
    with _started(command) as server:
        assert server.stdout is not None  # noqa: S101 -- a pipe was asked for
        yield server.stdout.readline().decode().strip()


def requests_at(url: str) -> int:
    """How many requests an nginx of ours has had so far, this one included."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    try:
        connection.request("GET", "/requests")
        said = connection.getresponse().read().decode()
    finally:
        connection.close()
    return int(said.split("requests")[1].split()[2])


@contextmanager
def _nginx(answer: str, module: str, log: Path | None) -> Iterator[str]:
    nginx = shutil.which("nginx", path=_PATH)
    if nginx is None:
        raise SystemExit("nginx is not installed: apt-get install nginx-light libnginx-mod-http-echo")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        access_log = f"{log} arrivals if=$is_post" if log else "off"
        config = Path(folder) / "nginx.conf"
        config.write_text(_CONFIG.format(module=module, folder=folder, port=port, log=access_log, answer=answer))
        with _started([nginx, "-e", f"{folder}/error.log", "-c", str(config)]) as server:
            _await(port, server)
            yield f"http://127.0.0.1:{port}"


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    pinned = ["taskset", "-c", SERVER_CORE, *command]
    with subprocess.Popen(pinned, stdout=subprocess.PIPE, env=ENVIRONMENT) as server:
        try:
            yield server
        finally:
            server.terminate()


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("the server did not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"  # Debian's daemons are not on every user's
