"""A ClickHouse for one machine: the engine as a library (chdb-core), behind ClickHouse's HTTP interface.

    python server.py --data FOLDER [--port 8123]

It is what `make stack` starts where no ClickHouse server is installed, so that development and tests have the same code path
as a server. It listens on 127.0.0.1 only. CLICKHOUSE_PASSWORD is the password of `default` (none: empty), and
CLICKHOUSE_READER_PASSWORD that of `reader`, who can only read.

What it lacks: users, roles and grants, replication, query_log, temporary tables, external tables, progress headers, and
answers that are larger than memory. What would reach out of it (files, other servers, programs) is refused.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import faulthandler
import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from engine import Engine
from handler import Handler, User
from sessions import Sessions

# Each connection has a thread; more than this wait until another one ends.
MAX_CONNECTIONS = 128
# How long requests may still take after SIGTERM.
PATIENCE = 20


class Server(ThreadingHTTPServer):
    engine: Engine
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, users: list[User]):
        self.users = {user.name: user for user in users}
        self.sessions = Sessions()
        self.display_name = socket.gethostname()
        self.is_stopping = False
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._busy = 0
        self._idle = threading.Condition()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        while not self._places.acquire(timeout=0.2):
            if self.is_stopping:
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a client that went away is no error
            print(f"{client_address}: {error!r}", file=sys.stderr, flush=True)

    @contextmanager
    def busy(self) -> Iterator[None]:
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def stop(self) -> None:
        """No new requests, and time for those under way."""
        self.is_stopping = True
        self.shutdown()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, PATIENCE)


def hold(folder: Path) -> int:
    """The engine would let a second process into the folder, and both would lose data: so a lock, with our pid in it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "pid.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        sys.exit(f"the data in {folder} is in use by process {holder}: one process at a time may have it")
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def main() -> None:
    # A crash of the engine would leave nothing in the log.
    faulthandler.enable()
    parser = argparse.ArgumentParser(description="ClickHouse's engine behind its HTTP interface, on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--port", type=int, default=8123)
    arguments = parser.parse_args()
    folder = arguments.data.resolve()
    lock = hold(folder)

    users = [
        User("default", os.environ.get("CLICKHOUSE_PASSWORD", ""), readonly=0),
        User("reader", os.environ.get("CLICKHOUSE_READER_PASSWORD", ""), readonly=1),
    ]
    try:
        server = Server(arguments.port, users)
    except OSError as error:
        sys.exit(f"cannot listen on 127.0.0.1:{arguments.port}: {error.strerror}")
    began = time.monotonic()
    server.engine = Engine(folder)

    def stop(number: int, frame: object) -> None:
        threading.Thread(target=server.stop, name="stop").start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"ClickHouse engine {server.engine.version}, data in {folder}, started in {time.monotonic() - began:.1f} s")
    print(f"Ready for connections on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.2)
    server.server_close()
    for thread in threading.enumerate():
        if thread.name == "stop":
            thread.join()
    server.engine.close()
    print("Stopped", flush=True)
    os.close(lock)
    # Idle connections have threads that wait for their clients.
    os._exit(0)


if __name__ == "__main__":
    main()
